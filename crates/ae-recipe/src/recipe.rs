//! A recipe: every setting of a run, as TOML.

use std::path::{Path, PathBuf};

use ae_data::table::TableOptions;
use ae_data::{DataDirs, Method, Options};
use ae_train::{Corruption, HeadLoss, Schedule, Supervised};
use serde::{Deserialize, Deserializer, Serialize};
use toml::{Table, Value};

use crate::error::{Error, Result};
use crate::{ModelRecipe, ObjectiveRecipe};

/// Everything that decides the results of a run, except the device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// The command that trains it.
    #[serde(default)]
    pub command: Command,
    /// The run to start from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<PathBuf>,
    /// The data.
    pub data: DataRecipe,
    /// The model.
    pub model: ModelRecipe,
    /// `None` for PCA and for classifiers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objective: Option<ObjectiveRecipe>,
    /// `None` for PCA, which is not trained in steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// The head of a classifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<HeadRecipe>,
    /// Additional measurements.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measure: Option<MeasureRecipe>,
}

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
            seed: self.seed,
        }
    }

    /// Converts fields of older recipes.
    pub(crate) fn migrate(&mut self) {
        if let Some((training, test)) = self.digits.take() {
            self.training_samples.get_or_insert(training);
            self.test_samples.get_or_insert(test);
        }
    }
}

/// Measurements after training.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeasureRecipe {
    /// Noise on the test set, to measure denoising; by default that of the objective.
    pub corruption: Corruption,
}

/// The command of a recipe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Command {
    /// An autoencoder.
    #[default]
    Train,
    /// A deep autoencoder, layer by layer.
    Pretrain,
    /// All weights of a run, further.
    Finetune,
    /// A head on the codes of a run.
    Classify,
}

impl Command {
    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Pretrain => "pretrain",
            Self::Finetune => "finetune",
            Self::Classify => "classify",
        }
    }
}

/// The head of a classifier.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeadRecipe {
    /// Its kind.
    pub kind: HeadKind,
    /// The weight of half its squared weights.
    pub weight_decay: f64,
    /// Numbers of labels for the label-efficiency curve.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub label_counts: Vec<usize>,
}

/// The kind of a head.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HeadKind {
    /// Logistic regression.
    #[default]
    Softmax,
    /// A linear support vector machine, with the squared hinge loss.
    Svm,
}

impl HeadKind {
    /// Its name in a recipe.
    pub fn name(self) -> &'static str {
        match self {
            Self::Softmax => "softmax",
            Self::Svm => "svm",
        }
    }
}

impl HeadRecipe {
    /// The loss of training with it.
    ///
    /// # Errors
    /// If the weight decay is negative.
    pub fn supervised(&self) -> Result<Supervised> {
        let loss = match self.kind {
            HeadKind::Softmax => HeadLoss::Softmax,
            HeadKind::Svm => HeadLoss::SquaredHinge,
        };
        Ok(Supervised::new(loss, self.weight_decay)?)
    }
}

impl Recipe {
    /// As a file.
    ///
    /// # Errors
    /// If a number is not finite.
    pub fn to_toml(&self) -> Result<String> {
        toml::to_string(self).map_err(|error| Error::usage(format!("recipe: {error}")))
    }

    /// Reads the recipe of a run.
    ///
    /// # Errors
    /// If it is malformed or not complete.
    pub fn read(path: &Path) -> Result<Self> {
        let text = read(path)?;
        let mut recipe: Self =
            toml::from_str(&text).map_err(|error| Error::toml(path.display(), &text, &error))?;
        recipe.data.migrate();
        let schedule = recipe.schedule();
        schedule.check().map_err(|error| Error::usage(format!("{}: {error}", path.display())))?;
        Ok(recipe)
    }

    /// The objective; for PCA and classifiers the default one.
    pub fn objective(&self) -> ObjectiveRecipe {
        self.objective.clone().unwrap_or_default()
    }

    /// The noise on the test set when denoising is measured.
    pub fn test_corruption(&self) -> Corruption {
        let own = self.measure.as_ref().map(|measure| measure.corruption);
        own.unwrap_or(self.objective().corruption)
    }

    /// The schedule; for PCA the default one, of which only batch size and memory limit matter.
    pub fn schedule(&self) -> Schedule {
        self.schedule.clone().unwrap_or_default()
    }
}

/// Reads a recipe, which may be incomplete, and checks that it is one of the command.
///
/// # Errors
/// If it is malformed, or of another command.
pub fn read_table(path: &Path, command: Command) -> Result<Table> {
    let text = read(path)?;
    let table: Table = text.parse().map_err(|error| Error::toml(path.display(), &text, &error))?;
    let sections = ["data", "model", "objective", "schedule"];
    let known: &[&str] = match command {
        Command::Train | Command::Pretrain => &["command", "measure"],
        Command::Finetune | Command::Classify => &["command", "from", "head", "measure"],
    };
    let is_known = |key: &&String| [&sections[..], known].concat().contains(&key.as_str());
    if let Some(key) = table.keys().find(|key| !is_known(key)) {
        return Err(Error::usage(format!(
            "{}: expected the sections {}, got `{key}`",
            path.display(),
            sections.join(", ")
        )));
    }
    match table.get("command").map_or(Some(Command::Train.name()), Value::as_str) {
        Some(other) if other != command.name() => Err(Error::usage(format!(
            "{}: expected a recipe of `ae {}`, got one of `ae {other}`",
            path.display(),
            command.name()
        ))),
        _ => Ok(table),
    }
}

/// The data section of a recipe.
pub fn data_section(overrides: &Table) -> Table {
    overrides.get("data").and_then(Value::as_table).cloned().unwrap_or_default()
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(Error::io(path))
}

pub(crate) fn is_false(value: &bool) -> bool {
    !value
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

pub(crate) fn is_zero(value: &f64) -> bool {
    *value == 0.0
}
