//! `ae finetune`: the model of a run, trained further as a whole.

use std::time::Instant;

use ae_models::{Classifier, Encoder, HeadConfig, Model, ModelEncoder};
use ae_train::{
    End, LabelledData, Schedule, classify, fit_classifier, fit_classifier_with_checkpoints,
};
use burn::tensor::Device;
use toml::Table;

use crate::args::{FinetuneArgs, NewRunArgs};
use crate::device::{self, Choice, Opened, Training};
use crate::error::{Error, Result};
use crate::inspect::read_json;
use crate::labels::{self, FewLabels};
use crate::learn::Beginner;
use crate::observers::{Interrupt, duration};
use crate::recipe::{Maker, Recipe, data_section};
use crate::report;
use crate::run::{Run, Trained, class_names};
use crate::session::{Folder, Prepared};
use crate::start::{self, Start};
use crate::train;

pub fn finetune(args: &FinetuneArgs) -> Result<()> {
    let began = Instant::now();
    let choice = device::choice(&args.run.device.device.clone().unwrap_or_default())?;
    let (recipe, run) = begin(args, &choice)?;
    let is_own_data = args.data.is_empty() && args.run.resume.is_none();
    if let Some((folder, sentence)) = go(recipe, run, is_own_data, &args.run, &choice, began)? {
        println!("{sentence}");
        println!("report: {}", folder.report().display());
        eprintln!("{} in all", duration(began.elapsed().as_secs_f64()));
    }
    Ok(())
}

/// Trains the model of the run in `from` further, as was given; none if it was stopped.
pub fn one(
    given: &Table,
    from: &Folder,
    choice: &Choice,
    args: &NewRunArgs,
    began: Instant,
) -> Result<Option<Folder>> {
    let run = Run::load(from, &choice.for_now().device)?;
    let recipe = further(&run, given)?;
    let made = go(recipe, run, !given.contains_key("data"), args, choice, began)?;
    Ok(made.map(|(folder, _)| folder))
}

/// Trains on; its folder and what came of it in a sentence, or none if it was stopped.
fn go(
    recipe: Recipe,
    run: Run,
    is_own_data: bool,
    args: &NewRunArgs,
    choice: &Choice,
    began: Instant,
) -> Result<Option<(Folder, String)>> {
    run.autoencoder(WHY)?;
    let data = run.prepare(&recipe.data, is_own_data)?;
    let opened = &start::device(choice, args, || to_try(&run, &recipe, &data))?;
    let run = match opened.device == choice.for_now().device {
        true => &run,
        false => &Run::load(&run.folder, &opened.device)?,
    };
    let model = run.autoencoder(WHY)?.clone();
    let name = format!("{}-{}-{}", data.name, recipe.model.kind(), recipe.model.code());
    if recipe.head.is_some() {
        return with_head(run, model.to_encoder(), recipe, data, args, &name, opened, began);
    }
    let beginner = Beginner::with(model, &recipe)?;
    let start = Start::new(args, &recipe, &format!("{name}-finetuned"), opened, began)?;
    let made = train::finish(beginner, recipe, data, start, opened)?;
    Ok(made.map(|(folder, summary)| (folder, summary.sentence())))
}

const WHY: &str = "that is what is trained further";

/// What devices are tried with.
fn to_try(run: &Run, recipe: &Recipe, data: &Prepared) -> Option<Training> {
    let (path, of, name) = (run.folder.model(), recipe.clone(), data.name.clone());
    let classes = data.training.labels().map(class_names).unwrap_or_default();
    Some(Training::new(recipe, &data.training, move |device, samples, schedule, observer| {
        let (model, _) = ae_models::load::<Model>(&path, device)?;
        if of.head.is_none() {
            return Beginner::with(model, &of)?.take_steps(samples, schedule, observer);
        }
        let training = labels::labelled(&samples, &name, &classes)?;
        let data = LabelledData { training, validation: None };
        let classifier = with_new_head(model.to_encoder(), classes.len(), device)?;
        fit_classifier(classifier, &labels::supervised(&of)?, &data, schedule, observer)?;
        Ok(())
    }))
}

/// The recipe, and the run that it starts from.
fn begin(args: &FinetuneArgs, choice: &Choice) -> Result<(Recipe, Run)> {
    let given = args.recipe();
    let Some(from) = &args.from else {
        let resume = args.run.resume.as_ref();
        start::given(given, None, resume, Maker::Finetune)?;
        let resumed = Folder(resume.cloned().unwrap_or_default());
        let recipe = Recipe::read(&resumed.recipe())?;
        let from = recipe.from.clone().unwrap_or_default();
        let run = Run::load(&Folder::existing(&from)?, &choice.for_now().device)?;
        return Ok((recipe, run));
    };
    let kind = given.get("head").map(|head| head.get("kind").is_some());
    if kind == Some(false) {
        return Err(Error::usage(
            "--head-decay: expected a head beside it, got none; give --head softmax or --head svm, or \
             leave it out",
        ));
    }
    let run = Run::load(&Folder::existing(from)?, &choice.for_now().device)?;
    Ok((further(&run, &given)?, run))
}

/// The recipe of a run that starts from another.
fn further(run: &Run, given: &Table) -> Result<Recipe> {
    let mut data = run.data(&data_section(given))?;
    data.make_paths_absolute();
    let from = &run.folder.0;
    let absolute = std::path::absolute(from).unwrap_or_else(|_| from.clone());
    run.recipe.clone().further(given, data, absolute)
}

#[expect(clippy::too_many_arguments, reason = "the second half of one function")]
fn with_head(
    run: &Run,
    encoder: ModelEncoder,
    recipe: Recipe,
    data: Prepared,
    args: &NewRunArgs,
    name: &str,
    opened: &Opened,
    began: Instant,
) -> Result<Option<(Folder, String)>> {
    let Opened { device, name: device_name } = opened;
    let (parts, classes) = labels::parts(&data)?;
    let supervised = labels::supervised(&recipe)?;
    let schedule = recipe.schedule();
    schedule.check()?;
    let head = recipe.head.clone().unwrap_or_else(|| unreachable!("a head was asked for"));
    for count in &head.label_counts {
        check_count(*count, data.training.len())?;
    }
    let model = with_new_head(encoder, classes.len(), device)?;
    eprintln!("{model}");
    let name = format!("{name}-finetuned-{}", head.kind.name());
    let start = Start::new(args, &recipe, &name, opened, began)?;
    let mut observers = start.observers(schedule.epochs);
    let fitted = fit_classifier_with_checkpoints(
        model,
        &supervised,
        &parts,
        &schedule,
        &start.checkpoints,
        &mut observers,
    )
    .inspect_err(|_| start.discard_unless_started())?;
    if fitted.end == End::Stopped {
        start.say_stopped(fitted.done);
        return Ok(None);
    }
    let mut curve = read_curve(&start.folder)?;
    for count in &head.label_counts {
        if curve.iter().any(|known| known.labels == *count) {
            continue;
        }
        eprint!("with {count} labels: ");
        let Some(few) = few_labels(*count, run, &recipe, &parts, &data, device)? else {
            eprintln!();
            start.say_stopped(fitted.done);
            return Ok(None);
        };
        eprintln!(
            "{:.1} % right from the run's encoder, {:.1} % from random weights",
            100.0 * few.from_run,
            100.0 * few.from_random
        );
        curve.push(few);
        write_curve(&start.folder, &curve)?;
    }
    curve.sort_by_key(|few| few.labels);
    let best = fitted.best.map(|best| best.to_string());
    let about = start::about(&data, &recipe, supervised.to_string(), best)?;
    ae_models::save(&start.folder.model(), &fitted.model, &about)?;
    let trained = Trained { recipe, model: fitted.model, about, data };
    let mut summary =
        labels::summarize(&trained, fitted.epochs, device_name.clone(), start.seconds())?;
    summary.curve = curve;
    report::write_classifier(&start.folder, &trained, &summary)?;
    Ok(Some((start.folder, summary.sentence())))
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
            "--label-counts: expected numbers from 1 to {}, below the size of the training part, got \
             {count}",
            samples - 1
        ))),
    }
}

/// Steps after which few labels have taught what they can.
const STEPS: usize = 1000;

/// Trains twice with so many labels, in the same way: from the run's encoder, and from random weights.
/// The validation part chooses the epoch, the test part only tells. None if it was stopped.
fn few_labels(
    count: usize,
    run: &Run,
    recipe: &Recipe,
    parts: &LabelledData,
    data: &Prepared,
    device: &Device,
) -> Result<Option<FewLabels>> {
    let whole = recipe.schedule();
    let share = count as f64 / data.training.len() as f64;
    let (_, few) = ae_data::split(&data.training, share, whole.seed)?;
    let classes = parts.training.labels().names();
    let supervised = labels::supervised(recipe)?;
    let parts = LabelledData {
        training: labels::labelled(&few, &data.name, classes)?,
        validation: parts.validation.clone(),
    };
    let schedule = schedule_for(few.len(), data.training.len(), &whole);
    let test = labels::labelled(&data.test, &data.name, classes)?;
    let random = run.net.architecture().init(schedule.seed, device)?.to_encoder();
    let mut right = Vec::new();
    for encoder in [run.net.encoder(), random] {
        let model = with_new_head(encoder, classes.len(), device)?;
        let fitted = fit_classifier(model, &supervised, &parts, &schedule, &mut Interrupt::new())?;
        if fitted.end == End::Stopped {
            return Ok(None);
        }
        let answers = classify(&fitted.model, supervised.loss(), &test, schedule.batch)?;
        right.push(answers.classification.accuracy());
    }
    Ok(Some(FewLabels { labels: count, from_run: right[0], from_random: right[1] }))
}

/// Smaller batches, and as many steps as all labels have, but for more than are of use.
fn schedule_for(few: usize, all: usize, whole: &Schedule) -> Schedule {
    let batch = whole.batch.min((few / 8).max(16)).min(few);
    let steps = (all / whole.batch.min(all)) * whole.epochs;
    let epochs = steps.min(STEPS).div_ceil((few / batch).max(1)).max(whole.epochs);
    Schedule { batch, epochs, ..whole.clone() }
}

fn read_curve(folder: &Folder) -> Result<Vec<FewLabels>> {
    match folder.curve().is_file() {
        true => read_json(&folder.curve()),
        false => Ok(Vec::new()),
    }
}

fn write_curve(folder: &Folder, curve: &[FewLabels]) -> Result<()> {
    let text = serde_json::to_string_pretty(curve)
        .map_err(|error| Error::usage(format!("labels: {error}")))?;
    start::write(&folder.curve(), &text)
}
