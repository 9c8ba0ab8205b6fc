//! `ae check`.

use ae_recipe::{Command, Recipe, check_unused};
use ae_run::{open_data, plan};
use ae_train::format::count;
use serde_json::json;

use super::{Examples, print_json};
use crate::args::TrainArgs;
use crate::{Error, Result};

/// Say what `ae train` would do with data and settings, and train nothing
///
/// Takes the options of `ae train`. Reads the data, decides all settings and checks them, the memory and the model.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    train: TrainArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Examples for its help.
pub const EXAMPLES: Examples = &[(
    "check",
    [
        "ae check --data table.csv",
        "ae check --data photos/ --resize 64x64 --code 64",
        "ae check --data mnist --model dense --json",
    ],
)];

impl Args {
    pub fn run(&self) -> Result<()> {
        let run = &self.train.run;
        let checkpoints = run.checkpoint_minutes.is_some() || run.checkpoint_steps.is_some();
        if run.resume.is_some() || run.out.is_some() || checkpoints {
            return Err(Error::usage(
                "ae check writes and resumes no run; drop --out, --resume and --checkpoint-*",
            ));
        }
        let options = run.options()?;
        let settings = self.train.settings.recipe();
        let overrides = ae_run::recipe_overrides(
            settings.clone(),
            self.train.recipe.as_ref(),
            None,
            Command::Train,
        )?;
        let mut data = Recipe::data(&overrides)?;
        let choice = run.device.choice()?;
        data.make_paths_absolute();
        let set = open_data(&data, &*options.listener)?;
        let plan = plan(&overrides, data, set, Command::Train, &choice)?;
        check_unused(&settings, &plan.recipe)?;
        let recipe = plan.recipe.to_toml()?;
        let (schedule, has_steps) = (plan.recipe.schedule(), plan.steps > 0);
        if self.json {
            let recipe: toml::Table =
                recipe.parse().map_err(|error| Error::usage(format!("recipe: {error}")))?;
            return print_json(&json!({
                "data": plan.splits.name,
                "samples": plan.splits.sizes(),
                "features": plan.splits.training.width(),
                "code": plan.code,
                "parameters": plan.parameters,
                "epochs": has_steps.then_some(schedule.epochs),
                "steps": has_steps.then_some(plan.steps),
                "recipe": recipe,
            }));
        }
        println!("{}", plan.splits);
        match &plan.model {
            Some(model) => println!("{model}"),
            None => println!("PCA with {} components", plan.code),
        }
        if has_steps {
            println!(
                "objective: {}\n{} steps: {} epochs of batches of {}",
                plan.recipe.objective().objective()?,
                count(plan.steps as f64),
                schedule.epochs,
                schedule.batch
            );
        }
        println!("\nthe recipe, to save and change:\n\n{recipe}");
        Ok(())
    }
}
