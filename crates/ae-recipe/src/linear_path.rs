//! Whether principal components run parallel to the layers.

use ae_data::Shape;
use ae_models::{Activation, Architecture};
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use super::model::ModelRecipe;
use super::objective::ObjectiveRecipe;
use super::{Command, Recipe};
use crate::error::{Error, Result};

/// Whether a linear path runs parallel to the layers. A recipe file without this setting means off, as in all runs
/// before there was such a path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinearPath {
    /// On, if the model can have one and the objective has no penalty.
    Auto,
    /// On.
    On,
    /// Off.
    #[default]
    Off,
}

/// Sets the linear path of a recipe file to off, unless the file has the setting.
pub fn off_unless_given(given: &mut Table) {
    let model = given.entry("model").or_insert_with(|| Value::Table(Table::new()));
    if let Value::Table(model) = model
        && model.get("kind").and_then(Value::as_str) != Some("pca")
    {
        model.entry("linear_path").or_insert_with(|| "off".into());
    }
}

/// Resolves `auto`. `samples` is the size of the training part.
pub(super) fn decide(
    model: &mut ModelRecipe,
    objective: &ObjectiveRecipe,
    shape: &Shape,
    command: Command,
) -> Result<()> {
    let is_layers = command == Command::Pretrain;
    let suits = !is_layers && is_possible(model, shape) && helps(objective, shape, model);
    match model.linear_path_mut() {
        Some(LinearPath::On) if is_layers => Err(Error::usage(
            "--linear-path: pretraining trains one layer after the other, and the path spans all of them; leave \
             it out",
        )),
        Some(path @ LinearPath::Auto) => {
            *path = if suits { LinearPath::On } else { LinearPath::Off };
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Whether the model can have one, and PCA leaves an error to reduce.
fn is_possible(model: &ModelRecipe, shape: &Shape) -> bool {
    let architecture = model.architecture(shape);
    let (tied, top_k, code_activation, code) = match &architecture {
        Ok(Architecture::Dense(it)) => {
            (it.tied, it.top_k, it.code_activation, it.widths.last().copied())
        }
        Ok(Architecture::Conv(it)) => (it.tied, it.top_k, it.code_activation, it.code),
        _ => return false,
    };
    let output = model.output();
    !tied
        && top_k.is_none()
        && code_activation == Activation::Identity
        && matches!(output, Activation::Identity | Activation::Sigmoid)
        && code.is_some_and(|units| units > 0 && units < shape.features())
        && !model.is_linear()
}

/// Weights of a path at most: 256 MiB in encoder and decoder each.
const MOST: usize = 1 << 26;

/// Whether it reduced the validation loss. It did on every table and set of images that was tried, from 12 images to
/// 60,000, also with noise and with dropout (`benches/README.md`). Not with large penalties, which principal components
/// do not avoid: on 5,000 digits 1 times the L1 norm of the code gave 68.9 instead of 63.9, 10 times the contraction 258
/// instead of 64.0.
fn helps(objective: &ObjectiveRecipe, shape: &Shape, model: &ModelRecipe) -> bool {
    let units = model.architecture(shape).map_or(0, |it| it.code_size());
    objective.active_penalties().next().is_none() && units.saturating_mul(shape.features()) <= MOST
}

impl Recipe {
    /// Whether its model starts as PCA.
    pub fn begins_as_pca(&self) -> bool {
        self.model.linear_path() == LinearPath::On
    }

    /// Whether its model can start as PCA.
    pub fn may_begin_as_pca(&self, shape: &Shape) -> bool {
        self.command == Command::Train && is_possible(&self.model, shape)
    }
}
