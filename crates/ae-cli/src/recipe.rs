//! A recipe: every value that decides a run, as TOML.

mod defaults;

use std::path::{Path, PathBuf};

use ae_data::{Method, Options, Search, Shape};
use ae_models::{Activation, Architecture, ConvConfig, DenseConfig, Down, Model, Norm, Up};
use ae_train::{Corruption, L1, Objective, Reconstruction, Schedule};
use serde::{Deserialize, Serialize};
use toml::Table;

use crate::error::{Error, Result};
pub use defaults::merge;

/// Everything that decides the numbers of a run, but for the device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    pub data: DataRecipe,
    pub model: ModelRecipe,
    pub objective: ObjectiveRecipe,
    pub schedule: Schedule,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataRecipe {
    /// A name or a path.
    pub source: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_dir: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resize: Option<(usize, usize)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label_column: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digits: Option<(usize, usize)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test: Option<f64>,
    /// The part of the training part that is held out to choose the best epoch by.
    pub validation: f64,
    pub preprocess: Method,
    /// Of generated digits and of what is held out.
    pub seed: u64,
}

impl DataRecipe {
    /// So that the recipe means the same from another folder.
    pub fn make_paths_absolute(&mut self) {
        let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let is_name = ae_data::catalogue(&Search::default())
            .is_ok_and(|known| known.iter().any(|entry| entry.name == self.source));
        if !is_name && Path::new(&self.source).exists() {
            self.source = absolute(Path::new(&self.source)).to_string_lossy().into_owned();
        }
        self.data_dir = self.data_dir.as_deref().map(absolute);
        self.labels = self.labels.as_deref().map(absolute);
    }

    pub fn options(&self) -> Options {
        Options {
            search: Search { data_dir: self.data_dir.clone(), ..Search::default() },
            resize: self.resize,
            label_column: self.label_column.clone(),
            labels_file: self.labels.clone(),
            test_fraction: self.test,
            digits: self.digits,
            seed: self.seed,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum ModelRecipe {
    Conv(ConvRecipe),
    Dense(DenseRecipe),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConvRecipe {
    pub code: usize,
    pub channels: Vec<usize>,
    pub kernel: usize,
    pub hidden: Vec<usize>,
    pub down: Down,
    pub up: Up,
    pub norm: Norm,
    pub activation: Activation,
    pub code_activation: Activation,
    pub output: Activation,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DenseRecipe {
    pub code: usize,
    pub hidden: Vec<usize>,
    pub tied: bool,
    pub activation: Activation,
    pub code_activation: Activation,
    pub output: Activation,
}

impl ModelRecipe {
    /// The architecture for samples of a shape.
    pub fn architecture(&self, shape: &Shape) -> Result<Architecture> {
        match self {
            Self::Conv(recipe) => {
                let &Shape::Image { channels, height, width } = shape else {
                    return Err(Error::usage(format!(
                        "a convolutional model needs images, and this is a table of {shape}: take \
                         --model dense"
                    )));
                };
                Ok(Architecture::Conv(ConvConfig {
                    input: [channels, height, width],
                    code: Some(recipe.code),
                    channels: recipe.channels.clone(),
                    kernel: recipe.kernel,
                    hidden: recipe.hidden.clone(),
                    down: recipe.down,
                    up: recipe.up,
                    norm: recipe.norm,
                    activation: recipe.activation,
                    code_activation: recipe.code_activation,
                    output: recipe.output,
                    tied: false,
                    kept: None,
                }))
            }
            Self::Dense(recipe) => Ok(Architecture::Dense(DenseConfig {
                widths: [&[shape.features()], &recipe.hidden[..], &[recipe.code]].concat(),
                activation: recipe.activation,
                code_activation: recipe.code_activation,
                output: recipe.output,
                tied: recipe.tied,
                kept: None,
            })),
        }
    }

    pub fn code(&self) -> usize {
        match self {
            Self::Conv(recipe) => recipe.code,
            Self::Dense(recipe) => recipe.code,
        }
    }

    pub fn kind(&self) -> &'static str {
        match self {
            Self::Conv(_) => "conv",
            Self::Dense(_) => "dense",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObjectiveRecipe {
    pub reconstruction: Reconstruction,
    pub corruption: Corruption,
    /// Weight of the L1 norm of the code; 0: no such term.
    pub l1: f64,
}

impl ObjectiveRecipe {
    pub fn objective(&self) -> Result<Objective<Model>> {
        let objective = Objective::new(self.reconstruction).corrupt(self.corruption);
        Ok(if self.l1 == 0.0 { objective } else { objective.penalize(self.l1, L1)? })
    }
}

impl Recipe {
    pub fn to_toml(&self) -> Result<String> {
        toml::to_string(self).map_err(|error| Error::usage(format!("recipe: {error}")))
    }

    pub fn read(path: &Path) -> Result<Self> {
        let recipe: Self = toml::from_str(&read(path)?).map_err(|error| not_one(path, &error))?;
        recipe
            .schedule
            .check()
            .map_err(|error| Error::usage(format!("{}: {error}", path.display())))?;
        Ok(recipe)
    }
}

/// A recipe, or part of one, as it stands in a file.
pub fn read_table(path: &Path) -> Result<Table> {
    let table: Table = read(path)?.parse().map_err(|error| not_one(path, &error))?;
    let known = ["data", "model", "objective", "schedule"];
    match table.keys().find(|key| !known.contains(&key.as_str())) {
        Some(key) => Err(Error::usage(format!(
            "{}: expected the sections {}, got `{key}`",
            path.display(),
            known.join(", ")
        ))),
        None => Ok(table),
    }
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(Error::io(path))
}

fn not_one(path: &Path, error: &toml::de::Error) -> Error {
    Error::usage(format!("{}: {}", path.display(), error.to_string().trim_end()))
}
