//! Rejects settings that do not apply: none is ignored.

use toml::{Table, Value};

use super::model::ModelRecipe;
use super::objective::ObjectiveRecipe;
use super::{Command, Recipe};
use crate::error::{Error, Result};

/// Checks that the model's settings apply to its kind.
pub fn check_model(defaults: &ModelRecipe, overrides: &Table) -> Result<()> {
    let Some(Value::Table(overrides)) = overrides.get("model") else { return Ok(()) };
    let known = defaults.fields();
    if let Some(key) = overrides.keys().find(|key| !known.contains(&key.as_str())) {
        return Err(Error::usage(format!(
            "model: `{key}` does not apply to a {} model, which has {}",
            defaults.kind(),
            known.join(", ")
        )));
    }
    let is_feature_map = overrides.get("code").and_then(Value::as_str) == Some("maps");
    match is_feature_map && !matches!(defaults, ModelRecipe::Conv(_)) {
        true => Err(Error::usage(format!(
            "--code: expected a number of units, as a {} model has, got `feature-map`, which needs a conv \
             model",
            defaults.kind()
        ))),
        false => Ok(()),
    }
}

/// Checks that no setting of training is given for PCA.
pub fn check_pca(overrides: &Table, command: Command) -> Result<()> {
    if command == Command::Pretrain {
        return Err(Error::usage(
            "pretrain needs a model with several layers; fit PCA with ae train --model pca",
        ));
    }
    for section in ["objective", "schedule"] {
        if let Some(key) = first(overrides, section) {
            return Err(Error::usage(format!(
                "{section}: `{key}` does not apply to PCA, which is not trained in steps; drop it"
            )));
        }
    }
    Ok(())
}

/// Checks that no setting of an autoencoder's objective is given for training with a head.
pub fn check_supervised(overrides: &Table) -> Result<()> {
    match first(overrides, "objective") {
        Some(key) => Err(Error::usage(format!(
            "objective: `{key}` does not apply to training with a head; drop it, or drop --head"
        ))),
        None => Ok(()),
    }
}

fn first<'a>(overrides: &'a Table, section: &str) -> Option<&'a str> {
    overrides.get(section)?.as_table()?.keys().next().map(String::as_str)
}

/// Checks that the settings of each penalty come with a weight, here or in the recipe before.
pub fn check_terms(base: &ObjectiveRecipe, overrides: &Table) -> Result<()> {
    let Some(Value::Table(objective)) = overrides.get("objective") else { return Ok(()) };
    let has_weight = |penalty: &str| match penalty {
        "kl" if base.kl.is_some() => true,
        "contraction" if base.contraction.is_some() => true,
        "curvature" if base.curvature.is_some() => true,
        _ => objective.get(penalty).is_some_and(|penalty| penalty.get("weight").is_some()),
    };
    for (penalty, option) in [("kl", "--kl"), ("curvature", "--curvature")] {
        if let Some(Value::Table(settings)) = objective.get(penalty)
            && let Some(key) = settings.keys().next()
            && !has_weight(penalty)
        {
            return Err(Error::usage(format!(
                "{option}-{key} needs {option}; add {option} WEIGHT, or drop it"
            )));
        }
    }
    if objective.contains_key("jacobian") && !has_weight("contraction") && !has_weight("curvature")
    {
        return Err(Error::usage(
            "--jacobian needs --contract or --curvature; add --contract WEIGHT or --curvature WEIGHT, or \
             drop it",
        ));
    }
    Ok(())
}

impl Recipe {
    /// Checks that no option of checkpoints is given for PCA.
    pub fn check_checkpoints(&self, is_given: bool) -> Result<()> {
        match is_given && matches!(self.model, ModelRecipe::Pca(_)) {
            true => Err(Error::usage(
                "--checkpoint-minutes and --checkpoint-steps do not apply to PCA, which is not trained in \
                 steps; drop them",
            )),
            false => Ok(()),
        }
    }
}
