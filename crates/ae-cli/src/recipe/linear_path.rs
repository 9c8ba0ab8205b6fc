//! Whether principal components go beside the layers.

use ae_data::Shape;
use ae_models::{Activation, Architecture};
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use super::model::ModelRecipe;
use super::objective::ObjectiveRecipe;
use super::{Command, Recipe};
use crate::error::{Error, Result};

/// Whether a linear path goes beside the layers. In a recipe that says nothing of it there is none: so were all
/// before there was one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinearPath {
    /// Where it was seen to help.
    Auto,
    On,
    #[default]
    Off,
}

/// Says of a recipe's file that it has no linear path, where it says nothing.
pub fn off_unless_given(given: &mut Table) {
    let model = given.entry("model").or_insert_with(|| Value::Table(Table::new()));
    if let Value::Table(model) = model
        && model.get("kind").and_then(Value::as_str) != Some("pca")
    {
        model.entry("linear_path").or_insert_with(|| "off".into());
    }
}

/// Decides for one that nobody decided on.
pub(super) fn decide(
    model: &mut ModelRecipe,
    objective: &ObjectiveRecipe,
    shape: &Shape,
    samples: usize,
    command: Command,
) -> Result<()> {
    let is_layers = command == Command::Pretrain;
    let suits = !is_layers && is_possible(model, shape) && helps(model, objective, shape, samples);
    match model.linear_path_mut() {
        Some(LinearPath::On) if is_layers => Err(Error::usage(
            "--linear-path: expected a model that is trained as a whole, got layers that are trained one after the \
             other; leave it out",
        )),
        Some(path @ LinearPath::Auto) => {
            *path = if suits { LinearPath::On } else { LinearPath::Off };
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Whether it can go beside the layers, and PCA leaves anything for them.
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

/// Whether it was seen to help (`benches/README.md`).
fn helps(
    _model: &ModelRecipe,
    objective: &ObjectiveRecipe,
    shape: &Shape,
    _samples: usize,
) -> bool {
    matches!(shape, Shape::Table { .. }) && objective.penalties().is_empty()
}

impl Recipe {
    /// Whether its model begins as PCA.
    pub fn begins_as_pca(&self) -> bool {
        self.model.linear_path() == LinearPath::On
    }

    /// Whether its model could.
    pub fn may_begin_as_pca(&self, shape: &Shape) -> bool {
        self.command == Command::Train && is_possible(&self.model, shape)
    }
}
