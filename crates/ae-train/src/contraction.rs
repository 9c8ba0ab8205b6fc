//! Contractive penalties: the norm of the encoder's Jacobian, and its change.

use ae_models::{DifferentiableEncoder, basis};
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::evaluate::{first, for_each_batch};
use crate::penalty_kind::SMOOTH;
use crate::reconstruction::per_sample;
use crate::{
    Batches, Error, JacobianMethod, Pass, Penalty, PenaltyKind, PenaltySetting, Result, StdDev,
};

/// `||J(x)||_F^2`, averaged over the batch: the squared Frobenius norm of the encoder's Jacobian at the
/// clean input, as in the contractive autoencoder (Rifai et al. 2011, ICML). A small norm makes the code
/// insensitive to small changes of the input.
///
/// `exact` uses the closed form of an encoder of one layer. For others it computes the Jacobian row by
/// row or column by column, whichever are fewer, in chunks, so that memory is bounded for any code size.
/// `probes` uses random directions: `E ||J v||^2 = ||J||_F^2` for `v ~ N(0, I)`, with a relative variance
/// of at most `2 / n` for each sample.
///
/// The time of forward and backward pass, relative to those without the penalty (dense layers with
/// sigmoids, a batch of 128, CPU, 2 cores of an AMD EPYC, by `cargo bench --bench contraction`):
///
/// | encoder | exact | 1 probe | 4 probes |
/// |---|---|---|---|
/// | 784-1000 (closed form) | 1.5 times | 2.4 | 3.4 |
/// | 784-250-30 | 24 | 2.3 | 3.3 |
/// | 784-1000-500-250-30 | 32 | 2.3 | 3.3 |
/// | 784-500-500 | 480 | 2.1 | 3.1 |
/// | 784-1000-1000-1000 | 330 | 1.8 | 2.7 |
///
/// So use `exact` for one layer, and for deep encoders with a code of a few units if the noise of probes
/// matters. Use `probes` for all others, and for convolutional encoders.
///
/// Units: squared units of the code per squared unit of the input, summed over both. Usual weights are
/// between 1e-3 and 1 with a cross-entropy that is summed over pixels.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub struct Contraction {
    norm: JacobianMethod,
}

/// `E ||J(x) - J(x + e)||_F^2` with `e ~ N(0, s^2 I)`, averaged over the batch: the squared change of the
/// Jacobian under a random shift of the input. It is the second term of the higher-order contractive
/// autoencoder (Rifai et al. 2011, ECML, "Higher order contractive auto-encoder"), used together with
/// [`Contraction`]. For small `s` it is `s^2` times the squared norm of the Hessian.
///
/// | parameter | range | usual | meaning |
/// |---|---|---|---|
/// | deviation | from 0 | 0.1 to 0.3 | `s`, in units of the input |
/// | draws | from 1 | 1 to 4 | number of values of `e` for each input and step |
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub struct Curvature {
    norm: JacobianMethod,
    deviation: StdDev,
    draws: usize,
}

impl Contraction {
    /// How recipes and command lines offer it.
    pub const KIND: PenaltyKind = PenaltyKind {
        key: "contraction",
        option: "contract",
        what: "the squared norm of the Jacobian",
        note: " of the encoder (contractive)",
        group: SMOOTH,
        settings: &[],
        is_number: false,
        needs_sigmoid: false,
        uses_jacobian: true,
        build: |settings| {
            Ok(Box::new(match settings.jacobian {
                JacobianMethod::Exact => Contraction::exact(),
                JacobianMethod::Probes(count) => Contraction::probes(count)?,
            }))
        },
    };
}

const NOISE: PenaltySetting = PenaltySetting {
    key: "noise",
    option: "curvature-noise",
    value: "S",
    help: "Standard deviation of the noise for --curvature",
    default: Some(0.1),
    is_count: false,
};

const DRAWS: PenaltySetting = PenaltySetting {
    key: "draws",
    option: "curvature-draws",
    value: "N",
    help: "Noise draws for --curvature per sample and step",
    default: Some(1.0),
    is_count: true,
};

impl Curvature {
    /// How recipes and command lines offer it.
    pub const KIND: PenaltyKind = PenaltyKind {
        key: "curvature",
        option: "curvature",
        what: "the squared change of the Jacobian",
        note: " under noise",
        group: SMOOTH,
        settings: &[NOISE, DRAWS],
        is_number: false,
        needs_sigmoid: false,
        uses_jacobian: true,
        build: |settings| {
            let noise = settings.number(&NOISE)?;
            let draws = settings.number(&DRAWS)? as usize;
            Ok(Box::new(match settings.jacobian {
                JacobianMethod::Exact => Curvature::exact(noise, draws)?,
                JacobianMethod::Probes(count) => Curvature::probes(noise, draws, count)?,
            }))
        },
    };
}

impl Contraction {
    /// The exact norm.
    pub fn exact() -> Self {
        Self { norm: JacobianMethod::Exact }
    }

    /// An unbiased estimate from `count` random directions for each sample.
    ///
    /// # Errors
    /// If `count` is 0.
    pub fn probes(count: usize) -> Result<Self> {
        Ok(Self { norm: probes(count)? })
    }
}

impl Curvature {
    /// The exact norm, averaged over `draws` values of the jitter.
    ///
    /// # Errors
    /// If `deviation` is negative or not finite, or `draws` is 0.
    pub fn exact(deviation: f64, draws: usize) -> Result<Self> {
        if draws == 0 {
            return Err(Error::setting("draws of the jitter", "at least 1", draws));
        }
        Ok(Self { norm: JacobianMethod::Exact, deviation: StdDev::new(deviation)?, draws })
    }

    /// An unbiased estimate from `count` random directions for each sample and draw.
    ///
    /// # Errors
    /// As [`exact`](Self::exact), and if `count` is 0.
    pub fn probes(deviation: f64, draws: usize, count: usize) -> Result<Self> {
        Ok(Self { norm: probes(count)?, ..Self::exact(deviation, draws)? })
    }
}

fn probes(count: usize) -> Result<JacobianMethod> {
    match count {
        0 => Err(Error::setting("probes", "at least 1", count)),
        _ => Ok(JacobianMethod::Probes(count)),
    }
}

impl<M: DifferentiableEncoder> Penalty<M> for Contraction {
    fn name(&self) -> &str {
        "contraction"
    }

    fn value(&self, pass: &Pass<'_, M>) -> Tensor<1> {
        let input = pass.input.clone();
        match self.norm {
            JacobianMethod::Exact => {
                let code = pass.is_clean().then(|| pass.code.clone());
                exact_norm(pass.model, input, code)
            }
            JacobianMethod::Probes(count) => {
                estimated_norm(pass, "probes", count, &|model, directions| {
                    let [_, product] = model.encode_tangent(input.clone(), directions);
                    product
                })
            }
        }
    }

    fn settings(&self) -> serde_json::Value {
        serde_json::json!(self)
    }
}

impl<M: DifferentiableEncoder> Penalty<M> for Curvature {
    fn name(&self) -> &str {
        "curvature"
    }

    fn value(&self, pass: &Pass<'_, M>) -> Tensor<1> {
        let mut generator = pass.noise_key.generator("jitter");
        let draws = (0..self.draws).map(|draw| {
            let input = pass.input.clone();
            let noise = normal(&mut generator, input.dims(), &input) * self.deviation.value();
            let jittered = input.clone() + noise;
            let difference = |model: &M, side: Side, directions: Tensor<2>| {
                let here = side.product(model, input.clone(), directions.clone());
                here - side.product(model, jittered.clone(), directions)
            };
            match self.norm {
                JacobianMethod::Exact => explicit_norm(pass.model, &input, &difference),
                JacobianMethod::Probes(count) => {
                    estimated_norm(pass, &format!("probes {draw}"), count, &|model, directions| {
                        difference(model, Side::Input, directions)
                    })
                }
            }
        });
        let sum = draws.reduce(|sum, norm| sum + norm).expect("at least one draw");
        per_sample(sum, self.draws)
    }

    fn settings(&self) -> serde_json::Value {
        serde_json::json!(self)
    }
}

/// The mean of `||J||_F^2` over a data set, which shows how much the code changes with the input.
///
/// # Errors
/// If the data cannot be read.
///
/// # Panics
/// If the data has another width than the model, or `batch` is 0.
pub fn jacobian_norm<M: DifferentiableEncoder>(
    model: &M,
    data: &Batches,
    batch: usize,
) -> Result<f64> {
    let mut sum = 0.0;
    for_each_batch(data, batch, |input, count| {
        let norm: f64 = exact_norm(model, first(input, count), None).into_scalar();
        sum += norm * count as f64;
    })?;
    Ok(sum / data.len() as f64)
}

fn exact_norm<M: DifferentiableEncoder>(
    model: &M,
    input: Tensor<2>,
    code: Option<Tensor<2>>,
) -> Tensor<1> {
    match model.jacobian_norm_sq(input.clone(), code) {
        Some(norms) => norms.mean(),
        None => explicit_norm(model, &input, &|model, side, directions| {
            side.product(model, input.clone(), directions)
        }),
    }
}

/// The side from which the Jacobian is multiplied.
#[derive(Clone, Copy)]
enum Side {
    Input,
    Code,
}

impl Side {
    fn product<M: DifferentiableEncoder>(
        self,
        model: &M,
        input: Tensor<2>,
        directions: Tensor<2>,
    ) -> Tensor<2> {
        let [_, product] = match self {
            Self::Input => model.encode_tangent(input, directions),
            Self::Code => model.encode_cotangent(input, directions),
        };
        product
    }
}

/// The most numbers in the products of one chunk of directions.
const CHUNK: usize = 1 << 22;

/// The squared norm by products with all unit vectors of the smaller side, averaged over the batch.
fn explicit_norm<M: DifferentiableEncoder>(
    model: &M,
    input: &Tensor<2>,
    product: &dyn Fn(&M, Side, Tensor<2>) -> Tensor<2>,
) -> Tensor<1> {
    let [batch, features] = input.dims();
    let code = model.code_size();
    let (side, width) = if code <= features { (Side::Code, code) } else { (Side::Input, features) };
    let most = (CHUNK / (batch * features.max(code))).clamp(1, width);
    sum_in_chunks(model, width, most, |model, range| {
        per_sample(product(model, side, basis(input, width, range)).square().sum(), batch)
    })
}

/// `sum value(model, range)` over ranges of `0..width`, of at most `most` numbers each. If there are
/// several, each is differentiated before the next one is computed, so that autodiff never stores more
/// than one. The result has the value of the sum, and its gradient with respect to the parameters.
fn sum_in_chunks<M: Module>(
    model: &M,
    width: usize,
    most: usize,
    value: impl Fn(&M, std::ops::Range<usize>) -> Tensor<1>,
) -> Tensor<1> {
    if most >= width {
        return value(model, 0..width);
    }
    let chunks = (0..width).step_by(most).map(|start| start..width.min(start + most));
    if !model.devices().iter().any(Device::is_autodiff) {
        let parts = chunks.map(|range| value(model, range));
        return parts.reduce(|sum, part| sum + part).expect("at least one chunk");
    }
    let leaf = model.clone().map(&mut Leaves);
    let mut sum = None;
    let mut gradients = GradientsParams::new();
    for range in chunks {
        let part = value(&leaf, range);
        let more = GradientsParams::from_grads(part.backward(), &leaf);
        model.visit(&mut Add { gradients: &mut gradients, more });
        let part = part.detach();
        sum = Some(match sum {
            Some(sum) => sum + part,
            None => part,
        });
    }
    let mut linear = Linear { gradients, sum: sum.expect("at least one chunk") };
    model.visit(&mut linear);
    linear.sum
}

/// Makes parameters the leaves of a separate autodiff graph.
struct Leaves;

impl ModuleMapper for Leaves {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.map(|value| value.detach().require_grad())
    }
}

struct Add<'a> {
    gradients: &'a mut GradientsParams,
    more: GradientsParams,
}

impl ModuleVisitor for Add<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let Some(more) = self.more.remove::<D>(param.id) else { return };
        let sum = match self.gradients.remove::<D>(param.id) {
            Some(sum) => sum + more,
            None => more,
        };
        self.gradients.register(param.id, sum);
    }
}

/// Adds `g (p - p)` for each parameter `p`, with the second `p` detached: 0, with the gradient `g`.
struct Linear {
    gradients: GradientsParams,
    sum: Tensor<1>,
}

impl ModuleVisitor for Linear {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let Some(gradient) = self.gradients.remove::<D>(param.id) else { return };
        let value = param.val();
        let zero = value.clone() - value.detach();
        self.sum = self.sum.clone() + (zero * gradient.autodiff()).sum();
    }
}

/// The mean squared length of products with random directions in the input.
fn estimated_norm<M: DifferentiableEncoder>(
    pass: &Pass<'_, M>,
    purpose: &str,
    count: usize,
    product: &dyn Fn(&M, Tensor<2>) -> Tensor<2>,
) -> Tensor<1> {
    let [batch, features] = pass.input.dims();
    let mut generator = pass.noise_key.generator(purpose);
    let directions = normal(&mut generator, [count * batch, features], &pass.input);
    per_sample(product(pass.model, directions).square().sum(), count * batch)
}

/// Normal noise on the device and in the type of `like`.
fn normal(generator: &mut impl Rng, shape: [usize; 2], like: &Tensor<2>) -> Tensor<2> {
    let noise: Vec<f32> = (0..shape[0] * shape[1])
        .map(|_| Distribution::<f32>::sample(&StandardNormal, generator))
        .collect();
    Tensor::from_data(TensorData::new(noise, shape), (&like.device(), like.dtype()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{NoiseKey, Objective, Phase, RESIDENT_LIMIT, Reconstruction};
    use ae_data::{Samples, Shape};
    use ae_models::{
        Activation, Architecture, ConvConfig, DenseConfig, Downsample, Encoder, FromArchitecture,
        Model, Norm, jacobian, tensors,
    };

    const KEY: NoiseKey = NoiseKey { seed: 3, phase: Phase::Train(0), step: 0 };

    fn input(features: usize, device: &Device) -> Tensor<2> {
        let values: Vec<f32> = (0..2 * features).map(|i| (i * 7 % 11) as f32 / 11.0).collect();
        Tensor::from_data(TensorData::new(values, [2, features]), device)
    }

    /// Dense, deep, tied, overcomplete, k-sparse, stacked and convolutional encoders.
    fn models() -> Vec<Model> {
        let dense = DenseConfig {
            activation: Activation::Tanh,
            code_activation: Activation::Sigmoid,
            ..DenseConfig::new([12, 9, 5])
        };
        let conv = ConvConfig {
            channels: vec![2, 3],
            activation: Activation::Silu,
            ..ConvConfig::new([1, 4, 3], 4)
        };
        let architectures = [
            Architecture::Dense(DenseConfig { widths: vec![12, 5], ..dense.clone() }),
            Architecture::Dense(DenseConfig { tied: true, ..dense.clone() }),
            Architecture::Dense(DenseConfig { widths: vec![12, 9, 16], ..dense.clone() }),
            Architecture::Dense(DenseConfig { top_k: Some(2), ..dense.clone() }),
            Architecture::Dense(DenseConfig {
                widths: vec![12, 5],
                top_k: Some(2),
                ..dense.clone()
            }),
            Architecture::Dense(dense).stacked(),
            Architecture::Conv(conv.clone()),
            Architecture::Conv(ConvConfig {
                down: Downsample::MaxPool,
                norm: Norm::Layer,
                hidden: vec![6],
                top_k: Some(3),
                ..conv.clone()
            }),
            Architecture::Conv(conv).stacked(),
        ];
        let init = |architecture: &Architecture| architecture.init(4, &Device::flex()).unwrap();
        architectures.iter().map(init).collect()
    }

    fn value(penalty: &impl Penalty<Model>, model: &Model, key: NoiseKey) -> f64 {
        let input = input(model.features(), &Device::flex());
        let objective = Objective::new(Reconstruction::SquaredError);
        penalty.value(&objective.pass(model, input, key)).into_scalar()
    }

    /// The norm by central differences in each feature.
    fn by_differences(model: &Model) -> f64 {
        let (device, features) = (Device::flex(), model.features());
        let input = input(features, &device);
        let step = Tensor::<2>::eye(features, &device) * 1e-2;
        (0..features).fold(0.0, |sum, feature| {
            let step = step.clone().narrow(0, feature, 1);
            let up = model.encode(input.clone() + step.clone());
            let slope = (up - model.encode(input.clone() - step)) / 2e-2;
            sum + slope.square().sum().into_scalar::<f64>() / 2.0
        })
    }

    #[test]
    fn exact_norm_is_that_of_the_jacobian_for_every_encoder() {
        for model in models() {
            let exact = value(&Contraction::exact(), &model, KEY);
            let numeric = by_differences(&model);
            assert!((exact / numeric - 1.0).abs() < 2e-3, "{exact} {numeric} {model}");
            let input = input(model.features(), &Device::flex());
            let entries: f64 = jacobian(&model, input).square().sum().into_scalar();
            assert!((exact / (entries / 2.0) - 1.0).abs() < 1e-5, "{exact} {entries} {model}");
        }
    }

    /// The mean of probes over 400 steps is within 4.5 standard errors of the exact norm.
    #[test]
    fn probes_estimate_the_exact_norm_for_every_encoder() {
        let probe = Contraction::probes(4).unwrap();
        for model in models() {
            let exact = value(&Contraction::exact(), &model, KEY);
            let values: Vec<f64> =
                (0..400).map(|step| value(&probe, &model, NoiseKey { step, ..KEY })).collect();
            let mean = values.iter().sum::<f64>() / 400.0;
            let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 399.0;
            let error = (variance / 400.0).sqrt();
            assert!((mean - exact).abs() < 4.5 * error, "{mean} +- {error}, {exact} {model}");
        }
    }

    /// W = [[1, -2], [0.5, 3]], b = 0, x = (0, 0): sigmoid' = 1/4 at 0, so J = W^T / 4 and
    /// ||J||^2 = (1 + 4 + 0.25 + 9) / 16 = 0.890625.
    #[test]
    fn norm_of_one_layer_by_hand() {
        let config =
            DenseConfig { code_activation: Activation::Sigmoid, ..DenseConfig::new([2, 2]) };
        let model = Architecture::Dense(config).init(0, &Device::flex()).unwrap();
        let mut weights = tensors::collect(&model);
        let transposed = TensorData::from([[1.0f32, 0.5], [-2.0, 3.0]]);
        weights.insert("encoder.layers.0.weight".into(), transposed);
        let model = tensors::replace(model, weights).unwrap();
        let origin = Samples::from_floats(vec![0.0; 6], Shape::table(2)).unwrap();
        let origin = Batches::new(origin, &Device::flex(), RESIDENT_LIMIT, None).unwrap();
        assert!((jacobian_norm(&model, &origin, 2).unwrap() - 0.890_625).abs() < 1e-7);
    }

    /// The Jacobian of a linear encoder is constant, that of a nonlinear one is not.
    #[test]
    fn curvature_is_zero_if_the_jacobian_is_constant() {
        let config = DenseConfig::new([12, 5]);
        let curved = DenseConfig { code_activation: Activation::Tanh, ..config.clone() };
        let [flat, curved] = [config, curved]
            .map(|config| Architecture::Dense(config).init(4, &Device::flex()).unwrap());
        for penalty in [Curvature::exact(0.3, 2).unwrap(), Curvature::probes(0.3, 2, 3).unwrap()] {
            assert!(value(&penalty, &flat, KEY) < 1e-12);
            assert!(value(&penalty, &curved, KEY) > 1e-3);
        }
        assert_eq!(value(&Curvature::exact(0.0, 1).unwrap(), &curved, KEY), 0.0);
        let exact = value(&Curvature::exact(0.3, 1).unwrap(), &curved, KEY);
        let estimate = value(&Curvature::probes(0.3, 1, 4000).unwrap(), &curved, KEY);
        assert!((estimate / exact - 1.0).abs() < 0.05, "{estimate} {exact}");
    }

    /// One input of 0, one unit of weight 1: J(x) = s(x) (1 - s(x)), which is 1/4 at 0. The three draws come
    /// from one stream.
    #[test]
    fn draws_of_the_jitter_are_averaged() {
        let config =
            DenseConfig { code_activation: Activation::Sigmoid, ..DenseConfig::new([1, 1]) };
        let model = Architecture::Dense(config).init(0, &Device::flex()).unwrap();
        let mut weights = tensors::collect(&model);
        weights.insert("encoder.layers.0.weight".into(), TensorData::from([[1.0f32]]));
        let model = tensors::replace(model, weights).unwrap();
        let origin = Tensor::<2>::zeros([1, 1], &Device::flex());
        let mut generator = KEY.generator("jitter");
        let change = |_| -> f64 {
            let jitter: f64 = normal(&mut generator, [1, 1], &origin).into_scalar();
            let unit = 1.0 / (1.0 + (-0.5 * jitter).exp());
            (0.25 - unit * (1.0 - unit)).powi(2)
        };
        let expected = (0..3).map(change).sum::<f64>() / 3.0;
        let objective = Objective::new(Reconstruction::SquaredError);
        let pass = objective.pass(&model, origin.clone(), KEY);
        let found: f64 = Curvature::exact(0.5, 3).unwrap().value(&pass).into_scalar();
        assert!((found / expected - 1.0).abs() < 1e-4, "{found} {expected}");
    }

    fn gradients(model: &Model, loss: &Tensor<1>) -> Vec<f64> {
        struct Collect(GradientsParams, Vec<f64>);
        impl ModuleVisitor for Collect {
            fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
                let gradient = self.0.remove::<D>(param.id);
                self.1.extend(
                    gradient.iter().flat_map(|g| g.to_data().iter::<f64>().collect::<Vec<_>>()),
                );
            }
        }
        let gradients = GradientsParams::from_grads(loss.backward(), model);
        let mut collect = Collect(gradients, Vec::new());
        model.visit(&mut collect);
        collect.1
    }

    /// Compares chunks of 1 and of 2 with a single chunk.
    #[test]
    fn value_and_gradient_do_not_depend_on_chunks() {
        for model in models().into_iter().map(Module::train) {
            let input = input(model.features(), &Device::flex()).autodiff();
            let width = model.code_size().min(model.features());
            let norm = |most| {
                sum_in_chunks(&model, width, most, |model, range| {
                    let directions = basis(&input, width, range);
                    let side = if width == model.code_size() { Side::Code } else { Side::Input };
                    side.product(model, input.clone(), directions).square().sum()
                })
            };
            let whole = norm(width);
            let (expected, value) = (gradients(&model, &whole), whole.into_scalar::<f64>());
            for most in [1, 2] {
                let part = norm(most);
                let found = gradients(&model, &part);
                assert!((part.into_scalar::<f64>() / value - 1.0).abs() < 1e-5);
                assert_eq!(found.len(), expected.len(), "{:?}", model.architecture());
                let scale = expected.iter().fold(0.0f64, |most, g| most.max(g.abs()));
                for (found, expected) in found.iter().zip(&expected) {
                    assert!((found - expected).abs() < 1e-5 * scale, "{found} {expected}");
                }
            }
        }
    }

    #[test]
    fn counts_of_zero_are_refused() {
        assert_eq!(
            Contraction::probes(0).unwrap_err().to_string(),
            "probes: expected at least 1, got 0"
        );
        assert_eq!(
            Curvature::exact(0.1, 0).unwrap_err().to_string(),
            "draws of the jitter: expected at least 1, got 0"
        );
        assert_eq!(
            Curvature::exact(-0.1, 1).unwrap_err().to_string(),
            "standard deviation: expected a number from 0, got -0.1"
        );
    }
}
