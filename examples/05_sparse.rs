//! A sparse autoencoder (Ng 2011, lecture notes CS294A): each unit of an overcomplete code should be
//! active as often as a target says. The penalty is the Kullback-Leibler divergence between the target and
//! the unit's mean activation.
//!
//!     cargo run --release --example 05_sparse [mnist]

mod setting;

use autoencoders::burn::tensor::Device;
use autoencoders::models::{Activation, DenseConfig, Encoder};
use autoencoders::train::{KlSparsity, Objective, Reconstruction, Training, evaluate};
use setting::{Result, Setting, all_rows, at_most};

const TARGET: f64 = 0.05;

fn main() -> Result<()> {
    let setting = Setting::new((3000, 2000))?;
    let device = Device::flex();
    let test = setting.test(&device)?;
    let mut distance = 0.0;
    for weight in [0.0, 20.0] {
        let config =
            DenseConfig { code_activation: Activation::Sigmoid, ..DenseConfig::new([784, 256]) };
        let model = config.init(setting.seed, &device)?;
        let objective = Objective::new(Reconstruction::CrossEntropy)
            .penalize(weight, KlSparsity::toward(TARGET)?)?;
        let schedule = setting.schedule((20, 100, 2e-2), (10, 256, 1e-2));
        let fitted = Training::new(model, &objective).schedule(&schedule).fit(setting.data())?;

        let found = evaluate(&fitted.model, &test, 500)?.evaluation;
        let code = fitted.model.encode(all_rows(&setting.test, &device)?);
        distance = (code.mean_dim(0) - TARGET).abs().mean().into_scalar();
        println!(
            "weight {weight}: mean activation {:.4}, lifetime sparseness {:.2}, squared error {:.2}",
            found.activity.mean,
            found.activity.lifetime_sparseness.unwrap_or(0.0),
            found.squared_error
        );
    }
    let what = "distance of a unit's mean activation from 0.05, on average";
    at_most(
        what,
        distance,
        setting.pick((0.01, "0.0059 to 0.0064, 3 seeds"), (0.008, "0.0033, 1 seed")),
    )
}
