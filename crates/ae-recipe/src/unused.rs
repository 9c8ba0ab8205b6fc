//! Rejects options of the command line that the run would not use. Values in a recipe file are not checked: a
//! run writes all of its values there.

use toml::{Table, Value};

use super::Recipe;
use super::validate::{jacobian_options, setting_option};
use crate::error::{Error, Result};

/// Checks that the recipe that came of all options uses each of them.
pub fn check_unused(options: &Table, recipe: &Recipe) -> Result<()> {
    let section = |name: &str| options.get(name).and_then(Value::as_table);
    let is_given = |name: &str, key: &str| section(name).is_some_and(|it| it.contains_key(key));
    if is_given("model", "activation") && recipe.model.layers() == 1 {
        return Err(Error::usage(
            "--activation needs hidden layers, and this model has none; drop it, or set --code-activation",
        ));
    }
    let objective = recipe.objective();
    for penalty in objective.penalties.iter().filter(|penalty| penalty.weight == 0.0) {
        let settings = section("objective").and_then(|it| it.get(penalty.kind.key)?.as_table());
        if let Some(key) = settings.and_then(|it| it.keys().find(|key| *key != "weight")) {
            let option = format!("--{}", penalty.kind.option);
            let setting = setting_option(penalty.kind, key);
            return Err(Error::usage(format!(
                "{setting} needs {option} above 0, got {option} 0; drop both"
            )));
        }
    }
    if is_given("objective", "jacobian")
        && !objective.active_penalties().any(|penalty| penalty.kind.uses_jacobian)
    {
        return Err(Error::usage(format!(
            "--jacobian needs {} above 0, got 0; drop both",
            jacobian_options().join(" or ")
        )));
    }
    Ok(())
}
