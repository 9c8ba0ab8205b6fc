//! Fitting a classifier to labelled data.

use ae_models::Classify;
use burn::tensor::Tensor;

use super::run::Run;
use super::task::Task;
use super::{Data, Fitted};
use crate::classification::predict;
use crate::{
    Batches, Checkpoints, LabelledData, Losses, Measured, NoiseKey, Observer, PenaltyState, Result,
    Schedule, Supervised, Validation,
};

/// Fits a classifier to labelled data: as [`fit`](crate::fit()), with a supervised loss.
///
/// A [`Head`](ae_models::Head) is fitted to codes that are [computed once](crate::encode_dataset), which
/// leaves the encoder unchanged. In a [`Classifier`](ae_models::Classifier) the encoder is trained too.
/// The best epoch is the one with the fewest errors on the validation set, and among these the one with
/// the lowest loss.
///
/// ```
/// use ae_data::digits;
/// use ae_models::{Classifier, DenseConfig, HeadConfig};
/// use ae_train::{
///     HeadLoss, Labelled, LabelledData, Schedule, Supervised, classify, fit_classifier,
/// };
/// use burn::tensor::Device;
///
/// let device = Device::flex();
/// let encoder = DenseConfig::new([784, 32]).init(0, &device)?.encoder().clone();
/// let classifier = Classifier::new(encoder, HeadConfig::new(32, 10).init(&device)?)?;
/// let data = LabelledData {
///     training: Labelled::from_samples(digits::generate(500, 0))?,
///     validation: Some(Labelled::from_samples(digits::generate(100, 1))?),
/// };
/// let supervised = Supervised::new(HeadLoss::Softmax, 1e-4)?;
/// let schedule = Schedule { epochs: 5, batch: 50, ..Schedule::default() };
/// let fitted = fit_classifier(classifier, &supervised, &data, &schedule, &mut ())?;
///
/// let unseen = Labelled::from_samples(digits::generate(100, 2))?;
/// let answers = classify(&fitted.model, supervised.loss(), &unseen, 50)?;
/// assert!(answers.classification.accuracy() > 0.5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// As [`fit`](crate::fit()), and if the data has a class for which the model has no score.
pub fn fit_classifier<M: Classify>(
    model: M,
    supervised: &Supervised,
    data: &LabelledData,
    schedule: &Schedule,
    observer: &mut dyn Observer,
) -> Result<Fitted<M>> {
    let task = SupervisedTask { supervised, data };
    Run::new(model, &task, &task.samples(), schedule, None)?.train(observer)
}

/// As [`fit_classifier`], with checkpoints, as
/// [`fit_with_checkpoints`](crate::fit_with_checkpoints).
///
/// # Errors
/// As [`fit_classifier`]; if a checkpoint cannot be written or read; or if the newest one comes
/// from another model, loss, schedule or data set.
pub fn fit_classifier_with_checkpoints<M: Classify>(
    model: M,
    supervised: &Supervised,
    data: &LabelledData,
    schedule: &Schedule,
    checkpoints: &Checkpoints,
    observer: &mut dyn Observer,
) -> Result<Fitted<M>> {
    checkpoints.check()?;
    let task = SupervisedTask { supervised, data };
    Run::new(model, &task, &task.samples(), schedule, Some(checkpoints))?.train(observer)
}

/// The task of predicting the class of each sample.
struct SupervisedTask<'a> {
    supervised: &'a Supervised,
    data: &'a LabelledData,
}

impl SupervisedTask<'_> {
    fn samples(&self) -> Data {
        Data {
            training: self.data.training.samples().clone(),
            validation: self.data.validation.as_ref().map(|set| set.samples().clone()),
        }
    }
}

impl<M: Classify> Task<M> for SupervisedTask<'_> {
    fn identity(&self) -> Vec<(&'static str, String)> {
        let mut identity = vec![
            ("supervised loss", self.supervised.to_string()),
            ("classes of the training set", self.data.training.fingerprint()),
        ];
        if let Some(validation) = &self.data.validation {
            identity.push(("classes of the validation set", validation.fingerprint()));
        }
        identity
    }

    fn check(&self, model: &M) -> Result<()> {
        self.data.training.check(" of the training set", model.classes())?;
        match &self.data.validation {
            Some(validation) => validation.check(" of the validation set", model.classes()),
            None => Ok(()),
        }
    }

    fn features(&self, model: &M) -> usize {
        model.features()
    }

    fn target_range(&self) -> Option<[f32; 2]> {
        None
    }

    fn names(&self) -> Vec<String> {
        self.supervised.names()
    }

    fn losses(
        &self,
        model: &M,
        computing: &M,
        input: Tensor<2>,
        rows: &[usize],
        _: NoiseKey,
        _: &PenaltyState,
    ) -> Losses {
        let all = self.data.training.labels().classes();
        let classes: Vec<u32> = rows.iter().map(|row| all[*row]).collect();
        let precision = input.dtype();
        self.supervised.losses_of(model, computing.scores(input).cast(precision), &classes)
    }

    fn validate(
        &self,
        model: &M,
        data: &Batches,
        batch: usize,
        _: NoiseKey,
        _: &PenaltyState,
    ) -> Result<Validation> {
        let validation =
            self.data.validation.as_ref().expect("a validation set with these samples");
        let classes = validation.labels().classes();
        let predictions = predict(model, self.supervised.loss(), data, classes, batch)?;
        let decay = self.supervised.decay(model).map(Tensor::into_scalar::<f64>);
        let values = std::iter::once(predictions.classification.loss).chain(decay);
        let terms = self.supervised.names().into_iter().zip(values).collect();
        Ok(Validation { terms, measured: Measured::Classification(predictions.classification) })
    }
}
