//! Tables as text: CSV in its dialects, with columns of numbers, categories, dates and labels.

mod cells;
mod checks;
mod columns;
mod date;
mod dialect;
mod features;
mod filled;
mod header;
mod info;
mod matching;
mod missing;
mod number;
mod options;
mod rows;
mod schema;
mod store;
mod text;

use std::path::Path;

use csv::StringRecord;

#[cfg(feature = "arrow")]
use crate::columnar::{ColumnRows, Declared, Kind};
use crate::disk::{DiskFile, check_rows, each_block};
use crate::storage::Columns;
use crate::{Error, Result, Samples, Shape, classes::Classes, error::quote};
use cells::Cells;
#[cfg(feature = "arrow")]
use columns::CellKind;
use columns::Plan;
use features::Encoder;
use header::First;
use missing::is_missing_label;
use rows::Rows;
use store::{Stored, TableRows};

pub(crate) use rows::RowSource;

#[cfg(feature = "arrow")]
pub(crate) use date::text as date_text;
pub use filled::FilledTable;
pub use info::TableInfo;
pub use missing::is_missing;
pub use options::{Decimal, Header, Missing, TableOptions, Unseen};
pub use schema::{Block, Column, Role, Schema};

/// The most columns. Their names take far more memory than the cells of a row.
pub(crate) const MAX_COLUMNS: usize = 1 << 20;

/// Reads a table with default options: as [`read_with`].
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
/// As [`read_with`].
pub fn read(path: &Path, label_column: Option<&str>) -> Result<Samples> {
    read_with(path, label_column, &TableOptions::default())
}

/// Reads a table with one sample per row. A column of numbers, dates (in seconds) or booleans (0 and
/// 1) is one feature; a column of a few distinct texts is one feature for each of them.
///
/// **Text.** The encoding is UTF-8, UTF-16, or else Windows-1252; lines end in LF, CR LF or CR; the
/// file may be gzip. The separator is the one of comma, semicolon, tab, `|` and runs of blanks that
/// gives all rows the same number of cells. A line `sep=;`, comments (`#`), titles above the table, a
/// row of units below the names, empty rows and empty columns without a name are skipped. Numbers may
/// have a decimal comma and thousands separators.
///
/// **The first row** has the names of the columns if none of its cells is a number (apart from empty
/// ones and the label's), if one of them is the name of the label column, or if it counts up (0, 1,
/// 2, ...; years; wavelengths) and the rows below do not. Without such a row columns are named `0`,
/// `1`, ... The name of the first column may be missing, as R writes it.
///
/// **Columns.** `label_column` is the name of a column, or its index from 0. Without it, a column
/// named `label`, `class` or `target` has the labels, if there is one. Labels may be any text. Each
/// distinct one is a class, sorted as numbers if all are integers. A column of distinct integers is
/// skipped if its name is `id`, `index` or similar, or if it is the only one without a name. Texts
/// are skipped if they are no categories (more than 64, or hardly one is repeated).
/// [`Samples::table`] has what was found.
///
/// **Missing cells** ([`is_missing`]) are filled, dropped or refused ([`Missing`]).
///
/// # Errors
/// If the file cannot be read or is not text; a cell is missing and `options.missing` is [`Missing::Refuse`]; a
/// cell in a column of numbers is not a finite number in the range of f32; a row has another number
/// of cells than the first; there is no row, no feature or more than 2^20 columns; a column of
/// `label_column` or `options` does not exist; or the columns are not those of `options.schema`.
pub fn read_with(
    path: &Path,
    label_column: Option<&str>,
    options: &TableOptions,
) -> Result<Samples> {
    read_within(path, label_column, options, usize::MAX)
}

/// Reads a table as [`read_with`] does. If its cells or features take more than `limit` bytes, the cells
/// are written to a temporary file and read from there.
pub(crate) fn read_within(
    path: &Path,
    label_column: Option<&str>,
    options: &TableOptions,
    limit: usize,
) -> Result<Samples> {
    let options = &options.with_schema();
    let (mut rows, first_rows) = Rows::open(path, options)?;
    let plan = Plan::of(&first_rows, label_column, options, &rows.dialect, path)?;
    drop(first_rows);
    read_rows(&mut rows, &plan, options, path, limit)
}

/// Reads the rows of a source whose columns have names and types.
#[cfg(feature = "arrow")]
pub(crate) fn read_columns(
    rows: &mut ColumnRows,
    label_column: Option<&str>,
    options: &TableOptions,
    path: &Path,
    limit: usize,
) -> Result<Samples> {
    let options = &TableOptions { header: Header::Yes, ..options.with_schema() };
    let kinds: Vec<Option<CellKind>> = rows.columns.iter().map(kind).collect();
    let mut classes = rows.columns.iter().filter(|column| column.is_label);
    let only = classes.next().filter(|_| classes.next().is_none()).map(|it| it.name.clone());
    let has_known = |column: &Declared| {
        header::LABEL_COLUMNS.iter().any(|known| column.name.eq_ignore_ascii_case(known))
    };
    let is_known = rows.columns.iter().any(has_known);
    let label = label_column.or(only.as_deref().filter(|_| !is_known));
    let decimal = (b',', options.decimal.unwrap_or(Decimal::Point));
    let first_rows = rows.first().to_vec();
    let plan = Plan::with_kinds(&first_rows, label, options, decimal, &kinds, path)?;
    drop(first_rows);
    read_rows(rows, &plan, options, path, limit)
}

/// How the cells of a column with a type are read; `None` of texts, which are looked at.
#[cfg(feature = "arrow")]
fn kind(column: &Declared) -> Option<CellKind> {
    match column.kind {
        _ if column.is_index => Some(CellKind::Id),
        None => Some(CellKind::Ignored),
        Some(Kind::Number) => Some(CellKind::Number),
        Some(Kind::Boolean) => Some(CellKind::Words),
        Some(Kind::Date) => Some(CellKind::Date(date::Order::default())),
        Some(Kind::Text) => column.is_label.then_some(CellKind::Words),
    }
}

/// Reads the rows of a table.
fn read_rows(
    rows: &mut dyn RowSource,
    plan: &Plan,
    options: &TableOptions,
    path: &Path,
    limit: usize,
) -> Result<Samples> {
    let mut row = StringRecord::new();
    let mut more = rows.next(&mut row)?;
    if !more {
        return Err(Error::malformed(path, "at least one row of numbers", "an empty file"));
    }
    let named = plan.first == First::Names;
    for _ in 0..usize::from(named) + usize::from(plan.units) {
        more = more && rows.next(&mut row)?;
    }

    let mut cells = Cells::of(plan, options, path, limit);
    if cells.kept.is_empty() {
        let got = if plan.label().is_some() {
            "only the labels"
        } else {
            "only columns that are left out"
        };
        return Err(Error::malformed(path, "at least one column of numbers", got));
    }
    let (mut classes, label) = (RowLabels::default(), plan.label());
    let (width, mut read, mut empty) = (plan.names.len(), 0u64, 0u64);
    while more {
        read += 1;
        if row.iter().all(str::is_empty) {
            empty += 1;
            more = rows.next(&mut row)?;
            continue;
        }
        let line = rows.line();
        if row.len() < width || row.iter().skip(width).any(|cell| !cell.is_empty()) {
            return Err(Error::malformed_at(
                path,
                format!("{} {line}", rows.unit()),
                format!("{width} cells as in the first row"),
                row.len().to_string(),
            ));
        }
        for slot in 0..cells.kept.len() {
            let at = cells.kept[slot];
            let cell = &row[at];
            cells.push(slot, cell, line, plan, options).map_err(|(expected, advice)| {
                let place = format!("{} {line}, column {}", rows.unit(), quote(&plan.names[at]));
                let error = Error::malformed_at(path, place, expected, quote(cell));
                match advice {
                    _ if read == 1 && !named && number::number(cell, plan.decimal).is_none() => {
                        error.advise(NAMES)
                    }
                    Some(advice) => error.advise(advice),
                    None => error,
                }
            })?;
        }
        cells.store.end_row()?;
        if let Some(label) = label {
            classes.push(&row[label], line, options);
        }
        more = rows.next(&mut row)?;
    }
    if cells.rows() == 0 {
        let got = match (empty, named) {
            (1.., _) => "only empty cells",
            (_, true) => "only a header",
            _ => "none",
        };
        return Err(Error::malformed(path, "at least one row of numbers", got));
    }
    finish(cells, classes, rows, plan, options, path, empty)
}

const NAMES: &str = "if the first row has the names, set `header` to yes, else to no";

/// The labels of the rows. Missing ones are not among the classes.
#[derive(Default)]
struct RowLabels {
    classes: Classes,
    missing: Vec<usize>,
    /// The line of the first missing label, and its text.
    first: Option<(u64, String)>,
    rows: usize,
}

impl RowLabels {
    fn push(&mut self, cell: &str, line: u64, options: &TableOptions) {
        if is_missing_label(cell) || options.missing_as.iter().any(|missing| missing == cell) {
            self.missing.push(self.rows);
            self.first.get_or_insert_with(|| (line, cell.to_owned()));
        } else {
            self.classes.push(cell);
        }
        self.rows += 1;
    }
}

/// Makes samples from the cells, without the rows that are dropped.
fn finish(
    mut cells: Cells,
    classes: RowLabels,
    rows: &dyn RowSource,
    plan: &Plan,
    options: &TableOptions,
    path: &Path,
    empty: u64,
) -> Result<Samples> {
    checks::words(&cells, plan, options, path)?;
    let count = cells.rows();
    check_rows(count)?;
    let (schema, encoder) = features::features(&cells, plan, options)?;
    let width = schema.features();
    if width == 0 {
        let got = "none; list columns in `categorical` or `numeric`";
        return Err(Error::malformed(path, "at least one column of numbers", got));
    }
    let unit = rows.unit();
    let mut missing = checks::missing(&cells, &classes, &schema, plan, options, path, unit)?;

    // Rows without a label, and for `Missing::Drop` those with a missing cell.
    let mut is_dropped = vec![false; count];
    classes.missing.iter().for_each(|row| is_dropped[*row] = true);
    let drop = options.missing == Missing::Drop;
    let numbers = match cells.store.finish(width)? {
        Stored::InMemory(cells) => {
            Numbers::in_memory(cells, &encoder, width, drop, &mut is_dropped)
        }
        Stored::OnDisk(file) => Numbers::on_disk(file, encoder, width, drop, &mut is_dropped)?,
    };
    let dropped = is_dropped.iter().filter(|is_dropped| **is_dropped).count();
    if dropped == count {
        missing.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let most = missing.first().map_or(String::new(), |(name, _)| quote(name));
        let got = format!("a missing cell in each; ignore the column with the most, {most}");
        return Err(Error::malformed(path, "at least one row without a missing cell", got));
    }
    let mut labels = classes.classes.finish()?;
    if dropped > 0 {
        let of_label = (0..count).filter(|row| classes.missing.binary_search(row).is_err());
        let left: Vec<usize> =
            of_label.enumerate().filter(|(_, row)| !is_dropped[*row]).map(|(at, _)| at).collect();
        if classes.rows > 0 {
            labels = labels.subset(&left).without_empty()?;
        }
    }

    let columns = schema.feature_names();
    let info = TableInfo {
        classes: if plan.label().is_some() { labels.names().len() } else { 0 },
        schema,
        missing,
        dropped,
        named: plan.first == First::Names,
        indexed: false,
        notes: checks::notes(&cells, rows, plan, empty),
    };
    for note in &info.notes {
        tracing::warn!("{}: {note}", path.display());
    }
    let shape = Shape::Table { columns };
    let samples = match numbers {
        Numbers::InMemory(values) => Samples::from_cells(values, shape)?,
        Numbers::OnDisk(rows) => Samples::on_disk(rows, shape, true)?,
    };
    let mut samples = samples.with_table(info);
    if dropped > 0 {
        let left = (0..count as u32).filter(|row| !is_dropped[*row as usize]);
        samples = samples.with_places(left.collect());
    }
    match plan.label() {
        Some(_) => samples.with_labels(labels),
        None => Ok(samples),
    }
}

/// The features of the rows that are samples.
enum Numbers {
    InMemory(Vec<f64>),
    OnDisk(TableRows),
}

impl Numbers {
    /// Encodes the cells of the rows, and leaves rows out: those that are dropped, and with `drop` those
    /// with a missing feature, which it marks.
    fn in_memory(
        cells: Vec<f64>,
        encoder: &Encoder,
        width: usize,
        drop: bool,
        is_dropped: &mut [bool],
    ) -> Self {
        let mut values = match encoder.is_plain() {
            true => cells,
            false => {
                let mut values = Vec::with_capacity(is_dropped.len() * width);
                let rows = cells.chunks_exact(encoder.cells());
                rows.for_each(|row| {
                    encoder.encode(row.iter().copied(), |value| values.push(value))
                });
                values
            }
        };
        if drop {
            for (is_dropped, row) in is_dropped.iter_mut().zip(values.chunks_exact(width)) {
                *is_dropped |= row.iter().any(|value| value.is_nan());
            }
        }
        if is_dropped.contains(&true) {
            let mut kept = is_dropped.iter().flat_map(|it| std::iter::repeat_n(!it, width));
            values.retain(|_| kept.next().unwrap_or(true));
        }
        Self::InMemory(values)
    }

    /// The same of rows in a file, which are read once.
    fn on_disk(
        file: DiskFile,
        encoder: Encoder,
        width: usize,
        drop: bool,
        is_dropped: &mut [bool],
    ) -> Result<Self> {
        let count = is_dropped.len();
        let mut rows =
            TableRows { file, encoder, rows: count, kept: None, far: vec![], missing: 0 };
        let (mut columns, mut all_missing) = (Columns::new(width), 0);
        each_block(count, width, |places, values| {
            rows.encode(places, values)?;
            for (at, row) in places.iter().zip(values.chunks_exact(width)) {
                let missing = row.iter().filter(|value| value.is_nan()).count();
                is_dropped[*at] |= drop && missing > 0;
                if !is_dropped[*at] {
                    all_missing += missing;
                    columns.add(row);
                }
            }
            Ok(())
        })?;
        if is_dropped.contains(&true) {
            let kept = (0..count as u32).filter(|at| !is_dropped[*at as usize]);
            rows.kept = Some(kept.collect());
        }
        (rows.far, rows.missing) = (columns.far(), all_missing);
        Ok(Self::OnDisk(rows))
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
            Shape::Image { .. } => panic!("expected a table"),
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
    fn first_row_of_numbers_is_a_sample() {
        let samples = parse("2019,2020\n1,2\n", None).unwrap();
        assert_eq!((samples.row(0), columns(&samples)), (vec![2019.0, 2020.0], vec!["0", "1"]));
        // The name of the label column shows that the years are names.
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
    fn label_column_is_found_by_name_index_or_default_name() {
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

        // The text of a label does not make the first row a header.
        let samples = parse("5.1,setosa\n6.2,virginica\n", Some("1")).unwrap();
        assert_eq!(rows(&samples), [[5.1], [6.2]]);
        let samples = parse("label,1,2\n7,1,2\n", Some("0")).unwrap();
        assert_eq!((samples.len(), columns(&samples)), (1, vec!["1", "2"]));
    }
}
