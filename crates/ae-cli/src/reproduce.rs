//! `ae reproduce`: trains published experiments again and compares the results with the published ones.

mod arm;
mod builtin;
mod date;
mod experiment;
mod measures;
mod plan;
mod record;
mod runner;
mod seed_stats;
mod table;
mod target;
mod unused;
mod verdict;

use std::path::{Path, PathBuf};

use crate::args::ReproduceArgs;
use crate::device::{self, Choice};
use crate::error::{Error, Result};
use crate::files;
use crate::files::read_json;
use crate::format::duration;
use experiment::Experiment;
use plan::Plan;
use record::Record;
use runner::{External, Runner};
use table::ExperimentResults;
use verdict::Verdict;

pub fn reproduce(args: &ReproduceArgs) -> Result<()> {
    unused::check(args)?;
    if args.list {
        return list();
    }
    if args.table {
        return table(args);
    }
    let experiments = selected(args)?;
    // A broken experiment is reported when it is run.
    let plans = experiments.iter().map(|it| it.plan(args.quick, args.epochs));
    if let Ok(plans) = plans.collect::<Result<Vec<Plan>>>() {
        unused::check_plans(args, &plans)?;
    }
    let choice = device::choice(&args.device.device.clone().unwrap_or_default())?;
    let mut missed = Vec::new();
    for experiment in &experiments {
        match run(experiment, args, &choice) {
            Ok(End::Met) => {}
            Ok(End::Missed) => missed.push(experiment.name.as_str()),
            Ok(End::Stopped) => {
                eprintln!("stopped; repeat the command to resume");
                return Ok(());
            }
            // The other experiments may still succeed.
            Err(error) if args.all => {
                eprintln!("error: {error}");
                missed.push(experiment.name.as_str());
            }
            Err(error) => return Err(error),
        }
    }
    match missed.is_empty() {
        true => Ok(()),
        false => {
            Err(Error::usage(format!("missed a target: {} (details above)", missed.join(", "))))
        }
    }
}

/// The experiment that is named, or all.
fn selected(args: &ReproduceArgs) -> Result<Vec<Experiment>> {
    match &args.experiment {
        Some(name) => Ok(vec![builtin::find(name)?]),
        None => builtin::all(),
    }
}

enum End {
    Met,
    Missed,
    Stopped,
}

/// Trains all runs of an experiment, seed by seed, and prints the assessments.
fn run(experiment: &Experiment, args: &ReproduceArgs, choice: &Choice) -> Result<End> {
    let plan = experiment.plan(args.quick, args.epochs)?;
    let plan = Plan { seeds: args.seeds.unwrap_or(plan.seeds), ..plan };
    let runs = args.out.clone().unwrap_or_else(|| PathBuf::from("runs/reproduce"));
    let folder = runs.join(folder_name(experiment, args));
    let results = results(args, &runs);
    let known = results.as_deref().map(record::read).transpose()?.unwrap_or_default();
    let mut runner = Runner::new(choice, args);
    for arm in &plan.arms {
        runner.check(arm)?;
    }
    let mut records = Vec::new();
    let runs = plan.runs();
    for (index, (seed, arm)) in runs.iter().copied().enumerate() {
        let own = folder.join(format!("{}-seed{seed}", arm.name));
        let path = own.join("record.json");
        eprintln!("\n{}, run {} of {}: {}", experiment.name, index + 1, runs.len(), own.display());
        let done = match &arm.program {
            None => runner.run(arm, seed, &own)?,
            Some(program) => match runner.run_external(arm, program, &own)? {
                External::Done(runs) => Some(runs),
                External::Stopped => None,
                External::Skipped => {
                    let is_it = |it: &&Record| {
                        it.matches_arm(&experiment.name, args.quick, arm) && it.seed == seed
                    };
                    records.extend(known.iter().rfind(is_it).cloned());
                    eprintln!("skipped: {} needs --python", program.name);
                    continue;
                }
            },
        };
        let Some(done) = done else { return Ok(End::Stopped) };
        let saved = path.is_file().then(|| read_json::<Record>(&path)).transpose()?;
        let record = match saved.filter(|it| it.recipe == arm.hash()) {
            Some(record) => record,
            None => {
                let new = Record::new(&experiment.name, args.quick, arm, seed, &done)?;
                files::write(&path, &new.to_json()?)?;
                new
            }
        };
        if let Some(results) = &results
            && !known.contains(&record)
        {
            record::append(results, &record)?;
        }
        records.push(record);
    }
    let records: Vec<&Record> = records.iter().collect();
    let assessments = verdict::assess(&plan, &records)?;
    let is_missed = assessments.iter().any(|it| it.verdict == Verdict::Missed);
    print!(
        "{}",
        ExperimentResults { experiment, plan: &plan, assessments, records, stale: 0 }.to_text()
    );
    if let Some(results) = &results {
        println!("recorded in {}", results.display());
    }
    Ok(if is_missed { End::Missed } else { End::Met })
}

fn folder_name(experiment: &Experiment, args: &ReproduceArgs) -> String {
    let quick = if args.quick { "-quick" } else { "" };
    let epochs = args.epochs.map(|epochs| format!("-epochs-{epochs}")).unwrap_or_default();
    format!("{}{quick}{epochs}", experiment.name)
}

/// The file to record results in, if any.
fn results(args: &ReproduceArgs, runs: &Path) -> Option<PathBuf> {
    match (&args.results, args.epochs) {
        (_, Some(_)) => None,
        (Some(path), None) => Some(path.clone()),
        (None, None) if args.quick => None,
        (None, None) if Path::new("recipes").is_dir() => Some("recipes/results.jsonl".into()),
        (None, None) => Some(runs.join("results.jsonl")),
    }
}

fn list() -> Result<()> {
    for it in builtin::all()? {
        println!("{:<18} {}", it.name, it.title);
        let time = duration(60.0 * it.minutes);
        println!("{:<18}   {}\n{:<18}   {time} on two cores", "", it.paper, "");
    }
    println!("\nOr a .toml file with your own experiment.");
    Ok(())
}

/// Prints or writes the tables of recorded results, of the present recipes.
fn table(args: &ReproduceArgs) -> Result<()> {
    let runs = args.out.clone().unwrap_or_else(|| PathBuf::from("runs/reproduce"));
    let path = results(args, &runs).unwrap_or_default();
    let records = record::read(&path)?;
    let experiments = selected(args)?;
    let plans = experiments.iter().map(|it| it.plan(false, None));
    let plans = plans.collect::<Result<Vec<Plan>>>()?;
    let mut all = Vec::new();
    for (experiment, plan) in experiments.iter().zip(&plans) {
        let (records, stale) = current_records(experiment, plan, &records);
        let assessments = verdict::assess(plan, &records)?;
        all.push(ExperimentResults { experiment, plan, assessments, records, stale });
    }
    let page = table::page(&all);
    match &args.write {
        None => print!("{page}"),
        Some(out) => {
            files::write(out, &page)?;
            println!("tables: {}", out.display());
        }
    }
    Ok(())
}

/// The last record of each seed of each present arm, and the number of records of older recipes.
fn current_records<'a>(
    experiment: &Experiment,
    plan: &Plan,
    records: &'a [Record],
) -> (Vec<&'a Record>, usize) {
    let of_experiment = |it: &&Record| it.experiment == experiment.name && !it.quick;
    let is_current =
        |it: &Record| plan.arms.iter().any(|arm| it.matches_arm(&experiment.name, false, arm));
    let mut current: Vec<&Record> = Vec::new();
    let mut stale = 0;
    for record in records.iter().filter(of_experiment) {
        if !is_current(record) {
            stale += 1;
            continue;
        }
        current.retain(|it| (&it.arm, it.seed) != (&record.arm, record.seed));
        current.push(record);
    }
    (current, stale)
}
