//! The format of svmlight and libsvm: a label and `index:value` pairs in each line.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::Path;

use crate::error::{list, quote};
use crate::file_reader::FileReader;
use crate::npy::joined;
use crate::table::{Column, MAX_COLUMNS, Missing, Role, Schema, TableInfo};
use crate::{Error, Labels, Result, Samples, Shape, classes::Classes};

/// The most numbers of a file as a dense table: 1 GiB in f64.
const MAX_NUMBERS: u64 = 1 << 27;

/// The most numbers for `size` bytes of text: 2^23 + 30 x `size`. A pair takes at least 4 bytes, so a
/// table of which 1 % is not zero fits.
fn most_numbers(size: u64) -> u64 {
    size.saturating_mul(30).saturating_add(1 << 23).min(MAX_NUMBERS)
}

/// Reads a file with default options: as [`read_with`].
///
/// ```
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("two.svmlight");
/// std::fs::write(&path, "+1 1:0.5 3:2 # first\n-1 2:1\n")?;
/// let two = ae_data::svmlight::read(&path)?;
/// assert_eq!((two.row(0), two.row(1)), (vec![0.5, 0.0, 2.0], vec![0.0, 1.0, 0.0]));
/// assert_eq!(two.labels().unwrap().names(), ["-1", "1"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// As [`read_with`].
pub fn read(path: &Path) -> Result<Samples> {
    read_with(path, Missing::default(), None)
}

/// Reads a sparse file as a dense table, with 0 for what a line does not name. `qid:N` and what follows
/// `#` are skipped; the file may be gzip.
///
/// **Columns** are named by their indices in the file. The first has the index 0 if any line
/// has that, else the index 1. With the `schema` of a model the columns are those of the model; others are
/// left out with a warning, if any column is the model's and the indices seem to begin as the model's do.
///
/// **Labels** are the first numbers of the lines. Each distinct one is a class, unless one has a
/// fraction or there are several in a line: then the labels are left out with a warning.
///
/// # Errors
/// If the file cannot be read; a line is not of this form, has an index twice or one above 2^20, or a
/// number that f32 has not; a value is NaN and `missing` is [`Missing::Refuse`]; the indices are not those
/// of `schema`; or the table has more than 2^27 numbers, or more than 2^23 + 30 x the bytes of the file.
pub fn read_with(path: &Path, missing: Missing, schema: Option<&Schema>) -> Result<Samples> {
    let known = schema.map(|schema| schema.feature_names());
    let sparse = Sparse::read(path, known.as_deref())?;
    let columns = match known {
        Some(known) => {
            sparse.check_columns(&known, path)?;
            known
        }
        None => {
            let first = usize::from(sparse.least.is_some_and(|least| least > 0));
            (first..=sparse.greatest.max(first)).map(|column| column.to_string()).collect()
        }
    };
    let (rows, width) = (sparse.ends.len(), columns.len());
    let most = most_numbers(sparse.bytes);
    if rows as u64 * width as u64 > most {
        return Err(too_large(path, most, &format!("{rows} rows of {width} columns")));
    }
    let places = places(&columns);
    let mut values = vec![0.0; rows * width];
    let mut start = 0;
    for (row, end) in values.chunks_exact_mut(width).zip(&sparse.ends) {
        for (index, value) in &sparse.pairs[start..*end] {
            if let Some(place) = places.get(index) {
                row[*place] = *value;
            }
        }
        start = *end;
    }
    if sparse.unknown > 0 {
        tracing::warn!(
            "{}: {} numbers left out: the model does not know their columns",
            path.display(),
            sparse.unknown
        );
    }
    let labels = match sparse.labels {
        Ok(classes) => Some(classes.finish()?),
        Err(why) => {
            tracing::warn!("{}: the labels are left out: {why}", path.display());
            None
        }
    };
    let features = columns.iter().map(|name| Column { name: name.clone(), role: Role::Number });
    let mut info = TableInfo {
        schema: match schema {
            Some(schema) => schema.clone(),
            None => Schema { columns: features.collect(), ..Schema::default() },
        },
        indexed: true,
        ..TableInfo::default()
    };
    if let Some(labels) = &labels {
        info.classes = labels.names().len();
        if info.schema.label().is_none() {
            info.schema.columns.push(Column { name: "label".to_owned(), role: Role::Label });
        }
    }
    let samples = Samples::from_cells(values, Shape::Table { columns })?;
    if samples.missing() > 0 {
        info.missing.push(("all columns".to_owned(), samples.missing()));
    }
    let samples = joined(samples.with_table(info), path, labels, missing)?;
    if samples.len() == rows {
        return Ok(samples);
    }
    // Rows were dropped, and maybe all of a class.
    let labels = samples.labels().map(Labels::without_empty).transpose()?;
    let mut info = samples.table().cloned().unwrap_or_default();
    info.dropped = rows - samples.len();
    if let Some(labels) = &labels {
        info.classes = labels.names().len();
    }
    let samples = samples.with_table(info);
    match labels {
        Some(labels) => samples.with_labels(labels),
        None => Ok(samples),
    }
}

/// The place of each index of a file among columns.
fn places(columns: &[String]) -> HashMap<u32, usize> {
    let indices = columns.iter().map(|name| name.parse().ok());
    indices.zip(0..).filter_map(|(index, place)| Some((index?, place))).collect()
}

fn too_large(path: &Path, most: u64, got: &str) -> Error {
    let advice = "keep fewer columns (scikit-learn: `TruncatedSVD`, `SelectKBest`) and save them with \
                  `numpy.save`";
    let expected = format!("at most {most} numbers as a dense table");
    Error::malformed(path, expected, format!("{got}; {advice}"))
}

/// The rows as they are in the file.
struct Sparse {
    /// Index and value of what the lines name.
    pairs: Vec<(u32, f64)>,
    /// Where the pairs of each row end.
    ends: Vec<usize>,
    /// The labels, or why they are no classes.
    labels: std::result::Result<Classes, String>,
    least: Option<usize>,
    greatest: usize,
    /// The number of pairs of columns that the model does not know, and whether it knows one.
    unknown: usize,
    any_known: bool,
    /// The bytes of the text.
    bytes: u64,
}

impl Sparse {
    /// Reads a file; with the columns of a model, the pairs of those alone.
    fn read(path: &Path, known: Option<&[String]>) -> Result<Self> {
        let known = known.map(|known| (places(known), known.len()));
        let mut input = BufReader::new(FileReader::open(path)?);
        let mut sparse = Self {
            pairs: vec![],
            ends: vec![],
            labels: Ok(Classes::default()),
            least: None,
            greatest: 0,
            unknown: 0,
            any_known: false,
            bytes: 0,
        };
        let (mut text, mut line) = (vec![], 0u64);
        let mut seen = vec![];
        loop {
            text.clear();
            let read = input.read_until(b'\n', &mut text).map_err(Error::io(path))?;
            if read == 0 {
                break;
            }
            (line, sparse.bytes) = (line + 1, sparse.bytes + read as u64);
            let text = text.split(|byte| *byte == b'#').next().unwrap_or_default();
            let text = String::from_utf8_lossy(text);
            let mut words = text.split_ascii_whitespace();
            let Some(label) = words.next() else { continue };
            let wrong = |expected: &str, got: &str| {
                Error::malformed_at(path, format!("line {line}"), expected, quote(got))
            };
            sparse.label(label).map_err(|expected| wrong(expected, label))?;
            seen.clear();
            for word in words {
                let pair = "a pair such as 3:0.5";
                let (index, value) = word.split_once(':').ok_or_else(|| wrong(pair, word))?;
                if index == "qid" {
                    continue;
                }
                let index: u64 = index.parse().map_err(|_| wrong(pair, word))?;
                let value: f64 = value.parse().map_err(|_| wrong(pair, word))?;
                if index > MAX_COLUMNS as u64 {
                    return Err(wrong(&format!("an index of at most {MAX_COLUMNS}"), word));
                }
                if !value.is_nan() && !(value as f32).is_finite() {
                    return Err(wrong("a finite number from -3.4e38 to 3.4e38", word));
                }
                seen.push((index as u32, value));
            }
            // Indices are in order in nearly all files.
            if !seen.is_sorted_by_key(|(index, _)| *index) {
                seen.sort_by_key(|(index, _)| *index);
            }
            if let Some(twice) = seen.windows(2).find(|pair| pair[0].0 == pair[1].0) {
                return Err(wrong("each index once", &format!("{} twice", twice[0].0)));
            }
            if let (Some((first, _)), Some((last, _))) = (seen.first(), seen.last()) {
                let first = *first as usize;
                sparse.least = Some(sparse.least.map_or(first, |least| least.min(first)));
                sparse.greatest = sparse.greatest.max(*last as usize);
            }
            let named = seen.len();
            if let Some((places, _)) = &known {
                seen.retain(|(index, _)| places.contains_key(index));
            }
            sparse.any_known |= !seen.is_empty();
            sparse.unknown += named - seen.len();
            sparse.pairs.extend_from_slice(&seen);
            sparse.ends.push(sparse.pairs.len());
            // What follows cannot make the table smaller.
            let width = known.as_ref().map_or(sparse.greatest.max(1), |(_, width)| *width);
            let rows = sparse.ends.len();
            if rows as u64 * width as u64 > MAX_NUMBERS {
                let got = format!("at least {rows} rows of {width} columns");
                return Err(too_large(path, MAX_NUMBERS, &got));
            }
        }
        match (sparse.ends.is_empty(), sparse.least.is_none()) {
            (true, _) => Err(Error::malformed(path, "at least one row", "none")),
            (_, true) => {
                Err(Error::malformed(path, "at least one index:value pair", "only labels"))
            }
            _ => Ok(sparse),
        }
    }

    /// Refuses indices that are not those of the model's columns, as far as that can be seen.
    fn check_columns(&self, known: &[String], path: &Path) -> Result<()> {
        let places = places(known);
        let least = self.least.unwrap_or_default();
        let (first, last) = (places.keys().min(), places.keys().max());
        let (Some(first), Some(last), true) = (first, last, self.any_known) else {
            let named: Vec<String> = known.iter().take(5).map(|name| quote(name)).collect();
            let more = if known.len() > 5 { " or another column of the model" } else { "" };
            let expected = format!("indices that are columns of the model: {}", list(&named, "or"));
            let got = format!("{least} to {}", self.greatest);
            return Err(Error::malformed(path, expected + more, got));
        };
        if *first == 1 && least == 0 {
            let got = "index 0; write the file with indices from 1 (scikit-learn: \
                       `dump_svmlight_file(..., zero_based=False)`)";
            return Err(Error::malformed(path, "indices from 1, as the model has", got));
        }
        if *first == 0 && least > 0 && self.greatest == *last as usize + 1 {
            let got = format!(
                "indices from {least} to {}, so probably from 1; write the file with indices from 0 \
                 (scikit-learn: `dump_svmlight_file(..., zero_based=True)`), or add `0:0` to a row if they are",
                self.greatest
            );
            return Err(Error::malformed(
                path,
                format!("indices from 0 to {last}, as the model has"),
                got,
            ));
        }
        Ok(())
    }

    /// Adds the label of a row, or tells what was expected.
    fn label(&mut self, text: &str) -> std::result::Result<(), &'static str> {
        let expected = "a number as the label before the pairs (0 if there is none)";
        let numbers: std::result::Result<Vec<f64>, _> = text.split(',').map(str::parse).collect();
        let numbers = numbers.map_err(|_| expected)?;
        let Ok(classes) = &mut self.labels else { return Ok(()) };
        let [value] = *numbers else {
            self.labels = Err(format!("several in one row, as {}", quote(text)));
            return Ok(());
        };
        if value.fract() != 0.0 || value.abs() >= 2f64.powi(53) || !value.is_finite() {
            self.labels = Err(format!("{} is no class", quote(text)));
        } else {
            classes.push(&(value as i64).to_string());
        }
        Ok(())
    }
}
