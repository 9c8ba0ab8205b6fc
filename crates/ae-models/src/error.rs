//! The errors of this crate.

use std::path::{Path, PathBuf};

/// The result of a function of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error in a configuration or in a file of weights.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A configuration is not valid.
    #[error("{what}: expected {expected}, got {got}")]
    Config {
        /// The field.
        what: &'static str,
        /// What the field may be.
        expected: String,
        /// What it is.
        got: String,
    },
    /// The operating system reported an error.
    #[error("{}: {reason}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        reason: std::io::Error,
    },
    /// A file has no model, or another one.
    #[error("{}: expected {expected}, got {got}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the file should have.
        expected: String,
        /// What it has.
        got: String,
    },
    /// Tensors do not fit a module.
    #[error("{0}")]
    Tensors(String),
}

impl Error {
    pub(crate) fn config(
        what: &'static str,
        expected: impl Into<String>,
        got: impl std::fmt::Debug,
    ) -> Self {
        Self::Config { what, expected: expected.into(), got: format!("{got:?}") }
    }

    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |reason| Self::Io { path, reason }
    }

    pub(crate) fn file(path: &Path, expected: impl Into<String>, got: impl Into<String>) -> Self {
        Self::File { path: path.to_owned(), expected: expected.into(), got: got.into() }
    }
}
