//! A convolutional denoising autoencoder on generated digits, beside PCA with a code of the same size.
//!
//!     cargo run --release --example 01_denoise

use std::sync::Arc;

use autoencoders::burn::tensor::{Device, Tensor};
use autoencoders::data::{Source, digits, split};
use autoencoders::models::{Autoencoder, ConvConfig, Pca};
use autoencoders::train::{
    Batches, Corruption, Data, Event, Flow, Moment, Objective, RESIDENT_LIMIT, Rate,
    Reconstruction, Schedule, fit,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let device = Device::flex();
    let (training, validation) = split(&digits::generate(6000, 0), 0.1, 0)?;
    let mut pixels = vec![0.0; training.len() * 784];
    training.read(&(0..training.len()).collect::<Vec<_>>(), &mut pixels)?;
    let pca = Pca::fit(&pixels, 784, 32, &device)?;

    let corruption = Corruption::masking(0.5)?;
    let model = ConvConfig { channels: vec![16, 32], ..ConvConfig::new([1, 28, 28], 32) };
    let objective = Objective::new(Reconstruction::CrossEntropy).corrupt(corruption);
    let rate = Rate { peak: 5e-3, warm_up: 0.5, ..Rate::default() };
    let schedule = Schedule { epochs: 6, batch: 64, rate, ..Schedule::default() };
    let data = Data { training: Arc::new(training), validation: Some(Arc::new(validation)) };
    let mut observer = |event: &Event<'_>| {
        if let Event::Epoch(report) = event {
            println!("epoch {}: loss {:.1}", report.epoch, report.training_loss());
        }
        Flow::Continue
    };
    let model = model.init(0, &device)?;
    let fitted = fit(model, &objective, &data, &schedule, &mut observer)?;

    // Digits that nobody has seen, with half of their pixels missing.
    let test = Batches::new(Arc::new(digits::generate(1000, 1)), &device, RESIDENT_LIMIT, None)?;
    let clean = test.select(&(0..test.len()).collect::<Vec<_>>())?;
    let corrupted = corruption.apply(clean.clone(), Moment { seed: 1, epoch: 0, step: 0 }).values;
    let error = |reconstruction: Tensor<2>| -> f64 {
        let difference = reconstruction - clean.clone();
        difference.square().sum().into_scalar::<f64>() / test.len() as f64
    };
    let ours = error(fitted.model.reconstruct(corrupted.clone()));
    let linear = error(pca.reconstruct(corrupted.clone()));
    println!("squared error per digit: {ours:.1}, PCA {linear:.1}");
    if ours > linear / 2.0 {
        return Err("expected at most half of PCA's".into());
    }
    Ok(())
}
