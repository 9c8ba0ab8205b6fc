//! `ae train`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ae_data::Shape;
use ae_models::About;
use ae_train::{Checkpoints, Data, End, Observer, fit_with_checkpoints};
use toml::Table;

use crate::args::TrainArgs;
use crate::device::{self, Opened};
use crate::error::{Error, Result};
use crate::observers::{Interrupt, Metrics, Terminal, duration};
use crate::recipe::{Recipe, read_table};
use crate::report;
use crate::session::{COLUMNS, Folder, Prepared, TRAINING_PART, Trained, open_data};
use crate::summary::summarize;

pub fn train(args: &TrainArgs) -> Result<()> {
    let began = Instant::now();
    let given = given(args)?;
    let mut data_recipe = Recipe::data(&given)?;
    let (Opened { device, name: device_name }, why) =
        device::open(&args.device.device.clone().unwrap_or_default())?;
    eprintln!("{why}");

    data_recipe.make_paths_absolute();
    let set = open_data(&data_recipe)?;
    let training = &set.parts.training;
    let recipe = Recipe::complete(&given, data_recipe, training.shape(), training.len())?;
    let data = Prepared::new(set, &recipe.data, None)?;
    eprintln!(
        "{}, {}: {} samples of {} to train on, {} to validate, {} to test",
        data.name,
        data.what,
        data.training.len(),
        data.training.shape(),
        data.validation.len(),
        data.test.len()
    );
    let architecture = recipe.model.architecture(data.training.shape())?;
    let model = architecture.init(recipe.schedule.seed, &device)?;
    eprintln!("{model}");
    let objective = recipe.objective.objective()?;
    objective.check(&model)?;
    recipe.schedule.check()?;

    let every = checkpoint_interval(args)?;

    let folder = folder(args, &recipe, &data)?;
    write(&folder.recipe(), &recipe.to_toml()?)?;
    let mut observers: Vec<Box<dyn Observer>> = vec![
        Box::new(Interrupt::new()),
        Box::new(Metrics::new(folder.metrics())),
        Box::new(Terminal::new(recipe.schedule.epochs)),
    ];
    let parts = Data {
        training: Arc::new(data.training.clone()),
        validation: Some(Arc::new(data.validation.clone())),
    };
    let mut checkpoints = Checkpoints::new(folder.checkpoints());
    checkpoints.every_steps = args.checkpoint_steps;
    checkpoints.every = every.or(checkpoints.every);
    let fitted = fit_with_checkpoints(
        model,
        &objective,
        &parts,
        &recipe.schedule,
        &checkpoints,
        &mut observers,
    )
    .inspect_err(|_| discard_unless_started(args, &folder))?;
    match fitted.end {
        End::Stopped => {
            eprintln!(
                "stopped after step {}; go on with: ae train --resume {}",
                fitted.done,
                folder.0.display()
            );
            return Ok(());
        }
        End::Patience => eprintln!("no better validation loss any more: training ends here"),
        End::Complete => {}
    }
    let seconds = args.resume.is_none().then(|| began.elapsed().as_secs_f64());

    let mut about = About {
        preprocessing: serde_json::to_value(data.training.preprocessing())
            .map_err(|error| Error::usage(format!("preprocessing: {error}")))?,
        provenance: BTreeMap::from([
            ("program".to_owned(), format!("ae {}", env!("CARGO_PKG_VERSION"))),
            ("data".to_owned(), data.name.clone()),
            (TRAINING_PART.to_owned(), Prepared::fingerprint(&data.training)),
            ("objective".to_owned(), objective.to_string()),
            ("seed".to_owned(), recipe.schedule.seed.to_string()),
            ("epoch".to_owned(), fitted.best.map_or("last".to_owned(), |best| best.to_string())),
        ]),
    };
    if let Shape::Table { columns } = data.training.shape() {
        about.provenance.insert(COLUMNS.to_owned(), columns.join("\n"));
    }
    ae_models::save(&folder.model(), &fitted.model, &about)?;
    let trained = Trained { recipe, model: fitted.model, about, data };
    let (summary, pca) = summarize(&trained, &fitted.epochs, &device, device_name, seconds)?;
    report::write(&folder, &trained, &summary, &pca, &device)?;
    println!("{}", summary.sentence());
    println!("report: {}", folder.report().display());
    eprintln!("{} in all", duration(began.elapsed().as_secs_f64()));
    Ok(())
}

/// What the user gave: of a run that goes on its recipe, else options over a recipe's file.
fn given(args: &TrainArgs) -> Result<Table> {
    let options = args.recipe();
    if let Some(run) = &args.resume {
        if !options.is_empty() || args.recipe.is_some() {
            return Err(Error::usage(
                "--resume goes on with the recipe of the run: expected no option but --device and \
                 those of checkpoints, got others",
            ));
        }
        return read_table(&Folder::existing(run)?.recipe());
    }
    let mut table = match &args.recipe {
        Some(path) => read_table(path)?,
        None => Table::new(),
    };
    if let (Some(toml::Value::Table(base)), Some(given)) =
        (table.get_mut("data"), options.get("data"))
        && given.get("source").is_some()
    {
        // What was said of the other data is not said of this.
        base.retain(|key, _| ["validation", "preprocess", "seed"].contains(&key));
    }
    crate::recipe::merge(&mut table, &options);
    Ok(table)
}

fn folder(args: &TrainArgs, recipe: &Recipe, data: &Prepared) -> Result<Folder> {
    let make = |path: PathBuf| {
        std::fs::create_dir_all(&path).map_err(Error::io(&path))?;
        Ok(Folder(path))
    };
    if let Some(run) = &args.resume {
        return Ok(Folder(run.clone()));
    }
    if let Some(out) = &args.out {
        let is_taken = std::fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_some());
        if is_taken {
            return Err(Error::usage(format!(
                "{}: expected a new or empty folder, got one with files; to go on with the run in \
                 it: ae train --resume {}",
                out.display(),
                out.display()
            )));
        }
        return make(out.clone());
    }
    let is_plain = |c: &char| c.is_alphanumeric() || "-_.".contains(*c);
    let data: String = data.name.chars().filter(is_plain).collect();
    let name = format!("{data}-{}-{}", recipe.model.kind(), recipe.model.code());
    let path = |number: usize| match number {
        1 => PathBuf::from("runs").join(&name),
        _ => PathBuf::from("runs").join(format!("{name}-{number}")),
    };
    let number = (1..).find(|number| !path(*number).exists()).unwrap_or(1);
    make(path(number))
}

fn checkpoint_interval(args: &TrainArgs) -> Result<Option<Duration>> {
    let Some(minutes) = args.checkpoint_minutes else { return Ok(None) };
    match Duration::try_from_secs_f64(60.0 * minutes) {
        Ok(every) if !every.is_zero() => Ok(Some(every)),
        _ => Err(Error::usage(format!(
            "--checkpoint-minutes: expected a number above 0, got {minutes}"
        ))),
    }
}

/// Takes the folder of a run away again that was refused before its first step: data is only seen
/// not to suit the objective once it is read.
fn discard_unless_started(args: &TrainArgs, folder: &Folder) {
    if args.resume.is_some() || folder.metrics().exists() {
        return;
    }
    // A folder that holds anything else is not removed, and stays.
    let _ = std::fs::remove_file(folder.recipe());
    let _ = std::fs::remove_dir(folder.checkpoints());
    let _ = std::fs::remove_dir(&folder.0);
    if let Some(parent) = folder.0.parent().filter(|parent| parent.ends_with("runs")) {
        let _ = std::fs::remove_dir(parent);
    }
}

fn write(path: &std::path::Path, text: &str) -> Result<()> {
    Ok(ae_models::tensors::write_atomically(path, text.as_bytes())?)
}
