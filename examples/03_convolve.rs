//! Convolutions share weights between places: with fewer parameters than a dense chain they
//! reconstruct images better. To `fit` both are the same, since a batch is always rows.
//!
//!     cargo run --release --example 03_convolve [mnist]

mod setting;

use autoencoders::burn::module::Module;
use autoencoders::burn::tensor::Device;
use autoencoders::models::{Autoencoder, ConvConfig, DenseConfig};
use autoencoders::train::{Objective, Rate, Reconstruction, Schedule, fit};
use setting::{Result, Setting, all_rows, at_most, squared_error};

fn error_of<M: Autoencoder>(name: &str, model: M, setting: &Setting) -> Result<f64> {
    let parameters = Module::num_params(&model);
    let (epochs, batch) = setting.pick((4, 50), (5, 128));
    let rate = Rate { peak: 3e-3, warm_up: 0.5, ..Rate::default() };
    let schedule = Schedule { epochs, batch, rate, seed: setting.seed, ..Schedule::default() };
    let objective = Objective::new(Reconstruction::CrossEntropy);
    let fitted = fit(model, &objective, &setting.data(), &schedule, &mut ())?;
    let test = all_rows(&setting.test, &Device::flex())?;
    let error = squared_error(fitted.model.reconstruct(test.clone()), test);
    println!("{name}: {parameters} parameters, squared error per image {error:.2}");
    Ok(error)
}

fn main() -> Result<()> {
    let setting = Setting::new((2500, 500))?;
    let device = Device::flex();
    let convolutional = ConvConfig { channels: vec![16, 32], ..ConvConfig::new([1, 28, 28], 32) };
    let dense = DenseConfig::new([784, 128, 32]).init(setting.seed, &device)?;
    let dense = error_of("dense", dense, &setting)?;
    let convolutional = convolutional.init(setting.seed, &device)?;
    let convolutional = error_of("convolutional", convolutional, &setting)?;
    at_most("error of convolutions over dense", convolutional / dense, setting.pick(1.0, 1.0), "")
}
