//! `ae impute`: fills in the missing cells of a table.

mod dates;
mod outputs;
mod progress;
mod results;
mod table;

use std::path::{Path, PathBuf};
use std::time::Instant;

use ae_apply::impute::{Cells, Imputer, Mechanism, Settings, Study};
use ae_data::table::{Missing, TableOptions, Unseen};
use ae_report::{Imputation, imputation_page};
use ae_run::files;
use ae_train::format::duration;
use burn::tensor::Device;
use clap::ValueEnum;

use super::{Examples, print_json};
use crate::args::{DeviceArgs, RecipeArgs, Tables};
use crate::{Error, Result};
use outputs::Outputs;
use progress::Progress;
use results::Results;
use table::OpenTable;

/// Fill in the missing cells of a table, and say how good that is
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Table with missing cells (empty, NA, NaN, null, ?, -)
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Completed table to write. The fitted imputer is written next to it, to COMPLETE with the ending
    /// .imputer, and the report to one with .report.html
    #[arg(short, long, value_name = "COMPLETE", required_unless_present = "hide")]
    out: Option<PathBuf>,
    /// Also write this number of tables with drawn values (multiple imputation), 1000 at most, and pool the
    /// column means by Rubin's rules
    #[arg(long, value_name = "N", default_value_t = 0)]
    draws: usize,
    /// Use a fitted imputer, a file that ends in .imputer, instead of fitting one. The columns are those
    /// that it was fitted to
    #[arg(long, value_name = "FILE", conflicts_with_all = ["hide", "models", "epochs"])]
    model: Option<PathBuf>,
    /// Hide this fraction of the known cells, compare the imputed values with them, and write no table
    #[arg(long, value_name = "FRACTION", conflicts_with_all = ["out", "draws", "force"])]
    hide: Option<f64>,
    /// How cells are hidden: at random, depending on other columns, or on their own value
    #[arg(long, value_enum, requires = "hide", default_value_t)]
    mechanism: MechanismArg,
    /// Assume that the log odds of a cell being missing grow by A for each deviation of its value, from -5 to 5; filled-in
    /// numbers, intervals and draws follow [default: 0, they do not depend on it]
    #[arg(long, value_name = "A", allow_negative_numbers = true, conflicts_with = "model")]
    tilt: Option<f64>,
    /// Models in the ensemble, each fitted to another bootstrap sample [default: 5]
    #[arg(long, value_name = "N")]
    models: Option<usize>,
    /// Passes over the rows [default: by the number of rows]
    #[arg(long, value_name = "N")]
    epochs: Option<usize>,
    /// Seed of all random numbers; with --model, of the draws [default: 0, or that of the model]
    #[arg(long, value_name = "SEED")]
    seed: Option<u64>,
    /// Replace files that exist
    #[arg(long)]
    force: bool,
    /// Print the results as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    table: RecipeArgs<Tables>,
    #[command(flatten)]
    device: DeviceArgs,
}

/// The most tables with drawn values, which are all in memory.
const MOST_DRAWS: usize = 1000;

/// Options that say what the columns of a table are, which a model knows.
const ROLES: [&str; 5] = ["ignore", "id", "categorical", "numeric", "month-first"];

/// Examples for its help.
pub const EXAMPLES: Examples = &[(
    "impute",
    [
        "ae impute patients.csv --out complete.csv",
        "ae impute patients.csv --out complete.csv --draws 10",
        "ae impute new.csv --model complete.imputer --out new-complete.csv",
    ],
)];

/// How cells go missing.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum MechanismArg {
    /// Completely at random
    #[default]
    Mcar,
    /// By the values of columns that stay
    Mar,
    /// By the value itself
    Mnar,
}

impl From<MechanismArg> for Mechanism {
    fn from(mechanism: MechanismArg) -> Self {
        match mechanism {
            MechanismArg::Mcar => Self::Mcar,
            MechanismArg::Mar => Self::Mar,
            MechanismArg::Mnar => Self::Mnar,
        }
    }
}

impl Args {
    pub fn run(&self) -> Result<()> {
        let started = Instant::now();
        self.check()?;
        let options = options(self)?;
        match (self.hide, &self.out) {
            (Some(share), _) => study(self, &options, share),
            (None, Some(out)) => complete(self, &options, out, started),
            (None, None) => Err(Error::usage("--out COMPLETE: needed, the table to write")),
        }
    }
}

impl Args {
    /// Refuses options that cannot be used, or would not be.
    fn check(&self) -> Result<()> {
        if self.draws > MOST_DRAWS {
            let message = format!("--draws: expected 0 to {MOST_DRAWS}, got {}", self.draws);
            return Err(Error::usage(message));
        }
        if self.model.is_none() {
            return Ok(());
        }
        if let Some(role) = ROLES.iter().find(|role| self.table.is_given(role)) {
            return Err(Error::usage(format!(
                "--{role}: the columns of a table that --model fills in are those of the model; leave \
                 --{role} out, or fit another imputer without --model"
            )));
        }
        if self.seed.is_some() && self.draws == 0 {
            return Err(Error::usage(
                "--seed: nothing is random with --model but draws; give --draws N as well, or leave --seed out",
            ));
        }
        Ok(())
    }
}

/// Fills in a table.
fn complete(args: &Args, options: &TableOptions, out: &Path, started: Instant) -> Result<()> {
    let inputs: Vec<&Path> =
        std::iter::once(&args.file).chain(&args.model).map(PathBuf::as_path).collect();
    let outputs = Outputs::new(out, args.draws, args.model.is_none());
    outputs.check(&inputs, args.force)?;
    let known = match &args.model {
        None => None,
        Some(path) => Some(load(path, &args.device.open()?.handle)?),
    };
    let schema = known.as_ref().and_then(Imputer::schema).cloned();
    let mut table = OpenTable::read(&args.file, options, schema)?;
    table.describe();
    if table.to_fill().iter().all(|count| *count == 0) {
        let instead = match args.model {
            None => {
                "; `--hide 0.1` instead of `--out` hides some known cells and shows how well they would be \
                     filled in"
            }
            Some(_) => "",
        };
        return Err(Error::usage(format!(
            "{}: nothing to fill in, as no cell of the columns in use is missing{instead}",
            args.file.display()
        )));
    }
    let imputer = match known {
        Some(imputer) => imputer,
        None => {
            let learned = learn(args, &table.cells).map_err(|error| of_table(&args.file, error));
            learned?.with_schema(table.schema.clone())
        }
    };
    let filled = imputer.impute(&table.cells)?;
    let seed = args.seed.unwrap_or(imputer.settings().seed);
    let draws = imputer.draws(&table.cells, args.draws, seed)?;
    let name =
        |path: &Path| path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    let model = args.model.as_deref().map(name);
    let mut results = Results::of(&table, &imputer, &draws, model)?;
    let page = imputation_page(&Imputation {
        name: &name(&args.file),
        cells: &table.cells,
        imputer: &imputer,
        model: results.model.as_deref(),
        filled: &results.filled,
        pooled: &results.pooled,
        show: &|column, value| table.show(column, value),
        notes: &table.notes,
    });

    let complete = table.with(&filled);
    let notes = outputs.make_folder(args.model.as_deref())?;
    notes.iter().for_each(|note| eprintln!("note: {note}"));
    results.notes.extend(notes);
    files::write_bytes(out, &complete)?;
    for (number, draw) in draws.iter().enumerate() {
        files::write_bytes(&outputs.draw(number), &table.with(draw))?;
    }
    if args.model.is_none() {
        imputer.save(&outputs.imputer)?;
    }
    files::write(&outputs.report, &page)?;
    if args.json {
        return print_json(&results.json(&outputs));
    }
    print!("{results}");
    eprintln!("{} in total", duration(started.elapsed().as_secs_f64()));
    println!("{}", outputs.list());
    Ok(())
}

/// Hides what is known and compares.
fn study(args: &Args, options: &TableOptions, share: f64) -> Result<()> {
    let table = OpenTable::read(&args.file, options, None)?;
    table.describe();
    let settings = settings(args);
    let device = device(args)?;
    let mut progress = Progress::new(settings.models);
    let mechanism = args.mechanism.into();
    let study = Study::of(&settings, &table.cells, mechanism, share, &device, &mut progress)
        .map_err(|error| of_table(&args.file, error.into()))?;
    match args.json {
        true => print_json(&study),
        false => {
            print!("{}", results::StudyText(&study));
            Ok(())
        }
    }
}

fn learn(args: &Args, cells: &Cells) -> Result<Imputer> {
    let settings = settings(args);
    let device = device(args)?;
    let mut progress = Progress::new(settings.models);
    Ok(Imputer::fit_observed(&settings, cells, &device, &mut progress)?)
}

/// Names the table in errors about its rows and columns.
fn of_table(path: &Path, error: Error) -> Error {
    match &error {
        Error::Apply(
            inner @ (ae_apply::Error::Column { .. }
            | ae_apply::Error::Setting { what: "rows" | "columns", .. }),
        ) => Error::usage(format!("{}: {inner}", path.display())),
        _ => error,
    }
}

fn device(args: &Args) -> Result<Device> {
    Ok(args.device.open()?.handle)
}

fn settings(args: &Args) -> Settings {
    let usual = Settings::default();
    Settings {
        models: args.models.unwrap_or(usual.models),
        epochs: args.epochs,
        tilt: args.tilt.unwrap_or(usual.tilt),
        seed: args.seed.unwrap_or(usual.seed),
        ..usual
    }
}

fn load(path: &Path, device: &Device) -> Result<Imputer> {
    let imputer = Imputer::load(path, device)?;
    match imputer.schema() {
        Some(_) => Ok(imputer),
        None => Err(Error::usage(format!(
            "{}: expected an imputer of a file, got one without the columns of a file",
            path.display()
        ))),
    }
}

/// How the table is read: its missing cells are kept, and a category that was not learned is none.
fn options(args: &Args) -> Result<TableOptions> {
    let mut section = args.table.section("data");
    let section = section.remove("table").unwrap_or_else(|| toml::Value::Table(toml::Table::new()));
    let options: TableOptions =
        section.try_into().map_err(|error| Error::usage(format!("options of tables: {error}")))?;
    Ok(TableOptions { missing: Missing::Mean, unseen: Unseen::Zero, ..options })
}
