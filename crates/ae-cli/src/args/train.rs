//! Arguments of the commands that train.

use std::path::PathBuf;
use std::time::Duration;

use super::{DeviceArgs, RecipeArgs, Training};
use crate::console::Console;
use crate::{Error, Result};
use ae_run::RunOptions;
use clap::Args;

#[derive(Clone, Debug, Default, Args)]
#[command(allow_negative_numbers = true)]
pub struct TrainArgs {
    #[command(flatten)]
    pub settings: RecipeArgs<Training>,
    /// Start from a recipe; options on the command line override it
    #[arg(long, value_name = "FILE.toml", help_heading = "Run")]
    pub recipe: Option<PathBuf>,
    #[command(flatten)]
    pub run: NewRunArgs,
}

#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Run")]
pub struct NewRunArgs {
    /// Folder to create for the run [default: one in runs/, named after data and model]
    #[arg(short, long, value_name = "FOLDER", conflicts_with = "resume")]
    pub out: Option<PathBuf>,
    /// Resume the run in this folder from its last checkpoint, with identical results
    #[arg(long, value_name = "FOLDER")]
    pub resume: Option<PathBuf>,
    /// Minutes between checkpoints [default: 1]
    #[arg(long, value_name = "MINUTES")]
    pub checkpoint_minutes: Option<f64>,
    /// Also write a checkpoint every N steps
    #[arg(long, value_name = "N")]
    pub checkpoint_steps: Option<u64>,
    #[command(flatten)]
    pub device: DeviceArgs,
}

impl NewRunArgs {
    /// Where the run is written, with the terminal as its listener.
    pub fn options(&self) -> Result<RunOptions> {
        let every = self.checkpoint_minutes.map(|minutes| {
            match Duration::try_from_secs_f64(60.0 * minutes) {
                Ok(every) if !every.is_zero() => Ok(every),
                _ => Err(Error::usage(format!(
                    "--checkpoint-minutes: expected a number above 0, got {minutes}"
                ))),
            }
        });
        Ok(RunOptions {
            out: self.out.clone(),
            resume: self.resume.clone(),
            checkpoint_every: every.transpose()?,
            checkpoint_steps: self.checkpoint_steps,
            listener: Console::single(),
        })
    }
}
