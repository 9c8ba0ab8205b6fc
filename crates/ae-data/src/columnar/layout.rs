//! The files of a columnar data set, and which of them are the test set.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::error::{list, quote};
use crate::{Error, Result};

/// Files in the order of their rows.
pub(super) struct Layout {
    pub files: Vec<PathBuf>,
    /// The number of files of the training set, which are the first, if there is a test set.
    pub in_training: Option<usize>,
    pub notes: Vec<String>,
}

const TRAINING: [&str; 2] = ["train", "training"];
const VALIDATION: [&str; 5] = ["validation", "val", "valid", "dev", "eval"];
const TEST: [&str; 2] = ["test", "testing"];

/// Whether a path is that of a Parquet or an Arrow file.
fn is_file(path: &Path) -> bool {
    let ends = ["parquet", "pq", "arrow", "feather", "ipc"];
    path.extension().is_some_and(|end| ends.iter().any(|known| end.eq_ignore_ascii_case(known)))
}

/// Whether a folder has Parquet or Arrow files, or a single folder of them.
pub(crate) fn are_in(folder: &Path) -> bool {
    let is_saved = |name: &str| folder.join(name).is_file();
    is_saved("state.json") && is_saved("dataset_info.json")
        || is_saved("dataset_dict.json")
        || files(&innermost(folder)).is_ok_and(|files| !files.is_empty())
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).map_err(Error::io(folder))?;
    let paths: Result<Vec<PathBuf>> =
        entries.map(|entry| entry.map(|it| it.path()).map_err(Error::io(folder))).collect();
    let mut paths = paths?;
    paths.retain(|path| {
        path.file_name().is_some_and(|name| !name.to_string_lossy().starts_with('.'))
    });
    paths.sort();
    Ok(paths)
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut paths = entries(folder)?;
    // A folder of images may have a `metadata.parquet`.
    let is_metadata = |path: &Path| path.file_stem().is_some_and(|stem| stem == "metadata");
    paths.retain(|path| is_file(path) && path.is_file() && !is_metadata(path));
    Ok(paths)
}

/// The folder itself, or the only folder in it, such as `data`.
fn innermost(folder: &Path) -> PathBuf {
    let Ok(entries) = entries(folder) else { return folder.to_owned() };
    let folders: Vec<&PathBuf> = entries.iter().filter(|path| path.is_dir()).collect();
    match *folders {
        [only] if !entries.iter().any(|path| is_file(path)) => only.clone(),
        _ => folder.to_owned(),
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Training,
    Validation,
    Test,
    Other,
}

/// The part that a name begins with: `train-00000-of-00002.parquet`.
fn part(name: &str) -> Part {
    let word: String =
        name.chars().take_while(|letter| letter.is_alphabetic()).collect::<String>().to_lowercase();
    let is = |words: &[&str]| words.contains(&&*word);
    match () {
        () if is(&TRAINING) => Part::Training,
        () if is(&VALIDATION) => Part::Validation,
        () if is(&TEST) => Part::Test,
        () => Part::Other,
    }
}

impl Layout {
    pub(super) fn of(path: &Path) -> Result<Self> {
        if !path.is_dir() {
            return Ok(Self { files: vec![path.to_owned()], in_training: None, notes: vec![] });
        }
        if path.join("dataset_dict.json").is_file() {
            #[derive(Deserialize)]
            struct Dict {
                splits: Vec<String>,
            }
            let dict: Dict = json(&path.join("dataset_dict.json"))?;
            let mut parts = vec![];
            for split in dict.splits {
                let files = saved(&path.join(&split))?;
                parts.extend(files.into_iter().map(|file| (part(&split), file)));
            }
            return Self::parted(parts, path);
        }
        if path.join("state.json").is_file() {
            return Ok(Self { files: saved(path)?, in_training: None, notes: vec![] });
        }
        let folder = innermost(path);
        let of = |file: PathBuf| {
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            (part(&name), file)
        };
        Self::parted(files(&folder)?.into_iter().map(of).collect(), path)
    }

    fn parted(mut parts: Vec<(Part, PathBuf)>, path: &Path) -> Result<Self> {
        let has = |parts: &[(Part, PathBuf)], wanted| parts.iter().any(|(part, _)| *part == wanted);
        let mut notes = vec![];
        if has(&parts, Part::Training) {
            let others: Vec<String> = parts
                .iter()
                .filter(|(part, _)| *part == Part::Other)
                .map(|(_, file)| quote(&file.file_name().unwrap_or_default().to_string_lossy()))
                .collect();
            if !others.is_empty() {
                notes.push(format!("files left out: {}", list(&others, "and")));
                parts.retain(|(part, _)| *part != Part::Other);
            }
        } else if !parts.iter().all(|(part, _)| *part == Part::Other) && parts.len() > 1 {
            let first = |(part, _): &(Part, PathBuf)| *part;
            if parts.iter().map(first).min() != parts.iter().map(first).max() {
                let expected = "a training set beside the others (files such as train-*.parquet)";
                return Err(Error::malformed(path, expected, "none"));
            }
        }
        if !has(&parts, Part::Training) {
            parts.iter_mut().for_each(|(part, _)| *part = Part::Training);
        }
        let (validation, test) = (has(&parts, Part::Validation), has(&parts, Part::Test));
        match (validation, test) {
            (true, true) => notes.push(
                "the validation rows are in the training set: a validation set is split from it"
                    .to_owned(),
            ),
            (true, false) => notes.push("the validation rows are the test set".to_owned()),
            _ => {}
        }
        parts.sort();
        if parts.is_empty() {
            return Err(Error::malformed(path, "Parquet or Arrow files", "none"));
        }
        let last = if test { Part::Test } else { Part::Validation };
        let in_training = parts.iter().filter(|(part, _)| *part < last).count();
        Ok(Self {
            in_training: (in_training < parts.len()).then_some(in_training),
            files: parts.into_iter().map(|(_, file)| file).collect(),
            notes,
        })
    }
}

/// The files of a data set that `save_to_disk` wrote.
fn saved(folder: &Path) -> Result<Vec<PathBuf>> {
    #[derive(Deserialize)]
    struct State {
        #[serde(rename = "_data_files")]
        files: Vec<DataFile>,
    }
    #[derive(Deserialize)]
    struct DataFile {
        filename: PathBuf,
    }
    let path = folder.join("state.json");
    let state: State = json(&path)?;
    let mut files = vec![];
    for DataFile { filename } in state.files {
        // A name alone, so that nothing outside the folder is read.
        match filename.file_name() {
            Some(name) if Path::new(name) == filename => files.push(folder.join(name)),
            _ => {
                let got = quote(&filename.to_string_lossy());
                return Err(Error::malformed(&path, "names of files in its folder", got));
            }
        }
    }
    if files.is_empty() {
        return Err(Error::malformed(&path, "at least one data file", "none"));
    }
    Ok(files)
}

fn json<T: for<'a> Deserialize<'a>>(path: &Path) -> Result<T> {
    let bytes = std::fs::read(path).map_err(Error::io(path))?;
    serde_json::from_slice(&bytes).map_err(|error| {
        let got = format!("another text ({error})");
        Error::malformed(path, "what Hugging Face's `save_to_disk` writes", got)
    })
}
