//! The objective of training: a sum of named terms.

use ae_models::{Activation, Autoencoder, Layered, top_k};
use burn::tensor::Tensor;
use serde_json::{Map, Value, json};

use crate::batches::halves;
use crate::code_transform::TOP_K;
use crate::dropout::Dropout;
use crate::reconstruction::per_sample;
use crate::{
    CodeTransform, Constraint, Corruption, CorruptionMask, Error, MaskedTable, NoiseKey, Pass,
    Penalty, PenaltyState, Reconstruction, Result, TopKSchedule,
};

/// The objective of training an autoencoder:
/// `L(x) = reconstruction(y, x) + sum_i weight_i penalty_i`, `y = decode(encode(corrupt(x)))`.
///
/// It is the loss of reconstructing the clean input from a corrupted one, plus weighted penalties.
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
    masked: Option<MaskedTable>,
    of_known: bool,
    transforms: Vec<Box<dyn CodeTransform<M>>>,
    constraints: Vec<Box<dyn Constraint<M>>>,
    dropout: Option<Dropout<M>>,
    penalties: Vec<(f64, Box<dyn Penalty<M>>)>,
}

/// The weights of the losses of corrupted and of other components.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Emphasis {
    corrupted: f64,
    rest: f64,
}

/// The value of an objective for a batch: one value per term, with its weight. The total is their sum.
pub struct Losses {
    terms: Vec<Tensor<1>>,
    penalty_state: PenaltyState,
}

impl Losses {
    pub(crate) fn new(terms: Vec<Tensor<1>>) -> Self {
        Self { terms, penalty_state: PenaltyState::new() }
    }

    /// The sum of the terms, `[1]`.
    pub fn total(&self) -> Tensor<1> {
        let (first, rest) = self.terms.split_first().expect("at least one term");
        rest.iter().fold(first.clone(), |sum, term| sum + term.clone())
    }

    /// The terms as one tensor, `[terms]`, in the order of [`Objective::names`], detached from autodiff.
    pub fn terms(&self) -> Tensor<1> {
        Tensor::cat(self.each().collect(), 0)
    }

    /// The terms one by one, `[1]` each, in the same order, detached from autodiff.
    pub fn each(&self) -> impl Iterator<Item = Tensor<1>> {
        self.terms.iter().map(|term| term.clone().without_autodiff())
    }

    /// The state of the penalties for the next pass.
    pub fn penalty_state(&self) -> &PenaltyState {
        &self.penalty_state
    }
}

impl<M: Autoencoder> Objective<M> {
    /// An objective with the reconstruction term alone.
    pub fn new(reconstruction: Reconstruction) -> Self {
        Self {
            reconstruction,
            corruption: Corruption::None,
            emphasis: None,
            masked: None,
            of_known: false,
            transforms: Vec::new(),
            constraints: Vec::new(),
            dropout: None,
            penalties: Vec::new(),
        }
    }

    /// An objective of predicting the cells of tables with missing ones: [`MaskedTable`]. Its samples are
    /// [`Masked`](ae_data::Masked), so the model has twice as many features as they have.
    pub fn masked(table: MaskedTable) -> Self {
        Self { masked: Some(table), ..Self::new(Reconstruction::SquaredError) }
    }

    /// Leaves what is unknown out of the reconstruction term: `sum_j m_j l(y_j, x_j)`, where `m_j` is 1 if the value `x_j`
    /// is known and 0 if it is missing. Samples are [`Masked`](ae_data::Masked), but the model has as many
    /// features as these have values: it sees a missing one as the mean. An unknown value has no gradient.
    pub fn of_known(mut self) -> Self {
        self.of_known = true;
        self
    }

    /// Whether the loss is [of known values](Self::of_known).
    pub fn is_of_known(&self) -> bool {
        self.of_known
    }

    /// The numbers of a row of the samples, for this model.
    pub(crate) fn width(&self, model: &M) -> usize {
        if self.of_known { 2 * model.features() } else { model.features() }
    }

    /// Corrupts inputs before they are encoded. The target stays clean (Vincent et al. 2008, doi
    /// 10.1145/1390156.1390294).
    pub fn corrupt(mut self, corruption: Corruption) -> Self {
        self.corruption = corruption;
        self
    }

    /// Weights the loss of corrupted components by `corrupted` and that of the others by `rest` (alpha and
    /// beta in Vincent et al. 2010, JMLR 11:3371, section 3.4). With a `rest` of 0, only corrupted
    /// components count: full emphasis. It needs masking or salt-and-pepper noise, which corrupts some of
    /// the components.
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
            return Err(Error::setting("emphasis", "at least one number above 0", "0 and 0"));
        }
        self.emphasis = Some(Emphasis { corrupted, rest });
        Ok(self)
    }

    /// Keeps only the largest units of a code, in a number that may fall over the epochs. The model must
    /// keep at least as many as training does in its last epochs
    /// ([`top_k`](ae_models::Encoder::top_k)).
    pub fn train_top_k(mut self, schedule: TopKSchedule) -> Self {
        self.transforms.retain(|known| known.name() != TOP_K);
        self.transforms.insert(0, Box::new(schedule));
        self
    }

    /// Transforms the code between encoder and decoder, after the transformations that it has already.
    ///
    /// # Errors
    /// If one has the same name.
    pub fn transform(mut self, transform: impl CodeTransform<M> + 'static) -> Result<Self> {
        if self.transforms.iter().any(|known| known.name() == transform.name()) {
            let name = transform.name();
            return Err(Error::Objective(format!(
                "{name}: expected each transformation once, got two; drop one"
            )));
        }
        self.transforms.push(Box::new(transform));
        Ok(self)
    }

    /// Adds a constraint on the parameters, which holds after every step.
    ///
    /// # Errors
    /// If one has the same name.
    pub fn constrain(mut self, constraint: impl Constraint<M> + 'static) -> Result<Self> {
        if self.constraints.iter().any(|known| known.name() == constraint.name()) {
            let name = constraint.name();
            return Err(Error::Objective(format!(
                "{name}: expected each constraint once, got two; drop one"
            )));
        }
        self.constraints.push(Box::new(constraint));
        Ok(self)
    }

    /// The model with all constraints satisfied.
    pub(crate) fn constrained(&self, model: M, key: NoiseKey) -> M {
        self.constraints.iter().fold(model, |model, constraint| constraint.apply(model, key))
    }

    /// Adds dropout: in each training step each hidden unit, also of the code, is 0 with probability `p`,
    /// and the others are multiplied by `1 / (1 - p)` (Srivastava et al. 2014, JMLR 15:1929). Penalties
    /// see the code before dropout. Inputs are not dropped (masking noise does that, without rescaling).
    /// Validation and the trained model have no dropout.
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

    /// Adds a penalty.
    ///
    /// # Errors
    /// If the weight is negative or not finite, or a term has the same name.
    pub fn penalize(mut self, weight: f64, penalty: impl Penalty<M> + 'static) -> Result<Self> {
        if !(weight.is_finite() && weight >= 0.0) {
            return Err(Error::setting("penalty weight", "a number from 0", weight));
        }
        if self.names().iter().any(|name| name == penalty.name()) {
            let name = penalty.name();
            return Err(Error::Objective(format!(
                "{name}: expected each term once, got two; add one with the sum of the weights"
            )));
        }
        self.penalties.push((weight, Box::new(penalty)));
        Ok(self)
    }

    /// The reconstruction term.
    pub fn reconstruction(&self) -> Reconstruction {
        self.reconstruction
    }

    /// How cells of tables are hidden and predicted, for a [masked](Self::masked) objective.
    pub fn masked_table(&self) -> Option<&MaskedTable> {
        self.masked.as_ref()
    }

    /// The corruption of inputs before they are encoded.
    pub fn corruption(&self) -> Corruption {
        self.corruption
    }

    /// The names of the terms, in the order of [`Losses::terms`].
    pub fn names(&self) -> Vec<String> {
        let penalties = self.penalties.iter().map(|(_, penalty)| penalty.name());
        let losses = match &self.masked {
            Some(masked) => masked.names(),
            None => vec![self.reconstruction.name()],
        };
        losses.into_iter().chain(penalties).map(str::to_owned).collect()
    }

    /// Checks that the objective fits a model.
    ///
    /// # Errors
    /// If it does not, with the reason.
    pub fn check(&self, model: &M) -> Result<()> {
        if self.reconstruction == Reconstruction::CrossEntropy && !model.output().is_probability() {
            return Err(Error::Objective(format!(
                "cross-entropy: expected a model with a sigmoid output, got one with {}; give the \
                 model a sigmoid output, or take squared error",
                model.output()
            )));
        }
        let corrupts_some =
            matches!(self.corruption, Corruption::Masking(_) | Corruption::SaltAndPepper(_));
        if self.emphasis.is_some() && !corrupts_some {
            return Err(Error::Objective(format!(
                "emphasis: needs masking or salt-and-pepper noise, got {}; corrupt the input with one of \
                 them",
                self.corruption
            )));
        }
        if let Corruption::Deform(deformation) = self.corruption
            && deformation.features() != model.features()
        {
            let [channels, height, width] = deformation.image;
            return Err(Error::Objective(format!(
                "deform: expected a model of images of {channels}x{height}x{width}, {} features, got one of {}",
                deformation.features(),
                model.features()
            )));
        }
        if let Some(masked) = &self.masked {
            self.check_masked(masked, model)?;
        }
        if self.of_known && self.masked.is_some() {
            return Err(Error::Objective(
                "masked cells: have a loss of known values already; leave `of_known` out".into(),
            ));
        }
        self.transforms.iter().try_for_each(|transform| transform.check(model))?;
        self.penalties.iter().try_for_each(|(_, penalty)| penalty.check(model))
    }

    fn check_masked(&self, masked: &MaskedTable, model: &M) -> Result<()> {
        let (wanted, features) = (2 * masked.features(), model.features());
        if features != wanted {
            return Err(Error::Objective(format!(
                "masked cells: expected a model of {wanted} features, values and marks of {}, got {features}",
                masked.features()
            )));
        }
        if model.output() != Activation::Identity {
            return Err(Error::Objective(format!(
                "masked cells: expected a model without an output activation, got {}; give it \
                 identity, each column gets its own",
                model.output()
            )));
        }
        if self.corruption != Corruption::None {
            return Err(Error::Objective(format!(
                "masked cells: hide cells themselves, got {} as well; leave the corruption out",
                self.corruption
            )));
        }
        Ok(())
    }

    /// The range of allowed targets, if it is limited.
    pub fn target_range(&self) -> Option<[f32; 2]> {
        (self.reconstruction == Reconstruction::CrossEntropy).then_some([0.0, 1.0])
    }

    /// Corrupts, encodes and decodes a batch, `[batch, features]`, without penalty state. An objective
    /// [of known values](Self::of_known) takes values and marks, `[batch, 2 features]`.
    pub fn pass<'a>(&self, model: &'a M, input: Tensor<2>, key: NoiseKey) -> Pass<'a, M> {
        self.pass_with(model, input, key, PenaltyState::new())
    }

    /// As [`pass`](Self::pass), with the state of the penalties so far.
    pub fn pass_with<'a>(
        &self,
        model: &'a M,
        input: Tensor<2>,
        key: NoiseKey,
        penalty_state: PenaltyState,
    ) -> Pass<'a, M> {
        let (input, known) = match self.of_known {
            true => {
                let [values, known] = halves(input);
                (values, Some(known))
            }
            false => (input, None),
        };
        let corrupted = match &self.masked {
            Some(masked) => masked.hide(input.clone(), key),
            None => self.corruption.apply(input.clone(), key),
        };
        let values = corrupted.values.clone();
        let replaces_top_k = self.transforms.iter().any(|transform| transform.name() == TOP_K);
        let own_top_k = model.top_k().filter(|_| !replaces_top_k);
        let transformed = |code: Tensor<2>| {
            let transforms = self.transforms.iter();
            let code = transforms.fold(code, |code, transform| transform.apply(code, key));
            own_top_k.map_or(code.clone(), |k| top_k(code, k))
        };
        let (code, logits) = match &self.dropout {
            Some(dropout) if !key.is_validation() => {
                let [code, logits] = dropout.pass(model, values, &transformed, key);
                (code, logits)
            }
            _ => {
                let code = match self.transforms.is_empty() {
                    true => model.encode(values),
                    false => transformed(model.encode_dense(values)),
                };
                let logits = model.decode_logits(code.clone());
                (code, logits)
            }
        };
        // Terms are computed in the precision of the input.
        let [code, logits] = [code, logits].map(|tensor| tensor.cast(input.dtype()));
        Pass { model, input, known, corrupted, code, logits, noise_key: key, penalty_state }
    }

    /// Everything of the objective that determines the results of a run.
    pub(crate) fn identity(&self) -> Value {
        let penalties = self.penalties.iter().map(|(weight, penalty)| {
            let identity = json!({ "weight": weight, "settings": penalty.settings() });
            (penalty.name().to_owned(), identity)
        });
        let penalties: Map<String, Value> = penalties.collect();
        let emphasis =
            self.emphasis.map(|it| json!({ "corrupted": it.corrupted, "rest": it.rest }));
        let named = |name: &str| self.transforms.iter().find(|it| it.name() == name);
        let mut identity = json!({
            "reconstruction": self.reconstruction,
            "corruption": self.corruption,
            "emphasis": emphasis,
            "top-k": named(TOP_K).map(|it| it.settings()),
            "dropout": self.dropout.as_ref().map(Dropout::probability),
            "penalties": penalties,
            // The order of a sum determines its rounding.
            "terms": self.names(),
        });
        let others = self.transforms.iter().filter(|it| it.name() != TOP_K);
        let transforms: Vec<Value> =
            others.map(|it| json!({ "name": it.name(), "settings": it.settings() })).collect();
        let constraints = self.constraints.iter();
        let constraints: Vec<Value> =
            constraints.map(|it| json!({ "name": it.name(), "settings": it.settings() })).collect();
        // Absent where there are none, as in checkpoints of earlier versions.
        for (key, values) in [("transforms", transforms), ("constraints", constraints)] {
            if !values.is_empty() {
                identity[key] = values.into();
            }
        }
        if let Some(masked) = &self.masked {
            identity["masked"] = json!(masked);
        }
        if self.of_known {
            identity["of-known"] = true.into();
        }
        identity
    }

    /// Whether a validation pass computes the same as the model alone.
    pub(crate) fn validates_the_plain_model(&self) -> bool {
        self.corruption == Corruption::None && self.masked.is_none() && self.transforms.is_empty()
    }

    /// Computes the terms for a pass.
    pub fn losses(&self, pass: &Pass<'_, M>) -> Losses {
        let mut terms = match &self.masked {
            Some(masked) => {
                let (input, hidden) = (pass.input.clone(), pass.corrupted.values.clone());
                masked.terms(pass.logits.clone(), input, hidden)
            }
            None => vec![self.reconstruction_loss(pass)],
        };
        let mut penalty_state = PenaltyState::new();
        for (weight, penalty) in &self.penalties {
            terms.push(penalty.value(pass) * *weight);
            if let Some(value) = penalty.update_state(pass) {
                penalty_state.insert(penalty.name().to_owned(), value.without_autodiff());
            }
        }
        Losses { terms, penalty_state }
    }

    fn reconstruction_loss(&self, pass: &Pass<'_, M>) -> Tensor<1> {
        let (logits, target) = (pass.logits.clone(), pass.input.clone());
        let ([batch, _], output) = (logits.dims(), pass.model.output());
        let emphasized = match (self.emphasis, &pass.corrupted.mask) {
            (Some(Emphasis { corrupted, rest }), CorruptionMask::Components(touched)) => {
                Some(touched.clone().into_float() * (corrupted - rest) + rest)
            }
            _ => None,
        };
        let weights = match (emphasized, pass.known.clone()) {
            (Some(emphasized), Some(known)) => emphasized * known,
            (Some(weights), None) | (None, Some(weights)) => weights,
            (None, None) => return self.reconstruction.loss(logits, output, target),
        };
        let elements = self.reconstruction.elements(logits, output, target);
        per_sample((elements * weights).sum(), batch)
    }
}

impl<M> std::fmt::Display for Objective<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.masked {
            Some(masked) => write!(f, "{masked}")?,
            None => write!(f, "{}", self.reconstruction)?,
        }
        if self.corruption != Corruption::None {
            write!(f, ", {}", self.corruption)?;
        }
        if let Some(Emphasis { corrupted, rest }) = self.emphasis {
            write!(f, ", emphasis {corrupted} to {rest}")?;
        }
        for transform in &self.transforms {
            write!(f, ", {}", transform.words())?;
        }
        if let Some(dropout) = &self.dropout {
            write!(f, ", dropout {}", dropout.probability())?;
        }
        for (weight, penalty) in &self.penalties {
            write!(f, ", {weight} {}", penalty.name())?;
        }
        for constraint in &self.constraints {
            write!(f, ", {}", constraint.name())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::L1;
    use crate::Phase;
    use ae_models::{Activation, Dense, DenseConfig, Encoder};
    use burn::tensor::{Device, TensorData};
    use proptest::prelude::*;

    fn model(output: Activation) -> Dense {
        DenseConfig { output, ..DenseConfig::new([3, 2]) }.init(1, &Device::flex()).unwrap()
    }

    fn input() -> Tensor<2> {
        Tensor::from_floats([[0.1, 0.9, 0.5], [1.0, 0.0, 0.3]], &Device::flex())
    }

    const KEY: NoiseKey = NoiseKey { seed: 1, phase: Phase::Train(0), step: 0 };

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn total_is_the_sum_of_the_terms(weight in 0.0f64..3.0, p in 0.0f64..1.0) {
            let objective = Objective::new(Reconstruction::CrossEntropy)
                .corrupt(Corruption::masking(p).unwrap())
                .penalize(weight, L1).unwrap();
            let model = model(Activation::Sigmoid);
            let pass = objective.pass(&model, input(), KEY);
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
    fn input_is_corrupted_and_target_is_clean() {
        let objective: Objective<Dense> =
            Objective::new(Reconstruction::SquaredError).corrupt(Corruption::masking(1.0).unwrap());
        let model = model(Activation::Identity);
        let pass = objective.pass(&model, input(), KEY);
        pass.corrupted.values.to_data().assert_eq(&TensorData::zeros::<f32, _>([2, 3]), true);
        pass.input.to_data().assert_eq(&input().into_data(), true);
        let loss: f32 = objective.losses(&pass).total().into_scalar();
        // Since biases are 0, an input of 0 has the code 0 and the reconstruction 0.
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

    /// Errors (1, 4, 9) and (16, 25, 36), of which (1, 9) and none are known: (1 + 9) / 2 rows. An unknown value has no
    /// gradient. With emphasis, weights (1, 0.25) for the masked second and the other ones: 0.25 * 10 / 2.
    #[test]
    fn known_values_by_hand() {
        let device = Device::flex();
        let objective = || Objective::new(Reconstruction::SquaredError).of_known();
        let model = model(Activation::Identity);
        let rows = [[1.0, 2.0, 3.0, 1.0, 0.0, 1.0], [4.0, 5.0, 6.0, 0.0, 0.0, 0.0]];
        let rows = Tensor::<2>::from_floats(rows, &device);
        let mut pass = objective().pass(&model, rows.clone(), KEY);
        assert_eq!(pass.input.dims(), [2, 3]);
        let logits = Tensor::zeros([2, 3], &device.clone().autodiff()).require_grad();
        pass.logits = logits.clone();
        let loss = objective().losses(&pass).total();
        let gradients = loss.backward();
        let gradient: Vec<f32> = logits.grad(&gradients).unwrap().into_data().iter().collect();
        assert_eq!(gradient, [-1.0, 0.0, -3.0, 0.0, 0.0, 0.0]);
        assert_eq!(loss.into_scalar::<f32>(), 5.0);
        let objective = objective().corrupt(Corruption::masking(0.5).unwrap());
        let objective = objective.emphasize(1.0, 0.25).unwrap();
        let mut pass = objective.pass(&model, rows, KEY);
        pass.logits = Tensor::zeros([2, 3], &device);
        let touched = TensorData::from([[false, true, false], [false, true, false]]);
        pass.corrupted.mask = CorruptionMask::Components(
            Tensor::<2, burn::tensor::Bool>::from_data(touched, &device).into(),
        );
        assert_eq!(objective.losses(&pass).total().into_scalar::<f32>(), 1.25);
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
        let mut pass = objective.pass(&model, input, KEY);
        pass.logits = Tensor::zeros([1, 3], &device);
        let corrupted = TensorData::from([[true, true, false]]);
        pass.corrupted.mask = CorruptionMask::Components(
            Tensor::<2, burn::tensor::Bool>::from_data(corrupted, &device).into(),
        );
        let loss: f32 = objective.losses(&pass).total().into_scalar();
        assert_eq!(loss, 7.25);
    }

    #[test]
    fn emphasis_needs_a_corruption_of_components() {
        let emphasized = |corruption| {
            let objective = Objective::new(Reconstruction::SquaredError).corrupt(corruption);
            objective.emphasize(1.0, 0.0).unwrap().check(&model(Activation::Identity))
        };
        emphasized(Corruption::masking(0.1).unwrap()).unwrap();
        assert_eq!(
            emphasized(Corruption::gaussian(0.1).unwrap()).unwrap_err().to_string(),
            "emphasis: needs masking or salt-and-pepper noise, got gaussian 0.1; corrupt the input with \
             one of them"
        );
        let refused = Objective::<Dense>::new(Reconstruction::SquaredError).emphasize(-1.0, 0.0);
        assert_eq!(
            refused.err().unwrap().to_string(),
            "emphasis: expected a number from 0, got -1"
        );
    }

    #[test]
    fn training_keeps_the_scheduled_number_and_the_model_its_own() {
        let config = DenseConfig { top_k: Some(3), ..DenseConfig::new([3, 4]) };
        let model_of = |config: &DenseConfig| config.init(1, &Device::flex()).unwrap();
        let objective = Objective::new(Reconstruction::SquaredError)
            .train_top_k(TopKSchedule::annealed(4, 2, 2).unwrap());
        let model = model_of(&config);
        objective.check(&model).unwrap();
        let active = |code: Tensor<2>| -> usize {
            code.into_data().iter::<f32>().filter(|unit| *unit != 0.0).count()
        };
        let at = |epoch| {
            active(
                objective
                    .pass(&model, input(), NoiseKey { phase: Phase::Train(epoch), ..KEY })
                    .code,
            )
        };
        assert_eq!([0, 1, 2, 9].map(at), [8, 6, 4, 4]);
        assert_eq!(active(model.encode(input())), 6);
        let dense = model_of(&DenseConfig { top_k: None, ..config.clone() });
        assert_eq!(
            objective.check(&dense).unwrap_err().to_string(),
            "k-sparse: expected a model that keeps 2 to 4 units of its code, got one that keeps all; \
             set `top_k` in its configuration"
        );
        let narrow = Objective::new(Reconstruction::SquaredError)
            .train_top_k(TopKSchedule::annealed(9, 2, 2).unwrap());
        assert_eq!(
            narrow.check(&model).unwrap_err().to_string(),
            "k-sparse: expected at most 4, the units of the code, got 9"
        );
    }

    /// With p = 1/2 the kept units double. Validation drops nothing, and penalties see the code before
    /// dropout.
    #[test]
    fn dropout_drops_and_rescales_in_training_only() {
        let config = DenseConfig { output: Activation::Identity, ..DenseConfig::new([3, 64]) };
        let model = config.init(1, &Device::flex()).unwrap();
        let objective = Objective::new(Reconstruction::SquaredError).dropout(0.5).unwrap();
        let plain = Objective::new(Reconstruction::SquaredError);
        let data = |tensor: Tensor<2>| tensor.into_data().iter::<f32>().collect::<Vec<_>>();
        let validation = NoiseKey { phase: Phase::Validation, ..KEY };
        let expected = data(plain.pass(&model, input(), KEY).logits);
        assert_eq!(data(objective.pass(&model, input(), validation).logits), expected);
        let pass = objective.pass(&model, input(), KEY);
        assert_eq!(data(pass.code), data(model.encode(input())));
        assert_ne!(data(pass.logits), expected);
        // Linear, so the mean over many masks is the undropped reconstruction.
        let steps = 4000;
        let sum = (0..steps).fold(vec![0.0; 6], |sum, step| {
            let pass = objective.pass(&model, input(), NoiseKey { step, ..KEY });
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
    fn repeated_term_is_refused() {
        let once = Objective::<Dense>::new(Reconstruction::SquaredError).penalize(1.0, L1).unwrap();
        assert_eq!(
            once.penalize(2.0, L1).err().unwrap().to_string(),
            "l1: expected each term once, got two; add one with the sum of the weights"
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
    fn penalty_can_refuse_a_model() {
        let objective = Objective::new(Reconstruction::SquaredError).penalize(1.0, Fussy).unwrap();
        let error = objective.check(&model(Activation::Identity)).unwrap_err();
        assert_eq!(error.to_string(), "fussy: expected another model, got this one");
    }
}
