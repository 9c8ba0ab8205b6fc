//! Which data, and how it is read.

use std::path::PathBuf;

use clap::Args;
use toml::{Table, Value};

use super::values::{number, pair, put, seed, size};

#[derive(Debug, Args)]
pub struct DataDirArgs {
    /// Folder of your own in which published data sets lie
    #[arg(long, value_name = "FOLDER")]
    pub data_dir: Option<PathBuf>,
}

#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Data")]
pub struct DataArgs {
    /// What to take: `digits`, `mnist`, ... (see `ae data list`), a folder of images, of IDX files or
    /// of CIFAR-10 batches, or a .csv, .tsv or .npy file [default: digits, or the data of the run]
    #[arg(short, long, value_name = "NAME|PATH")]
    pub data: Option<String>,
    #[command(flatten)]
    pub options: DataOptions,
}

#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Data")]
pub struct DataOptions {
    /// Folder of your own in which published data sets lie
    #[arg(long, value_name = "FOLDER")]
    pub data_dir: Option<PathBuf>,
    /// Bring all images of a folder to one size
    #[arg(long, value_name = "WxH", value_parser = size)]
    pub resize: Option<(usize, usize)>,
    /// Column of a table that holds the labels [default: label, class or target]
    #[arg(long, value_name = "NAME|INDEX")]
    pub label_column: Option<String>,
    /// Labels of a NumPy array
    #[arg(long, value_name = "FILE.npy")]
    pub labels: Option<PathBuf>,
    /// How many samples to train on: so many are made, or drawn from those that there are [default:
    /// all; of what is made as many as were published]
    #[arg(long, value_name = "N")]
    pub train_samples: Option<usize>,
    /// How many samples to test on
    #[arg(long, value_name = "N")]
    pub test_samples: Option<usize>,
    /// Both at once: to train on and to test on, such as 20000,2000
    #[arg(
        long,
        visible_alias = "digits",
        value_name = "N,N",
        value_parser = pair,
        conflicts_with_all = ["train_samples", "test_samples"]
    )]
    pub samples: Option<(usize, usize)>,
    /// Train on this class alone, by its number, and test how it is told from all others: labels of
    /// the test part become normal (0) and anomalous (1)
    #[arg(long, value_name = "CLASS")]
    pub normal: Option<usize>,
    /// Part to hold out for the test, where the data has no test part [default: 0.1]
    #[arg(long, value_name = "FRACTION")]
    pub test: Option<f64>,
    /// Seed of what is made, drawn and held out [default: 0]
    #[arg(long, value_name = "N", value_parser = seed)]
    pub data_seed: Option<i64>,
}

impl DataArgs {
    /// The options as the section of a recipe.
    pub fn section(&self) -> Table {
        self.options.section(&self.data)
    }

    pub fn is_empty(&self) -> bool {
        self.section().is_empty()
    }
}

impl DataOptions {
    /// What is said of the parts of the data, and so not of the whole.
    pub fn of_parts(&self) -> Option<&'static str> {
        let given = [
            ("--samples", self.samples.is_some()),
            ("--train-samples", self.train_samples.is_some()),
            ("--test-samples", self.test_samples.is_some()),
            ("--normal", self.normal.is_some()),
        ];
        given.into_iter().find(|(_, is_given)| *is_given).map(|(option, _)| option)
    }

    /// The options as the section of a recipe, of such data.
    pub fn section(&self, data: &Option<String>) -> Table {
        let mut section = Table::new();
        let path = |path: &PathBuf| Value::from(path.to_string_lossy().into_owned());
        let numbers = |(a, b): (usize, usize)| Value::Array(vec![number(a), number(b)]);
        put(&mut section, "source", data.clone().map(Value::from));
        put(&mut section, "data_dir", self.data_dir.as_ref().map(path));
        put(&mut section, "resize", self.resize.map(numbers));
        put(&mut section, "label_column", self.label_column.clone().map(Value::from));
        put(&mut section, "labels", self.labels.as_ref().map(path));
        let (training, test) = self.samples.unzip();
        put(&mut section, "training_samples", training.or(self.train_samples).map(number));
        put(&mut section, "test_samples", test.or(self.test_samples).map(number));
        put(&mut section, "normal", self.normal.map(number));
        put(&mut section, "test", self.test.map(Value::from));
        put(&mut section, "seed", self.data_seed.map(Value::from));
        section
    }
}
