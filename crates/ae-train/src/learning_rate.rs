//! The learning rate as a function of the step.

use crate::{Error, Result};

/// The learning rate over a run: it rises linearly during the warm-up, then follows the decay.
///
/// | field | default | range | meaning |
/// |---|---|---|---|
/// | `peak` | 1e-3 | above 0 | the rate after warm-up |
/// | `warm_up` | 0 | from 0 | epochs, or a fraction of one, in which it rises to `peak` by the same amount in each step |
/// | `decay` | cosine | | the rate after warm-up |
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LearningRate {
    /// The rate after warm-up.
    pub peak: f64,
    /// Epochs of warm-up, or a fraction of one.
    pub warm_up: f64,
    /// The rate after warm-up.
    pub decay: Decay,
}

/// How a learning rate falls after warm-up.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Decay {
    /// The rate stays at `peak`.
    Constant,
    /// The rate falls along half a cosine to 0 at the end of the run: `peak (1 + cos(pi t)) / 2`, with `t`
    /// from 0 to 1 (Loshchilov & Hutter 2017, arXiv 1608.03983, without restarts).
    #[default]
    Cosine,
    /// The rate is multiplied by `factor` after every `epochs` epochs.
    Step {
        /// Epochs between two changes.
        epochs: usize,
        /// The factor, in (0, 1].
        factor: f64,
    },
}

impl Default for LearningRate {
    fn default() -> Self {
        Self { peak: 1e-3, warm_up: 0.0, decay: Decay::Cosine }
    }
}

impl LearningRate {
    pub(crate) fn check(&self) -> Result<()> {
        if !(self.peak.is_finite() && self.peak > 0.0) {
            return Err(Error::setting("learning rate", "a number above 0", self.peak));
        }
        if !(self.warm_up.is_finite() && self.warm_up >= 0.0) {
            return Err(Error::setting("epochs of warm-up", "a number from 0", self.warm_up));
        }
        match self.decay {
            Decay::Step { epochs: 0, .. } => {
                Err(Error::setting("epochs between falls of the learning rate", "at least 1", 0))
            }
            Decay::Step { factor, .. } if !(factor > 0.0 && factor <= 1.0) => {
                Err(Error::setting("factor of the learning rate", "a number in (0, 1]", factor))
            }
            _ => Ok(()),
        }
    }

    /// The rate of step `step`, from 0, in a run of `steps` steps with `per_epoch` steps per epoch.
    pub fn at(&self, step: u64, steps: u64, per_epoch: u64) -> f64 {
        let warm_up = (self.warm_up * per_epoch as f64).ceil() as u64;
        if step < warm_up {
            return self.peak * (step + 1) as f64 / warm_up as f64;
        }
        match self.decay {
            Decay::Constant => self.peak,
            Decay::Cosine => {
                let rest = steps.saturating_sub(warm_up).max(1);
                let t = (step - warm_up) as f64 / rest as f64;
                self.peak * (1.0 + (std::f64::consts::PI * t.min(1.0)).cos()) / 2.0
            }
            Decay::Step { epochs, factor } => {
                let falls = step / per_epoch.max(1) / epochs as u64;
                self.peak * factor.powf(falls as f64)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(left: f64, right: f64) {
        assert!((left - right).abs() < 1e-12, "{left} {right}");
    }

    #[test]
    fn rates_by_hand() {
        let cosine = LearningRate { peak: 0.1, warm_up: 0.4, decay: Decay::Cosine };
        close(cosine.at(0, 104, 10), 0.025);
        close(cosine.at(3, 104, 10), 0.1);
        close(cosine.at(4, 104, 10), 0.1);
        close(cosine.at(54, 104, 10), 0.05);
        close(cosine.at(103, 104, 10), 0.1 * (1.0 + (0.99 * std::f64::consts::PI).cos()) / 2.0);
        let step =
            LearningRate { peak: 1.0, warm_up: 0.0, decay: Decay::Step { epochs: 2, factor: 0.5 } };
        close(step.at(19, 100, 10), 1.0);
        close(step.at(20, 100, 10), 0.5);
        close(step.at(40, 100, 10), 0.25);
        let constant = LearningRate { decay: Decay::Constant, ..step };
        close(constant.at(99, 100, 10), 1.0);
    }

    #[test]
    fn rates_out_of_range_are_refused() {
        let refused = |rate: LearningRate| rate.check().unwrap_err().to_string();
        let rate = LearningRate::default();
        rate.check().unwrap();
        assert_eq!(
            refused(LearningRate { peak: -1.0, ..rate }),
            "learning rate: expected a number above 0, got -1"
        );
        assert_eq!(
            refused(LearningRate { warm_up: f64::NAN, ..rate }),
            "epochs of warm-up: expected a number from 0, got NaN"
        );
        assert_eq!(
            refused(LearningRate { decay: Decay::Step { epochs: 1, factor: 2.0 }, ..rate }),
            "factor of the learning rate: expected a number in (0, 1], got 2"
        );
    }
}
