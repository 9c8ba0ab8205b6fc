//! The errors of this crate, each in one line that says what to do next.

use std::path::{Path, PathBuf};

/// The result of a function of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A method of ae-apply failed.
    #[error(transparent)]
    Apply(#[from] ae_apply::Error),
    /// Data cannot be read.
    #[error(transparent)]
    Data(#[from] ae_data::Error),
    /// A model cannot be read or written.
    #[error(transparent)]
    Model(#[from] ae_models::Error),
    /// A training failed.
    #[error(transparent)]
    Train(#[from] ae_train::Error),
    /// A recipe does not fit.
    #[error(transparent)]
    Recipe(#[from] ae_recipe::Error),
    /// A device cannot be used.
    #[error(transparent)]
    Device(#[from] ae_device::Error),
    /// A run failed.
    #[error(transparent)]
    Run(#[from] ae_run::Error),
    /// A report cannot be written.
    #[error(transparent)]
    Report(#[from] ae_report::Error),
    /// An experiment failed.
    #[error(transparent)]
    Experiment(#[from] ae_experiment::Error),
    /// The operating system reported an error.
    #[error("{}: {reason}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        reason: std::io::Error,
    },
    /// What was asked for cannot be done as it was asked for.
    #[error("{0}")]
    Usage(String),
}

impl Error {
    /// Adds the path to an error of the operating system.
    pub fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |reason| Self::Io { path, reason }
    }

    /// An error that a message describes.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::Usage(message.into())
    }
}
