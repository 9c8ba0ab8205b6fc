//! The splits of a data set.

use toml::Table;

use crate::{Error, Result};

/// A split of a data set, or all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SplitName {
    /// The training set, without what is held out for validation.
    Training,
    /// The validation set.
    Validation,
    /// The test set.
    Test,
    /// All samples, of data without a published test set.
    All,
}

/// Options of the data section that apply to single splits only, by their keys. Their names on the command line.
const OF_PARTS: [(&str, &str); 3] = [
    ("training_samples", "--train-samples"),
    ("test_samples", "--test-samples"),
    ("normal", "--one-class"),
];

impl SplitName {
    /// Checks that all values of a data section apply to the split.
    pub(crate) fn check_options(self, data: &Table, name: &str) -> Result<()> {
        let given = |(key, _): &&(&str, &str)| data.contains_key(*key);
        // Both sizes in one, which describe the data as a whole.
        let has_both = OF_PARTS[..2].iter().all(|part| given(&part));
        let of_other = match self {
            Self::All => {
                let Some((_, option)) = OF_PARTS.iter().find(given) else { return Ok(()) };
                let option = if has_both { &"--samples" } else { option };
                return Err(Error::usage(format!(
                    "{option} applies to a single split, but all of {name} is selected; add --split test or \
                     drop {option}"
                )));
            }
            Self::Training | Self::Validation => &OF_PARTS[1],
            Self::Test => &OF_PARTS[0],
        };
        match given(&of_other) && !has_both {
            true => Err(Error::usage(format!(
                "{} does not apply to the {self} set, which is selected; drop it",
                of_other.1
            ))),
            false => Ok(()),
        }
    }
}

impl std::str::FromStr for SplitName {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "training" => Ok(Self::Training),
            "validation" => Ok(Self::Validation),
            "test" => Ok(Self::Test),
            "all" => Ok(Self::All),
            _ => Err("expected training, validation, test or all".into()),
        }
    }
}

impl std::fmt::Display for SplitName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Training => "training",
            Self::Validation => "validation",
            Self::Test => "test",
            Self::All => "all",
        })
    }
}
