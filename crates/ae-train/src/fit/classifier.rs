//! Fitting a classifier to labelled data.

use ae_models::Classify;
use burn::tensor::Tensor;

use super::run::Run;
use super::task::Task;
use super::{Data, Fitted};
use crate::classification::predict;
use crate::{
    Batches, Checkpoints, LabelledData, Losses, Measured, Memory, Moment, Observer, Result,
    Schedule, Supervised, Validation,
};

/// Fits a classifier to labelled data: as [`fit`](crate::fit), with a supervised loss.
///
/// A [`Head`](ae_models::Head) is fitted to codes that were [computed once](crate::encode_all), and
/// its encoder stays as it is; in a [`Classifier`](ae_models::Classifier) the encoder is trained
/// along. The best epoch is the one with the fewest errors on the validation part, and among
/// such the one with the lowest loss.
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
/// As [`fit`](crate::fit), and if a class comes for which the model has no score.
pub fn fit_classifier<M: Classify>(
    model: M,
    supervised: &Supervised,
    data: &LabelledData,
    schedule: &Schedule,
    observer: &mut dyn Observer,
) -> Result<Fitted<M>> {
    let task = Labelling { supervised, data };
    Run::new(model, &task, &task.samples(), schedule, None)?.go(observer)
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
    let task = Labelling { supervised, data };
    Run::new(model, &task, &task.samples(), schedule, Some(checkpoints))?.go(observer)
}

/// To put each sample into its class.
struct Labelling<'a> {
    supervised: &'a Supervised,
    data: &'a LabelledData,
}

impl Labelling<'_> {
    fn samples(&self) -> Data {
        Data {
            training: self.data.training.samples().clone(),
            validation: self.data.validation.as_ref().map(|part| part.samples().clone()),
        }
    }
}

impl<M: Classify> Task<M> for Labelling<'_> {
    fn identity(&self) -> Vec<(&'static str, String)> {
        let mut identity = vec![
            ("supervised loss", self.supervised.to_string()),
            ("classes of the training part", self.data.training.fingerprint()),
        ];
        if let Some(validation) = &self.data.validation {
            identity.push(("classes of the validation part", validation.fingerprint()));
        }
        identity
    }

    fn check(&self, model: &M) -> Result<()> {
        self.data.training.check(" of the training part", model.classes())?;
        match &self.data.validation {
            Some(validation) => validation.check(" of the validation part", model.classes()),
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
        _: Moment,
        _: &Memory,
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
        _: Moment,
        _: &Memory,
    ) -> Result<Validation> {
        let validation = self.data.validation.as_ref().expect("the part whose samples came");
        let classes = validation.labels().classes();
        let answers = predict(model, self.supervised.loss(), data, classes, batch)?;
        let decay = self.supervised.decay(model).map(Tensor::into_scalar::<f64>);
        let values = std::iter::once(answers.classification.loss).chain(decay);
        let terms = self.supervised.names().into_iter().zip(values).collect();
        Ok(Validation { terms, measured: Measured::Classification(answers.classification) })
    }
}
