//! `ae report`.

use std::path::PathBuf;

use ae_run::FinishedRun;

use super::Examples;
use crate::Result;
use crate::args::{DeviceArgs, open_run};
use crate::console::Console;

/// Write the report of a run again
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder of a run
    #[arg(value_name = "RUN")]
    run: PathBuf,
    #[command(flatten)]
    device: DeviceArgs,
}

/// Examples for its help.
pub const EXAMPLES: Examples = &[(
    "report",
    [
        "ae report runs/digits-conv-32",
        "ae report runs/mnist-dense-30-pretrained --device cpu",
        "ae report runs/digits-conv-32 --device gpu",
    ],
)];

impl Args {
    pub fn run(&self) -> Result<()> {
        let (run, device) = open_run(&self.run, &self.device)?;
        let finished = FinishedRun::evaluate(run, &device, &*Console::single())?;
        ae_report::write(&finished)?;
        println!("report: {}", finished.folder().report().display());
        Ok(())
    }
}
