//! The same weights in PyTorch: codes, logits, loss and every gradient, from a fixture that
//! `pytorch/expect.py` wrote. It says how it is written anew.

use std::path::PathBuf;

use ae_models::tensors::{self, Tensors};
use ae_models::{
    About, Activation, Architecture, ConvConfig, DenseConfig, Down, Model, Norm, Up, load, save,
};
use ae_train::{Moment, Objective, Reconstruction};
use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Device, Gradients, Tensor, TensorData};

fn cases() -> Vec<(&'static str, Architecture)> {
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
        down: Down::MaxPool,
        up: Up::Upsample,
        norm: Norm::Layer,
        activation: Activation::LeakyRelu,
        ..ConvConfig::new([1, 10, 7], 3)
    };
    vec![
        ("dense", Architecture::Dense(dense)),
        ("tied", Architecture::Dense(tied)),
        ("conv", Architecture::Conv(conv)),
        ("pooled", Architecture::Conv(pooled)),
    ]
}

fn file(name: &str, kind: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/pytorch");
    folder.join(format!("{name}.{kind}.safetensors"))
}

fn take(model: &Model, gradients: Gradients) -> Tensors {
    struct Take(Gradients);
    impl ModuleMapper for Take {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let gradient = param.val().grad(&self.0).expect("every parameter takes part");
            param.map(|_| gradient)
        }
    }
    tensors::collect(&model.clone().map(&mut Take(gradients)))
}

/// Within `tolerance` of the largest value: f32 sums in another order.
fn close(what: &str, ours: &TensorData, theirs: &TensorData, tolerance: f64) {
    let (ours, theirs): (Vec<f64>, Vec<f64>) = (ours.iter().collect(), theirs.iter().collect());
    assert_eq!(ours.len(), theirs.len(), "{what}");
    let scale = theirs.iter().fold(1e-3f64, |scale, value| scale.max(value.abs()));
    for (ours, theirs) in ours.iter().zip(&theirs) {
        assert!(
            (ours - theirs).abs() <= tolerance * scale,
            "{what}: {ours} here, {theirs} in PyTorch"
        );
    }
}

#[test]
fn pytorch_finds_the_same() {
    let device = Device::flex();
    for (name, architecture) in cases() {
        if std::env::var_os("AE_WRITE_MODELS").is_some() {
            let model = architecture.init(6, &device).unwrap();
            save(&file(name, "model"), &model, &About::default()).unwrap();
            continue;
        }
        let (model, _) = load::<Model>(&file(name, "model"), &device).unwrap();
        let (expected, _) = tensors::read(&file(name, "expected")).unwrap();
        let input = Tensor::from_data(expected["input"].clone(), &device);
        let model = model.train();
        let objective = Objective::new(Reconstruction::CrossEntropy);
        let moment = Moment { seed: 0, epoch: 0, step: 0 };
        let pass = objective.pass(&model, input.autodiff(), moment);
        let loss = objective.losses(&pass).total();
        close(&format!("{name} code"), &pass.code.inner().into_data(), &expected["code"], 2e-6);
        close(
            &format!("{name} logits"),
            &pass.logits.inner().into_data(),
            &expected["logits"],
            2e-6,
        );
        close(&format!("{name} loss"), &loss.clone().inner().into_data(), &expected["loss"], 2e-6);
        let gradients = take(&model, loss.backward());
        let theirs = expected.keys().filter(|name| name.starts_with("gradient.")).count();
        assert_eq!(gradients.len(), theirs, "{name}: one gradient per parameter in both");
        for (parameter, gradient) in &gradients {
            let theirs = &expected[&format!("gradient.{parameter}")];
            close(&format!("{name} gradient of {parameter}"), gradient, theirs, 1e-4);
        }
    }
}
