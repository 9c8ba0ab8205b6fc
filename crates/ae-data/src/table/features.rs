//! Makes features from the cells of a table, by the role of each column.

use super::cells::{Cells, Words};
use super::columns::{CellKind, Plan};
use super::number::number;
use super::{Column, Role, Schema, TableOptions};
use crate::Result;

/// The most distinct texts that count as categories without being specified.
const MAX_CATEGORIES: usize = 64;

/// The most distinct texts that count as categories as soon as one of them is repeated.
const FEW: usize = 10;

/// Names of columns that number the rows, in any case of letters.
const ID_NAMES: [&str; 13] = [
    "id",
    "_id",
    "index",
    "idx",
    "row",
    "rowid",
    "row number",
    "rownames",
    "row names",
    "sample",
    "uuid",
    "uid",
    "unnamed: 0",
];

/// How a column is encoded.
enum Encoding {
    /// Its numbers unchanged.
    Plain,
    /// One-hot: the number of features, and the feature of each text.
    OneHot(usize, Vec<usize>),
    /// The number for each of its texts.
    Mapped(Vec<f64>),
    /// No feature.
    None,
}

/// Makes the features of a row from its cells.
pub(super) struct Encoder(Vec<Encoding>);

impl Encoder {
    /// The number of cells.
    pub(super) fn cells(&self) -> usize {
        self.0.len()
    }

    /// Whether the features are the cells.
    pub(super) fn is_plain(&self) -> bool {
        self.0.iter().all(|encoding| matches!(encoding, Encoding::Plain))
    }

    /// Passes the features of a row to `put`, with NaN for missing cells.
    pub(super) fn encode(&self, cells: impl Iterator<Item = f64>, mut put: impl FnMut(f64)) {
        for (value, encoding) in cells.zip(&self.0) {
            match encoding {
                Encoding::Plain => put(value),
                Encoding::None => {}
                Encoding::Mapped(numbers) => {
                    put(if value.is_nan() { value } else { numbers[value as usize] });
                }
                Encoding::OneHot(count, _) if value.is_nan() => {
                    (0..*count).for_each(|_| put(f64::NAN));
                }
                Encoding::OneHot(count, places) => {
                    let place = (value >= 0.0).then(|| places[value as usize]);
                    (0..*count).for_each(|at| put(f64::from(u8::from(place == Some(at)))));
                }
            }
        }
    }
}

/// The roles of all columns, and how their cells become features.
pub(super) fn features(
    cells: &Cells,
    plan: &Plan,
    options: &TableOptions,
) -> Result<(Schema, Encoder)> {
    let found: Result<Vec<_>> =
        (0..cells.kept.len()).map(|slot| encoding(cells, slot, plan, options)).collect();
    let (mut roles, mut encodings): (Vec<Role>, Vec<Encoding>) = found?.into_iter().unzip();
    // If nothing else is a feature, row numbers are.
    let some = |role: &Role| role.features() > 0;
    if !roles.iter().any(some) {
        for (slot, role) in roles.iter_mut().enumerate() {
            if *role == Role::Id && plan.kinds[cells.kept[slot]] == CellKind::Number {
                (*role, encodings[slot]) = (Role::Integer, Encoding::Plain);
            }
        }
    }
    Ok((schema(cells, plan, options, roles), Encoder(encodings)))
}

/// The roles of all columns: the caller's schema, or what was found.
fn schema(cells: &Cells, plan: &Plan, options: &TableOptions, roles: Vec<Role>) -> Schema {
    if let Some(known) = &options.schema {
        return known.clone();
    }
    let mut columns: Vec<Column> = plan
        .names
        .iter()
        .zip(&plan.kinds)
        .map(|(name, kind)| {
            let role = match kind {
                CellKind::Label => Role::Label,
                CellKind::Id => Role::Id,
                _ => Role::Ignored,
            };
            Column { name: name.clone(), role }
        })
        .collect();
    for (at, role) in cells.kept.iter().zip(roles) {
        columns[*at].role = role;
    }
    Schema { columns, missing_as: options.missing_as.clone() }
}

fn encoding(
    cells: &Cells,
    slot: usize,
    plan: &Plan,
    options: &TableOptions,
) -> Result<(Role, Encoding)> {
    let at = cells.kept[slot];
    if let (Some(matching), Some(schema)) = (&plan.matching, &options.schema) {
        let role = schema.columns[matching.features[slot].0].role.clone();
        let encoding = match (&role, cells.words.get(&slot)) {
            (Role::Categorical { categories }, _) => {
                Encoding::OneHot(categories.len(), (0..categories.len()).collect())
            }
            (Role::Boolean, Some(words)) => Encoding::Mapped(booleans(words).unwrap_or_default()),
            _ => Encoding::Plain,
        };
        return Ok((role, encoding));
    }
    let specified = plan.specified[at];
    let rows = cells.rows();
    let present = rows - cells.missing.get(&slot).map_or(0, |missing| missing.0);
    let is_text = matches!(plan.kinds[at], CellKind::Words | CellKind::Unknown);
    if present == 0 && (!specified || is_text) {
        return Ok((Role::Empty, Encoding::None));
    }
    Ok(match (plan.kinds[at], cells.words.get(&slot)) {
        (CellKind::Date(order), _) => {
            (Role::Date { month_first: order == super::date::Order::MonthFirst }, Encoding::Plain)
        }
        (_, None) if cells.fractions[slot] => (Role::Number, Encoding::Plain),
        (_, None) if !specified && is_id(cells, slot, plan)? => (Role::Id, Encoding::None),
        (_, None) => (Role::Integer, Encoding::Plain),
        (kind, Some(words)) => texts(words, kind, present, specified, plan, at),
    })
}

fn texts(
    words: &Words,
    kind: CellKind,
    present: usize,
    specified: bool,
    plan: &Plan,
    at: usize,
) -> (Role, Encoding) {
    let count = words.order.len();
    let one_hot = || {
        let (categories, places) = words.sorted();
        (Role::Categorical { categories }, Encoding::OneHot(count, places))
    };
    if specified && !words.too_many {
        return one_hot();
    }
    if kind == CellKind::Unknown {
        let numbers: Option<Vec<f64>> = words
            .order
            .iter()
            .map(|word| number(word, plan.decimal).filter(|x| (*x as f32).is_finite()))
            .collect();
        if let Some(numbers) = numbers.filter(|_| count > 0) {
            return (Role::Number, Encoding::Mapped(numbers));
        }
    }
    if let Some(numbers) = booleans(words) {
        return (Role::Boolean, Encoding::Mapped(numbers));
    }
    let is_unique = count == present && !words.too_many;
    if plan.unnamed[at] && at == 0 && is_unique {
        return (Role::Id, Encoding::None);
    }
    if count < present && (count <= FEW || count <= MAX_CATEGORIES && count <= present / 2) {
        return one_hot();
    }
    (if is_unique { Role::Id } else { Role::Text }, Encoding::None)
}

/// 0 and 1 for words that mean no and yes.
fn booleans(words: &Words) -> Option<Vec<f64>> {
    if words.order.len() > 2 || words.order.is_empty() {
        return None;
    }
    let pairs = [("false", "true"), ("no", "yes"), ("f", "t"), ("n", "y")];
    pairs.iter().find_map(|(no, yes)| {
        let values = words.order.iter().map(|word| match word.to_lowercase() {
            word if word == *no => Some(0.0),
            word if word == *yes => Some(1.0),
            _ => None,
        });
        values.collect()
    })
}

/// Whether texts are words for no and yes.
pub(super) fn are_booleans(words: &Words) -> bool {
    booleans(words).is_some()
}

/// Whether a column of integers numbers the rows: its name says so, or it is the first and has no name
/// while others have, and no number is repeated.
fn is_id(cells: &Cells, slot: usize, plan: &Plan) -> Result<bool> {
    let at = cells.kept[slot];
    let name = plan.names[at].trim();
    let lower = name.to_lowercase();
    let ends = ["_id", "-id", " id", ".id"].iter().any(|end| lower.ends_with(end));
    let camel = name.strip_suffix("Id").or(name.strip_suffix("ID"));
    let camel = camel.is_some_and(|start| start.ends_with(|letter: char| letter.is_lowercase()));
    let row_names = plan.unnamed[at] && at == 0;
    if cells.missing.contains_key(&slot)
        || !(ID_NAMES.contains(&&*lower) || ends || camel || row_names)
    {
        return Ok(false);
    }
    if cells.rounded.contains_key(&slot) {
        return Ok(true); // rounding may have made two numbers equal
    }
    let (mut rising, mut last) = (true, f64::NEG_INFINITY);
    cells.store.column(slot, |value| {
        rising &= last < value;
        last = value;
    })?;
    if rising {
        return Ok(true);
    }
    let mut sorted = Vec::with_capacity(cells.rows());
    cells.store.column(slot, |value| sorted.push(value))?;
    sorted.sort_unstable_by(f64::total_cmp);
    Ok(sorted.windows(2).all(|pair| pair[0] < pair[1]))
}
