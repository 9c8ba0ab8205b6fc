//! Every term of an objective on every model: its gradient against central differences, in f64.
//!
//! A device's float type is fixed once per process, so these checks have a binary to themselves.
//! The table is printed with `cargo test -p ae-train --test gradients -- --nocapture`.

use ae_models::{
    Activation, Architecture, Autoencoder, Classifier, Classify, ConvConfig, DenseConfig, Down,
    Encoder, HeadConfig, Model, Norm, Up, tensors,
};
use ae_train::{
    Corruption, HeadLoss, L1, Moment, Objective, Pass, Penalty, Reconstruction, Supervised,
};
use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Device, FloatDType, IntDType, Tensor, TensorData};
use chacha20::ChaCha8Rng;
use rand::{RngExt, SeedableRng, seq::SliceRandom};

/// Entries checked of every parameter tensor, and what their relative error must stay below.
const ENTRIES: usize = 20;
const TOLERANCE: f64 = 1e-6;
const MOMENT: Moment = Moment { seed: 4, epoch: 0, step: 0 };

fn device() -> Device {
    let mut device = Device::flex();
    // Another test of this binary may have been first.
    let _ = device.configure((FloatDType::F64, IntDType::I64));
    device
}

/// Smooth activations: a central difference across the kink of a rectifier is no derivative.
fn models() -> Vec<(&'static str, Architecture)> {
    let dense = DenseConfig { activation: Activation::Tanh, ..DenseConfig::new([30, 8, 5]) };
    let conv = ConvConfig {
        channels: vec![2, 4],
        activation: Activation::Silu,
        ..ConvConfig::new([1, 6, 5], 4)
    };
    vec![
        ("dense", Architecture::Dense(dense.clone())),
        ("dense tied", Architecture::Dense(DenseConfig { tied: true, ..dense.clone() })),
        (
            "dense sigmoid, gelu code",
            Architecture::Dense(DenseConfig {
                activation: Activation::Sigmoid,
                code_activation: Activation::Gelu,
                ..dense
            }),
        ),
        ("conv", Architecture::Conv(conv.clone())),
        (
            "conv upsampled, norm",
            Architecture::Conv(ConvConfig {
                up: Up::Upsample,
                norm: Norm::Group(2),
                ..conv.clone()
            }),
        ),
        (
            "conv max-pooled, hidden",
            Architecture::Conv(ConvConfig {
                down: Down::MaxPool,
                norm: Norm::Layer,
                hidden: vec![6],
                ..conv
            }),
        ),
    ]
}

fn terms() -> Vec<(&'static str, Objective<Model>)> {
    let plain = Objective::new;
    let masking = Corruption::masking(0.3).unwrap();
    vec![
        ("squared error", plain(Reconstruction::SquaredError)),
        ("cross-entropy", plain(Reconstruction::CrossEntropy)),
        ("cross-entropy, masking", plain(Reconstruction::CrossEntropy).corrupt(masking)),
        (
            "squared error, gaussian",
            plain(Reconstruction::SquaredError).corrupt(Corruption::gaussian(0.2).unwrap()),
        ),
        ("squared error + l1", plain(Reconstruction::SquaredError).penalize(0.5, L1).unwrap()),
    ]
}

fn input() -> Tensor<2> {
    let mut generator = ChaCha8Rng::seed_from_u64(8);
    let values: Vec<f64> = (0..3 * 30).map(|_| generator.random_range(0.05..0.95)).collect();
    Tensor::from_data(TensorData::new(values, [3, 30]), &device())
}

fn loss(objective: &Objective<Model>, model: &Model) -> Tensor<1> {
    objective.losses(&objective.pass(model, input().autodiff(), MOMENT)).total()
}

/// Biases off zero, so that nothing is checked at a special point.
fn shaken<M: Module>(model: M) -> M {
    let mut generator = ChaCha8Rng::seed_from_u64(1);
    let mut shake = |data: TensorData| {
        let values: Vec<f64> =
            data.iter::<f64>().map(|value| value + generator.random_range(-0.1..0.1)).collect();
        TensorData::new(values, data.shape().clone())
    };
    let weights = tensors::collect(&model).into_iter();
    let weights = weights.map(|(name, data)| (name, shake(data))).collect();
    tensors::replace(model, weights).unwrap().train()
}

/// The largest relative error over random entries of every parameter: relative to the entry, or
/// to a hundredth of the largest of its tensor where it is smaller than that.
fn largest_error<M: Module>(model: M, loss: impl Fn(&M) -> Tensor<1>) -> f64 {
    let model = shaken(model);
    let analytic = gradients(&model, &loss(&model));
    let weights = tensors::collect(&model);
    assert_eq!(analytic.len(), weights.len(), "a gradient for every parameter");
    let mut generator = ChaCha8Rng::seed_from_u64(3);
    let most = |data: &TensorData| data.iter::<f64>().fold(0.0f64, |most, g| most.max(g.abs()));
    let overall = analytic.values().map(most).fold(0.0, f64::max);
    let mut largest = 0.0f64;
    for (name, data) in &weights {
        let values: Vec<f64> = data.iter().collect();
        let gradient: Vec<f64> = analytic[name].iter().collect();
        // A bias before a normalisation has no gradient but rounding: hence the floor.
        let floor = f64::max(1e-2 * most(&analytic[name]), 1e-5 * overall);
        let mut entries: Vec<usize> = (0..values.len()).collect();
        entries.shuffle(&mut generator);
        for entry in entries.into_iter().take(ENTRIES) {
            let at = |value: f64| -> f64 {
                let mut changed = values.clone();
                changed[entry] = value;
                let mut weights = weights.clone();
                weights.insert(name.clone(), TensorData::new(changed, data.shape().clone()));
                let model = tensors::replace(model.clone(), weights).unwrap();
                loss(&model).into_scalar()
            };
            // Of fourth order, so that a step wide enough against rounding is not too wide.
            let h = 1e-4;
            let slope = |h: f64| (at(values[entry] + h) - at(values[entry] - h)) / (2.0 * h);
            let numeric = (4.0 * slope(h) - slope(2.0 * h)) / 3.0;
            let size = gradient[entry].abs().max(numeric.abs()).max(floor);
            largest = largest.max((gradient[entry] - numeric).abs() / size);
        }
    }
    largest
}

/// The gradients of a loss by the names of the parameters, in the layout of `collect`.
fn gradients<M: Module>(model: &M, loss: &Tensor<1>) -> tensors::Tensors {
    struct Take(burn::tensor::Gradients);
    impl ModuleMapper for Take {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let gradient = param.val().grad(&self.0).expect("every parameter takes part");
            param.map(|_| gradient)
        }
    }
    tensors::collect(&model.clone().map(&mut Take(loss.backward())))
}

#[test]
fn gradients_are_those_of_central_differences() {
    let mut failed = Vec::new();
    println!("{:<26}{:<26}largest relative error", "term", "model");
    for (term, objective) in terms() {
        for (name, architecture) in models() {
            let model = architecture.init(2, &device()).unwrap();
            let error = largest_error(model, |model| loss(&objective, model));
            println!("{term:<26}{name:<26}{error:.1e}");
            if error.is_nan() || error >= TOLERANCE {
                failed.push(format!("{term} on {name}: {error:.1e}"));
            }
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

/// The largest relative error of a supervised loss on a classifier.
fn largest_supervised_error<M: Classify>(supervised: &Supervised, model: M) -> f64 {
    let loss = |model: &M| supervised.losses(model, input().autodiff(), &[1, 0, 2]).total();
    largest_error(model, loss)
}

/// On a head alone, and through it on every encoder (an encoder alone: of a whole autoencoder the
/// decoder would take no part).
#[test]
fn gradients_of_supervised_losses_are_those_of_central_differences() {
    let mut failed = Vec::new();
    println!("{:<34}{:<26}largest relative error", "loss", "model");
    for (loss, weight_decay) in [(HeadLoss::Softmax, 0.0), (HeadLoss::SquaredHinge, 0.1)] {
        let supervised = Supervised::new(loss, weight_decay).unwrap();
        let head = |features| HeadConfig::new(features, 4).init(&device()).unwrap();
        let mut errors = vec![("head", largest_supervised_error(&supervised, head(30)))];
        for (name, architecture) in models() {
            let error = match architecture.init(2, &device()).unwrap() {
                Model::Dense(model) => {
                    let encoder = model.encoder().clone();
                    let head = head(encoder.code_size());
                    let classifier = Classifier::new(encoder, head).unwrap();
                    largest_supervised_error(&supervised, classifier)
                }
                Model::Conv(model) => {
                    let encoder = model.encoder().clone();
                    let head = head(encoder.code_size());
                    let classifier = Classifier::new(encoder, head).unwrap();
                    largest_supervised_error(&supervised, classifier)
                }
            };
            errors.push((name, error));
        }
        for (name, error) in errors {
            println!("{:<34}{name:<26}{error:.1e}", supervised.to_string());
            if error.is_nan() || error >= TOLERANCE {
                failed.push(format!("{supervised} on {name}: {error:.1e}"));
            }
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

/// A penalty whose gradient has the wrong sign.
struct Flipped;

impl<M: Autoencoder> Penalty<M> for Flipped {
    fn name(&self) -> &str {
        "flipped"
    }

    fn value(&self, pass: &Pass<'_, M>) -> Tensor<1> {
        let value: Tensor<1> = pass.code.clone().square().sum();
        value.clone().detach() * 2.0 - value
    }
}

/// The test of the test.
#[test]
fn a_flipped_sign_fails() {
    let objective = Objective::new(Reconstruction::SquaredError).penalize(1.0, Flipped).unwrap();
    let (_, architecture) = models().remove(0);
    let model = architecture.init(2, &device()).unwrap();
    assert!(largest_error(model, |model| loss(&objective, model)) > 0.1);
}
