//! What can go wrong with data, said so that the reader knows what to do.

use std::path::{Path, PathBuf};

/// Result of anything in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that can be wrong with a data set.
///
/// Each message names the file (or the argument), what was expected and what came.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused.
    #[error("{}: {reason}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        reason: std::io::Error,
    },
    /// A file does not hold what its format promises.
    #[error("{}: expected {expected}, got {got}", path.display())]
    Malformed {
        /// The file or folder.
        path: PathBuf,
        /// What a good file has there.
        expected: String,
        /// What this one has.
        got: String,
    },
    /// One place in a file does not hold what its format promises.
    #[error("{}, {place}: expected {expected}, got {got}", path.display())]
    MalformedAt {
        /// The file.
        path: PathBuf,
        /// Where in it: `line 3, column height`.
        place: String,
        /// What a good file has there.
        expected: String,
        /// What this one has.
        got: String,
    },
    /// A data set is not on this machine and was not (or could not be) downloaded.
    #[error("{0}")]
    Missing(String),
    /// Values given by the caller that cannot be samples.
    #[error("{what}: expected {expected}, got {got}")]
    Invalid {
        /// Which argument or value.
        what: String,
        /// What is allowed.
        expected: String,
        /// What was given.
        got: String,
    },
}

impl Error {
    /// From reading or writing `path`; a verdict on its bytes that came as an I/O error, because
    /// it passed through [`std::io::Read`], comes out whole.
    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |reason| match reason.downcast::<Self>() {
            Ok(verdict) => verdict,
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

    /// The same error of an argument, with what it is an argument of.
    pub(crate) fn of(mut self, source: &str) -> Self {
        if let Self::Invalid { what, .. } = &mut self {
            what.push_str(" of ");
            what.push_str(source);
        }
        self
    }

    /// The same error of a file, with what to do about it at the end.
    pub(crate) fn advise(mut self, advice: &str) -> Self {
        if let Self::Malformed { got, .. } | Self::MalformedAt { got, .. } = &mut self {
            got.push_str("; ");
            got.push_str(advice);
        }
        self
    }
}

/// `a, b or c`: a list as a person writes it.
pub(crate) fn list(items: &[String], last: &str) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., end] => format!("{} {last} {end}", first.join(", ")),
    }
}

/// Text out of a file or an argument as shown in a message: not all of it where it is long, and
/// nothing that would move the cursor of a terminal.
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
    fn lists_read_as_prose() {
        let list =
            |items: &[&str]| list(&items.iter().map(|i| (*i).to_owned()).collect::<Vec<_>>(), "or");
        assert_eq!([list(&[]), list(&["a"]), list(&["a", "b"])], ["", "a", "a or b"]);
        assert_eq!(list(&["a", "b", "c"]), "a, b or c");
    }

    #[test]
    fn quotes_are_short_and_harmless() {
        assert_eq!(quote("5,1"), "`5,1`");
        assert_eq!(quote("\x1b[2Jé\n"), "`\u{fffd}[2Jé\u{fffd}`");
        assert_eq!(quote(&"é".repeat(101)), format!("`{}...`", "é".repeat(100)));
    }
}
