//! Matches the columns of a table to a model's schema by name.

use std::path::Path;

use super::columns::CellKind;
use super::date::Order;
use super::info::listed;
use super::{Role, Schema};
use crate::{Error, Result};

/// Where the columns of a schema are in a table.
pub(super) struct Matching {
    /// The schema's columns of features, in order, each with its column of the file.
    pub features: Vec<(usize, usize)>,
    /// The columns of the file that are not in the schema.
    pub extra: Vec<String>,
}

impl Matching {
    pub(super) fn of(
        schema: &Schema,
        names: &mut [String],
        kinds: &mut [CellKind],
        named: bool,
        path: &Path,
    ) -> Result<Self> {
        let wanted: Vec<usize> = (0..schema.columns.len())
            .filter(|at| schema.columns[*at].role.features() > 0)
            .collect();
        // A table without names has all columns in order, or only those of features.
        if !named {
            let by_place: Vec<usize> = if names.len() == wanted.len() {
                wanted.clone()
            } else {
                (0..schema.columns.len()).collect()
            };
            if names.len() != by_place.len() {
                let expected = format!("the {} columns of the model", wanted.len());
                let got = format!("{} without names", names.len());
                return Err(Error::malformed(path, expected, got));
            }
            for (name, known) in names.iter_mut().zip(by_place) {
                name.clone_from(&schema.columns[known].name);
            }
        }

        let mut taken = vec![false; names.len()];
        let (mut features, mut missing) = (vec![], vec![]);
        for known in wanted {
            let column = &schema.columns[known];
            let mut places = names.iter().zip(&taken);
            match places.position(|(name, taken)| !taken && *name == column.name) {
                Some(at) => {
                    taken[at] = true;
                    kinds[at] = kind(&column.role);
                    features.push((known, at));
                }
                None => missing.push(column.name.as_str()),
            }
        }
        let is_known = |name: &str| schema.columns.iter().any(|column| column.name == name);
        let (mut extra, mut new) = (vec![], vec![]);
        for (at, name) in names.iter().enumerate().filter(|(at, _)| !taken[*at]) {
            if kinds[at] == CellKind::Label {
                continue;
            }
            kinds[at] = CellKind::Ignored;
            if !is_known(name) {
                new.push(name.as_str());
                extra.push(name.clone());
            }
        }
        if missing.is_empty() {
            return Ok(Self { features, extra });
        }
        let expected = format!("the columns of the model, with {}", listed(&missing));
        let got = match new.is_empty() {
            true => "none of this name".to_owned(),
            false => format!("{} instead", listed(&new)),
        };
        Err(Error::malformed(path, expected, got))
    }
}

fn kind(role: &Role) -> CellKind {
    match role {
        Role::Number | Role::Integer => CellKind::Number,
        Role::Date { month_first: true } => CellKind::Date(Order::MonthFirst),
        Role::Date { month_first: false } => CellKind::Date(Order::DayFirst),
        Role::Boolean | Role::Categorical { .. } => CellKind::Words,
        Role::Label => CellKind::Label,
        Role::Id | Role::Text | Role::Empty | Role::Ignored => CellKind::Ignored,
    }
}
