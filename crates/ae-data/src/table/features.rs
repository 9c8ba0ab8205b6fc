//! Features from the cells of a table: what each column turned out to be.

use std::collections::HashSet;

use super::cells::{Cells, Words};
use super::columns::{Kind, Plan};
use super::number::number;
use super::{Column, Role, Schema, TableOptions};

/// Different texts that are categories by themselves.
const MOST_CATEGORIES: usize = 64;

/// Different texts that are categories as soon as one of them comes twice.
const FEW: usize = 10;

/// Names of columns that number the rows; case does not matter.
const ID_NAMES: [&str; 12] = [
    "id",
    "_id",
    "index",
    "idx",
    "row",
    "rowid",
    "row number",
    "rownames",
    "row names",
    "uuid",
    "uid",
    "unnamed: 0",
];

/// What a column becomes.
enum Form {
    /// Its numbers as they are.
    Plain,
    /// One of so many features is 1; where each text is among them.
    Block(usize, Vec<usize>),
    /// The numbers that its texts stand for.
    Read(Vec<f64>),
    Nothing,
}

/// The features of all rows, NaN where a cell is missing, and what the columns are.
pub(super) fn features(
    cells: &mut Cells,
    plan: &Plan,
    options: &TableOptions,
) -> (Vec<f64>, Schema) {
    let (mut roles, mut forms): (Vec<Role>, Vec<Form>) =
        (0..cells.kept.len()).map(|slot| form(cells, slot, plan, options)).unzip();
    // Row numbers are better than nothing.
    let some = |role: &Role| role.features() > 0;
    if !roles.iter().any(some) {
        for (slot, role) in roles.iter_mut().enumerate() {
            if *role == Role::Id && plan.kinds[cells.kept[slot]] == Kind::Number {
                (*role, forms[slot]) = (Role::Integer, Form::Plain);
            }
        }
    }
    let schema = schema(cells, plan, options, roles);
    let width = cells.kept.len();
    if forms.iter().all(|form| matches!(form, Form::Plain)) || width == 0 {
        return (std::mem::take(&mut cells.values), schema);
    }
    let mut values = Vec::with_capacity(cells.rows() * schema.features());
    for row in std::mem::take(&mut cells.values).chunks_exact(width) {
        for (value, form) in row.iter().zip(&forms) {
            match form {
                Form::Plain => values.push(*value),
                Form::Nothing => {}
                Form::Read(numbers) => {
                    values.push(if value.is_nan() { *value } else { numbers[*value as usize] });
                }
                Form::Block(count, _) if value.is_nan() => {
                    values.extend(std::iter::repeat_n(f64::NAN, *count));
                }
                Form::Block(count, places) => {
                    let start = values.len();
                    values.resize(start + count, 0.0);
                    if *value >= 0.0 {
                        values[start + places[*value as usize]] = 1.0;
                    }
                }
            }
        }
    }
    (values, schema)
}

/// All columns of the file (or of the schema that was asked for) with what they are.
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
                Kind::Label => Role::Label,
                Kind::Id => Role::Id,
                _ => Role::Ignored,
            };
            Column { name: name.clone(), role }
        })
        .collect();
    for (at, role) in cells.kept.iter().zip(roles) {
        columns[*at].role = role;
    }
    Schema { columns }
}

fn form(cells: &Cells, slot: usize, plan: &Plan, options: &TableOptions) -> (Role, Form) {
    let at = cells.kept[slot];
    if let (Some(matching), Some(schema)) = (&plan.matching, &options.schema) {
        let role = schema.columns[matching.features[slot].0].role.clone();
        let form = match (&role, cells.words.get(&slot)) {
            (Role::Categorical { categories }, _) => {
                Form::Block(categories.len(), (0..categories.len()).collect())
            }
            (Role::Boolean, Some(words)) => Form::Read(booleans(words).unwrap_or_default()),
            _ => Form::Plain,
        };
        return (role, form);
    }
    let said = plan.said[at];
    let rows = cells.rows();
    let present = rows - cells.missing.get(&slot).map_or(0, |missing| missing.0);
    let is_text = matches!(plan.kinds[at], Kind::Words | Kind::Unknown);
    if present == 0 && (!said || is_text) {
        return (Role::Empty, Form::Nothing);
    }
    match (plan.kinds[at], cells.words.get(&slot)) {
        (Kind::Date(order), _) => {
            (Role::Date { month_first: order == super::date::Order::MonthFirst }, Form::Plain)
        }
        (_, None) if cells.fractions[slot] => (Role::Number, Form::Plain),
        (_, None) if !said && is_id(cells, slot, plan) => (Role::Id, Form::Nothing),
        (_, None) => (Role::Integer, Form::Plain),
        (kind, Some(words)) => texts(words, kind, present, said, plan, at),
    }
}

fn texts(
    words: &Words,
    kind: Kind,
    present: usize,
    said: bool,
    plan: &Plan,
    at: usize,
) -> (Role, Form) {
    let count = words.order.len();
    let block = || {
        let (categories, places) = words.sorted();
        (Role::Categorical { categories }, Form::Block(count, places))
    };
    if said && !words.too_many {
        return block();
    }
    if kind == Kind::Unknown {
        let numbers: Option<Vec<f64>> = words
            .order
            .iter()
            .map(|word| number(word, plan.decimal).filter(|x| (*x as f32).is_finite()))
            .collect();
        if let Some(numbers) = numbers.filter(|_| count > 0) {
            return (Role::Number, Form::Read(numbers));
        }
    }
    if let Some(numbers) = booleans(words) {
        return (Role::Boolean, Form::Read(numbers));
    }
    let names_rows = count == present && !words.too_many;
    if plan.unnamed[at] && at == 0 && names_rows {
        return (Role::Id, Form::Nothing);
    }
    if count < present && (count <= FEW || count <= MOST_CATEGORIES && count <= present / 2) {
        return block();
    }
    (if names_rows { Role::Id } else { Role::Text }, Form::Nothing)
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

/// Whether a column of whole numbers numbers the rows: by its name, or because it has none where
/// others do; and no number comes twice.
fn is_id(cells: &Cells, slot: usize, plan: &Plan) -> bool {
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
        return false;
    }
    if cells.rounded.contains_key(&slot) {
        return true; // rounding may have made two of them one
    }
    let mut seen = HashSet::new();
    let mut column = cells.values.iter().skip(slot).step_by(cells.kept.len());
    column.all(|value| seen.insert(value.to_bits()))
}
