//! Classifiers of the program: labelled samples, what comes of them, and how it is said.

use std::fmt::Write;
use std::sync::Arc;

use ae_data::{Labels, Samples};
use ae_models::{Classifier, Classify, Encoder, ModelEncoder};
use ae_train::{
    Classification, EpochReport, HeadLoss, Labelled, LabelledData, Supervised, classify,
};
use burn::module::Module;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::recipe::Recipe;
use crate::run::{CLASSES, Run, Trained, as_known, class_names};
use crate::session::Prepared;

/// A classifier in numbers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LabelSummary {
    pub program: String,
    pub device: String,
    pub data: String,
    pub samples: [usize; 3],
    pub features: usize,
    pub code: usize,
    pub parameters: usize,
    pub classes: Vec<String>,
    /// On the test part.
    pub test: Classification,
    /// The share of the test part that is wrong.
    #[serde(default)]
    pub error: f64,
    pub epochs: Vec<EpochReport>,
    /// What came of fewer labels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub curve: Vec<FewLabels>,
    /// Seconds from start to the last step, if it went in one go.
    pub seconds: Option<f64>,
}

/// What comes of so many labels: shares of the test part that are right.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FewLabels {
    pub labels: usize,
    /// From the run's encoder.
    pub from_run: f64,
    /// From random weights of the same net.
    pub from_random: f64,
}

impl LabelSummary {
    /// The result in a sentence.
    pub fn sentence(&self) -> String {
        format!(
            "{} of {} test samples right: {:.2} %, an error of {:.2} %",
            self.test.correct,
            self.test.samples,
            100.0 * self.test.accuracy(),
            100.0 * self.test.error()
        )
    }
}

/// The classes that the classifier of a run knows.
pub fn known_classes(run: &Run) -> Result<Vec<String>> {
    match run.about.provenance.get(CLASSES) {
        Some(classes) => Ok(classes.lines().map(str::to_owned).collect()),
        None => Err(Error::usage(format!(
            "{}: expected the names of its classes, got none; train the head anew",
            run.folder.model().display()
        ))),
    }
}

/// How its scores are held against classes.
pub fn loss(recipe: &Recipe) -> Result<HeadLoss> {
    Ok(supervised(recipe)?.loss())
}

pub fn supervised(recipe: &Recipe) -> Result<Supervised> {
    match &recipe.head {
        Some(head) => head.supervised(),
        None => Err(Error::usage("recipe: expected a section `head`, got none")),
    }
}

/// Samples with their classes, in the order of those that are known.
pub fn labelled(samples: &Samples, name: &str, known: &[String]) -> Result<Labelled> {
    let labels = as_known(labels_of(samples, name)?, known)?;
    Ok(Labelled::new(Arc::new(samples.clone()), labels)?)
}

fn labels_of<'a>(samples: &'a Samples, name: &str) -> Result<&'a Labels> {
    samples.labels().ok_or_else(|| {
        Error::usage(format!(
            "{name}: expected samples with a class each, got none; say where they are with \
             --label-column (tables) or --labels (NumPy arrays), or sort images into a folder a class"
        ))
    })
}

/// The parts to learn from, and the classes that there are.
pub fn parts(data: &Prepared) -> Result<(LabelledData, Vec<String>)> {
    let known = class_names(labels_of(&data.training, &data.name)?);
    let part = |samples| labelled(samples, &data.name, &known);
    let parts = LabelledData {
        training: part(&data.training)?,
        validation: data.validation.as_ref().map(part).transpose()?,
    };
    // So that it is not found missing in the end.
    part(&data.test)?;
    Ok((parts, known))
}

/// Measures a classifier on its test part.
pub fn summarize(
    trained: &Trained<Classifier<ModelEncoder>>,
    epochs: Vec<EpochReport>,
    device: String,
    seconds: Option<f64>,
) -> Result<LabelSummary> {
    let Trained { recipe, model, data, .. } = trained;
    let known = class_names(labels_of(&data.training, &data.name)?);
    let test = labelled(&data.test, &data.name, &known)?;
    let answers = classify(model, loss(recipe)?, &test, recipe.schedule().batch)?;
    Ok(LabelSummary {
        program: format!("ae {}", env!("CARGO_PKG_VERSION")),
        device,
        data: format!("{}, {}", data.name, data.what),
        samples: data.sizes(),
        features: model.features(),
        code: model.encoder().code_size(),
        parameters: model.num_params(),
        classes: known,
        error: answers.classification.error(),
        test: answers.classification,
        epochs,
        curve: Vec::new(),
        seconds,
    })
}

/// Classes that a confusion matrix in text has room for.
const IN_TEXT: usize = 20;

/// The share that is right, and what is taken for what.
pub fn in_text(classification: &Classification, classes: &[String]) -> String {
    let mut text = format!(
        "right                      {:.2} %, {} of {}\n",
        100.0 * classification.accuracy(),
        classification.correct,
        classification.samples
    );
    // Writing to a string does not fail.
    let _ = writeln!(text, "loss per sample            {:.5}", classification.loss);
    if classes.len() > IN_TEXT {
        return text;
    }
    let short = |name: &String| name.chars().take(10).collect::<String>();
    let wide = classes.iter().map(|name| short(name).chars().count()).max().unwrap_or(1).max(5);
    text += "\nclass below, taken for:\n";
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
    fn a_confusion_matrix_in_text() {
        let confusion = vec![vec![7, 1], vec![0, 12]];
        let classification = Classification { samples: 20, correct: 19, loss: 0.25, confusion };
        let text = in_text(&classification, &["cat".into(), "a dog".into()]);
        let expected = "right                      95.00 %, 19 of 20\n\
                        loss per sample            0.25000\n\n\
                        class below, taken for:\n\
                        \u{20}       cat a dog\n\
                        cat       7     1\n\
                        a dog     0    12\n";
        assert_eq!(text, expected);
    }
}
