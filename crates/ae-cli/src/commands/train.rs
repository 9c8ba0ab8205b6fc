//! `ae train`.

use std::time::Instant;

use ae_recipe::{Command, Recipe, check_unused};
use ae_run::{FinishedRun, open_data};

use super::Examples;
use crate::Result;
use crate::args::{EndArgs, TrainArgs};

/// Train a model and write a report
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Args {
    #[command(flatten)]
    pub train: TrainArgs,
    #[command(flatten)]
    pub end: EndArgs,
}

impl Args {
    pub fn run(&self) -> Result<()> {
        train(&self.train, self.end, Command::Train)
    }
}

/// Examples for its help.
pub const EXAMPLES: Examples = &[(
    "train",
    [
        "ae train --data mnist --code 16",
        "ae train --data table.csv --label-column kind --epochs 100",
        "ae train --corrupt masking:0.25                  # a denoising autoencoder",
    ],
)];

/// Trains by the command `train` or `pretrain`.
pub fn train(args: &TrainArgs, end: EndArgs, command: Command) -> Result<()> {
    let started = Instant::now();
    let options = args.run.options()?;
    let (file, resume) = (args.recipe.as_ref(), options.resume.as_ref());
    let overrides = ae_run::recipe_overrides(args.settings.recipe(), file, resume, command)?;
    let mut data = Recipe::data(&overrides)?;
    let choice = args.run.device.choice()?;
    data.make_paths_absolute();
    let set = open_data(&data, &*options.listener)?;
    if options.resume.is_none() {
        let (data, training) = (data.clone(), &set.splits.training);
        let recipe = Recipe::complete(&overrides, data, training.shape(), training.len(), command)?;
        check_unused(&args.settings.recipe(), &recipe)?;
    }
    let trained = ae_run::train(&overrides, data, set, command, &choice, &options, started)?;
    match trained {
        Some(finished) => end.finish(&FinishedRun::Autoencoder(Box::new(finished)), started),
        None => Ok(()),
    }
}
