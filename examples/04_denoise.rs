//! A denoising autoencoder (Vincent et al. 2008, doi 10.1145/1390156.1390294) reads corrupted inputs and
//! reconstructs the clean ones. The model is that of any other autoencoder; only the objective changes.
//!
//!     cargo run --release --example 04_denoise [mnist]

mod setting;

use autoencoders::burn::tensor::Device;
use autoencoders::models::{Autoencoder, DenseConfig};
use autoencoders::train::{Corruption, NoiseKey, Objective, Phase, Reconstruction, Training};
use setting::{Result, Setting, all_rows, at_most, squared_error};

fn main() -> Result<()> {
    let setting = Setting::new((3000, 500))?;
    let device = Device::flex();
    let masking = Corruption::masking(0.5)?;
    // Test digits with half of their pixels set to 0.
    let clean = all_rows(&setting.test, &device)?;
    let key = NoiseKey { seed: setting.seed, phase: Phase::Train(0), step: 0 };
    let corrupted = masking.apply(clean.clone(), key).values;

    let error_of = |corruption: Corruption| -> Result<f64> {
        let model = DenseConfig::new([784, 256, 64]).init(setting.seed, &device)?;
        let objective = Objective::new(Reconstruction::CrossEntropy).corrupt(corruption);
        let schedule = setting.schedule((12, 50, 3e-3), (8, 128, 2e-3));
        let fitted = Training::new(model, &objective).schedule(&schedule).fit(setting.data())?;
        Ok(squared_error(fitted.model.reconstruct(corrupted.clone()), clean.clone()))
    };
    let plain = error_of(Corruption::None)?;
    let denoising = error_of(masking)?;
    let nothing = squared_error(corrupted.clone(), clean.clone());
    println!("squared error per image with half of the pixels masked: {nothing:.1} as it is,");
    println!(
        "{plain:.1} after an autoencoder, {denoising:.1} after a denoising one of the same size"
    );
    at_most(
        "denoising over plain",
        denoising / plain,
        setting.pick((0.55, "0.41 to 0.43, 3 seeds"), (0.35, "0.21, 1 seed")),
    )
}
