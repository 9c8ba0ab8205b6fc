//! An experiment file: what to train, the published results, and when ours count as the same.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Table;

use super::target::Target;
use crate::{Error, Result};
use ae_recipe::Command;

/// An experiment, as its file has it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Experiment {
    /// The name of its file, without `.toml`.
    #[serde(skip)]
    pub name: String,
    /// The name on the command line.
    #[serde(skip)]
    pub called: String,
    /// What is reproduced, in a line.
    pub title: String,
    /// Where it was published.
    pub paper: String,
    /// What is trained and why, and which choices are not the paper's.
    pub about: String,
    /// What was tuned on validation data.
    pub searched: String,
    /// For missed targets: what was tried, and what would close the gap.
    #[serde(default)]
    pub missed: Option<String>,
    /// Expected time of all seeds together, on two cores.
    pub minutes: f64,
    /// Seeds of each arm.
    #[serde(default = "three")]
    pub seeds: u64,
    /// The data of all arms.
    #[serde(default)]
    pub data: Table,
    /// Recipe sections of all stages with a name.
    #[serde(default)]
    pub common: BTreeMap<String, Table>,
    /// What is trained.
    #[serde(rename = "arm")]
    pub arms: Vec<Arm>,
    /// The published results.
    #[serde(rename = "result")]
    pub targets: Vec<Target>,
    /// The small version.
    pub quick: Quick,
}

/// An arm: stages, each of which starts from the model of the one before, or another program.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arm {
    pub name: String,
    /// Goes over the data of all arms.
    #[serde(default)]
    pub data: Table,
    /// Values of a setting of the first stage or the data, such as `"model.code" = [2, 10]`: one variant each.
    #[serde(default)]
    pub vary: Table,
    #[serde(default, rename = "stage")]
    pub stages: Vec<Stage>,
    /// A built-in script that replaces the stages and gets the same data.
    #[serde(default)]
    pub program: Option<String>,
}

/// A stage: a run of the arm.
#[derive(Clone, Debug, Deserialize)]
pub struct Stage {
    /// The name of its folder; by default that of its command.
    #[serde(default)]
    pub name: Option<String>,
    pub command: Command,
    #[serde(flatten)]
    pub overrides: Table,
}

impl Stage {
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or(self.command.name())
    }
}

/// Changes that make the quick version of an experiment.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quick {
    #[serde(default = "one")]
    pub seeds: u64,
    /// The arms, or single variants, to run; by default all.
    #[serde(default)]
    pub arms: Option<Vec<String>>,
    #[serde(default)]
    pub data: Table,
    #[serde(default)]
    pub common: BTreeMap<String, Table>,
    /// Recipe sections by arm and stage.
    #[serde(default)]
    pub arm: BTreeMap<String, BTreeMap<String, Table>>,
    #[serde(rename = "result")]
    pub targets: Vec<Target>,
}

fn one() -> u64 {
    1
}

fn three() -> u64 {
    3
}

impl Experiment {
    /// Parses the file `name.toml`.
    pub fn parse(name: &str, text: &str) -> Result<Self> {
        let experiment: Self = toml::from_str(text)
            .map_err(|error| ae_recipe::Error::toml(format_args!("{name}.toml"), text, &error))?;
        Ok(Self { name: name.to_owned(), called: name.to_owned(), ..experiment })
    }

    /// An error in this experiment.
    pub fn error(&self, message: impl std::fmt::Display) -> Error {
        Error::usage(format!("{}.toml: {message}", self.name))
    }
}
