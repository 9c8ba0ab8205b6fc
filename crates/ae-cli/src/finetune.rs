//! `ae finetune`: trains all weights of a run's model further.

use std::time::Instant;

use ae_models::{Classifier, Encoder, HeadConfig, Model, ModelEncoder};
use ae_train::{End, LabelledData, Schedule, classify};
use burn::tensor::Device;
use toml::Table;

use crate::args::{FinetuneArgs, NewRunArgs};
use crate::classifier::{self, LabelEfficiency};
use crate::datasets::Splits;
use crate::device::{self, Choice, NamedDevice, TrialJob};
use crate::error::{Error, Result};
use crate::files;
use crate::format::duration;
use crate::memory;
use crate::new_run::{self, NewRun};
use crate::observers::Interrupt;
use crate::recipe::{Command, Recipe, check_unused, data_section};
use crate::report;
use crate::run::{SavedRun, TrainedRun, class_names};
use crate::run_dir::RunDir;
use crate::train;
use crate::train_job::TrainJob;

pub fn finetune(args: &FinetuneArgs) -> Result<()> {
    let started = Instant::now();
    let choice = device::choice(&args.run.device.device.clone().unwrap_or_default())?;
    let (recipe, run) = open(args, &choice)?;
    let is_own_data = args.data.is_empty() && args.run.resume.is_none();
    if let Some((folder, sentence)) =
        train_further(recipe, run, is_own_data, &args.run, &choice, started)?
    {
        println!("{sentence}");
        println!("report: {}", folder.report().display());
        eprintln!("{} in total", duration(started.elapsed().as_secs_f64()));
    }
    Ok(())
}

/// Trains the model of the run in `from` further; `None` if it was stopped.
pub fn run(
    overrides: &Table,
    from: &RunDir,
    choice: &Choice,
    args: &NewRunArgs,
    started: Instant,
) -> Result<Option<RunDir>> {
    let run = SavedRun::load(from, &choice.provisional().handle)?;
    let recipe = derive_recipe(&run, overrides)?;
    let trained =
        train_further(recipe, run, !overrides.contains_key("data"), args, choice, started)?;
    Ok(trained.map(|(folder, _)| folder))
}

/// Returns the folder of the new run and its result in a sentence; `None` if it was stopped.
fn train_further(
    recipe: Recipe,
    run: SavedRun,
    is_own_data: bool,
    args: &NewRunArgs,
    choice: &Choice,
    started: Instant,
) -> Result<Option<(RunDir, String)>> {
    run.autoencoder(TASK)?;
    let splits = run.prepare(&recipe.data, is_own_data)?;
    memory::check(&recipe, splits.training.shape(), splits.training.len(), choice)?;
    let device = &new_run::device(choice, args, || trial_job(&run, &recipe, &splits))?;
    let run = match device.handle == choice.provisional().handle {
        true => &run,
        false => &SavedRun::load(&run.folder, &device.handle)?,
    };
    let model = run.autoencoder(TASK)?.clone();
    let name = format!("{}-{}-{}", splits.name, recipe.model.kind(), recipe.model.code());
    if recipe.head.is_some() {
        return with_head(run, model.to_encoder(), recipe, splits, args, &name, device, started);
    }
    let job = TrainJob::from_model(model, &recipe)?;
    let new_run = NewRun::new(args, &recipe, &format!("{name}-finetuned"), device, started)?;
    let trained = train::finish(job, recipe, splits, new_run, device)?;
    Ok(trained.map(|(folder, summary)| (folder, summary.sentence())))
}

const TASK: &str = "fine-tuning";

/// The training to try devices with.
fn trial_job(run: &SavedRun, recipe: &Recipe, splits: &Splits) -> Option<TrialJob> {
    let (path, own, name) = (run.folder.model(), recipe.clone(), splits.name.clone());
    let classes = splits.training.labels().map(class_names).unwrap_or_default();
    Some(TrialJob::new(recipe, &splits.training, move |device, samples, schedule, observer| {
        let (model, _) = ae_models::load::<Model>(&path, device)?;
        if own.head.is_none() {
            return TrainJob::from_model(model, &own)?.run_trial(samples, schedule, observer);
        }
        let training = classifier::labelled(&samples, &name, &classes)?;
        let data = LabelledData { training, validation: None };
        let classifier = with_new_head(model.to_encoder(), classes.len(), device)?;
        ae_train::Training::new(classifier, &classifier::supervised(&own)?)
            .schedule(schedule)
            .observe(observer)
            .fit(&data)?;
        Ok(())
    }))
}

/// The recipe, and the run to start from.
fn open(args: &FinetuneArgs, choice: &Choice) -> Result<(Recipe, SavedRun)> {
    let overrides = args.recipe();
    let Some(from) = &args.from else {
        let resume = args.run.resume.as_ref();
        new_run::overrides(overrides, None, resume, Command::Finetune)?;
        let resumed = RunDir(resume.cloned().unwrap_or_default());
        let recipe = Recipe::read(&resumed.recipe())?;
        let from = recipe.from.clone().unwrap_or_default();
        let run = SavedRun::load(&RunDir::existing(&from)?, &choice.provisional().handle)?;
        return Ok((recipe, run));
    };
    let kind = overrides.get("head").map(|head| head.get("kind").is_some());
    if kind == Some(false) {
        return Err(Error::usage(
            "--head-decay needs a head; add --head softmax or --head svm, or drop it",
        ));
    }
    let run = SavedRun::load(&RunDir::existing(from)?, &choice.provisional().handle)?;
    let recipe = derive_recipe(&run, &overrides)?;
    check_unused(&overrides, &recipe)?;
    Ok((recipe, run))
}

/// The recipe of the new run, derived from that of the run to start from.
fn derive_recipe(run: &SavedRun, overrides: &Table) -> Result<Recipe> {
    let mut data = run.data(&data_section(overrides))?;
    data.make_paths_absolute();
    let from = &run.folder.0;
    let absolute = std::path::absolute(from).unwrap_or_else(|_| from.clone());
    run.recipe.clone().for_finetuning(overrides, data, absolute)
}

#[expect(clippy::too_many_arguments, reason = "the second half of one function")]
fn with_head(
    run: &SavedRun,
    encoder: ModelEncoder,
    recipe: Recipe,
    splits: Splits,
    args: &NewRunArgs,
    name: &str,
    device: &NamedDevice,
    started: Instant,
) -> Result<Option<(RunDir, String)>> {
    let NamedDevice { handle, name: device_name } = device;
    let (data, classes) = classifier::labelled_data(&splits)?;
    let supervised = classifier::supervised(&recipe)?;
    let schedule = recipe.schedule();
    schedule.check()?;
    let head = recipe.head.clone().unwrap_or_else(|| unreachable!("a head was asked for"));
    for (index, count) in head.label_counts.iter().enumerate() {
        check_count(*count, splits.training.len())?;
        if head.label_counts[..index].contains(count) {
            return Err(Error::usage(format!(
                "--label-counts: expected each number once, got {count} twice"
            )));
        }
    }
    let model = with_new_head(encoder, classes.len(), handle)?;
    eprintln!("{model}");
    let name = format!("{name}-finetuned-{}", head.kind.name());
    let new_run = NewRun::new(args, &recipe, &name, device, started)?;
    let mut observers = new_run.observers(schedule.epochs);
    let fitted = ae_train::Training::new(model, &supervised)
        .schedule(&schedule)
        .checkpoints(new_run.checkpoints.clone())
        .observe(&mut observers)
        .fit(&data)
        .inspect_err(|_| new_run.remove_if_unused())?;
    if fitted.end == End::Stopped {
        new_run.report_stop(fitted.done);
        return Ok(None);
    }
    let mut curve = read_curve(&new_run.folder)?;
    for count in &head.label_counts {
        if curve.iter().any(|known| known.labels == *count) {
            continue;
        }
        eprint!("with {count} labels: ");
        let Some(point) = label_efficiency(*count, run, &recipe, &data, &splits, handle)? else {
            eprintln!();
            new_run.report_stop(fitted.done);
            return Ok(None);
        };
        eprintln!(
            "accuracy {:.1} % from the run's encoder, {:.1} % from random weights",
            100.0 * point.from_run,
            100.0 * point.from_random
        );
        curve.push(point);
        files::write_json(&new_run.folder.label_efficiency(), &curve)?;
    }
    curve.sort_by_key(|point| point.labels);
    let best = fitted.best.map(|best| best.to_string());
    let about = new_run::about(&splits, &recipe, supervised.to_string(), best)?;
    ae_models::save(&new_run.folder.model(), &fitted.model, &about)?;
    let trained = TrainedRun { recipe, model: fitted.model, about, splits };
    let mut summary =
        classifier::summarize(&trained, fitted.epochs, device_name.clone(), new_run.seconds())?;
    summary.curve = curve;
    report::write_classifier(&new_run.folder, &trained, &summary)?;
    Ok(Some((new_run.folder, summary.sentence())))
}

fn with_new_head(
    encoder: ModelEncoder,
    classes: usize,
    device: &Device,
) -> Result<Classifier<ModelEncoder>> {
    let head = HeadConfig::new(encoder.code_size(), classes).init(device)?;
    Ok(Classifier::new(encoder, head)?)
}

fn check_count(count: usize, samples: usize) -> Result<()> {
    match count > 0 && count < samples {
        true => Ok(()),
        false => Err(Error::usage(format!(
            "--label-counts: expected numbers from 1 to {}, fewer than there are training samples, got \
             {count}",
            samples - 1
        ))),
    }
}

/// More steps than this do not improve training on few labels.
const MAX_STEPS: usize = 1000;

/// Trains twice on `count` labels, in the same way: from the run's encoder, and from random weights. The
/// validation set chooses the epoch; the test set only measures. `None` if it was stopped.
fn label_efficiency(
    count: usize,
    run: &SavedRun,
    recipe: &Recipe,
    data: &LabelledData,
    splits: &Splits,
    device: &Device,
) -> Result<Option<LabelEfficiency>> {
    let whole = recipe.schedule();
    let share = count as f64 / splits.training.len() as f64;
    let (_, subset) = ae_data::split(&splits.training, share, whole.seed)?;
    let classes = data.training.labels().names();
    let supervised = classifier::supervised(recipe)?;
    let few = LabelledData {
        training: classifier::labelled(&subset, &splits.name, classes)?,
        validation: data.validation.clone(),
    };
    let schedule = schedule_for(subset.len(), splits.training.len(), &whole);
    let test = classifier::labelled(&splits.test, &splits.name, classes)?;
    let random = run.model.architecture().init(schedule.seed, device)?.to_encoder();
    let mut accuracies = Vec::new();
    for encoder in [run.model.encoder(), random] {
        let model = with_new_head(encoder, classes.len(), device)?;
        let fitted = ae_train::Training::new(model, &supervised)
            .schedule(&schedule)
            .observe(&mut Interrupt::new())
            .fit(&few)?;
        if fitted.end == End::Stopped {
            return Ok(None);
        }
        let predictions = classify(&fitted.model, supervised.loss(), &test, schedule.batch)?;
        accuracies.push(predictions.classification.accuracy());
    }
    Ok(Some(LabelEfficiency { labels: count, from_run: accuracies[0], from_random: accuracies[1] }))
}

/// The schedule for few labels: smaller batches, and as many steps as all labels take, up to [`MAX_STEPS`].
fn schedule_for(few: usize, all: usize, whole: &Schedule) -> Schedule {
    let batch = whole.batch.min((few / 8).max(16)).min(few);
    let steps = (all / whole.batch.min(all)) * whole.epochs;
    let epochs = steps.min(MAX_STEPS).div_ceil((few / batch).max(1)).max(whole.epochs);
    Schedule { batch, epochs, ..whole.clone() }
}

fn read_curve(folder: &RunDir) -> Result<Vec<LabelEfficiency>> {
    match folder.label_efficiency().is_file() {
        true => files::read_json(&folder.label_efficiency()),
        false => Ok(Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 60,000 labels are 468 batches of 128, so ten epochs have more than 1,000 steps; 1,000 labels are 7 batches,
    /// so 70 steps.
    #[test]
    fn few_labels_have_smaller_batches_and_as_many_steps() {
        let whole = Schedule { batch: 128, epochs: 10, ..Schedule::default() };
        let planned = |few, all| {
            let schedule = schedule_for(few, all, &whole);
            (schedule.batch, schedule.epochs)
        };
        // A batch is an eighth of them: 8 steps an epoch, 1000 / 8 epochs.
        assert_eq!(planned(1_000, 60_000), (125, 125));
        // At most the batch of all labels: 20000 / 128 = 156 steps an epoch, 1000 / 156, but at least 10.
        assert_eq!(planned(20_000, 60_000), (128, 10));
        // At least 16: 64 / 16 = 4 steps an epoch, 1000 / 4; for 1,000 labels in all 70 / 4.
        assert_eq!(planned(64, 60_000), (16, 250));
        assert_eq!(planned(64, 1_000), (16, 18));
        // All of them, if there are fewer.
        assert_eq!(planned(5, 60_000), (5, 1_000));
    }
}
