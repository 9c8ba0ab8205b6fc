//! Reports and warnings of an epoch.

use crate::{Classification, Evaluation};

/// The results of one epoch.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct EpochReport {
    /// The number of the epoch, from 1.
    pub epoch: usize,
    /// Steps done at its end.
    pub done: u64,
    /// The name and the mean of each term of the loss over the steps, with its weight.
    pub training: Vec<(String, f64)>,
    /// The validation, if there is a validation set.
    pub validation: Option<Validation>,
    /// The learning rate of the last step.
    pub rate: f64,
    /// Seconds of training, without validation. For a resumed epoch, since the resumption.
    pub seconds: f64,
    /// Training samples per second in this time.
    pub samples_per_second: f64,
}

impl EpochReport {
    /// The sum of the training terms.
    pub fn training_loss(&self) -> f64 {
        self.training.iter().map(|(_, value)| value).sum()
    }
}

/// The results of a model on the validation set.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Validation {
    /// The name and the mean of each term of the loss. The corruption is the same in every epoch.
    pub terms: Vec<(String, f64)>,
    /// Further results, by the kind of model, without corruption.
    #[serde(flatten)]
    pub measured: Measured,
}

/// The results of a model in addition to its loss.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measured {
    /// Results of an autoencoder.
    Evaluation(Evaluation),
    /// Results of a classifier.
    Classification(Classification),
}

impl Validation {
    /// The sum of the terms.
    pub fn loss(&self) -> f64 {
        self.terms.iter().map(|(_, value)| value).sum()
    }

    /// The results of an autoencoder.
    pub fn evaluation(&self) -> Option<&Evaluation> {
        match &self.measured {
            Measured::Evaluation(evaluation) => Some(evaluation),
            Measured::Classification(_) => None,
        }
    }

    /// The results of a classifier.
    pub fn classification(&self) -> Option<&Classification> {
        match &self.measured {
            Measured::Classification(classification) => Some(classification),
            Measured::Evaluation(_) => None,
        }
    }

    /// Whether these results are better than others, for the best epoch and early stopping. An autoencoder
    /// is better with a lower loss. A classifier is better with fewer errors, or with as many errors and a
    /// lower loss.
    pub fn is_better_than(&self, other: &Self) -> bool {
        let errors = |validation: &Self| validation.classification().map_or(0.0, |it| it.error());
        (errors(self), self.loss()) < (errors(other), other.loss())
    }

    /// The names and values of all numbers that must be finite.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = (&str, f64)> {
        let terms = self.terms.iter().map(|(name, value)| (name.as_str(), *value));
        terms.chain(self.evaluation().map(|it| ("squared error", it.squared_error)))
    }
}

/// A problem that does not stop training.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Warning {
    /// All reconstructions are nearly the same.
    Collapsed {
        /// The epoch, from 1.
        epoch: usize,
        /// The variance of the reconstructions divided by that of the data.
        variance_kept: f64,
    },
    /// Units of the code are constant.
    DeadUnits {
        /// The epoch, from 1.
        epoch: usize,
        /// The number of constant units.
        dead: usize,
        /// The number of units.
        units: usize,
    },
}

/// The fraction of the data's variance below which the outputs count as collapsed.
const COLLAPSED: f64 = 0.02;

impl Warning {
    pub(crate) fn of(epoch: usize, validation: &Validation) -> Vec<Self> {
        let mut warnings = Vec::new();
        let Some(evaluation) = validation.evaluation() else { return warnings };
        if let Some(variance_kept) = evaluation.variance_kept
            && variance_kept < COLLAPSED
        {
            warnings.push(Self::Collapsed { epoch, variance_kept });
        }
        let (dead, units) = (evaluation.dead_units, evaluation.code_size);
        // Nothing changes with samples that are all the same.
        let varies = evaluation.variance_kept.is_some();
        if dead > 0 && varies {
            warnings.push(Self::DeadUnits { epoch, dead, units });
        }
        warnings
    }

    /// Whether both are of the same kind.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn classifier(correct: usize, loss: f64) -> Validation {
        let confusion = vec![vec![correct, 10 - correct], vec![0, 0]];
        let classification = Classification { samples: 10, correct, loss, confusion };
        let terms = vec![("softmax".to_owned(), loss)];
        Validation { terms, measured: Measured::Classification(classification) }
    }

    fn autoencoder(loss: f64) -> Validation {
        let evaluation = Evaluation {
            samples: 10,
            squared_error: 1.0,
            cross_entropy: None,
            dead_units: 0,
            code_size: 2,
            variance_kept: None,
            pixel_accuracy: None,
            activity: crate::Activity {
                histogram: Vec::new(),
                mean: 0.0,
                lifetime_sparseness: None,
                saturated: None,
            },
        };
        let terms = vec![("squared-error".to_owned(), loss)];
        Validation { terms, measured: Measured::Evaluation(evaluation) }
    }

    #[test]
    fn classifier_is_better_with_fewer_errors_then_with_a_lower_loss() {
        assert!(classifier(9, 2.0).is_better_than(&classifier(8, 1.0)));
        assert!(!classifier(8, 1.0).is_better_than(&classifier(9, 2.0)));
        assert!(classifier(9, 1.0).is_better_than(&classifier(9, 2.0)));
        assert!(!classifier(9, 1.0).is_better_than(&classifier(9, 1.0)));
        assert!(autoencoder(1.0).is_better_than(&autoencoder(2.0)));
        assert!(!autoencoder(1.0).is_better_than(&autoencoder(1.0)));
    }

    /// The results are under the name of their kind, and are read to the bit.
    #[test]
    fn validations_survive_serialization() {
        for (validation, kind) in
            [(classifier(7, 0.1 + 0.2), "classification"), (autoencoder(1.0 / 3.0), "evaluation")]
        {
            let text = serde_json::to_string(&validation).unwrap();
            assert!(text.contains(&format!("],\"{kind}\":{{\"samples\":10,")), "{text}");
            assert_eq!(serde_json::from_str::<Validation>(&text).unwrap(), validation);
        }
    }
}
