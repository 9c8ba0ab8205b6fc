//! The cells of a table as numbers, row by row.

use std::collections::HashMap;
use std::path::Path;

use super::columns::{CellKind, Plan};
use super::date;
use super::missing::is_missing;
use super::number::number;
use super::store::Store;
use super::{Role, TableOptions, Unseen};
use crate::error::{list, quote};

/// The most distinct texts of a column that are stored. More are no categories.
const MAX_WORDS: usize = 4096;

/// Integers below this are exact in f64.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// The most categories that a message lists.
const NAMED: usize = 20;

/// The cells of the columns that may become features, as numbers: NaN if a cell is missing, and for a
/// text its index among the texts of the column.
pub(super) struct Cells {
    /// The columns of the file that are stored, in the order of the features.
    pub kept: Vec<usize>,
    pub store: Store,
    /// The distinct texts, for each stored column of texts.
    pub words: HashMap<usize, Words>,
    /// For each stored column, the number of missing cells, and the line and text of the first.
    pub missing: HashMap<usize, (usize, u64, String)>,
    /// Whether a stored column has a fraction.
    pub fractions: Vec<bool>,
    /// For each stored column, the number of integers that f64 rounds.
    pub rounded: HashMap<usize, usize>,
}

/// The distinct texts of a column.
#[derive(Default)]
pub(super) struct Words {
    known: HashMap<String, u32>,
    pub order: Vec<String>,
    /// Whether no further texts are added.
    fixed: bool,
    /// Whether there are more than are stored.
    pub too_many: bool,
}

/// What was expected of a cell, and advice.
pub(super) type Wrong = (String, Option<&'static str>);

impl Cells {
    pub(super) fn of(plan: &Plan, options: &TableOptions, path: &Path, limit: usize) -> Self {
        let is_feature = |at: &usize| {
            !matches!(plan.kinds[*at], CellKind::Label | CellKind::Ignored | CellKind::Id)
        };
        let kept: Vec<usize> = match &plan.matching {
            Some(matching) => matching.features.iter().map(|(_, at)| *at).collect(),
            None => (0..plan.names.len()).filter(is_feature).collect(),
        };
        let mut words = HashMap::new();
        if let (Some(matching), Some(schema)) = (&plan.matching, &options.schema) {
            for (slot, (known, _)) in matching.features.iter().enumerate() {
                if let Role::Categorical { categories } = &schema.columns[*known].role {
                    words.insert(slot, Words::fixed(categories));
                }
            }
        }
        let fractions = vec![false; kept.len()];
        Self {
            store: Store::new(path, kept.len(), limit),
            kept,
            words,
            missing: HashMap::new(),
            fractions,
            rounded: HashMap::new(),
        }
    }

    /// Number of rows so far.
    pub(super) fn rows(&self) -> usize {
        self.store.rows()
    }

    /// Adds the next cell of a row.
    pub(super) fn push(
        &mut self,
        slot: usize,
        cell: &str,
        line: u64,
        plan: &Plan,
        options: &TableOptions,
    ) -> Result<(), Wrong> {
        let kind = plan.kinds[self.kept[slot]];
        let value = if options.missing_as.iter().any(|missing| missing == cell) {
            f64::NAN
        } else {
            self.value(slot, cell, kind, plan, options.unseen)?
        };
        if value.is_nan() {
            self.missing.entry(slot).or_insert_with(|| (0, line, cell.to_owned())).0 += 1;
        }
        self.store.push(value);
        Ok(())
    }

    fn value(
        &mut self,
        slot: usize,
        cell: &str,
        kind: CellKind,
        plan: &Plan,
        unseen: Unseen,
    ) -> Result<f64, Wrong> {
        let words = match kind {
            CellKind::Number => match number(cell, plan.decimal) {
                Some(value) if value.is_infinite() => {
                    return Err(("a finite number".into(), None));
                }
                Some(value) if (value as f32).is_infinite() => {
                    return Err(("a number from -3.4e38 to 3.4e38".into(), None));
                }
                Some(value) => {
                    self.fractions[slot] |= value.fract() != 0.0;
                    if value.abs() >= EXACT
                        && cell.parse().is_ok_and(|whole: i128| value as i128 != whole)
                    {
                        *self.rounded.entry(slot).or_default() += 1;
                    }
                    return Ok(value);
                }
                None if is_missing(cell) => return Ok(f64::NAN),
                None => return Err(("a number".into(), None)),
            },
            CellKind::Date(order) => match date::seconds(cell, order) {
                Some(seconds) => return Ok(seconds),
                None if is_missing(cell) => return Ok(f64::NAN),
                None => {
                    let advice = "list the column in `categorical` or `ignore`";
                    return Err(("a date".into(), Some(advice)));
                }
            },
            _ if is_missing(cell) => return Ok(f64::NAN),
            _ => self.words.entry(slot).or_default(),
        };
        let cap = if kind == CellKind::Unknown { usize::MAX } else { MAX_WORDS };
        words.place(cell, cap, unseen)
    }
}

impl Words {
    fn fixed(categories: &[String]) -> Self {
        let known = categories.iter().cloned().zip(0..).collect();
        Self { known, order: categories.to_vec(), fixed: true, too_many: false }
    }

    fn place(&mut self, cell: &str, cap: usize, unseen: Unseen) -> Result<f64, Wrong> {
        if let Some(place) = self.known.get(cell) {
            return Ok(f64::from(*place));
        }
        if self.fixed {
            return match unseen {
                Unseen::Zero => Ok(-1.0),
                Unseen::Refuse => {
                    let names: Vec<_> =
                        self.order.iter().take(NAMED).map(|name| quote(name)).collect();
                    let more = if self.order.len() > NAMED {
                        " or another category of the training data"
                    } else {
                        ""
                    };
                    let advice = "set `unseen` to zero to read unknown categories as none";
                    Err((list(&names, "or") + more, Some(advice)))
                }
            };
        }
        if self.order.len() >= cap {
            self.too_many = true;
            return Ok(0.0);
        }
        let place = self.order.len() as u32;
        self.known.insert(cell.to_owned(), place);
        self.order.push(cell.to_owned());
        Ok(f64::from(place))
    }

    /// The texts in the order of categories (numbers by value), and the index of each in this order.
    pub(super) fn sorted(&self) -> (Vec<String>, Vec<usize>) {
        let mut order: Vec<usize> = (0..self.order.len()).collect();
        let texts = &self.order;
        if texts.iter().all(|text| text.parse::<i128>().is_ok()) {
            order.sort_by_key(|at| texts[*at].parse::<i128>().ok());
        } else {
            order.sort_by(|one, other| texts[*one].cmp(&texts[*other]));
        }
        let mut places = vec![0; order.len()];
        order.iter().enumerate().for_each(|(place, at)| places[*at] = place);
        (order.iter().map(|at| texts[*at].clone()).collect(), places)
    }
}
