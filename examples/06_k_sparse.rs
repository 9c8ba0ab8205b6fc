//! A k-sparse autoencoder (Makhzani & Frey 2013, arXiv 1312.5663) keeps the k largest units of a code.
//! With few from the beginning most are never chosen and die; so k falls while training. In use a
//! wider k reads more from the same code.
//!
//!     cargo run --release --example 06_k_sparse [mnist]

mod setting;

use autoencoders::burn::tensor::Device;
use autoencoders::models::{Activation, Decoder, DenseConfig, Encoder, keep_largest};
use autoencoders::train::{KSparse, Objective, Rate, Reconstruction, Schedule, fit};
use setting::{Result, Setting, all_rows, at_most, squared_error};

fn main() -> Result<()> {
    let setting = Setting::new((3000, 500))?;
    let device = Device::flex();
    let test = all_rows(&setting.test, &device)?;
    let (units, k) = setting.pick((256, 8), (1000, 25));
    let (epochs, batch) = setting.pick((15, 100), (20, 128));
    let mut dead = Vec::new();
    for sparse in [KSparse::constant(k)?, KSparse::annealed(units / 2, k, epochs / 2)?] {
        let config = DenseConfig {
            output: Activation::Identity,
            tied: true,
            kept: Some(k),
            ..DenseConfig::new([784, units])
        };
        let model = config.init(setting.seed, &device)?;
        let objective = Objective::new(Reconstruction::SquaredError).keep(sparse);
        let rate = Rate { peak: 3e-3, ..Rate::default() };
        let schedule = Schedule { epochs, batch, rate, seed: setting.seed, ..Schedule::default() };
        let fitted = fit(model, &objective, &setting.data(), &schedule, &mut ())?;

        let code = fitted.model.encode_all(test.clone());
        let chosen = keep_largest(code.clone(), k).abs().max_dim(0).greater_elem(0.0).int().sum();
        let unused = units as i64 - chosen.into_scalar::<i64>();
        println!("{sparse}: {unused} of {units} units are never chosen; squared error of");
        for wider in [k, k * 3 / 2, 2 * k] {
            let reconstruction = fitted.model.decode(keep_largest(code.clone(), wider));
            println!("  {wider} units in use: {:.2}", squared_error(reconstruction, test.clone()));
        }
        dead.push(unused as f64 / units as f64);
    }
    at_most("dead units with annealing", dead[1], setting.pick(1.0, 1.0), "")?;
    at_most("dead units with annealing", dead[1], dead[0], "")
}
