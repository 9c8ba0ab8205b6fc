//! Our side: the steps that `fit` takes.

use std::sync::Arc;

use ae_kernels::{Activation, Weight, linear};
use autoencoders::burn::module::Module;
use autoencoders::burn::tensor::{Device, FloatDType, Tensor, TensorData};
use autoencoders::data::{Samples, Shape};
use autoencoders::train::{Data, Decay, Event, Flow, LearningRate, Precision, Schedule, Training};
use chacha20::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use crate::Result;
use crate::case::Case;
use crate::turns::Turns;

/// As in `cases.py`.
pub const ROWS: usize = 8192;

/// Trains until the input ends, on rows of random numbers.
pub fn train(case: &Case, batch: usize, device: &Device, precision: Precision) -> Result<()> {
    let training = Arc::new(rows(case, ROWS)?);
    let parameters = case.architecture.init(0, &Device::flex())?.num_params();
    let mut turns = Turns::new(device, parameters);
    let mut observer = |event: &Event<'_>| match event {
        Event::Step { .. } => turns.step(),
        _ => Flow::Continue,
    };
    let model = case.architecture.init(0, device)?;
    let data = Data { training, validation: None };
    let schedule = Schedule { precision, ..schedule(batch, u32::MAX as usize) };
    Training::new(model, &case.objective()?)
        .schedule(&schedule)
        .observe(&mut observer)
        .fit(&data)?;
    Ok(())
}

/// Multiplies square matrices, as a layer does, until the input ends.
pub fn multiply(side: usize, device: &Device, precision: Precision) -> Result<()> {
    let mut turns = Turns::new(device, 0);
    let factor = TensorData::new(random(side * side), [side; 2]);
    let factor = Tensor::<2>::from_data(factor, device);
    let factor = match precision {
        Precision::Full => factor,
        Precision::F16 => factor.cast(FloatDType::F16),
        Precision::Bf16 => factor.cast(FloatDType::BF16),
    };
    let bias = Tensor::<1>::zeros([side], (device, factor.dtype()));
    loop {
        let weight = Weight::Plain(factor.clone());
        let product = linear(factor.clone(), weight, bias.clone(), Activation::Identity);
        std::hint::black_box(product);
        if turns.step() == Flow::Stop {
            return Ok(());
        }
    }
}

/// Adam as the others have it: a constant rate of 1e-3.
pub fn schedule(batch: usize, epochs: usize) -> Schedule {
    let rate = LearningRate { decay: Decay::Constant, ..LearningRate::default() };
    Schedule { epochs, batch, rate, ..Schedule::default() }
}

/// Random numbers in [0, 1], one row a sample.
pub fn rows(case: &Case, count: usize) -> Result<Samples> {
    let features = case.architecture.features();
    Ok(Samples::from_floats(random(count * features), Shape::table(features))?)
}

fn random(count: usize) -> Vec<f32> {
    let mut generator = ChaCha8Rng::seed_from_u64(0);
    (0..count).map(|_| generator.random()).collect()
}
