//! `ae interpolate`, the old form of `ae latent`.

use super::Examples;
use super::latent::{OutputArgs, PathArgs, Task, draw};
use crate::args::RunArgs;
use crate::args::values::ends;
use crate::{Error, Result};

/// Old form of `ae latent`
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    run: RunArgs,
    /// See `ae latent path`
    #[arg(
        long,
        value_name = "FROM:TO,..",
        value_delimiter = ',',
        value_parser = ends,
        group = "what"
    )]
    pairs: Option<Vec<(String, String)>>,
    /// See `ae latent path`
    #[arg(
        long,
        value_name = "FROM:TO,..",
        value_delimiter = ',',
        value_parser = ends,
        group = "what"
    )]
    classes: Option<Vec<(String, String)>>,
    /// See `ae latent traverse`
    #[arg(long, value_name = "N,..", value_delimiter = ',', group = "what")]
    unit: Option<Vec<usize>>,
    /// See `ae latent means`
    #[arg(long, group = "what")]
    class_means: bool,
    /// See `ae latent neighbors`
    #[arg(long, value_name = "N", group = "what")]
    nearest: Option<usize>,
    /// See `ae latent traverse` and `ae latent neighbors`
    #[arg(long, value_name = "N", conflicts_with_all = ["pairs", "classes", "class_means"])]
    sample: Option<usize>,
    /// See `ae latent path` and `ae latent traverse`
    #[arg(long, value_name = "N", conflicts_with_all = ["class_means", "nearest"])]
    steps: Option<usize>,
    #[command(flatten)]
    output: OutputArgs,
}

/// Examples for its help.
pub const EXAMPLES: Examples = &[(
    "interpolate",
    [
        "ae interpolate runs/digits-conv-32",
        "ae interpolate runs/digits-conv-32 --unit 0,3",
        "ae interpolate runs/digits-conv-32 --nearest 8",
    ],
)];

impl Args {
    pub fn run(&self) -> Result<()> {
        let path = PathArgs {
            pairs: self.pairs.clone(),
            classes: self.classes.clone(),
            steps: self.steps,
        };
        let task = if let Some(units) = &self.unit {
            Task::Traverse { units, sample: self.sample, steps: self.steps }
        } else if self.class_means {
            Task::Means
        } else if let Some(count) = self.nearest {
            Task::Neighbors { count, sample: self.sample }
        } else if self.sample.is_some() {
            return Err(Error::usage(
                "--sample needs --unit or --nearest; to choose the ends of paths use --pairs",
            ));
        } else {
            Task::Path(&path)
        };
        draw(&self.run, &self.output, "interpolation", &task)
    }
}
