//! A sparse autoencoder (Ng 2011, lecture notes CS294A): each unit of an overcomplete code shall be
//! active as often as a target says, which the Kullback-Leibler divergence from its mean activation
//! measures.
//!
//!     cargo run --release --example 05_sparse [mnist]

mod setting;

use autoencoders::burn::tensor::Device;
use autoencoders::models::{Activation, DenseConfig, Encoder};
use autoencoders::train::{KlSparsity, Objective, Rate, Reconstruction, Schedule, evaluate, fit};
use setting::{Result, Setting, all_rows, at_most};

const TARGET: f64 = 0.05;

fn main() -> Result<()> {
    let setting = Setting::new((3000, 500))?;
    let device = Device::flex();
    let test = setting.test(&device)?;
    let mut furthest = 0.0;
    for weight in [0.0, 1.0] {
        let config =
            DenseConfig { code_activation: Activation::Sigmoid, ..DenseConfig::new([784, 256]) };
        let model = config.init(setting.seed, &device)?;
        let objective = Objective::new(Reconstruction::CrossEntropy)
            .penalize(weight, KlSparsity::toward(TARGET)?)?;
        let (epochs, batch) = setting.pick((15, 100), (20, 128));
        let rate = Rate { peak: 3e-3, ..Rate::default() };
        let schedule = Schedule { epochs, batch, rate, seed: setting.seed, ..Schedule::default() };
        let fitted = fit(model, &objective, &setting.data(), &schedule, &mut ())?;

        let found = evaluate(&fitted.model, &test, 500)?.evaluation;
        let code = fitted.model.encode(all_rows(&setting.test, &device)?);
        let off = (code.mean_dim(0) - TARGET).abs();
        furthest = off.clone().max().into_scalar::<f64>();
        println!(
            "weight {weight}: mean activation {:.4}, of a unit {:.4} from the target on average; \
             lifetime sparseness {:.2}, squared error {:.2}",
            found.activity.mean,
            off.mean().into_scalar::<f64>(),
            found.activity.lifetime_sparseness.unwrap_or(0.0),
            found.squared_error
        );
    }
    at_most("unit furthest from the target of 0.05", furthest, setting.pick(1.0, 1.0), "")
}
