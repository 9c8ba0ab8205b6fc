//! The simplest autoencoder: one layer to a code of 32 units, one layer back. `fit` trains a model
//! with an objective and a schedule, and `evaluate` measures the result.
//!
//!     cargo run --release --example 01_reconstruct [mnist]

mod setting;

use autoencoders::burn::tensor::Device;
use autoencoders::models::DenseConfig;
use autoencoders::train::{Objective, Reconstruction, Schedule, Training, evaluate};
use setting::{Result, Setting, at_most};

fn main() -> Result<()> {
    let setting = Setting::new((3000, 500))?;
    let device = Device::flex();
    let model = DenseConfig::new([784, 32]).init(setting.seed, &device)?;
    let objective = Objective::new(Reconstruction::CrossEntropy);
    let batch = setting.pick(25, 128);
    let schedule = Schedule { epochs: 20, batch, seed: setting.seed, ..Schedule::default() };
    let fitted = Training::new(model, &objective).schedule(&schedule).fit(setting.data())?;

    let test = evaluate(&fitted.model, &setting.test(&device)?, 500)?.evaluation;
    let cross_entropy = test.cross_entropy.ok_or("expected pixels from 0 to 1")?;
    println!("{}", fitted.model);
    println!("squared error per image: {:.2}", test.squared_error);
    println!(
        "entropy of the pixels, below which no reconstruction goes: {:.4}",
        cross_entropy.floor
    );
    println!("published for MNIST: about 0.09 (the Keras blog's \"Building autoencoders\")");
    let what = "cross-entropy per pixel in nats";
    at_most(
        what,
        cross_entropy.per_feature,
        setting.pick((0.145, "0.131 to 0.133, 3 seeds"), (0.096, "0.0925, 1 seed")),
    )
}
