//! `ae completions`.

use std::io::Write;

use clap_complete::Shell;

use super::Examples;
use crate::Result;
use crate::args::Cli;

/// Print the completions of a shell
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

/// Examples for its help.
pub const EXAMPLES: Examples = &[(
    "completions",
    [
        "ae completions bash > ~/.local/share/bash-completion/completions/ae",
        "ae completions zsh > ~/.zfunc/_ae",
        "ae completions fish > ~/.config/fish/completions/ae.fish",
    ],
)];

impl Args {
    pub fn run(&self) -> Result<()> {
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::commands(), "ae", &mut text);
        // Into a closed pipe goes nothing.
        let _ = std::io::stdout().write_all(&text);
        Ok(())
    }
}
