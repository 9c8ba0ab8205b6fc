//! A contractive autoencoder (Rifai et al. 2011, ICML) is penalised for how much its code changes
//! with its input: by the squared Frobenius norm of the encoder's Jacobian. Here its exact value is measured
//! on test images for growing weights of the penalty.
//!
//!     cargo run --release --example 07_contract [mnist]

mod setting;

use autoencoders::burn::tensor::Device;
use autoencoders::models::{Activation, DenseConfig};
use autoencoders::train::{
    Contraction, Objective, Reconstruction, Training, evaluate, jacobian_norm,
};
use setting::{Result, Setting, at_most};

fn main() -> Result<()> {
    let setting = Setting::new((3000, 500))?;
    let device = Device::flex();
    let test = setting.test(&device)?;
    let mut norms = Vec::new();
    for weight in [0.0, 0.1, 1.0, 10.0] {
        let config = DenseConfig {
            code_activation: Activation::Sigmoid,
            tied: true,
            ..DenseConfig::new([784, 128])
        };
        let model = config.init(setting.seed, &device)?;
        let objective =
            Objective::new(Reconstruction::CrossEntropy).penalize(weight, Contraction::exact())?;
        let schedule = setting.schedule((15, 50, 1e-2), (8, 128, 5e-3));
        let fitted = Training::new(model, &objective).schedule(&schedule).fit(setting.data())?;
        let norm = jacobian_norm(&fitted.model, &test, 500)?;
        let error = evaluate(&fitted.model, &test, 500)?.evaluation.squared_error;
        println!("weight {weight}: squared Jacobian norm {norm:.4}, squared error {error:.2}");
        norms.push(norm);
    }
    let steps = norms.windows(2).map(|pair| pair[1] / pair[0]);
    let least = steps.fold(0.0, f64::max);
    at_most(
        "norm over that of the weight before, at most",
        least,
        setting.pick((0.9, "0.76 to 0.79, 3 seeds"), (0.85, "0.60, 1 seed")),
    )
}
