//! The same checks on every back end: flex, ndarray (feature `ndarray`) and wgpu (feature `gpu`).
//!
//! Results are compared with values that PyTorch computed from the same weights (`pytorch/expect.py` says how
//! to write them again), and on all but flex with flex, whose kernels `crates/ae-kernels/tests/agreement.rs`
//! compares with Burn's operations.
//!
//! If a back end is not built in, or finds no GPU on this machine, its tests are ignored.
//! `AE_REQUIRE=ndarray,wgpu` also accepts a software driver, and makes a missing back end a failure.
//! `AE_COMBINATIONS=short` tests some combinations of terms and models on wgpu instead of all.

#[path = "../benches/backends/mod.rs"]
mod backends;
mod combinations;
mod half;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use autoencoders::data::digits;
use autoencoders::models::{
    Activation, Architecture, ConvConfig, Decoder, DenseConfig, Downsample, Encoder, Metadata,
    Model, Norm, Upsample, load, save,
    tensors::{self, Tensors},
};
use autoencoders::train::{
    Batches, Contraction, Corruption, Data, Evaluation, KlSparsity, L1, NoiseKey, Objective, Phase,
    Precision, RESIDENT_LIMIT, Reconstruction, Schedule, Training, evaluate,
};
use burn::module::Module;
use burn::tensor::{DType, Device, Tensor, TensorData};
use combinations::FEATURES;
use libtest_mimic::{Arguments, Failed, Trial};

type Check = fn(&Device) -> Result<(), Failed>;

const CHECKS: [(&str, Check); 7] = [
    ("agrees_with_pytorch", agrees_with_pytorch),
    ("dense_values_and_gradients", dense_values_and_gradients),
    ("conv_values_and_gradients", conv_values_and_gradients),
    ("conv_variants_values_and_gradients", conv_variants_values_and_gradients),
    ("corruption_is_equal_bit_for_bit", corruption_is_equal_bit_for_bit),
    ("a_short_training_has_the_same_losses", a_short_training_has_the_same_losses),
    ("half_precision_trains_or_is_an_error", half_precision_trains_or_is_an_error),
];

/// The checks that compare a back end with flex, which flex itself cannot fail.
const AGAINST_FLEX: [&str; 4] = [
    "dense_values_and_gradients",
    "conv_values_and_gradients",
    "conv_variants_values_and_gradients",
    "corruption_is_equal_bit_for_bit",
];

fn main() {
    let arguments = Arguments::from_args();
    if std::env::var_os("AE_WRITE_MODELS").is_some() {
        return write_models();
    }
    let required = backends::required();
    let backends = backends::all(&required);
    let known: Vec<&str> = backends.iter().map(|(name, _)| *name).collect();
    for name in required.split(',').filter(|name| !name.is_empty()) {
        assert!(known.contains(&name), "AE_REQUIRE: expected some of {known:?}, got `{name}`");
    }
    let mut trials = Vec::new();
    for (backend, device) in backends {
        let is_required = backends::is_in(&required, backend);
        let is_reference = backend == "flex";
        for (name, check) in CHECKS {
            if is_reference && AGAINST_FLEX.contains(&name) {
                continue;
            }
            let device = device.clone();
            let is_missing = device.is_err();
            let run = move || match device {
                Ok(device) => check(&device),
                Err(why) => Err(format!("{backend} is required by AE_REQUIRE: {why}").into()),
            };
            let trial = Trial::test(format!("{backend}::{name}"), run);
            trials.push(trial.with_ignored_flag(is_missing && !is_required));
        }
        for (term, objective) in combinations::terms().into_iter().filter(|_| !is_reference) {
            let device = device.clone();
            let is_missing = device.is_err();
            let run = move || match device {
                Ok(device) => same_gradients(backend, term, &objective, &device),
                Err(why) => Err(format!("{backend} is required by AE_REQUIRE: {why}").into()),
            };
            let trial = Trial::test(format!("{backend}::gradients of {term}"), run);
            trials.push(trial.with_ignored_flag(is_missing && !is_required));
        }
    }
    for (term, objective) in combinations::terms() {
        let run = move || half::steps(term, &objective);
        trials.push(Trial::test(format!("flex::steps in half precision of {term}"), run));
    }
    libtest_mimic::run(&arguments, trials).exit();
}

const KEY: NoiseKey = NoiseKey { seed: 3, phase: Phase::Train(0), step: 0 };

fn images(device: &Device) -> Tensor<2> {
    let digits = digits::generate(8, 5);
    let pixels = (0..8).flat_map(|row| digits.row(row)).collect();
    Tensor::from_data(TensorData::new(pixels, [8, 784]), device)
}

/// Small models of all kinds, with every option, and an objective for each.
fn cases() -> Vec<(&'static str, Architecture, Objective<Model>)> {
    let dense = DenseConfig { activation: Activation::Gelu, ..DenseConfig::new([12, 8, 5, 3]) };
    let tied = DenseConfig {
        tied: true,
        activation: Activation::Tanh,
        code_activation: Activation::Sigmoid,
        ..DenseConfig::new([10, 6, 4])
    };
    let conv = ConvConfig {
        channels: vec![4, 6],
        norm: Norm::Group(2),
        activation: Activation::Silu,
        ..ConvConfig::new([2, 9, 7], 3)
    };
    let pooled = ConvConfig {
        channels: vec![3, 5],
        kernel: 5,
        hidden: vec![7],
        down: Downsample::MaxPool,
        up: Upsample::Nearest,
        norm: Norm::Layer,
        activation: Activation::LeakyRelu,
        ..ConvConfig::new([1, 10, 7], 3)
    };
    let tied_conv = ConvConfig { tied: true, up: Upsample::Nearest, ..pooled.clone() };
    let maps = ConvConfig { tied: true, ..ConvConfig::maps([2, 9, 6], [3, 4]) };
    let sigmoid = DenseConfig {
        activation: Activation::Sigmoid,
        code_activation: Activation::Sigmoid,
        ..DenseConfig::new([12, 8, 5])
    };
    let denoising = DenseConfig { tied: true, ..sigmoid.clone() };
    let smooth = ConvConfig { down: Downsample::MaxPool, hidden: vec![], ..conv.clone() };
    let along = DenseConfig { linear_path: Some(3), ..DenseConfig::new([12, 8, 4]) };
    let along_conv = ConvConfig { linear_path: Some(2), ..conv.clone() };
    let plain = || Objective::new(Reconstruction::CrossEntropy);
    let masked = || plain().corrupt(Corruption::masking(0.3).expect("a probability"));
    let contractive = || plain().penalize(0.5, Contraction::exact()).expect("a weight");
    let kl = KlSparsity::toward(0.05).expect("a target");
    vec![
        ("dense", Architecture::Dense(dense), plain()),
        ("tied", Architecture::Dense(tied), plain()),
        ("conv", Architecture::Conv(conv), plain()),
        ("pooled", Architecture::Conv(pooled), plain()),
        ("tied-conv", Architecture::Conv(tied_conv), masked()),
        ("maps", Architecture::Conv(maps), masked()),
        ("stack", Architecture::Dense(denoising.clone()).stacked(), masked()),
        (
            "k-sparse",
            {
                let config = DenseConfig { top_k: Some(3), ..DenseConfig::new([12, 8]) };
                Architecture::Dense(config)
            },
            masked(),
        ),
        ("denoising", Architecture::Dense(denoising), masked()),
        ("linear-path", Architecture::Dense(along), masked()),
        ("linear-path-conv", Architecture::Conv(along_conv), plain()),
        ("kl-sparse", Architecture::Dense(sigmoid.clone()), {
            plain().penalize(3.0, kl).expect("a weight")
        }),
        ("contractive", Architecture::Dense(sigmoid), contractive()),
        ("contractive-conv", Architecture::Conv(smooth), contractive()),
    ]
}

fn file(name: &str, kind: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pytorch");
    folder.join(format!("{name}.{kind}.safetensors"))
}

fn write_models() {
    let device = Device::flex();
    for (name, architecture, objective) in cases() {
        let model = architecture.init(6, &device).expect("an architecture of this test");
        save(&file(name, "model"), &model, &Metadata::default()).expect("a folder to write to");
        let features = model.features();
        let ramp = (0..3 * features).map(|i| (i * 37 % 101) as f32 / 101.0).collect::<Vec<_>>();
        let clean = TensorData::new(ramp, [3, features]);
        let pass = objective.pass(&model, Tensor::from_data(clean.clone(), &device), KEY);
        let corrupted = pass.corrupted.values.into_data();
        let inputs = [("clean", clean), ("corrupted", corrupted)];
        let inputs = inputs.map(|(name, data)| (name.to_owned(), data)).into();
        tensors::write(&file(name, "inputs"), &inputs, "").expect("a folder to write to");
    }
}

/// Codes, logits and losses agree within 2e-6 and gradients within 1e-4, relative to the largest value of the tensor.
fn agrees_with_pytorch(device: &Device) -> Result<(), Failed> {
    for (name, _, objective) in cases() {
        let (model, _) = load::<Model>(&file(name, "model"), device)?;
        let (inputs, _) = tensors::read(&file(name, "inputs"))?;
        let (expected, _) = tensors::read(&file(name, "expected"))?;
        let model = model.train();
        let input = Tensor::from_data(inputs["clean"].clone(), device).autodiff();
        let pass = objective.pass(&model, input, KEY);
        let loss = objective.losses(&pass).total();
        let same = |what: &str, here: TensorData, tolerance| {
            close(&format!("{name} {what}"), &here, &expected[what], "PyTorch", tolerance).map(drop)
        };
        close(
            &format!("{name} corrupted"),
            &pass.corrupted.values.inner().into_data(),
            &inputs["corrupted"],
            "the file",
            0.0,
        )?;
        same("code", pass.code.inner().into_data(), 2e-6)?;
        same("logits", pass.logits.inner().into_data(), 2e-6)?;
        same("loss", loss.clone().inner().into_data(), 2e-6)?;
        let gradients = combinations::gradients(&model, loss.backward());
        let theirs = expected.keys().filter(|name| name.starts_with("gradient.")).count();
        if gradients.len() != theirs {
            return Err(
                format!("{name}: {} gradients, in PyTorch {theirs}", gradients.len()).into()
            );
        }
        for (parameter, gradient) in gradients {
            same(&format!("gradient.{parameter}"), gradient, 1e-4)?;
        }
    }
    Ok(())
}

/// A software driver takes seconds to compile a kernel, and every combination has different kernels:
/// `AE_COMBINATIONS=short` tests two terms with every model, and every term with two models.
fn is_short() -> bool {
    std::env::var("AE_COMBINATIONS").is_ok_and(|which| which == "short")
}

fn is_in_short(term: &str, model: &str) -> bool {
    ["squared error", "contraction, exact"].contains(&term)
        || ["stack, sigmoid", "one layer, k-sparse, tied"].contains(&model)
}

/// The gradients of one term on every kind of model agree within 1e-4, relative to the largest value of the tensor, or
/// to a hundredth of the largest of all tensors if that is more: the gradient of a bias before a normalisation is only
/// rounding. Prints a line for each model.
fn same_gradients(
    backend: &str,
    term: &str,
    objective: &Objective<Model>,
    device: &Device,
) -> Result<(), Failed> {
    let gradients = |architecture: &Architecture, device: &Device| -> Result<_, Failed> {
        let model = architecture.init(2, device)?.train();
        let pixels = digits::generate(1, 5).row(0)[300..300 + 3 * FEATURES].to_vec();
        let pixels = TensorData::new(pixels, [3, FEATURES]);
        let input = Tensor::from_data(pixels, device) * 0.8 + 0.1;
        let losses = combinations::losses(objective, &model, input.autodiff());
        Ok((losses.terms().into_data(), combinations::gradients(&model, losses.total().backward())))
    };
    let mut table = String::new();
    for (name, architecture) in combinations::models() {
        if backend == "wgpu" && is_short() && !is_in_short(term, name) {
            continue;
        }
        if objective.check(&architecture.init(2, &Device::flex())?).is_err() {
            continue;
        }
        let (terms, here) = gradients(&architecture, device)?;
        let (expected, there) = gradients(&architecture, &Device::flex())?;
        let mut largest = close(&format!("{name} terms"), &terms, &expected, "flex", 1e-5)?;
        let most = |data: &TensorData| data.iter::<f64>().fold(0.0f64, |m, g| m.max(g.abs()));
        let floor = 1e-2 * there.values().map(most).fold(0.0, f64::max);
        for (parameter, expected) in &there {
            let what = format!("{name} gradient.{parameter}");
            let error = close_to(&what, &here[parameter], expected, "flex", 1e-4, floor)?;
            largest = largest.max(error);
        }
        table += &format!("{backend:<9}{term:<22}{name:<28}{largest:.1e}\n");
    }
    print!("{table}");
    Ok(())
}

struct Findings {
    code: TensorData,
    reconstruction: TensorData,
    terms: TensorData,
    gradients: Tensors,
}

fn find(architecture: &Architecture, device: &Device) -> Findings {
    let model = architecture.init(7, device).expect("an architecture of this test").train();
    let objective = Objective::new(Reconstruction::CrossEntropy)
        .corrupt(Corruption::masking(0.25).expect("a probability"))
        .penalize(0.1, L1)
        .expect("a weight");
    let pass = objective.pass(&model, images(device).autodiff(), KEY);
    let losses = objective.losses(&pass);
    let gradients = combinations::gradients(&model, losses.total().backward());
    Findings {
        code: pass.code.inner().into_data(),
        reconstruction: model.output().apply(pass.logits.inner()).into_data(),
        terms: losses.terms().into_data(),
        gradients,
    }
}

/// Compares element by element, relative to the largest value; returns the largest error.
fn close(
    what: &str,
    here: &TensorData,
    there: &TensorData,
    reference: &str,
    tolerance: f64,
) -> Result<f64, Failed> {
    close_to(what, here, there, reference, tolerance, 1e-30)
}

/// As [`close`], where the largest value counts as at least `floor`.
fn close_to(
    what: &str,
    here: &TensorData,
    there: &TensorData,
    reference: &str,
    tolerance: f64,
    floor: f64,
) -> Result<f64, Failed> {
    let (here, there): (Vec<f64>, Vec<f64>) = (here.iter().collect(), there.iter().collect());
    if here.len() != there.len() {
        return Err(format!("{what}: {} values and {}", here.len(), there.len()).into());
    }
    let scale = there.iter().fold(floor, |scale, value| scale.max(value.abs()));
    let mut largest = 0.0f64;
    for (index, (here, there)) in here.iter().zip(&there).enumerate() {
        let error = (here - there).abs() / scale;
        if error.is_nan() || error > tolerance {
            let message =
                format!("{what}[{index}]: {here} here, {there} in {reference}, scale {scale}");
            return Err(message.into());
        }
        largest = largest.max(error);
    }
    Ok(largest)
}

/// Values agree within 1e-5 and gradients within 1e-4, relative to the largest value of the tensor: f32 sums of up to a
/// few thousand terms, in another order on each back end.
fn same_as_on_flex(architecture: &Architecture, device: &Device) -> Result<(), Failed> {
    let here = find(architecture, device);
    let there = find(architecture, &Device::flex());
    let same = |what: &str, here: &TensorData, there: &TensorData, tolerance| {
        close(what, here, there, "flex", tolerance).map(drop)
    };
    same("code", &here.code, &there.code, 1e-5)?;
    same("reconstruction", &here.reconstruction, &there.reconstruction, 1e-5)?;
    same("terms", &here.terms, &there.terms, 1e-5)?;
    for (name, gradient) in &there.gradients {
        same(&format!("gradient of {name}"), &here.gradients[name], gradient, 1e-4)?;
    }
    Ok(())
}

fn is_flex(device: &Device) -> bool {
    *device == Device::flex()
}

fn dense_values_and_gradients(device: &Device) -> Result<(), Failed> {
    let dense = DenseConfig::new([784, 32, 16, 8]);
    let tied = DenseConfig { tied: true, activation: Activation::Sigmoid, ..dense.clone() };
    same_as_on_flex(&Architecture::Dense(dense), device)?;
    same_as_on_flex(&Architecture::Dense(tied), device)
}

fn conv() -> ConvConfig {
    ConvConfig { channels: vec![4, 8], ..ConvConfig::new([1, 28, 28], 8) }
}

fn conv_values_and_gradients(device: &Device) -> Result<(), Failed> {
    same_as_on_flex(&Architecture::Conv(conv()), device)
}

fn conv_variants_values_and_gradients(device: &Device) -> Result<(), Failed> {
    let config = ConvConfig {
        down: Downsample::MaxPool,
        up: Upsample::Nearest,
        norm: Norm::Group(2),
        activation: Activation::Silu,
        hidden: vec![16],
        ..conv()
    };
    same_as_on_flex(&Architecture::Conv(config), device)
}

fn corruption_is_equal_bit_for_bit(device: &Device) -> Result<(), Failed> {
    for corruption in [
        Corruption::masking(0.4)?,
        Corruption::salt_and_pepper(0.4)?,
        Corruption::gaussian(0.4)?,
        Corruption::deform(1.5, [1, 28, 28])?,
    ] {
        let corrupt = |device| corruption.apply(images(device), KEY).values.into_data();
        if corrupt(device) != corrupt(&Device::flex()) {
            return Err(format!("{corruption}: other values than on flex").into());
        }
    }
    Ok(())
}

/// Ten steps, then an evaluation.
fn train(device: &Device, precision: Precision) -> Result<(Vec<f64>, Evaluation), Failed> {
    let digits = digits::generate(80, 1);
    let data = Data { training: Arc::new(digits.clone()), validation: None };
    let schedule =
        Schedule { epochs: 2, batch: 16, clip: Some(50.0), precision, ..Schedule::default() };
    let model = Architecture::Conv(conv()).init(1, device)?;
    let objective = Objective::new(Reconstruction::CrossEntropy).penalize(0.01, L1)?;
    let fitted = Training::new(model, &objective).schedule(&schedule).fit(&data)?;
    let losses = fitted.epochs.iter().map(|epoch| epoch.training_loss()).collect();
    let batches = Batches::new(digits, device, RESIDENT_LIMIT, None)?;
    Ok((losses, evaluate(&fitted.model, &batches, 16)?.evaluation))
}

/// If the device supports the type, the losses of a training agree with those in full precision on flex. Otherwise
/// training is an error that says so.
fn half_precision_trains_or_is_an_error(device: &Device) -> Result<(), Failed> {
    let (full, _) = train(&Device::flex(), Precision::Full)?;
    for (precision, dtype, tolerance) in
        [(Precision::F16, DType::F16, 1e-3), (Precision::Bf16, DType::BF16, 3e-3)]
    {
        let half = train(device, precision);
        if !device.supports_dtype(dtype) {
            let refusal = half.err().ok_or(format!("expected a refusal of {dtype:?}"))?;
            let sentence = refusal.message().unwrap_or_default();
            if !sentence.starts_with("precision: expected a type that the device computes in") {
                return Err(format!("expected an error on precision, got {sentence}").into());
            }
            println!("{device:?}: no {dtype:?}");
            continue;
        }
        for (half, full) in half?.0.iter().zip(&full) {
            if (half / full - 1.0).abs() > tolerance {
                return Err(format!("{half} in {dtype:?}, {full} in full on flex").into());
            }
            println!("{device:?}, {dtype:?}: {half}, {full} in full on flex");
        }
    }
    Ok(())
}

fn a_short_training_has_the_same_losses(device: &Device) -> Result<(), Failed> {
    let (here, here_after) = train(device, Precision::Full)?;
    let (there, there_after) = train(&Device::flex(), Precision::Full)?;
    if there[1] >= there[0] {
        return Err(format!("the loss does not fall: {there:?}").into());
    }
    let tolerance = if is_flex(device) { 0.0 } else { 1e-3 };
    let near = |here: f64, there: f64| (here / there - 1.0).abs() <= tolerance;
    let pairs =
        here.iter().zip(&there).chain([(&here_after.squared_error, &there_after.squared_error)]);
    let kept = here_after.variance_kept.zip(there_after.variance_kept);
    let kept = kept.ok_or("digits vary")?;
    for (here, there) in pairs.chain([(&kept.0, &kept.1)]) {
        if !near(*here, *there) {
            return Err(format!("{here} here, {there} on flex").into());
        }
    }
    Ok(())
}
