//! Optimisers: the update rules of burn-optim, with states that are saved by parameter name.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use ae_models::tensors::{ParamPath, Tensors};
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::{
    DynOptimizer, DynState, GradientsParams, RmsPropConfig, SgdConfig, StateSink, StateSource,
    momentum::MomentumConfig,
};
use burn::tensor::{Device, Tensor};

use crate::adam::{Adam, Queue};
use crate::{Error, Result};

/// The update rule of a run.
///
/// | kind | defaults | source |
/// |---|---|---|
/// | `adam` | beta 0.9, 0.999, epsilon 1e-8 | Kingma & Ba 2015, arXiv 1412.6980 |
/// | `adam-w` | the same, weight decay 0.01 | Loshchilov & Hutter 2019, arXiv 1711.05101 |
/// | `sgd` | momentum 0, not Nesterov's | Sutskever et al. 2013 |
/// | `rms-prop` | alpha 0.99, momentum 0, epsilon 1e-8 | Hinton, Coursera 2012, lecture 6e |
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Optimizer {
    /// Adam.
    Adam {
        /// Decay of the mean of gradients, in [0, 1).
        beta_1: f32,
        /// Decay of the mean of their squares, in [0, 1).
        beta_2: f32,
        /// Added to the square root of the latter.
        epsilon: f32,
    },
    /// Adam with decoupled weight decay.
    AdamW {
        /// Decay of the mean of gradients, in [0, 1).
        beta_1: f32,
        /// Decay of the mean of their squares, in [0, 1).
        beta_2: f32,
        /// Added to the square root of the latter.
        epsilon: f32,
        /// The fraction of a weight that each step subtracts, times the learning rate.
        weight_decay: f32,
    },
    /// Gradient descent.
    Sgd {
        /// The fraction of the last step that is added, in [0, 1).
        momentum: f64,
        /// Whether to use Nesterov's momentum.
        nesterov: bool,
    },
    /// RMSprop.
    RmsProp {
        /// Decay of the mean of squared gradients, in [0, 1).
        alpha: f32,
        /// The fraction of the last step that is added, in [0, 1).
        momentum: f32,
        /// Added to the square root of that mean.
        epsilon: f32,
    },
}

impl Default for Optimizer {
    fn default() -> Self {
        Self::adam()
    }
}

impl Optimizer {
    /// Adam with its defaults.
    pub fn adam() -> Self {
        Self::Adam { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8 }
    }

    /// AdamW with its defaults.
    pub fn adam_w(weight_decay: f32) -> Self {
        Self::AdamW { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8, weight_decay }
    }

    /// Gradient descent with momentum.
    pub fn sgd(momentum: f64) -> Self {
        Self::Sgd { momentum, nesterov: false }
    }

    /// RMSprop with its defaults.
    pub fn rms_prop() -> Self {
        Self::RmsProp { alpha: 0.99, momentum: 0.0, epsilon: 1e-8 }
    }

    pub(crate) fn check(&self) -> Result<()> {
        let fraction = |what, value: f64| match (0.0..1.0).contains(&value) {
            true => Ok(()),
            false => Err(Error::setting(what, "a number in [0, 1)", value)),
        };
        let positive = |what, value: f32| match value.is_finite() && value > 0.0 {
            true => Ok(()),
            false => Err(Error::setting(what, "a number above 0", value)),
        };
        match *self {
            Self::Adam { beta_1, beta_2, epsilon }
            | Self::AdamW { beta_1, beta_2, epsilon, .. } => {
                fraction("beta_1", beta_1.into())?;
                fraction("beta_2", beta_2.into())?;
                positive("epsilon", epsilon)?;
            }
            Self::Sgd { momentum, .. } => fraction("momentum", momentum)?,
            Self::RmsProp { alpha, momentum, epsilon } => {
                fraction("alpha", alpha.into())?;
                fraction("momentum", momentum.into())?;
                positive("epsilon", epsilon)?;
            }
        }
        match *self {
            Self::AdamW { weight_decay, .. }
                if !(weight_decay.is_finite() && weight_decay >= 0.0) =>
            {
                Err(Error::setting("weight decay", "a number from 0", weight_decay))
            }
            _ => Ok(()),
        }
    }

    fn rule(&self, queue: Queue) -> Arc<dyn DynOptimizer> {
        match *self {
            Self::Adam { beta_1, beta_2, epsilon } => {
                Arc::new(Adam { beta_1, beta_2, epsilon, weight_decay: 0.0, queue })
            }
            Self::AdamW { beta_1, beta_2, epsilon, weight_decay } => {
                Arc::new(Adam { beta_1, beta_2, epsilon, weight_decay, queue })
            }
            Self::Sgd { momentum, nesterov } => {
                let momentum = (momentum > 0.0).then_some(MomentumConfig {
                    momentum,
                    dampening: 0.0,
                    nesterov,
                });
                Arc::new(SgdConfig::new().with_momentum(momentum).build())
            }
            Self::RmsProp { alpha, momentum, epsilon } => {
                let config = RmsPropConfig::new().with_alpha(alpha).with_momentum(momentum);
                Arc::new(config.with_epsilon(epsilon).build())
            }
        }
    }
}

/// An optimiser with its state for every parameter.
///
/// Burn's `ModuleOptimizer` does the same, but it keys states by parameter ids, which change with the
/// process, and restores them on the default device, which a run may not use.
pub(crate) struct OptimizerState {
    rule: Arc<dyn DynOptimizer>,
    queue: Queue,
    states: BTreeMap<String, DynState>,
}

impl OptimizerState {
    pub(crate) fn new(optimizer: &Optimizer) -> Self {
        let queue = Queue::default();
        Self { rule: optimizer.rule(queue.clone()), queue, states: BTreeMap::new() }
    }

    /// Updates every parameter that has a gradient.
    pub(crate) fn apply<M: Module>(
        &mut self,
        rate: f64,
        model: M,
        gradients: GradientsParams,
    ) -> M {
        let queue = self.queue.clone();
        let model = model.map(&mut Mapper {
            optimizer: self,
            rate,
            gradients,
            names: ParamPath::default(),
        });
        queue.lock().unwrap_or_else(PoisonError::into_inner).finish();
        model
    }

    /// The state: its tensors, and its numbers that are not tensors.
    pub(crate) fn save(&self) -> (Tensors, BTreeMap<String, u64>) {
        let mut sink = StateSink::default();
        for (name, state) in &self.states {
            self.rule.state_flatten(name, state, &mut sink);
            sink.scalars.push((format!("{name}.rank"), state.rank().into()));
        }
        let numbers = sink
            .scalars
            .into_iter()
            .filter_map(|(name, number)| Some((name, u64::try_from(number).ok()?)));
        (sink.tensors.into_iter().collect(), numbers.collect())
    }

    /// Restores the state of [`save`](Self::save).
    pub(crate) fn restore(
        &mut self,
        tensors: Tensors,
        numbers: &BTreeMap<String, u64>,
        device: &Device,
    ) -> Result<(), String> {
        let scalars = numbers.iter().map(|(name, number)| (name.clone(), (*number).into()));
        let mut source = StateSource::new(scalars.collect());
        for (name, tensor) in tensors {
            source.insert_tensor(name, tensor);
        }
        self.states.clear();
        for (name, rank) in numbers {
            let Some(parameter) = name.strip_suffix(".rank") else { continue };
            let rank = *rank as usize;
            let state = self.rule.state_unflatten(rank, parameter, &mut source, device);
            let state =
                state.ok_or_else(|| format!("no state of the optimiser for {parameter}"))?;
            self.states.insert(parameter.to_owned(), state);
        }
        Ok(())
    }
}

struct Mapper<'a> {
    optimizer: &'a mut OptimizerState,
    rate: f64,
    gradients: GradientsParams,
    names: ParamPath,
}

impl ModuleMapper for Mapper<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(gradient) = self.gradients.remove::<D>(param.id) else { return param };
        let (id, value, mapper) = param.consume();
        let name = self.names.name();
        let state = self.optimizer.states.remove(&name);
        let (value, state) = self.optimizer.rule.step_dyn(
            D,
            self.rate,
            value.inner().into_bridge(),
            gradient.into_bridge(),
            state,
        );
        if let Some(state) = state {
            self.optimizer.states.insert(name, state);
        }
        let value = Tensor::<D>::from_inner(Tensor::from_bridge(value)).require_grad();
        Param::from_mapped_value(id, value, mapper)
    }

    fn enter_module(&mut self, name: &str, container: &str) {
        self.names.enter(name, container);
    }

    fn exit_module(&mut self, _: &str, container: &str) {
        self.names.exit(container);
    }
}

/// Scales all gradients of a model by one factor so that their total norm is at most `limit` (Pascanu et
/// al. 2013, arXiv 1211.5063). Nothing is read back.
pub(crate) fn clip<M: Module>(
    model: &M,
    mut gradients: GradientsParams,
    limit: f64,
) -> GradientsParams {
    let mut squares = Squares { gradients: &gradients, sum: None };
    model.visit(&mut squares);
    if let Some(sum) = squares.sum {
        let factor = sum.sqrt().clamp_min(limit).recip() * limit;
        gradients = multiply(model, gradients, factor);
    }
    gradients
}

/// Multiplies all gradients of a model by a factor, `[1]`.
pub(crate) fn multiply<M: Module>(
    model: &M,
    mut gradients: GradientsParams,
    factor: Tensor<1>,
) -> GradientsParams {
    model.visit(&mut Scale { gradients: &mut gradients, factor });
    gradients
}

struct Squares<'a> {
    gradients: &'a GradientsParams,
    sum: Option<Tensor<1>>,
}

impl ModuleVisitor for Squares<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.get::<D>(param.id) {
            let square = gradient.square().sum();
            self.sum = Some(match self.sum.take() {
                Some(sum) => sum + square,
                None => square,
            });
        }
    }
}

struct Scale<'a> {
    gradients: &'a mut GradientsParams,
    factor: Tensor<1>,
}

impl ModuleVisitor for Scale<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.remove::<D>(param.id) {
            let scaled = gradient * self.factor.clone().reshape([1; D]);
            self.gradients.register(param.id, scaled);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ae_models::{DenseConfig, Encoder, tensors};

    const KINDS: [fn() -> Optimizer; 4] =
        [Optimizer::adam, || Optimizer::adam_w(0.1), || Optimizer::sgd(0.9), Optimizer::rms_prop];

    fn model() -> ae_models::Dense {
        DenseConfig::new([3, 2]).init(5, &Device::flex()).unwrap().train()
    }

    fn gradients<M: Encoder>(model: &M, scale: f32) -> GradientsParams {
        let device = Device::flex().autodiff();
        let code = model.encode(Tensor::from_floats([[1.0, -2.0, 0.5]], &device));
        GradientsParams::from_grads((code.square().sum() * scale).backward(), model)
    }

    #[test]
    fn a_restored_state_continues_bit_for_bit() {
        for optimizer in KINDS.map(|kind| kind()) {
            let (mut model, mut state) = (model(), OptimizerState::new(&optimizer));
            for scale in [1.0, 0.3] {
                let gradients = gradients(&model, scale);
                model = state.apply(0.01, model, gradients);
            }
            let (tensors, numbers) = state.save();
            let mut restored = OptimizerState::new(&optimizer);
            restored.restore(tensors, &numbers, &Device::flex()).unwrap();
            let next = state.apply(0.01, model.clone(), gradients(&model, -0.2));
            let next_restored = restored.apply(0.01, model.clone(), gradients(&model, -0.2));
            assert_eq!(tensors::collect(&next), tensors::collect(&next_restored), "{optimizer:?}");
            assert_ne!(tensors::collect(&next), tensors::collect(&model), "{optimizer:?}");
        }
    }

    /// The first step of Adam is the sign of the gradient times the rate, without epsilon.
    #[test]
    fn first_step_of_adam_by_hand() {
        let model = model();
        let before = tensors::collect(&model);
        let gradients = gradients(&model, 1.0);
        let after = tensors::collect(
            &OptimizerState::new(&Optimizer::adam()).apply(0.01, model, gradients),
        );
        let name = "encoder.layers.0.bias";
        for (before, after) in before[name].iter::<f32>().zip(after[name].iter::<f32>()) {
            assert!(((after - before).abs() - 0.01).abs() < 1e-6, "{before} {after}");
        }
    }

    /// One step of AdamW is one of Adam, less a tenth of the rate of each parameter.
    #[test]
    fn adam_w_takes_its_share_of_every_parameter() {
        let before = tensors::collect(&model());
        let [plain, decayed] = [Optimizer::adam(), Optimizer::adam_w(0.1)].map(|optimizer| {
            let model = model();
            let gradients = gradients(&model, 1.0);
            tensors::collect(&OptimizerState::new(&optimizer).apply(0.01, model, gradients))
        });
        let name = "encoder.layers.0.weight";
        let values = |of: &tensors::Tensors| of[name].iter::<f32>().collect::<Vec<_>>();
        let steps = values(&plain).into_iter().zip(values(&decayed));
        for (before, (plain, decayed)) in values(&before).into_iter().zip(steps) {
            assert!((plain - decayed - 0.001 * before).abs() < 3e-7, "{before} {plain} {decayed}");
            assert!(before.abs() > 1e-3, "a weight that shows its decay");
        }
    }

    fn norm<M: Module>(model: &M, gradients: &GradientsParams) -> f32 {
        let mut squares = Squares { gradients, sum: None };
        model.visit(&mut squares);
        squares.sum.unwrap().sqrt().into_scalar()
    }

    #[test]
    fn clipping_bounds_the_total_norm_and_keeps_directions() {
        let model = model();
        let free = norm(&model, &gradients(&model, 1.0));
        let clipped = clip(&model, gradients(&model, 1.0), f64::from(free) / 4.0);
        assert!((norm(&model, &clipped) / free - 0.25).abs() < 1e-5);
        let unchanged = clip(&model, gradients(&model, 1.0), f64::from(free) * 2.0);
        assert!((norm(&model, &unchanged) / free - 1.0).abs() < 1e-6);
        let unclipped = gradients(&model, 1.0);
        let before = Values::of(&model, &unclipped);
        for (clipped, free) in Values::of(&model, &clipped).0.iter().zip(before.0) {
            assert!((clipped - 0.25 * free).abs() < 1e-5 * free.abs(), "{clipped} {free}");
        }
    }

    /// All gradients of a model in one row.
    struct Values<'a>(Vec<f32>, &'a GradientsParams);

    impl<'a> Values<'a> {
        fn of<M: Module>(model: &M, gradients: &'a GradientsParams) -> Self {
            let mut values = Self(Vec::new(), gradients);
            model.visit(&mut values);
            values
        }
    }

    impl ModuleVisitor for Values<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0.extend(
                self.1
                    .get::<D>(param.id)
                    .into_iter()
                    .flat_map(|gradient| gradient.into_data().iter::<f32>().collect::<Vec<_>>()),
            );
        }
    }

    #[test]
    fn settings_out_of_range_are_refused() {
        KINDS.iter().for_each(|kind| kind().check().unwrap());
        let refused = |optimizer: Optimizer| optimizer.check().unwrap_err().to_string();
        assert_eq!(refused(Optimizer::sgd(1.0)), "momentum: expected a number in [0, 1), got 1");
        assert_eq!(
            refused(Optimizer::adam_w(-1.0)),
            "weight decay: expected a number from 0, got -1"
        );
    }
}
