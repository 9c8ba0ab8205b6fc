//! `ae finetune`.

use std::path::PathBuf;
use std::time::Instant;

use ae_device::Choice;
use ae_recipe::{Command, Recipe, check_unused};
use ae_run::{RunDir, RunOptions, SavedRun};
use ae_train::format::duration;
use toml::Table;

use super::Examples;
use crate::args::values::{filled, put};
use crate::args::{DataArgs, HeadArgs, NewRunArgs, ObjectiveArgs, ScheduleArgs};
use crate::{Error, Result};

/// Train all weights of a run's model further: as an autoencoder, or with a head as a classifier
#[derive(Debug, clap::Args)]
#[command(allow_negative_numbers = true)]
pub struct Args {
    /// Folder of the run to train further
    #[arg(value_name = "RUN", required_unless_present = "resume", conflicts_with = "resume")]
    from: Option<PathBuf>,
    #[command(flatten)]
    head: HeadArgs,
    /// Also train on only this many labels, from the pretrained encoder and from scratch, and plot both
    #[arg(
        long,
        value_name = "N,N,..",
        value_delimiter = ',',
        requires = "head",
        help_heading = "Head"
    )]
    label_counts: Option<Vec<usize>>,
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    objective: ObjectiveArgs,
    /// Number of epochs [default: that of the run]
    #[arg(short, long, value_name = "N", help_heading = "Training")]
    epochs: Option<usize>,
    #[command(flatten)]
    schedule: ScheduleArgs,
    #[command(flatten)]
    run: NewRunArgs,
}

/// Examples for its help.
pub const EXAMPLES: Examples = &[(
    "finetune",
    [
        "ae finetune runs/mnist-dense-30-pretrained",
        "ae finetune runs/mnist-dense-30-pretrained --head softmax --label-counts 100,1000",
        "ae finetune runs/digits-conv-32 --epochs 5 --lr 0.0005",
    ],
)];

impl Args {
    pub fn run(&self) -> Result<()> {
        let started = Instant::now();
        let options = self.run.options()?;
        let choice = self.run.device.choice()?;
        let (recipe, run) = self.open(&options, &choice)?;
        let is_own_data = self.data.is_empty() && options.resume.is_none();
        let trained = ae_run::finetune(recipe, run, is_own_data, &options, &choice, started)?;
        if let Some(finished) = trained {
            ae_report::write(&finished)?;
            println!("{}", finished.sentence());
            println!("report: {}", finished.folder().report().display());
            eprintln!("{} in total", duration(started.elapsed().as_secs_f64()));
        }
        Ok(())
    }

    /// The recipe, and the run to start from.
    fn open(&self, options: &RunOptions, choice: &Choice) -> Result<(Recipe, SavedRun)> {
        let overrides = self.recipe();
        let load = |folder| SavedRun::load(&folder, &choice.provisional().handle);
        let Some(from) = &self.from else {
            let resume = options.resume.as_ref();
            ae_run::overrides(overrides, None, resume, Command::Finetune)?;
            let resumed = RunDir(resume.cloned().unwrap_or_default());
            let recipe = Recipe::read(&resumed.recipe())?;
            let from = recipe.from.clone().unwrap_or_default();
            return Ok((recipe, load(RunDir::existing(&from)?)?));
        };
        let kind = overrides.get("head").map(|head| head.get("kind").is_some());
        if kind == Some(false) {
            return Err(Error::usage(
                "--head-decay needs a head; add --head softmax or --head svm, or drop it",
            ));
        }
        let run = load(RunDir::existing(from)?)?;
        let recipe = ae_run::derive_recipe(&run, &overrides)?;
        check_unused(&overrides, &recipe)?;
        Ok((recipe, run))
    }

    /// The options as a recipe.
    fn recipe(&self) -> Table {
        let mut recipe = Table::new();
        put(&mut recipe, "data", filled(self.data.section()));
        put(&mut recipe, "objective", filled(self.objective.section()));
        put(&mut recipe, "schedule", filled(self.schedule.section(self.epochs)));
        put(&mut recipe, "head", filled(self.head.section(self.label_counts.as_deref())));
        recipe
    }
}
