//! Whether all sides compute the same: the losses of some steps from the same weights on the same batch.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use autoencoders::burn::tensor::Device;
use autoencoders::models::{Metadata, save};
use autoencoders::train::{Data, Training};

use crate::Result;
use crate::case::Case;
use crate::options::Options;
use crate::ours::{rows, schedule};

const BATCH: usize = 32;
const STEPS: usize = 8;
/// Rounding grows from step to step: Adam divides by gradients that may be next to nothing.
const TOLERANCE: f64 = 1e-3;

/// Prints the losses, and fails where a peer's are not ours. Noise is left out; an epoch is one step, so
/// that the order of the rows does not matter.
pub fn check(options: &Options) -> Result<()> {
    let folder = std::env::temp_dir().join(format!("peers-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let checked = options.cases.iter().try_for_each(|name| check_case(name, &folder, options));
    std::fs::remove_dir_all(&folder)?;
    checked
}

fn check_case(name: &str, folder: &Path, options: &Options) -> Result<()> {
    let case = Case::named(name)?;
    let model = case.architecture.init(0, &Device::flex())?;
    let samples = rows(&case, BATCH)?;
    let (weights, batch) = (folder.join("weights.safetensors"), folder.join("batch"));
    save(&weights, &model, &Metadata::default())?;
    let bytes = (0..BATCH).flat_map(|row| samples.row(row)).flat_map(f32::to_le_bytes);
    std::fs::write(&batch, bytes.collect::<Vec<u8>>())?;

    let data = Data { training: Arc::new(samples), validation: None };
    let objective = case.objective_without_noise()?;
    let fitted = Training::new(model, &objective).schedule(schedule(BATCH, STEPS)).fit(&data)?;
    let ours: Vec<f64> = fitted.epochs.iter().map(|epoch| epoch.training_loss()).collect();
    println!("{name:<12} {:<8} {}", "ours", line(&ours));
    for side in options.sides.iter().filter(|side| **side != "ours") {
        let theirs = losses(options.script(side, name).arg("--check").args([&weights, &batch]))?;
        println!("{name:<12} {side:<8} {}", line(&theirs));
        let is_close = |(ours, theirs): (&f64, &f64)| (theirs / ours - 1.0).abs() < TOLERANCE;
        if theirs.len() != STEPS || !ours.iter().zip(&theirs).all(is_close) {
            return Err(format!("{name}: the losses of {side} are not ours").into());
        }
    }
    Ok(())
}

fn losses(command: &mut Command) -> Result<Vec<f64>> {
    let output = command.arg(STEPS.to_string()).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    let text = String::from_utf8(output.stdout)?;
    Ok(text.split_whitespace().map(str::parse).collect::<std::result::Result<_, _>>()?)
}

fn line(losses: &[f64]) -> String {
    losses.iter().map(|loss| format!("{loss:>10.4}")).collect()
}
