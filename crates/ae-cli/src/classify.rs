//! `ae classify`: trains a head on the codes of a run, whose encoder stays fixed, and predicts classes.

use std::sync::Arc;
use std::time::Instant;

use ae_data::Labels;
use ae_models::{Classifier, Encoder, HeadConfig, ModelEncoder};
use ae_train::{End, Labelled, LabelledData, Training, classify as evaluate};
use toml::Table;

use crate::args::values::{filled, put};
use crate::args::{ClassifyArgs, DataArgs, NewRunArgs};
use crate::classifier;
use crate::device::NamedDevice;
use crate::error::{Error, Result};
use crate::export::write_cells;
use crate::format::{count, duration};
use crate::new_run::{self, NewRun};
use crate::recipe::data_section;
use crate::report;
use crate::run::{SavedModel, SavedRun, TrainedRun};
use crate::run_dir::RunDir;

pub fn classify(args: &ClassifyArgs) -> Result<()> {
    if let Some(path) = &args.predictions
        && path.extension().is_none_or(|end| !end.eq_ignore_ascii_case("csv"))
    {
        let message = format!("{}: expected a .csv file", path.display());
        return Err(Error::usage(message));
    }
    let (run, device) = SavedRun::open(&args.from, &args.device)?;
    match &run.model {
        SavedModel::Classifier(model) => {
            if !args.recipe().is_empty() || args.out.is_some() {
                return Err(Error::usage(format!(
                    "{}: the run is already a classifier, so options of training do not apply; drop \
                     them, or use the run it was trained from",
                    args.from.display()
                )));
            }
            predict(&run, model, &args.data, args)
        }
        SavedModel::Autoencoder(model) => {
            let mut overrides = args.recipe();
            put(&mut overrides, "data", filled(args.data.section()));
            let out = NewRunArgs { out: args.out.clone(), ..NewRunArgs::default() };
            let started = Instant::now();
            let trained = train_head(&run, model.to_encoder(), &overrides, &out, &device, started)?;
            let Some(folder) = trained else { return Ok(()) };
            eprintln!("{} in total", duration(started.elapsed().as_secs_f64()));
            let run = SavedRun::load(&folder, &device.handle)?;
            match &run.model {
                SavedModel::Classifier(model) => predict(&run, model, &DataArgs::default(), args)?,
                SavedModel::Autoencoder(_) => unreachable!("a classifier was saved"),
            }
            println!("report: {}", folder.report().display());
            Ok(())
        }
    }
}

/// Trains a head for the autoencoder of the run in `from`; `None` if it was stopped. Heads have no
/// checkpoints, so an interrupted one is trained from the start.
pub fn run(
    overrides: &Table,
    from: &RunDir,
    device: &NamedDevice,
    args: &NewRunArgs,
    started: Instant,
) -> Result<Option<RunDir>> {
    let run = SavedRun::load(from, &device.handle)?;
    let encoder = run.autoencoder("training a head")?.to_encoder();
    train_head(&run, encoder, overrides, args, device, started)
}

/// Trains a head on codes that are computed once; `None` if it was stopped.
fn train_head(
    run: &SavedRun,
    encoder: ModelEncoder,
    overrides: &Table,
    args: &NewRunArgs,
    device: &NamedDevice,
    started: Instant,
) -> Result<Option<RunDir>> {
    let mut data_recipe = run.data(&data_section(overrides))?;
    data_recipe.make_paths_absolute();
    let splits = run.prepare(&data_recipe, !overrides.contains_key("data"))?;
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
    let new_run = NewRun::new(args, &recipe, &name, device, started)?;
    let mut observers = new_run.observers(schedule.epochs);
    let fitted = Training::new(head, &supervised)
        .schedule(&schedule)
        .observe(&mut observers)
        .fit(&data)
        .inspect_err(|_| new_run.remove_if_unused())?;
    if fitted.end == End::Stopped {
        eprintln!(
            "stopped; the training of a head cannot be resumed: start again with another --out"
        );
        return Ok(None);
    }
    let best = fitted.best.map(|best| best.to_string());
    let about = new_run::about(&splits, &recipe, supervised.to_string(), best)?;
    let model = Classifier::new(encoder, fitted.model)?;
    ae_models::save(&new_run.folder.model(), &model, &about)?;
    let trained = TrainedRun { recipe, model, about, splits };
    let summary =
        classifier::summarize(&trained, fitted.epochs, device.name.clone(), new_run.seconds())?;
    report::write_classifier(&new_run.folder, &trained, &summary)?;
    Ok(Some(new_run.folder))
}

/// Prints the accuracy, and writes the predicted class of each sample if `--predictions` asks for it.
fn predict(
    run: &SavedRun,
    model: &Classifier<ModelEncoder>,
    data: &DataArgs,
    args: &ClassifyArgs,
) -> Result<()> {
    let classes = classifier::classes(run)?;
    let selection = run.samples(data, args.split)?;
    let samples = &selection.samples;
    let labelled = match samples.labels() {
        Some(_) => classifier::labelled(samples, &selection.name, &classes)?,
        // Placeholders: neither accuracy nor loss is shown.
        None => {
            let labels = Labels::new(vec![0; samples.len()], classes.clone())?;
            Labelled::new(Arc::new(samples.clone()), labels)?
        }
    };
    let batch = run.recipe.schedule().batch;
    let predictions = evaluate(model, classifier::loss(&run.recipe)?, &labelled, batch)?;
    println!("{}: {} samples", selection.title(), count(samples.len() as f64));
    match samples.labels() {
        Some(_) => print!("{}", classifier::to_text(&predictions.classification, &classes)),
        None if args.predictions.is_none() => {
            return Err(Error::usage(format!(
                "{}: without labels there is no accuracy to print; use --predictions FILE.csv to write \
                 the predicted classes",
                selection.name
            )));
        }
        None => {}
    }
    if let Some(path) = &args.predictions {
        let predicted =
            predictions.classes.iter().map(|class| vec![classes[*class as usize].clone()]);
        write_cells(path, &["predicted".to_owned()], predicted, samples)?;
        println!("{} predictions: {}", predictions.classes.len(), path.display());
    }
    Ok(())
}
