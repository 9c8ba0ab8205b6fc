//! `ae sweep`: trains a run for every point of a grid.

mod grid;
mod parallel;

use std::path::Path;
use std::time::Instant;

use ae_data::DataSet;
use serde::{Deserialize, Serialize};

use crate::args::{NewRunArgs, SweepArgs};
use crate::datasets::{Splits, open_data};
use crate::device::{self, Choice, TrialJob};
use crate::error::{Error, Result};
use crate::files;
use crate::format::{duration, number};
use crate::new_run;
use crate::recipe::{Command, DataRecipe, Recipe, check_unused};
use crate::report;
use crate::run_dir::RunDir;
use crate::summary::Summary;
use crate::train;
use grid::{Grid, Point};
use parallel::{End, Sweep};

/// The result of a run, a row of the table. Errors are those of the test set.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunResult {
    pub run: String,
    /// Settings other than the code, in words.
    #[serde(rename = "line")]
    pub settings: String,
    pub code: usize,
    pub squared_error: f64,
    pub cross_entropy: Option<f64>,
    pub pca: f64,
    pub mean_error: f64,
    pub dead_units: usize,
    pub parameters: usize,
    pub seconds: Option<f64>,
}

/// The results of a sweep, as `summary.json` has them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SweepSummary {
    pub program: String,
    pub device: String,
    pub data: String,
    pub runs: Vec<RunResult>,
    pub failed: Vec<FailedRun>,
}

/// A run whose training diverged.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FailedRun {
    pub run: String,
    #[serde(rename = "why")]
    pub reason: String,
}

const GRID: &str = "sweep.toml";

pub fn sweep(args: &SweepArgs) -> Result<()> {
    let started = Instant::now();
    let run = &args.train.run;
    let grid = grid(args)?;
    let points = grid.points();
    let mut data = Recipe::data(&grid.overrides)?;
    let choice = device::choice(&run.device.device.clone().unwrap_or_default())?;
    data.make_paths_absolute();
    let set = open_data(&data)?;
    let described = format!("{}, {}", set.name, set.description);
    let training = &set.splits.training;
    grid::check_names(&points)?;
    let mut unused: Result<()> = Ok(());
    // Check all points first, so that none fails after hours of training others.
    for (number, point) in points.iter().enumerate() {
        let recipe = Recipe::complete(
            &point.overrides,
            data.clone(),
            training.shape(),
            training.len(),
            Command::Train,
        )?;
        recipe.model.architecture(training.shape())?.check()?;
        if recipe.objective.is_some() {
            recipe.objective().objective()?;
        }
        // An option has an effect if it has one at some point.
        if number == 0 || unused.is_err() {
            unused = check_unused(&args.train.recipe(), &recipe);
        }
    }
    unused?;
    // All runs train on one device, chosen by a trial of the first.
    let device = new_run::device(&choice, run, || trial_of_first(&points, &data, &set))?;
    let folder = folder(run, &set.name)?;
    let text = toml::to_string(&grid).map_err(|error| Error::usage(format!("grid: {error}")))?;
    files::write(&folder.0.join(GRID), &text)?;
    files::write(&folder.device(), &format!("{}\n", device.name))?;
    let choice = Choice::Fixed(device.clone());
    let sweep = Sweep { points: &points, folder: &folder, data, set, choice: &choice, args: run };
    let Some(ends) = sweep.run_all()? else {
        eprintln!("to resume: ae sweep --resume {}", folder.0.display());
        return Ok(());
    };
    let (mut results, mut failed) = (Vec::new(), Vec::new());
    for (point, end) in points.iter().zip(ends) {
        match end {
            End::Done(summary) => results.push(RunResult::new(point, &summary)),
            End::Failed(reason) => failed.push(FailedRun { run: point.name.clone(), reason }),
        }
    }
    let summary = SweepSummary {
        program: format!("ae {}", env!("CARGO_PKG_VERSION")),
        device: device.name.clone(),
        data: described,
        runs: results,
        failed,
    };
    report::write_sweep(&folder, &summary, &text)?;
    print!("{}", summary.to_text());
    println!("report: {}", folder.report().display());
    eprintln!("{} in total", duration(started.elapsed().as_secs_f64()));
    Ok(())
}

/// The training to try devices with: that of the first point.
fn trial_of_first(points: &[Point], data: &DataRecipe, set: &DataSet) -> Option<TrialJob> {
    let (training, data) = (&set.splits.training, data.clone());
    let first = points.first()?;
    let recipe =
        Recipe::complete(&first.overrides, data, training.shape(), training.len(), Command::Train)
            .ok()?;
    let splits = Splits::new(set.clone(), &recipe.data, None).ok()?;
    train::trial_job(&recipe, &splits)
}

/// The grid of the options, or of the sweep to resume.
fn grid(args: &SweepArgs) -> Result<Grid> {
    let options = args.train.recipe();
    let has_grid = args.codes.is_some() || args.corruptions.is_some() || args.weights.is_some();
    if let Some(sweep) = &args.train.run.resume {
        if has_grid || !options.is_empty() || args.train.recipe.is_some() {
            return Err(Error::usage(
                "--resume uses the saved grid; only --device and --checkpoint-* may be given with it",
            ));
        }
        let path = sweep.join(GRID);
        let text = std::fs::read_to_string(&path).map_err(|_| {
            Error::usage(format!(
                "{}: expected the folder of a sweep, got one without {GRID}",
                sweep.display()
            ))
        })?;
        return toml::from_str(&text).map_err(|error| Error::toml(path.display(), &text, &error));
    }
    if !has_grid {
        return Err(Error::usage(
            "sweep needs a grid; add --codes 2,4,8,16,32, --corruptions or --weights",
        ));
    }
    if let Some((penalty, _)) = &args.weights {
        grid::check_weight(penalty, &options)?;
    }
    let recipe = args.train.recipe.as_ref();
    let mut overrides = new_run::overrides(options, recipe, None, Command::Train)?;
    // A sweep is resumed from any folder.
    let mut data = Recipe::data(&overrides)?;
    data.make_paths_absolute();
    data.put_paths(&mut overrides);
    let (penalty, weights) = args.weights.clone().unzip();
    Ok(Grid {
        codes: args.codes.clone().unwrap_or_default(),
        corruptions: args.corruptions.clone().unwrap_or_default(),
        penalty,
        weights: weights.unwrap_or_default(),
        overrides,
    })
}

fn folder(args: &NewRunArgs, data: &str) -> Result<RunDir> {
    match (&args.resume, &args.out) {
        (Some(sweep), _) => Ok(RunDir(sweep.clone())),
        (None, Some(out)) => new_run::create_folder(out, Some("ae sweep --resume")),
        (None, None) => new_run::create_numbered_folder(&format!("{data}-sweep")),
    }
}

impl RunResult {
    fn new(point: &Point, summary: &Summary) -> Self {
        Self {
            run: point.name.clone(),
            settings: point.settings.clone(),
            code: summary.code,
            squared_error: summary.test.squared_error,
            cross_entropy: summary.test.cross_entropy.map(|it| it.per_feature),
            pca: summary.pca.squared_error,
            mean_error: summary.mean_error,
            dead_units: summary.test.dead_units,
            parameters: summary.parameters,
            seconds: summary.seconds,
        }
    }
}

impl SweepSummary {
    /// One line per run.
    fn to_text(&self) -> String {
        let width = self.runs.iter().map(|run| run.run.len()).max().unwrap_or(0);
        let line = |run: &RunResult| {
            format!(
                "{:width$}  squared error {}, PCA {}\n",
                run.run,
                number(run.squared_error),
                number(run.pca)
            )
        };
        self.runs.iter().map(line).collect()
    }

    /// The table of runs as CSV.
    pub fn csv(&self) -> String {
        let mut text = "run,settings,code,squared_error,pca,mean_error,cross_entropy,dead_units,\
                        parameters,seconds\n"
            .to_owned();
        for run in &self.runs {
            let optional =
                |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
            text += &format!(
                "{},\"{}\",{},{},{},{},{},{},{},{}\n",
                run.run,
                run.settings,
                run.code,
                run.squared_error,
                run.pca,
                run.mean_error,
                optional(run.cross_entropy),
                run.dead_units,
                run.parameters,
                optional(run.seconds)
            );
        }
        text
    }
}

/// Writes the summary of a sweep as CSV and JSON.
pub fn write_summary(folder: &Path, summary: &SweepSummary) -> Result<()> {
    files::write(&folder.join("summary.csv"), &summary.csv())?;
    files::write_json(&folder.join("summary.json"), summary)
}
