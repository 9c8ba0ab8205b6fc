//! Published experiments: trains them again and compares the results with the published ones.

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
mod verdict;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::Result;
use ae_device::Choice;
use ae_run::Listener;
use ae_run::files;
use ae_run::files::read_json;
pub use builtin::{all, find};
pub use experiment::Experiment;
pub use plan::Plan;
use record::Record;
use runner::{External, Runner};
use table::ExperimentResults;
use verdict::Verdict;

/// How experiments are run, and where their results go.
#[derive(Clone)]
pub struct ReproduceOptions {
    /// The small version on generated data.
    pub quick: bool,
    /// Epochs of every stage, in place of those of its recipe.
    pub epochs: Option<usize>,
    /// Seeds of each arm; `None`: as many as the experiment says.
    pub seeds: Option<u64>,
    /// The folder with copies of published data sets.
    pub data_dir: Option<PathBuf>,
    /// The Python with scikit-learn that runs baselines; without it these are skipped.
    pub python: Option<PathBuf>,
    /// The folder of the runs; finished ones are reused and interrupted ones resumed.
    pub out: PathBuf,
    /// The file that results are appended to, if any.
    pub results: Option<PathBuf>,
    /// Receives the progress.
    pub listener: Arc<dyn Listener>,
}

/// The end of an experiment.
pub enum End {
    /// All targets were met, or a target was missed: the results as text.
    Done {
        /// A line for each result.
        text: String,
        /// Whether no target was missed.
        is_met: bool,
    },
    /// It was stopped; repeated, it goes on.
    Stopped,
}

/// Trains all runs of an experiment, seed by seed, and compares the results with the published ones.
///
/// # Errors
/// If the experiment is not valid, or a training fails.
pub fn reproduce(
    experiment: &Experiment,
    options: &ReproduceOptions,
    choice: &Choice,
) -> Result<End> {
    let plan = experiment.plan(options.quick, options.epochs)?;
    let plan = Plan { seeds: options.seeds.unwrap_or(plan.seeds), ..plan };
    let folder = options.out.join(folder_name(experiment, options));
    let known = options.results.as_deref().map(record::read).transpose()?.unwrap_or_default();
    let mut runner = Runner::new(choice, options);
    for arm in &plan.arms {
        runner.check(arm)?;
    }
    let mut records = Vec::new();
    let runs = plan.runs();
    for (index, (seed, arm)) in runs.iter().copied().enumerate() {
        let own = folder.join(format!("{}-seed{seed}", arm.name));
        let path = own.join("record.json");
        let (name, number, count) = (&experiment.name, index + 1, runs.len());
        let line = format_args!("\n{name}, run {number} of {count}: {}", own.display());
        options.listener.notice(&line);
        let done = match &arm.program {
            None => runner.run(arm, seed, &own)?,
            Some(program) => match runner.run_external(arm, program, &own)? {
                External::Done(runs) => Some(runs),
                External::Stopped => None,
                External::Skipped => {
                    let is_it = |it: &&Record| {
                        it.matches_arm(&experiment.name, options.quick, arm) && it.seed == seed
                    };
                    records.extend(known.iter().rfind(is_it).cloned());
                    let line = format_args!("skipped: {} needs --python", program.name);
                    options.listener.notice(&line);
                    continue;
                }
            },
        };
        let Some(done) = done else { return Ok(End::Stopped) };
        let saved = path.is_file().then(|| read_json::<Record>(&path)).transpose()?;
        let record = match saved.filter(|it| it.recipe == arm.hash()) {
            Some(record) => record,
            None => {
                let new = Record::new(&experiment.name, options.quick, arm, seed, &done)?;
                files::write(&path, &new.to_json()?)?;
                new
            }
        };
        if let Some(results) = &options.results
            && !known.contains(&record)
        {
            record::append(results, &record)?;
        }
        records.push(record);
    }
    let records: Vec<&Record> = records.iter().collect();
    let assessments = verdict::assess(&plan, &records)?;
    let is_met = assessments.iter().all(|it| it.verdict != Verdict::Missed);
    let results = ExperimentResults { experiment, plan: &plan, assessments, records, stale: 0 };
    Ok(End::Done { text: results.to_text(), is_met })
}

fn folder_name(experiment: &Experiment, options: &ReproduceOptions) -> String {
    let quick = if options.quick { "-quick" } else { "" };
    let epochs = options.epochs.map(|epochs| format!("-epochs-{epochs}")).unwrap_or_default();
    format!("{}{quick}{epochs}", experiment.name)
}

/// The tables of the results that a file records, of the present recipes, as Markdown.
///
/// # Errors
/// If the file cannot be read, or an experiment is not valid.
pub fn table(experiments: &[Experiment], results: &Path) -> Result<String> {
    let records = record::read(results)?;
    let plans = experiments.iter().map(|it| it.plan(false, None));
    let plans = plans.collect::<Result<Vec<Plan>>>()?;
    let mut all = Vec::new();
    for (experiment, plan) in experiments.iter().zip(&plans) {
        let (records, stale) = current_records(experiment, plan, &records);
        let assessments = verdict::assess(plan, &records)?;
        all.push(ExperimentResults { experiment, plan, assessments, records, stale });
    }
    Ok(table::page(&all))
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
