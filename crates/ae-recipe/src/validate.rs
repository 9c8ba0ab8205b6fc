//! Rejects settings that do not apply: none is ignored.

use ae_train::{PENALTIES, PenaltyKind};
use toml::{Table, Value};

use super::model::ModelRecipe;
use super::objective::ObjectiveRecipe;
use super::{Command, Recipe};
use crate::error::{Error, Result};

/// Checks that the model's settings apply to its kind.
pub fn check_model(defaults: &ModelRecipe, overrides: &Table) -> Result<()> {
    let Some(Value::Table(overrides)) = overrides.get("model") else { return Ok(()) };
    let known = defaults.fields();
    if let Some(key) = overrides.keys().find(|key| !known.contains(key)) {
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
    let has_weight = |kind: &PenaltyKind| {
        base.penalty(kind.key).is_some()
            || objective
                .get(kind.key)
                .is_some_and(|it| kind.is_number || it.get("weight").is_some())
    };
    for kind in PENALTIES {
        if let Some(Value::Table(settings)) = objective.get(kind.key)
            && let Some(key) = settings.keys().next()
            && !has_weight(kind)
        {
            let (option, setting) = (format!("--{}", kind.option), setting_option(kind, key));
            return Err(Error::usage(format!(
                "{setting} needs {option}; add {option} WEIGHT, or drop it"
            )));
        }
    }
    let mut users = PENALTIES.into_iter().filter(|kind| kind.uses_jacobian);
    if objective.contains_key("jacobian") && !users.any(has_weight) {
        let names = jacobian_options();
        return Err(Error::usage(format!(
            "--jacobian needs {}; add {} WEIGHT, or drop it",
            names.join(" or "),
            names.join(" WEIGHT or ")
        )));
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

/// The option of a penalty's setting.
pub(super) fn setting_option(kind: &PenaltyKind, key: &str) -> String {
    let setting = kind.settings.iter().find(|setting| setting.key == key);
    setting.map_or(key.to_owned(), |setting| format!("--{}", setting.option))
}

/// The options of the penalties that depend on how a Jacobian's norm is computed.
pub(super) fn jacobian_options() -> Vec<String> {
    let kinds = PENALTIES.into_iter().filter(|kind| kind.uses_jacobian);
    kinds.map(|kind| format!("--{}", kind.option)).collect()
}
