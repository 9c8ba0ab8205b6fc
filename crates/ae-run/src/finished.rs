//! Runs that have finished training.

use ae_device::NamedDevice;
use ae_models::{Classifier, ModelEncoder, Pca};

use crate::files::{read_json, write_json};
use crate::summary::{Summary, summarize};
use crate::{
    ClassifierSummary, Error, Listener, Result, RunDir, SavedModel, SavedRun, TrainedRun,
    classifier,
};

/// A finished run.
pub enum FinishedRun {
    /// Of an autoencoder.
    Autoencoder(Box<Finished>),
    /// Of a classifier, by a recipe with a head.
    Classifier(Box<FinishedClassifier>),
}

/// A run of an autoencoder that is trained, saved and evaluated.
pub struct Finished {
    /// Its folder.
    pub folder: RunDir,
    /// The model and its data.
    pub trained: TrainedRun,
    /// Its results.
    pub summary: Summary,
    /// The principal components that it is compared with.
    pub pca: Pca,
    /// The device that it was trained on.
    pub device: NamedDevice,
}

/// A run of a classifier that is trained, saved and evaluated.
pub struct FinishedClassifier {
    /// Its folder.
    pub folder: RunDir,
    /// The model and its data.
    pub trained: TrainedRun<Classifier<ModelEncoder>>,
    /// Its results.
    pub summary: ClassifierSummary,
}

impl FinishedRun {
    /// The folder of the run.
    pub fn folder(&self) -> &RunDir {
        match self {
            Self::Autoencoder(it) => &it.folder,
            Self::Classifier(it) => &it.folder,
        }
    }

    /// The result in a sentence.
    pub fn sentence(&self) -> String {
        match self {
            Self::Autoencoder(it) => it.summary.sentence(),
            Self::Classifier(it) => it.summary.sentence(),
        }
    }

    /// Evaluates a saved run again, on its own data, and updates its summary. Time and device stay those of training.
    ///
    /// # Errors
    /// If its data is missing or has changed, or a file is malformed.
    pub fn evaluate(run: SavedRun, device: &NamedDevice, listener: &dyn Listener) -> Result<Self> {
        let folder = run.folder.clone();
        if run.stopped_after.is_some() {
            return Err(Error::usage(format!(
                "{}: the run is not finished; `ae eval` measures what it has, `ae {} --resume {}` goes on",
                folder.0.display(),
                run.recipe.command.name(),
                ae_files::quoted(&folder.0)
            )));
        }
        let TrainedRun { recipe, model, about, splits } = run.with_data(listener)?;
        match model {
            SavedModel::Classifier(model) => {
                let trained = TrainedRun { recipe, model: *model, about, splits };
                let old: ClassifierSummary = read_json(&folder.summary())?;
                let new = classifier::summarize(&trained, old.epochs, device, old.seconds)?;
                let (device, threads) = (old.device, old.threads);
                let summary = ClassifierSummary { curve: old.curve, device, threads, ..new };
                write_json(&folder.summary(), &summary)?;
                Ok(Self::Classifier(Box::new(FinishedClassifier { folder, trained, summary })))
            }
            SavedModel::Autoencoder(model) => {
                let trained = TrainedRun { recipe, model: *model, about, splits };
                let old: Summary = read_json(&folder.summary())?;
                let (mut summary, pca) = summarize(&trained, &old.epochs, device, old.seconds)?;
                (summary.device, summary.threads) = (old.device, old.threads);
                (summary.initial, summary.layers) = (old.initial, old.layers);
                write_json(&folder.summary(), &summary)?;
                let device = device.clone();
                Ok(Self::Autoencoder(Box::new(Finished { folder, trained, summary, pca, device })))
            }
        }
    }
}
