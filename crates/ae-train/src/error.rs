//! The errors of this crate.

use std::path::{Path, PathBuf};

/// The result of a function of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error in the settings of a run, or in the run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting is out of its range.
    #[error("{what}: expected {expected}, got {got}")]
    Setting {
        /// Its name.
        what: &'static str,
        /// What is allowed.
        expected: &'static str,
        /// What was given.
        got: String,
    },
    /// An objective, a model and data do not fit each other.
    #[error("{0}")]
    Objective(String),
    /// Data cannot be read.
    #[error(transparent)]
    Data(#[from] ae_data::Error),
    /// A model cannot be read or written.
    #[error(transparent)]
    Model(#[from] ae_models::Error),
    /// The loss, or a weight, is no longer a finite number.
    #[error(
        "the loss is {value} since step {step} (epoch {epoch}), from the term `{term}`: lower the \
         learning rate (it was {rate:.1e} there), clip the gradients, or bring the inputs to a \
         common scale{}",
        if precision.is_full() { "" } else { "; or compute in full precision" }
    )]
    NotFinite {
        /// The first step with such a value.
        step: u64,
        /// The epoch of that step, from 1.
        epoch: usize,
        /// The first term that is not finite.
        term: String,
        /// Its value.
        value: f64,
        /// The learning rate at that step.
        rate: f64,
        /// The precision of the layers.
        precision: crate::Precision,
    },
    /// A device failed or has no memory left.
    #[error(
        "the device failed: {0}; take a smaller batch or another device, and go on from the last checkpoint"
    )]
    Device(String),
    /// A checkpoint is of another run, or malformed.
    #[error("{}: expected {expected}, got {got}", path.display())]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// What a checkpoint of this run has.
        expected: String,
        /// What this one has.
        got: String,
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
    pub(crate) fn setting(
        what: &'static str,
        expected: &'static str,
        got: impl std::fmt::Display,
    ) -> Self {
        Self::Setting { what, expected, got: got.to_string() }
    }

    /// The error for samples of another width than the model's.
    pub(crate) fn other_width(expected: usize, got: usize) -> Self {
        Self::Objective(format!(
            "samples: expected {expected} features, as the model has, got {got}"
        ))
    }

    /// The error for a model without parameters, which is on no device.
    pub(crate) fn no_parameters() -> Self {
        Self::Objective("model: expected parameters, got none".into())
    }

    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |reason| Self::Io { path, reason }
    }
}
