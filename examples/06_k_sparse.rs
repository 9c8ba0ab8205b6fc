//! A k-sparse autoencoder (Makhzani & Frey 2013, arXiv 1312.5663) keeps the k largest units of a code.
//! If k is small from the start, many units are never chosen and die, so k falls during training. On MNIST
//! with 1000 units, over these 10 epochs, this kept no more units alive. After training, a larger k
//! reconstructs better from the same code.
//!
//!     cargo run --release --example 06_k_sparse [mnist]

mod setting;

use autoencoders::burn::tensor::Device;
use autoencoders::models::{Activation, Decoder, DenseConfig, Encoder, top_k};
use autoencoders::train::{Objective, Reconstruction, TopKSchedule, Training, evaluate};
use setting::{Result, Setting, all_rows, at_most, squared_error};

fn main() -> Result<()> {
    let setting = Setting::new((3000, 500))?;
    let device = Device::flex();
    let (test, rows) = (setting.test(&device)?, all_rows(&setting.test, &device)?);
    let (units, k) = setting.pick((128, 8), (1000, 25));
    let mut dead = Vec::new();
    for sparse in [TopKSchedule::constant(k)?, TopKSchedule::annealed(4 * k, k, 10)?] {
        let config = DenseConfig {
            output: Activation::Identity,
            tied: true,
            top_k: Some(k),
            ..DenseConfig::new([784, units])
        };
        let model = config.init(setting.seed, &device)?;
        let objective = Objective::new(Reconstruction::SquaredError).train_top_k(sparse);
        let schedule = setting.schedule((20, 50, 3e-3), (15, 128, 1e-3));
        let fitted = Training::new(model, &objective).schedule(&schedule).fit(setting.data())?;

        let found = evaluate(&fitted.model, &test, 500)?.evaluation;
        println!("{sparse}: {} of {units} units are dead; squared error of", found.dead_units);
        let code = fitted.model.encode_dense(rows.clone());
        for wider in [k, k * 3 / 2, 2 * k] {
            let reconstruction = fitted.model.decode(top_k(code.clone(), wider));
            println!("  {wider} units in use: {:.2}", squared_error(reconstruction, rows.clone()));
        }
        dead.push(found.dead_units as f64 / units as f64);
    }
    at_most(
        "share of units that are dead with annealing",
        dead[1],
        setting.pick((0.25, "0.11 to 0.15, 3 seeds"), (0.4, "0.31, 1 seed")),
    )?;
    at_most(
        "the same over what it is without",
        dead[1] / dead[0],
        setting.pick((0.5, "0.24 to 0.33, 3 seeds"), (1.3, "1.16, 1 seed: no help there")),
    )
}
