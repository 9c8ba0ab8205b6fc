//! `ae finetune`.

use std::path::PathBuf;
use std::time::Instant;

use ae_device::Choice;
use ae_recipe::{Command, Recipe, check_unused};
use ae_run::{RunDir, RunOptions, SavedRun};

use super::Examples;
use crate::args::{EndArgs, Finetuning, NewRunArgs, RecipeArgs};
use crate::{Error, Result};

/// Train all weights of a run's model further: as an autoencoder, or with a head as a classifier
#[derive(Debug, clap::Args)]
#[command(allow_negative_numbers = true)]
pub struct Args {
    /// Folder of the run to train further
    #[arg(value_name = "RUN", required_unless_present = "resume", conflicts_with = "resume")]
    from: Option<PathBuf>,
    #[command(flatten)]
    settings: RecipeArgs<Finetuning>,
    #[command(flatten)]
    run: NewRunArgs,
    #[command(flatten)]
    end: EndArgs,
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
        let is_own_data = self.settings.section("data").is_empty() && options.resume.is_none();
        let trained = ae_run::finetune(recipe, run, is_own_data, &options, &choice, started)?;
        match trained {
            Some(finished) => self.end.finish(&finished, started),
            None => Ok(()),
        }
    }

    /// The recipe, and the run to start from.
    fn open(&self, options: &RunOptions, choice: &Choice) -> Result<(Recipe, SavedRun)> {
        let overrides = self.settings.recipe();
        let load = |folder| SavedRun::load(&folder, &choice.provisional().handle);
        let Some(from) = &self.from else {
            let resume = options.resume.as_ref();
            ae_run::recipe_overrides(overrides, None, resume, Command::Finetune)?;
            let resumed = RunDir(resume.cloned().unwrap_or_default());
            let recipe = Recipe::read(&resumed.recipe())?;
            let from = recipe.from.clone().unwrap_or_default();
            return Ok((recipe, load(RunDir::existing(&from)?)?));
        };
        let head = self.settings.section("head");
        if head.contains_key("weight_decay") && !head.contains_key("kind") {
            return Err(Error::usage(
                "--head-decay needs a head; add --head softmax or --head svm, or drop it",
            ));
        }
        let run = load(RunDir::existing(from)?)?;
        let recipe = ae_run::derive_recipe(&run, &overrides)?;
        check_unused(&overrides, &recipe)?;
        Ok((recipe, run))
    }
}
