//! Arguments of the commands that train.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use ae_run::{FinishedRun, RunOptions};
use ae_train::format::{duration, number};
use clap::Args;
use serde_json::json;

use super::{DeviceArgs, RecipeArgs, Training};
use crate::commands::print_json;
use crate::console::Console;
use crate::{Error, Result};

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

/// How a training ends.
#[derive(Clone, Copy, Debug, Default, Args)]
#[command(next_help_heading = "Run")]
pub struct EndArgs {
    /// Exit with an error if the result is no better than the mean of the training set
    #[arg(long)]
    pub strict: bool,
    /// Print the results as JSON, as in summary.json
    #[arg(long)]
    pub json: bool,
}

impl EndArgs {
    /// Writes the report, and prints the result and how long all took.
    pub fn finish(self, finished: &FinishedRun, started: Instant) -> Result<()> {
        ae_report::write(finished)?;
        let (folder, report) = (&finished.folder().0, finished.folder().report());
        if self.json {
            let summary = match finished {
                FinishedRun::Autoencoder(it) => serde_json::to_value(&it.summary),
                FinishedRun::Classifier(it) => serde_json::to_value(&it.summary),
            };
            let summary = summary.map_err(|error| Error::usage(format!("summary: {error}")))?;
            print_json(&json!({ "run": folder, "report": report, "summary": summary }))?;
        } else {
            println!("{}", finished.sentence());
            println!("report: {}", report.display());
        }
        eprintln!("{} in total", duration(started.elapsed().as_secs_f64()));
        match finished {
            FinishedRun::Autoencoder(it)
                if self.strict && it.summary.test.squared_error >= it.summary.mean_error =>
            {
                Err(Error::usage(format!(
                    "--strict: squared error {}, no better than the mean of the training set ({})",
                    number(it.summary.test.squared_error),
                    number(it.summary.mean_error)
                )))
            }
            _ => Ok(()),
        }
    }
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
