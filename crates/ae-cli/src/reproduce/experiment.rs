//! An experiment: what is trained, what was published of it, and what counts as the same, as TOML.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Table;

use super::expected::Expected;
use crate::error::{Error, Result};
use crate::recipe::Maker;

/// An experiment as its file tells it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Experiment {
    /// Of its file, without `.toml`.
    #[serde(skip)]
    pub name: String,
    /// As the command line has it.
    #[serde(skip)]
    pub called: String,
    pub title: String,
    /// Where it was published.
    pub paper: String,
    /// What and why, and which choices are ours.
    pub about: String,
    /// What was searched on validation data.
    pub searched: String,
    /// What was tried where a bar is missed, and what would close the gap.
    #[serde(default)]
    pub missed: Option<String>,
    /// Expected of all seeds together, on two cores.
    pub minutes: f64,
    #[serde(default = "three")]
    pub seeds: u64,
    /// Of all arms.
    #[serde(default)]
    pub data: Table,
    /// Sections that all stages of a name have.
    #[serde(default)]
    pub common: BTreeMap<String, Table>,
    #[serde(rename = "arm")]
    pub arms: Vec<Arm>,
    #[serde(rename = "result")]
    pub results: Vec<Expected>,
    pub quick: Quick,
}

/// One way to train: stages, each of which starts from the model of the one before. Or a program that is
/// not this one.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arm {
    pub name: String,
    /// Over that of all arms.
    #[serde(default)]
    pub data: Table,
    /// A value of the first stage or of the data, such as `"model.code" = [2, 10]`: an arm for each.
    #[serde(default)]
    pub vary: Table,
    #[serde(default, rename = "stage")]
    pub stages: Vec<Stage>,
    /// In place of stages, one of the scripts that are brought along: what it makes of the same data.
    #[serde(default)]
    pub program: Option<String>,
}

/// A run, as its recipe tells it.
#[derive(Clone, Debug, Deserialize)]
pub struct Stage {
    /// Of its folder; else that of its command.
    #[serde(default)]
    pub name: Option<String>,
    pub command: Maker,
    #[serde(flatten)]
    pub given: Table,
}

impl Stage {
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or(self.command.name())
    }
}

/// What makes the quick version of an experiment, over what the full one is.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quick {
    #[serde(default = "one")]
    pub seeds: u64,
    /// Of the arms those alone; an arm that varies with all its values, or with some by their names.
    #[serde(default)]
    pub arms: Option<Vec<String>>,
    #[serde(default)]
    pub data: Table,
    #[serde(default)]
    pub common: BTreeMap<String, Table>,
    /// Sections by arm and stage.
    #[serde(default)]
    pub arm: BTreeMap<String, BTreeMap<String, Table>>,
    #[serde(rename = "result")]
    pub results: Vec<Expected>,
}

fn one() -> u64 {
    1
}

fn three() -> u64 {
    3
}

impl Experiment {
    /// The experiment of a file of that name, without `.toml`.
    pub fn parse(name: &str, text: &str) -> Result<Self> {
        let experiment: Self = toml::from_str(text).map_err(|error| {
            Error::usage(format!("{name}.toml: {}", error.to_string().trim_end()))
        })?;
        Ok(Self { name: name.to_owned(), called: name.to_owned(), ..experiment })
    }

    /// An error about it.
    pub fn error(&self, message: impl std::fmt::Display) -> Error {
        Error::usage(format!("{}.toml: {message}", self.name))
    }
}
