//! Samples with labels, for classifiers.

use std::sync::Arc;

use ae_data::{Labels, Samples, Source, Subset};

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

    /// The number of samples.
    pub fn len(&self) -> usize {
        self.labels.classes().len()
    }

    /// Whether there are no samples.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
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

/// What [`Training`](crate::Training) takes for a classifier: labelled samples, of which it holds out some for
/// validation; or [`LabelledData`], or a pair of training and validation samples, which it takes as
/// they are.
pub struct LabelledInput {
    data: LabelledData,
    is_to_split: bool,
}

impl LabelledInput {
    /// With a fraction of the samples held out, where that is left to the training and is not 0.
    pub(crate) fn hold_out(self, fraction: f64, seed: u64) -> Result<LabelledData> {
        if !self.is_to_split || fraction == 0.0 {
            return Ok(self.data);
        }
        let all = self.data.training;
        let (kept, held_out) = ae_data::split_rows(all.len(), fraction, seed)?;
        let subset = |rows: Vec<usize>| Labelled {
            labels: all.labels.subset(&rows),
            samples: Arc::new(Subset::new(all.samples.clone(), rows)),
        };
        Ok(LabelledData { training: subset(kept), validation: Some(subset(held_out)) })
    }
}

impl From<Labelled> for LabelledInput {
    fn from(training: Labelled) -> Self {
        Self { data: LabelledData { training, validation: None }, is_to_split: true }
    }
}

impl From<LabelledData> for LabelledInput {
    fn from(data: LabelledData) -> Self {
        Self { data, is_to_split: false }
    }
}

impl From<&LabelledData> for LabelledInput {
    fn from(data: &LabelledData) -> Self {
        data.clone().into()
    }
}

impl From<(Labelled, Labelled)> for LabelledInput {
    fn from((training, validation): (Labelled, Labelled)) -> Self {
        LabelledData { training, validation: Some(validation) }.into()
    }
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
