//! A penalty of your own is two functions; here one that wants neighbouring pixels of the
//! reconstruction to agree.
//!
//!     cargo run --release --example 02_your_own_penalty

use std::sync::Arc;

use autoencoders::burn::tensor::{Device, Tensor};
use autoencoders::data::digits;
use autoencoders::models::{Autoencoder, Dense, DenseConfig};
use autoencoders::train::{
    Batches, Data, Objective, Pass, Penalty, RESIDENT_LIMIT, Reconstruction, Schedule, fit,
};

/// `sum |y[row, column + 1] - y[row, column]|`, averaged over the batch (Rudin, Osher & Fatemi 1992).
struct TotalVariation;

fn variation(images: Tensor<2>) -> Tensor<1> {
    let [batch, _] = images.dims();
    let images = images.reshape([batch, 28, 28]);
    let right = images.clone().narrow(2, 1, 27);
    (right - images.narrow(2, 0, 27)).abs().sum() / batch as f64
}

impl<M: Autoencoder> Penalty<M> for TotalVariation {
    fn name(&self) -> &str {
        "total-variation"
    }

    fn value(&self, pass: &Pass<'_, M>) -> Tensor<1> {
        variation(pass.model.output().apply(pass.logits.clone()))
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let device = Device::flex();
    let data = Data { training: Arc::new(digits::generate(2000, 0)), validation: None };
    let schedule = Schedule { epochs: 5, batch: 50, ..Schedule::default() };
    let test = Batches::new(Arc::new(digits::generate(200, 1)), &device, RESIDENT_LIMIT, None)?;
    let test = test.select(&(0..200).collect::<Vec<_>>())?;
    let rough = |weight: f64| -> Result<f64, autoencoders::train::Error> {
        let objective: Objective<Dense> =
            Objective::new(Reconstruction::CrossEntropy).penalize(weight, TotalVariation)?;
        let model = DenseConfig::new([784, 128, 16]).init(0, &device)?;
        let fitted = fit(model, &objective, &data, &schedule, &mut ())?;
        Ok(variation(fitted.model.reconstruct(test.clone())).into_scalar())
    };
    let (without, with) = (rough(0.0)?, rough(1.0)?);
    println!("variation of a reconstruction: {without:.1} without the penalty, {with:.1} with it");
    if with > 0.9 * without {
        return Err("expected the penalty to smooth".into());
    }
    Ok(())
}
