//! How many units of a k-sparse code are kept while training.

use crate::{Error, Moment, Result};

/// The number of units that training keeps of each code, falling from a large one (Makhzani & Frey
/// 2013, arXiv 1312.5663): with few from the beginning, most units would never be chosen, and die.
///
/// | parameter | range | meaning |
/// |---|---|---|
/// | `from` | `to` to the code's units | units kept in the first epoch |
/// | `to` | from 1 | units kept in the end |
/// | `epochs` | any | epochs over which the number falls, in equal steps |
///
/// In use the model keeps what its configuration says ([`kept`](ae_models::Encoder::kept)): `to`
/// or more. The paper takes two to three times as many as in training.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KSparse {
    from: usize,
    to: usize,
    epochs: usize,
}

impl KSparse {
    /// The same number at all times.
    ///
    /// # Errors
    /// If `k` is 0.
    pub fn constant(k: usize) -> Result<Self> {
        Self::annealed(k, k, 0)
    }

    /// From one number to a smaller one.
    ///
    /// # Errors
    /// If `to` is 0 or more than `from`.
    pub fn annealed(from: usize, to: usize, epochs: usize) -> Result<Self> {
        if to == 0 {
            return Err(Error::setting("units kept", "at least 1", to));
        }
        if from < to {
            let expected = "at least as many in the beginning as in the end";
            return Err(Error::setting("units kept", expected, format!("{from} and {to}")));
        }
        Ok(Self { from, to, epochs })
    }

    /// The number in the end.
    pub fn to(self) -> usize {
        self.to
    }

    /// The number in the first epoch.
    pub fn from(self) -> usize {
        self.from
    }

    /// The number at a moment; in validation, that in the end.
    pub fn at(self, moment: Moment) -> usize {
        let epoch = moment.epoch as usize;
        if epoch >= self.epochs {
            return self.to;
        }
        self.from - (self.from - self.to) * epoch / self.epochs
    }
}

impl std::fmt::Display for KSparse {
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
        let sparse = KSparse::annealed(100, 20, 4).unwrap();
        let at = |epoch| sparse.at(Moment { seed: 0, epoch, step: 7 });
        assert_eq!([0, 1, 2, 3, 4, 9, u32::MAX].map(at), [100, 80, 60, 40, 20, 20, 20]);
        let constant = KSparse::constant(5).unwrap();
        assert_eq!(constant.at(Moment { seed: 0, epoch: 0, step: 0 }), 5);
        assert_eq!(sparse.to_string(), "100 to 20 units kept over 4 epochs");
        assert_eq!(constant.to_string(), "5 units kept");
    }

    #[test]
    fn numbers_that_do_not_fall_are_refused() {
        assert_eq!(
            KSparse::annealed(5, 6, 1).unwrap_err().to_string(),
            "units kept: expected at least as many in the beginning as in the end, got 5 and 6"
        );
        assert_eq!(
            KSparse::constant(0).unwrap_err().to_string(),
            "units kept: expected at least 1, got 0"
        );
    }
}
