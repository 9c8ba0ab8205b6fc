//! The files of a run.

use std::path::{Path, PathBuf};

use ae_recipe::Recipe;
use toml::Table;

use crate::{Error, Result};

/// The folder of a run.
#[derive(Clone, Debug)]
pub struct RunDir(pub PathBuf);

impl RunDir {
    /// Its recipe.
    pub fn recipe(&self) -> PathBuf {
        self.0.join("recipe.toml")
    }

    /// Its model.
    pub fn model(&self) -> PathBuf {
        self.0.join("model.safetensors")
    }

    /// The folder of its checkpoints.
    pub fn checkpoints(&self) -> PathBuf {
        self.0.join("checkpoints")
    }

    /// The model as it was before the first step, while the run has no other: with the weights of a checkpoint it is
    /// that of a run that was stopped.
    pub fn initial_model(&self) -> PathBuf {
        self.checkpoints().join("initial.safetensors")
    }

    /// The log of its training, a JSON value per line.
    pub fn metrics(&self) -> PathBuf {
        self.0.join("metrics.jsonl")
    }

    /// Its results.
    pub fn summary(&self) -> PathBuf {
        self.0.join("summary.json")
    }

    /// The name of the device the run trains on.
    pub fn device(&self) -> PathBuf {
        self.0.join("device.txt")
    }

    /// The label-efficiency curve of a classifier, as far as it is computed.
    pub fn label_efficiency(&self) -> PathBuf {
        self.0.join("labels.json")
    }

    /// The folder of the figures of its report.
    pub fn figures(&self) -> PathBuf {
        self.0.join("figures")
    }

    /// Its report.
    pub fn report(&self) -> PathBuf {
        self.0.join("report.html")
    }

    /// All of these.
    pub fn files(&self) -> Vec<PathBuf> {
        let mut files = vec![self.recipe(), self.model(), self.model().with_extension("json")];
        files.extend([self.checkpoints(), self.metrics(), self.summary(), self.device()]);
        files.extend([self.label_efficiency(), self.figures(), self.report()]);
        files
    }

    /// The files and folders that are read to apply the run to its data, or to other data: a data section.
    ///
    /// # Errors
    /// If its recipe cannot be read.
    pub fn inputs(&self, other: &Table) -> Result<Vec<PathBuf>> {
        let mut inputs = self.files();
        let given = ["source", "labels"].into_iter().filter_map(|key| other.get(key)?.as_str());
        inputs.extend(given.map(PathBuf::from));
        inputs.extend(Recipe::read(&self.recipe())?.data.paths());
        Ok(inputs)
    }

    /// A folder that holds a run already.
    ///
    /// # Errors
    /// If it has no recipe.
    pub fn existing(path: &Path) -> Result<Self> {
        let run_dir = Self(path.to_owned());
        match run_dir.recipe().is_file() {
            true => Ok(run_dir),
            false => Err(Error::usage(format!(
                "{}: expected the folder of a run, got one without recipe.toml",
                path.display()
            ))),
        }
    }
}
