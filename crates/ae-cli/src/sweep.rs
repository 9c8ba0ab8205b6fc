//! `ae sweep`: a run for every point of a grid.

mod grid;
mod side_by_side;

use std::path::Path;
use std::time::Instant;

use ae_data::DataSet;
use serde::{Deserialize, Serialize};

use crate::args::{NewRunArgs, SweepArgs};
use crate::device::{self, Choice, Training};
use crate::error::{Error, Result};
use crate::observers::{digits, duration};
use crate::recipe::{DataRecipe, Maker, Recipe};
use crate::report;
use crate::session::{Folder, Prepared, open_data};
use crate::start;
use crate::summary::Summary;
use crate::train;
use grid::{Grid, Point};
use side_by_side::{End, Sweep};

/// What came of a run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Outcome {
    pub run: String,
    pub line: String,
    pub code: usize,
    pub squared_error: f64,
    pub cross_entropy: Option<f64>,
    pub pca: f64,
    pub mean_error: f64,
    pub dead_units: usize,
    pub parameters: usize,
    pub seconds: Option<f64>,
}

/// A sweep in numbers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SweepSummary {
    pub program: String,
    pub device: String,
    pub data: String,
    pub runs: Vec<Outcome>,
    pub failed: Vec<Failed>,
}

/// A run that came to nothing.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Failed {
    pub run: String,
    pub why: String,
}

const GRID: &str = "sweep.toml";

pub fn sweep(args: &SweepArgs) -> Result<()> {
    let began = Instant::now();
    let run = &args.train.run;
    let grid = grid(args)?;
    let points = grid.points();
    let mut data = Recipe::data(&grid.given)?;
    let choice = device::choice(&run.device.device.clone().unwrap_or_default())?;
    data.make_paths_absolute();
    let set = open_data(&data)?;
    let described = format!("{}, {}", set.name, set.what);
    let training = &set.parts.training;
    // All of them first: the last shall not be refused after hours on the others.
    for point in &points {
        let recipe = Recipe::complete(
            &point.given,
            data.clone(),
            training.shape(),
            training.len(),
            Maker::Train,
        )?;
        recipe.model.architecture(training.shape())?.check()?;
        if recipe.objective.is_some() {
            recipe.objective().objective()?;
        }
    }
    // All on one device, by what the first of them is tried with.
    let opened = start::device(&choice, run, || of_first(&points, &data, &set))?;
    let folder = folder(run, &set.name)?;
    let text = toml::to_string(&grid).map_err(|error| Error::usage(format!("grid: {error}")))?;
    start::write(&folder.0.join(GRID), &text)?;
    start::write(&folder.device(), &format!("{}\n", opened.name))?;
    let choice = Choice::Made(opened.clone());
    let sweep = Sweep { points: &points, folder: &folder, data, set, choice: &choice, run };
    let Some(ends) = sweep.go()? else {
        eprintln!("go on with the sweep: ae sweep --resume {}", folder.0.display());
        return Ok(());
    };
    let (mut outcomes, mut failed) = (Vec::new(), Vec::new());
    for (point, end) in points.iter().zip(ends) {
        match end {
            End::Done(summary) => outcomes.push(Outcome::new(point, &summary)),
            End::Failed(why) => failed.push(Failed { run: point.name.clone(), why }),
        }
    }
    let summary = SweepSummary {
        program: format!("ae {}", env!("CARGO_PKG_VERSION")),
        device: opened.name.clone(),
        data: described,
        runs: outcomes,
        failed,
    };
    report::write_sweep(&folder, &summary, &text)?;
    print!("{}", summary.in_text());
    println!("report: {}", folder.report().display());
    eprintln!("{} in all", duration(began.elapsed().as_secs_f64()));
    Ok(())
}

/// What devices are tried with.
fn of_first(points: &[Point], data: &DataRecipe, set: &DataSet) -> Option<Training> {
    let (training, data) = (&set.parts.training, data.clone());
    let first = points.first()?;
    let recipe =
        Recipe::complete(&first.given, data, training.shape(), training.len(), Maker::Train)
            .ok()?;
    let data = Prepared::new(set.clone(), &recipe.data, None).ok()?;
    train::to_try(&recipe, &data)
}

/// The grid that is given, or that of the sweep that goes on.
fn grid(args: &SweepArgs) -> Result<Grid> {
    let options = args.train.recipe();
    let is_given = args.codes.is_some() || args.corruptions.is_some() || args.weights.is_some();
    if let Some(sweep) = &args.train.run.resume {
        if is_given || !options.is_empty() || args.train.recipe.is_some() {
            return Err(Error::usage(
                "--resume goes on with the grid of the sweep: expected no option but --device and \
                 those of checkpoints, got others",
            ));
        }
        let path = sweep.join(GRID);
        let text = std::fs::read_to_string(&path).map_err(|_| {
            Error::usage(format!(
                "{}: expected the folder of a sweep, got one without {GRID}",
                sweep.display()
            ))
        })?;
        return toml::from_str(&text)
            .map_err(|error| Error::usage(format!("{}: {error}", path.display())));
    }
    if !is_given {
        return Err(Error::usage(
            "sweep: expected a grid, got none; give --codes 2,4,8,16,32, --corruptions or --weights",
        ));
    }
    let given = start::given(options, args.train.recipe.as_ref(), None, Maker::Train)?;
    let (penalty, weights) = args.weights.clone().unzip();
    Ok(Grid {
        codes: args.codes.clone().unwrap_or_default(),
        corruptions: args.corruptions.clone().unwrap_or_default(),
        penalty,
        weights: weights.unwrap_or_default(),
        given,
    })
}

fn folder(args: &NewRunArgs, data: &str) -> Result<Folder> {
    match (&args.resume, &args.out) {
        (Some(sweep), _) => Ok(Folder(sweep.clone())),
        (None, Some(out)) => start::new_folder(out, Some("ae sweep --resume")),
        (None, None) => start::named_folder(&format!("{data}-sweep")),
    }
}

impl Outcome {
    fn new(point: &Point, summary: &Summary) -> Self {
        Self {
            run: point.name.clone(),
            line: point.line.clone(),
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
    /// A line a run.
    fn in_text(&self) -> String {
        let wide = self.runs.iter().map(|run| run.run.len()).max().unwrap_or(0);
        let line = |run: &Outcome| {
            format!(
                "{:wide$}  squared error {}, PCA {}\n",
                run.run,
                digits(run.squared_error),
                digits(run.pca)
            )
        };
        self.runs.iter().map(line).collect()
    }

    /// As a table that other programs read.
    pub fn csv(&self) -> String {
        let mut text = "run,settings,code,squared_error,pca,mean_error,cross_entropy,dead_units,\
                        parameters,seconds\n"
            .to_owned();
        for run in &self.runs {
            let some =
                |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
            text += &format!(
                "{},\"{}\",{},{},{},{},{},{},{},{}\n",
                run.run,
                run.line,
                run.code,
                run.squared_error,
                run.pca,
                run.mean_error,
                some(run.cross_entropy),
                run.dead_units,
                run.parameters,
                some(run.seconds)
            );
        }
        text
    }
}

/// Writes the summary of a sweep in both forms.
pub fn write_summary(folder: &Path, summary: &SweepSummary) -> Result<()> {
    start::write(&folder.join("summary.csv"), &summary.csv())?;
    let json = serde_json::to_string_pretty(summary)
        .map_err(|error| Error::usage(format!("summary: {error}")))?;
    start::write(&folder.join("summary.json"), &json)
}
