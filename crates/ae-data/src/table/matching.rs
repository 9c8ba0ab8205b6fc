//! The columns of a table as a model knows them: found by name and put in order, or refused.

use std::path::Path;

use super::columns::Kind;
use super::date::Order;
use super::reading::listed;
use super::{Role, Schema};
use crate::{Error, Result};

/// Where the columns of a schema are in a table.
pub(super) struct Matching {
    /// The schema's columns that hold features, in order, and the columns of the file that hold
    /// them.
    pub features: Vec<(usize, usize)>,
    /// Columns of the file that no model asked for.
    pub extra: Vec<String>,
}

impl Matching {
    pub(super) fn of(
        schema: &Schema,
        names: &mut [String],
        kinds: &mut [Kind],
        named: bool,
        path: &Path,
    ) -> Result<Self> {
        let wanted: Vec<usize> = (0..schema.columns.len())
            .filter(|at| schema.columns[*at].role.features() > 0)
            .collect();
        // A table without names has the columns in their order, all of them or the features alone.
        if !named {
            let by_place: Vec<usize> = if names.len() == wanted.len() {
                wanted.clone()
            } else {
                (0..schema.columns.len()).collect()
            };
            if names.len() != by_place.len() {
                let expected = format!("the {} columns that the model knows", wanted.len());
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
            if kinds[at] == Kind::Label {
                continue;
            }
            kinds[at] = Kind::Ignored;
            if !is_known(name) {
                new.push(name.as_str());
                extra.push(name.clone());
            }
        }
        if missing.is_empty() {
            return Ok(Self { features, extra });
        }
        let expected = format!("the columns that the model knows, with {}", listed(&missing));
        let got = match new.is_empty() {
            true => "none of this name in its place".to_owned(),
            false => format!("{} in their place, which it does not know", listed(&new)),
        };
        Err(Error::malformed(path, expected, got))
    }
}

fn kind(role: &Role) -> Kind {
    match role {
        Role::Number | Role::Integer => Kind::Number,
        Role::Date { month_first: true } => Kind::Date(Order::MonthFirst),
        Role::Date { month_first: false } => Kind::Date(Order::DayFirst),
        Role::Boolean | Role::Categorical { .. } => Kind::Words,
        Role::Label => Kind::Label,
        Role::Id | Role::Text | Role::Empty | Role::Ignored => Kind::Ignored,
    }
}
