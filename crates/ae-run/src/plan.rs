//! What a training would do, without a step of it.

use ae_data::DataSet;
use ae_device::Choice;
use ae_models::Encoder;
use ae_recipe::{Command, DataRecipe, Recipe};
use burn::module::Module;
use toml::Table;

use crate::train_job::TrainJob;
use crate::{Result, Splits, memory};

/// What a training would do.
#[derive(Clone)]
pub struct Plan {
    /// Every setting, with those that the data decides.
    pub recipe: Recipe,
    /// The data in its splits.
    pub splits: Splits,
    /// The model and its layers, in lines; `None` for PCA, which is fitted.
    pub model: Option<String>,
    /// Parameters of the model.
    pub parameters: usize,
    /// Units of the code.
    pub code: usize,
    /// Steps of all epochs.
    pub steps: usize,
}

/// The plan of a training: the same checks as before one, and the model that it would begin with.
///
/// # Errors
/// If the recipe does not fit the data, or memory does not suffice.
pub fn plan(
    overrides: &Table,
    data: DataRecipe,
    set: DataSet,
    command: Command,
    choice: &Choice,
) -> Result<Plan> {
    let training = &set.splits.training;
    let recipe = Recipe::complete(overrides, data, training.shape(), training.len(), command)?;
    memory::check(&recipe, training.shape(), training.len(), choice)?;
    let splits = Splits::new(set, &recipe.data, None)?;
    let job = TrainJob::new(&recipe, &splits.training, &choice.provisional().handle)?;
    let (model, parameters, code) = match &job {
        TrainJob::Whole(model, _) => {
            (Some(model.to_string()), model.num_params(), model.code_size())
        }
        TrainJob::Layers(stack, _) => {
            (Some(stack.to_string()), stack.num_params(), stack.code_size())
        }
        TrainJob::Pca { components } => (None, 0, *components),
    };
    let schedule = recipe.schedule();
    let steps = match model {
        // What is left after the last whole batch waits for another epoch's order.
        Some(_) => {
            let training = splits.training.len();
            schedule.epochs * (training / schedule.batch.clamp(1, training.max(1)))
        }
        None => 0,
    };
    Ok(Plan { recipe, splits, model, parameters, code, steps })
}
