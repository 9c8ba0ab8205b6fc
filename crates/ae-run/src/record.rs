//! What the folder of a run says of it, without its model and its data.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ae_recipe::{Command, Recipe};
use serde::Serialize;

use crate::files::read_json;
use crate::{ClassifierSummary, Error, FolderLock, Result, RunDir, Summary};

/// Whether a run has results.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunState {
    /// It has.
    Finished,
    /// A process writes it.
    Running,
    /// Neither: it was stopped or killed, and can be resumed if it has checkpoints.
    Stopped,
}

impl std::fmt::Display for RunState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Finished => "finished",
            Self::Running => "running",
            Self::Stopped => "stopped",
        })
    }
}

/// A run by its recipe and its results.
#[derive(Clone, Debug, Serialize)]
pub struct RunRecord {
    /// Its folder.
    pub run: PathBuf,
    /// Whether it has results.
    pub state: RunState,
    /// Its data set.
    pub data: String,
    /// The kind of its model, such as `conv`; of a classifier its head.
    pub model: String,
    /// Units of its code.
    pub code: Option<usize>,
    /// Parameters of its model.
    pub parameters: Option<usize>,
    /// Of an autoencoder: squared error per test sample.
    pub squared_error: Option<f64>,
    /// That of PCA with as many components as the code has units.
    pub pca: Option<f64>,
    /// That of predicting the mean.
    pub mean: Option<f64>,
    /// Of a classifier: the share of the test set that is misclassified.
    pub misclassified: Option<f64>,
    /// Seconds of a run that was not resumed.
    pub seconds: Option<f64>,
    /// The device that it was trained on.
    pub device: Option<String>,
    /// Its recipe, a value for each path such as `schedule.batch`.
    pub settings: BTreeMap<String, String>,
}

impl RunRecord {
    /// Reads the record of a run.
    ///
    /// # Errors
    /// If the folder has no recipe, or a file of it is malformed.
    pub fn read(run: &RunDir) -> Result<Self> {
        let path = RunDir::existing(&run.0)?.recipe();
        let recipe = Recipe::read(&path)?;
        let table: toml::Table = recipe
            .to_toml()?
            .parse()
            .map_err(|error| Error::usage(format!("{}: {error}", path.display())))?;
        let mut settings = BTreeMap::new();
        flatten(&toml::Value::Table(table), "", &mut settings);
        let kind = recipe.head.as_ref().map(|head| head.kind.name());
        let state = match (run.summary().is_file(), FolderLock::is_held(&run.0)) {
            (_, true) => RunState::Running,
            (true, false) => RunState::Finished,
            (false, false) => RunState::Stopped,
        };
        let mut record = Self {
            run: run.0.clone(),
            state,
            data: recipe.data.source.clone(),
            model: kind.unwrap_or(recipe.model.kind()).to_owned(),
            code: None,
            parameters: None,
            squared_error: None,
            pca: None,
            mean: None,
            misclassified: None,
            seconds: None,
            device: None,
            settings,
        };
        if run.summary().is_file() {
            record.add_results(run, recipe.command, recipe.head.is_some())?;
        }
        Ok(record)
    }

    fn add_results(&mut self, run: &RunDir, command: Command, has_head: bool) -> Result<()> {
        let (code, parameters, seconds, device);
        if has_head || command == Command::Classify {
            let summary: ClassifierSummary = read_json(&run.summary())?;
            self.misclassified = Some(summary.error);
            (code, parameters) = (summary.code, summary.parameters);
            (seconds, device) = (summary.seconds, summary.device);
        } else {
            let summary: Summary = read_json(&run.summary())?;
            self.squared_error = Some(summary.test.squared_error);
            self.pca = summary.pca_is_lossy().then_some(summary.pca.squared_error);
            self.mean = Some(summary.mean_error);
            (code, parameters) = (summary.code, summary.parameters);
            (seconds, device) = (summary.seconds, summary.device);
        }
        (self.code, self.parameters) = (Some(code), Some(parameters));
        (self.seconds, self.device) = (seconds, Some(device));
        Ok(())
    }

    /// The error of the run, to sort by: squared error, or the share that is misclassified.
    pub fn error(&self) -> Option<f64> {
        self.squared_error.or(self.misclassified)
    }

    /// The squared error as a multiple of PCA's.
    pub fn ratio(&self) -> Option<f64> {
        self.squared_error.zip(self.pca).filter(|(_, pca)| *pca > 0.0).map(|(own, pca)| own / pca)
    }
}

/// The levels of folders below that given in which runs are looked for: those of a sweep are in its folder.
const DEPTH: usize = 3;

/// The records of the runs in a folder and in the folders in it, in the order of their names, and the errors of
/// those that cannot be read.
///
/// # Errors
/// If the folder cannot be read.
pub fn list_runs(folder: &Path) -> Result<(Vec<RunRecord>, Vec<Error>)> {
    let (mut records, mut broken) = (Vec::new(), Vec::new());
    let mut folders = vec![(folder.to_owned(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        let run = RunDir(folder.clone());
        if run.recipe().is_file() {
            match RunRecord::read(&run) {
                Ok(record) => records.push(record),
                Err(error) => broken.push(error),
            }
            continue;
        }
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if depth == 0 => return Err(Error::io(&folder)(error)),
            Err(error) => {
                broken.push(Error::io(&folder)(error));
                continue;
            }
        };
        let inside = entries.flatten().filter(|it| it.file_type().is_ok_and(|it| it.is_dir()));
        if depth < DEPTH {
            folders.extend(inside.map(|it| (it.path(), depth + 1)));
        }
    }
    records.sort_by(|a, b| a.run.cmp(&b.run));
    Ok((records, broken))
}

/// Adds a value for each leaf, named by its path.
fn flatten(value: &toml::Value, path: &str, found: &mut BTreeMap<String, String>) {
    match value {
        toml::Value::Table(table) => table.iter().for_each(|(key, value)| {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            flatten(value, &path, found);
        }),
        toml::Value::String(text) => {
            found.insert(path.to_owned(), text.clone());
        }
        other => {
            found.insert(path.to_owned(), other.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_named_by_their_paths() {
        let table: toml::Table =
            "command = 'train'\n[a]\nb = [1, 2]\n[a.c]\nd = 0.5".parse().unwrap();
        let mut found = BTreeMap::new();
        flatten(&toml::Value::Table(table), "", &mut found);
        let found: Vec<(&str, &str)> = found.iter().map(|(k, v)| (&**k, &**v)).collect();
        assert_eq!(found, [("a.b", "[1, 2]"), ("a.c.d", "0.5"), ("command", "train")]);
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error_and_an_empty_one_has_no_runs() {
        let folder = tempfile::tempdir().unwrap();
        let (records, broken) = list_runs(folder.path()).unwrap();
        assert!(records.is_empty() && broken.is_empty());
        assert!(list_runs(&folder.path().join("gone")).is_err());
        std::fs::create_dir(folder.path().join("bad")).unwrap();
        std::fs::write(folder.path().join("bad/recipe.toml"), "no recipe").unwrap();
        let (records, broken) = list_runs(folder.path()).unwrap();
        assert_eq!((records.len(), broken.len()), (0, 1));
    }
}
