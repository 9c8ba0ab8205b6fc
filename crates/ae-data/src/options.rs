//! What may be said beside the name of a data set.

use std::path::PathBuf;

use crate::error::quote;
use crate::kind::Kind;
use crate::table::{Missing, TableOptions};
use crate::{Error, Result, Search};

/// What [`open`](crate::open()) may be told beyond the source.
///
/// | field | default | for | meaning |
/// |---|---|---|---|
/// | `search` | cache, download | published sets | where they are looked for |
/// | `resize` | none | a folder of images | width and height to bring all images to |
/// | `channels` | as they are | a folder of images | 1 to make all grey, 3 to make them of red, green and blue |
/// | `skip_broken` | no | a folder of images | whether images that cannot be read are left out and counted |
/// | `label_column` | `label`, `class`, `target` | a table | name or index of the column that holds the labels |
/// | `table` | found by itself | a table | [how it is read](TableOptions): header, separator, roles of columns, missing cells |
/// | `labels_file` | none | a NumPy array | a `.npy` of integers, one for each sample |
/// | `test_fraction` | 0.1 | sources without a test part | what part is held out as test part |
/// | `training_samples` | all, or [`default_counts`](crate::default_counts) | all | how many to train on: so many are made, or so many of those there are [drawn](crate::draw()) |
/// | `test_samples` | as above | all | how many to test on |
/// | `normal` | none | samples with labels | the name of the one class to train on, to be told from all others ([`one_class`](crate::one_class())) |
/// | `seed` | 0 | all | decides what is made, drawn and held out |
///
/// First a test part is held out, then samples are drawn, then all but the normal class is left out:
/// of 1,000 training samples some 100 are left if one digit of ten is normal.
///
/// An option that is given for a source it is not for is an error; only the seed, the cache and
/// whether to download may stand there unused.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Where published sets are looked for.
    pub search: Search,
    /// Width and height to bring all images of a folder to.
    pub resize: Option<(usize, usize)>,
    /// 1 to make all images of a folder grey, 3 to make them of red, green and blue.
    pub channels: Option<usize>,
    /// Whether images of a folder that cannot be read are left out.
    pub skip_broken: bool,
    /// The column of a table that holds the labels.
    pub label_column: Option<String>,
    /// How a table is read.
    pub table: TableOptions,
    /// The labels of a NumPy array.
    pub labels_file: Option<PathBuf>,
    /// The part held out of a source that has no test part.
    pub test_fraction: Option<f64>,
    /// How many samples to train on.
    pub training_samples: Option<usize>,
    /// How many samples to test on.
    pub test_samples: Option<usize>,
    /// The name of the class to train on; the test part is then of that class (0) and all others
    /// (1).
    pub normal: Option<String>,
    /// Decides what is made, drawn and held out.
    pub seed: u64,
}

impl Options {
    /// Whether every option that is given is for this kind of source.
    pub(crate) fn check(&self, kind: Kind, source: &str) -> Result<()> {
        let has_test = matches!(kind, Kind::Generated(_) | Kind::Published | Kind::Variation(_));
        let only_missing = TableOptions { missing: self.table.missing, ..TableOptions::default() };
        let options = [
            ("data folder", self.search.data_dir.is_some(), kind.is_published(), "a published set"),
            ("resize", self.resize.is_some(), kind == Kind::Images, "a folder of images"),
            ("channels", self.channels.is_some(), kind == Kind::Images, "a folder of images"),
            ("skip broken", self.skip_broken, kind == Kind::Images, "a folder of images"),
            ("label column", self.label_column.is_some(), kind == Kind::Table, "a table"),
            ("table", self.table != only_missing, kind == Kind::Table, "a table"),
            (
                "missing",
                self.table.missing != Missing::Refuse,
                matches!(kind, Kind::Table | Kind::Array),
                "a table or an array",
            ),
            ("labels file", self.labels_file.is_some(), kind == Kind::Array, "a NumPy array"),
            ("test fraction", self.test_fraction.is_some(), !has_test, NO_TEST_PART),
        ];
        match options.into_iter().find(|(_, given, fits, _)| *given && !fits) {
            Some((option, _, _, needs)) => Err(not_for(option, needs, kind, source)),
            None => Ok(()),
        }
    }

    /// How many samples to make, to train and to test on.
    pub(crate) fn counts(&self, (training, test): (usize, usize)) -> (usize, usize) {
        (self.training_samples.unwrap_or(training), self.test_samples.unwrap_or(test))
    }
}

pub(crate) const NO_TEST_PART: &str = "a source without a test part";

pub(crate) fn not_for(option: &str, needs: &str, kind: Kind, source: &str) -> Error {
    let got = format!("{} ({})", kind.what(), quote(source));
    Error::invalid(option, format!("{needs} to use it on"), got)
}
