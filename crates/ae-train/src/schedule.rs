//! How long, how fast and from which seed a model is trained.

use crate::{Error, Optimizer, Precision, RESIDENT_LIMIT, Rate, Result};

/// The plan of a run.
///
/// | field | default | range | meaning |
/// |---|---|---|---|
/// | `epochs` | 10 | from 0 | passes over the training part; with 0 the model stays as it began |
/// | `batch` | 128 | from 1 | samples of a step; an epoch leaves out the rest that fills no batch, another rest each time |
/// | `optimizer` | Adam | | the update rule |
/// | `rate` | 1e-3, cosine | | learning rate over the run |
/// | `precision` | full | | the [type](Precision) that layers compute in |
/// | `clip` | none | above 0 | greatest norm of all gradients together |
/// | `patience` | none | from 1 | epochs without a [better](crate::Validation::is_better_than) validation after which training stops |
/// | `seed` | 0 | any | of the order of samples and of all noise |
/// | `resident_limit` | 1 GiB | any | bytes the training part may take on the device before it is streamed |
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// Passes over the training part.
    pub epochs: usize,
    /// Samples of a step.
    pub batch: usize,
    /// The update rule.
    pub optimizer: Optimizer,
    /// Learning rate over the run.
    pub rate: Rate,
    /// The type that layers compute in.
    #[serde(default, skip_serializing_if = "Precision::is_full")]
    pub precision: Precision,
    /// Greatest norm of all gradients together.
    pub clip: Option<f64>,
    /// Epochs without a better validation after which training stops.
    pub patience: Option<usize>,
    /// Of the order of samples and of all noise.
    pub seed: u64,
    /// Bytes the training part may take on the device.
    pub resident_limit: usize,
}

impl Default for Schedule {
    fn default() -> Self {
        Self {
            epochs: 10,
            batch: 128,
            optimizer: Optimizer::default(),
            rate: Rate::default(),
            precision: Precision::default(),
            clip: None,
            patience: None,
            seed: 0,
            resident_limit: RESIDENT_LIMIT,
        }
    }
}

impl Schedule {
    /// Whether every number is in its range.
    ///
    /// # Errors
    /// Names the first that is not.
    pub fn check(&self) -> Result<()> {
        let at_least_one = |what, value: usize| match value {
            0 => Err(Error::setting(what, "at least 1", 0)),
            _ => Ok(()),
        };
        at_least_one("batch size", self.batch)?;
        at_least_one("patience", self.patience.unwrap_or(1))?;
        if let Some(clip) = self.clip
            && !(clip.is_finite() && clip > 0.0)
        {
            return Err(Error::setting("gradient norm to clip at", "a number above 0", clip));
        }
        self.optimizer.check()?;
        self.rate.check()
    }

    /// What a checkpoint knows a schedule by: as it was before there were precisions where it is in full, so
    /// that older checkpoints are taken up.
    pub(crate) fn identity(&self) -> String {
        format!("{self:?}").replace("precision: Full, ", "")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_precision_is_part_of_the_identity_unless_it_is_full() {
        let identity = |precision| Schedule { precision, ..Schedule::default() }.identity();
        assert!(!identity(Precision::Full).contains("precision"));
        assert!(identity(Precision::F16).contains("precision: F16, clip: None"));
    }
}
