//! The errors of this crate.

use std::path::{Path, PathBuf};

/// The result of a function of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error in reading or preparing data.
///
/// Each message names the file or the argument, what was expected there and what was found.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system reported an error.
    #[error("{}: {reason}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        reason: std::io::Error,
    },
    /// A file does not follow its format.
    #[error("{}: expected {expected}, got {got}", path.display())]
    Malformed {
        /// The file or folder.
        path: PathBuf,
        /// What the file should have there.
        expected: String,
        /// What it has.
        got: String,
    },
    /// A file does not follow its format in one place.
    #[error("{}, {place}: expected {expected}, got {got}", path.display())]
    MalformedAt {
        /// The file.
        path: PathBuf,
        /// Where in it: `line 3, column height`.
        place: String,
        /// What the file should have there.
        expected: String,
        /// What it has.
        got: String,
    },
    /// A data set is not on this machine and was not downloaded.
    #[error("{0}")]
    Missing(String),
    /// The caller gave an argument or a value that is not allowed.
    #[error("{what}: expected {expected}, got {got}")]
    Invalid {
        /// The argument or value.
        what: String,
        /// What is allowed.
        expected: String,
        /// What was given.
        got: String,
    },
}

impl Error {
    /// The error of reading or writing `path`. An [`Error`] that came through [`std::io::Read`] as
    /// an I/O error is taken out of it.
    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |reason| match reason.downcast::<Self>() {
            Ok(error) => error,
            Err(reason) => Self::Io { path, reason },
        }
    }

    pub(crate) fn malformed(
        path: &Path,
        expected: impl Into<String>,
        got: impl Into<String>,
    ) -> Self {
        Self::Malformed { path: path.to_owned(), expected: expected.into(), got: got.into() }
    }

    pub(crate) fn malformed_at(
        path: &Path,
        place: impl Into<String>,
        expected: impl Into<String>,
        got: impl Into<String>,
    ) -> Self {
        Self::MalformedAt {
            path: path.to_owned(),
            place: place.into(),
            expected: expected.into(),
            got: got.into(),
        }
    }

    pub(crate) fn invalid(
        what: impl Into<String>,
        expected: impl Into<String>,
        got: impl Into<String>,
    ) -> Self {
        Self::Invalid { what: what.into(), expected: expected.into(), got: got.into() }
    }

    /// The same error, with the source that the argument belongs to.
    pub(crate) fn of(mut self, source: &str) -> Self {
        if let Self::Invalid { what, .. } = &mut self {
            what.push_str(" of ");
            what.push_str(source);
        }
        self
    }

    /// The same error of a file, with advice at the end.
    pub(crate) fn advise(mut self, advice: &str) -> Self {
        if let Self::Malformed { got, .. } | Self::MalformedAt { got, .. } = &mut self {
            got.push_str("; ");
            got.push_str(advice);
        }
        self
    }
}

/// A list in prose: `a, b or c`.
pub(crate) fn list(items: &[String], last: &str) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., end] => format!("{} {last} {end}", first.join(", ")),
    }
}

/// Text from a file or an argument, as a message shows it: cut if it is long, and without control
/// characters.
pub(crate) fn quote(text: &str) -> String {
    let visible = |letter: char| if letter.is_control() { '\u{fffd}' } else { letter };
    let shown: String = text.chars().take(100).map(visible).collect();
    let rest = if text.chars().nth(100).is_some() { "..." } else { "" };
    format!("`{shown}{rest}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_by_hand() {
        let list =
            |items: &[&str]| list(&items.iter().map(|i| (*i).to_owned()).collect::<Vec<_>>(), "or");
        assert_eq!([list(&[]), list(&["a"]), list(&["a", "b"])], ["", "a", "a or b"]);
        assert_eq!(list(&["a", "b", "c"]), "a, b or c");
    }

    #[test]
    fn quotes_are_short_and_have_no_control_characters() {
        assert_eq!(quote("5,1"), "`5,1`");
        assert_eq!(quote("\x1b[2Jé\n"), "`\u{fffd}[2Jé\u{fffd}`");
        assert_eq!(quote(&"é".repeat(101)), format!("`{}...`", "é".repeat(100)));
    }
}
