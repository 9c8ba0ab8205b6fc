//! Tables of numbers as text: CSV, with commas, semicolons or tabs.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use csv::StringRecord;

use crate::{Error, Result, Samples, Shape, classes::Classes, error::quote, input::Input};

/// Columns that are labels unless another is named, best first; case does not matter.
const LABEL_COLUMNS: [&str; 3] = ["label", "class", "target"];

/// Names of columns take far more memory than their cells, so a row must not be all there is.
pub(crate) const MOST_COLUMNS: usize = 1 << 20;

/// Reads a table: one sample a row, one feature a column.
///
/// The first row holds the names of the columns if any of its cells is not a number (the label's
/// cell aside); without such a row columns are called `0`, `1`, ... The separator is the tab if
/// the first row has one, else the semicolon, else the comma. `label_column` is the name of a
/// column or, failing that, its index from 0; without it a column called `label`, `class` or
/// `target`, if there is one, holds the labels. Labels may be any text: each different one is a
/// class, sorted as numbers if all are integers. The file may be gzip.
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
    let mut input = BufReader::new(Input::open(path)?);
    let mut first = vec![];
    input.read_until(b'\n', &mut first).map_err(Error::io(path))?;
    let separator = separator(&first);
    let mut rows = csv::ReaderBuilder::new()
        .delimiter(separator)
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(Lines { text: first.as_slice().chain(input), line: 0, ended: true });

    let mut row = StringRecord::new();
    if !next(&mut rows, &mut row, path)? {
        return Err(Error::malformed(path, "at least one row of numbers", "an empty file"));
    }
    let cells = row.len();
    if cells > MOST_COLUMNS {
        let expected = format!("at most {MOST_COLUMNS} columns");
        return Err(Error::malformed(path, expected, cells.to_string()));
    }
    let header = is_header(&row, label_column);
    let columns: Vec<String> = match header {
        true => row.iter().enumerate().map(name).collect(),
        false => (0..cells).map(|at| at.to_string()).collect(),
    };
    let label = find_label(&columns, label_column, path)?;
    if cells == usize::from(label.is_some()) {
        return Err(Error::malformed(path, "at least one column of numbers", "only the labels"));
    }

    let (mut values, mut classes) = (vec![], Classes::default());
    let mut more = !header || next(&mut rows, &mut row, path)?;
    while more {
        let line = rows.get_ref().line;
        if row.len() != cells {
            return Err(Error::malformed_at(
                path,
                format!("line {line}"),
                format!("{cells} cells as in the first row"),
                row.len().to_string(),
            ));
        }
        for (at, cell) in row.iter().enumerate() {
            let wrong = |expected: &str, got: String| {
                let place = format!("line {line}, column {}", quote(&columns[at]));
                Error::malformed_at(path, place, expected, got)
            };
            if cell.is_empty() {
                return Err(wrong("a value", "an empty cell".into()));
            }
            if Some(at) == label {
                classes.push(cell);
            } else {
                values.push(number(cell).map_err(|expected| wrong(expected, quote(cell)))?);
            }
        }
        more = next(&mut rows, &mut row, path)?;
    }
    if values.is_empty() {
        return Err(Error::malformed(path, "at least one row of numbers", "only a header"));
    }

    let features = columns.into_iter().enumerate().filter(|(at, _)| Some(*at) != label);
    let shape = Shape::Table { columns: features.map(|(_, name)| name).collect() };
    let samples = Samples::from_floats(values, shape)?;
    match label {
        Some(_) => samples.with_labels(classes.finish()?),
        None => Ok(samples),
    }
}

/// Gives a text out line by line, so that it is known in which one a row of the table ends (the
/// reader's own count is off where lines are blank or end in CR LF).
struct Lines<T> {
    text: T,
    line: u64,
    ended: bool,
}

impl<T: BufRead> Read for Lines<T> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let text = self.text.fill_buf()?;
        let line = text.iter().position(|byte| *byte == b'\n').map_or(text.len(), |end| end + 1);
        let read = line.min(buffer.len());
        buffer[..read].copy_from_slice(&text[..read]);
        self.line += u64::from(self.ended && read > 0);
        self.ended = buffer[..read].ends_with(b"\n");
        self.text.consume(read);
        Ok(read)
    }
}

/// The next row, if there is one.
fn next<T: BufRead>(
    rows: &mut csv::Reader<Lines<T>>,
    row: &mut StringRecord,
    path: &Path,
) -> Result<bool> {
    rows.read_record(row).map_err(|error| match error.into_kind() {
        csv::ErrorKind::Io(error) => Error::io(path)(error),
        // The only other thing that can be wrong with a row of any length.
        _ => {
            let place = format!("line {}", rows.get_ref().line);
            Error::malformed_at(path, place, "text in UTF-8", "other bytes")
        }
    })
}

/// Separators between quotation marks belong to a name.
fn separator(first_row: &[u8]) -> u8 {
    let outside = || first_row.split(|byte| *byte == b'"').step_by(2).flatten();
    let found = [b'\t', b';'].into_iter().find(|separator| outside().any(|b| b == separator));
    found.unwrap_or(b',')
}

fn is_header(first_row: &StringRecord, label_column: Option<&str>) -> bool {
    let label = label_column.and_then(|column| column.parse::<usize>().ok());
    first_row.iter().enumerate().any(|(at, cell)| {
        if Some(at) == label {
            return LABEL_COLUMNS.iter().any(|name| cell.eq_ignore_ascii_case(name));
        }
        !cell.is_empty() && cell.parse::<f64>().is_err()
    })
}

fn name((at, cell): (usize, &str)) -> String {
    if cell.is_empty() { at.to_string() } else { cell.to_owned() }
}

fn find_label(columns: &[String], asked: Option<&str>, path: &Path) -> Result<Option<usize>> {
    let Some(asked) = asked else {
        return Ok(LABEL_COLUMNS
            .iter()
            .find_map(|name| columns.iter().position(|column| column.eq_ignore_ascii_case(name))));
    };
    let by_name = columns.iter().position(|column| column == asked);
    let by_index = || asked.parse().ok().filter(|index| *index < columns.len());
    by_name.or_else(by_index).map(Some).ok_or_else(|| {
        let shown: Vec<_> = columns.iter().take(20).map(|column| quote(column)).collect();
        let more = if columns.len() > 20 { ", ..." } else { "" };
        let expected = format!("a label column called {}", quote(asked));
        Error::malformed(path, expected, format!("the columns {}{more}", shown.join(", ")))
    })
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
