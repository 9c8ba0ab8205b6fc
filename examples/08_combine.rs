//! Terms can be combined: one objective that denoises, sparsifies, contracts and decays weights at once. Its
//! loss is the sum of the logged terms, and each term has the same effect as alone.
//!
//!     cargo run --release --example 08_combine [mnist]

mod setting;

use autoencoders::burn::tensor::Device;
use autoencoders::models::{Activation, Autoencoder, Dense, DenseConfig};
use autoencoders::train::{
    Contraction, Corruption, KlSparsity, NoiseKey, Objective, Phase, Reconstruction, Training,
    WeightDecay, evaluate, jacobian_norm,
};
use setting::{Result, Setting, all_rows, at_most, squared_error};

fn main() -> Result<()> {
    let setting = Setting::new((3000, 500))?;
    let device = Device::flex();
    let masking = Corruption::masking(0.25)?;
    let (test, clean) = (setting.test(&device)?, all_rows(&setting.test, &device)?);
    let corrupted =
        masking.apply(clean.clone(), NoiseKey { seed: 0, phase: Phase::Train(0), step: 0 }).values;
    let measure = |objective: Objective<Dense>| -> Result<[f64; 3]> {
        let config =
            DenseConfig { code_activation: Activation::Sigmoid, ..DenseConfig::new([784, 256]) };
        let schedule = setting.schedule((15, 50, 1e-2), (8, 128, 5e-3));
        let model = config.init(setting.seed, &device)?;
        let fitted = Training::new(model, &objective).schedule(&schedule).fit(setting.data())?;
        println!("{objective}");
        let last = fitted.epochs.last().ok_or("expected an epoch")?;
        for (name, value) in &last.training {
            println!("  {name:<14} {value:8.3}");
        }
        println!("  sum            {:8.3}", last.training_loss());
        Ok([
            squared_error(fitted.model.reconstruct(corrupted.clone()), clean.clone()),
            evaluate(&fitted.model, &test, 500)?.evaluation.activity.mean,
            jacobian_norm(&fitted.model, &test, 500)?,
        ])
    };
    let plain = measure(Objective::new(Reconstruction::CrossEntropy))?;
    let all = Objective::new(Reconstruction::CrossEntropy)
        .corrupt(masking)
        .penalize(1.0, KlSparsity::toward(0.1)?)?
        .penalize(0.1, Contraction::exact())?
        .penalize(1e-4, WeightDecay)?;
    let all = measure(all)?;
    let ratio = |index: usize| all[index] / plain[index];
    println!("with all terms, over what it is with reconstruction alone:");
    at_most(
        "  squared error of corrupted",
        ratio(0),
        setting.pick((0.75, "0.62, 3 seeds"), (0.6, "0.42, 1 seed")),
    )?;
    at_most(
        "  mean activation",
        ratio(1),
        setting.pick((0.4, "0.25, 3 seeds"), (0.4, "0.24, 1 seed")),
    )?;
    at_most(
        "  squared Jacobian norm",
        ratio(2),
        setting.pick((0.2, "0.12, 3 seeds"), (0.15, "0.06, 1 seed")),
    )
}
