//! The grid of a sweep.

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::recipe::merge;

/// What a sweep is over: what is given to all runs, and the values of the grid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grid {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<Value>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub corruptions: Vec<Value>,
    /// The penalty that `weights` are of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub penalty: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub weights: Vec<f64>,
    /// Given to all.
    pub given: Table,
}

/// A run of the grid.
pub struct Point {
    /// Of its folder.
    pub name: String,
    /// What it has beside its code, in words.
    pub line: String,
    /// As a recipe has it.
    pub given: Table,
}

impl Grid {
    /// Every combination, codes changing fastest.
    pub fn points(&self) -> Vec<Point> {
        let some = |values: &[Value]| match values.is_empty() {
            true => vec![None],
            false => values.iter().cloned().map(Some).collect(),
        };
        let weights = match self.weights.is_empty() {
            true => vec![None],
            false => self.weights.iter().copied().map(Some).collect(),
        };
        let mut points = Vec::new();
        for corruption in some(&self.corruptions) {
            for weight in &weights {
                for code in some(&self.codes) {
                    points.push(self.point(code, corruption.clone(), *weight));
                }
            }
        }
        points
    }

    fn point(&self, code: Option<Value>, corruption: Option<Value>, weight: Option<f64>) -> Point {
        let mut given = Table::new();
        let mut set = |section: &str, key: &str, value: Value| {
            let section = given.entry(section).or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(section) = section {
                section.insert(key.to_owned(), value);
            }
        };
        let (mut names, mut words) = (Vec::new(), Vec::new());
        if let Some(corruption) = corruption {
            names.push(in_name(&corruption));
            words.push(in_words(&corruption));
            set("objective", "corruption", corruption);
        }
        if let (Some(weight), Some(penalty)) = (weight, &self.penalty) {
            names.push(format!("{penalty}-{weight}"));
            words.push(format!("{penalty} {weight}"));
            let weight = Value::from(weight);
            let with_weight =
                || Value::Table(Table::from_iter([("weight".to_owned(), weight.clone())]));
            match penalty.as_str() {
                "kl" | "curvature" => set("objective", penalty, with_weight()),
                "contract" => set("objective", "contraction", with_weight()),
                "weight-decay" => set("objective", "weight_decay", weight),
                _ => set("objective", penalty, weight),
            }
        }
        if let Some(code) = &code {
            names.insert(
                0,
                format!("code-{}", code.as_str().map_or(code.to_string(), str::to_owned)),
            );
            set("model", "code", code.clone());
        }
        let mut all = self.given.clone();
        merge(&mut all, &given);
        Point { name: names.join("-"), line: words.join(", "), given: all }
    }
}

/// `masking-0.25`
fn in_name(corruption: &Value) -> String {
    in_words(corruption).replace(' ', "-")
}

/// `masking 0.25`, `none`: no corruption
fn in_words(corruption: &Value) -> String {
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
        assert_eq!(points[3].line, "masking 0.25, kl 0.5");
        let expected: Table = "[model]\ncode = 8\n[objective]\ncorruption = { masking = 0.25 }\n\
                               kl = { target = 0.1, weight = 0.5 }"
            .parse()
            .unwrap();
        assert_eq!(points[3].given, expected);
    }
}
