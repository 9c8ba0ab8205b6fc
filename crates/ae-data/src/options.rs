//! The options of opening a data set.

use std::path::PathBuf;

use crate::error::quote;
use crate::source_kind::SourceKind;
use crate::table::{Missing, TableOptions};
use crate::{DataDirs, Error, Result};

/// How [`open`](crate::open()) reads, draws and splits samples.
///
/// | field | default | for | meaning |
/// |---|---|---|---|
/// | `dirs` | cache, download | published sets | the folders to search |
/// | `resize` | none | a folder of images | width and height to resize all images to |
/// | `channels` | as they are | a folder of images | 1 to convert all images to grey, 3 to convert them to RGB |
/// | `skip_broken` | no | a folder of images | whether to leave out and count images that cannot be read |
/// | `label_column` | `label`, `class`, `target` | a table, a `.npz` file | name or index of the column that holds the labels, name of the array (not with `labels_file`) |
/// | `table` | inferred | a table | [how it is read](TableOptions): header, separator, roles of columns, missing cells |
/// | `labels_file` | none | a NumPy array | a `.npy` file of integers, one for each sample |
/// | `test_fraction` | 0.1 | sources without a test set | the fraction to hold out as the test set |
/// | `training_samples` | all, or [`default_counts`](crate::default_counts) | all | the number of training samples to generate, or to [draw](crate::subsample()) from the source's |
/// | `test_samples` | as above | all | the same for test samples |
/// | `normal` | none | samples with labels | the name of the one class to train on, for anomaly detection ([`one_class`](crate::one_class())) |
/// | `resident_limit` | none | files that are read by path | the bytes of memory up to which sources are read as a whole ([more](Self::resident_limit)) |
/// | `seed` | 0 | all | the seed of what is generated, drawn and held out |
///
/// The test set is held out first, then samples are drawn, then the other classes are removed: of
/// 1,000 training samples some 100 are left if one digit of ten is normal.
///
/// An option that does not fit the source is an error. Only `seed`, `resident_limit`, `dirs.cache_dir`,
/// `dirs.download` and `table.schema` may be set for any source.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The folders that published sets are searched in.
    pub dirs: DataDirs,
    /// Width and height to resize all images of a folder to.
    pub resize: Option<(usize, usize)>,
    /// 1 to convert all images of a folder to grey, 3 to convert them to RGB.
    pub channels: Option<usize>,
    /// Whether to leave out images of a folder that cannot be read.
    pub skip_broken: bool,
    /// The column of a table, or the array of a `.npz` file, that holds the labels.
    pub label_column: Option<String>,
    /// How a table is read.
    pub table: TableOptions,
    /// The file with the labels of a NumPy array.
    pub labels_file: Option<PathBuf>,
    /// The fraction to hold out of a source without a test set.
    pub test_fraction: Option<f64>,
    /// The number of training samples.
    pub training_samples: Option<usize>,
    /// The number of test samples.
    pub test_samples: Option<usize>,
    /// The name of the class to train on. The test set then has two classes: this one (0) and all
    /// others (1).
    pub normal: Option<String>,
    /// The memory for a source, in bytes. A table, an array, IDX images or a folder of images whose numbers
    /// take more than half of it stays on the disk; rows are read when they are needed, with the same values.
    /// What a compressed array or a table has is first written to a temporary file (in `TMPDIR` or
    /// `/var/tmp`), which is gone when the samples are dropped. Validation rows of a `.npz` file that also
    /// has test rows are joined to the training rows in memory, with a warning.
    pub resident_limit: Option<usize>,
    /// The seed of what is generated, drawn and held out.
    pub seed: u64,
}

impl Options {
    /// Checks that every given option fits this kind of source.
    pub(crate) fn check(&self, kind: SourceKind, source: &str) -> Result<()> {
        let has_test = matches!(
            kind,
            SourceKind::Synthetic(_) | SourceKind::Published | SourceKind::Variation(_)
        );
        let (missing, schema) = (self.table.missing, self.table.schema.clone());
        let only_missing = TableOptions { missing, schema, ..TableOptions::default() };
        let options = [
            ("data folder", self.dirs.data_dir.is_some(), kind.is_published(), "a published set"),
            (
                "resize",
                self.resize.is_some(),
                matches!(kind, SourceKind::Images | SourceKind::Columns),
                "a folder of images",
            ),
            (
                "channels",
                self.channels.is_some(),
                matches!(kind, SourceKind::Images | SourceKind::Columns),
                "a folder of images",
            ),
            (
                "skip broken",
                self.skip_broken,
                matches!(kind, SourceKind::Images | SourceKind::Columns),
                "a folder of images",
            ),
            (
                "label column",
                self.label_column.is_some(),
                matches!(
                    kind,
                    SourceKind::Table
                        | SourceKind::Columns
                        | SourceKind::Arrays
                        | SourceKind::Tensors
                ),
                "a table or an archive of arrays",
            ),
            (
                "table",
                self.table != only_missing,
                matches!(kind, SourceKind::Table | SourceKind::Columns),
                "a table",
            ),
            (
                "missing",
                missing != Missing::default(),
                matches!(
                    kind,
                    SourceKind::Table
                        | SourceKind::Columns
                        | SourceKind::Array
                        | SourceKind::Arrays
                        | SourceKind::Tensors
                        | SourceKind::Sparse
                ),
                "a table or an array",
            ),
            (
                "labels file",
                self.labels_file.is_some(),
                matches!(kind, SourceKind::Array | SourceKind::Arrays | SourceKind::Tensors),
                "a NumPy array",
            ),
            ("test fraction", self.test_fraction.is_some(), !has_test, NO_TEST_SET),
        ];
        match options.into_iter().find(|(_, given, fits, _)| *given && !fits) {
            Some((option, _, _, needs)) => Err(not_for(option, needs, kind, source)),
            None => Ok(()),
        }
    }

    /// The most bytes of numbers that are read into memory.
    pub(crate) fn in_memory(&self) -> usize {
        self.resident_limit.map_or(usize::MAX, |limit| limit / 2)
    }

    /// The numbers of training and test samples, by default these.
    pub(crate) fn counts(&self, (training, test): (usize, usize)) -> (usize, usize) {
        (self.training_samples.unwrap_or(training), self.test_samples.unwrap_or(test))
    }
}

pub(crate) const NO_TEST_SET: &str = "a source without a test set";

/// The error for an option that needs another kind of source.
pub(crate) fn not_for(option: &str, needs: &str, kind: SourceKind, source: &str) -> Error {
    let got = format!("{} ({})", kind.description(), quote(source));
    Error::invalid(option, format!("{needs} to use it on"), got)
}
