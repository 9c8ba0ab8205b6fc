//! Classifiers: their labelled samples, their results and how these are printed.

use std::fmt::Write;
use std::sync::Arc;

use ae_data::{Labels, Samples};
use ae_models::{Classifier, Classify, Encoder, ModelEncoder};
use ae_train::{
    Classification, EpochReport, HeadLoss, Labelled, LabelledData, Supervised, classify,
};
use burn::module::Module;
use serde::{Deserialize, Serialize};

use crate::datasets::Splits;
use crate::error::{Error, Result};
use crate::recipe::Recipe;
use crate::run::{CLASSES, SavedRun, TrainedRun, class_names, reorder_labels};

/// The results of a classifier, as `summary.json` has them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ClassifierSummary {
    pub program: String,
    pub device: String,
    pub data: String,
    pub samples: [usize; 3],
    pub features: usize,
    pub code: usize,
    pub parameters: usize,
    pub classes: Vec<String>,
    /// On the test set.
    pub test: Classification,
    /// The share of the test set that is misclassified.
    #[serde(default)]
    pub error: f64,
    pub epochs: Vec<EpochReport>,
    /// The label-efficiency curve.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub curve: Vec<LabelEfficiency>,
    /// Seconds from the start to the last step; `None` for a resumed run.
    pub seconds: Option<f64>,
}

/// Accuracy on the test set after training on `labels` labels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LabelEfficiency {
    pub labels: usize,
    /// From the run's encoder.
    pub from_run: f64,
    /// From random weights.
    pub from_random: f64,
}

impl ClassifierSummary {
    /// The result in a sentence.
    pub fn sentence(&self) -> String {
        format!(
            "test accuracy {:.2} % ({} of {} samples), error {:.2} %",
            100.0 * self.test.accuracy(),
            self.test.correct,
            self.test.samples,
            100.0 * self.test.error()
        )
    }
}

/// The classes of a run's classifier, in its order.
pub fn classes(run: &SavedRun) -> Result<Vec<String>> {
    match run.about.provenance.get(CLASSES) {
        Some(classes) => Ok(classes.lines().map(str::to_owned).collect()),
        None => Err(Error::usage(format!(
            "{}: expected the names of its classes, got none; train the head again",
            run.folder.model().display()
        ))),
    }
}

/// The loss of the head.
pub fn loss(recipe: &Recipe) -> Result<HeadLoss> {
    Ok(supervised(recipe)?.loss())
}

pub fn supervised(recipe: &Recipe) -> Result<Supervised> {
    match &recipe.head {
        Some(head) => head.supervised(),
        None => Err(Error::usage("recipe: expected a section `head`, got none")),
    }
}

/// Samples with their labels, in the order of `classes`.
pub fn labelled(samples: &Samples, name: &str, classes: &[String]) -> Result<Labelled> {
    let labels = reorder_labels(labels_of(samples, name)?, classes)?;
    Ok(Labelled::new(Arc::new(samples.clone()), labels)?)
}

fn labels_of<'a>(samples: &'a Samples, name: &str) -> Result<&'a Labels> {
    samples.labels().ok_or_else(|| {
        Error::usage(format!(
            "{name}: a classifier needs labels; name them with --label-column (tables) or --labels (NumPy \
             arrays), or sort images into one folder per class"
        ))
    })
}

/// The labelled training and validation set, and the classes. Checks the test set as well, so that a missing
/// label fails before training.
pub fn labelled_data(splits: &Splits) -> Result<(LabelledData, Vec<String>)> {
    let classes = class_names(labels_of(&splits.training, &splits.name)?);
    let split = |samples| labelled(samples, &splits.name, &classes);
    let data = LabelledData {
        training: split(&splits.training)?,
        validation: splits.validation.as_ref().map(split).transpose()?,
    };
    split(&splits.test)?;
    Ok((data, classes))
}

/// Evaluates a classifier on its test set.
pub fn summarize(
    trained: &TrainedRun<Classifier<ModelEncoder>>,
    epochs: Vec<EpochReport>,
    device: String,
    seconds: Option<f64>,
) -> Result<ClassifierSummary> {
    let TrainedRun { recipe, model, splits, .. } = trained;
    let classes = class_names(labels_of(&splits.training, &splits.name)?);
    let test = labelled(&splits.test, &splits.name, &classes)?;
    let predictions = classify(model, loss(recipe)?, &test, recipe.schedule().batch)?;
    Ok(ClassifierSummary {
        program: format!("ae {}", env!("CARGO_PKG_VERSION")),
        device,
        data: format!("{}, {}", splits.name, splits.description),
        samples: splits.sizes(),
        features: model.features(),
        code: model.encoder().code_size(),
        parameters: model.num_params(),
        classes,
        error: predictions.classification.error(),
        test: predictions.classification,
        epochs,
        curve: Vec::new(),
        seconds,
    })
}

/// More classes than this do not fit a confusion matrix in text.
const MAX_CLASSES: usize = 20;

/// Accuracy, loss and confusion matrix, as text.
pub fn to_text(classification: &Classification, classes: &[String]) -> String {
    let mut text = format!(
        "accuracy                   {:.2} %, {} of {}\n",
        100.0 * classification.accuracy(),
        classification.correct,
        classification.samples
    );
    // Writing to a string does not fail.
    let _ = writeln!(text, "loss per sample            {:.5}", classification.loss);
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
    for (name, row) in classes.iter().zip(&classification.confusion) {
        let _ = write!(text, "\n{:wide$}", short(name));
        for count in row {
            let _ = write!(text, " {count:>wide$}");
        }
    }
    text + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn confusion_matrix_in_text() {
        let confusion = vec![vec![7, 1], vec![0, 12]];
        let classification = Classification { samples: 20, correct: 19, loss: 0.25, confusion };
        let text = to_text(&classification, &["cat".into(), "a dog".into()]);
        let expected = "accuracy                   95.00 %, 19 of 20\n\
                        loss per sample            0.25000\n\n\
                        confusion matrix (rows: true class, columns: predicted class)\n\
                        \u{20}       cat a dog\n\
                        cat       7     1\n\
                        a dog     0    12\n";
        assert_eq!(text, expected);
    }
}
