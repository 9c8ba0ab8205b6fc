//! The kind of a source, which decides who reads it.

use std::path::Path;

use crate::error::{list, quote};
use crate::registry::{names, nearest};
use crate::synthetic::Synthetic;
use crate::variations::Variation;
use crate::{Error, Result, cifar, mnist_like, npy};

/// What a source is, by its name or by the files in its folder.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum SourceKind {
    Synthetic(Synthetic),
    Published,
    Variation(Variation),
    Cifar10,
    CifarFolder,
    IdxFolder,
    Images,
    Table,
    Array,
    Arrays,
    Tensors,
    /// Parquet or Arrow, as a file or a folder.
    Columns,
    Sparse,
}

/// Whether a source is a name whose files are searched for, [`DataDirs::data_dir`](crate::DataDirs)
/// first: a published set, or a variation of one.
///
/// ```
/// assert!(ae_data::is_published("mnist") && ae_data::is_published("mnist-rot"));
/// assert!(!ae_data::is_published("digits") && !ae_data::is_published("my/pictures"));
/// ```
pub fn is_published(source: &str) -> bool {
    SourceKind::of(source).is_ok_and(SourceKind::is_published)
}

impl SourceKind {
    /// Whether its files are searched for by its name.
    pub(crate) fn is_published(self) -> bool {
        matches!(self, Self::Published | Self::Variation(_) | Self::Cifar10)
    }

    pub(crate) fn of(source: &str) -> Result<Self> {
        if let Some(made) = Synthetic::ALL.into_iter().find(|made| made.name() == source) {
            return Ok(Self::Synthetic(made));
        }
        if let Some(made) = Variation::ALL.into_iter().find(|made| made.name() == source) {
            return Ok(Self::Variation(made));
        }
        match source {
            "cifar10" => return Ok(Self::Cifar10),
            name if names().iter().any(|(known, _)| known == name) => return Ok(Self::Published),
            _ => {}
        }
        let path = Path::new(source);
        if path.is_dir() { Self::of_folder(path) } else { Self::of_file(source) }
    }

    fn of_folder(path: &Path) -> Result<Self> {
        if cifar::is_in(path) {
            Ok(Self::CifarFolder)
        } else if mnist_like::find(mnist_like::STEMS, path).iter().any(Option::is_some) {
            Ok(Self::IdxFolder)
        } else if are_columns_in(path) {
            Ok(Self::Columns)
        } else if npy::are_tensors_in(path) {
            Ok(Self::Tensors)
        } else if holds_images(path)? {
            Ok(Self::Images)
        } else {
            let expected = "images (.png, .jpg, .bmp), IDX files (train-images-idx3-ubyte and its \
                            like) or CIFAR-10 batches (data_batch_1.bin and its like)";
            let files = files_in(path);
            let got = match files.is_empty() {
                true => "a folder with none of them".to_owned(),
                false => {
                    format!("a folder with other files; give one of them: {}", list(&files, "or"))
                }
            };
            Err(Error::malformed(path, expected, got))
        }
    }

    fn of_file(source: &str) -> Result<Self> {
        let path = Path::new(source);
        let name = source.to_lowercase();
        let name = name.strip_suffix(".gz").unwrap_or(&name);
        let is = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
        let is_table = is(&SURE_TABLES) || is(&OTHER_TABLES);
        match path.exists() {
            true if is_table => Ok(Self::Table),
            true if is(&[".npy"]) => Ok(Self::Array),
            true if is(&[".npz"]) => Ok(Self::Arrays),
            true if npy::is_tensors(path) => Ok(Self::Tensors),
            true if is(&COLUMNS) => Ok(Self::Columns),
            true if is(&SPARSE) => Ok(Self::Sparse),
            true if holds_images(path)? => Ok(Self::Images),
            true => {
                let expected = "a .csv, .tsv, .npy, .npz, .safetensors, .svmlight or image file, or the folder the file is in";
                Err(Error::malformed(path, expected, "another kind of file"))
            }
            false
                if is_table
                    || is(&ARRAYS)
                    || is(&COLUMNS)
                    || is(&SPARSE)
                    || source.contains(std::path::is_separator) =>
            {
                Err(Error::malformed(path, "a file or a folder", "nothing of this name"))
            }
            false => {
                let names: Vec<_> = names().into_iter().map(|(name, _)| name).collect();
                let near = nearest(source, &names);
                let near =
                    near.map_or(String::new(), |near| format!("; did you mean {}?", quote(near)));
                let expected = format!("{} or the path of a file or folder", names.join(", "));
                Err(Error::invalid("data set", expected, quote(source) + &near))
            }
        }
    }

    pub(crate) fn description(self) -> &'static str {
        match self {
            Self::Synthetic(_) => "generated pictures",
            Self::Published => "a published set",
            Self::Variation(_) => "a variation of MNIST",
            Self::Cifar10 | Self::CifarFolder => "CIFAR-10 batches",
            Self::IdxFolder => "IDX files",
            Self::Images => "images",
            Self::Table => "a table",
            Self::Array => "a NumPy array",
            Self::Arrays => "an archive of NumPy arrays",
            Self::Tensors => "arrays (safetensors)",
            Self::Columns => "columns (Parquet or Arrow)",
            Self::Sparse => "a sparse table (svmlight)",
        }
    }
}

/// The extensions of tables, and those that other files have as well.
const SURE_TABLES: [&str; 4] = [".csv", ".tsv", ".tab", ".psv"];
const OTHER_TABLES: [&str; 3] = [".txt", ".dat", ".data"];

/// The extensions of arrays, and of archives of them.
const ARRAYS: [&str; 3] = [".npy", ".npz", ".safetensors"];

/// The extensions of Parquet and Arrow files.
const COLUMNS: [&str; 5] = [".parquet", ".pq", ".arrow", ".feather", ".ipc"];

/// The extensions of sparse tables.
const SPARSE: [&str; 4] = [".svmlight", ".libsvm", ".svm", ".svml"];

/// The files in a folder that are surely a data set each; `.txt` may be any text.
fn files_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter(|entry| entry.path().is_file())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| {
            let name = name.to_lowercase();
            let name = name.strip_suffix(".gz").unwrap_or(&name);
            let ends = SURE_TABLES.iter().chain(&ARRAYS).chain(&SPARSE);
            ends.into_iter().any(|end| name.ends_with(end))
        })
        .collect();
    names.sort();
    names.truncate(5);
    names.iter().map(|name| quote(name)).collect()
}

#[cfg(feature = "arrow")]
use crate::columnar::are_in as are_columns_in;

/// Without the feature `arrow`, a folder whose files are such a data set, so that the refusal names the feature.
#[cfg(not(feature = "arrow"))]
fn are_columns_in(folder: &Path) -> bool {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let names: Vec<String> =
        entries.map(|entry| entry.file_name().to_string_lossy().to_lowercase()).collect();
    let has = |wanted: &str| names.iter().any(|name| name == wanted);
    // A folder of images may have a `metadata.parquet`.
    let is_columns = |name: &String| {
        COLUMNS.iter().any(|end| name.ends_with(end)) && !name.starts_with("metadata.")
    };
    has("dataset_dict.json")
        || has("state.json") && has("dataset_info.json")
        || names.iter().any(is_columns)
}

#[cfg(feature = "images")]
use crate::images::may_be_in as holds_images;

/// Without the feature `images`, any other folder counts as one of images, and its reader says that
/// they cannot be read.
#[cfg(not(feature = "images"))]
fn holds_images(path: &Path) -> Result<bool> {
    Ok(path.is_dir())
}
