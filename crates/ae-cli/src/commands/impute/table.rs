//! The table that is filled in: its cells, and its text.

use std::collections::HashSet;
use std::path::Path;

use ae_apply::impute::Cells;
use ae_data::Samples;
use ae_data::table::{self, FilledTable, Role, Schema, TableInfo, TableOptions};

use ae_report::short;

use super::dates::{DateFormat, iso};

use crate::{Error, Result};

/// The most distinct integers of a column that may be codes.
const MOST_CODES: usize = 10;

pub struct OpenTable {
    pub cells: Cells,
    pub schema: Schema,
    info: TableInfo,
    text: FilledTable,
    /// The column of the file of each column of cells.
    places: Vec<usize>,
    roles: Vec<Role>,
    formats: Vec<Option<DateFormat>>,
    /// What a user has to know.
    pub notes: Vec<String>,
    path: String,
}

impl OpenTable {
    /// Reads a table, with the columns of a model if there is one. Columns of labels and words for yes and no
    /// are categories, so that they are filled in like any other and with their own words.
    pub fn read(path: &Path, options: &TableOptions, schema: Option<Schema>) -> Result<Self> {
        let mut options = TableOptions { schema, ..options.clone() };
        let mut samples = table::read_with(path, None, &options)?;
        let mut notes = vec![];
        if options.schema.is_none() {
            let as_categories = categories(&samples);
            if !as_categories.is_empty() {
                notes.extend(label(&samples).map(|label| {
                    format!("`{label}` is used and filled in like any other column; --ignore {label} leaves it out")
                }));
                options.categorical.extend(as_categories);
                samples = table::read_with(path, None, &options)?;
            }
        }
        let info = samples
            .table()
            .cloned()
            .ok_or_else(|| Error::usage(format!("{}: expected a table as text", path.display())))?;
        let text = FilledTable::open(path, &options)?;
        let cells = Cells::of(&samples)?;
        let schema = info.schema.clone();
        let places = places(&schema, &text, info.named, options.schema.is_some());
        let (Some(places), true) = (places, text.len() == cells.len()) else {
            return Err(Error::usage(format!(
                "{}: expected {} rows whose cells can be written back, got {}; please report this table",
                path.display(),
                cells.len(),
                text.len()
            )));
        };
        let roles = schema.columns.iter().map(|column| column.role.clone());
        let roles = roles.filter(|role| role.features() > 0).collect();
        let path = path.display().to_string();
        let mut table =
            Self { cells, schema, info, text, places, roles, formats: vec![], notes, path };
        table.note_what_stays();
        table.find_formats();
        if options.schema.is_none() {
            table.note_codes();
        }
        Ok(table)
    }

    /// Says what stays empty and why.
    fn note_what_stays(&mut self) {
        for (at, name) in self.text.columns().iter().enumerate() {
            if self.places.contains(&at) {
                continue;
            }
            let missing = (0..self.text.len()).filter(|row| self.text.is_missing(*row, at)).count();
            let role = self.schema.columns.iter().find(|column| column.name == *name);
            if missing == 0 {
                continue;
            }
            let why = match role.map(|column| &column.role) {
                Some(Role::Empty) => "has no known cell to learn from".to_owned(),
                Some(Role::Text) => "has too many distinct texts".to_owned(),
                Some(Role::Id) => "names or numbers the rows".to_owned(),
                Some(_) => "is left out".to_owned(),
                None => "is not among the columns that were learned".to_owned(),
            };
            let cells = if missing == 1 { "cell stays" } else { "cells stay" };
            self.notes.push(format!("`{name}` {why}: its {missing} missing {cells} empty"));
        }
        for (column, place) in self.places.iter().enumerate() {
            let unseen = (0..self.cells.len())
                .filter(|row| {
                    self.cells.at(*row, column).is_nan() && !self.text.is_missing(*row, *place)
                })
                .count();
            if unseen > 0 {
                let name = &self.cells.columns()[column].name;
                self.notes.push(match unseen {
                    1 => format!(
                        "`{name}`: 1 cell has a category that was not learned; it stays as it is, and the other \
                         cells of its row are filled in without it"
                    ),
                    _ => format!(
                        "`{name}`: {unseen} cells have a category that was not learned; they stay as they are, \
                         and the other cells of their rows are filled in without them"
                    ),
                });
            }
        }
    }

    /// Says which columns of integers may be codes of categories, of which a mean says nothing.
    fn note_codes(&mut self) {
        let columns = self.schema.columns.iter().filter(|column| column.role.features() > 0);
        let codes: Vec<&str> = columns
            .enumerate()
            .filter(|(_, column)| column.role == Role::Integer)
            .filter(|(at, _)| {
                let known = self.cells.column(*at).filter(|value| !value.is_nan());
                let distinct: HashSet<u64> = known.map(f64::to_bits).collect();
                (3..=MOST_CODES).contains(&distinct.len()) && self.cells.len() > 10 * MOST_CODES
            })
            .map(|(_, column)| column.name.as_str())
            .collect();
        if !codes.is_empty() {
            let list = codes.join(",");
            self.notes.push(format!(
                "{} few distinct integers, filled in as numbers; if these are codes of categories, \
                 give --categorical {list}",
                match codes.len() {
                    1 => "1 column has".to_owned(),
                    count => format!("{count} columns have"),
                }
            ));
        }
    }

    /// Prints what was found.
    pub fn describe(&self) {
        let rows = if self.cells.len() == 1 { "row" } else { "rows" };
        eprintln!("{}: {} {rows}, {}", self.path, self.cells.len(), self.info);
        for note in &self.notes {
            eprintln!("note: {note}");
        }
    }

    /// The number of cells that are filled in, for each column.
    pub fn to_fill(&self) -> Vec<usize> {
        let count = |(column, place): (usize, &usize)| {
            let rows = 0..self.cells.len();
            rows.filter(|row| self.is_to_fill(*row, column, *place)).count()
        };
        self.places.iter().enumerate().map(count).collect()
    }

    /// Whether a cell is missing, and not only of a category that was not learned.
    fn is_to_fill(&self, row: usize, column: usize, place: usize) -> bool {
        self.cells.at(row, column).is_nan() && self.text.is_missing(row, place)
    }

    /// The text with the missing cells of `filled`.
    pub fn with(&mut self, filled: &Cells) -> Vec<u8> {
        self.text.clear();
        let places = self.places.clone();
        for row in 0..filled.len() {
            for (column, place) in places.iter().copied().enumerate() {
                if !self.is_to_fill(row, column, place) {
                    continue;
                }
                let value = filled.at(row, column);
                match &self.roles[column] {
                    Role::Categorical { categories } => {
                        self.text.fill_text(row, place, &categories[value as usize]);
                    }
                    Role::Date { .. } => {
                        let text = self.show(column, value);
                        self.text.fill_text(row, place, &text);
                    }
                    _ => self.text.fill_number(row, place, value),
                }
            }
        }
        self.text.to_bytes()
    }

    /// A number of a column as a user reads it: a date as its column writes dates.
    pub fn show(&self, column: usize, value: f64) -> String {
        match (&self.roles[column], &self.formats[column]) {
            (Role::Date { .. }, Some(format)) => format.text(value),
            (Role::Date { .. }, None) => iso(value),
            _ => short(value),
        }
    }

    /// Finds how columns write dates, and says of which it is not known.
    fn find_formats(&mut self) {
        for column in 0..self.roles.len() {
            let mut format = None;
            if matches!(self.roles[column], Role::Date { .. }) {
                let place = self.places[column];
                let rows =
                    (0..self.cells.len()).filter(|row| !self.cells.at(*row, column).is_nan());
                let known: Vec<(f64, String)> = rows
                    .map(|row| (self.cells.at(row, column), self.text.cell(row, place)))
                    .collect();
                format = DateFormat::of(&known);
                if format.is_none() && self.cells.len() > known.len() {
                    let name = &self.cells.columns()[column].name;
                    self.notes.push(format!(
                        "`{name}` does not write all its dates in one of the usual ways: dates are filled in as \
                         YYYY-MM-DD, with a time unless it is midnight"
                    ));
                }
            }
            self.formats.push(format);
        }
    }
}

/// The columns that are read as categories although they would be something else.
fn categories(samples: &Samples) -> Vec<String> {
    let columns = samples.table().into_iter().flat_map(|info| &info.schema.columns);
    let columns = columns.filter(|column| matches!(column.role, Role::Boolean | Role::Label));
    columns.map(|column| column.name.clone()).collect()
}

fn label(samples: &Samples) -> Option<String> {
    samples.table().and_then(|info| info.schema.label()).map(str::to_owned)
}

/// The columns of the file with the columns of cells: by name, or in order where there are no names.
fn places(schema: &Schema, text: &FilledTable, named: bool, is_known: bool) -> Option<Vec<usize>> {
    let wanted = schema.columns.iter().enumerate();
    let wanted: Vec<usize> =
        wanted.filter(|(_, column)| column.role.features() > 0).map(|(at, _)| at).collect();
    let width = text.columns().len();
    if !is_known {
        return (schema.columns.len() == width).then_some(wanted);
    }
    if !named {
        return match width {
            _ if width == wanted.len() => Some((0..width).collect()),
            _ if width == schema.columns.len() => Some(wanted),
            _ => None,
        };
    }
    let mut taken = vec![false; width];
    let mut find = |at: &usize| {
        let name = &schema.columns[*at].name;
        let place = (0..width).find(|place| !taken[*place] && text.columns()[*place] == *name)?;
        taken[place] = true;
        Some(place)
    };
    wanted.iter().map(&mut find).collect()
}
