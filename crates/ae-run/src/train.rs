//! Trains one run.

use std::time::Instant;

use ae_data::{DataSet, Samples};
use ae_device::{Choice, NamedDevice, TrialJob};
use ae_recipe::{Command, DataRecipe, ModelRecipe, Recipe};
use ae_train::{Observer, Schedule};
use burn::tensor::Device;
use toml::Table;

use crate::finished::Finished;
use crate::new_run::{self, NewRun, RunOptions};
use crate::summary::summarize;
use crate::train_job::{Outcome, TrainJob};
use crate::{Error, Result, Splits, TrainedRun, files, memory};

/// Trains the run of a recipe: `overrides` over the defaults for its data. `None` if it was stopped.
///
/// # Errors
/// If the recipe does not fit the data, memory or the device does not suffice, or the training fails.
pub fn train(
    overrides: &Table,
    data: DataRecipe,
    set: DataSet,
    command: Command,
    choice: &Choice,
    options: &RunOptions,
    started: Instant,
) -> Result<Option<Finished>> {
    let training = &set.splits.training;
    let recipe = Recipe::complete(overrides, data, training.shape(), training.len(), command)?;
    recipe.check_checkpoints(
        options.checkpoint_every.is_some() || options.checkpoint_steps.is_some(),
    )?;
    memory::check(&recipe, training.shape(), training.len(), choice)?;
    let splits = Splits::new(set, &recipe.data, None)?;
    options.listener.progress(&splits);
    let device = new_run::choose_device(choice, options, || trial_job(&recipe, &splits))?;
    let job = TrainJob::new(&recipe, &splits.training, &device.handle)?;
    let suffix = if command == Command::Pretrain { "-pretrained" } else { "" };
    let name = format!("{}-{}-{}{suffix}", splits.name, recipe.model.kind(), recipe.model.code());
    let new_run = NewRun::new(options, &recipe, &name, &device, started)?;
    finish(job, recipe, splits, new_run, device)
}

/// The training to try devices with; `None` for PCA, which is not trained in steps.
pub fn trial_job(recipe: &Recipe, splits: &Splits) -> Option<TrialJob> {
    if let ModelRecipe::Pca(_) = recipe.model {
        return None;
    }
    let own = recipe.clone();
    Some(trial(recipe, &splits.training, move |device, samples, schedule, observer| {
        TrainJob::new(&own, &samples, device)?.run_trial(samples, schedule, observer)
    }))
}

/// What decides the time of a step, besides samples and schedule: the same in every process.
fn trial_key(recipe: &Recipe) -> String {
    let head = recipe.head.as_ref().map(|head| head.kind.name());
    let objective = recipe.objective.as_ref().map(toml::to_string);
    let objective = objective.and_then(Result::ok).unwrap_or_default();
    let words: Vec<&str> = objective.split_whitespace().collect();
    format!("{}; {:?}; {}; {head:?}", recipe.command.name(), recipe.model, words.join(" "))
}

/// A training of a recipe to try devices with; `steps` runs it.
pub(crate) fn trial(
    recipe: &Recipe,
    samples: &Samples,
    steps: impl Fn(&Device, Samples, &Schedule, &mut dyn Observer) -> Result<()> + Send + Sync + 'static,
) -> TrialJob {
    let schedule = recipe.schedule();
    let (kind, code) = (recipe.model.kind(), recipe.model.code());
    let batch = schedule.batch.min(samples.len());
    let title = format!("{kind}, code {code}, {}, batch {batch}", samples.shape());
    let key = trial_key(recipe);
    TrialJob::new(title, &key, samples, schedule, move |device, samples, schedule, observer| {
        steps(device, samples, schedule, observer).map_err(Error::into_train)
    })
}

/// Trains an autoencoder, saves and evaluates it; `None` if it was stopped.
pub(crate) fn finish(
    job: TrainJob,
    recipe: Recipe,
    splits: Splits,
    new_run: NewRun,
    device: NamedDevice,
) -> Result<Option<Finished>> {
    if let Some(model) = job.initial() {
        let checkpoints = new_run.folder.checkpoints();
        std::fs::create_dir_all(&checkpoints).map_err(Error::io(&checkpoints))?;
        let about = new_run::about(&splits, &recipe, String::new(), Some("initial".to_owned()))?;
        ae_models::save(&new_run.folder.initial_model(), model, &about)?;
    }
    let Some(outcome) = job.run(&recipe, &splits, &new_run, &device.handle)? else {
        return Ok(None);
    };
    let Outcome { model, objective, initial, epochs, layers, best } = outcome;
    let seconds = new_run.seconds();
    let about = new_run::about(&splits, &recipe, objective, best)?;
    ae_models::save(&new_run.folder.model(), &model, &about)?;
    new_run.remove_initial_model();
    let trained = TrainedRun { recipe, model, about, splits };
    let (mut summary, pca) = summarize(&trained, &epochs, &device, seconds)?;
    (summary.initial, summary.layers) = (initial, layers);
    files::write_json(&new_run.folder.summary(), &summary)?;
    Ok(Some(Finished { folder: new_run.folder, trained, summary, pca, device }))
}

#[cfg(test)]
mod tests {
    use ae_data::Shape;

    use super::*;

    /// An address of a function would be another one in the next process.
    #[test]
    fn the_key_of_a_trial_names_the_penalties() {
        let overrides: Table = "[model]\nkind = 'pca'\ncode = 3\n".parse().unwrap();
        let data = Recipe::data(&overrides).unwrap();
        let shape = Shape::table(5);
        let pca = Recipe::complete(&overrides, data.clone(), &shape, 100, Command::Train).unwrap();
        assert_eq!(trial_key(&pca), "train; Pca(PcaRecipe { code: 3 }); ; None");
        let overrides = "[objective]\nl1 = 0.5\nkl = { weight = 2.0 }".parse().unwrap();
        let recipe = Recipe::complete(&overrides, data, &shape, 100, Command::Train).unwrap();
        let key = trial_key(&recipe);
        assert!(key.contains("l1 = 0.5 [kl] weight = 2.0 target = 0.05; None"), "{key}");
    }
}
