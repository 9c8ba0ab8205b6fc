//! `ae sweep`.

use std::time::Instant;

use ae_experiment::sweep::{Grid, check_weight, sweep};
use ae_recipe::{Command, Recipe};
use ae_train::format::duration;
use serde_json::json;
use toml::Value;

use super::{Examples, print_json};
use crate::args::TrainArgs;
use crate::args::values::weights;
use crate::{Error, Result};
use ae_recipe::parse::{code, corruption};

/// Train a grid of models and plot the error by code size, next to PCA
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Code sizes, such as 2,4,8
    #[arg(
        long,
        value_name = "N,N,..",
        value_delimiter = ',',
        value_parser = code,
        conflicts_with = "code",
        help_heading = "Grid"
    )]
    codes: Option<Vec<Value>>,
    /// Corruptions, such as none,masking:0.25
    #[arg(
        long,
        value_name = "NOISE,..",
        value_delimiter = ',',
        value_parser = corruption,
        conflicts_with = "corrupt",
        help_heading = "Grid"
    )]
    corruptions: Option<Vec<Value>>,
    #[arg(
        long,
        value_name = "PENALTY:W,W,..",
        value_parser = weights,
        help_heading = "Grid",
        help = format!(
            "Weights of a penalty ({}), such as l1:0,0.001",
            ae_train::PENALTIES.map(|kind| kind.option).join(", ")
        )
    )]
    weights: Option<(String, Vec<f64>)>,
    #[command(flatten)]
    train: TrainArgs,
    /// Print the results as JSON, as in summary.json
    #[arg(long, help_heading = "Run")]
    json: bool,
}

/// Examples for its help.
pub const EXAMPLES: Examples = &[(
    "sweep",
    [
        "ae sweep --codes 2,4,8,16,32",
        "ae sweep --codes 8,32 --weights l1:0,0.001,0.01",
        "ae sweep --data mnist --codes 16 --corruptions none,masking:0.25",
    ],
)];

impl Args {
    pub fn run(&self) -> Result<()> {
        let started = Instant::now();
        let grid = self.grid()?;
        let choice = self.train.run.device.choice()?;
        let options = self.train.run.options()?;
        if let Some((folder, summary)) =
            sweep(&grid, &self.train.settings.recipe(), &options, &choice)?
        {
            if self.json {
                let sweep =
                    json!({ "sweep": folder.0, "report": folder.report(), "summary": summary });
                print_json(&sweep)?;
            } else {
                print!("{}", summary.to_text());
                println!("report: {}", folder.report().display());
            }
            eprintln!("{} in total", duration(started.elapsed().as_secs_f64()));
        }
        Ok(())
    }

    /// The grid of the options, or of the sweep to resume.
    fn grid(&self) -> Result<Grid> {
        let options = self.train.settings.recipe();
        let has_grid = self.codes.is_some() || self.corruptions.is_some() || self.weights.is_some();
        if let Some(sweep) = &self.train.run.resume {
            if has_grid || !options.is_empty() || self.train.recipe.is_some() {
                return Err(Error::usage(
                    "--resume uses the saved grid; only --device and --checkpoint-* may be given with it",
                ));
            }
            return Ok(Grid::read(sweep)?);
        }
        if !has_grid {
            return Err(Error::usage(
                "sweep needs a grid; add --codes 2,4,8,16,32, --corruptions or --weights",
            ));
        }
        if let Some((penalty, _)) = &self.weights {
            check_weight(penalty, &options)?;
        }
        let recipe = self.train.recipe.as_ref();
        let mut overrides = ae_run::recipe_overrides(options, recipe, None, Command::Train)?;
        // A sweep is resumed from any folder.
        let mut data = Recipe::data(&overrides)?;
        data.make_paths_absolute();
        data.put_paths(&mut overrides);
        let (penalty, weights) = self.weights.clone().unzip();
        Ok(Grid {
            codes: self.codes.clone().unwrap_or_default(),
            corruptions: self.corruptions.clone().unwrap_or_default(),
            penalty,
            weights: weights.unwrap_or_default(),
            overrides,
        })
    }
}
