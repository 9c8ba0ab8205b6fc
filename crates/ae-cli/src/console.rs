//! What a run prints to the terminal.

use std::fmt::Display;

/// Whether a run has the terminal to itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Console {
    /// The only run, or one after the other: prints everything.
    #[default]
    Single,
    /// One of several parallel runs, by its name: prints only notices.
    Parallel(String),
}

impl Console {
    /// Prints progress, unless runs are parallel.
    pub fn progress(&self, line: impl Display) {
        if *self == Self::Single {
            eprintln!("{line}");
        }
    }

    /// Prints what the user has to know in any case.
    pub fn notice(&self, line: impl Display) {
        match self {
            Self::Single => eprintln!("{line}"),
            Self::Parallel(name) => eprintln!("{name}: {line}"),
        }
    }
}
