//! Fitting a model to data.

mod classifier;
mod identity;
mod resume;
mod run;
mod task;

use std::sync::Arc;

use ae_data::{Masked, Samples, Source, Subset};
use ae_models::Autoencoder;

use crate::{Checkpoints, EpochReport, Objective, Observer, Result, Schedule, Validation};
use run::Run;
pub(crate) use run::Watcher;

pub(crate) use classifier::classifier;

/// The data that a model is fitted to. The test set is not part of it.
#[derive(Clone)]
pub struct Data {
    /// The training set.
    pub training: Arc<dyn Source>,
    /// The validation set, for choosing the best epoch and for early stopping.
    pub validation: Option<Arc<dyn Source>>,
}

/// What [`Training`](crate::Training) takes: samples, of which it holds out some for validation; or
/// [`Data`], or a pair of training and validation samples, which it takes as they are.
pub struct Input {
    data: Data,
    is_to_split: bool,
}

impl Input {
    /// With a fraction of the samples held out, where that is left to the training and is not 0.
    pub(crate) fn hold_out(self, fraction: f64, seed: u64) -> Result<Data> {
        if !self.is_to_split || fraction == 0.0 {
            return Ok(self.data);
        }
        let all = self.data.training;
        let (kept, held_out) = ae_data::split_rows(all.len(), fraction, seed)?;
        let subset = |rows| Arc::new(Subset::new(all.clone(), rows)) as Arc<dyn Source>;
        Ok(Data { training: subset(kept), validation: Some(subset(held_out)) })
    }
}

impl From<Arc<dyn Source>> for Input {
    fn from(training: Arc<dyn Source>) -> Self {
        Self { data: Data { training, validation: None }, is_to_split: true }
    }
}

impl From<Samples> for Input {
    fn from(samples: Samples) -> Self {
        Arc::<dyn Source>::from(samples).into()
    }
}

impl From<&Samples> for Input {
    fn from(samples: &Samples) -> Self {
        samples.clone().into()
    }
}

impl From<Masked> for Input {
    fn from(samples: Masked) -> Self {
        let samples: Arc<dyn Source> = Arc::new(samples);
        samples.into()
    }
}

impl From<Data> for Input {
    fn from(data: Data) -> Self {
        Self { data, is_to_split: false }
    }
}

impl From<&Data> for Input {
    fn from(data: &Data) -> Self {
        data.clone().into()
    }
}

impl From<(Samples, Samples)> for Input {
    fn from((training, validation): (Samples, Samples)) -> Self {
        Data { training: training.into(), validation: Some(validation.into()) }.into()
    }
}

/// A fitted model, with the reports of its training.
#[derive(Clone, Debug)]
pub struct Fitted<M> {
    /// The model, with the weights of the epoch with the [best](crate::Validation::is_better_than)
    /// validation, or without a validation set with the last weights.
    pub model: M,
    /// The validation of an autoencoder before the first step. Its weights are the result if no epoch is better.
    /// `None` without a validation part.
    pub initial: Option<Validation>,
    /// The reports of all epochs, also of those before a resumption.
    pub epochs: Vec<EpochReport>,
    /// The epoch of the weights, from 1. 0 for the initial weights, `None` for the weights of the last step.
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

/// Fits an autoencoder.
pub(crate) fn autoencoder<M: Autoencoder>(
    model: M,
    objective: &Objective<M>,
    data: &Data,
    schedule: &Schedule,
    checkpoints: Option<&Checkpoints>,
    observer: &mut dyn Observer,
    watcher: Option<Watcher<'_, M>>,
) -> Result<Fitted<M>> {
    if let Some(checkpoints) = checkpoints {
        checkpoints.check()?;
    }
    Run::new(model, objective, data, schedule, checkpoints)?.train(observer, watcher)
}
