//! A table as cells: a number or a category for each row and column, some of them missing.

use ae_data::Samples;
use ae_data::table::{Role, Schema};
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// What a column holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Numbers.
    Number {
        /// Whether all are integers.
        integer: bool,
    },
    /// One of these texts. A cell is the index of its text.
    Category {
        /// The texts.
        categories: Vec<String>,
    },
}

/// A column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
}

impl Column {
    /// The number of its categories; `None` for numbers.
    pub fn categories(&self) -> Option<usize> {
        match &self.kind {
            Kind::Number { .. } => None,
            Kind::Category { categories } => Some(categories.len()),
        }
    }

    /// The number of its features in a model: one for numbers, one for each category.
    pub(crate) fn features(&self) -> usize {
        self.categories().unwrap_or(1)
    }
}

/// The cells of a table, row after row: numbers, and the indices of categories. NaN is a missing cell.
#[derive(Clone, Debug, PartialEq)]
pub struct Cells {
    columns: Vec<Column>,
    values: Vec<f64>,
}

impl Cells {
    /// Cells with these columns.
    ///
    /// # Errors
    /// If there are no columns, the values are not whole rows, a value is infinite, or one of a category
    /// is no index of its texts.
    pub fn new(columns: Vec<Column>, values: Vec<f64>) -> Result<Self> {
        if columns.is_empty() {
            return Err(Error::setting("columns", "at least one", "none"));
        }
        if !values.len().is_multiple_of(columns.len()) {
            let expected = format!("a multiple of {}", columns.len());
            return Err(Error::setting("cells", expected, values.len()));
        }
        for row in values.chunks_exact(columns.len()) {
            for (value, column) in row.iter().zip(&columns) {
                let is_valid = match column.categories() {
                    _ if value.is_nan() => true,
                    None => value.is_finite(),
                    Some(count) => value.fract() == 0.0 && (0.0..count as f64).contains(value),
                };
                if !is_valid {
                    let expected = match column.categories() {
                        None => "a finite number".to_owned(),
                        Some(count) => format!("the index of one of {count} categories"),
                    };
                    let got = format!("{value} in column `{}`", column.name);
                    return Err(Error::setting("cells", expected, got));
                }
            }
        }
        Ok(Self { columns, values })
    }

    /// The cells of samples, without their preprocessing, by the schema of their table; without one, each
    /// feature is a column of numbers. Booleans are categories; a category that the schema does not have
    /// is missing.
    ///
    /// # Errors
    /// If there are no samples or no columns.
    pub fn of(samples: &Samples) -> Result<Self> {
        let columns: Vec<Column> = match samples.table() {
            Some(table) => of_schema(&table.schema),
            None => (0..samples.width())
                .map(|at| Column { name: at.to_string(), kind: Kind::Number { integer: false } })
                .collect(),
        };
        let is_boolean: Vec<bool> = match samples.table() {
            Some(table) => {
                let roles = table.schema.columns.iter().map(|column| &column.role);
                let roles = roles.filter(|role| role.features() > 0);
                roles.map(|role| *role == Role::Boolean).collect()
            }
            None => vec![false; columns.len()],
        };
        let mut values = Vec::with_capacity(samples.len() * columns.len());
        for row in 0..samples.len() {
            let raw = samples.raw_row(row);
            let mut rest = &raw[..];
            for (column, is_boolean) in columns.iter().zip(&is_boolean) {
                let width = if *is_boolean { 1 } else { column.features() };
                let (own, next) = rest.split_at(width);
                rest = next;
                values.push(match column.categories() {
                    Some(_) if !*is_boolean => {
                        own.iter().position(|it| *it == 1.0).map_or(f64::NAN, |at| at as f64)
                    }
                    _ => own[0],
                });
            }
        }
        Self::new(columns, values)
    }

    /// The columns.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The number of columns.
    pub fn width(&self) -> usize {
        self.columns.len()
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.values.len() / self.columns.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// One row.
    ///
    /// # Panics
    /// If `row` is not below [`len`](Self::len).
    pub fn row(&self, row: usize) -> &[f64] {
        &self.values[row * self.width()..][..self.width()]
    }

    /// The rows.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[f64]> {
        self.values.chunks_exact(self.width())
    }

    /// A cell.
    ///
    /// # Panics
    /// If row or column do not exist.
    pub fn at(&self, row: usize, column: usize) -> f64 {
        self.row(row)[column]
    }

    /// Sets a cell.
    pub(crate) fn set(&mut self, row: usize, column: usize, value: f64) {
        let width = self.width();
        self.values[row * width + column] = value;
    }

    /// The cells of one column.
    pub fn column(&self, column: usize) -> impl Iterator<Item = f64> {
        self.rows().map(move |row| row[column])
    }

    /// The number of missing cells.
    pub fn missing(&self) -> usize {
        self.values.iter().filter(|value| value.is_nan()).count()
    }

    /// The number of missing cells of each column.
    pub fn missing_by_column(&self) -> Vec<usize> {
        let count = |at| self.column(at).filter(|value| value.is_nan()).count();
        (0..self.width()).map(count).collect()
    }

    /// The rows with these indices.
    pub(crate) fn subset(&self, rows: &[usize]) -> Self {
        let values = rows.iter().flat_map(|row| self.row(*row).iter().copied()).collect();
        Self { columns: self.columns.clone(), values }
    }

    /// The same with NaN in the places that are true.
    pub(crate) fn hidden(&self, hidden: &[bool]) -> Self {
        let mut cells = self.clone();
        for (value, is_hidden) in cells.values.iter_mut().zip(hidden) {
            if *is_hidden {
                *value = f64::NAN;
            }
        }
        cells
    }

    #[cfg(test)]
    pub(crate) fn values(&self) -> &[f64] {
        &self.values
    }

    /// The features of a row by a schema, the inverse of [`of`](Self::of): one-hot blocks for categories.
    ///
    /// # Panics
    /// If the schema is not that of the columns.
    pub fn features(&self, row: usize, schema: &Schema) -> Vec<f64> {
        let roles = schema.columns.iter().map(|column| &column.role);
        let roles = roles.filter(|role| role.features() > 0);
        let mut features = vec![];
        for (value, role) in self.row(row).iter().zip(roles) {
            match role {
                Role::Categorical { categories } if value.is_nan() => {
                    features.extend(std::iter::repeat_n(f64::NAN, categories.len()));
                }
                Role::Categorical { categories } => {
                    let is_it = |at| if at as f64 == *value { 1.0 } else { 0.0 };
                    features.extend((0..categories.len()).map(is_it));
                }
                _ => features.push(*value),
            }
        }
        features
    }
}

/// The columns of a schema that are features.
pub(super) fn of_schema(schema: &Schema) -> Vec<Column> {
    let columns = schema.columns.iter().filter(|column| column.role.features() > 0);
    columns
        .map(|column| {
            let kind = match &column.role {
                Role::Categorical { categories } => {
                    Kind::Category { categories: categories.clone() }
                }
                Role::Boolean => Kind::Category { categories: vec!["no".into(), "yes".into()] },
                Role::Integer | Role::Date { .. } => Kind::Number { integer: true },
                _ => Kind::Number { integer: false },
            };
            Column { name: column.name.clone(), kind }
        })
        .collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Columns of numbers named a, b, ...
    pub(crate) fn numbers(count: usize, values: &[f64]) -> Cells {
        let column = |at: usize| Column {
            name: char::from(b'a' + at as u8).to_string(),
            kind: Kind::Number { integer: false },
        };
        Cells::new((0..count).map(column).collect(), values.to_vec()).unwrap()
    }

    #[test]
    fn a_table_becomes_cells_and_features_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        std::fs::write(&path, "size,colour,big\n1,red,yes\n2,?,no\n,blue,\n4,red,no\n5,blue,no\n")
            .unwrap();
        let samples = ae_data::table::read(&path, None).unwrap();
        let cells = Cells::of(&samples).unwrap();
        assert_eq!(cells.columns()[1].categories(), Some(2));
        assert_eq!(cells.row(0), [1.0, 1.0, 1.0]);
        assert!(cells.at(1, 1).is_nan() && cells.at(2, 0).is_nan() && cells.at(2, 2).is_nan());
        assert_eq!((cells.missing(), cells.missing_by_column()), (3, vec![1, 1, 1]));
        let schema = &samples.table().unwrap().schema;
        for row in 0..samples.len() {
            let bits = |row: Vec<f64>| row.into_iter().map(f64::to_bits).collect::<Vec<_>>();
            assert_eq!(bits(cells.features(row, schema)), bits(samples.raw_row(row)));
        }
    }

    #[test]
    fn cells_that_are_none_are_refused() {
        let category = Kind::Category { categories: vec!["x".into(), "y".into()] };
        let columns = || {
            let number = Column { name: "n".into(), kind: Kind::Number { integer: true } };
            vec![number, Column { name: "c".into(), kind: category.clone() }]
        };
        let message =
            |values: &[f64]| Cells::new(columns(), values.to_vec()).unwrap_err().to_string();
        assert_eq!(message(&[1.0]), "cells: expected a multiple of 2, got 1");
        assert_eq!(
            message(&[f64::INFINITY, 0.0]),
            "cells: expected a finite number, got inf in column `n`"
        );
        assert_eq!(
            message(&[0.0, 2.0]),
            "cells: expected the index of one of 2 categories, got 2 in column `c`"
        );
        assert_eq!(
            Cells::new(vec![], vec![]).unwrap_err().to_string(),
            "columns: expected at least one, got none"
        );
    }
}
