//! Samples with labels, for classifiers.

use std::sync::Arc;

use ae_data::{Labels, Samples, Source};

use crate::{Error, Result};

/// Rows of features, and the class of each.
#[derive(Clone)]
pub struct Labelled {
    samples: Arc<dyn Source>,
    labels: Labels,
}

impl Labelled {
    /// Rows and their labels.
    ///
    /// # Errors
    /// If the number of labels is not that of the rows.
    pub fn new(samples: Arc<dyn Source>, labels: Labels) -> Result<Self> {
        let (expected, got) = (samples.len(), labels.classes().len());
        if expected != got {
            let message = format!("labels: expected {expected}, one per sample, got {got}");
            return Err(Error::Objective(message));
        }
        Ok(Self { samples, labels })
    }

    /// Samples that have labels.
    ///
    /// # Errors
    /// If they have none.
    pub fn from_samples(samples: Samples) -> Result<Self> {
        match samples.labels().cloned() {
            Some(labels) => Ok(Self { samples: Arc::new(samples), labels }),
            None => Err(Error::Objective("samples: expected a class for each, got none".into())),
        }
    }

    /// The rows.
    pub fn samples(&self) -> &Arc<dyn Source> {
        &self.samples
    }

    /// The labels of the rows.
    pub fn labels(&self) -> &Labels {
        &self.labels
    }

    /// Checks that a model of `classes` classes has a score for each label. `set` names the samples in the
    /// error, such as ` of the training set`.
    pub(crate) fn check(&self, set: &str, classes: usize) -> Result<()> {
        let mut all = self.labels.classes().iter().enumerate();
        match all.find(|(_, class)| **class as usize >= classes) {
            None => Ok(()),
            Some((row, class)) => Err(Error::Objective(format!(
                "class of sample {row}{set}: expected a number from 0 to {}, as the \
                 model has {classes} classes, got {class}",
                classes - 1
            ))),
        }
    }

    /// A text that identifies the labels.
    pub(crate) fn fingerprint(&self) -> String {
        let classes = self.labels.classes();
        let hash = ae_data::fnv1a(classes.iter().map(|class| u64::from(*class)));
        format!("{} classes, {hash:016x}", classes.len())
    }
}

/// The data that a classifier is fitted to. The test set is not part of it.
#[derive(Clone)]
pub struct LabelledData {
    /// The training set.
    pub training: Labelled,
    /// The validation set, for choosing the best epoch and for early stopping.
    pub validation: Option<Labelled>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use ae_data::Shape;

    #[test]
    fn missing_labels_are_refused() {
        let samples = Samples::from_floats(vec![0.0; 6], Shape::table(2)).unwrap();
        assert_eq!(
            Labelled::from_samples(samples.clone()).err().unwrap().to_string(),
            "samples: expected a class for each, got none"
        );
        let labels = Labels::new(vec![0, 1], vec!["a".into(), "b".into()]).unwrap();
        assert_eq!(
            Labelled::new(Arc::new(samples), labels).err().unwrap().to_string(),
            "labels: expected 3, one per sample, got 2"
        );
    }

    #[test]
    fn class_without_a_score_is_refused() {
        let samples = Samples::from_floats(vec![0.0; 3], Shape::table(1)).unwrap();
        let names = (0..4).map(|class| class.to_string()).collect();
        let labels = Labels::new(vec![0, 1, 3], names).unwrap();
        let labelled = Labelled::new(Arc::new(samples), labels).unwrap();
        labelled.check(" of the training set", 4).unwrap();
        assert_eq!(
            labelled.check(" of the training set", 3).unwrap_err().to_string(),
            "class of sample 2 of the training set: expected a number from 0 to 2, as the model \
             has 3 classes, got 3"
        );
    }
}
