//! Arguments of the data section.

use std::path::PathBuf;

use clap::Args;
use toml::{Table, Value};

use super::TableArgs;
use super::values::{color, flag, number, pair, put, seed, size};

#[derive(Debug, Args)]
pub struct DataDirArgs {
    /// Folder with your own copies of published data sets
    #[arg(long, value_name = "FOLDER")]
    pub data_dir: Option<PathBuf>,
}

#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Data")]
pub struct DataArgs {
    /// Data set: `digits`, `mnist`, ... (see `ae data list`), a folder of images, IDX files or CIFAR-10
    /// batches, or a .csv, .tsv or .npy file [default: digits, or the data of the run]
    #[arg(short, long, value_name = "NAME|PATH")]
    pub data: Option<String>,
    #[command(flatten)]
    pub options: DataOptions,
}

#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Data")]
pub struct DataOptions {
    /// Folder with your own copies of published data sets
    #[arg(long, value_name = "FOLDER")]
    pub data_dir: Option<PathBuf>,
    /// Scale all images of a folder to one size; other proportions are stretched
    #[arg(long, value_name = "WxH", value_parser = size)]
    pub resize: Option<(usize, usize)>,
    /// Read all images of a folder as grey or as RGB [default: as they are]
    #[arg(long, visible_alias = "colour", value_name = "grey|rgb", value_parser = color)]
    pub color: Option<usize>,
    /// Leave out images of a folder that cannot be read, and print how many
    #[arg(long)]
    pub skip_broken: bool,
    #[command(flatten)]
    pub table: TableArgs,
    /// Column of a table with the labels [default: label, class or target]
    #[arg(long, value_name = "NAME|INDEX")]
    pub label_column: Option<String>,
    /// Labels of a .npy data set: integers, one per sample
    #[arg(long, value_name = "FILE.npy")]
    pub labels: Option<PathBuf>,
    /// Training samples to generate or subsample [default: all; for generated sets, the published size]
    #[arg(long, value_name = "N")]
    pub train_samples: Option<usize>,
    /// Test samples to generate or subsample [default: all; for generated sets, the published size]
    #[arg(long, value_name = "N")]
    pub test_samples: Option<usize>,
    /// Training and test samples in one, such as 20000,2000
    #[arg(
        long,
        visible_alias = "digits",
        value_name = "N,N",
        value_parser = pair,
        conflicts_with_all = ["train_samples", "test_samples"]
    )]
    pub samples: Option<(usize, usize)>,
    /// Train on one class only, by its name, and treat all others as anomalies: labels of the test set
    /// become normal (0) and anomalous (1)
    #[arg(long = "one-class", alias = "normal", value_name = "CLASS")]
    pub normal: Option<String>,
    /// Fraction of the samples to hold out as test set, if the data has none [default: 0.1]
    #[arg(long, value_name = "FRACTION")]
    pub test: Option<f64>,
    /// Seed of generated samples, subsets and splits [default: 0]
    #[arg(long, value_name = "N", value_parser = seed)]
    pub data_seed: Option<i64>,
}

impl DataArgs {
    /// The data section of a recipe.
    pub fn section(&self) -> Table {
        self.options.section(&self.data)
    }

    pub fn is_empty(&self) -> bool {
        self.section().is_empty()
    }
}

impl DataOptions {
    /// The data section of a recipe, with `data` as its source.
    pub fn section(&self, data: &Option<String>) -> Table {
        let mut section = Table::new();
        let path = |path: &PathBuf| Value::from(path.to_string_lossy().into_owned());
        let numbers = |(a, b): (usize, usize)| Value::Array(vec![number(a), number(b)]);
        put(&mut section, "source", data.clone().map(Value::from));
        put(&mut section, "data_dir", self.data_dir.as_ref().map(path));
        put(&mut section, "resize", self.resize.map(numbers));
        put(&mut section, "channels", self.color.map(number));
        put(&mut section, "skip_broken", flag(self.skip_broken));
        put(&mut section, "table", self.table.section());
        put(&mut section, "label_column", self.label_column.clone().map(Value::from));
        put(&mut section, "labels", self.labels.as_ref().map(path));
        let (training, test) = self.samples.unzip();
        put(&mut section, "training_samples", training.or(self.train_samples).map(number));
        put(&mut section, "test_samples", test.or(self.test_samples).map(number));
        put(&mut section, "normal", self.normal.clone().map(Value::from));
        put(&mut section, "test", self.test.map(Value::from));
        put(&mut section, "seed", self.data_seed.map(Value::from));
        section
    }
}
