//! How many units of a code training keeps, epoch by epoch.

use crate::{Error, NoiseKey, Phase, Result};

/// The number of units that training keeps of each code, falling from a large one to a small one
/// (Makhzani & Frey 2013, arXiv 1312.5663). With few from the beginning, most units would never be
/// chosen, and die.
///
/// | parameter | range | meaning |
/// |---|---|---|
/// | `from` | `to` to the code's units | units kept in the first epoch |
/// | `to` | from 1 | units kept after `epochs` |
/// | `epochs` | from 1, if the number falls | epochs over which the number falls, in equal steps |
///
/// After training the model keeps what its configuration says
/// ([`top_k`](ae_models::Encoder::top_k)): `to` or more. The paper takes two to three times as many
/// as in training.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct TopKSchedule {
    from: usize,
    to: usize,
    epochs: usize,
}

impl TopKSchedule {
    /// The same number in every epoch.
    ///
    /// # Errors
    /// If `k` is 0.
    pub fn constant(k: usize) -> Result<Self> {
        Self::annealed(k, k, 0)
    }

    /// A number that falls from `from` to `to` over `epochs` epochs.
    ///
    /// # Errors
    /// If `to` is 0 or more than `from`, or it is less and `epochs` is 0.
    pub fn annealed(from: usize, to: usize, epochs: usize) -> Result<Self> {
        if to == 0 {
            return Err(Error::setting("units kept", "at least 1", to));
        }
        if from < to {
            let expected = "at least as many in the first epoch as in the last";
            return Err(Error::setting("units kept", expected, format!("{from} and {to}")));
        }
        if from > to && epochs == 0 {
            return Err(Error::setting(
                "epochs of a falling number of units",
                "at least 1",
                epochs,
            ));
        }
        Ok(Self { from, to, epochs })
    }

    /// The last number.
    pub fn to(self) -> usize {
        self.to
    }

    /// The number in the first epoch.
    pub fn from(self) -> usize {
        self.from
    }

    /// The number for a batch; in validation, the last one.
    pub fn at(self, key: NoiseKey) -> usize {
        match key.phase {
            Phase::Train(epoch) if (epoch as usize) < self.epochs => {
                self.from - (self.from - self.to) * epoch as usize / self.epochs
            }
            _ => self.to,
        }
    }
}

impl std::fmt::Display for TopKSchedule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.from == self.to {
            true => write!(f, "{} units kept", self.to),
            false => {
                write!(f, "{} to {} units kept over {} epochs", self.from, self.to, self.epochs)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 100 -> 20 over 4 epochs: 80 less in steps of 20.
    #[test]
    fn annealing_by_hand() {
        let schedule = TopKSchedule::annealed(100, 20, 4).unwrap();
        let at = |epoch| schedule.at(NoiseKey { seed: 0, phase: Phase::Train(epoch), step: 7 });
        assert_eq!([0, 1, 2, 3, 4, 9].map(at), [100, 80, 60, 40, 20, 20]);
        assert_eq!(schedule.at(NoiseKey::validation(0)), 20);
        let constant = TopKSchedule::constant(5).unwrap();
        assert_eq!(constant.at(NoiseKey { seed: 0, phase: Phase::Train(0), step: 0 }), 5);
        assert_eq!(schedule.to_string(), "100 to 20 units kept over 4 epochs");
        assert_eq!(constant.to_string(), "5 units kept");
    }

    #[test]
    fn rising_and_zero_schedules_are_refused() {
        assert_eq!(
            TopKSchedule::annealed(5, 6, 1).unwrap_err().to_string(),
            "units kept: expected at least as many in the first epoch as in the last, got 5 and 6"
        );
        assert_eq!(
            TopKSchedule::annealed(6, 5, 0).unwrap_err().to_string(),
            "epochs of a falling number of units: expected at least 1, got 0"
        );
        assert_eq!(
            TopKSchedule::constant(0).unwrap_err().to_string(),
            "units kept: expected at least 1, got 0"
        );
    }
}
