//! Checkpoints: everything a run needs to go on exactly, in one file written at once.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ae_models::tensors::{self, Tensors};

use crate::{EpochReport, Error, Result, Validation};

/// Where and how often a run writes checkpoints.
///
/// | field | default | meaning |
/// |---|---|---|
/// | `folder` | (asked for) | where they lie; made if it is not there |
/// | `every_steps` | none | after every so many steps of the run |
/// | `every` | 1 minute | after so much time since the last |
/// | `keep` | 2 | how many of the newest stay |
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoints {
    /// Where they lie.
    pub folder: PathBuf,
    /// Steps between two.
    pub every_steps: Option<u64>,
    /// Time between two.
    pub every: Option<Duration>,
    /// How many stay.
    pub keep: usize,
}

impl Checkpoints {
    /// Every minute, in a folder.
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
        // What a killed run was writing.
        for entry in std::fs::read_dir(&self.folder).map_err(Error::io(&self.folder))? {
            let path = entry.map_err(Error::io(&self.folder))?.path();
            if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(".tmp")) {
                std::fs::remove_file(&path).map_err(Error::io(&path))?;
            }
        }
        Ok(())
    }

    /// The files, newest first.
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
            .map_err(|error| self.not_one(&path, "a state that can be written", error))?;
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
            let expected = "the state of a run (remove it to go on from the one before)";
            self.not_one(&path, expected, error)
        };
        let (tensors, text) = tensors::read(&path).map_err(|error| broken(&error))?;
        let state = serde_json::from_str(&text).map_err(|error| broken(&error))?;
        Ok(Some((path, state, tensors)))
    }

    fn not_one(&self, path: &Path, expected: &str, got: impl std::fmt::Display) -> Error {
        Error::Checkpoint {
            path: path.to_owned(),
            expected: expected.to_owned(),
            got: got.to_string(),
        }
    }
}

const PREFIX: &str = "step-";
const SUFFIX: &str = ".safetensors";

fn step_of(name: &str) -> Option<u64> {
    name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?.parse().ok()
}

/// What a run knows beside its tensors.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct State {
    /// Everything that decides the numbers of the run, to refuse a checkpoint of another.
    pub(crate) run: BTreeMap<String, String>,
    /// Steps done.
    pub(crate) done: u64,
    /// Sums of each term over the steps of the current epoch, as bits: text would round.
    pub(crate) sums: Vec<u64>,
    /// Epochs that ended.
    pub(crate) epochs: Vec<EpochReport>,
    /// The epoch whose weights are the best so far, from 1; its report says how good they are.
    pub(crate) best: Option<usize>,
    /// What the optimiser remembers beside tensors.
    pub(crate) optimizer: BTreeMap<String, u64>,
}

impl State {
    /// How good the best weights so far are.
    pub(crate) fn best_validation(&self) -> Option<&Validation> {
        let best = self.epochs.iter().find(|epoch| Some(epoch.epoch) == self.best)?;
        best.validation.as_ref()
    }
}

/// Takes the tensors whose names begin with `prefix`, without it.
pub(crate) fn part(tensors: &mut Tensors, prefix: &str) -> Tensors {
    let names: Vec<String> =
        tensors.keys().filter(|name| name.starts_with(prefix)).cloned().collect();
    let take = |name: String| {
        let tensor = tensors.remove(&name)?;
        Some((name[prefix.len()..].to_owned(), tensor))
    };
    names.into_iter().filter_map(take).collect()
}

/// Adds tensors under names that begin with `prefix`.
pub(crate) fn add(tensors: &mut Tensors, prefix: &str, more: Tensors) {
    tensors.extend(more.into_iter().map(|(name, tensor)| (format!("{prefix}{name}"), tensor)));
}
