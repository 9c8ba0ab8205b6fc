//! `ae classify`.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use ae_data::Labels;
use ae_data::write::write_cells;
use ae_models::{Classifier, ModelEncoder};
use ae_run::{FinishedRun, RunDir, SavedModel, SavedRun, SplitName, classifier};
use ae_train::format::{count, duration};
use ae_train::{Labelled, classify as evaluate};
use serde_json::json;

use super::{Examples, print_json};
use crate::args::{Classifying, DeviceArgs, NewRunArgs, RecipeArgs, open_run};
use crate::outputs::check_file;
use crate::{Error, Result};

/// Train a classifier on the codes of a run, whose encoder stays fixed, and predict classes
///
/// For the run of an autoencoder, trains a head on the codes of its training set and saves both as a
/// new run. For the run of a classifier, only predicts.
#[derive(Debug, clap::Args)]
#[command(allow_negative_numbers = true)]
pub struct Args {
    /// Folder of a run: an autoencoder to train a head for, or a classifier
    #[arg(value_name = "RUN")]
    from: PathBuf,
    #[command(flatten)]
    device: DeviceArgs,
    /// Write the predicted class of every sample
    #[arg(short, long, value_name = "FILE.csv")]
    predictions: Option<PathBuf>,
    /// Replace a file of predictions that exists
    #[arg(long, requires = "predictions")]
    force: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// training, validation, test or all; `all` keeps the order of the source and needs data without a
    /// published test set [default: test; with --data all, where possible]
    #[arg(long, alias = "part", value_name = "SPLIT")]
    split: Option<SplitName>,
    #[command(flatten)]
    settings: RecipeArgs<Classifying>,
    /// Folder to create for the classifier [default: one in runs/, named after data and model]
    #[arg(short, long, value_name = "FOLDER", help_heading = "Head")]
    out: Option<PathBuf>,
}

/// Examples for its help.
pub const EXAMPLES: Examples = &[(
    "classify",
    [
        "ae classify runs/mnist-dense-30-pretrained       # train a head on its codes",
        "ae classify runs/digits-conv-32 --head svm --out classifier",
        "ae classify classifier --data photos/ --predictions classes.csv",
    ],
)];

impl Args {
    pub fn run(&self) -> Result<()> {
        if let Some(path) = &self.predictions
            && path.extension().is_none_or(|end| !end.eq_ignore_ascii_case("csv"))
        {
            let message = format!("{}: expected a .csv file", path.display());
            return Err(Error::usage(message));
        }
        if let Some(path) = &self.predictions {
            let inputs = RunDir::existing(&self.from)?.inputs(&self.settings.section("data"))?;
            check_file(path, self.force, inputs.iter().map(PathBuf::as_path))?;
        }
        let (run, device) = open_run(&self.from, &self.device)?;
        if let SavedModel::Classifier(model) = &run.model {
            if self.settings.recipe().keys().any(|section| section != "data") || self.out.is_some()
            {
                return Err(Error::usage(format!(
                    "{}: the run is already a classifier, so options of training do not apply; drop \
                     them, or use the run it was trained from",
                    self.from.display()
                )));
            }
            return predict(&run, model, &self.settings, self);
        }
        let overrides = self.settings.recipe();
        let options = NewRunArgs { out: self.out.clone(), ..NewRunArgs::default() }.options()?;
        let started = Instant::now();
        let trained = ae_run::train_head(&run, &overrides, &options, &device, started)?;
        let Some(finished) = trained else { return Ok(()) };
        let finished = FinishedRun::Classifier(Box::new(finished));
        ae_report::write(&finished)?;
        eprintln!("{} in total", duration(started.elapsed().as_secs_f64()));
        let folder = finished.folder();
        let run = SavedRun::load(folder, &device.handle)?;
        match &run.model {
            SavedModel::Classifier(model) => predict(&run, model, &RecipeArgs::default(), self)?,
            SavedModel::Autoencoder(_) => unreachable!("a classifier was saved"),
        }
        if !self.json {
            println!("report: {}", folder.report().display());
        }
        Ok(())
    }
}

/// Prints the accuracy, and writes the predicted class of each sample if `--predictions` asks for it.
fn predict(
    run: &SavedRun,
    model: &Classifier<ModelEncoder>,
    data: &RecipeArgs<Classifying>,
    args: &Args,
) -> Result<()> {
    let classes = classifier::classes(run)?;
    let selection = data.samples(run, args.split)?;
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
    if !args.json {
        println!("{}: {} samples", selection.title(), count(samples.len() as f64));
    }
    match samples.labels() {
        Some(_) if args.json => print_json(&json!({
            "run": run.folder.0,
            "data": selection.name,
            "split": selection.split.to_string(),
            "classes": classes,
            "classification": predictions.classification,
        }))?,
        Some(_) => print!("{}", predictions.classification.to_text(&classes)),
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
        // Standard output is JSON, or nothing.
        if !args.json {
            println!("{} predictions: {}", predictions.classes.len(), path.display());
        }
    }
    Ok(())
}
