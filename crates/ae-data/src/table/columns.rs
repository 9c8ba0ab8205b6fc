//! The kinds of the columns of a table, from its first rows and the caller's options.

use csv::StringRecord;
use std::path::Path;

use super::date::{self, Order};
use super::dialect::Dialect;
use super::header::{First, LABEL_COLUMNS, first_row, is_short, second_is_units};
use super::matching::Matching;
use super::missing::is_missing;
use super::number::{Evidence, number};
use super::{Decimal, TableOptions};
use crate::{Error, Result, error::quote};

/// How the cells of a column are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CellKind {
    Number,
    Date(Order),
    /// Texts, which may become categories or booleans.
    Words,
    /// Only missing cells in the first rows.
    Unknown,
    Label,
    /// Not read.
    Ignored,
    Id,
}

/// The columns of a table, and the meaning of its first rows.
pub(super) struct Plan {
    /// In the order of the file.
    pub names: Vec<String>,
    pub kinds: Vec<CellKind>,
    /// Whether the caller specified the kind of a column.
    pub specified: Vec<bool>,
    /// Columns without a name, if others have one.
    pub unnamed: Vec<bool>,
    pub decimal: Decimal,
    pub first: First,
    /// Whether the second row has units.
    pub units: bool,
    /// The columns of the caller's schema.
    pub matching: Option<Matching>,
}

impl Plan {
    pub(super) fn of(
        rows: &[StringRecord],
        label_column: Option<&str>,
        options: &TableOptions,
        dialect: &Dialect,
        path: &Path,
    ) -> Result<Self> {
        let decimal = decimal(rows, options, dialect, path)?;
        Self::with_kinds(rows, label_column, options, (dialect.separator, decimal), &[], path)
    }

    /// The plan of a table whose columns have names and, some of them, kinds. `declared` has a place for each
    /// column, or none at all if neither is known.
    pub(super) fn with_kinds(
        rows: &[StringRecord],
        label_column: Option<&str>,
        options: &TableOptions,
        (separator, decimal): (u8, Decimal),
        declared: &[Option<CellKind>],
        path: &Path,
    ) -> Result<Self> {
        let is_text = declared.is_empty();
        let known_label = options.schema.as_ref().and_then(|schema| schema.label());
        let asked = label_column.or(known_label
            .filter(|label| rows.first().is_some_and(|row| row.iter().any(|cell| cell == *label))));
        let first = first_row(rows, asked, options.header, decimal);
        let named = first == First::Names;
        let units = is_text && named && second_is_units(rows, decimal);
        let data = &rows[usize::from(named) + usize::from(units)..];

        let head = rows.first().cloned().unwrap_or_default();
        let short = is_text && named && is_short(&head, data);
        let shift = usize::from(short);
        let digits =
            |cell: &str| !cell.is_empty() && cell.bytes().all(|byte| byte.is_ascii_digit());
        if short && head.len() == 1 && separator == b',' && data.iter().flatten().all(digits) {
            let got = format!(
                "{} above rows of 2; set `separator` to ; if the comma is a decimal mark, else name \
                 both columns",
                quote(&head[0])
            );
            return Err(Error::malformed(path, "as many names as columns", got));
        }
        let usual = usual_width(data).unwrap_or(head.len());
        let surplus_is_empty = head.iter().skip(usual).all(str::is_empty);
        let width = match usual < head.len() && surplus_is_empty {
            true => usual,
            false => head.len() + shift,
        };
        let own = |at: usize| match named && at >= shift {
            true => head.get(at - shift).filter(|name| !name.is_empty()),
            false => None,
        };
        let names: Vec<String> =
            (0..width).map(|at| own(at).map_or_else(|| at.to_string(), str::to_owned)).collect();
        let unnamed = (0..width).map(|at| named && own(at).is_none()).collect();

        let mut plan = Self {
            kinds: vec![],
            specified: vec![false; width],
            names,
            unnamed,
            decimal,
            first,
            units,
            matching: None,
        };
        let mut open = vec![];
        for at in 0..width {
            let (kind, example) = match declared.get(at).copied().flatten() {
                Some(kind) => (kind, None),
                None => guess(data, at, decimal, options),
            };
            plan.kinds.push(kind);
            open.extend(example.map(|cell| (at, cell)));
        }
        plan.apply_options(asked, options, path)?;
        if let Some(schema) = &options.schema {
            plan.matching =
                Some(Matching::of(schema, &mut plan.names, &mut plan.kinds, named, path)?);
            return Ok(plan);
        }
        if let Some((at, cell)) =
            open.iter().find(|(at, _)| matches!(plan.kinds[*at], CellKind::Date(_)))
        {
            let place = format!("column {}", quote(&plan.names[*at]));
            let expected = "dates that show which number is the day";
            let got = format!("{}; set `month_first`, or list the column in `ignore`", quote(cell));
            return Err(Error::malformed_at(path, place, expected, got));
        }
        Ok(plan)
    }

    /// The column of the labels, if there is one.
    pub(super) fn label(&self) -> Option<usize> {
        self.kinds.iter().position(|kind| *kind == CellKind::Label)
    }

    /// Sets the kinds of the columns that the caller specified.
    fn apply_options(
        &mut self,
        label: Option<&str>,
        options: &TableOptions,
        path: &Path,
    ) -> Result<()> {
        let label = self.find_label(label, path)?;
        for (what, wanted, kind) in [
            ("column of numbers", &options.numeric, CellKind::Number),
            ("column of categories", &options.categorical, CellKind::Words),
            ("column of identifiers", &options.id, CellKind::Id),
            ("column to ignore", &options.ignore, CellKind::Ignored),
        ] {
            for name in wanted {
                let at = self.find(name).ok_or_else(|| self.no_column(what, name, path))?;
                if self.specified[at] {
                    let got = format!("{} twice", quote(&self.names[at]));
                    return Err(Error::invalid(what, "each column in one list", got));
                }
                // A column of dates in `numeric` stays a date.
                if !(kind == CellKind::Number && matches!(self.kinds[at], CellKind::Date(_))) {
                    self.kinds[at] = kind;
                }
                self.specified[at] = true;
            }
        }
        if let Some(label) = label.filter(|label| !self.specified[*label]) {
            self.kinds[label] = CellKind::Label;
        }
        Ok(())
    }

    /// The column with this name, or with this index.
    fn find(&self, asked: &str) -> Option<usize> {
        let by_index = || asked.parse().ok().filter(|index| *index < self.names.len());
        self.names.iter().position(|name| name == asked).or_else(by_index)
    }

    fn find_label(&self, asked: Option<&str>, path: &Path) -> Result<Option<usize>> {
        let Some(asked) = asked else {
            let mut known = LABEL_COLUMNS.iter();
            let find =
                |known: &&str| self.names.iter().position(|name| name.eq_ignore_ascii_case(known));
            return Ok(known.find_map(find));
        };
        self.find(asked).map(Some).ok_or_else(|| self.no_column("label column", asked, path))
    }

    fn no_column(&self, what: &str, asked: &str, path: &Path) -> Error {
        let shown: Vec<_> = self.names.iter().take(20).map(|name| quote(name)).collect();
        let more = if self.names.len() > 20 { ", ..." } else { "" };
        let expected = format!("a {what} named {}", quote(asked));
        Error::malformed(path, expected, format!("the columns {}{more}", shown.join(", ")))
    }
}

/// The number of cells of the longest row, without empty cells at the end.
fn usual_width(rows: &[StringRecord]) -> Option<usize> {
    let filled =
        |row: &StringRecord| (0..row.len()).rfind(|at| !row[*at].is_empty()).map_or(0, |at| at + 1);
    rows.iter().map(filled).max().filter(|width| *width > 0)
}

fn decimal(
    rows: &[StringRecord],
    options: &TableOptions,
    dialect: &Dialect,
    path: &Path,
) -> Result<Decimal> {
    if let Some(decimal) = options.decimal {
        return Ok(decimal);
    }
    let mut evidence = Evidence::default();
    rows.iter().flatten().for_each(|cell| evidence.add(cell));
    evidence.decide(dialect.separator).map_err(|got| {
        let separator = dialect.separator_name();
        let got = format!("{got} between {separator}; set `decimal` to point or comma");
        Error::malformed(path, "numbers with one decimal mark", got)
    })
}

/// The kind of a column by its first rows, and a date that does not show which number is the day, if
/// there is one.
fn guess(
    rows: &[StringRecord],
    at: usize,
    decimal: Decimal,
    options: &TableOptions,
) -> (CellKind, Option<String>) {
    let (mut numbers, mut dates, mut texts) = (0, 0, 0);
    let given = |first| if first { Order::MonthFirst } else { Order::DayFirst };
    let (mut order, mut open) = (options.month_first.map(given), None);
    for cell in rows.iter().filter_map(|row| row.get(at)) {
        if is_missing(cell) || options.missing_as.iter().any(|missing| missing == cell) {
            continue;
        }
        if number(cell, decimal).is_some() {
            numbers += 1;
        } else if date::seconds(cell, Order::DayFirst).is_some()
            || date::seconds(cell, Order::MonthFirst).is_some()
        {
            dates += 1;
            match date::order(cell) {
                Some(Some(found)) => order = order.or(Some(found)),
                Some(None) => open = open.or_else(|| Some(cell.to_owned())),
                None => {}
            }
        } else {
            texts += 1;
        }
    }
    match (numbers, dates, texts) {
        (0, 0, 0) => (CellKind::Unknown, None),
        (0, _, 0) => (CellKind::Date(order.unwrap_or_default()), open.filter(|_| order.is_none())),
        (numbers, dates, texts) if numbers >= dates + texts => (CellKind::Number, None),
        _ => (CellKind::Words, None),
    }
}
