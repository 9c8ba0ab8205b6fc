//! `ae train`, `ae pretrain`, `ae finetune`, `ae classify`: what makes a run.

use std::path::PathBuf;

use clap::Args;
use toml::{Table, Value};

use super::values::{code, filled, numbers, put};
use super::{DataArgs, DataOptions, DeviceArgs, ModelArgs, ObjectiveArgs, PartName, ScheduleArgs};
use crate::voice::Voice;

#[derive(Clone, Debug, Default, Args)]
#[command(allow_negative_numbers = true)]
pub struct TrainArgs {
    #[command(flatten)]
    pub first: FirstArgs,
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
    /// Take values from a recipe; options given here go before it
    #[arg(long, value_name = "FILE.toml", help_heading = "Run")]
    pub recipe: Option<PathBuf>,
    #[command(flatten)]
    pub run: NewRunArgs,
}

#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "The three that matter most")]
pub struct FirstArgs {
    /// What to learn from: `digits`, `mnist`, ... (see `ae data list`), a folder of images, of IDX
    /// files or of CIFAR-10 batches, or a .csv, .tsv or .npy file [default: digits]
    #[arg(short, long, value_name = "NAME|PATH")]
    pub data: Option<String>,
    /// Units of the code: how few numbers a sample is squeezed into; or `maps`: the last map of a
    /// convolutional encoder is the code [default: conv 32, dense 30, tables half their columns]
    #[arg(short, long, value_name = "N|maps", value_parser = code)]
    pub code: Option<Value>,
    /// Passes over the training part [default: 10, or as many as make 1000 steps]
    #[arg(short, long, value_name = "N")]
    pub epochs: Option<usize>,
}

#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Data")]
pub struct PreparationArgs {
    /// Part of the training part by which the best epoch is chosen; 0: none, the last epoch is kept
    /// [default: 0.1]
    #[arg(long, value_name = "FRACTION")]
    pub validation: Option<f64>,
    /// none, scale, min-max or standardize [default: none for images, standardize for tables]
    #[arg(long, value_name = "METHOD")]
    pub preprocess: Option<String>,
}

#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Run")]
pub struct NewRunArgs {
    /// Folder of the run, to be made [default: one in runs/, named after data and model]
    #[arg(short, long, value_name = "FOLDER", conflicts_with = "resume")]
    pub out: Option<PathBuf>,
    /// Go on with the run in this folder, exactly where its last checkpoint is
    #[arg(long, value_name = "FOLDER")]
    pub resume: Option<PathBuf>,
    /// Minutes between checkpoints [default: 1]
    #[arg(long, value_name = "MINUTES")]
    pub checkpoint_minutes: Option<f64>,
    /// Steps between checkpoints
    #[arg(long, value_name = "STEPS")]
    pub checkpoint_steps: Option<u64>,
    #[command(flatten)]
    pub device: DeviceArgs,
    #[arg(skip)]
    pub voice: Voice,
}

#[derive(Debug, Args)]
#[command(allow_negative_numbers = true)]
pub struct FinetuneArgs {
    /// Folder of the run whose model is trained further
    #[arg(value_name = "RUN", required_unless_present = "resume", conflicts_with = "resume")]
    pub from: Option<PathBuf>,
    #[command(flatten)]
    pub head: HeadArgs,
    /// Beside all labels, train with so many, once from the run's encoder and once from random weights
    /// of the same net: the learning curves of the report
    #[arg(
        long,
        value_name = "N,N,..",
        value_delimiter = ',',
        requires = "head",
        help_heading = "Head"
    )]
    pub label_counts: Option<Vec<usize>>,
    #[command(flatten)]
    pub data: DataArgs,
    #[command(flatten)]
    pub objective: ObjectiveArgs,
    /// Passes over the training part [default: those of the run]
    #[arg(short, long, value_name = "N", help_heading = "Training")]
    pub epochs: Option<usize>,
    #[command(flatten)]
    pub schedule: ScheduleArgs,
    #[command(flatten)]
    pub run: NewRunArgs,
}

#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Head")]
pub struct HeadArgs {
    /// softmax (logistic regression) or svm (squared hinge) on the code
    #[arg(long, value_name = "KIND")]
    pub head: Option<String>,
    /// Weight of half the squared weights of the head [default: softmax 0, svm 0.001]
    #[arg(long, value_name = "WEIGHT")]
    pub head_decay: Option<f64>,
}

#[derive(Debug, Args)]
#[command(allow_negative_numbers = true)]
pub struct ClassifyArgs {
    /// Folder of a run: of a classifier, or of an autoencoder, whose encoder then gets a head
    #[arg(value_name = "RUN")]
    pub from: PathBuf,
    #[command(flatten)]
    pub device: DeviceArgs,
    /// Write the class of every sample
    #[arg(short, long, value_name = "FILE.csv")]
    pub predictions: Option<PathBuf>,
    /// training, validation, test or all: in the order of the source, which must have no test part of
    /// its own [default: test, but all of such --data]
    #[arg(long, value_name = "PART")]
    pub part: Option<PartName>,
    #[command(flatten)]
    pub data: DataArgs,
    #[command(flatten)]
    pub head: HeadArgs,
    /// Folder of the classifier, to be made [default: one in runs/, named after data and model]
    #[arg(short, long, value_name = "FOLDER", help_heading = "Head")]
    pub out: Option<PathBuf>,
    /// Passes over the codes of the training part [default: 10, or as many as make 1000 steps]
    #[arg(short, long, value_name = "N", help_heading = "Training")]
    pub epochs: Option<usize>,
    #[command(flatten)]
    pub schedule: ScheduleArgs,
}

impl TrainArgs {
    /// The options that a recipe has, as one.
    pub fn recipe(&self) -> Table {
        let mut data = self.data.section(&self.first.data);
        put(&mut data, "validation", self.preparation.validation.map(Value::from));
        put(&mut data, "preprocess", self.preparation.preprocess.clone().map(Value::from));
        let mut recipe = Table::new();
        put(&mut recipe, "data", filled(data));
        put(&mut recipe, "model", filled(self.model.section(&self.first.code)));
        put(&mut recipe, "objective", filled(self.objective.section()));
        put(&mut recipe, "schedule", filled(self.schedule.section(self.first.epochs)));
        recipe
    }
}

impl HeadArgs {
    fn section(&self, counts: Option<&[usize]>) -> Table {
        let mut section = Table::new();
        put(&mut section, "kind", self.head.clone().map(Value::from));
        put(&mut section, "weight_decay", self.head_decay.map(Value::from));
        put(&mut section, "label_counts", counts.map(numbers));
        section
    }
}

impl FinetuneArgs {
    /// The options that a recipe has, as one.
    pub fn recipe(&self) -> Table {
        let mut recipe = Table::new();
        put(&mut recipe, "data", filled(self.data.section()));
        put(&mut recipe, "objective", filled(self.objective.section()));
        put(&mut recipe, "schedule", filled(self.schedule.section(self.epochs)));
        put(&mut recipe, "head", filled(self.head.section(self.label_counts.as_deref())));
        recipe
    }
}

impl ClassifyArgs {
    /// The options of training a head that a recipe has, as one.
    pub fn recipe(&self) -> Table {
        let mut recipe = Table::new();
        put(&mut recipe, "schedule", filled(self.schedule.section(self.epochs)));
        put(&mut recipe, "head", filled(self.head.section(None)));
        recipe
    }
}
