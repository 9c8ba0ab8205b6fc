//! What every example starts and ends with: its data, its seed, and its result compared with a target.
#![allow(dead_code, reason = "each example compiles this for itself, and none needs all of it")]

use std::sync::Arc;

use autoencoders::burn::tensor::{Device, Tensor};
use autoencoders::data::{Options, Samples, open};
use autoencoders::train::{Batches, Data, LearningRate, RESIDENT_LIMIT, Schedule};

pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// What an example runs on: `EXAMPLE [DATA [SEED]]`.
pub struct Setting {
    pub training: Samples,
    pub test: Samples,
    pub seed: u64,
    is_full: bool,
}

impl Setting {
    /// Without an argument, or with `digits`: the short mode, on as many generated digits for training and for
    /// testing as `digits` says. With the name or the path of a data set: the full mode, on all of it.
    pub fn new(digits: (usize, usize)) -> Result<Self> {
        let mut arguments = std::env::args().skip(1);
        let source = arguments.next().unwrap_or("digits".into());
        let seed = arguments.next().map_or(Ok(0), |seed| seed.parse())?;
        let is_full = source != "digits";
        let (training_samples, test_samples) = (!is_full).then_some(digits).unzip();
        let options = Options { training_samples, test_samples, seed, ..Options::default() };
        let splits = open(&source, &options, &mut |_| ())?.splits;
        Ok(Self { training: splits.training, test: splits.test, seed, is_full })
    }

    /// One value for the short mode, one for the full.
    pub fn pick<T>(&self, short: T, full: T) -> T {
        if self.is_full { full } else { short }
    }

    /// Epochs, samples of a step and the greatest learning rate of each mode; the rate falls along a
    /// cosine.
    pub fn schedule(&self, short: (usize, usize, f64), full: (usize, usize, f64)) -> Schedule {
        let (epochs, batch, peak) = self.pick(short, full);
        let rate = LearningRate { peak, ..LearningRate::default() };
        Schedule { epochs, batch, rate, seed: self.seed, ..Schedule::default() }
    }

    /// The training set, nothing held out: every schedule here is fixed beforehand.
    pub fn data(&self) -> Data {
        Data { training: Arc::new(self.training.clone()), validation: None }
    }

    /// The test set on a device.
    pub fn test(&self, device: &Device) -> Result<Batches> {
        Ok(Batches::new(&self.test, device, RESIDENT_LIMIT, None)?)
    }
}

/// All rows in one tensor, `[rows, features]`.
pub fn all_rows(samples: &Samples, device: &Device) -> Result<Tensor<2>> {
    let batches = Batches::new(samples, device, RESIDENT_LIMIT, None)?;
    Ok(batches.select(&(0..samples.len()).collect::<Vec<_>>())?)
}

/// Squared error per sample: summed over features, averaged over samples.
pub fn squared_error(reconstruction: Tensor<2>, target: Tensor<2>) -> f64 {
    let [samples, _] = target.dims();
    (reconstruction - target).square().sum().into_scalar::<f64>() / samples as f64
}

/// A bound, and what was measured when it was set.
pub type Target = (f64, &'static str);

/// Prints a value and its target.
///
/// # Errors
/// If the value is above the target.
pub fn at_most(what: &str, value: f64, (target, seeds): Target) -> Result<()> {
    state(what, value, value <= target, &format!("at most {target}"), seeds)
}

/// As [`at_most`], for a value that has to be large.
///
/// # Errors
/// If the value is below the target.
pub fn at_least(what: &str, value: f64, (target, seeds): Target) -> Result<()> {
    state(what, value, value >= target, &format!("at least {target}"), seeds)
}

fn state(what: &str, value: f64, is_met: bool, target: &str, seeds: &str) -> Result<()> {
    println!("{what}: {value:.4}, target {target} (measured: {seeds})");
    if is_met { Ok(()) } else { Err(format!("{what}: expected {target}, got {value:.4}").into()) }
}
