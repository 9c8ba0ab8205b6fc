//! The errors of this crate, each in one line that says what to do next.

use std::path::{Path, PathBuf};

/// The result of a function of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Data cannot be read.
    #[error(transparent)]
    Data(#[from] ae_data::Error),
    /// A model cannot be read or written.
    #[error(transparent)]
    Model(#[from] ae_models::Error),
    /// A training failed.
    #[error(transparent)]
    Train(#[from] ae_train::Error),
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

    /// What is wrong with a text in TOML that is called `what`, in one line.
    pub fn toml(what: impl std::fmt::Display, text: &str, error: &toml::de::Error) -> Self {
        let line = error.span().map(|span| {
            let before = text.bytes().take(span.start);
            format!(", line {}", before.filter(|byte| *byte == b'\n').count() + 1)
        });
        let message: Vec<&str> = error.message().split_whitespace().collect();
        Self::usage(format!("{what}{}: {}", line.unwrap_or_default(), message.join(" ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_toml_is_said_in_one_line() {
        let of = |text: &str| {
            let error = text.parse::<toml::Table>().unwrap_err();
            Error::toml("it.toml", text, &error).to_string()
        };
        for text in ["a = 1\nb = [1,\n", "a = 1\nb = \"c", "a = 1\nb", "a = 1\n]\n"] {
            let said = of(text);
            assert!(said.starts_with("it.toml, line ") && !said.contains('\n'), "{said}");
        }
        assert!(of("a = 1\nb = c\n").starts_with("it.toml, line 2: "));
    }
}
