//! `ae pretrain`.

use ae_recipe::Command;

use super::Examples;
use super::train::train;
use crate::Result;
use crate::args::{EndArgs, TrainArgs};

/// Train a deep model layer by layer, each layer on the codes of the one below
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    pub train: TrainArgs,
    #[command(flatten)]
    pub end: EndArgs,
}

impl Args {
    pub fn run(&self) -> Result<()> {
        train(&self.train, self.end, Command::Pretrain)
    }
}

/// Examples for its help.
pub const EXAMPLES: Examples = &[(
    "pretrain",
    [
        "ae pretrain --data mnist --code 30",
        "ae pretrain --hidden 500,250 --corrupt masking:0.25",
        "ae finetune runs/mnist-dense-30-pretrained --head softmax    # the next step",
    ],
)];
