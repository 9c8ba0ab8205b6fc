//! What the program `ae` does, from another program: trains a recipe, writes its report, opens the run again, and
//! sweeps over code sizes.
//!
//!     cargo run -p ae-experiment --example run_a_recipe

use std::time::Instant;

use ae_device::{DeviceRequest, choice};
use ae_experiment::sweep::{Grid, sweep};
use ae_models::Encoder;
use ae_recipe::{Command, Recipe};
use ae_run::{RunDir, RunOptions, SavedRun, open_data};
use toml::{Table, toml};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let overrides: Table = toml! {
        [data]
        training_samples = 600
        test_samples = 100
        [model]
        kind = "dense"
        hidden = [64]
        code = 8
        [schedule]
        epochs = 3
    };
    let (choice, _) = choice(&DeviceRequest::Cpu)?;

    // Train, and write the report.
    let data = Recipe::data(&overrides)?;
    let set = open_data(&data, &())?;
    let out = folder.path().join("run");
    let options = RunOptions { out: Some(out.clone()), ..RunOptions::default() };
    let trained =
        ae_run::train(&overrides, data, set, Command::Train, &choice, &options, Instant::now())?;
    let finished = trained.ok_or("nobody stopped it")?;
    ae_report::write_autoencoder(&finished)?;
    println!("{}", finished.summary.sentence());

    // Open it again.
    let run = SavedRun::load(&RunDir::existing(&out)?, &choice.provisional().handle)?;
    let selection = run.samples(&Table::new(), None, &())?;
    let encoder = run.model.encoder();
    println!("{}: codes of {} units", selection.title(), encoder.code_size());

    // Sweep.
    let (codes, out) = (vec![2.into(), 8.into()], folder.path().join("sweep"));
    let grid = Grid { codes, corruptions: vec![], penalty: None, weights: vec![], overrides };
    let options = RunOptions { out: Some(out), ..RunOptions::default() };
    let swept = sweep(&grid, &Table::new(), &options, &choice)?;
    let (folder, summary) = swept.ok_or("nobody stopped it")?;
    print!("{}", summary.to_text());
    let [two, eight] = [0, 1].map(|run| summary.runs[run].squared_error);
    assert!(folder.report().is_file() && eight < two, "{eight} {two}");
    Ok(())
}
