//! `ae devices`.

use super::{Examples, print_json};
use crate::Result;

/// List the devices to run on, with their measured speed
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Args {
    pub fn run(&self) -> Result<()> {
        if self.json {
            return print_json(&ae_device::devices());
        }
        print!("{}", ae_device::list());
        Ok(())
    }
}

/// Examples for its help.
pub const EXAMPLES: Examples = &[(
    "devices",
    [
        "ae devices",
        "ae train --device gpu:0                          # a GPU of the list",
        "ae train --device cpu",
    ],
)];
