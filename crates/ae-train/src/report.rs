//! What an epoch was like, and what looked wrong in it.

use crate::Evaluation;

/// One epoch in numbers.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct EpochReport {
    /// From 1.
    pub epoch: usize,
    /// Steps done at its end.
    pub done: u64,
    /// The mean of each term of the objective over its steps, named, each with its weight.
    pub training: Vec<(String, f64)>,
    /// The validation part, if there is one.
    pub validation: Option<Validation>,
    /// The learning rate of its last step.
    pub rate: f64,
    /// Seconds of training, without validation. A resumed epoch counts from the resumption.
    pub seconds: f64,
    /// Samples trained on per second in that time.
    pub samples_per_second: f64,
}

impl EpochReport {
    /// The sum of the training terms.
    pub fn training_loss(&self) -> f64 {
        self.training.iter().map(|(_, value)| value).sum()
    }
}

/// A model on the validation part.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Validation {
    /// The mean of each term of the objective; corruption is the same at every epoch.
    pub terms: Vec<(String, f64)>,
    /// Without corruption.
    pub evaluation: Evaluation,
}

impl Validation {
    /// The sum of the terms: what early stopping goes by.
    pub fn loss(&self) -> f64 {
        self.terms.iter().map(|(_, value)| value).sum()
    }
}

/// Something that looks wrong, though training can go on.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Warning {
    /// All reconstructions are nearly the same.
    Collapsed {
        /// The epoch, from 1.
        epoch: usize,
        /// Variance of the reconstructions over that of the data.
        variance_kept: f64,
    },
    /// Units of the code that never change.
    DeadUnits {
        /// The epoch, from 1.
        epoch: usize,
        /// How many.
        dead: usize,
        /// Of how many.
        units: usize,
    },
}

/// Below this share of the data's variance the outputs are called collapsed.
const COLLAPSED: f64 = 0.02;

impl Warning {
    pub(crate) fn of(epoch: usize, evaluation: &Evaluation) -> Vec<Self> {
        let mut warnings = Vec::new();
        if let Some(variance_kept) = evaluation.variance_kept
            && variance_kept < COLLAPSED
        {
            warnings.push(Self::Collapsed { epoch, variance_kept });
        }
        let (dead, units) = (evaluation.dead_units, evaluation.code_size);
        if dead > 0 {
            warnings.push(Self::DeadUnits { epoch, dead, units });
        }
        warnings
    }

    /// Whether both say the same, if of different epochs and numbers.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

impl std::fmt::Display for Warning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Collapsed { epoch, variance_kept } => write!(
                f,
                "epoch {epoch}: the outputs have collapsed to the mean (they keep {:.1} % of the \
                 data's variance); try a lower learning rate, a warm-up, another activation than \
                 sigmoid in hidden layers, or pretraining",
                variance_kept * 100.0
            ),
            Self::DeadUnits { epoch, dead, units } => write!(
                f,
                "epoch {epoch}: {dead} of {units} code units never change; they carry nothing: \
                 try a lower learning rate, a smaller code, or a code activation that is not flat"
            ),
        }
    }
}
