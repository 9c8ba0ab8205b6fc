//! The settings of an imputation.

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// The most models of an ensemble.
const MOST_MODELS: usize = 1000;

/// The largest tilt.
const MOST_TILT: f64 = 5.0;

/// The settings of an imputation.
///
/// | field | default | range | meaning |
/// |---|---|---|---|
/// | `models` | 5 | 1 to 1000 | models, each fitted to a bootstrap sample of the rows |
/// | `epochs` | by the number of rows | from 0 | passes over the rows; with 0 the models are normal distributions |
/// | `width` | by the number of features | from 1 | units of the hidden layers |
/// | `hide` | 0.2 | (0, 0.9] | the least share of a column's cells that a step hides; a column with more missing cells has as many hidden |
/// | `check` | 0.1 | (0, 0.5] | the share of known cells that is held back, to say how good the imputation is and how far off a cell may be |
/// | `tilt` | 0 | \[-5, 5\] | how much the log odds of a cell being missing are assumed to grow with each deviation of its value; 0: they do not depend on it |
/// | `seed` | 0 | any | the seed of everything random |
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The number of models.
    pub models: usize,
    /// Passes over the rows.
    pub epochs: Option<usize>,
    /// Units of the hidden layers.
    pub width: Option<usize>,
    /// The least share of a column's cells that a step hides.
    pub hide: f64,
    /// The share of known cells that is held back.
    pub check: f64,
    /// The growth of the log odds of a cell being missing with each deviation of its value. If a value `x`, standardised,
    /// is missing with the odds `e^(a x + c)`, the missing values are distributed as the known ones with the weights
    /// `e^(a x)` (exponential tilting: Rotnitzky, Robins & Scharfstein 1998, doi 10.1080/01621459.1998.10473795). Known
    /// cells that were held back count by these weights in intervals and draws. The data cannot tell `a`: it is an
    /// assumption, to see how much depends on it.
    #[serde(default)]
    pub tilt: f64,
    /// The seed of everything random.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { models: 5, epochs: None, width: None, hide: 0.2, check: 0.1, tilt: 0.0, seed: 0 }
    }
}

impl Settings {
    /// Checks that every setting is in its range.
    pub(crate) fn check(&self) -> Result<()> {
        if !(1..=MOST_MODELS).contains(&self.models) {
            return Err(Error::setting("models", format!("1 to {MOST_MODELS}"), self.models));
        }
        if self.width == Some(0) {
            return Err(Error::setting("width", "at least 1", 0));
        }
        for (what, value, most) in [
            ("share of cells that a step hides", self.hide, 0.9),
            ("share of cells held back", self.check, 0.5),
        ] {
            if !(value > 0.0 && value <= most) {
                return Err(Error::setting(what, format!("a number in (0, {most}]"), value));
            }
        }
        if !(-MOST_TILT..=MOST_TILT).contains(&self.tilt) {
            let expected = format!("a number in [-{MOST_TILT}, {MOST_TILT}]");
            return Err(Error::setting("tilt", expected, self.tilt));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_out_of_range_are_refused() {
        let usual = Settings::default();
        assert!(usual.check().is_ok());
        for (settings, expected) in [
            (
                Settings { tilt: f64::NAN, ..usual.clone() },
                "tilt: expected a number in [-5, 5], got NaN",
            ),
            (Settings { models: 0, ..usual.clone() }, "models: expected 1 to 1000, got 0"),
            (Settings { models: 1001, ..usual.clone() }, "models: expected 1 to 1000, got 1001"),
            (Settings { width: Some(0), ..usual.clone() }, "width: expected at least 1, got 0"),
            (
                Settings { hide: 0.95, ..usual.clone() },
                "share of cells that a step hides: expected a number in (0, 0.9], got 0.95",
            ),
            (
                Settings { check: f64::NAN, ..usual.clone() },
                "share of cells held back: expected a number in (0, 0.5], got NaN",
            ),
        ] {
            assert_eq!(settings.check().unwrap_err().to_string(), expected);
        }
    }
}
