//! Fitting a classifier to labelled data.

use ae_models::Classify;
use burn::tensor::Tensor;
use serde_json::{Map, Value, json};

use super::run::Run;
use super::task::Task;
use super::{Data, Fitted, Watcher};
use crate::classification::predict;
use crate::{
    Batches, Checkpoints, Labelled, LabelledData, Losses, Measured, NoiseKey, Observer,
    PenaltyState, Result, Schedule, Supervised, Validation,
};

/// Fits a classifier to labelled data.
pub(crate) fn classifier<M: Classify>(
    model: M,
    supervised: &Supervised,
    data: &LabelledData,
    schedule: &Schedule,
    checkpoints: Option<&Checkpoints>,
    observer: &mut dyn Observer,
    watcher: Option<Watcher<'_, M>>,
) -> Result<Fitted<M>> {
    if let Some(checkpoints) = checkpoints {
        checkpoints.check()?;
    }
    let task = SupervisedTask { supervised, data };
    Run::new(model, &task, &task.samples(), schedule, checkpoints)?.train(observer, watcher)
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
    fn identity(&self, model: &M) -> Map<String, Value> {
        let model = json!({
            "settings": model.settings(),
            "features": model.features(),
            "classes": model.classes(),
        });
        let classes = json!({
            "training": self.data.training.fingerprint(),
            "validation": self.data.validation.as_ref().map(Labelled::fingerprint),
        });
        Map::from_iter([
            ("model".to_owned(), model),
            ("classes".to_owned(), classes),
            ("supervised".to_owned(), json!(self.supervised)),
        ])
    }

    fn text(&self) -> Vec<(&'static str, String)> {
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

    fn keeps_initial(&self) -> bool {
        false
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
