//! The data section of a recipe.

use std::path::{Path, PathBuf};

use ae_data::table::{Missing, TableOptions};
use ae_data::{DataDirs, Method, Options};
use ae_train::RESIDENT_LIMIT;
use serde::{Deserialize, Deserializer, Serialize};
use toml::{Table, Value};

use super::is_false;
use crate::option::{Parse, RecipeOption, group, option};
use crate::parse;

/// The data section of a recipe: see [`Options`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataRecipe {
    /// A name or a path.
    pub source: String,
    /// The folder with copies of published data sets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_dir: Option<PathBuf>,
    /// Width and height that all images are scaled to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resize: Option<(usize, usize)>,
    /// Channels that all images are read with: 1 or 3.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channels: Option<usize>,
    /// Leave out images that cannot be read.
    #[serde(default, skip_serializing_if = "is_false")]
    pub skip_broken: bool,
    /// How a table is read.
    #[serde(default, skip_serializing_if = "is_default")]
    pub table: TableOptions,
    /// The column of a table with the labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label_column: Option<String>,
    /// The file with the labels of an array.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<PathBuf>,
    /// Training samples to generate or subsample.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub training_samples: Option<usize>,
    /// Test samples to generate or subsample.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test_samples: Option<usize>,
    /// Training and test samples in one, in older recipes.
    #[serde(default, skip_serializing)]
    pub(crate) digits: Option<(usize, usize)>,
    /// The only class to train on, by its name (in older recipes its number); all others count as
    /// anomalies in the test set.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "text_or_number")]
    pub normal: Option<String>,
    /// The share of the samples to hold out as test set, if the data has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test: Option<f64>,
    /// The share of the training samples to hold out for choosing the best epoch; with 0 the last epoch is used.
    pub validation: f64,
    /// How samples are preprocessed.
    pub preprocess: Method,
    /// The seed of generated samples, subsets and splits.
    pub seed: u64,
    /// The limit of the schedule, above half of which data stays on the disk.
    #[serde(skip)]
    pub resident_limit: Option<usize>,
}

impl DataRecipe {
    /// Makes the recipe independent of the current folder.
    pub fn make_paths_absolute(&mut self) {
        let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let is_name = ae_data::registry(&DataDirs::default())
            .is_ok_and(|known| known.iter().any(|entry| entry.name == self.source));
        if !is_name && Path::new(&self.source).exists() {
            self.source = absolute(Path::new(&self.source)).to_string_lossy().into_owned();
        }
        self.data_dir = self.data_dir.as_deref().map(absolute);
        self.labels = self.labels.as_deref().map(absolute);
    }

    /// Whether missing cells are left out of losses and errors.
    pub fn is_masked(&self) -> bool {
        self.table.missing == Missing::Masked
    }

    /// The files and folders that it reads, where they are no data set known by name.
    pub fn paths(&self) -> Vec<PathBuf> {
        let own = [Some(Path::new(&self.source)), self.labels.as_deref(), self.data_dir.as_deref()];
        own.into_iter().flatten().filter(|path| path.exists()).map(Path::to_owned).collect()
    }

    /// Replaces the paths that `overrides` has by those of this recipe.
    pub fn put_paths(&self, overrides: &mut Table) {
        let Some(Value::Table(data)) = overrides.get_mut("data") else { return };
        let path = |path: &PathBuf| path.to_string_lossy().into_owned();
        let paths = [
            ("source", Some(self.source.clone())),
            ("data_dir", self.data_dir.as_ref().map(path)),
            ("labels", self.labels.as_ref().map(path)),
        ];
        for (key, path) in paths {
            if let (Some(value), Some(path)) = (data.get_mut(key), path) {
                *value = path.into();
            }
        }
    }

    /// The options to open the data with.
    pub fn options(&self) -> Options {
        Options {
            dirs: DataDirs { data_dir: self.data_dir.clone(), ..DataDirs::default() },
            resize: self.resize,
            channels: self.channels,
            skip_broken: self.skip_broken,
            label_column: self.label_column.clone(),
            table: self.table.clone(),
            labels_file: self.labels.clone(),
            test_fraction: self.test,
            training_samples: self.training_samples,
            test_samples: self.test_samples,
            normal: self.normal.clone(),
            resident_limit: Some(self.resident_limit.unwrap_or(RESIDENT_LIMIT)),
            seed: self.seed,
        }
    }

    /// Takes the memory limit from the schedule of an incomplete recipe, if it has one.
    pub fn limit_by(&mut self, overrides: &Table) {
        let limit = overrides.get("schedule").and_then(|schedule| schedule.get("resident_limit"));
        let limit = limit.and_then(Value::as_integer).and_then(|it| usize::try_from(it).ok());
        self.resident_limit = limit.or(self.resident_limit);
    }

    /// Converts fields of older recipes.
    pub(crate) fn migrate(&mut self) {
        if let Some((training, test)) = self.digits.take() {
            self.training_samples.get_or_insert(training);
            self.test_samples.get_or_insert(test);
        }
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn text_or_number<'de, D: Deserializer<'de>>(source: D) -> Result<Option<String>, D::Error> {
    match Option::<Value>::deserialize(source)? {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(Value::Integer(number)) => Ok(Some(number.to_string())),
        Some(other) => {
            let message = format!("expected the name of a class, got {}", other.type_str());
            Err(serde::de::Error::custom(message))
        }
    }
}

/// The option of the data set, with its default in words.
pub(crate) fn source_option(default: &str) -> RecipeOption {
    let help = format!(
        "Data set: `digits`, `mnist`, ... (see `ae data list`), a folder of images, IDX files or CIFAR-10 \
         batches, or a .csv, .tsv or .npy file [default: {default}]"
    );
    option("data", "NAME|PATH", &["data", "source"], Parse::Text, help).short('d')
}

/// The other options of the section.
pub(crate) fn options() -> Vec<RecipeOption> {
    [
        group(
            "Data",
            vec![
                option(
                    "data-dir",
                    "FOLDER",
                    &["data", "data_dir"],
                    Parse::Path,
                    "Folder with your own copies of published data sets",
                ),
                option(
                    "resize",
                    "WxH",
                    &["data", "resize"],
                    Parse::By(parse::size),
                    "Scale all images of a folder to one size; other proportions are stretched",
                ),
                option(
                    "color",
                    "grey|rgb",
                    &["data", "channels"],
                    Parse::By(parse::color),
                    "Read all images of a folder as grey or as RGB [default: as they are]",
                )
                .aliases(&["colour"]),
                option(
                    "skip-broken",
                    "",
                    &["data", "skip_broken"],
                    Parse::Flag,
                    "Leave out images of a folder that cannot be read, and print how many",
                ),
            ],
        ),
        table_options(),
        group(
            "Data",
            vec![
                option(
                    "label-column",
                    "NAME|INDEX",
                    &["data", "label_column"],
                    Parse::Text,
                    "Column of a table with the labels [default: label, class or target]",
                ),
                option(
                    "labels",
                    "FILE.npy",
                    &["data", "labels"],
                    Parse::Path,
                    "Labels of a .npy data set: integers, one per sample",
                ),
                option(
                    "train-samples",
                    "N",
                    &["data", "training_samples"],
                    Parse::Count,
                    "Training samples to generate or subsample [default: all; for generated \
                 sets, the published size]",
                ),
                option(
                    "test-samples",
                    "N",
                    &["data", "test_samples"],
                    Parse::Count,
                    "Test samples to generate or subsample [default: all; for generated sets, \
                 the published size]",
                ),
                RecipeOption {
                    second: Some(["data", "test_samples"]),
                    conflicts: &["train-samples", "test-samples"],
                    ..option(
                        "samples",
                        "N,N",
                        &["data", "training_samples"],
                        Parse::By(parse::pair),
                        "Training and test samples in one, such as 20000,2000",
                    )
                    .aliases(&["digits"])
                },
                option(
                    "one-class",
                    "CLASS",
                    &["data", "normal"],
                    Parse::Text,
                    "Train on one class only, by its name, and treat all others as anomalies: \
                 labels of the test set become normal (0) and anomalous (1)",
                )
                .old(&["normal"]),
                option(
                    "test",
                    "FRACTION",
                    &["data", "test"],
                    Parse::Number,
                    "Fraction of the samples to hold out as test set, if the data has none \
                 [default: 0.1]",
                ),
                option(
                    "data-seed",
                    "N",
                    &["data", "seed"],
                    Parse::Count,
                    "Seed of generated samples, subsets and splits [default: 0]",
                ),
            ],
        ),
    ]
    .concat()
}

/// How a table is read. Columns are named by their names or, failing that, by their index from 0.
pub fn table_options() -> Vec<RecipeOption> {
    group(
        "Tables",
        vec![
            option(
                "header",
                "auto|yes|no",
                &["data", "table", "header"],
                Parse::OneOf(&["auto", "yes", "no"]),
                "Whether the first row holds the names of the columns [default: found from \
                 the rows]",
            ),
            option(
                "separator",
                "CHAR",
                &["data", "table", "separator"],
                Parse::By(parse::separator),
                "Separator of the cells: a character, or comma, semicolon, tab or blank \
                 [default: found]",
            ),
            option(
                "decimal",
                "point|comma",
                &["data", "table", "decimal"],
                Parse::OneOf(&["point", "comma"]),
                "Decimal mark: point (1.5) or comma (1,5) [default: found]",
            ),
            option(
                "month-first",
                "true|false",
                &["data", "table", "month_first"],
                Parse::Bool,
                "Whether the month comes first in dates such as 01/02/2020 [default: found]",
            )
            .old(&["month_first"]),
            option(
                "missing",
                "mean|masked|drop|refuse",
                &["data", "table", "missing"],
                Parse::OneOf(&["mean", "masked", "drop", "refuse"]),
                "Missing cells (empty, NA, NaN, null, ?, -): fill with the mean of the \
                 column, do so and leave them out of losses and errors, drop the row, or refuse the \
                 file [default: mean]",
            ),
            RecipeOption {
                allows_hyphen: true,
                ..option(
                    "missing-as",
                    "TEXT,..",
                    &["data", "table", "missing_as"],
                    Parse::Texts,
                    "Further texts that stand for a missing cell, such as -999",
                )
                .old(&["missing_as"])
            },
            option(
                "ignore",
                "COLUMN,..",
                &["data", "table", "ignore"],
                Parse::Texts,
                "Columns to leave out",
            ),
            option(
                "id",
                "COLUMN,..",
                &["data", "table", "id"],
                Parse::Texts,
                "Columns that number or name the rows; left out [default: found]",
            ),
            option(
                "categorical",
                "COLUMN,..",
                &["data", "table", "categorical"],
                Parse::Texts,
                "Columns of categories, one-hot encoded, even if they are numbers [default: found]",
            ),
            option(
                "numeric",
                "COLUMN,..",
                &["data", "table", "numeric"],
                Parse::Texts,
                "Columns of numbers [default: found]",
            ),
            option(
                "unseen",
                "refuse|zero",
                &["data", "table", "unseen"],
                Parse::OneOf(&["refuse", "zero"]),
                "Categories that training did not see: refuse the file, or set all features \
                 of the column to zero [default: refuse]",
            ),
        ],
    )
}

/// How the samples are prepared for training.
pub(crate) fn preparation_options() -> Vec<RecipeOption> {
    group(
        "Data",
        vec![
            option(
                "validation",
                "FRACTION",
                &["data", "validation"],
                Parse::Number,
                "Fraction of the training samples to hold out as validation set, which \
                 chooses the best epoch; with 0 the last epoch is used [default: 0.1]",
            ),
            option(
                "preprocess",
                "METHOD",
                &["data", "preprocess"],
                Parse::Text,
                "Preprocessing: none, scale, min-max, standardize or robust (median and \
                 interquartile range) [default: none for images, standardize for tables]",
            ),
        ],
    )
}
