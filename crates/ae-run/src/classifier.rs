//! Classifiers: their labelled samples and their results.

use std::sync::Arc;

use ae_data::{Labels, Samples};
use ae_device::NamedDevice;
use ae_models::{Classifier, Classify, Encoder, ModelEncoder};
use ae_recipe::Recipe;
use ae_train::{
    Classification, EpochReport, HeadLoss, Labelled, LabelledData, Supervised, classify,
};
use burn::module::Module;
use serde::{Deserialize, Serialize};

use crate::new_run::threads;
use crate::run::{CLASSES, class_names, reorder_labels};
use crate::{Error, Result, SavedRun, Splits, TrainedRun};

/// The results of a classifier, as `summary.json` has them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ClassifierSummary {
    /// The program and its version.
    pub program: String,
    /// The device that it was trained on.
    pub device: String,
    /// Its threads, which decide the last digits; `None` of a GPU, and of runs of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threads: Option<usize>,
    /// The name and the description of the data set.
    pub data: String,
    /// Training, validation and test samples.
    pub samples: [usize; 3],
    /// Features of a sample.
    pub features: usize,
    /// Units of the code.
    pub code: usize,
    /// Parameters of the classifier.
    pub parameters: usize,
    /// The names of the classes, in its order.
    pub classes: Vec<String>,
    /// On the test set.
    pub test: Classification,
    /// The share of the test set that is misclassified.
    #[serde(default)]
    pub error: f64,
    /// Every epoch.
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
    /// Labels to train on.
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
///
/// # Errors
/// If the model file does not have them.
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
///
/// # Errors
/// If the recipe has no head.
pub fn loss(recipe: &Recipe) -> Result<HeadLoss> {
    Ok(supervised(recipe)?.loss())
}

pub(crate) fn supervised(recipe: &Recipe) -> Result<Supervised> {
    match &recipe.head {
        Some(head) => Ok(head.supervised()?),
        None => Err(Error::usage("recipe: expected a section `head`, got none")),
    }
}

/// Samples with their labels, in the order of `classes`. `name` is what an error calls them.
///
/// # Errors
/// If they have no labels, or others.
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
pub(crate) fn labelled_data(splits: &Splits) -> Result<(LabelledData, Vec<String>)> {
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
pub(crate) fn summarize(
    trained: &TrainedRun<Classifier<ModelEncoder>>,
    epochs: Vec<EpochReport>,
    device: &NamedDevice,
    seconds: Option<f64>,
) -> Result<ClassifierSummary> {
    let TrainedRun { recipe, model, splits, .. } = trained;
    let classes = class_names(labels_of(&splits.training, &splits.name)?);
    let test = labelled(&splits.test, &splits.name, &classes)?;
    let predictions = classify(model, loss(recipe)?, &test, recipe.schedule().batch)?;
    Ok(ClassifierSummary {
        program: format!("ae {}", env!("CARGO_PKG_VERSION")),
        device: device.name.clone(),
        threads: threads(&device.handle),
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
