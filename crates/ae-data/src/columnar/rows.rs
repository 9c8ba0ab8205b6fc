//! The rows of record batches as those of a table.

use std::collections::VecDeque;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use csv::StringRecord;

use super::batches::Batches;
use super::cells::{self, Kind};
use crate::Result;
use crate::error::{list, quote};
use crate::table::{MAX_COLUMNS, RowSource};

/// The most rows that are looked at before the others are read.
const FIRST: usize = 499;

/// The most columns that a note lists.
const LISTED: usize = 8;

/// A column of the table that is made.
#[derive(Clone)]
pub(crate) struct Declared {
    pub name: String,
    /// `None`: not read.
    pub kind: Option<Kind>,
    /// The row names that pandas stores.
    pub is_index: bool,
    /// Whether the data set says that it has classes.
    pub is_label: bool,
}

/// Where the cells of a column are.
#[derive(Clone)]
struct Place {
    column: usize,
    /// The element of a list.
    element: Option<usize>,
    names: Option<Vec<String>>,
}

/// Rows of text, the first with the names of the columns.
pub(crate) struct ColumnRows {
    batches: Batches,
    places: Vec<Place>,
    pub(crate) columns: Vec<Declared>,
    batch: Option<(usize, RecordBatch)>,
    at: usize,
    /// Rows that were looked at, to be read again.
    first: VecDeque<StringRecord>,
    line: u64,
    training_files: Option<usize>,
    in_training: usize,
    left_out: Vec<String>,
}

impl ColumnRows {
    pub(super) fn new(mut batches: Batches, training_files: Option<usize>) -> Result<Self> {
        // The first batch has the lengths of lists.
        let batch = loop {
            match batches.next()? {
                Some((_, batch)) if batch.num_rows() == 0 => {}
                other => break other,
            }
        };
        let names = class_names(batches.schema());
        let (mut places, mut columns, mut left_out) = (vec![], vec![], vec![]);
        for (column, field) in batches.schema().fields().iter().enumerate() {
            let array = batch.as_ref().map(|(_, batch)| batch.column(column));
            let classes = names.iter().find(|(name, _)| name == field.name());
            let classes = classes.map(|(_, names)| names.clone());
            let length = list_length(field, array);
            let is_index = field.name().starts_with("__index_level_");
            let declared =
                |name: String, kind| Declared { name, kind, is_index, is_label: classes.is_some() };
            match (cells::kind(field.data_type()), length) {
                (Some(_), _) if classes.is_some() => {
                    columns.push(declared(field.name().clone(), Some(Kind::Text)));
                }
                (Some(kind), _) => columns.push(declared(field.name().clone(), Some(kind))),
                (None, Some(length)) if columns.len() + length <= MAX_COLUMNS => {
                    for element in 0..length {
                        let name = format!("{}[{element}]", field.name());
                        columns.push(declared(name, Some(Kind::Number)));
                        places.push(Place { column, element: Some(element), names: None });
                    }
                    continue;
                }
                (None, _) => {
                    left_out.push(format!("{} ({})", quote(field.name()), field.data_type()));
                    columns.push(declared(field.name().clone(), None));
                }
            }
            places.push(Place { column, element: None, names: classes });
        }
        let mut rows = Self {
            batches,
            places,
            columns,
            batch,
            at: 0,
            first: VecDeque::new(),
            line: 0,
            training_files,
            in_training: 0,
            left_out,
        };
        let names: StringRecord = rows.columns.iter().map(|column| column.name.trim()).collect();
        let mut first = VecDeque::from([names]);
        let mut row = StringRecord::new();
        while first.len() <= FIRST && rows.read(&mut row)? {
            first.push_back(row.clone());
        }
        rows.first = first;
        Ok(rows)
    }

    /// The names of the columns, and the first rows.
    pub(crate) fn first(&mut self) -> &[StringRecord] {
        self.first.make_contiguous()
    }

    /// The number of rows of the training set that are not empty.
    pub(super) fn in_training(&self) -> usize {
        self.in_training
    }

    fn read(&mut self, row: &mut StringRecord) -> Result<bool> {
        loop {
            let Some((file, batch)) = &self.batch else { return Ok(false) };
            if self.at == batch.num_rows() {
                (self.batch, self.at) = (self.batches.next()?, 0);
                continue;
            }
            row.clear();
            let (mut text, mut is_empty) = (String::new(), true);
            for (place, column) in self.places.iter().zip(&self.columns) {
                text.clear();
                if column.kind.is_some() {
                    self.cell(batch.column(place.column), place, &mut text)?;
                }
                is_empty &= text.is_empty();
                row.push_field(&text);
            }
            if self.training_files.is_some_and(|files| *file < files) && !is_empty {
                self.in_training += 1;
            }
            self.at += 1;
            return Ok(true);
        }
    }

    fn cell(&self, array: &ArrayRef, place: &Place, text: &mut String) -> Result<()> {
        let Some(element) = place.element else {
            cells::write(array, self.at, text);
            if let Some(names) = &place.names
                && let Ok(class) = text.parse::<i64>()
            {
                // -1 is Hugging Face's way to say that there is no label.
                let name = usize::try_from(class).ok().and_then(|class| names.get(class));
                text.clear();
                text.push_str(name.map_or("", String::as_str));
            }
            return Ok(());
        };
        if array.is_null(self.at) {
            return Ok(());
        }
        let values = elements(array, self.at);
        let length = self.places.iter().filter(|it| it.column == place.column).count();
        if values.len() != length {
            let name = self.batches.schema().field(place.column).name();
            return Err(crate::Error::malformed_at(
                self.batches.file(),
                format!("column {}", quote(name)),
                format!("lists of {length} elements as in the first row"),
                values.len().to_string(),
            ));
        }
        cells::write(&values, element, text);
        Ok(())
    }
}

impl RowSource for ColumnRows {
    fn next(&mut self, row: &mut StringRecord) -> Result<bool> {
        let more = match self.first.pop_front() {
            Some(first) => {
                *row = first;
                true
            }
            None => self.read(row)?,
        };
        self.line += u64::from(more);
        Ok(more)
    }

    /// The names are no row.
    fn line(&self) -> u64 {
        self.line.saturating_sub(1)
    }

    fn unit(&self) -> &'static str {
        "row"
    }

    fn notes(&self) -> Vec<String> {
        if self.left_out.is_empty() {
            return vec![];
        }
        let mut shown = self.left_out.clone();
        if shown.len() > LISTED {
            shown.truncate(LISTED);
            shown.push(format!("{} more", self.left_out.len() - LISTED));
        }
        vec![format!("columns left out: {}", list(&shown, "and"))]
    }
}

/// The values of a list.
fn elements(array: &ArrayRef, row: usize) -> ArrayRef {
    match array.data_type() {
        DataType::FixedSizeList(..) => array.as_fixed_size_list().value(row),
        DataType::LargeList(_) => array.as_list::<i64>().value(row),
        _ => array.as_list::<i32>().value(row),
    }
}

/// The length of the lists of a column of numbers, by its type or its first row.
fn list_length(field: &Field, array: Option<&ArrayRef>) -> Option<usize> {
    let of_numbers = |element: &Field| cells::kind(element.data_type()) == Some(Kind::Number);
    match field.data_type() {
        DataType::FixedSizeList(element, length) if of_numbers(element) => {
            usize::try_from(*length).ok()
        }
        DataType::List(element) | DataType::LargeList(element) if of_numbers(element) => {
            let array = array?;
            let first = (0..array.len()).find(|row| !array.is_null(*row))?;
            Some(elements(array, first).len())
        }
        _ => None,
    }
}

/// The names of the classes of columns, as Hugging Face stores them.
pub(super) fn class_names(schema: &Schema) -> Vec<(String, Vec<String>)> {
    let Some(text) = schema.metadata().get("huggingface") else { return vec![] };
    let Ok(value) = serde_json::from_str::<serde_json::Value>(text) else { return vec![] };
    let Some(features) = value["info"]["features"].as_object() else { return vec![] };
    let classes = features.iter().filter(|(_, feature)| feature["_type"] == "ClassLabel");
    classes
        .filter_map(|(name, feature)| {
            let names = feature["names"].as_array()?.iter();
            Some((name.clone(), names.map(|it| it.as_str().unwrap_or("").to_owned()).collect()))
        })
        .collect()
}
