//! A recipe: every setting of a run, as TOML.

use std::path::{Path, PathBuf};

use ae_train::{Corruption, Schedule};
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::error::{Error, Result};
use crate::{DataRecipe, HeadRecipe, ModelRecipe, ObjectiveRecipe};

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
        recipe.data.resident_limit = recipe.schedule.as_ref().map(|it| it.resident_limit);
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

pub(crate) fn is_zero(value: &f64) -> bool {
    *value == 0.0
}
