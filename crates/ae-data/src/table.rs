//! Tables of numbers as text: CSV, with commas, semicolons or tabs.

mod columns;
mod rows;

use std::path::Path;

use csv::StringRecord;

use crate::{Error, Result, Samples, Shape, classes::Classes, error::quote};
use columns::Columns;
use rows::Rows;

/// Names of columns take far more memory than their cells, so a row must not be all there is.
pub(crate) const MOST_COLUMNS: usize = 1 << 20;

const NAMES: &str = "a first row of names has no number in it";

/// Reads a table: one sample a row, one feature a column.
///
/// The first row holds the names of the columns if none of its cells is a number (empty ones and
/// the label's aside), or if one of them is the name of the label column; without such a row
/// columns are called `0`, `1`, ... So a first row of numbers alone is a sample even where it
/// looks like a list of years, and one with both numbers and other text is an error. The separator
/// is the tab if the first row has one, else the semicolon, else the comma (looked for in its
/// first 64 KiB). `label_column` is the name of a column or, failing that, its index from 0;
/// without it a column called `label`, `class` or `target`, if there is one, holds the labels.
/// Labels may be any text: each different one is a class, sorted as numbers if all are integers.
/// The file may be gzip.
///
/// ```
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("iris.csv");
/// std::fs::write(&path, "length,width,class\n5.1,3.5,setosa\n6.2,3.4,virginica\n")?;
/// let iris = ae_data::table::read(&path, None)?;
/// assert_eq!(iris.row(1), [6.2, 3.4]);
/// assert_eq!(iris.labels().unwrap().names(), ["setosa", "virginica"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If the file cannot be read, a cell is missing or not a finite number within the range of f32,
/// a row has another number of cells than the first, there is no row or no feature or more than
/// 2^20 of them, or no column is the one asked for.
pub fn read(path: &Path, label_column: Option<&str>) -> Result<Samples> {
    let (mut rows, mut row) = (Rows::open(path)?, StringRecord::new());
    if !rows.next(&mut row)? {
        return Err(Error::malformed(path, "at least one row of numbers", "an empty file"));
    }
    let columns = Columns::of(&row, label_column, path)?;
    if columns.len() == usize::from(columns.label.is_some()) {
        return Err(Error::malformed(path, "at least one column of numbers", "only the labels"));
    }

    let (mut values, mut classes) = (vec![], Classes::default());
    let mut more = !columns.are_named() || rows.next(&mut row)?;
    while more {
        let (line, first) = (rows.line(), values.is_empty() && !columns.are_named());
        if row.len() != columns.len() {
            return Err(Error::malformed_at(
                path,
                format!("line {line}"),
                format!("{} cells as in the first row", columns.len()),
                row.len().to_string(),
            ));
        }
        for (at, cell) in row.iter().enumerate() {
            let wrong = |expected: &str, got: String| {
                let place = format!("line {line}, column {}", quote(&columns.name(at)));
                Error::malformed_at(path, place, expected, got)
            };
            if cell.is_empty() {
                return Err(wrong("a value", "an empty cell".into()));
            }
            if Some(at) == columns.label {
                classes.push(cell);
            } else {
                values.push(number(cell).map_err(|expected| {
                    let error = wrong(expected, quote(cell));
                    let names_meant = first && cell.parse::<f64>().is_err();
                    if names_meant { error.advise(NAMES) } else { error }
                })?);
            }
        }
        more = rows.next(&mut row)?;
    }
    if values.is_empty() {
        return Err(Error::malformed(path, "at least one row of numbers", "only a header"));
    }

    let samples = Samples::from_floats(values, Shape::Table { columns: columns.features() })?;
    match columns.label {
        Some(_) => samples.with_labels(classes.finish()?),
        None => Ok(samples),
    }
}

/// A feature, or what was expected in its place.
fn number(cell: &str) -> Result<f32, &'static str> {
    match cell.parse::<f64>() {
        Err(_) => Err("a number"),
        Ok(value) if !value.is_finite() => Err("a finite number"),
        Ok(value) if !(value as f32).is_finite() => Err("a number from -3.4e38 to 3.4e38"),
        Ok(value) => Ok(value as f32),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str, label_column: Option<&str>) -> Result<Samples> {
        let path = tempfile::NamedTempFile::new().unwrap().into_temp_path();
        std::fs::write(&path, text).unwrap();
        read(&path, label_column)
    }

    fn rows(samples: &Samples) -> Vec<Vec<f32>> {
        (0..samples.len()).map(|row| samples.row(row)).collect()
    }

    fn columns(samples: &Samples) -> Vec<&str> {
        match samples.shape() {
            Shape::Table { columns } => columns.iter().map(String::as_str).collect(),
            Shape::Image { .. } => panic!("a table is no image"),
        }
    }

    #[test]
    fn separators_and_headers_are_found() {
        let same = [
            "a,b\n1,2\n3,4\n",
            "a;b\r\n1;2\r\n3;4",
            "a\tb\n1\t 2 \n\n3\t4\n",
            "\u{feff}a,b\n1,2\n3,4\n",
            "\"a\",\"b\"\n\"1\",2\n3,4\n",
        ];
        for text in same {
            let samples = parse(text, None).unwrap();
            assert_eq!(rows(&samples), [[1.0, 2.0], [3.0, 4.0]], "{text:?}");
            assert_eq!(columns(&samples), ["a", "b"], "{text:?}");
            assert!(samples.labels().is_none());
        }
        let samples = parse("1,2\n3,4\n", None).unwrap();
        assert_eq!((rows(&samples).len(), columns(&samples)), (2, vec!["0", "1"]));
        let samples = parse("\"a;b\",c,\n1,2,3\n", None).unwrap();
        assert_eq!(columns(&samples), ["a;b", "c", "2"]);
    }

    #[test]
    fn a_first_row_of_numbers_alone_is_a_sample() {
        let samples = parse("2019,2020\n1,2\n", None).unwrap();
        assert_eq!((samples.row(0), columns(&samples)), (vec![2019.0, 2020.0], vec!["0", "1"]));
        // The name of the labels tells the years from numbers.
        for (text, label) in
            [("2019,2020,class\n1,2,a\n", None), ("2019,2020,k\n1,2,a\n", Some("k"))]
        {
            let samples = parse(text, label).unwrap();
            assert_eq!(
                (rows(&samples), columns(&samples)),
                (vec![vec![1.0, 2.0]], vec!["2019", "2020"])
            );
        }
    }

    #[test]
    fn labels_are_found_by_name_by_index_or_by_themselves() {
        let text = "Class,x,kind\n10,1,b\n9,2,a\n";
        let samples = parse(text, Some("kind")).unwrap();
        assert_eq!(
            (rows(&samples), columns(&samples)),
            (vec![vec![10.0, 1.0], vec![9.0, 2.0]], vec!["Class", "x"])
        );
        assert_eq!(samples.labels().unwrap().classes(), [1, 0]);
        assert_eq!(parse(text, Some("2")).unwrap().labels(), samples.labels());

        let samples = parse("Class,x\n10,1\n9,2\n", None).unwrap();
        assert_eq!(samples.labels().unwrap().names(), ["9", "10"]);
        assert_eq!(rows(&samples), [[1.0], [2.0]]);

        // Without a header the label's text must not make the first row one.
        let samples = parse("5.1,setosa\n6.2,virginica\n", Some("1")).unwrap();
        assert_eq!(rows(&samples), [[5.1], [6.2]]);
        let samples = parse("label,1,2\n7,1,2\n", Some("0")).unwrap();
        assert_eq!((samples.len(), columns(&samples)), (1, vec!["1", "2"]));
    }
}
