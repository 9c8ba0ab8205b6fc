//! Convolutions share weights between positions: with fewer parameters than dense layers they
//! reconstruct images better. `fit` trains both in the same way, since a batch is always rows.
//!
//!     cargo run --release --example 03_convolve [mnist]

mod setting;

use autoencoders::burn::module::Module;
use autoencoders::burn::tensor::Device;
use autoencoders::models::{Autoencoder, ConvConfig, DenseConfig};
use autoencoders::train::{Objective, Reconstruction, Training};
use setting::{Result, Setting, all_rows, at_most, squared_error};

fn error_of<M: Autoencoder>(name: &str, model: M, setting: &Setting) -> Result<f64> {
    let parameters = Module::num_params(&model);
    let schedule = setting.schedule((8, 50, 5e-3), (4, 128, 3e-3));
    let objective = Objective::new(Reconstruction::CrossEntropy);
    let fitted = Training::new(model, &objective).schedule(&schedule).fit(setting.data())?;
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
    at_most(
        "error of convolutions over dense",
        convolutional / dense,
        setting.pick((0.95, "0.75 to 0.87, 3 seeds"), (0.9, "0.78, 1 seed")),
    )
}
