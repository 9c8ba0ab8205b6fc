//! A penalty in a recipe: its kind, its weight and its settings.

use ae_models::Model;
use ae_train::{JacobianMethod, PENALTIES, Penalty, PenaltyKind, PenaltySetting, PenaltySettings};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use toml::{Table, Value};

use crate::Result;
use crate::option::{Parse, RecipeOption, group, option};

/// A penalty in a recipe.
#[derive(Clone, Debug)]
pub struct PenaltyRecipe {
    /// Its row of [`PENALTIES`].
    pub kind: &'static PenaltyKind,
    /// Its weight.
    pub weight: f64,
    /// Its settings that are given or have a default.
    pub settings: Table,
}

impl PartialEq for PenaltyRecipe {
    fn eq(&self, other: &Self) -> bool {
        (self.kind.key, self.weight, &self.settings)
            == (other.kind.key, other.weight, &other.settings)
    }
}

impl PenaltyRecipe {
    /// The penalty, without its weight.
    pub(crate) fn build(&self, jacobian: JacobianMethod) -> Result<Box<dyn Penalty<Model>>> {
        let given = |key: &str| self.setting(key);
        Ok((self.kind.build)(&PenaltySettings { given: &given, jacobian })?)
    }

    /// The value of a setting, if it has one.
    pub fn setting(&self, key: &str) -> Option<f64> {
        self.settings.get(key).and_then(number)
    }

    fn parse(kind: &'static PenaltyKind, value: Value) -> Result<Self, String> {
        let key = kind.key;
        let mut settings = match value {
            value if kind.is_number => {
                let weight = number(&value)
                    .ok_or_else(|| format!("{key}: expected a number, got {}", value.type_str()))?;
                return Ok(Self { kind, weight, settings: Table::new() });
            }
            Value::Table(settings) => settings,
            other => return Err(format!("{key}: expected a section, got {}", other.type_str())),
        };
        let weight = settings.remove("weight").ok_or(format!("{key}: missing field `weight`"))?;
        let weight = number(&weight)
            .ok_or_else(|| format!("{key}.weight: expected a number, got {}", weight.type_str()))?;
        let known = |key: &str| kind.settings.iter().find(|setting| setting.key == key);
        for (name, value) in &settings {
            let Some(setting) = known(name) else {
                let keys: Vec<&str> = kind.settings.iter().map(|setting| setting.key).collect();
                let keys = [&["weight"], &keys[..]].concat().join("`, `");
                return Err(format!("{key}: unknown field `{name}`, expected one of `{keys}`"));
            };
            check(setting, value).map_err(|error| format!("{key}.{name}: {error}"))?;
        }
        for setting in kind.settings {
            if let Some(default) = setting.default
                && !settings.contains_key(setting.key)
            {
                let value = match setting.is_count {
                    true => Value::Integer(default as i64),
                    false => Value::Float(default),
                };
                settings.insert(setting.key.to_owned(), value);
            }
        }
        Ok(Self { kind, weight, settings })
    }
}

/// The weight, or a section with the weight and the settings.
impl Serialize for PenaltyRecipe {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.kind.is_number {
            return serializer.serialize_f64(self.weight);
        }
        let mut section = serializer.serialize_map(None)?;
        section.serialize_entry("weight", &self.weight)?;
        for setting in self.kind.settings {
            if let Some(value) = self.settings.get(setting.key) {
                section.serialize_entry(setting.key, value)?;
            }
        }
        section.end()
    }
}

fn number(value: &Value) -> Option<f64> {
    value.as_float().or_else(|| value.as_integer().map(|number| number as f64))
}

fn check(setting: &PenaltySetting, value: &Value) -> Result<(), String> {
    match (setting.is_count, value) {
        (true, Value::Integer(0..)) | (false, Value::Integer(_) | Value::Float(_)) => Ok(()),
        (true, other) => Err(format!("expected a whole number from 0, got {other}")),
        (false, other) => Err(format!("expected a number, got {}", other.type_str())),
    }
}

/// Takes the penalties out of an objective section.
pub(crate) fn take_penalties(section: &mut Table) -> Result<Vec<PenaltyRecipe>, String> {
    let taken = PENALTIES.iter().filter_map(|kind| Some((*kind, section.remove(kind.key)?)));
    taken.map(|(kind, value)| PenaltyRecipe::parse(kind, value)).collect()
}

/// The options of the penalties of a group, made from their declarations.
pub(crate) fn penalty_options(name: &'static str) -> Vec<RecipeOption> {
    let kinds = PENALTIES.into_iter().filter(|kind| kind.group == name);
    group(name, kinds.flat_map(options_of).collect())
}

fn options_of(kind: &'static PenaltyKind) -> Vec<RecipeOption> {
    let weight = format!("Weight of {}{} [default: 0]", kind.what, kind.note);
    let path: &[&str] = match kind.is_number {
        true => &["objective", kind.key],
        false => &["objective", kind.key, "weight"],
    };
    let mut options = vec![option(kind.option, "WEIGHT", path, Parse::Number, weight)];
    for setting in kind.settings {
        let help = match setting.default {
            Some(default) => format!("{} [default: {default}]", setting.help),
            None => setting.help.to_owned(),
        };
        let parse = if setting.is_count { Parse::Count } else { Parse::Number };
        let path = ["objective", kind.key, setting.key];
        options.push(option(setting.option, setting.value, &path, parse, help));
    }
    options
}
