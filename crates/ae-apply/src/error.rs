//! The errors of this crate.

use std::path::{Path, PathBuf};

/// The result of a function of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error in the settings of a method, in its data, or in its file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting is out of its range.
    #[error("{what}: expected {expected}, got {got}")]
    Setting {
        /// Its name.
        what: &'static str,
        /// What is allowed.
        expected: String,
        /// What was given.
        got: String,
    },
    /// A column of a table cannot be used.
    #[error("column `{column}`: expected {expected}, got {got}")]
    Column {
        /// Its name.
        column: String,
        /// What was expected of it, and what to do.
        expected: String,
        /// What it has.
        got: String,
    },
    /// An observer stopped the work.
    #[error("stopped before it was done")]
    Stopped,
    /// Data cannot be read.
    #[error(transparent)]
    Data(#[from] ae_data::Error),
    /// A model cannot be read or written.
    #[error(transparent)]
    Model(#[from] ae_models::Error),
    /// A training failed.
    #[error(transparent)]
    Train(#[from] ae_train::Error),
    /// A file of this crate is malformed.
    #[error("{}: expected {expected}, got {got}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What such a file has.
        expected: String,
        /// What this one has.
        got: String,
    },
    /// Data does not suit the method; the sentence says why and what to do.
    #[error("{0}")]
    Unsuitable(String),
    /// A rate of false alarms is too small for the calibration rows.
    #[error(
        "1 false alarm in {one_in:.0} needs {needed} normal rows to calibrate on, got {rows}; the smallest \
         possible rate is 1 in {} ({:.5}); ask for it, give more normal rows, or take --tail",
        rows + 1, 1.0 / (*rows + 1) as f64
    )]
    TooFewToCalibrate {
        /// The inverse of the rate.
        one_in: f64,
        /// Rows that the rate needs.
        needed: usize,
        /// Rows there are.
        rows: usize,
    },
    /// The operating system reported an error.
    #[error("{}: {reason}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        reason: std::io::Error,
    },
}

impl Error {
    /// The error for a setting out of its range.
    pub(crate) fn setting(
        what: &'static str,
        expected: impl Into<String>,
        got: impl std::fmt::Display,
    ) -> Self {
        Self::Setting { what, expected: expected.into(), got: got.to_string() }
    }

    /// Adds the path to an error of the operating system.
    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |reason| Self::Io { path, reason }
    }
}
