//! Training with every setting at its default, or at another value.

use std::path::{Path, PathBuf};

use ae_models::{Autoencoder, Classify, Encoder, Stack};

use crate::fit::{self, Fitted, Input, Watcher};
use crate::pretrain::{self, Layerwise, Pretrained};
use crate::{Checkpoints, Flow, LabelledInput, Objective, Observer, Result, Schedule, Supervised};

/// The fraction of the training samples that is held out for validation where nothing else is said.
const VALIDATION: f64 = 0.1;

/// Decides which samples are held out, whatever the seed of the schedule.
const SPLIT_SEED: u64 = 0;

/// Fits a model to samples, with the settings of `ae train` for images: [`Training::new`]`(model,
/// objective).fit(samples)`. The program also starts a model as PCA, which
/// [`with_linear_path`](ae_models::Dense::with_linear_path) does, and trains tables with clipped gradients.
///
/// ```
/// use ae_data::digits;
/// use ae_models::DenseConfig;
/// use ae_train::{Objective, Reconstruction, fit};
/// use burn::tensor::Device;
///
/// let model = DenseConfig::new([784, 32, 8]).init(0, &Device::flex())?;
/// let fitted = fit(model, &Objective::new(Reconstruction::CrossEntropy), digits::generate(256, 0))?;
/// let unseen = digits::generate(64, 1);
/// let codes = fitted.encode(&unseen)?;
/// assert_eq!((codes.len(), codes.width()), (64, 8));
/// assert!(fitted.evaluate(&unseen)?.squared_error < 70.0);
/// # Ok::<(), ae_train::Error>(())
/// ```
///
/// # Errors
/// As [`Training::fit`](Training).
pub fn fit<M: Autoencoder>(
    model: M,
    objective: &Objective<M>,
    samples: impl Into<Input>,
) -> Result<Fitted<M>> {
    Training::new(model, objective).fit(samples)
}

/// A training, and its settings: mini-batch descent on an objective, by a schedule.
///
/// | method | default | meaning |
/// |---|---|---|
/// | [`epochs`](Self::epochs), [`batch`](Self::batch) | [by the number of samples](Schedule::for_samples) | passes over the training samples, samples of a step |
/// | [`learning_rate`](Self::learning_rate) | [that of the model](ae_models::Encoder::learning_rate) | its largest value: it warms up and falls along a cosine |
/// | [`seed`](Self::seed) | 0 | of the order of samples and of all noise |
/// | [`schedule`](Self::schedule) | as above | all of these, and the optimiser, precision, clipping |
/// | [`validate`](Self::validate) | 0.1 | fraction of the samples held out, which chooses the best epoch |
/// | [`patience`](Self::patience) | none | epochs without a better validation after which training stops |
/// | [`checkpoints`](Self::checkpoints) | none | where the training is saved, and goes on from |
/// | [`observe`](Self::observe) | nobody | who is told of steps, epochs and warnings, and may stop |
///
/// The goal is an [`Objective`] for an autoencoder, [`Supervised`] for a classifier, and [`Layerwise`] for
/// a [`Stack`] that is pretrained layer by layer; `fit` takes samples, with labels for a classifier.
///
/// The model stays on its device. The same model, samples and settings give the same numbers on the
/// same device. Losses are read back from the device a few times a second, not at every step.
///
/// ```
/// use ae_data::digits;
/// use ae_models::DenseConfig;
/// use ae_train::{Event, Flow, Objective, Reconstruction, Training};
/// use burn::tensor::Device;
///
/// let model = DenseConfig::new([784, 32, 8]).init(0, &Device::flex())?;
/// let objective = Objective::new(Reconstruction::CrossEntropy);
/// let folder = tempfile::tempdir()?;
/// let mut progress = |event: &Event<'_>| {
///     if let Event::Epoch(report) = event {
///         println!("epoch {}: {:.2}", report.epoch, report.training_loss());
///     }
///     Flow::Continue
/// };
/// let fitted = Training::new(model, &objective)
///     .epochs(2)
///     .batch(32)
///     .validate(0.2)
///     .checkpoints(folder.path())
///     .observe(&mut progress)
///     .fit(digits::generate(256, 0))?;
/// assert_eq!(fitted.epochs.len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a training does nothing before `fit`"]
pub struct Training<'a, M, G: ?Sized> {
    model: M,
    goal: &'a G,
    schedule: Option<Schedule>,
    epochs: Option<usize>,
    batch: Option<usize>,
    learning_rate: Option<f64>,
    seed: Option<u64>,
    patience: Option<usize>,
    validation: f64,
    checkpoints: Option<Checkpoints>,
    observer: Option<&'a mut dyn Observer>,
    watcher: Option<Watcher<'a, M>>,
}

impl<'a, M, G: ?Sized> Training<'a, M, G> {
    /// A training with every setting at its default.
    pub fn new(model: M, goal: &'a G) -> Self {
        Self {
            model,
            goal,
            schedule: None,
            epochs: None,
            batch: None,
            learning_rate: None,
            seed: None,
            patience: None,
            validation: VALIDATION,
            checkpoints: None,
            observer: None,
            watcher: None,
        }
    }

    /// Every setting of the schedule; what other methods set goes over it.
    pub fn schedule(mut self, schedule: impl Into<Schedule>) -> Self {
        self.schedule = Some(schedule.into());
        self
    }

    /// Passes over the training samples.
    pub fn epochs(mut self, epochs: usize) -> Self {
        self.epochs = Some(epochs);
        self
    }

    /// Samples of a step.
    pub fn batch(mut self, batch: usize) -> Self {
        self.batch = Some(batch);
        self
    }

    /// The largest learning rate.
    pub fn learning_rate(mut self, rate: f64) -> Self {
        self.learning_rate = Some(rate);
        self
    }

    /// The seed of the order of samples and of all noise; initial weights have their own.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Stops after this number of epochs without a better validation.
    pub fn patience(mut self, epochs: usize) -> Self {
        self.patience = Some(epochs);
        self
    }

    /// Holds out a fraction of the samples, by which the best epoch is chosen; 0: none, and the weights
    /// of the last step are kept. The samples held out are the same whatever the seed: those of
    /// [`split`](ae_data::split) with the seed 0. [`Data`](crate::Data) is taken as it is.
    pub fn validate(mut self, fraction: f64) -> Self {
        self.validation = fraction;
        self
    }

    /// Writes checkpoints to a folder, and goes on from the newest one there if there is one: then the
    /// model only says what the model is. On the flex and ndarray devices the weights in the end are
    /// the same to the bit as without the interruption, whenever it came.
    pub fn checkpoints(mut self, checkpoints: impl Into<Checkpoints>) -> Self {
        self.checkpoints = Some(checkpoints.into());
        self
    }

    /// Tells an observer of everything that happens.
    pub fn observe(mut self, observer: &'a mut dyn Observer) -> Self {
        self.observer = Some(observer);
        self
    }

    /// The schedule for this number of samples, of a model with this learning rate.
    fn planned(&self, samples: usize, rate: f64) -> Schedule {
        let mut schedule = match &self.schedule {
            Some(schedule) => schedule.clone(),
            None => {
                let mut schedule = Schedule::for_batches(samples, self.batch);
                schedule.rate.peak = rate;
                schedule
            }
        };
        schedule.epochs = self.epochs.unwrap_or(schedule.epochs);
        schedule.batch = self.batch.unwrap_or(schedule.batch);
        if self.schedule.is_none() {
            schedule.rate.warm_up = Schedule::warm_up(samples, schedule.batch, schedule.epochs);
        }
        schedule.rate.peak = self.learning_rate.unwrap_or(schedule.rate.peak);
        schedule.seed = self.seed.unwrap_or(schedule.seed);
        schedule.patience = self.patience.or(schedule.patience);
        schedule
    }
}

impl<'a, M: Autoencoder> Training<'a, M, Objective<M>> {
    /// Shows the model to a function before the first step and after each epoch, with the number of epochs that are
    /// done: for live views, or to measure what validation does not. It may stop the training, and changes nothing
    /// else: the weights are those of a training that nobody watches.
    ///
    /// ```
    /// use ae_data::digits;
    /// use ae_models::{DenseConfig, Encoder};
    /// use ae_train::{Flow, Objective, Reconstruction, Training, to_tensor};
    /// use burn::tensor::Device;
    ///
    /// let device = Device::flex();
    /// let model = DenseConfig::new([784, 8]).init(0, &device)?;
    /// let digit = to_tensor(&digits::generate(1, 7), &device)?;
    /// let mut codes = Vec::new();
    /// let mut watch = |epochs: usize, model: &ae_models::Dense| {
    ///     codes.push((epochs, model.encode(digit.clone()).into_data()));
    ///     Flow::Continue
    /// };
    /// let objective = Objective::new(Reconstruction::CrossEntropy);
    /// Training::new(model, &objective).epochs(2).watch(&mut watch).fit(digits::generate(64, 0))?;
    /// assert_eq!(codes.iter().map(|(epochs, _)| *epochs).collect::<Vec<_>>(), [0, 1, 2]);
    /// # Ok::<(), ae_train::Error>(())
    /// ```
    pub fn watch(mut self, watcher: &'a mut dyn FnMut(usize, &M) -> Flow) -> Self {
        self.watcher = Some(watcher);
        self
    }

    /// Fits the autoencoder to samples.
    ///
    /// # Errors
    /// If a setting or the objective is not possible, the samples cannot be read or have another width
    /// than the model, the loss stops being a number ([`NotFinite`](crate::Error::NotFinite)); if a
    /// checkpoint cannot be written or read, or the newest one comes from another model, objective,
    /// schedule or data set. Every setting that determines the results has to be the same, also those of
    /// penalties; the memory limit and the time between checkpoints may differ.
    pub fn fit(self, samples: impl Into<Input>) -> Result<Fitted<M>> {
        let data = samples.into().hold_out(self.validation, SPLIT_SEED)?;
        let schedule = self.planned(data.training.len(), self.model.learning_rate());
        let Self { model, goal, checkpoints, observer, watcher, .. } = self;
        let mut nobody = ();
        let observer: &mut dyn Observer = match observer {
            Some(observer) => observer,
            None => &mut nobody,
        };
        fit::autoencoder(model, goal, &data, &schedule, checkpoints.as_ref(), observer, watcher)
    }
}

impl<M: Classify> Training<'_, M, Supervised> {
    /// Fits the classifier to samples and their classes. A [`Head`](ae_models::Head) is fitted to codes
    /// that were [computed once](crate::Labelled::encode), and its encoder stays as it is; in a
    /// [`Classifier`](ae_models::Classifier) the encoder is trained along. The best epoch is the one
    /// with the fewest errors on the validation set, and among such the one with the lowest loss.
    ///
    /// # Errors
    /// As for an autoencoder, and if a class comes for which the model has no score.
    pub fn fit(self, samples: impl Into<LabelledInput>) -> Result<Fitted<M>> {
        let data = samples.into().hold_out(self.validation, SPLIT_SEED)?;
        let schedule = self.planned(data.training.len(), self.model.learning_rate());
        let Self { model, goal, checkpoints, observer, watcher, .. } = self;
        let mut nobody = ();
        let observer: &mut dyn Observer = match observer {
            Some(observer) => observer,
            None => &mut nobody,
        };
        fit::classifier(model, goal, &data, &schedule, checkpoints.as_ref(), observer, watcher)
    }
}

impl<A, F> Training<'_, Stack<A>, Layerwise<F>>
where
    A: Autoencoder,
    F: Fn(usize, &A) -> Result<Objective<A>>,
{
    /// Pretrains the stack layer by layer, the one nearest to the input first (Hinton & Salakhutdinov 2006;
    /// Vincent et al. 2010, JMLR 11:3371): each layer is an autoencoder of the clean codes of the layers
    /// below, and what its objective corrupts are those codes. They are computed once for each layer and
    /// kept on the host. Layers below stay as they are. The seed counts up from layer to layer;
    /// checkpoints of layer `n` (from 1) are in the folder `layer-n`.
    ///
    /// # Errors
    /// As for an autoencoder, for each layer.
    pub fn fit(self, samples: impl Into<Input>) -> Result<Pretrained<A>> {
        let data = samples.into().hold_out(self.validation, SPLIT_SEED)?;
        let schedule = self.planned(data.training.len(), self.model.learning_rate());
        let Self { model, goal, checkpoints, observer, .. } = self;
        let mut nobody = ();
        let observer: &mut dyn Observer = match observer {
            Some(observer) => observer,
            None => &mut nobody,
        };
        pretrain::pretrain_layers(model, &goal.0, &data, &schedule, checkpoints.as_ref(), observer)
    }
}

impl From<&Path> for Checkpoints {
    fn from(folder: &Path) -> Self {
        Self::new(folder)
    }
}

impl From<PathBuf> for Checkpoints {
    fn from(folder: PathBuf) -> Self {
        Self::new(folder)
    }
}
