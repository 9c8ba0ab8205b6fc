//! The kernels that a training step launches on a GPU: how often each, and the workgroups of this project's kernels.
//! With `AE_REQUIRE=wgpu` a software driver counts as a GPU.
//!
//! `tests/launches.txt` has the expected counts; `AE_WRITE_LAUNCHES=1` writes it.

#[path = "../benches/backends/mod.rs"]
mod backends;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use ae_kernels::{Launched, Launches, launches};
use autoencoders::data::digits;
use autoencoders::models::{Activation, Architecture, ConvConfig, DenseConfig};
use autoencoders::train::{Corruption, Data, Objective, Reconstruction, Schedule, Training};
use burn::tensor::Device;
use libtest_mimic::{Arguments, Failed, Trial};

const GOLDEN: &str = include_str!("launches.txt");

/// The most launches of a step of the convolutional and of the deep dense net.
const MOST: usize = 40;

/// The fewest workgroups of a kernel with more than a hundredth of a step's multiply-adds, at a batch of 128.
const LEAST: usize = 64;

fn main() {
    let arguments = Arguments::from_args();
    let required = backends::required();
    let is_required = backends::is_in(&required, "wgpu");
    let device = backends::all(&required).into_iter().find(|(name, _)| *name == "wgpu");
    let device = device.expect("wgpu is listed").1;
    let is_missing = device.is_err();
    // A single test, since an observation counts the launches of all threads.
    let trial =
        Trial::test("wgpu::launches and workgroups of a training step", move || body(&device?))
            .with_ignored_flag(is_missing && !is_required);
    libtest_mimic::run(&arguments, vec![trial]).exit();
}

fn cases() -> [(&'static str, Architecture, Objective<autoencoders::models::Model>); 4] {
    let deep = DenseConfig::new([784, 1000, 500, 250, 30]);
    let tied = DenseConfig {
        tied: true,
        code_activation: Activation::Sigmoid,
        ..DenseConfig::new([784, 500])
    };
    let squared = || Objective::new(Reconstruction::SquaredError);
    let masked = Corruption::masking(0.25).expect("a probability");
    [
        (
            "convolutional",
            Architecture::Conv(ConvConfig::new([1, 28, 28], 32)),
            Objective::new(Reconstruction::CrossEntropy),
        ),
        (
            "convolutional without dense layers",
            Architecture::Conv(ConvConfig::maps([1, 28, 28], vec![32, 64])),
            squared(),
        ),
        ("deep dense", Architecture::Dense(deep), squared()),
        (
            "tied, masking noise",
            Architecture::Dense(tied),
            Objective::new(Reconstruction::CrossEntropy).corrupt(masked),
        ),
    ]
}

/// The launches of an epoch with that number of training steps.
fn steps(device: &Device, case: usize, steps: usize, batch: usize) -> Result<Launches, Failed> {
    let (_, architecture, objective) = cases().into_iter().nth(case).expect("a case");
    let model = architecture.init(0, device)?;
    let data = Data { training: Arc::new(digits::generate(steps * batch, 0)), validation: None };
    let schedule = Schedule { epochs: 1, batch, ..Schedule::default() };
    let (fitted, seen) =
        launches(|| Training::new(model, &objective).schedule(&schedule).fit(&data));
    fitted?;
    Ok(seen)
}

fn body(device: &Device) -> Result<(), Failed> {
    let mut table = String::new();
    let mut faults = Vec::new();
    for (number, (name, ..)) in cases().into_iter().enumerate() {
        let [few, many] = [2, 6].map(|count| steps(device, number, count, 8));
        let counts = difference(&few?, &many?, 4)?;
        let total: usize = counts.values().sum();
        writeln!(table, "{name}: {total} launches a step")?;
        for (kernel, count) in &counts {
            writeln!(table, "  {count:3} {kernel}")?;
        }
        if number != 3 && total > MOST {
            faults.push(format!("{name}: {total} launches, expected at most {MOST}"));
        }
        let one = steps(device, number, 1, 128)?.ours;
        let all: usize = one.iter().map(|launched| launched.multiply_adds).sum();
        writeln!(table, "  at a batch of 128, kernels with a share of the multiply-adds:")?;
        for Launched { kernel, workgroups, multiply_adds, bytes } in &one {
            let share = *multiply_adds as f64 / all as f64;
            writeln!(
                table,
                "  {:5.1} % {workgroups:5} workgroups {:8.1} kB {kernel}",
                share * 100.0,
                *bytes as f64 / 1e3,
            )?;
            if share > 0.01 && *workgroups < LEAST {
                faults.push(format!("{name}: {kernel}: {workgroups} workgroups for {share:.3}"));
            }
        }
    }
    print!("{table}");
    if std::env::var_os("AE_WRITE_LAUNCHES").is_some() {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/launches.txt"), &table)?;
    } else if table != GOLDEN {
        faults.push(
            "launches are not those of tests/launches.txt; AE_WRITE_LAUNCHES=1 writes it".into(),
        );
    }
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n").into()) }
}

/// The launches of a step, from an epoch with few steps and one with more.
fn difference(
    few: &Launches,
    many: &Launches,
    steps: usize,
) -> Result<BTreeMap<String, usize>, Failed> {
    let mut counts = BTreeMap::new();
    for (kernel, count) in &many.counts {
        let more = count - few.counts.get(kernel).unwrap_or(&0);
        if !more.is_multiple_of(steps) {
            return Err(format!("{kernel}: {more} launches in {steps} steps").into());
        }
        if more > 0 {
            counts.insert(kernel.clone(), more / steps);
        }
    }
    Ok(counts)
}
