//! Trains all weights of a run's model further.

use std::time::Instant;

use ae_device::{Choice, NamedDevice, TrialJob};
use ae_models::{Classifier, Encoder, HeadConfig, Model, ModelEncoder};
use ae_recipe::{Recipe, data_section};
use ae_train::{End, LabelledData, Observer, Schedule, classify};
use burn::tensor::Device;
use toml::Table;

use crate::classifier::{self, LabelEfficiency};
use crate::files;
use crate::finished::{FinishedClassifier, FinishedRun};
use crate::listener::StopOnRequest;
use crate::new_run::{self, NewRun, RunOptions};
use crate::run::class_names;
use crate::train::{self, trial};
use crate::train_job::TrainJob;
use crate::{Error, Result, RunDir, SavedRun, Splits, TrainedRun, memory};

/// Trains the model of a run further by a recipe [derived](derive_recipe) from the run's. `is_own_data`: the recipe has
/// the data of the run. `None` if it was stopped.
///
/// # Errors
/// If the run is a classifier, the data does not fit it, or the training fails.
pub fn finetune(
    recipe: Recipe,
    run: SavedRun,
    is_own_data: bool,
    options: &RunOptions,
    choice: &Choice,
    started: Instant,
) -> Result<Option<FinishedRun>> {
    run.autoencoder(TASK)?;
    let splits = run.prepare(&recipe.data, is_own_data, &*options.listener)?;
    memory::check(&recipe, splits.training.shape(), splits.training.len(), choice)?;
    let device = new_run::choose_device(choice, options, || trial_job(&run, &recipe, &splits))?;
    let run = match device.handle == choice.provisional().handle {
        true => run,
        false => SavedRun::load(&run.folder, &device.handle)?,
    };
    let model = run.autoencoder(TASK)?.clone();
    let name = format!("{}-{}-{}", splits.name, recipe.model.kind(), recipe.model.code());
    if let Some(head) = &recipe.head {
        let name = format!("{name}-finetuned-{}", head.kind.name());
        let it = WithHead { run, recipe, splits, device, name, started };
        let finished = it.train(model.to_encoder(), options)?;
        return Ok(finished.map(|it| FinishedRun::Classifier(Box::new(it))));
    }
    let job = TrainJob::from_model(model, &recipe)?;
    let new_run = NewRun::new(options, &recipe, &format!("{name}-finetuned"), &device, started)?;
    let finished = train::finish(job, recipe, splits, new_run, device)?;
    Ok(finished.map(|it| FinishedRun::Autoencoder(Box::new(it))))
}

const TASK: &str = "fine-tuning";

/// The training to try devices with.
fn trial_job(run: &SavedRun, recipe: &Recipe, splits: &Splits) -> Option<TrialJob> {
    let (path, own, name) = (run.folder.model(), recipe.clone(), splits.name.clone());
    let classes = splits.training.labels().map(class_names).unwrap_or_default();
    Some(trial(recipe, &splits.training, move |device, samples, schedule, observer| {
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

/// The recipe of the new run: `overrides` over that of the run to start from.
///
/// # Errors
/// If a value does not apply to fine-tuning the run.
pub fn derive_recipe(run: &SavedRun, overrides: &Table) -> Result<Recipe> {
    let mut data = run.data(&data_section(overrides))?;
    data.limit_by(overrides);
    data.make_paths_absolute();
    let from = &run.folder.0;
    let absolute = std::path::absolute(from).unwrap_or_else(|_| from.clone());
    Ok(run.recipe.clone().for_finetuning(overrides, data, absolute)?)
}

/// Training with a head, of all weights.
struct WithHead {
    run: SavedRun,
    recipe: Recipe,
    splits: Splits,
    device: NamedDevice,
    /// The name of the new run.
    name: String,
    started: Instant,
}

impl WithHead {
    fn train(
        self,
        encoder: ModelEncoder,
        options: &RunOptions,
    ) -> Result<Option<FinishedClassifier>> {
        let (data, classes) = classifier::labelled_data(&self.splits)?;
        let supervised = classifier::supervised(&self.recipe)?;
        let schedule = self.recipe.schedule();
        schedule.check()?;
        let counts = self.label_counts()?;
        let model = with_new_head(encoder, classes.len(), &self.device.handle)?;
        let new_run = NewRun::new(options, &self.recipe, &self.name, &self.device, self.started)?;
        let listener = &options.listener;
        listener.progress(&model);
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
        for count in counts {
            if curve.iter().any(|known| known.labels == count) {
                continue;
            }
            listener.progress(&format_args!("training on {count} labels"));
            let mut stop = StopOnRequest::new(listener.clone());
            let Some(point) = self.label_efficiency(count, &data, &mut stop)? else {
                new_run.report_stop(fitted.done);
                return Ok(None);
            };
            listener.progress(&format_args!(
                "with {count} labels: accuracy {:.1} % from the run's encoder, {:.1} % from random weights",
                100.0 * point.from_run,
                100.0 * point.from_random
            ));
            curve.push(point);
            files::write_json(&new_run.folder.label_efficiency(), &curve)?;
        }
        curve.sort_by_key(|point| point.labels);
        let best = fitted.best.map(|best| best.to_string());
        let Self { recipe, splits, device, .. } = self;
        let about = new_run::about(&splits, &recipe, supervised.to_string(), best)?;
        ae_models::save(&new_run.folder.model(), &fitted.model, &about)?;
        let trained = TrainedRun { recipe, model: fitted.model, about, splits };
        let mut summary =
            classifier::summarize(&trained, fitted.epochs, &device, new_run.seconds())?;
        summary.curve = curve;
        files::write_json(&new_run.folder.summary(), &summary)?;
        Ok(Some(FinishedClassifier { folder: new_run.folder, trained, summary }))
    }

    /// The numbers of labels of the curve, each once.
    fn label_counts(&self) -> Result<Vec<usize>> {
        let counts = self.recipe.head.as_ref().map_or(Vec::new(), |head| head.label_counts.clone());
        for (index, count) in counts.iter().enumerate() {
            check_count(*count, self.splits.training.len())?;
            if counts[..index].contains(count) {
                return Err(Error::usage(format!(
                    "--label-counts: expected each number once, got {count} twice"
                )));
            }
        }
        Ok(counts)
    }

    /// Trains twice on `count` labels, in the same way: from the run's encoder, and from random weights. The
    /// validation set chooses the epoch; the test set only measures. `None` if it was stopped.
    fn label_efficiency(
        &self,
        count: usize,
        data: &LabelledData,
        observer: &mut dyn Observer,
    ) -> Result<Option<LabelEfficiency>> {
        let Self { run, recipe, splits, device, .. } = self;
        let device = &device.handle;
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
                .observe(&mut *observer)
                .fit(&few)?;
            if fitted.end == End::Stopped {
                return Ok(None);
            }
            let predictions = classify(&fitted.model, supervised.loss(), &test, schedule.batch)?;
            accuracies.push(predictions.classification.accuracy());
        }
        Ok(Some(LabelEfficiency {
            labels: count,
            from_run: accuracies[0],
            from_random: accuracies[1],
        }))
    }
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
