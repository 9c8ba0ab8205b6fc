//! The errors of this crate, each in one line that says what to do next.

/// The result of a function of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A training failed.
    #[error(transparent)]
    Train(#[from] ae_train::Error),
    /// What was asked for cannot be done as it was asked for.
    #[error("{0}")]
    Usage(String),
}

impl Error {
    /// An error that a message describes.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::Usage(message.into())
    }
}
