//! `ae classify`: which class samples belong to, by codes that stay as they are.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use ae_data::Labels;
use ae_models::{Classifier, Encoder, HeadConfig, ModelEncoder};
use ae_train::{End, Labelled, LabelledData, classify as answer, fit_classifier};
use toml::Table;

use crate::args::values::{filled, put};
use crate::args::{ClassifyArgs, DataArgs, NewRunArgs};
use crate::device::Opened;
use crate::error::{Error, Result};
use crate::labels;
use crate::observers::{count, duration};
use crate::recipe::data_section;
use crate::report;
use crate::rows::quoted;
use crate::run::{Net, Run, Trained};
use crate::session::Folder;
use crate::start::{self, Start};

pub fn classify(args: &ClassifyArgs) -> Result<()> {
    if let Some(path) = &args.predictions
        && path.extension().is_none_or(|end| !end.eq_ignore_ascii_case("csv"))
    {
        let message = format!("{}: expected a file that ends in .csv", path.display());
        return Err(Error::usage(message));
    }
    let (run, opened) = Run::open(&args.from, &args.device)?;
    match &run.net {
        Net::Classifier(model) => {
            if !args.recipe().is_empty() || args.out.is_some() {
                return Err(Error::usage(format!(
                    "{}: this classifier has its head: expected no options of training one, got some; \
                     leave them out, or take the run that it came from",
                    args.from.display()
                )));
            }
            tell(&run, model, &args.data, args)
        }
        Net::Autoencoder(model) => {
            let mut given = args.recipe();
            put(&mut given, "data", filled(args.data.section()));
            let out = NewRunArgs { out: args.out.clone(), ..NewRunArgs::default() };
            let began = Instant::now();
            let made = train_head(&run, model.to_encoder(), &given, &out, &opened, began)?;
            let Some(folder) = made else { return Ok(()) };
            eprintln!("{} in all", duration(began.elapsed().as_secs_f64()));
            let run = Run::load(&folder, &opened.device)?;
            match &run.net {
                Net::Classifier(model) => tell(&run, model, &DataArgs::default(), args)?,
                Net::Autoencoder(_) => unreachable!("a classifier was saved"),
            }
            println!("report: {}", folder.report().display());
            Ok(())
        }
    }
}

/// Gives the autoencoder of the run in `from` a head, as was given; none if it was stopped. Where the
/// folder holds a head that was begun, it is trained anew: heads have no checkpoints.
pub fn one(
    given: &Table,
    from: &Folder,
    opened: &Opened,
    args: &NewRunArgs,
    began: Instant,
) -> Result<Option<Folder>> {
    let run = Run::load(from, &opened.device)?;
    let encoder = run.autoencoder("its codes are what a head is trained on")?.to_encoder();
    train_head(&run, encoder, given, args, opened, began)
}

/// Trains a head on codes that are computed once; none if it was stopped.
fn train_head(
    run: &Run,
    encoder: ModelEncoder,
    given: &Table,
    args: &NewRunArgs,
    opened: &Opened,
    began: Instant,
) -> Result<Option<Folder>> {
    let mut data_recipe = run.data(&data_section(given))?;
    data_recipe.make_paths_absolute();
    let data = run.prepare(&data_recipe, !given.contains_key("data"))?;
    let from = &run.folder.0;
    let from = std::path::absolute(from).unwrap_or_else(|_| from.clone());
    let mut recipe = run.recipe.clone().headed(given, from, data.training.len())?;
    recipe.data = data_recipe;
    let schedule = recipe.schedule();
    schedule.check()?;
    let supervised = labels::supervised(&recipe)?;
    let (parts, classes) = labels::parts(&data)?;
    let head = HeadConfig::new(encoder.code_size(), classes.len()).init(&opened.device)?;
    let kind = recipe.head.as_ref().map_or("head", |head| head.kind.name());
    let name = format!("{}-{}-{}-{kind}", data.name, recipe.model.kind(), recipe.model.code());
    let codes = |part: &Labelled| part.encode(&encoder, schedule.batch);
    let parts = LabelledData {
        training: codes(&parts.training)?,
        validation: parts.validation.as_ref().map(codes).transpose()?,
    };
    let start = Start::new(args, &recipe, &name, opened, began)?;
    let mut observers = start.observers(schedule.epochs);
    let fitted = fit_classifier(head, &supervised, &parts, &schedule, &mut observers)
        .inspect_err(|_| start.discard_unless_started())?;
    if fitted.end == End::Stopped {
        eprintln!("stopped; a head has no checkpoints: begin anew with another --out");
        return Ok(None);
    }
    let best = fitted.best.map(|best| best.to_string());
    let about = start::about(&data, &recipe, supervised.to_string(), best)?;
    let model = Classifier::new(encoder, fitted.model)?;
    ae_models::save(&start.folder.model(), &model, &about)?;
    let trained = Trained { recipe, model, about, data };
    let summary = labels::summarize(&trained, fitted.epochs, opened.name.clone(), start.seconds())?;
    report::write_classifier(&start.folder, &trained, &summary)?;
    Ok(Some(start.folder))
}

/// Says how many samples are put into their class, and writes the class of each where it is wanted.
fn tell(
    run: &Run,
    model: &Classifier<ModelEncoder>,
    data: &DataArgs,
    args: &ClassifyArgs,
) -> Result<()> {
    let known = labels::known_classes(run)?;
    let chosen = run.samples(data, args.part)?;
    let samples = &chosen.samples;
    let labelled = match samples.labels() {
        Some(_) => labels::labelled(samples, &chosen.name, &known)?,
        // Nobody knows their classes: none of them counts.
        None => {
            let labels = Labels::new(vec![0; samples.len()], known.clone())?;
            Labelled::new(Arc::new(samples.clone()), labels)?
        }
    };
    let batch = run.recipe.schedule().batch;
    let answers = answer(model, labels::loss(&run.recipe)?, &labelled, batch)?;
    println!("{}: {} samples", chosen.title(), count(samples.len() as f64));
    match samples.labels() {
        Some(_) => print!("{}", labels::in_text(&answers.classification, &known)),
        None if args.predictions.is_none() => {
            return Err(Error::usage(format!(
                "{}: expected samples with a class each to compare with, got none; take --predictions \
                 FILE.csv to have the classes that the run puts them into",
                chosen.name
            )));
        }
        None => {}
    }
    if let Some(path) = &args.predictions {
        let truth = samples.labels().map(|_| labelled.labels().classes());
        write(path, &answers.classes, truth, &known)?;
        println!("{} predictions: {}", answers.classes.len(), path.display());
    }
    Ok(())
}

fn write(path: &Path, predicted: &[u32], truth: Option<&[u32]>, known: &[String]) -> Result<()> {
    let name = |class: u32| quoted(&known[class as usize]);
    let mut text = match truth {
        Some(_) => "sample,predicted,label\n".to_owned(),
        None => "sample,predicted\n".to_owned(),
    };
    for (sample, class) in predicted.iter().enumerate() {
        text += &format!("{sample},{}", name(*class));
        if let Some(truth) = truth {
            text += &format!(",{}", name(truth[sample]));
        }
        text.push('\n');
    }
    start::write(path, &text)
}
