//! Arguments of the commands on the samples of a trained run.

use std::path::{Path, PathBuf};

use ae_device::NamedDevice;
use ae_run::{RunDir, SavedRun, Selection, SplitName};
use clap::Args;

use super::{Data, DeviceArgs, RecipeArgs};
use crate::console::Console;
use crate::outputs::check_file;
use crate::{Error, Result};

#[derive(Debug, Args)]
pub struct RunArgs {
    /// Folder of a run
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    #[command(flatten)]
    pub device: DeviceArgs,
    #[command(flatten)]
    pub data: RecipeArgs<Data>,
    /// training, validation, test or all; `all` keeps the order of the source and needs data without a
    /// published test set [default: test; with --data all, where possible]
    #[arg(long, alias = "part", value_name = "SPLIT")]
    pub split: Option<SplitName>,
}

impl RunArgs {
    /// Loads the run onto its device, and the samples of the command.
    pub fn open(&self) -> Result<(SavedRun, Selection, NamedDevice)> {
        let (run, device) = open_run(&self.run, &self.device)?;
        let selection = self.data.samples(&run, self.split)?;
        Ok((run, selection, device))
    }

    /// Refuses a file for results that is read, or exists, unless it is to be replaced; before anything is read that takes
    /// time.
    pub fn check_out(&self, out: &Path, force: bool) -> Result<()> {
        check_file(out, force, self.inputs()?.iter().map(PathBuf::as_path))
    }

    /// The files and folders that are read.
    pub fn inputs(&self) -> Result<Vec<PathBuf>> {
        let folder = RunDir::existing(&self.run)?;
        Ok(folder.inputs(&self.data.section("data"))?)
    }
}

/// Loads a run onto a device.
pub fn open_run(run: &Path, device: &DeviceArgs) -> Result<(SavedRun, NamedDevice)> {
    let folder = RunDir::existing(run)?;
    let device = device.open()?;
    let run = SavedRun::load(&folder, &device.handle)?;
    if let Some(done) = run.stopped_after {
        eprintln!(
            "{} is not finished: the best weights up to step {done}, epoch {}",
            folder.0.display(),
            run.about.provenance.get("epoch").map_or("unknown", String::as_str)
        );
    }
    Ok((run, device))
}

impl<G> RecipeArgs<G> {
    /// A split of the data of a run, or of other data.
    pub fn samples(&self, run: &SavedRun, split: Option<SplitName>) -> Result<Selection> {
        if ["train-samples", "test-samples"].into_iter().all(|option| self.is_given(option)) {
            return Err(Error::usage(
                "--train-samples and --test-samples apply to different splits, and this command uses one; drop \
                 that of the other split",
            ));
        }
        Ok(run.samples(&self.section("data"), split, &*Console::single())?)
    }
}
