//! Arguments of the commands that train.

use std::path::PathBuf;
use std::time::Duration;

use ae_run::RunOptions;
use clap::Args;
use toml::{Table, Value};

use super::values::{code, filled, numbers, put};
use super::{DataOptions, DeviceArgs, ModelArgs, ObjectiveArgs, ScheduleArgs};
use crate::console::Console;
use crate::{Error, Result};

#[derive(Clone, Debug, Default, Args)]
#[command(allow_negative_numbers = true)]
pub struct TrainArgs {
    #[command(flatten)]
    pub common: CommonArgs,
    #[command(flatten)]
    pub data: DataOptions,
    #[command(flatten)]
    pub preparation: PreparationArgs,
    #[command(flatten)]
    pub model: ModelArgs,
    #[command(flatten)]
    pub objective: ObjectiveArgs,
    #[command(flatten)]
    pub schedule: ScheduleArgs,
    /// Start from a recipe; options on the command line override it
    #[arg(long, value_name = "FILE.toml", help_heading = "Run")]
    pub recipe: Option<PathBuf>,
    #[command(flatten)]
    pub run: NewRunArgs,
}

#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Common options")]
pub struct CommonArgs {
    /// Data set: `digits`, `mnist`, ... (see `ae data list`), a folder of images, IDX files or CIFAR-10
    /// batches, or a .csv, .tsv or .npy file [default: digits]
    #[arg(short, long, value_name = "NAME|PATH")]
    pub data: Option<String>,
    /// Size of the code (latent dimension); or `feature-map`: the last feature map of a convolutional
    /// encoder is the code [default: conv 32, dense 30, tables half the number of columns, up to 32]
    #[arg(short, long, value_name = "N|feature-map", value_parser = code)]
    pub code: Option<Value>,
    /// Number of epochs [default: 10, more for small data: at least 1000 steps, for tables 5000
    /// in at most 300 epochs]
    #[arg(short, long, value_name = "N")]
    pub epochs: Option<usize>,
}

#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Data")]
pub struct PreparationArgs {
    /// Fraction of the training samples to hold out as validation set, which chooses the best epoch; with
    /// 0 the last epoch is used [default: 0.1]
    #[arg(long, value_name = "FRACTION")]
    pub validation: Option<f64>,
    /// Preprocessing: none, scale, min-max, standardize or robust (median and interquartile range) [default: none for images, standardize for
    /// tables]
    #[arg(long, value_name = "METHOD")]
    pub preprocess: Option<String>,
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

#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Head")]
pub struct HeadArgs {
    /// Train a classifier with this head on the code: softmax (logistic regression) or svm (squared hinge)
    #[arg(long, value_name = "KIND")]
    pub head: Option<String>,
    /// Weight decay of the head: the weight of half its squared weights [default: softmax 0, svm 0.001]
    #[arg(long, value_name = "WEIGHT")]
    pub head_decay: Option<f64>,
}

impl TrainArgs {
    /// The options as a recipe.
    pub fn recipe(&self) -> Table {
        let mut data = self.data.section(&self.common.data);
        put(&mut data, "validation", self.preparation.validation.map(Value::from));
        put(&mut data, "preprocess", self.preparation.preprocess.clone().map(Value::from));
        let mut recipe = Table::new();
        put(&mut recipe, "data", filled(data));
        put(&mut recipe, "model", filled(self.model.section(&self.common.code)));
        put(&mut recipe, "objective", filled(self.objective.section()));
        put(&mut recipe, "schedule", filled(self.schedule.section(self.common.epochs)));
        recipe
    }
}

impl NewRunArgs {
    /// The options of the run, which is told on the terminal.
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

impl HeadArgs {
    /// The head section of a recipe.
    pub fn section(&self, counts: Option<&[usize]>) -> Table {
        let mut section = Table::new();
        put(&mut section, "kind", self.head.clone().map(Value::from));
        put(&mut section, "weight_decay", self.head_decay.map(Value::from));
        put(&mut section, "label_counts", counts.map(numbers));
        section
    }
}
