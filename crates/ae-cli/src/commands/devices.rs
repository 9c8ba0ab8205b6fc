//! `ae devices`.

use super::Examples;
use crate::Result;

/// List the devices to run on, with their measured speed
#[derive(Debug, clap::Args)]
pub struct Args;

impl Args {
    pub fn run(&self) -> Result<()> {
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
