//! `ae man`.

use std::path::PathBuf;

use super::Examples;
use crate::args::Cli;
use crate::{Error, Result};

/// Write the manual pages: ae.1, and ae-train.1 and so on of each command
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder for the pages, which is made if it is missing
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
}

/// Examples for its help.
pub const EXAMPLES: Examples = &[(
    "man",
    [
        "ae man ~/.local/share/man/man1",
        "ae man /usr/local/share/man/man1                 # of all users",
        "ae man pages/                                    # then man -l pages/ae-train.1",
    ],
)];

impl Args {
    pub fn run(&self) -> Result<()> {
        std::fs::create_dir_all(&self.folder).map_err(Error::io(&self.folder))?;
        let io = |error| Error::io(&self.folder)(error);
        clap_mangen::generate_to(Cli::commands().disable_help_subcommand(true), &self.folder)
            .map_err(io)?;
        println!("manual pages: {}", self.folder.display());
        Ok(())
    }
}
