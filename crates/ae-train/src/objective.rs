//! What is wanted of a model: a sum of named terms.

use ae_models::Autoencoder;
use burn::tensor::Tensor;

use crate::{Corruption, Error, Moment, Pass, Penalty, Reconstruction, Result};

/// `L(x) = reconstruction(y, x) + sum_i weight_i penalty_i`, `y = decode(encode(corrupt(x)))`.
///
/// ```
/// use ae_models::Dense;
/// use ae_train::{Corruption, L1, Objective, Reconstruction};
///
/// let objective: Objective<Dense> = Objective::new(Reconstruction::CrossEntropy)
///     .corrupt(Corruption::masking(0.25)?)
///     .penalize(1e-3, L1)?;
/// assert_eq!(objective.to_string(), "cross-entropy, masking 0.25, 0.001 l1");
/// # Ok::<(), ae_train::Error>(())
/// ```
pub struct Objective<M> {
    reconstruction: Reconstruction,
    corruption: Corruption,
    penalties: Vec<(f64, Box<dyn Penalty<M>>)>,
}

/// The value of an objective for a batch: named terms, each already with its weight, and
/// nothing else. The total is their sum by construction.
pub struct Losses {
    terms: Vec<Tensor<1>>,
}

impl Losses {
    pub(crate) fn new(terms: Vec<Tensor<1>>) -> Self {
        Self { terms }
    }

    /// The sum of the terms, `[1]`.
    pub fn total(&self) -> Tensor<1> {
        let (first, rest) = self.terms.split_first().expect("at least one term");
        rest.iter().fold(first.clone(), |sum, term| sum + term.clone())
    }

    /// The terms beside each other, in the order of [`Objective::names`]: `[terms]`, off the
    /// tape.
    pub fn terms(&self) -> Tensor<1> {
        Tensor::cat(self.terms.iter().map(|term| term.clone().without_autodiff()).collect(), 0)
    }
}

impl<M: Autoencoder> Objective<M> {
    /// Reconstruction alone.
    pub fn new(reconstruction: Reconstruction) -> Self {
        Self { reconstruction, corruption: Corruption::None, penalties: Vec::new() }
    }

    /// The same with inputs corrupted before they are encoded; what is to be reconstructed
    /// stays clean (Vincent et al. 2008, doi 10.1145/1390156.1390294).
    pub fn corrupt(mut self, corruption: Corruption) -> Self {
        self.corruption = corruption;
        self
    }

    /// The same with one more penalty.
    ///
    /// # Errors
    /// If the weight is negative or not finite.
    pub fn penalize(mut self, weight: f64, penalty: impl Penalty<M> + 'static) -> Result<Self> {
        if !(weight.is_finite() && weight >= 0.0) {
            return Err(Error::setting("penalty weight", "a number from 0", weight));
        }
        self.penalties.push((weight, Box::new(penalty)));
        Ok(self)
    }

    /// The reconstruction term.
    pub fn reconstruction(&self) -> Reconstruction {
        self.reconstruction
    }

    /// What happens to inputs before they are encoded.
    pub fn corruption(&self) -> Corruption {
        self.corruption
    }

    /// The names of the terms, in the order of [`Losses::terms`].
    pub fn names(&self) -> Vec<String> {
        let penalties = self.penalties.iter().map(|(_, penalty)| penalty.name());
        std::iter::once(self.reconstruction.name()).chain(penalties).map(str::to_owned).collect()
    }

    /// Whether the objective makes sense for a model.
    ///
    /// # Errors
    /// A sentence that says why not.
    pub fn check(&self, model: &M) -> Result<()> {
        if self.reconstruction == Reconstruction::CrossEntropy && !model.output().is_probability() {
            return Err(Error::Objective(format!(
                "cross-entropy: expected a model with a sigmoid output, got one with {}; give the \
                 model a sigmoid output, or take squared error",
                model.output()
            )));
        }
        self.penalties.iter().try_for_each(|(_, penalty)| penalty.check(model))
    }

    /// The range that targets must lie in, if any.
    pub fn target_range(&self) -> Option<[f32; 2]> {
        (self.reconstruction == Reconstruction::CrossEntropy).then_some([0.0, 1.0])
    }

    /// Corrupts, encodes and decodes a batch, `[batch, features]`.
    pub fn pass<'a>(&self, model: &'a M, input: Tensor<2>, moment: Moment) -> Pass<'a, M> {
        let corrupted = self.corruption.apply(input.clone(), moment);
        let code = model.encode(corrupted.values.clone());
        let logits = model.decode_logits(code.clone());
        Pass { model, input, corrupted, code, logits, moment }
    }

    /// The terms for a pass.
    pub fn losses(&self, pass: &Pass<'_, M>) -> Losses {
        let (logits, target) = (pass.logits.clone(), pass.input.clone());
        let mut terms = vec![self.reconstruction.loss(logits, pass.model.output(), target)];
        for (weight, penalty) in &self.penalties {
            terms.push(penalty.value(pass) * *weight);
        }
        Losses { terms }
    }
}

impl<M> std::fmt::Display for Objective<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.reconstruction)?;
        if self.corruption != Corruption::None {
            write!(f, ", {}", self.corruption)?;
        }
        for (weight, penalty) in &self.penalties {
            write!(f, ", {weight} {}", penalty.name())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::L1;
    use ae_models::{Activation, Dense, DenseConfig};
    use burn::tensor::{Device, TensorData};
    use proptest::prelude::*;

    fn model(output: Activation) -> Dense {
        DenseConfig { output, ..DenseConfig::new([3, 2]) }.init(1, &Device::flex()).unwrap()
    }

    fn input() -> Tensor<2> {
        Tensor::from_floats([[0.1, 0.9, 0.5], [1.0, 0.0, 0.3]], &Device::flex())
    }

    const MOMENT: Moment = Moment { seed: 1, epoch: 0, step: 0 };

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn the_total_is_the_sum_of_its_terms(weight in 0.0f64..3.0, p in 0.0f64..1.0) {
            let objective = Objective::new(Reconstruction::CrossEntropy)
                .corrupt(Corruption::masking(p).unwrap())
                .penalize(weight, L1).unwrap();
            let model = model(Activation::Sigmoid);
            let pass = objective.pass(&model, input(), MOMENT);
            let losses = objective.losses(&pass);
            let terms: Vec<f32> = losses.terms().into_data().iter().collect();
            prop_assert_eq!(terms.len(), objective.names().len());
            let total: f32 = losses.total().into_scalar();
            prop_assert!((terms.iter().sum::<f32>() - total).abs() <= 1e-6 * total);
            let l1: f32 = L1.value(&pass).into_scalar();
            prop_assert!((terms[1] - weight as f32 * l1).abs() <= 1e-6 * terms[1].abs());
        }
    }

    #[test]
    fn what_is_encoded_is_corrupted_and_what_is_wanted_is_clean() {
        let objective: Objective<Dense> =
            Objective::new(Reconstruction::SquaredError).corrupt(Corruption::masking(1.0).unwrap());
        let model = model(Activation::Identity);
        let pass = objective.pass(&model, input(), MOMENT);
        pass.corrupted.values.to_data().assert_eq(&TensorData::zeros::<f32, _>([2, 3]), true);
        pass.input.to_data().assert_eq(&input().into_data(), true);
        let loss: f32 = objective.losses(&pass).total().into_scalar();
        // A zero input has the code 0 and the reconstruction 0, biases being 0.
        let expected: f32 = input().square().sum().into_scalar::<f32>() / 2.0;
        assert!((loss - expected).abs() < 1e-6);
    }

    #[test]
    fn cross_entropy_without_a_sigmoid_is_refused() {
        let objective = Objective::new(Reconstruction::CrossEntropy);
        assert_eq!(
            objective.check(&model(Activation::Identity)).unwrap_err().to_string(),
            "cross-entropy: expected a model with a sigmoid output, got one with identity; give \
             the model a sigmoid output, or take squared error"
        );
        objective.check(&model(Activation::Sigmoid)).unwrap();
        let negative = Objective::<Dense>::new(Reconstruction::SquaredError).penalize(-1.0, L1);
        assert_eq!(
            negative.err().unwrap().to_string(),
            "penalty weight: expected a number from 0, got -1"
        );
    }

    struct Fussy;

    impl Penalty<Dense> for Fussy {
        fn name(&self) -> &str {
            "fussy"
        }

        fn value(&self, pass: &Pass<'_, Dense>) -> Tensor<1> {
            pass.code.clone().sum()
        }

        fn check(&self, _: &Dense) -> Result<()> {
            Err(Error::Objective("fussy: expected another model, got this one".into()))
        }
    }

    #[test]
    fn a_penalty_can_refuse_a_model() {
        let objective = Objective::new(Reconstruction::SquaredError).penalize(1.0, Fussy).unwrap();
        let error = objective.check(&model(Activation::Identity)).unwrap_err();
        assert_eq!(error.to_string(), "fussy: expected another model, got this one");
    }
}
