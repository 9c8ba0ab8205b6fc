//! Every term and every kind of model in half precision, on flex.

use std::sync::Arc;

use autoencoders::data::{Masked, Samples, Shape, Source, digits};
use autoencoders::models::{
    Model,
    tensors::{self, Tensors},
};
use autoencoders::train::{
    Data, Decay, LearningRate, Objective, Optimizer, Precision, Schedule, Training,
};
use burn::tensor::{Device, TensorData};
use libtest_mimic::Failed;

use crate::combinations::{self, FEATURES};

/// Compares one step of gradient descent in half precision with the same step in full precision, on every kind of
/// model. The error of a parameter is the difference of both updates, relative to the update, or to a tenth of the
/// largest update of all parameters if that is more. It is at most 0.25 %. Two layers magnify rounding, for which the
/// bound is 2 %: a normalisation, which divides by a standard deviation, and max-pooling, which chooses between nearly
/// equal values. So does the ratio of norms of the Hoyer penalty, whose gradient divides by the length of a code: 0.36 %
/// with a weight of 0.5, for which the bound is 0.5 %. For bf16, which has three bits less, the bounds are eight times as large. The largest errors measured
/// are 0.18 and 1.1 % in f16, 1.2 and 13 % in bf16.
pub fn steps(term: &str, objective: &Objective<Model>) -> Result<(), Failed> {
    let device = Device::flex();
    let pixels = digits::generate(8, 5);
    let pixels = (0..8).flat_map(|row| pixels.row(row)[300..300 + FEATURES].to_vec());
    let rows = pixels.map(|pixel| 0.8 * pixel + 0.1).collect();
    let samples = Samples::from_floats(rows, Shape::table(FEATURES))?;
    let training: Arc<dyn Source> = match objective.is_of_known() {
        true => Arc::new(Masked::from(samples)),
        false => Arc::new(samples),
    };
    let data = Data { training, validation: None };
    let mut table = String::new();
    for (name, architecture) in combinations::models() {
        let model = architecture.init(2, &device)?;
        if objective.check(&model).is_err() {
            continue;
        }
        let full = moves(&model, objective, &data, Precision::Full)?;
        let floor = 0.1 * full.values().map(length).fold(0.0, f64::max);
        let is_magnified = ["norm", "max-pooled"].iter().any(|part| name.contains(part));
        let tolerance = match is_magnified {
            true => 2e-2,
            false if term == "hoyer" => 5e-3,
            false => 2.5e-3,
        };
        for (precision, tolerance) in
            [(Precision::F16, tolerance), (Precision::Bf16, 8.0 * tolerance)]
        {
            let mut largest = 0.0f64;
            for (parameter, here) in &moves(&model, objective, &data, precision)? {
                let there = &full[parameter];
                let error = length(&minus(here, there)) / length(there).max(floor);
                if error.is_nan() || error > tolerance {
                    let place = format!("{name} {precision:?} {parameter}");
                    let expected = format!("expected {tolerance:.1e} at most");
                    return Err(format!("{place}: {error:.1e}, {expected}").into());
                }
                largest = largest.max(error);
            }
            if largest == 0.0 {
                return Err(format!("{name}: {precision:?} computes as full precision does").into());
            }
            let precision = format!("{precision:?}");
            table += &format!("{precision:<6}{term:<22}{name:<28}{largest:.1e}\n");
        }
    }
    if table.is_empty() {
        return Err("expected a model that the term is for, got none".into());
    }
    print!("{table}");
    Ok(())
}

/// The update of every parameter in one step.
fn moves(
    model: &Model,
    objective: &Objective<Model>,
    data: &Data,
    precision: Precision,
) -> Result<Tensors, Failed> {
    let rate = LearningRate { peak: 0.01, warm_up: 0.0, decay: Decay::Constant };
    let optimizer = Optimizer::sgd(0.0);
    let schedule =
        Schedule { epochs: 1, batch: 8, optimizer, rate, precision, ..Schedule::default() };
    let before = tensors::collect(model);
    let fitted = Training::new(model.clone(), objective).schedule(&schedule).fit(data)?;
    let after = tensors::collect(&fitted.model).into_iter();
    Ok(after.map(|(name, after)| (name.clone(), minus(&after, &before[&name]))).collect())
}

fn minus(a: &TensorData, b: &TensorData) -> TensorData {
    let values = a.iter::<f64>().zip(b.iter::<f64>()).map(|(a, b)| a - b).collect();
    TensorData::new(values, a.shape().clone())
}

fn length(data: &TensorData) -> f64 {
    data.iter::<f64>().map(|value| value * value).sum::<f64>().sqrt()
}
