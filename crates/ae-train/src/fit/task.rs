//! What a run is about: the one thing in which fitting an autoencoder and fitting a classifier
//! differ.

use ae_models::Autoencoder;
use burn::tensor::Tensor;
use serde_json::{Map, Value, json};

use crate::evaluate::{Tally, first, for_each_batch};
use crate::{
    Batches, Losses, Measured, NoiseKey, Objective, Pass, PenaltyState, Result, Validation,
};

/// The task of a run: its loss and its validation.
pub(super) trait Task<M>: Sync {
    /// Everything of the task and the model that determines the results of a run. A checkpoint of another
    /// identity is refused.
    fn identity(&self, model: &M) -> Map<String, Value>;

    /// The identity of the task in checkpoints of earlier versions, as named texts.
    fn text(&self) -> Vec<(&'static str, String)>;

    /// Checks that the task fits the model.
    fn check(&self, model: &M) -> Result<()>;

    /// The number of features of the model.
    fn features(&self, model: &M) -> usize;

    /// Whether samples have to be [`Masked`](ae_data::Masked).
    fn needs_masks(&self) -> bool {
        false
    }

    /// The range of allowed training samples, if it is limited.
    fn target_range(&self) -> Option<[f32; 2]>;

    /// Whether the initial weights may be the best: not with an untrained head.
    fn keeps_initial(&self) -> bool;

    /// The names of the terms of the loss, in order.
    fn names(&self) -> Vec<String>;

    /// Computes the terms for a batch, `[batch, features]`, of these rows of the training set. `computing`
    /// is the model, or a copy of it in another [precision](crate::Precision).
    fn losses(
        &self,
        model: &M,
        computing: &M,
        input: Tensor<2>,
        rows: &[usize],
        key: NoiseKey,
        penalty_state: &PenaltyState,
    ) -> Losses;

    /// The model after an update, with all constraints satisfied.
    fn constrained(&self, model: M, _key: NoiseKey) -> M {
        model
    }

    /// Validates the model, `batch` samples at a time. `key` is that of the first batch; the next ones have
    /// the next steps.
    fn validate(
        &self,
        model: &M,
        data: &Batches,
        batch: usize,
        key: NoiseKey,
        penalty_state: &PenaltyState,
    ) -> Result<Validation>;
}

/// The task of reconstruction: samples are their own targets.
impl<M: Autoencoder> Task<M> for Objective<M> {
    fn identity(&self, model: &M) -> Map<String, Value> {
        let model = json!({
            "settings": model.settings(),
            "features": model.features(),
            "code": model.code_size(),
            "code-activation": model.code_activation(),
            "output": model.output(),
            "top-k": model.top_k(),
        });
        Map::from_iter([("model".to_owned(), model), ("objective".to_owned(), self.identity())])
    }

    fn constrained(&self, model: M, key: NoiseKey) -> M {
        Objective::constrained(self, model, key)
    }

    fn text(&self) -> Vec<(&'static str, String)> {
        vec![("objective", self.to_string())]
    }

    fn check(&self, model: &M) -> Result<()> {
        self.check(model)
    }

    fn features(&self, model: &M) -> usize {
        self.width(model)
    }

    fn needs_masks(&self) -> bool {
        self.is_of_known()
    }

    fn target_range(&self) -> Option<[f32; 2]> {
        self.target_range()
    }

    fn keeps_initial(&self) -> bool {
        true
    }

    fn names(&self) -> Vec<String> {
        self.names()
    }

    fn losses(
        &self,
        model: &M,
        computing: &M,
        input: Tensor<2>,
        _: &[usize],
        key: NoiseKey,
        penalty_state: &PenaltyState,
    ) -> Losses {
        let pass = self.pass_with(computing, input, key, penalty_state.clone());
        self.losses(&Pass { model, ..pass })
    }

    fn validate(
        &self,
        model: &M,
        data: &Batches,
        batch: usize,
        mut key: NoiseKey,
        penalty_state: &PenaltyState,
    ) -> Result<Validation> {
        let mut terms: Vec<(String, f64)> =
            self.names().into_iter().map(|name| (name, 0.0)).collect();
        let mut tally = Tally::new(model, data)?;
        for_each_batch(data, batch, |input, count| {
            let input = first(input, count);
            let pass = self.pass_with(model, input.clone(), key, penalty_state.clone());
            key.step += 1;
            let values = self.losses(&pass).terms().into_data();
            for ((_, mean), value) in terms.iter_mut().zip(values.iter::<f64>()) {
                *mean += value * count as f64 / data.len() as f64;
            }
            let values = pass.input;
            let (code, logits) = if self.validates_the_plain_model() {
                (pass.code, pass.logits)
            } else {
                let code = model.encode(values.clone());
                (code.clone(), model.decode_logits(code))
            };
            match self.masked_table() {
                Some(masked) => {
                    let [values, predictions] = masked.known(values, logits);
                    tally.add(values, code, predictions, None);
                }
                None => tally.add(values, code, logits, pass.known),
            }
        })?;
        Ok(Validation { terms, measured: Measured::Evaluation(tally.finish().evaluation) })
    }
}
