//! What can go wrong with a model or its file.

use std::path::{Path, PathBuf};

/// Result of anything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A model that cannot be, or a file that does not hold it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A configuration that describes no model.
    #[error("{what}: expected {expected}, got {got}")]
    Config {
        /// The field.
        what: &'static str,
        /// What it may be.
        expected: String,
        /// What it is.
        got: String,
    },
    /// The operating system refused.
    #[error("{}: {reason}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        reason: std::io::Error,
    },
    /// A file that holds no model, or another one.
    #[error("{}: expected {expected}, got {got}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What was wanted of it.
        expected: String,
        /// What it has.
        got: String,
    },
    /// Tensors that do not fit a module.
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
