//! What can go wrong while training.

use std::path::{Path, PathBuf};

/// Result of anything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A number out of its range, parts that do not fit, or a run that cannot go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A number the caller chose.
    #[error("{what}: expected {expected}, got {got}")]
    Setting {
        /// Its name.
        what: &'static str,
        /// What it may be.
        expected: &'static str,
        /// What it is.
        got: String,
    },
    /// An objective that this model or this data cannot have.
    #[error("{0}")]
    Objective(String),
    /// Data that cannot be read.
    #[error(transparent)]
    Data(#[from] ae_data::Error),
    /// A model that cannot be read, written or filled.
    #[error(transparent)]
    Model(#[from] ae_models::Error),
    /// The loss is no longer a number.
    #[error(
        "the loss is {value} since step {step} (epoch {epoch}), from the term `{term}`: lower the \
         learning rate (it was {rate:.1e} there), clip the gradients, or bring the inputs to a \
         common scale{}",
        if precision.is_full() { "" } else { "; or compute in full precision" }
    )]
    NotFinite {
        /// The first step at which it was not.
        step: u64,
        /// The epoch of that step, from 1.
        epoch: usize,
        /// The term that blew up first.
        term: String,
        /// Its value.
        value: f64,
        /// The learning rate at that step.
        rate: f64,
        /// What layers computed in.
        precision: crate::Precision,
    },
    /// A device that was lost, or has no memory left.
    #[error(
        "the device failed: {0}; take a smaller batch or another device, and go on from the last checkpoint"
    )]
    Device(String),
    /// A checkpoint that is not one of this run.
    #[error("{}: expected {expected}, got {got}", path.display())]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// What this run would have written.
        expected: String,
        /// What is there.
        got: String,
    },
    /// The operating system refused.
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

    /// Samples that are not as wide as the model.
    pub(crate) fn other_width(expected: usize, got: usize) -> Self {
        Self::Objective(format!(
            "samples: expected {expected} features, as the model has, got {got}"
        ))
    }

    /// A model that lies on no device, having nothing to lie there.
    pub(crate) fn no_parameters() -> Self {
        Self::Objective("model: expected parameters, got none".into())
    }

    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |reason| Self::Io { path, reason }
    }
}
