//! What a run is about: the one thing in which fitting an autoencoder and fitting a classifier
//! differ.

use ae_models::Autoencoder;
use burn::tensor::Tensor;

use crate::evaluate::{Tally, first, for_each_batch};
use crate::{Batches, Losses, Measured, Memory, Moment, Objective, Pass, Result, Validation};

/// What a run asks for besides a model, samples and a schedule.
pub(super) trait Task<M>: Sync {
    /// What of it decides the numbers of the run, by name: a checkpoint of another is refused.
    fn identity(&self) -> Vec<(&'static str, String)>;

    /// Whether it makes sense for the model.
    fn check(&self, model: &M) -> Result<()>;

    /// Features that the model takes.
    fn features(&self, model: &M) -> usize;

    /// The range that training samples must lie in, if any.
    fn target_range(&self) -> Option<[f32; 2]>;

    /// The names of the terms of a loss, in their order.
    fn names(&self) -> Vec<String>;

    /// The terms for a batch, `[batch, features]`, of the given rows of the training part. `computing` is
    /// the model, or a copy of it in another [precision](crate::Precision).
    fn losses(
        &self,
        model: &M,
        computing: &M,
        input: Tensor<2>,
        rows: &[usize],
        moment: Moment,
        memory: &Memory,
    ) -> Losses;

    /// The model on the validation part, `batch` samples at a time; `moment` is that of the
    /// first batch, and the next ones are its steps.
    fn validate(
        &self,
        model: &M,
        data: &Batches,
        batch: usize,
        moment: Moment,
        memory: &Memory,
    ) -> Result<Validation>;
}

/// To reconstruct: samples are their own targets.
impl<M: Autoencoder> Task<M> for Objective<M> {
    fn identity(&self) -> Vec<(&'static str, String)> {
        vec![("objective", self.to_string())]
    }

    fn check(&self, model: &M) -> Result<()> {
        self.check(model)
    }

    fn features(&self, model: &M) -> usize {
        model.features()
    }

    fn target_range(&self) -> Option<[f32; 2]> {
        self.target_range()
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
        moment: Moment,
        memory: &Memory,
    ) -> Losses {
        let pass = self.pass_with(computing, input, moment, memory.clone());
        self.losses(&Pass { model, ..pass })
    }

    fn validate(
        &self,
        model: &M,
        data: &Batches,
        batch: usize,
        mut moment: Moment,
        memory: &Memory,
    ) -> Result<Validation> {
        let mut terms: Vec<(String, f64)> =
            self.names().into_iter().map(|name| (name, 0.0)).collect();
        let mut tally = Tally::new(model, data)?;
        for_each_batch(data, batch, |input, count| {
            let input = first(input, count);
            let pass = self.pass_with(model, input.clone(), moment, memory.clone());
            moment.step += 1;
            let values = self.losses(&pass).terms().into_data();
            for ((_, mean), value) in terms.iter_mut().zip(values.iter::<f64>()) {
                *mean += value * count as f64 / data.len() as f64;
            }
            let (code, logits) = if self.passes_as_in_use() {
                (pass.code, pass.logits)
            } else {
                let code = model.encode(input.clone());
                (code.clone(), model.decode_logits(code))
            };
            tally.add(input, code, logits);
        })?;
        Ok(Validation { terms, measured: Measured::Evaluation(tally.finish().evaluation) })
    }
}
