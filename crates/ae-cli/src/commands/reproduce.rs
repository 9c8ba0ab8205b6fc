//! `ae reproduce`.

use std::path::{Path, PathBuf};

use ae_experiment::reproduce::{self, End, Experiment, Plan, ReproduceOptions};
use ae_run::files;
use ae_train::format::duration;

use super::Examples;
use crate::args::DeviceArgs;
use crate::console::Console;
use crate::{Error, Result};

/// Reproduce published experiments and compare the results with the published ones
#[derive(Debug, clap::Args)]
pub struct Args {
    /// An experiment of --list, or a .toml file with your own
    #[arg(value_name = "EXPERIMENT", required_unless_present_any = ["all", "list", "table"])]
    experiment: Option<String>,
    /// Run all experiments, one after the other
    #[arg(long, conflicts_with = "experiment")]
    all: bool,
    /// List the experiments and how long each takes
    #[arg(long, conflicts_with_all = ["experiment", "all"])]
    list: bool,
    /// Run a small version on generated data, with its own targets: seconds to a few minutes
    #[arg(long)]
    quick: bool,
    /// Train each arm N times, with seeds 0, 1, .. [default: as in the recipe, mostly 3]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1000))]
    seeds: Option<u64>,
    /// Train every stage for N epochs instead; results are compared, but not recorded
    #[arg(long, value_name = "N")]
    epochs: Option<usize>,
    /// Folder with your own copies of published data sets
    #[arg(long, value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
    /// Python interpreter with scikit-learn, used to run baselines. Without it, recorded baseline results
    /// are shown if there are any
    #[arg(long, value_name = "PROGRAM")]
    python: Option<PathBuf>,
    /// Folder of the runs; finished ones are reused and interrupted ones resumed [default: runs/reproduce]
    #[arg(short, long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// File to append results to, one line per seed [default: recipes/results.jsonl if there is a folder
    /// recipes, else results.jsonl in the folder of the runs; none with --quick]
    #[arg(long, value_name = "FILE.jsonl")]
    results: Option<PathBuf>,
    /// Train nothing; print the recorded results of one or all experiments as Markdown tables
    #[arg(long, conflicts_with_all = ["all", "list", "seeds", "epochs", "quick"])]
    table: bool,
    /// Write the tables to a file
    #[arg(long, value_name = "FILE.md")]
    write: Option<PathBuf>,
    #[command(flatten)]
    device: DeviceArgs,
}

/// Examples for its help.
pub const EXAMPLES: Examples = &[(
    "reproduce",
    [
        "ae reproduce --list",
        "ae reproduce keras-dense --quick",
        "ae reproduce pca-mnist --data-dir ~/mnist",
    ],
)];

impl Args {
    pub fn run(&self) -> Result<()> {
        check(self)?;
        if self.list {
            return list();
        }
        if self.table {
            return self.write_table();
        }
        let experiments = self.selected()?;
        // A broken experiment is reported when it is run.
        let plans = experiments.iter().map(|it| it.plan(self.quick, self.epochs));
        if let Ok(plans) = plans.collect::<ae_experiment::Result<Vec<Plan>>>() {
            check_plans(self, &plans)?;
        }
        let choice = self.device.choice()?;
        let options = self.options();
        let mut missed = Vec::new();
        for experiment in &experiments {
            match reproduce::reproduce(experiment, &options, &choice) {
                Ok(End::Done { text, is_met }) => {
                    print!("{text}");
                    if let Some(results) = &options.results {
                        println!("recorded in {}", results.display());
                    }
                    missed.extend((!is_met).then_some(experiment.name.as_str()));
                }
                Ok(End::Stopped) => {
                    eprintln!("stopped; repeat the command to resume");
                    return Ok(());
                }
                // The other experiments may still succeed.
                Err(error) if self.all => {
                    eprintln!("error: {error}");
                    missed.push(experiment.name.as_str());
                }
                Err(error) => return Err(error.into()),
            }
        }
        match missed.is_empty() {
            true => Ok(()),
            false => {
                Err(Error::usage(format!("missed a target: {} (details above)", missed.join(", "))))
            }
        }
    }

    fn options(&self) -> ReproduceOptions {
        let out = self.out.clone().unwrap_or_else(|| PathBuf::from("runs/reproduce"));
        ReproduceOptions {
            quick: self.quick,
            epochs: self.epochs,
            seeds: self.seeds,
            data_dir: self.data_dir.clone(),
            python: self.python.clone(),
            results: self.results_in(&out),
            out,
            listener: Console::single(),
        }
    }

    /// The file to record results in, if any; `runs` is the folder of the runs.
    fn results_in(&self, runs: &Path) -> Option<PathBuf> {
        match (&self.results, self.epochs) {
            (_, Some(_)) => None,
            (Some(path), None) => Some(path.clone()),
            (None, None) if self.quick => None,
            (None, None) if Path::new("recipes").is_dir() => Some("recipes/results.jsonl".into()),
            (None, None) => Some(runs.join("results.jsonl")),
        }
    }

    /// The experiment that is named, or all.
    fn selected(&self) -> Result<Vec<Experiment>> {
        Ok(match &self.experiment {
            Some(name) => vec![reproduce::find(name)?],
            None => reproduce::all()?,
        })
    }

    /// Prints or writes the tables of recorded results.
    fn write_table(&self) -> Result<()> {
        let page =
            reproduce::table(&self.selected()?, &self.options().results.unwrap_or_default())?;
        match &self.write {
            None => print!("{page}"),
            Some(out) => {
                files::write(out, &page)?;
                println!("tables: {}", out.display());
            }
        }
        Ok(())
    }
}

fn list() -> Result<()> {
    for it in reproduce::all()? {
        println!("{:<18} {}", it.name, it.title);
        let time = duration(60.0 * it.minutes);
        println!("{:<18}   {}\n{:<18}   {time} on two cores", "", it.paper, "");
    }
    println!("\nOr a .toml file with your own experiment.");
    Ok(())
}

/// Checks that the options go together.
fn check(args: &Args) -> Result<()> {
    let given = [
        ("--data-dir", args.data_dir.is_some()),
        ("--python", args.python.is_some()),
        ("--device", args.device.device.is_some()),
        ("--quick", args.quick),
        ("--seeds", args.seeds.is_some()),
        ("--epochs", args.epochs.is_some()),
        ("--write", args.write.is_some()),
        ("--results", args.results.is_some()),
        ("--out", args.out.is_some()),
    ];
    let all = given.map(|(option, _)| option);
    // The folder of the runs holds the records only where neither of these does.
    let has_records = args.results.is_some() || Path::new("recipes").is_dir();
    let (with, unused): (_, &[&str]) = match (args.list, args.table, args.epochs) {
        (true, ..) => ("--list", &all),
        (_, true, _) if has_records => {
            ("--table", &["--data-dir", "--python", "--device", "--out"])
        }
        (_, true, _) => ("--table", &["--data-dir", "--python", "--device"]),
        (.., Some(_)) => ("--epochs, which records nothing", &["--results"]),
        _ => ("", &[]),
    };
    if let Some((option, _)) = given.iter().find(|(it, is_given)| *is_given && unused.contains(it))
    {
        return Err(Error::usage(format!("{option} does not apply to {with}; drop it")));
    }
    match args.write.is_some() && !args.table {
        true => Err(Error::usage("--write needs --table; add it, or drop --write")),
        false => Ok(()),
    }
}

/// Checks that at least one of the plans uses the options.
fn check_plans(args: &Args, plans: &[Plan]) -> Result<()> {
    if args.data_dir.is_some() && !plans.iter().any(Plan::has_published_data) {
        return Err(Error::usage("--data-dir needs an experiment on published data; drop it"));
    }
    if args.python.is_some() && !plans.iter().any(Plan::has_program) {
        return Err(Error::usage(
            "--python needs an experiment with a baseline in Python; drop it",
        ));
    }
    Ok(())
}
