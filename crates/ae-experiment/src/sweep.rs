//! Sweeps: a run for every point of a grid.

mod grid;
mod parallel;
mod report;

use std::path::Path;

use ae_data::DataSet;
use ae_device::{Choice, TrialJob};
use ae_run::{RunOptions, Splits, open_data};
use serde::{Deserialize, Serialize};
use toml::Table;

use crate::{Error, Result};
use ae_recipe::{Command, DataRecipe, Recipe, check_unused};
use ae_run::RunDir;
use ae_run::Summary;
use ae_run::files;
use ae_train::format::number;
use grid::Point;
pub use grid::{Grid, check_weight};
use parallel::{End, Sweep};

/// The result of a run, a row of the table. Errors are those of the test set.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunResult {
    /// The name of the run.
    pub run: String,
    /// Settings other than the code, in words.
    #[serde(rename = "line")]
    pub settings: String,
    /// Units of the code.
    pub code: usize,
    /// Squared error per sample.
    pub squared_error: f64,
    /// Cross-entropy per feature.
    pub cross_entropy: Option<f64>,
    /// Squared error per sample of PCA with as many components.
    pub pca: f64,
    /// Squared error per sample of the mean.
    pub mean_error: f64,
    /// Units that are never active.
    pub dead_units: usize,
    /// Parameters of the model.
    pub parameters: usize,
    /// Seconds of training; `None` for a resumed run.
    pub seconds: Option<f64>,
}

/// The results of a sweep, as `summary.json` has them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SweepSummary {
    /// The program and its version.
    pub program: String,
    /// The device of all runs.
    pub device: String,
    /// The name and the description of the data set.
    pub data: String,
    /// The runs, in the order of the grid.
    pub runs: Vec<RunResult>,
    /// The runs whose training diverged.
    pub failed: Vec<FailedRun>,
}

/// A run whose training diverged.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FailedRun {
    /// The name of the run.
    pub run: String,
    /// What happened.
    #[serde(rename = "why")]
    pub reason: String,
}

/// The file of the grid, in the folder of a sweep.
const GRID: &str = "sweep.toml";

/// Trains the runs of a grid that are not trained yet, and writes the report. `given` are the settings that a person
/// gave, each of which must have an effect at some point. `None` if it was stopped.
///
/// # Errors
/// If a point of the grid is not a valid recipe, or a training fails other than by diverging.
pub fn sweep(
    grid: &Grid,
    given: &Table,
    options: &RunOptions,
    choice: &Choice,
) -> Result<Option<(RunDir, SweepSummary)>> {
    grid::check_penalty(grid.penalty.as_deref())?;
    let points = grid.points();
    let mut data = Recipe::data(&grid.overrides)?;
    data.make_paths_absolute();
    let set = open_data(&data, &*options.listener)?;
    let described = format!("{}, {}", set.name, set.description);
    let training = &set.splits.training;
    grid::check_names(&points)?;
    let mut unused = Ok(());
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
        // A setting has an effect if it has one at some point.
        if number == 0 || unused.is_err() {
            unused = check_unused(given, &recipe);
        }
    }
    unused?;
    // All runs train on one device, chosen by a trial of the first.
    let device = ae_run::choose_device(choice, options, || trial_of_first(&points, &data, &set))?;
    let folder = folder(options, &set.name)?;
    let _lock = ae_run::FolderLock::new(&folder.0)?;
    let text = toml::to_string(grid).map_err(|error| Error::usage(format!("grid: {error}")))?;
    files::write(&folder.0.join(GRID), &text)?;
    files::write(&folder.device(), &format!("{}\n", device.name))?;
    let choice = Choice::Fixed(device.clone());
    let sweep = Sweep { points: &points, folder: &folder, data, set, choice: &choice, options };
    let Some(ends) = sweep.run_all()? else {
        let line = format_args!("to resume: ae sweep --resume {}", ae_files::quoted(&folder.0));
        options.listener.notice(&line);
        return Ok(None);
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
    report::write(&folder, &summary, &text)?;
    Ok(Some((folder, summary)))
}

/// The training to try devices with: that of the first point.
fn trial_of_first(points: &[Point], data: &DataRecipe, set: &DataSet) -> Option<TrialJob> {
    let (training, data) = (&set.splits.training, data.clone());
    let first = points.first()?;
    let recipe =
        Recipe::complete(&first.overrides, data, training.shape(), training.len(), Command::Train)
            .ok()?;
    let splits = Splits::new(set.clone(), &recipe.data, None).ok()?;
    ae_run::trial_job(&recipe, &splits)
}

impl Grid {
    /// The grid of a sweep, from its folder.
    ///
    /// # Errors
    /// If the folder has none, or it is malformed.
    pub fn read(sweep: &Path) -> Result<Self> {
        let path = sweep.join(GRID);
        let text = std::fs::read_to_string(&path).map_err(|_| {
            Error::usage(format!(
                "{}: expected the folder of a sweep, got one without {GRID}",
                sweep.display()
            ))
        })?;
        toml::from_str(&text)
            .map_err(|error| ae_recipe::Error::toml(path.display(), &text, &error).into())
    }
}

fn folder(options: &RunOptions, data: &str) -> Result<RunDir> {
    Ok(match (&options.resume, &options.out) {
        (Some(sweep), _) => RunDir(sweep.clone()),
        (None, Some(out)) => ae_run::create_folder(out, Some("ae sweep --resume"))?,
        (None, None) => ae_run::create_numbered_folder(&format!("{data}-sweep"))?,
    })
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
    pub fn to_text(&self) -> String {
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
fn write_summary(folder: &Path, summary: &SweepSummary) -> Result<()> {
    files::write(&folder.join("summary.csv"), &summary.csv())?;
    Ok(files::write_json(&folder.join("summary.json"), summary)?)
}
