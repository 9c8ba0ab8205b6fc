//! Samples with the class of each: what a classifier is fitted to.

use std::sync::Arc;

use ae_data::{Labels, Samples, Source};

use crate::{Error, Result};

/// Rows of features, wherever they lie, and the class of each.
#[derive(Clone)]
pub struct Labelled {
    samples: Arc<dyn Source>,
    labels: Labels,
}

impl Labelled {
    /// Rows and their labels.
    ///
    /// # Errors
    /// If there are not as many labels as rows.
    pub fn new(samples: Arc<dyn Source>, labels: Labels) -> Result<Self> {
        let (expected, got) = (samples.len(), labels.classes().len());
        if expected != got {
            let message = format!("labels: expected {expected}, one per sample, got {got}");
            return Err(Error::Objective(message));
        }
        Ok(Self { samples, labels })
    }

    /// Samples that carry their labels.
    ///
    /// # Errors
    /// If they carry none.
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

    /// The class of each.
    pub fn labels(&self) -> &Labels {
        &self.labels
    }

    /// Whether a model with so many classes has a score for each that comes; `part` is what to
    /// call the samples, as in ` of the training part`.
    pub(crate) fn check(&self, part: &str, classes: usize) -> Result<()> {
        let mut all = self.labels.classes().iter().enumerate();
        match all.find(|(_, class)| **class as usize >= classes) {
            None => Ok(()),
            Some((row, class)) => Err(Error::Objective(format!(
                "class of sample {row}{part}: expected a number from 0 to {}, as the \
                 model has {classes} classes, got {class}",
                classes - 1
            ))),
        }
    }

    /// A number that other labels hardly have.
    pub(crate) fn fingerprint(&self) -> String {
        let classes = self.labels.classes();
        let hash = classes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, class| {
            (hash ^ u64::from(*class)).wrapping_mul(0x0100_0000_01b3)
        });
        format!("{} classes, {hash:016x}", classes.len())
    }
}

/// What a classifier is fitted to. The test part has no place here.
#[derive(Clone)]
pub struct LabelledData {
    /// To take steps on.
    pub training: Labelled,
    /// To choose the best epoch by, and to stop early.
    pub validation: Option<Labelled>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use ae_data::Shape;

    #[test]
    fn labels_that_are_missing_or_too_few_are_refused() {
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
    fn a_class_without_a_score_is_found() {
        let samples = Samples::from_floats(vec![0.0; 3], Shape::table(1)).unwrap();
        let names = (0..4).map(|class| class.to_string()).collect();
        let labels = Labels::new(vec![0, 1, 3], names).unwrap();
        let labelled = Labelled::new(Arc::new(samples), labels).unwrap();
        labelled.check(" of the training part", 4).unwrap();
        assert_eq!(
            labelled.check(" of the training part", 3).unwrap_err().to_string(),
            "class of sample 2 of the training part: expected a number from 0 to 2, as the model \
             has 3 classes, got 3"
        );
    }
}
