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
    /// How many digits to generate, to train on and to test on [default: 20000,2000]
    #[arg(long, value_name = "N,N", value_parser = pair)]
    pub digits: Option<(usize, usize)>,
    /// Part to hold out for the test, where the data has no test part [default: 0.1]
    #[arg(long, value_name = "FRACTION")]
    pub test: Option<f64>,
    /// Seed of generated digits and of what is held out [default: 0]
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
        put(&mut section, "digits", self.digits.map(numbers));
        put(&mut section, "test", self.test.map(Value::from));
        put(&mut section, "seed", self.data_seed.map(Value::from));
        section
    }
}
