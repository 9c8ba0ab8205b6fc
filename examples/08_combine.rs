//! Terms add up: one objective that denoises, sparsifies, contracts and decays weights at once. Its
//! loss is the sum of what is logged, and each term does to the model what it does alone.
//!
//!     cargo run --release --example 08_combine [mnist]

mod setting;

use autoencoders::burn::tensor::Device;
use autoencoders::models::{Activation, Autoencoder, Dense, DenseConfig};
use autoencoders::train::{
    Contraction, Corruption, KlSparsity, Moment, Objective, Reconstruction, Schedule, WeightDecay,
    evaluate, fit, jacobian_norm,
};
use setting::{Result, Setting, all_rows, at_most, squared_error};

fn main() -> Result<()> {
    let setting = Setting::new((3000, 500))?;
    let device = Device::flex();
    let masking = Corruption::masking(0.25)?;
    let (test, clean) = (setting.test(&device)?, all_rows(&setting.test, &device)?);
    let corrupted = masking.apply(clean.clone(), Moment { seed: 0, epoch: 0, step: 0 }).values;
    let measure = |objective: Objective<Dense>| -> Result<[f64; 3]> {
        let config =
            DenseConfig { code_activation: Activation::Sigmoid, ..DenseConfig::new([784, 256]) };
        let (epochs, batch) = setting.pick((10, 50), (15, 128));
        let schedule = Schedule { epochs, batch, seed: setting.seed, ..Schedule::default() };
        let model = config.init(setting.seed, &device)?;
        let fitted = fit(model, &objective, &setting.data(), &schedule, &mut ())?;
        println!("{objective}");
        for (name, value) in &fitted.epochs[epochs - 1].training {
            println!("  {name:<14} {value:8.3}");
        }
        println!("  sum            {:8.3}", fitted.epochs[epochs - 1].training_loss());
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
    let names = ["squared error of corrupted", "mean activation", "squared Jacobian norm"];
    for (name, (all, plain)) in names.into_iter().zip(all.into_iter().zip(plain)) {
        println!("{name}: {plain:.4} without, {all:.4} with");
        at_most(name, all / plain, 1.0, "")?;
    }
    Ok(())
}
