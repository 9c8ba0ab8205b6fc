//! The text of a table with some of its cells replaced, and all other bytes as they are.

use std::collections::HashMap;
use std::io::Read;
use std::ops::Range;
use std::path::Path;

use encoding_rs::WINDOWS_1252;

use super::columns::Plan;
use super::dialect::{BLANK, Dialect, is_comment};
use super::header::First;
use super::number::number;
use super::rows::Rows;
use super::text::Text;
use super::{Decimal, TableOptions, is_missing};
use crate::{Error, Result};

/// The most digits behind a decimal mark that are written.
const MOST_DIGITS: usize = 15;

/// A table as text, whose missing cells can be filled in. Every other byte stays as it is: separators,
/// quotes, blanks, comments, titles, the ends of lines, and cells that are known. Three things are not
/// kept: a file that is compressed is not compressed again, UTF-16 becomes UTF-8, and so does Windows-1252
/// once a text with other letters is filled in.
///
/// ```
/// use ae_data::table::{FilledTable, TableOptions};
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("sizes.csv");
/// std::fs::write(&path, "length;colour\n1,50;red\n?;\n")?;
/// let mut table = FilledTable::open(&path, &TableOptions::default())?;
/// assert_eq!(table.columns(), ["length", "colour"]);
/// table.fill_number(1, 0, 2.0);
/// table.fill_text(1, 1, "red");
/// assert_eq!(table.to_bytes(), b"length;colour\n1,50;red\n2,00;red\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct FilledTable {
    bytes: Vec<u8>,
    columns: Vec<String>,
    rows: Vec<Vec<Range<usize>>>,
    /// Which rows are in Windows-1252, because they are not UTF-8.
    latin: Vec<bool>,
    has_latin: bool,
    separator: u8,
    decimal: Decimal,
    missing_as: Vec<String>,
    /// The most digits behind the decimal mark, for each column that was asked for.
    digits: HashMap<usize, usize>,
    fills: HashMap<(usize, usize), String>,
}

impl FilledTable {
    /// Reads a table. The options are those of [`read_with`](super::read_with).
    ///
    /// # Errors
    /// If the file cannot be read or is not text, or a row has fewer cells than there are columns.
    pub fn open(path: &Path, options: &TableOptions) -> Result<Self> {
        let options = &options.with_schema();
        let (rows, first_rows) = Rows::open(path, options)?;
        let dialect = rows.dialect.clone();
        drop(rows);
        // What a column is decides nothing here, so a schema that does not fit is no reason to fail.
        let free = TableOptions { schema: None, month_first: Some(false), ..options.clone() };
        let plan = Plan::of(&first_rows, None, &free, &dialect, path)?;
        let mut bytes = vec![];
        Text::open(path)?.read_to_end(&mut bytes).map_err(Error::io(path))?;
        let mut records = records(&bytes, &dialect);
        let above = usize::from(plan.first == First::Names) + usize::from(plan.units);
        records.drain(..above.min(records.len()));
        // As the reader does, which drops quotes first.
        let is_empty = |cell: &Range<usize>| inner(&bytes, cell.clone()).is_empty();
        records.retain(|cells| !cells.iter().all(is_empty));
        let width = plan.names.len();
        if let Some(at) = records.iter().position(|cells| cells.len() < width) {
            let place = format!("row {}", at + 1);
            let expected = format!("{width} cells as in the first row");
            return Err(Error::malformed_at(path, place, expected, records[at].len().to_string()));
        }
        let marked = has_mark(path)?;
        let shift = if marked { 3 } else { 0 };
        if marked {
            bytes.splice(0..0, *b"\xef\xbb\xbf");
        }
        for cell in records.iter_mut().flatten() {
            *cell = cell.start + shift..cell.end + shift;
        }
        let latin: Vec<bool> = records.iter().map(|cells| is_latin(&bytes, cells)).collect();
        Ok(Self {
            bytes,
            columns: plan.names,
            rows: records,
            has_latin: latin.contains(&true),
            latin,
            separator: dialect.separator,
            decimal: plan.decimal,
            missing_as: options.missing_as.clone(),
            digits: HashMap::new(),
            fills: HashMap::new(),
        })
    }

    /// The names of all columns of the file, in its order.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The number of rows, without that of the names and empty ones: those of
    /// [`Samples::place`](crate::Samples::place).
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The text of a cell, without quotes and blanks around it.
    ///
    /// # Panics
    /// If row or column do not exist.
    pub fn cell(&self, row: usize, column: usize) -> String {
        decode(&self.bytes[self.inner(row, column)], self.latin[row])
    }

    /// Whether a cell is missing.
    ///
    /// # Panics
    /// If row or column do not exist.
    pub fn is_missing(&self, row: usize, column: usize) -> bool {
        let cell = self.cell(row, column);
        is_missing(&cell) || self.missing_as.contains(&cell)
    }

    /// Writes a number into a cell, with the decimal mark of the table and as many digits behind it as the
    /// column has at most.
    ///
    /// # Panics
    /// If row or column do not exist.
    pub fn fill_number(&mut self, row: usize, column: usize, value: f64) {
        let digits = match self.digits.get(&column) {
            Some(digits) => *digits,
            None => {
                let found = self.most_digits(column);
                self.digits.insert(column, found);
                found
            }
        };
        let mut text = format!("{value:.digits$}");
        if text
            .strip_prefix('-')
            .is_some_and(|rest| rest.bytes().all(|it| matches!(it, b'0' | b'.')))
        {
            text.remove(0);
        }
        if self.decimal == Decimal::Comma {
            text = text.replace('.', ",");
        }
        self.fill_text(row, column, &text);
    }

    /// Writes a text into a cell, in quotes where they are needed.
    ///
    /// # Panics
    /// If row or column do not exist.
    pub fn fill_text(&mut self, row: usize, column: usize, text: &str) {
        let _ = &self.rows[row][column];
        if self.fills_latin(row) && WINDOWS_1252.encode(text).2 {
            self.become_utf8();
        }
        self.fills.insert((row, column), text.to_owned());
    }

    /// Whether what is filled into a row is written in Windows-1252: the row is, or it is ASCII in a table of
    /// which other rows are.
    fn fills_latin(&self, row: usize) -> bool {
        self.latin[row] || self.has_latin && self.bytes[span(&self.rows[row])].is_ascii()
    }

    /// Converts all rows to UTF-8.
    fn become_utf8(&mut self) {
        let (mut bytes, mut at) = (Vec::with_capacity(self.bytes.len()), 0);
        let between = |from: usize, to: usize, bytes: &mut Vec<u8>| {
            for line in self.bytes[from..to].split_inclusive(|byte| matches!(byte, b'\n' | b'\r')) {
                bytes.extend(decode(line, std::str::from_utf8(line).is_err()).into_bytes());
            }
        };
        for (cells, latin) in self.rows.iter_mut().zip(&self.latin) {
            for cell in cells {
                between(at, cell.start, &mut bytes);
                at = cell.end;
                let start = bytes.len();
                bytes.extend(decode(&self.bytes[cell.clone()], *latin).into_bytes());
                *cell = start..bytes.len();
            }
        }
        between(at, self.bytes.len(), &mut bytes);
        self.bytes = bytes;
        self.latin.fill(false);
        self.has_latin = false;
    }

    /// Forgets what was filled in.
    pub fn clear(&mut self) {
        self.fills.clear();
    }

    /// The text with what was filled in.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut places: Vec<(Range<usize>, bool, Vec<u8>)> = self
            .fills
            .iter()
            .map(|((row, column), text)| {
                let inner = self.inner(*row, *column);
                let whole = &self.rows[*row][*column];
                let is_quoted = inner.start > whole.start && self.bytes[inner.start - 1] == b'"';
                let text = match self.fills_latin(*row) {
                    true => WINDOWS_1252.encode(text).0.into_owned(),
                    false => text.as_bytes().to_vec(),
                };
                (inner, is_quoted, text)
            })
            .collect();
        places.sort_by_key(|(place, ..)| place.start);
        let (mut out, mut at) = (Vec::with_capacity(self.bytes.len()), 0);
        for (place, is_quoted, text) in places {
            out.extend_from_slice(&self.bytes[at..place.start]);
            at = place.end;
            let separates = |byte: &u8| match self.separator {
                BLANK => matches!(byte, b' ' | b'\t'),
                separator => *byte == separator,
            };
            let special = text.iter().any(|it| separates(it) || matches!(it, b'"' | b'\n' | b'\r'));
            let escaped = text.iter().flat_map(|byte| match byte {
                b'"' if special || is_quoted => vec![b'"'; 2],
                byte => vec![*byte],
            });
            let quotes = special && !is_quoted;
            out.extend(quotes.then_some(b'"'));
            out.extend(escaped);
            out.extend(quotes.then_some(b'"'));
        }
        out.extend_from_slice(&self.bytes[at..]);
        out
    }

    /// The place of a cell without quotes and blanks around it.
    fn inner(&self, row: usize, column: usize) -> Range<usize> {
        inner(&self.bytes, self.rows[row][column].clone())
    }

    fn most_digits(&self, column: usize) -> usize {
        let mark = if self.decimal == Decimal::Comma { ',' } else { '.' };
        let mut most = 0;
        for row in 0..self.rows.len() {
            let cell = self.cell(row, column);
            if number(&cell, self.decimal).is_none() {
                continue;
            }
            if cell.contains(['e', 'E']) {
                return MOST_DIGITS;
            }
            most = most.max(cell.split_once(mark).map_or(0, |(_, digits)| digits.len()));
        }
        most.min(MOST_DIGITS)
    }
}

/// The place of a cell without quotes and blanks around it.
fn inner(bytes: &[u8], cell: Range<usize>) -> Range<usize> {
    let trim = |range: Range<usize>| {
        let cell = &bytes[range.clone()];
        let start = range.start + (cell.len() - cell.trim_ascii_start().len());
        start..start + cell.trim_ascii().len()
    };
    let cell = trim(cell);
    match bytes[cell.clone()] {
        [b'"', .., b'"'] => trim(cell.start + 1..cell.end - 1),
        _ => cell,
    }
}

/// From the first cell of a row to the last.
fn span(cells: &[Range<usize>]) -> Range<usize> {
    match cells {
        [first, .., last] => first.start..last.end,
        [one] => one.clone(),
        [] => 0..0,
    }
}

/// Whether a row is read as Windows-1252, because it is not UTF-8.
fn is_latin(bytes: &[u8], cells: &[Range<usize>]) -> bool {
    std::str::from_utf8(&bytes[span(cells)]).is_err()
}

fn decode(bytes: &[u8], latin: bool) -> String {
    match latin {
        true => WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned(),
        false => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// Whether a file begins with the mark of UTF-8.
fn has_mark(path: &Path) -> Result<bool> {
    let mut start = [0; 3];
    let read = crate::file_reader::FileReader::open(path)?.read(&mut start);
    Ok(read.map_err(Error::io(path))? == 3 && start == *b"\xef\xbb\xbf")
}

/// The cells of every row, as the CSV reader divides them, without comments and lines above the table.
fn records(bytes: &[u8], dialect: &Dialect) -> Vec<Vec<Range<usize>>> {
    let (mut rows, mut at, mut line) = (vec![], 0, 0u64);
    while at < bytes.len() {
        line += 1;
        let found = bytes[at..].iter().position(|byte| matches!(byte, b'\n' | b'\r'));
        let end = found.map_or(bytes.len(), |place| at + place);
        let is_names = dialect.commented_names && line == dialect.skipped + 1;
        let is_comment =
            dialect.comments && !is_names && is_comment(&String::from_utf8_lossy(&bytes[at..end]));
        if line <= dialect.skipped || is_comment || at == end {
            at = after(bytes, end);
            continue;
        }
        let (cells, end) = row(bytes, at, dialect.separator);
        rows.push(cells);
        at = after(bytes, end);
    }
    rows
}

/// The place behind the end of a line.
fn after(bytes: &[u8], end: usize) -> usize {
    match bytes.get(end..) {
        Some([b'\r', b'\n', ..]) => end + 2,
        _ => (end + 1).min(bytes.len()),
    }
}

/// The cells of the row that starts at `at`, and its end.
fn row(bytes: &[u8], at: usize, separator: u8) -> (Vec<Range<usize>>, usize) {
    let blank = separator == BLANK;
    let is_blank = |byte: u8| matches!(byte, b' ' | b'\t');
    // A quote opens a cell at its start, and between blanks anywhere; two of them within mean one.
    let (mut cells, mut start, mut quoted, mut closed) = (vec![], at, false, false);
    let mut place = at;
    while place < bytes.len() {
        let byte = bytes[place];
        let opens = blank || closed || place == start;
        closed = false;
        match byte {
            b'"' if quoted => (quoted, closed) = (false, true),
            b'"' if opens => quoted = true,
            b'\n' | b'\r' if !quoted => break,
            byte if !quoted && blank && is_blank(byte) => {
                if start < place {
                    cells.push(start..place);
                }
                start = place + 1;
            }
            byte if !quoted && !blank && byte == separator => {
                cells.push(start..place);
                start = place + 1;
            }
            _ => {}
        }
        place += 1;
    }
    if !blank || start < place {
        cells.push(start..place);
    }
    (cells, place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn open(text: &[u8], options: &TableOptions) -> FilledTable {
        let path = tempfile::NamedTempFile::new().unwrap().into_temp_path();
        std::fs::write(&path, text).unwrap();
        FilledTable::open(&path, options).unwrap()
    }

    /// Fills every missing cell of the column of names with a text, and of the others with a number.
    fn filled(text: &[u8]) -> String {
        let mut table = open(text, &TableOptions::default());
        for row in 0..table.len() {
            for column in 0..table.columns().len() {
                match (table.is_missing(row, column), &*table.columns()[column]) {
                    (false, _) => {}
                    (true, "name") => table.fill_text(row, column, "x, \"y\""),
                    (true, _) => table.fill_number(row, column, 2.25),
                }
            }
        }
        String::from_utf8(table.to_bytes()).unwrap()
    }

    #[test]
    fn every_dialect_keeps_its_bytes() {
        for (before, after) in [
            ("a,name\n1,u\n?,\n3,w\n", "a,name\n1,u\n2,\"x, \"\"y\"\"\"\n3,w\n"),
            (
                "a,name\r\n1.5,u\r\n, \"?\" \r\n3,w",
                "a,name\r\n1.5,u\r\n2.2, \"x, \"\"y\"\"\" \r\n3,w",
            ),
            ("a;name\n1,50;u\n;v\n3,1;w\n", "a;name\n1,50;u\n2,25;v\n3,1;w\n"),
            (
                "# hm\na\tname\n1.00\tu\nNA\tv\n# no\n3\tw\n",
                "# hm\na\tname\n1.00\tu\n2.25\tv\n# no\n3\tw\n",
            ),
            ("a b\n1  5\n ?\t6\n3 7\n", "a b\n1  5\n 2\t6\n3 7\n"),
            ("sep=;\na;b\n1;2\n\n;4\n", "sep=;\na;b\n1;2\n\n2;4\n"),
            ("\u{feff}a,b\n1,2\n,4\n5,6\n", "\u{feff}a,b\n1,2\n2,4\n5,6\n"),
            ("name,a\n\"u\nv\",1\nw,\nz,3\n", "name,a\n\"u\nv\",1\nw,2\nz,3\n"),
        ] {
            assert_eq!(filled(before.as_bytes()), after);
        }
    }

    #[test]
    fn other_encodings_and_packed_files() {
        let table = open(b"name,a\nh\xf6he,1\n?,2\n", &TableOptions::default());
        assert_eq!(table.cell(0, 0), "höhe");
        let mut table = table;
        table.fill_text(1, 0, "höhe");
        assert_eq!(table.to_bytes(), b"name,a\nh\xf6he,1\nh\xf6he,2\n");
        let wide: Vec<u8> = "a,b\n1,ö\n?,ü\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let mut table = open(&[&b"\xff\xfe"[..], &wide].concat(), &TableOptions::default());
        table.fill_number(1, 0, 7.0);
        assert_eq!(table.to_bytes(), "a,b\n1,ö\n7,ü\n".as_bytes());
    }

    /// Windows-1252 has no Greek letters: `encoding_rs` would write `&#960;`.
    #[test]
    fn letters_that_the_encoding_does_not_have_make_it_utf8() {
        let text = b"# caf\xe9\nname,gr\xf6\xdfe\nh\xf6he,1\n?,2\n\"a, \xfc\",\n";
        let mut table = open(text, &TableOptions::default());
        table.fill_text(1, 0, "ö");
        let latin = b"# caf\xe9\nname,gr\xf6\xdfe\nh\xf6he,1\n\xf6,2\n\"a, \xfc\",\n";
        assert_eq!(table.to_bytes(), latin);
        table.fill_text(1, 0, "π, ö");
        table.fill_number(2, 1, 7.0);
        let expected = "# café\nname,größe\nhöhe,1\n\"π, ö\",2\n\"a, ü\",7\n";
        assert_eq!(String::from_utf8(table.to_bytes()).unwrap(), expected);
        assert_eq!((table.cell(0, 0), table.cell(2, 0)), ("höhe".into(), "a, ü".into()));
    }

    /// A row of UTF-8 stays one, also beside rows of Windows-1252.
    #[test]
    fn rows_have_their_encodings() {
        let text = b"name,a,b\nh\xf6he,1,x\nh\xc3\xb6he,2,?\n?,3,x\n";
        let mut table = open(text, &TableOptions::default());
        table.fill_text(1, 2, "é");
        table.fill_text(2, 0, "é");
        let expected = b"name,a,b\nh\xf6he,1,x\nh\xc3\xb6he,2,\xc3\xa9\n\xe9,3,x\n";
        assert_eq!(table.to_bytes(), expected);
    }

    /// A row of empty quotes is none to the reader, so it counts in no place.
    #[test]
    fn rows_are_those_of_the_samples() {
        let path = tempfile::NamedTempFile::new().unwrap().into_temp_path();
        let options = TableOptions { missing: crate::table::Missing::Mean, ..Default::default() };
        for text in ["a,b\n1,2\n\"\",\" \"\n5,4\n ,\n6,\n", "a;b\n1;2\n \"\" ;\"\"\n5;4\n;\n6;\n"] {
            std::fs::write(&path, text).unwrap();
            let samples = crate::table::read_with(&path, None, &options).unwrap();
            let table = FilledTable::open(&path, &options).unwrap();
            assert_eq!((samples.len(), table.len()), (3, 3), "{text:?}");
            for row in 0..3 {
                assert_eq!(table.cell(samples.place(row), 0), samples.row(row)[0].to_string());
            }
        }
    }

    #[test]
    fn a_column_without_fractions_gets_none_and_no_negative_zero() {
        let mut table = open(b"a,b\n1,2\n,3\n", &TableOptions::default());
        table.fill_number(1, 0, -0.2);
        assert_eq!(table.to_bytes(), b"a,b\n1,2\n0,3\n");
        table.clear();
        assert_eq!(table.to_bytes(), b"a,b\n1,2\n,3\n");
    }

    proptest! {
        /// Divides rows as the CSV reader does.
        #[test]
        fn rows_are_divided_as_by_the_reader(text in "[,\"a \n]{0,40}") {
            let dialect = Dialect { separator: b',', skipped: 0, comments: false, commented_names: false };
            let mine: Vec<usize> = records(text.as_bytes(), &dialect).iter().map(Vec::len).collect();
            let mut builder = csv::ReaderBuilder::new();
            let builder = builder.has_headers(false).flexible(true);
            let mut reader = builder.from_reader(text.as_bytes());
            let rows: Vec<usize> = reader.records().map(|row| row.unwrap().len()).collect();
            prop_assert_eq!(mine, rows);
        }
    }
}
