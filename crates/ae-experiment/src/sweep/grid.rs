//! The grid of a sweep.

use ae_train::{PENALTIES, PenaltyKind};
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::{Error, Result};
use ae_recipe::merge;

/// The values of the grid, and the settings of all runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grid {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    /// Sizes of the code.
    pub codes: Vec<Value>,
    /// Corruptions of the input.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub corruptions: Vec<Value>,
    /// The penalty of `weights`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub penalty: Option<String>,
    /// Its weights.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub weights: Vec<f64>,
    /// Recipe values of all runs.
    #[serde(rename = "given")]
    pub overrides: Table,
}

/// A run of the grid.
pub(super) struct Point {
    /// The name of its folder.
    pub(super) name: String,
    /// Settings other than the code, in words.
    pub(super) settings: String,
    /// The settings as recipe values.
    pub(super) overrides: Table,
}

impl Grid {
    /// Every combination, codes changing fastest.
    pub(super) fn points(&self) -> Vec<Point> {
        let optional = |values: &[Value]| match values.is_empty() {
            true => vec![None],
            false => values.iter().cloned().map(Some).collect(),
        };
        let weights = match self.weights.is_empty() {
            true => vec![None],
            false => self.weights.iter().copied().map(Some).collect(),
        };
        let mut points = Vec::new();
        for corruption in optional(&self.corruptions) {
            for weight in &weights {
                for code in optional(&self.codes) {
                    points.push(self.point(code, corruption.clone(), *weight));
                }
            }
        }
        points
    }

    fn point(&self, code: Option<Value>, corruption: Option<Value>, weight: Option<f64>) -> Point {
        let mut overrides = Table::new();
        let mut set = |section: &str, key: &str, value: Value| {
            let section = overrides.entry(section).or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(section) = section {
                section.insert(key.to_owned(), value);
            }
        };
        let (mut names, mut words) = (Vec::new(), Vec::new());
        if let Some(corruption) = corruption {
            names.push(words_of(&corruption).replace(' ', "-"));
            words.push(words_of(&corruption));
            set("objective", "corruption", corruption);
        }
        if let (Some(weight), Some(penalty)) = (weight, &self.penalty) {
            names.push(format!("{penalty}-{weight}"));
            words.push(format!("{penalty} {weight}"));
            let weight = Value::from(weight);
            if let Some(kind) = kind(penalty) {
                let value = match kind.is_number {
                    true => weight,
                    false => Value::Table(Table::from_iter([("weight".to_owned(), weight)])),
                };
                set("objective", kind.key, value);
            }
        }
        if let Some(code) = &code {
            names.insert(
                0,
                format!("code-{}", code.as_str().map_or(code.to_string(), str::to_owned)),
            );
            set("model", "code", code.clone());
        }
        let mut all = self.overrides.clone();
        merge(&mut all, &overrides);
        Point { name: names.join("-"), settings: words.join(", "), overrides: all }
    }
}

/// The penalty of an option.
fn kind(option: &str) -> Option<&'static PenaltyKind> {
    PENALTIES.into_iter().find(|kind| kind.option == option)
}

/// Checks that no other option sets the weight that the grid varies.
///
/// # Errors
/// If one does.
pub fn check_weight(penalty: &str, options: &Table) -> Result<()> {
    let given = kind(penalty).and_then(|kind| {
        let value = options.get("objective")?.get(kind.key)?;
        if kind.is_number { Some(value) } else { value.get("weight") }
    });
    match given {
        None => Ok(()),
        Some(_) => Err(Error::usage(format!(
            "--{penalty} and --weights both set the weight of {penalty}; drop one of them"
        ))),
    }
}

/// Checks that the penalty is one.
pub(super) fn check_penalty(penalty: Option<&str>) -> Result<()> {
    match penalty {
        Some(penalty) if kind(penalty).is_none() => Err(Error::usage(format!(
            "penalty: expected one of {}, got `{penalty}`",
            PENALTIES.map(|kind| kind.option).join(", ")
        ))),
        _ => Ok(()),
    }
}

/// Checks that each point has a name, and so a folder, for itself.
pub(super) fn check_names(points: &[Point]) -> Result<()> {
    let mut names: Vec<&str> = points.iter().map(|point| point.name.as_str()).collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        None => Ok(()),
        Some(pair) => Err(Error::usage(format!(
            "sweep: expected each point of the grid once, got {} twice",
            pair[0]
        ))),
    }
}

/// `masking 0.25`, or `no noise`
fn words_of(corruption: &Value) -> String {
    match corruption {
        Value::Table(table) => table
            .iter()
            .map(|(kind, level)| format!("{kind} {level}"))
            .collect::<Vec<_>>()
            .join(" "),
        _ => "no noise".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_is_every_combination() {
        let grid: Grid = "codes = [2, 8]\ncorruptions = ['none', { masking = 0.25 }]\n\
                          penalty = 'kl'\nweights = [0.5]\n[given.objective.kl]\ntarget = 0.1"
            .parse::<Table>()
            .unwrap()
            .try_into()
            .unwrap();
        let points = grid.points();
        let names: Vec<&str> = points.iter().map(|point| point.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "code-2-no-noise-kl-0.5",
                "code-8-no-noise-kl-0.5",
                "code-2-masking-0.25-kl-0.5",
                "code-8-masking-0.25-kl-0.5"
            ]
        );
        assert_eq!(points[3].settings, "masking 0.25, kl 0.5");
        let expected: Table = "[model]\ncode = 8\n[objective]\ncorruption = { masking = 0.25 }\n\
                               kl = { target = 0.1, weight = 0.5 }"
            .parse()
            .unwrap();
        assert_eq!(points[3].overrides, expected);
    }
}
