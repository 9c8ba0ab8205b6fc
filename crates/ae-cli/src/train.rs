//! `ae train` and `ae pretrain`.

use std::time::Instant;

use ae_data::DataSet;
use toml::Table;

use crate::args::{NewRunArgs, TrainArgs};
use crate::datasets::{Splits, open_data};
use crate::device::{self, Choice, NamedDevice, TrialJob};
use crate::error::Result;
use crate::format::duration;
use crate::memory;
use crate::new_run::{self, NewRun};
use crate::recipe::{Command, DataRecipe, ModelRecipe, Recipe, check_unused};
use crate::report;
use crate::run::TrainedRun;
use crate::run_dir::RunDir;
use crate::summary::{Summary, summarize};
use crate::train_job::{Outcome, TrainJob};

pub fn train(args: &TrainArgs) -> Result<()> {
    start(args, Command::Train)
}

pub fn pretrain(args: &TrainArgs) -> Result<()> {
    start(args, Command::Pretrain)
}

fn start(args: &TrainArgs, command: Command) -> Result<()> {
    let started = Instant::now();
    let NewRunArgs { resume, device, .. } = &args.run;
    let overrides =
        new_run::overrides(args.recipe(), args.recipe.as_ref(), resume.as_ref(), command)?;
    let mut data = Recipe::data(&overrides)?;
    let choice = device::choice(&device.device.clone().unwrap_or_default())?;
    data.make_paths_absolute();
    let set = open_data(&data)?;
    if resume.is_none() {
        let (data, training) = (data.clone(), &set.splits.training);
        let recipe = Recipe::complete(&overrides, data, training.shape(), training.len(), command)?;
        check_unused(&args.recipe(), &recipe)?;
    }
    if let Some((folder, summary)) =
        run(&overrides, data, set, command, &choice, &args.run, started)?
    {
        println!("{}", summary.sentence());
        println!("report: {}", folder.report().display());
        eprintln!("{} in total", duration(started.elapsed().as_secs_f64()));
    }
    Ok(())
}

/// Trains one run; `None` if it was stopped.
pub fn run(
    overrides: &Table,
    data: DataRecipe,
    set: DataSet,
    command: Command,
    choice: &Choice,
    args: &NewRunArgs,
    started: Instant,
) -> Result<Option<(RunDir, Summary)>> {
    let training = &set.splits.training;
    let recipe = Recipe::complete(overrides, data, training.shape(), training.len(), command)?;
    recipe
        .check_checkpoints(args.checkpoint_minutes.is_some() || args.checkpoint_steps.is_some())?;
    memory::check(&recipe, training.shape(), training.len(), choice)?;
    let splits = Splits::new(set, &recipe.data, None)?;
    args.console.progress(&splits);
    let device = new_run::device(choice, args, || trial_job(&recipe, &splits))?;
    let job = TrainJob::new(&recipe, &splits.training, &device.handle)?;
    let suffix = if command == Command::Pretrain { "-pretrained" } else { "" };
    let name = format!("{}-{}-{}{suffix}", splits.name, recipe.model.kind(), recipe.model.code());
    let new_run = NewRun::new(args, &recipe, &name, &device, started)?;
    finish(job, recipe, splits, new_run, &device)
}

/// The training to try devices with; `None` for PCA, which is not trained in steps.
pub fn trial_job(recipe: &Recipe, splits: &Splits) -> Option<TrialJob> {
    if let ModelRecipe::Pca(_) = recipe.model {
        return None;
    }
    let own = recipe.clone();
    Some(TrialJob::new(recipe, &splits.training, move |device, samples, schedule, observer| {
        TrainJob::new(&own, &samples, device)?.run_trial(samples, schedule, observer)
    }))
}

/// Trains an autoencoder, saves it and writes the report; `None` if it was stopped.
pub fn finish(
    job: TrainJob,
    recipe: Recipe,
    splits: Splits,
    new_run: NewRun,
    device: &NamedDevice,
) -> Result<Option<(RunDir, Summary)>> {
    let NamedDevice { handle, name } = device;
    let Some(outcome) = job.run(&recipe, &splits, &new_run, handle)? else { return Ok(None) };
    let Outcome { model, objective, initial, epochs, layers, best } = outcome;
    let seconds = new_run.seconds();
    let about = new_run::about(&splits, &recipe, objective, best)?;
    ae_models::save(&new_run.folder.model(), &model, &about)?;
    let trained = TrainedRun { recipe, model, about, splits };
    let (mut summary, pca) = summarize(&trained, &epochs, handle, name.clone(), seconds)?;
    (summary.initial, summary.layers) = (initial, layers);
    report::write(&new_run.folder, &trained, &summary, &pca, handle)?;
    Ok(Some((new_run.folder, summary)))
}
