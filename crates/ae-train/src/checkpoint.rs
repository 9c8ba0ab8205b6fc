//! Checkpoints: the whole state of a run in one file, for exact resumption.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ae_models::tensors::{self, Tensors};
use serde_json::Value;

use crate::{EpochReport, Error, Result, Validation};

/// Where and how often a run writes checkpoints.
///
/// | field | default | meaning |
/// |---|---|---|
/// | `folder` | (required) | the folder, which is created if it does not exist |
/// | `every_steps` | none | the number of steps between checkpoints |
/// | `every` | 1 minute | the time between checkpoints |
/// | `keep` | 2 | how many checkpoints are kept, the newest ones |
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoints {
    /// The folder.
    pub folder: PathBuf,
    /// Steps between two checkpoints.
    pub every_steps: Option<u64>,
    /// Time between two checkpoints.
    pub every: Option<Duration>,
    /// How many are kept.
    pub keep: usize,
}

impl Checkpoints {
    /// Checkpoints every minute in this folder.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            every_steps: None,
            every: Some(Duration::from_secs(60)),
            keep: 2,
        }
    }

    pub(crate) fn check(&self) -> Result<()> {
        if self.every_steps == Some(0) {
            return Err(Error::setting("steps between checkpoints", "at least 1", 0));
        }
        if self.keep == 0 {
            return Err(Error::setting("checkpoints to keep", "at least 1", 0));
        }
        std::fs::create_dir_all(&self.folder).map_err(Error::io(&self.folder))?;
        // Temporary files of a killed run.
        for entry in std::fs::read_dir(&self.folder).map_err(Error::io(&self.folder))? {
            let path = entry.map_err(Error::io(&self.folder))?.path();
            if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(".tmp")) {
                std::fs::remove_file(&path).map_err(Error::io(&path))?;
            }
        }
        Ok(())
    }

    /// The checkpoint files, newest first.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn list(&self) -> Result<Vec<PathBuf>> {
        if !self.folder.exists() {
            return Ok(Vec::new());
        }
        let mut found = Vec::new();
        for entry in std::fs::read_dir(&self.folder).map_err(Error::io(&self.folder))? {
            let path = entry.map_err(Error::io(&self.folder))?.path();
            let number = path.file_name().and_then(|name| name.to_str()).and_then(step_of);
            found.extend(number.map(|number| (number, path)));
        }
        found.sort();
        Ok(found.into_iter().rev().map(|(_, path)| path).collect())
    }

    pub(crate) fn write(&self, state: &State, tensors: &Tensors) -> Result<PathBuf> {
        let path = self.folder.join(format!("{PREFIX}{:08}{SUFFIX}", state.done));
        let text = serde_json::to_string(state)
            .map_err(|error| self.malformed(&path, "a state that can be written", error))?;
        tensors::write(&path, tensors, &text)?;
        for old in self.list()?.into_iter().skip(self.keep) {
            std::fs::remove_file(&old).map_err(Error::io(&old))?;
        }
        Ok(path)
    }

    /// The newest checkpoint, if there is one.
    pub(crate) fn newest(&self) -> Result<Option<(PathBuf, State, Tensors)>> {
        let Some(path) = self.list()?.into_iter().next() else { return Ok(None) };
        let broken = |error: &dyn std::fmt::Display| {
            let expected = "the state of a run (delete it to resume from the one before)";
            self.malformed(&path, expected, error)
        };
        let (tensors, text) = tensors::read(&path).map_err(|error| broken(&error))?;
        let state = serde_json::from_str(&text).map_err(|error| broken(&error))?;
        Ok(Some((path, state, tensors)))
    }

    /// The best weights so far, of the newest checkpoint; none without a checkpoint.
    ///
    /// # Errors
    /// If the newest checkpoint is malformed.
    pub fn best_weights(&self) -> Result<Option<BestWeights>> {
        let Some((_, state, mut tensors)) = self.newest()? else { return Ok(None) };
        let best = take_prefixed(&mut tensors, BEST);
        let (epoch, tensors) = match best.is_empty() {
            false => (state.best, best),
            true => (None, take_prefixed(&mut tensors, MODEL)),
        };
        Ok(Some(BestWeights { done: state.done, epoch, tensors }))
    }

    fn malformed(&self, path: &Path, expected: &str, got: impl std::fmt::Display) -> Error {
        Error::Checkpoint {
            path: path.to_owned(),
            expected: expected.to_owned(),
            got: got.to_string(),
        }
    }
}

/// The best weights of a training that has not ended.
#[derive(Clone, Debug)]
pub struct BestWeights {
    /// Steps done at the checkpoint.
    pub done: u64,
    /// The epoch with the smallest validation loss, from 1, 0 for the initial weights; `None` without validation: then
    /// these are the weights after the last step.
    pub epoch: Option<usize>,
    /// The weights by the names of their parameters.
    pub tensors: Tensors,
}

/// The prefix of the names of the weights.
pub(crate) const MODEL: &str = "model.";

/// That of the best weights.
pub(crate) const BEST: &str = "best.";

const PREFIX: &str = "step-";
const SUFFIX: &str = ".safetensors";

fn step_of(name: &str) -> Option<u64> {
    name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?.parse().ok()
}

/// The state of a run without its tensors.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct State {
    /// Everything that determines the results of the run, to refuse a checkpoint of another.
    #[serde(default)]
    pub(crate) identity: Option<Value>,
    /// The same as text, in checkpoints of earlier versions.
    #[serde(default, rename = "run", skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) text: BTreeMap<String, String>,
    /// Steps done.
    pub(crate) done: u64,
    /// The sum of each term over the steps of the current epoch, as bits, because text would round them.
    pub(crate) sums: Vec<u64>,
    /// The validation of the initial weights. Older checkpoints have none.
    #[serde(default)]
    pub(crate) initial: Option<Validation>,
    /// The completed epochs.
    pub(crate) epochs: Vec<EpochReport>,
    /// The epoch with the best weights so far, from 1. 0 for the initial weights.
    pub(crate) best: Option<usize>,
    /// The optimiser's numbers that are not tensors.
    pub(crate) optimizer: BTreeMap<String, u64>,
}

impl State {
    /// The validation of the best weights so far.
    pub(crate) fn best_validation(&self) -> Option<&Validation> {
        if self.best == Some(0) {
            return self.initial.as_ref();
        }
        let best = self.epochs.iter().find(|epoch| Some(epoch.epoch) == self.best)?;
        best.validation.as_ref()
    }
}

/// Removes the tensors whose names begin with `prefix`, and returns them without it.
pub(crate) fn take_prefixed(tensors: &mut Tensors, prefix: &str) -> Tensors {
    let names: Vec<String> =
        tensors.keys().filter(|name| name.starts_with(prefix)).cloned().collect();
    let take = |name: String| {
        let tensor = tensors.remove(&name)?;
        Some((name[prefix.len()..].to_owned(), tensor))
    };
    names.into_iter().filter_map(take).collect()
}

/// Adds tensors with `prefix` before their names.
pub(crate) fn insert_prefixed(tensors: &mut Tensors, prefix: &str, more: Tensors) {
    tensors.extend(more.into_iter().map(|(name, tensor)| (format!("{prefix}{name}"), tensor)));
}
