//! `ae train` and `ae pretrain`.

use std::time::Instant;

use ae_data::DataSet;
use toml::Table;

use crate::args::{NewRunArgs, TrainArgs};
use crate::device::{self, Choice, Opened, Training};
use crate::error::Result;
use crate::learn::{Beginner, Learned};
use crate::observers::duration;
use crate::recipe::{DataRecipe, Maker, ModelRecipe, Recipe};
use crate::report;
use crate::run::Trained;
use crate::session::{Folder, Prepared, open_data};
use crate::start::{self, Start};
use crate::summary::{Summary, summarize};

pub fn train(args: &TrainArgs) -> Result<()> {
    make(args, Maker::Train)
}

pub fn pretrain(args: &TrainArgs) -> Result<()> {
    make(args, Maker::Pretrain)
}

fn make(args: &TrainArgs, maker: Maker) -> Result<()> {
    let began = Instant::now();
    let NewRunArgs { resume, device, .. } = &args.run;
    let given = start::given(args.recipe(), args.recipe.as_ref(), resume.as_ref(), maker)?;
    let mut data = Recipe::data(&given)?;
    let choice = device::choice(&device.device.clone().unwrap_or_default())?;
    data.make_paths_absolute();
    let set = open_data(&data)?;
    if let Some((folder, summary)) = one(&given, data, set, maker, &choice, &args.run, began)? {
        println!("{}", summary.sentence());
        println!("report: {}", folder.report().display());
        eprintln!("{} in all", duration(began.elapsed().as_secs_f64()));
    }
    Ok(())
}

/// Makes one run; none if it was stopped.
pub fn one(
    given: &Table,
    data: DataRecipe,
    set: DataSet,
    maker: Maker,
    choice: &Choice,
    args: &NewRunArgs,
    began: Instant,
) -> Result<Option<(Folder, Summary)>> {
    let training = &set.parts.training;
    let recipe = Recipe::complete(given, data, training.shape(), training.len(), maker)?;
    recipe
        .check_checkpoints(args.checkpoint_minutes.is_some() || args.checkpoint_steps.is_some())?;
    let data = Prepared::new(set, &recipe.data, None)?;
    args.voice.say(&data);
    let opened = start::device(choice, args, || to_try(&recipe, &data))?;
    let beginner = Beginner::new(&recipe, &data.training, &opened.device)?;
    let end = if maker == Maker::Pretrain { "-pretrained" } else { "" };
    let name = format!("{}-{}-{}{end}", data.name, recipe.model.kind(), recipe.model.code());
    let start = Start::new(args, &recipe, &name, &opened, began)?;
    finish(beginner, recipe, data, start, &opened)
}

/// What devices are tried with; none where nothing is trained in steps.
pub fn to_try(recipe: &Recipe, data: &Prepared) -> Option<Training> {
    if let ModelRecipe::Pca(_) = recipe.model {
        return None;
    }
    let of = recipe.clone();
    Some(Training::new(recipe, &data.training, move |device, samples, schedule, observer| {
        Beginner::new(&of, &samples, device)?.take_steps(samples, schedule, observer)
    }))
}

/// Trains an autoencoder, saves it and writes the report; none if it was stopped.
pub fn finish(
    beginner: Beginner,
    recipe: Recipe,
    data: Prepared,
    start: Start,
    opened: &Opened,
) -> Result<Option<(Folder, Summary)>> {
    let Opened { device, name } = opened;
    let Some(learned) = beginner.learn(&recipe, &data, &start, device)? else { return Ok(None) };
    let Learned { model, objective, epochs, layers, best } = learned;
    let seconds = start.seconds();
    let about = start::about(&data, &recipe, objective, best)?;
    ae_models::save(&start.folder.model(), &model, &about)?;
    let trained = Trained { recipe, model, about, data };
    let (mut summary, pca) = summarize(&trained, &epochs, device, name.clone(), seconds)?;
    summary.layers = layers;
    report::write(&start.folder, &trained, &summary, &pca, device)?;
    Ok(Some((start.folder, summary)))
}
