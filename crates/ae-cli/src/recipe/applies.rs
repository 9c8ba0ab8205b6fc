//! Whether what is given applies: an option that does not is refused, never ignored.

use toml::{Table, Value};

use super::model::ModelRecipe;
use super::objective::ObjectiveRecipe;
use super::{Maker, Recipe};
use crate::error::{Error, Result};

/// Whether every value given for the model is one that a model of its kind has.
pub fn check_model(defaults: &ModelRecipe, given: &Table) -> Result<()> {
    let Some(Value::Table(given)) = given.get("model") else { return Ok(()) };
    let known = defaults.fields();
    if let Some(key) = given.keys().find(|key| !known.contains(&key.as_str())) {
        return Err(Error::usage(format!(
            "model: `{key}` is not for a {} model, which has {}",
            defaults.kind(),
            known.join(", ")
        )));
    }
    let is_maps = given.get("code").and_then(Value::as_str) == Some("maps");
    match is_maps && !matches!(defaults, ModelRecipe::Conv(_)) {
        true => Err(Error::usage(format!(
            "code: expected a number of units, as a {} model has, got `maps`, which are for a conv \
             model",
            defaults.kind()
        ))),
        false => Ok(()),
    }
}

/// Whether nothing is given that PCA has no use for.
pub fn check_pca(given: &Table, command: Maker) -> Result<()> {
    if command == Maker::Pretrain {
        return Err(Error::usage(
            "pretrain: expected a model of several layers, got PCA; fit it with ae train --model pca",
        ));
    }
    for section in ["objective", "schedule"] {
        if let Some(key) = first(given, section) {
            return Err(Error::usage(format!(
                "{section}: `{key}` is not for PCA, which is computed in one go; leave it out"
            )));
        }
    }
    Ok(())
}

/// Whether nothing is given that learning from labels has no use for.
pub fn check_supervised(given: &Table) -> Result<()> {
    match first(given, "objective") {
        Some(key) => Err(Error::usage(format!(
            "objective: `{key}` is not for training with a head, whose loss is that of labels; leave it \
             out, or leave out --head"
        ))),
        None => Ok(()),
    }
}

fn first<'a>(given: &'a Table, section: &str) -> Option<&'a str> {
    given.get(section)?.as_table()?.keys().next().map(String::as_str)
}

/// Whether what is given of a penalty goes with a weight, given now or before.
pub fn check_terms(before: &ObjectiveRecipe, given: &Table) -> Result<()> {
    let Some(Value::Table(objective)) = given.get("objective") else { return Ok(()) };
    let has_weight = |penalty: &str| match penalty {
        "kl" if before.kl.is_some() => true,
        "contraction" if before.contraction.is_some() => true,
        "curvature" if before.curvature.is_some() => true,
        _ => objective.get(penalty).is_some_and(|penalty| penalty.get("weight").is_some()),
    };
    for (penalty, option) in [("kl", "--kl"), ("curvature", "--curvature")] {
        if let Some(Value::Table(its)) = objective.get(penalty)
            && let Some(key) = its.keys().next()
            && !has_weight(penalty)
        {
            return Err(Error::usage(format!(
                "{option}-{key}: expected a weight of the penalty beside it, got none; give {option} \
                 WEIGHT, or leave it out"
            )));
        }
    }
    if objective.contains_key("jacobian") && !has_weight("contraction") && !has_weight("curvature")
    {
        return Err(Error::usage(
            "--contract-by: expected a weight of a penalty on the Jacobian beside it, got none; give \
             --contract WEIGHT or --curvature WEIGHT, or leave it out",
        ));
    }
    Ok(())
}

impl Recipe {
    /// Whether no option of steps is given for a model that is computed in one go.
    pub fn check_checkpoints(&self, is_given: bool) -> Result<()> {
        match is_given && matches!(self.model, ModelRecipe::Pca(_)) {
            true => Err(Error::usage(
                "--checkpoint-minutes, --checkpoint-steps: not for PCA, which is computed in one go; \
                 leave them out",
            )),
            false => Ok(()),
        }
    }
}
