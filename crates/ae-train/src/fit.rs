//! Fitting a model to data.

mod classifier;
mod resume;
mod run;
mod task;

use std::sync::Arc;

use ae_data::Source;
use ae_models::Autoencoder;

use crate::{Checkpoints, EpochReport, Objective, Observer, Result, Schedule};
use run::Run;

pub use classifier::{fit_classifier, fit_classifier_with_checkpoints};

/// The data that a model is fitted to. The test set is not part of it.
#[derive(Clone)]
pub struct Data {
    /// The training set.
    pub training: Arc<dyn Source>,
    /// The validation set, for choosing the best epoch and for early stopping.
    pub validation: Option<Arc<dyn Source>>,
}

/// A fitted model, with the reports of its training.
#[derive(Clone, Debug)]
pub struct Fitted<M> {
    /// The model, with the weights of the epoch with the [best](crate::Validation::is_better_than)
    /// validation, or without a validation set with the last weights.
    pub model: M,
    /// The reports of all epochs, also of those before a resumption.
    pub epochs: Vec<EpochReport>,
    /// The epoch of the weights, from 1. `None` for the weights of the last step.
    pub best: Option<usize>,
    /// The number of steps done.
    pub done: u64,
    /// Why training ended.
    pub end: End,
}

/// Why training ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// All epochs are done.
    Complete,
    /// The validation had not improved for the patience of the schedule.
    Patience,
    /// An observer stopped it.
    Stopped,
}

/// Fits a model to data: minimises an objective by mini-batch gradient descent.
///
/// The model stays on its device. The same model, data, objective and schedule give the same results on
/// the same device. Losses are read back from the device a few times a second, not in every step.
///
/// ```
/// use std::sync::Arc;
/// use ae_data::digits;
/// use ae_models::DenseConfig;
/// use ae_train::{Data, Objective, Reconstruction, Schedule, fit};
/// use burn::tensor::Device;
///
/// let model = DenseConfig::new([784, 32, 8]).init(0, &Device::flex())?;
/// let data = Data { training: Arc::new(digits::generate(256, 0)), validation: None };
/// let schedule = Schedule { epochs: 2, batch: 32, ..Schedule::default() };
/// let objective = Objective::new(Reconstruction::CrossEntropy);
/// let fitted = fit(model, &objective, &data, &schedule, &mut ())?;
/// assert!(fitted.epochs[1].training_loss() < fitted.epochs[0].training_loss());
/// # Ok::<(), ae_train::Error>(())
/// ```
///
/// # Errors
/// If the schedule or the objective is not valid, the data cannot be read, or the loss is no longer
/// finite ([`NotFinite`](crate::Error::NotFinite)).
pub fn fit<M: Autoencoder>(
    model: M,
    objective: &Objective<M>,
    data: &Data,
    schedule: &Schedule,
    observer: &mut dyn Observer,
) -> Result<Fitted<M>> {
    Run::new(model, objective, data, schedule, None)?.train(observer)
}

/// As [`fit`], with checkpoints. If the folder has any, the run resumes from the newest one, and only the
/// architecture of `model` is used.
///
/// On the flex and ndarray devices, the final weights are the same to the bit as without the
/// interruption.
///
/// # Errors
/// As [`fit`]; if a checkpoint cannot be written or read; or if the newest one comes from
/// another model, objective, schedule or data set.
pub fn fit_with_checkpoints<M: Autoencoder>(
    model: M,
    objective: &Objective<M>,
    data: &Data,
    schedule: &Schedule,
    checkpoints: &Checkpoints,
    observer: &mut dyn Observer,
) -> Result<Fitted<M>> {
    checkpoints.check()?;
    Run::new(model, objective, data, schedule, Some(checkpoints))?.train(observer)
}
