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

/// What a model is fitted to. The test part has no place here.
#[derive(Clone)]
pub struct Data {
    /// To take steps on.
    pub training: Arc<dyn Source>,
    /// To choose the best epoch by, and to stop early.
    pub validation: Option<Arc<dyn Source>>,
}

/// A fitted model and how it came about.
#[derive(Clone, Debug)]
pub struct Fitted<M> {
    /// With the weights of the epoch whose validation was
    /// [best](crate::Validation::is_better_than), or, without a validation part, with the last
    /// ones.
    pub model: M,
    /// All epochs, also those before a resumption.
    pub epochs: Vec<EpochReport>,
    /// The epoch the weights are from, from 1; `None`: the last step.
    pub best: Option<usize>,
    /// Steps done.
    pub done: u64,
    /// Why training ended.
    pub end: End,
}

/// Why training ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// All epochs are done.
    Complete,
    /// The validation had not improved for as long as the schedule waits.
    Patience,
    /// An observer said stop.
    Stopped,
}

/// Fits a model to data: mini-batch descent on an objective, by a schedule.
///
/// The model stays on the device it is on. The same model, data, objective and schedule give
/// the same numbers on the same device. Losses are read back from the device a few times a
/// second, not at every step.
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
/// If the schedule or the objective is not possible, the data cannot be read, or the loss
/// stops being a number ([`NotFinite`](crate::Error::NotFinite)).
pub fn fit<M: Autoencoder>(
    model: M,
    objective: &Objective<M>,
    data: &Data,
    schedule: &Schedule,
    observer: &mut dyn Observer,
) -> Result<Fitted<M>> {
    Run::new(model, objective, data, schedule, None)?.go(observer)
}

/// As [`fit`], writing checkpoints, and going on from the newest one in the folder if there is
/// one: then `model` only says what the model is.
///
/// On the flex and ndarray devices the weights in the end are the same to the bit as without
/// the interruption, whenever it came.
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
    Run::new(model, objective, data, schedule, Some(checkpoints))?.go(observer)
}
