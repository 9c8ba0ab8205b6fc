//! What is wanted of a model: a sum of named terms.

use ae_models::{Autoencoder, Layered, keep_largest};
use burn::tensor::Tensor;

use crate::dropout::Dropout;
use crate::reconstruction::share;
use crate::{
    Corruption, Error, KSparse, Memory, Moment, Pass, Penalty, Reconstruction, Result, Touched,
};

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
    emphasis: Option<Emphasis>,
    sparse: Option<KSparse>,
    dropout: Option<Dropout<M>>,
    penalties: Vec<(f64, Box<dyn Penalty<M>>)>,
}

/// How much the loss of a component counts, by whether it was corrupted.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Emphasis {
    corrupted: f64,
    rest: f64,
}

/// The value of an objective for a batch: named terms, each already with its weight, and
/// nothing else. The total is their sum by construction.
pub struct Losses {
    terms: Vec<Tensor<1>>,
    memory: Memory,
}

impl Losses {
    pub(crate) fn new(terms: Vec<Tensor<1>>) -> Self {
        Self { terms, memory: Memory::new() }
    }

    /// The sum of the terms, `[1]`.
    pub fn total(&self) -> Tensor<1> {
        let (first, rest) = self.terms.split_first().expect("at least one term");
        rest.iter().fold(first.clone(), |sum, term| sum + term.clone())
    }

    /// The terms beside each other, in the order of [`Objective::names`]: `[terms]`, off the
    /// tape.
    pub fn terms(&self) -> Tensor<1> {
        Tensor::cat(self.each().collect(), 0)
    }

    /// The terms one by one, `[1]` each, in the same order, off the tape.
    pub fn each(&self) -> impl Iterator<Item = Tensor<1>> {
        self.terms.iter().map(|term| term.clone().without_autodiff())
    }

    /// What the penalties want to find in the memory of the next pass.
    pub fn memory(&self) -> &Memory {
        &self.memory
    }
}

impl<M: Autoencoder> Objective<M> {
    /// Reconstruction alone.
    pub fn new(reconstruction: Reconstruction) -> Self {
        Self {
            reconstruction,
            corruption: Corruption::None,
            emphasis: None,
            sparse: None,
            dropout: None,
            penalties: Vec::new(),
        }
    }

    /// The same with inputs corrupted before they are encoded; what is to be reconstructed
    /// stays clean (Vincent et al. 2008, doi 10.1145/1390156.1390294).
    pub fn corrupt(mut self, corruption: Corruption) -> Self {
        self.corruption = corruption;
        self
    }

    /// The same with the loss of corrupted components weighted by `corrupted`, and that of the
    /// others by `rest` (Vincent et al. 2010, JMLR 11:3371, section 3.4, where they are called
    /// alpha and beta). With a `rest` of 0 only what was destroyed has to be found again: full
    /// emphasis. Needs a corruption that leaves components alone, masking or salt-and-pepper.
    ///
    /// # Errors
    /// If a weight is negative or not finite, or both are 0.
    pub fn emphasize(mut self, corrupted: f64, rest: f64) -> Result<Self> {
        for weight in [corrupted, rest] {
            if !(weight.is_finite() && weight >= 0.0) {
                return Err(Error::setting("emphasis", "a number from 0", weight));
            }
        }
        if corrupted + rest == 0.0 {
            return Err(Error::setting("emphasis", "a number above 0 for one of both", "0 and 0"));
        }
        self.emphasis = Some(Emphasis { corrupted, rest });
        Ok(self)
    }

    /// The same with only the largest units of a code kept, in a number that may fall with time.
    /// The model has to keep at least as many as training does in the end
    /// ([`kept`](ae_models::Encoder::kept)).
    pub fn keep(mut self, sparse: KSparse) -> Self {
        self.sparse = Some(sparse);
        self
    }

    /// The same with dropout: at each training step each hidden unit, the code's included, is zero
    /// with probability `p`, and the others are multiplied by `1 / (1 - p)` (Srivastava et al. 2014,
    /// JMLR 15:1929). Penalties see the code before. Inputs are not dropped (that is masking noise,
    /// which does not rescale), and nothing is in validation and in use.
    ///
    /// # Errors
    /// If `p` is not in \[0, 1).
    pub fn dropout(mut self, p: f64) -> Result<Self>
    where
        M: Layered,
    {
        self.dropout = Some(Dropout::new(p)?);
        Ok(self)
    }

    /// The same with one more penalty.
    ///
    /// # Errors
    /// If the weight is negative or not finite, or there is a penalty of that name.
    pub fn penalize(mut self, weight: f64, penalty: impl Penalty<M> + 'static) -> Result<Self> {
        if !(weight.is_finite() && weight >= 0.0) {
            return Err(Error::setting("penalty weight", "a number from 0", weight));
        }
        if self.names().iter().any(|name| name == penalty.name()) {
            let name = penalty.name();
            return Err(Error::Objective(format!(
                "{name}: expected each term once, got it twice; add the weights"
            )));
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
        let spares =
            matches!(self.corruption, Corruption::Masking(_) | Corruption::SaltAndPepper(_));
        if self.emphasis.is_some() && !spares {
            return Err(Error::Objective(format!(
                "emphasis: expected a corruption that leaves components alone, got {}; take masking \
                 or salt-and-pepper",
                self.corruption
            )));
        }
        if let Some(sparse) = self.sparse {
            self.check_kept(sparse, model)?;
        }
        self.penalties.iter().try_for_each(|(_, penalty)| penalty.check(model))
    }

    fn check_kept(&self, sparse: KSparse, model: &M) -> Result<()> {
        let (to, from, units) = (sparse.to(), sparse.from(), model.code_size());
        if from > units {
            return Err(Error::Objective(format!(
                "k-sparse: expected at most {units} units kept, as the code has, got {from}"
            )));
        }
        match model.kept() {
            Some(kept) if kept >= to => Ok(()),
            kept => {
                let got =
                    kept.map_or("one that keeps all".into(), |k| format!("one that keeps {k}"));
                Err(Error::Objective(format!(
                    "k-sparse: expected a model that keeps {to} to {units} units of its code in \
                     use, got {got}; set `kept` in its configuration"
                )))
            }
        }
    }

    /// The range that targets must lie in, if any.
    pub fn target_range(&self) -> Option<[f32; 2]> {
        (self.reconstruction == Reconstruction::CrossEntropy).then_some([0.0, 1.0])
    }

    /// Corrupts, encodes and decodes a batch, `[batch, features]`, of which nothing is remembered.
    pub fn pass<'a>(&self, model: &'a M, input: Tensor<2>, moment: Moment) -> Pass<'a, M> {
        self.pass_with(model, input, moment, Memory::new())
    }

    /// As [`pass`](Self::pass), with what penalties remember.
    pub fn pass_with<'a>(
        &self,
        model: &'a M,
        input: Tensor<2>,
        moment: Moment,
        memory: Memory,
    ) -> Pass<'a, M> {
        let corrupted = self.corruption.apply(input.clone(), moment);
        let values = corrupted.values.clone();
        let kept = match self.sparse {
            Some(sparse) => Some(sparse.at(moment)),
            None => model.kept(),
        };
        let (code, logits) = match &self.dropout {
            Some(dropout) if !moment.is_validation() => {
                let [code, logits] = dropout.pass(model, values, kept, moment);
                (code, logits)
            }
            _ => {
                let code = match (self.sparse, kept) {
                    (Some(_), Some(k)) => keep_largest(model.encode_all(values), k),
                    _ => model.encode(values),
                };
                let logits = model.decode_logits(code.clone());
                (code, logits)
            }
        };
        // What terms see is of the input's precision, whatever the model computed in.
        let [code, logits] = [code, logits].map(|tensor| tensor.cast(input.dtype()));
        Pass { model, input, corrupted, code, logits, moment, memory }
    }

    /// Whether a pass in validation encodes as the model does in use.
    pub(crate) fn passes_as_in_use(&self) -> bool {
        self.corruption == Corruption::None && self.sparse.is_none()
    }

    /// The terms for a pass.
    pub fn losses(&self, pass: &Pass<'_, M>) -> Losses {
        let mut terms = vec![self.reconstruction_loss(pass)];
        let mut memory = Memory::new();
        for (weight, penalty) in &self.penalties {
            terms.push(penalty.value(pass) * *weight);
            if let Some(value) = penalty.remember(pass) {
                memory.insert(penalty.name().to_owned(), value.without_autodiff());
            }
        }
        Losses { terms, memory }
    }

    fn reconstruction_loss(&self, pass: &Pass<'_, M>) -> Tensor<1> {
        let (logits, target) = (pass.logits.clone(), pass.input.clone());
        let ([batch, _], output) = (logits.dims(), pass.model.output());
        let (Some(emphasis), Touched::These(touched)) = (self.emphasis, &pass.corrupted.touched)
        else {
            return self.reconstruction.loss(logits, output, target);
        };
        let Emphasis { corrupted, rest } = emphasis;
        let weights = touched.clone().into_float() * (corrupted - rest) + rest;
        let elements = self.reconstruction.elements(logits, output, target);
        share((elements * weights).sum(), batch)
    }
}

impl<M> std::fmt::Display for Objective<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.reconstruction)?;
        if self.corruption != Corruption::None {
            write!(f, ", {}", self.corruption)?;
        }
        if let Some(Emphasis { corrupted, rest }) = self.emphasis {
            write!(f, ", emphasis {corrupted} to {rest}")?;
        }
        if let Some(sparse) = self.sparse {
            write!(f, ", {sparse}")?;
        }
        if let Some(dropout) = &self.dropout {
            write!(f, ", dropout {}", dropout.probability())?;
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
    use ae_models::{Activation, Dense, DenseConfig, Encoder};
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

    /// Components 1 and 2 of three are masked; errors (1, 4, 9) weighted (1, 0.25): 1 * 5 + 0.25 * 9.
    #[test]
    fn emphasis_by_hand() {
        let objective = Objective::new(Reconstruction::SquaredError)
            .corrupt(Corruption::masking(0.5).unwrap())
            .emphasize(1.0, 0.25)
            .unwrap();
        let model = model(Activation::Identity);
        let device = Device::flex();
        let input = Tensor::from_floats([[1.0, 2.0, 3.0]], &device);
        let mut pass = objective.pass(&model, input, MOMENT);
        pass.logits = Tensor::zeros([1, 3], &device);
        let touched = TensorData::from([[true, true, false]]);
        pass.corrupted.touched =
            Touched::These(Tensor::<2, burn::tensor::Bool>::from_data(touched, &device).into());
        let loss: f32 = objective.losses(&pass).total().into_scalar();
        assert_eq!(loss, 7.25);
    }

    #[test]
    fn emphasis_of_nothing_is_refused() {
        let emphasized = |corruption| {
            let objective = Objective::new(Reconstruction::SquaredError).corrupt(corruption);
            objective.emphasize(1.0, 0.0).unwrap().check(&model(Activation::Identity))
        };
        emphasized(Corruption::masking(0.1).unwrap()).unwrap();
        assert_eq!(
            emphasized(Corruption::gaussian(0.1).unwrap()).unwrap_err().to_string(),
            "emphasis: expected a corruption that leaves components alone, got gaussian 0.1; take \
             masking or salt-and-pepper"
        );
        let refused = Objective::<Dense>::new(Reconstruction::SquaredError).emphasize(-1.0, 0.0);
        assert_eq!(
            refused.err().unwrap().to_string(),
            "emphasis: expected a number from 0, got -1"
        );
    }

    #[test]
    fn a_k_sparse_training_keeps_its_number_and_the_model_its_own() {
        let config = DenseConfig { kept: Some(3), ..DenseConfig::new([3, 4]) };
        let sparse = |config: &DenseConfig| config.init(1, &Device::flex()).unwrap();
        let objective =
            Objective::new(Reconstruction::SquaredError).keep(KSparse::annealed(4, 2, 2).unwrap());
        let model = sparse(&config);
        objective.check(&model).unwrap();
        let active = |code: Tensor<2>| -> usize {
            code.into_data().iter::<f32>().filter(|unit| *unit != 0.0).count()
        };
        let at = |epoch| active(objective.pass(&model, input(), Moment { epoch, ..MOMENT }).code);
        assert_eq!([0, 1, 2, u32::MAX].map(at), [8, 6, 4, 4]);
        assert_eq!(active(model.encode(input())), 6);
        let dense = sparse(&DenseConfig { kept: None, ..config.clone() });
        assert_eq!(
            objective.check(&dense).unwrap_err().to_string(),
            "k-sparse: expected a model that keeps 2 to 4 units of its code in use, got one that \
             keeps all; set `kept` in its configuration"
        );
        let narrow =
            Objective::new(Reconstruction::SquaredError).keep(KSparse::annealed(9, 2, 2).unwrap());
        assert_eq!(
            narrow.check(&model).unwrap_err().to_string(),
            "k-sparse: expected at most 4 units kept, as the code has, got 9"
        );
    }

    /// With p = 1/2 what is not dropped doubles; in validation nothing is dropped, and penalties see
    /// the code before.
    #[test]
    fn dropout_drops_hidden_units_while_training_and_rescales() {
        let config = DenseConfig { output: Activation::Identity, ..DenseConfig::new([3, 64]) };
        let model = config.init(1, &Device::flex()).unwrap();
        let objective = Objective::new(Reconstruction::SquaredError).dropout(0.5).unwrap();
        let plain = Objective::new(Reconstruction::SquaredError);
        let data = |tensor: Tensor<2>| tensor.into_data().iter::<f32>().collect::<Vec<_>>();
        let validation = Moment { epoch: u32::MAX, ..MOMENT };
        let expected = data(plain.pass(&model, input(), MOMENT).logits);
        assert_eq!(data(objective.pass(&model, input(), validation).logits), expected);
        let pass = objective.pass(&model, input(), MOMENT);
        assert_eq!(data(pass.code), data(model.encode(input())));
        assert_ne!(data(pass.logits), expected);
        // Linear, so the mean over many masks is the undropped reconstruction.
        let steps = 4000;
        let sum = (0..steps).fold(vec![0.0; 6], |sum, step| {
            let pass = objective.pass(&model, input(), Moment { step, ..MOMENT });
            sum.iter().zip(data(pass.logits)).map(|(sum, logit)| sum + logit).collect()
        });
        for (sum, expected) in sum.iter().zip(&expected) {
            assert!((sum / steps as f32 - expected).abs() < 0.05, "{sum} {expected}");
        }
        let refused = Objective::<Dense>::new(Reconstruction::SquaredError).dropout(1.0);
        assert_eq!(
            refused.err().unwrap().to_string(),
            "dropout: expected a number in [0, 1), got 1"
        );
    }

    #[test]
    fn a_term_twice_is_refused() {
        let once = Objective::<Dense>::new(Reconstruction::SquaredError).penalize(1.0, L1).unwrap();
        assert_eq!(
            once.penalize(2.0, L1).err().unwrap().to_string(),
            "l1: expected each term once, got it twice; add the weights"
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
