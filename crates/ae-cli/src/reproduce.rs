//! `ae reproduce`: published results, made again, each beside what was published.

mod date;
mod edition;
mod expected;
mod experiment;
mod judge;
mod making;
mod measures;
mod record;
mod shelf;
mod table;
mod values;
mod way;

use std::path::{Path, PathBuf};

use crate::args::ReproduceArgs;
use crate::device::{self, Choice};
use crate::error::{Error, Result};
use crate::inspect::read_json;
use crate::observers::duration;
use crate::start;
use edition::Edition;
use experiment::Experiment;
use judge::Verdict;
use making::{Maker, Outside};
use record::Record;
use table::Known;

pub fn reproduce(args: &ReproduceArgs) -> Result<()> {
    if args.list {
        return list();
    }
    if args.table {
        return table(args);
    }
    let experiments = chosen(args)?;
    let choice = device::choice(&args.device.device.clone().unwrap_or_default())?;
    let mut missed = Vec::new();
    for experiment in &experiments {
        match run(experiment, args, &choice) {
            Ok(End::Kept) => {}
            Ok(End::Missed) => missed.push(experiment.name.as_str()),
            Ok(End::Stopped) => {
                eprintln!("stopped; the same command goes on where this one ended");
                return Ok(());
            }
            // What fails here says nothing of the others.
            Err(error) if args.all => {
                eprintln!("error: {error}");
                missed.push(experiment.name.as_str());
            }
            Err(error) => return Err(error),
        }
    }
    match missed.is_empty() {
        true => Ok(()),
        false => Err(Error::usage(format!(
            "reproduce: expected every bar to be kept, got one missed in {}; what is missed, and by how \
             much, stands above",
            missed.join(", ")
        ))),
    }
}

/// The one that is named, else all.
fn chosen(args: &ReproduceArgs) -> Result<Vec<Experiment>> {
    match &args.experiment {
        Some(name) => Ok(vec![shelf::find(name)?]),
        None => shelf::all(),
    }
}

enum End {
    Kept,
    Missed,
    Stopped,
}

/// Makes all runs of an experiment, seed by seed, and says what came of them.
fn run(experiment: &Experiment, args: &ReproduceArgs, choice: &Choice) -> Result<End> {
    let edition = experiment.edition(args.quick, args.epochs)?;
    let edition = Edition { seeds: args.seeds.unwrap_or(edition.seeds), ..edition };
    let runs = args.out.clone().unwrap_or_else(|| PathBuf::from("runs/reproduce"));
    let folder = runs.join(folder_name(experiment, args));
    let results = results(args, &runs);
    let known = results.as_deref().map(record::read).transpose()?.unwrap_or_default();
    let mut maker = Maker::new(choice, args);
    for way in &edition.arms {
        maker.check(way)?;
    }
    let mut records = Vec::new();
    let runs = edition.runs();
    for (index, (seed, way)) in runs.iter().copied().enumerate() {
        let own = folder.join(format!("{}-seed{seed}", way.name));
        let path = own.join("record.json");
        eprintln!("\n{}, run {} of {}: {}", experiment.name, index + 1, runs.len(), own.display());
        let made = match &way.program {
            None => maker.make(way, seed, &own)?,
            Some(program) => match maker.outside(way, program, &own)? {
                Outside::Made(runs) => Some(runs),
                Outside::Stopped => None,
                Outside::Left => {
                    let is_it = |it: &&Record| {
                        it.is_of(&experiment.name, args.quick, way) && it.seed == seed
                    };
                    records.extend(known.iter().rfind(is_it).cloned());
                    eprintln!("left to {}, which --python runs", program.name);
                    continue;
                }
            },
        };
        let Some(made) = made else { return Ok(End::Stopped) };
        let known_here = path.is_file().then(|| read_json::<Record>(&path)).transpose()?;
        let record = match known_here.filter(|it| it.recipe == way.hash()) {
            Some(record) => record,
            None => {
                let new = Record::new(&experiment.name, args.quick, way, seed, &made)?;
                start::write(&path, &new.to_json()?)?;
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
    let judged = judge::judge(&edition, &records)?;
    let is_missed = judged.iter().any(|it| it.verdict == Verdict::Missed);
    print!("{}", Known { experiment, edition: &edition, judged, records, stale: 0 }.in_text());
    if let Some(results) = &results {
        println!("recorded in {}", results.display());
    }
    Ok(if is_missed { End::Missed } else { End::Kept })
}

fn folder_name(experiment: &Experiment, args: &ReproduceArgs) -> String {
    let quick = if args.quick { "-quick" } else { "" };
    let epochs = args.epochs.map(|epochs| format!("-epochs-{epochs}")).unwrap_or_default();
    format!("{}{quick}{epochs}", experiment.name)
}

/// The file to record in, if any.
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
    for it in shelf::all()? {
        println!("{:<18} {}", it.name, it.title);
        let time = duration(60.0 * it.minutes);
        println!("{:<18}   {}\n{:<18}   {time} on two cores", "", it.paper, "");
    }
    println!("\nAlso a recipe of your own, in a file that ends in .toml.");
    Ok(())
}

/// The tables of what is recorded of the experiments as they are now.
fn table(args: &ReproduceArgs) -> Result<()> {
    let runs = args.out.clone().unwrap_or_else(|| PathBuf::from("runs/reproduce"));
    let path = results(args, &runs).unwrap_or_default();
    let records = record::read(&path)?;
    let experiments = chosen(args)?;
    let editions = experiments.iter().map(|it| it.edition(false, None));
    let editions = editions.collect::<Result<Vec<Edition>>>()?;
    let mut all = Vec::new();
    for (experiment, edition) in experiments.iter().zip(&editions) {
        let (records, stale) = counting(experiment, edition, &records);
        let judged = judge::judge(edition, &records)?;
        all.push(Known { experiment, edition, judged, records, stale });
    }
    let page = table::page(&all);
    match &args.write {
        None => print!("{page}"),
        Some(out) => {
            start::write(out, &page)?;
            println!("tables: {}", out.display());
        }
    }
    Ok(())
}

/// The last record of each seed of each arm as it is now, and how many are of arms as they were.
fn counting<'a>(
    experiment: &Experiment,
    edition: &Edition,
    records: &'a [Record],
) -> (Vec<&'a Record>, usize) {
    let its = |it: &&Record| it.experiment == experiment.name && !it.quick;
    let is_now =
        |it: &Record| edition.arms.iter().any(|way| it.is_of(&experiment.name, false, way));
    let mut counting: Vec<&Record> = Vec::new();
    let mut stale = 0;
    for record in records.iter().filter(its) {
        if !is_now(record) {
            stale += 1;
            continue;
        }
        counting.retain(|it| (&it.arm, it.seed) != (&record.arm, record.seed));
        counting.push(record);
    }
    (counting, stale)
}
