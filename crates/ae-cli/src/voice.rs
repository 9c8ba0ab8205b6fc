//! How much is said of a run on the terminal.

use std::fmt::Display;

/// Who a run speaks as.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Voice {
    /// The only one, or one after the other: it tells all.
    #[default]
    Alone,
    /// One of several side by side, by this name: it warns, and is silent otherwise.
    Among(String),
}

impl Voice {
    /// What goes on.
    pub fn say(&self, line: impl Display) {
        if *self == Self::Alone {
            eprintln!("{line}");
        }
    }

    /// What should be known in any case.
    pub fn tell(&self, line: impl Display) {
        match self {
            Self::Alone => eprintln!("{line}"),
            Self::Among(name) => eprintln!("{name}: {line}"),
        }
    }
}
