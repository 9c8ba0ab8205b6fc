//! Measures a classifier on a data set.

use std::fmt::Write;

use ae_models::Classify;

use crate::evaluate::{first, for_each_batch};
use crate::{Batches, Error, HeadLoss, Labelled, Result};

/// The results of a classifier on a data set.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Classification {
    /// The number of samples.
    pub samples: usize,
    /// The number of samples whose class was predicted.
    pub correct: usize,
    /// The mean of the loss over samples, without weight decay.
    pub loss: f64,
    /// `confusion[true][predicted]`: the number of samples of one class that were predicted as another.
    pub confusion: Vec<Vec<usize>>,
}

impl Classification {
    /// The fraction of samples that are right, in \[0, 1\].
    pub fn accuracy(&self) -> f64 {
        self.correct as f64 / self.samples as f64
    }

    /// The fraction of samples that are wrong, in \[0, 1\].
    pub fn error(&self) -> f64 {
        (self.samples - self.correct) as f64 / self.samples as f64
    }

    /// Accuracy, loss and, of up to 20 classes, the confusion matrix as text. `classes` are their names.
    pub fn to_text(&self, classes: &[String]) -> String {
        let mut text = format!(
            "accuracy                   {:.2} %, {} of {}\n",
            100.0 * self.accuracy(),
            self.correct,
            self.samples
        );
        // Writing to a string does not fail.
        let _ = writeln!(text, "loss per sample            {:.5}", self.loss);
        if classes.len() > MAX_CLASSES {
            return text;
        }
        let short = |name: &String| name.chars().take(10).collect::<String>();
        let wide = classes.iter().map(|name| short(name).chars().count()).max().unwrap_or(1).max(5);
        text += "\nconfusion matrix (rows: true class, columns: predicted class)\n";
        let _ = write!(text, "{:wide$}", "");
        classes.iter().for_each(|name| {
            let _ = write!(text, " {:>wide$}", short(name));
        });
        for (name, row) in classes.iter().zip(&self.confusion) {
            let _ = write!(text, "\n{:wide$}", short(name));
            for count in row {
                let _ = write!(text, " {count:>wide$}");
            }
        }
        text + "\n"
    }
}

/// More classes than this do not fit a confusion matrix in text.
const MAX_CLASSES: usize = 20;

/// The predicted class of every sample, and the results over all samples.
#[derive(Clone, Debug, PartialEq)]
pub struct Predictions {
    /// The results over all samples.
    pub classification: Classification,
    /// One class per sample, in the order of the data.
    pub classes: Vec<u32>,
}

/// Classifies a data set, `batch` samples at a time, on the device of the model.
///
/// The predicted class is the one with the highest score, the lowest one among equals.
///
/// ```
/// use ae_data::digits;
/// use ae_models::HeadConfig;
/// use ae_train::{HeadLoss, Labelled, classify};
/// use burn::tensor::Device;
///
/// // A head of zeros has the same score for all: class 0, with a loss of ln 10.
/// let head = HeadConfig::new(784, 10).init(&Device::flex())?;
/// let data = Labelled::from_samples(digits::generate(50, 0))?;
/// let predictions = classify(&head, HeadLoss::Softmax, &data, 16)?;
/// assert!(predictions.classes.iter().all(|class| *class == 0));
/// assert_eq!(predictions.classification.accuracy(), 0.1);
/// assert_eq!(predictions.classification.confusion[7][0], 5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If the data cannot be read, has another width than the model, or has a class for which the
/// model has no score.
///
/// # Panics
/// If `batch` is 0.
pub fn classify<M: Classify>(
    model: &M,
    loss: HeadLoss,
    data: &Labelled,
    batch: usize,
) -> Result<Predictions> {
    let width = data.samples().width();
    if width != model.features() {
        return Err(Error::other_width(model.features(), width));
    }
    data.check("", model.classes())?;
    let model = model.valid();
    // Every row is read once, so keeping them on the device has no use.
    let batches = Batches::new(data.samples().clone(), &model.head().weight().device(), 0, None)?;
    predict(&model, loss, &batches, data.labels().classes(), batch)
}

/// As [`classify`], without the checks.
pub(crate) fn predict<M: Classify>(
    model: &M,
    loss: HeadLoss,
    data: &Batches,
    classes: &[u32],
    batch: usize,
) -> Result<Predictions> {
    let mut predicted = Vec::with_capacity(data.len());
    let mut confusion = vec![vec![0; model.classes()]; model.classes()];
    let mut sum = 0.0;
    for_each_batch(data, batch, |input, count| {
        let scores = first(model.scores(input), count);
        let expected = &classes[predicted.len()..][..count];
        let losses = loss.samples(scores.clone(), expected).into_data();
        sum += losses.iter::<f64>().sum::<f64>();
        let scores: Vec<f64> = scores.into_data().iter().collect();
        for (scores, expected) in scores.chunks_exact(model.classes()).zip(expected) {
            let class = highest(scores);
            confusion[*expected as usize][class] += 1;
            predicted.push(class as u32);
        }
    })?;
    let samples = predicted.len();
    let correct = (0..confusion.len()).map(|class| confusion[class][class]).sum();
    let classification = Classification { samples, correct, loss: sum / samples as f64, confusion };
    Ok(Predictions { classification, classes: predicted })
}

/// The first of the highest scores, found on the host, since back ends choose differently among equals.
fn highest(scores: &[f64]) -> usize {
    let better = |best, class| if scores[class] > scores[best] { class } else { best };
    (1..scores.len()).fold(0, better)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ae_data::{Labels, Samples, Shape};
    use ae_models::{Head, HeadConfig, tensors};
    use burn::tensor::{Device, TensorData};
    use std::sync::Arc;

    /// Scores are the features.
    fn identity() -> Head {
        let head = HeadConfig::new(2, 2).init(&Device::flex()).unwrap();
        let mut weights = tensors::collect(&head);
        weights.insert("weight".into(), TensorData::from([[1.0f32, 0.0], [0.0, 1.0]]));
        tensors::replace(head, weights).unwrap()
    }

    fn labelled(values: &[f32], classes: &[u32]) -> Labelled {
        let samples = Samples::from_floats(values.to_vec(), Shape::table(2)).unwrap();
        let names = ["a", "b", "c"].map(str::to_owned).to_vec();
        let labels = Labels::new(classes.to_vec(), names).unwrap();
        Labelled::new(Arc::new(samples), labels).unwrap()
    }

    /// Scores (2, 0), (1, 3), (1, 3), (0, 0), (0, 0) of the classes 0, 0, 1, 0, 1. Predictions 0, 1, 1
    /// and twice 0, the lowest of equals: of class 0 two are right and one is taken for 1, of
    /// class 1 one is right and one taken for 0. Losses: log(1 + e^-2) twice, log(1 + e^2),
    /// log 2 twice: (2 * 0.126928 + 2.126928 + 2 * 0.693147) / 5 = 0.753416.
    #[test]
    fn confusion_and_loss_by_hand_for_every_batch_size() {
        let values = [2.0, 0.0, 1.0, 3.0, 1.0, 3.0, 0.0, 0.0, 0.0, 0.0];
        let data = labelled(&values, &[0, 0, 1, 0, 1]);
        for batch in [1, 2, 5, 9] {
            let answers = classify(&identity(), HeadLoss::Softmax, &data, batch).unwrap();
            assert_eq!(answers.classes, [0, 1, 1, 0, 0]);
            let classification = answers.classification;
            assert_eq!(classification.confusion, [[2, 1], [1, 1]]);
            assert_eq!((classification.samples, classification.correct), (5, 3));
            assert_eq!((classification.accuracy(), classification.error()), (0.6, 0.4));
            assert!((classification.loss - 0.753_416).abs() < 1e-6, "{}", classification.loss);
        }
    }

    #[test]
    fn data_that_does_not_fit_the_model_is_refused() {
        let refuse = |data: &Labelled| {
            classify(&identity(), HeadLoss::Softmax, data, 8).unwrap_err().to_string()
        };
        assert_eq!(
            refuse(&labelled(&[0.0; 4], &[1, 2])),
            "class of sample 1: expected a number from 0 to 1, as the model has \
             2 classes, got 2"
        );
        let wide = Samples::from_floats(vec![0.0; 3], Shape::table(3)).unwrap();
        let labels = Labels::new(vec![0], vec!["a".into()]).unwrap();
        assert_eq!(
            refuse(&Labelled::new(Arc::new(wide), labels).unwrap()),
            "samples: expected 2 features, as the model has, got 3"
        );
    }

    #[test]
    fn confusion_matrix_in_text() {
        let confusion = vec![vec![7, 1], vec![0, 12]];
        let classification = Classification { samples: 20, correct: 19, loss: 0.25, confusion };
        let text = classification.to_text(&["cat".into(), "a dog".into()]);
        let expected = "accuracy                   95.00 %, 19 of 20\n\
                        loss per sample            0.25000\n\n\
                        confusion matrix (rows: true class, columns: predicted class)\n\
                        \u{20}       cat a dog\n\
                        cat       7     1\n\
                        a dog     0    12\n";
        assert_eq!(text, expected);
    }
}
