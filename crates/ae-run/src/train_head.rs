//! Trains a head on the codes of a run, whose encoder stays fixed.

use std::time::Instant;

use ae_device::NamedDevice;
use ae_models::{Classifier, Encoder, HeadConfig};
use ae_recipe::data_section;
use ae_train::{End, Labelled, LabelledData, Training};
use toml::Table;

use crate::finished::FinishedClassifier;
use crate::new_run::{self, NewRun, RunOptions};
use crate::{Result, SavedRun, TrainedRun, classifier, files};

/// Trains a head on the codes of a run's autoencoder, which are computed once: `overrides` over the defaults of a head.
/// `None` if it was stopped. Heads have no checkpoints, so an interrupted one is trained from the start.
///
/// # Errors
/// If the run is a classifier, its data has no labels, or the training fails.
pub fn train_head(
    run: &SavedRun,
    overrides: &Table,
    options: &RunOptions,
    device: &NamedDevice,
    started: Instant,
) -> Result<Option<FinishedClassifier>> {
    let encoder = run.autoencoder("training a head")?.to_encoder();
    let mut data_recipe = run.data(&data_section(overrides))?;
    data_recipe.limit_by(overrides);
    data_recipe.make_paths_absolute();
    let splits = run.prepare(&data_recipe, !overrides.contains_key("data"), &*options.listener)?;
    let from = &run.folder.0;
    let from = std::path::absolute(from).unwrap_or_else(|_| from.clone());
    let mut recipe = run.recipe.clone().with_head(overrides, from, splits.training.len())?;
    recipe.data = data_recipe;
    let schedule = recipe.schedule();
    schedule.check()?;
    let supervised = classifier::supervised(&recipe)?;
    let (data, classes) = classifier::labelled_data(&splits)?;
    let head = HeadConfig::new(encoder.code_size(), classes.len()).init(&device.handle)?;
    let kind = recipe.head.as_ref().map_or("head", |head| head.kind.name());
    let name = format!("{}-{}-{}-{kind}", splits.name, recipe.model.kind(), recipe.model.code());
    let codes = |labelled: &Labelled| labelled.encode(&encoder, schedule.batch);
    let data = LabelledData {
        training: codes(&data.training)?,
        validation: data.validation.as_ref().map(codes).transpose()?,
    };
    let new_run = NewRun::new(options, &recipe, &name, device, started)?;
    let mut observers = new_run.observers(schedule.epochs);
    let fitted = Training::new(head, &supervised)
        .schedule(&schedule)
        .observe(&mut observers)
        .fit(&data)
        .inspect_err(|_| new_run.remove_if_unused())?;
    if fitted.end == End::Stopped {
        options.listener.notice(
            &"stopped; the training of a head cannot be resumed: start again with another --out",
        );
        return Ok(None);
    }
    let best = fitted.best.map(|best| best.to_string());
    let about = new_run::about(&splits, &recipe, supervised.to_string(), best)?;
    let model = Classifier::new(encoder, fitted.model)?;
    ae_models::save(&new_run.folder.model(), &model, &about)?;
    let trained = TrainedRun { recipe, model, about, splits };
    let summary = classifier::summarize(&trained, fitted.epochs, device, new_run.seconds())?;
    files::write_json(&new_run.folder.summary(), &summary)?;
    Ok(Some(FinishedClassifier { folder: new_run.folder, trained, summary }))
}
