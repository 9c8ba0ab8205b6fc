//! Reads the rows of a table one at a time.

use std::io::{BufRead, BufReader, Chain, Cursor, Read};
use std::path::{Path, PathBuf};

use csv::{ByteRecord, StringRecord};

use super::checks::counted;
use super::dialect::{BLANK, Dialect, is_comment, squeeze};
use super::text::{Text, record};
use super::{MAX_COLUMNS, TableOptions};
use crate::{Error, Result};

/// The bytes of a table that are examined before it is read, and those of a table with long rows.
const LEAD: u64 = 1 << 16;
const LONG_LEAD: u64 = 1 << 17;

/// The number of lines to examine, if a [`LONG_LEAD`] has as many.
const LEAD_LINES: usize = 30;

/// The most rows that are examined.
const LEAD_ROWS: usize = 500;

/// The examined bytes, and the rest.
type WholeText = Chain<Cursor<Vec<u8>>, Text>;

/// The rows of a table, one after another: first that of the names, if there is one.
pub(crate) trait RowSource {
    /// The next row, if there is one.
    fn next(&mut self, row: &mut StringRecord) -> Result<bool>;

    /// The number of the last row, from 1.
    fn line(&self) -> u64;

    /// What [`line`](Self::line) counts.
    fn unit(&self) -> &'static str;

    /// Notes on how rows were read.
    fn notes(&self) -> Vec<String> {
        vec![]
    }
}

/// A table that is read row by row.
pub(super) struct Rows {
    reader: csv::Reader<Lines<BufReader<WholeText>>>,
    path: PathBuf,
    bytes: ByteRecord,
    /// Its dialect.
    pub(super) dialect: Dialect,
    /// The number of rows that were not UTF-8.
    latin: u64,
}

impl Rows {
    /// Opens a table and returns its first rows, which [`next`](Self::next) reads again.
    pub(super) fn open(path: &Path, options: &TableOptions) -> Result<(Self, Vec<StringRecord>)> {
        let mut text = Text::open(path)?;
        let (mut lead, mut most) = (vec![], LEAD);
        loop {
            text.by_ref()
                .take(most - lead.len() as u64)
                .read_to_end(&mut lead)
                .map_err(Error::io(path))?;
            let lines = lead.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count();
            if (lead.len() as u64) < most || lines >= LEAD_LINES || most == LONG_LEAD {
                break;
            }
            most = LONG_LEAD;
        }
        let whole = (lead.len() as u64) < most;
        let dialect = Dialect::of(&String::from_utf8_lossy(&lead), whole, options);

        let lines = Lines::new(Cursor::new(&lead), path, &dialect);
        let (mut first_rows, mut bytes) = (vec![], ByteRecord::new());
        let mut reader = reader(lines, &dialect);
        while first_rows.len() < LEAD_ROWS && reader.read_byte_record(&mut bytes).unwrap_or(false) {
            let mut row = StringRecord::new();
            record(std::mem::take(&mut bytes), &mut row);
            unquote(&mut row);
            first_rows.push(row);
        }
        if !whole && first_rows.len() > 1 && first_rows.len() < LEAD_ROWS {
            first_rows.pop();
        }
        drop(reader);
        let lines = Lines::new(BufReader::new(Cursor::new(lead).chain(text)), path, &dialect);
        let reader = self::reader(lines, &dialect);
        let bytes = ByteRecord::new();
        Ok((Self { reader, path: path.to_owned(), bytes, dialect, latin: 0 }, first_rows))
    }

    /// The number of comments.
    fn comments(&self) -> u64 {
        self.reader.get_ref().commented
    }
}

impl RowSource for Rows {
    fn next(&mut self, row: &mut StringRecord) -> Result<bool> {
        let read = self.reader.read_byte_record(&mut self.bytes);
        let more = read.map_err(|error| match error.into_kind() {
            csv::ErrorKind::Io(error) => Error::io(&self.path)(error),
            // The reader has no other errors for rows of bytes of any length.
            _ => Error::malformed_at(&self.path, format!("line {}", self.line()), "a row", "none"),
        })?;
        if more {
            let was = std::mem::replace(row, StringRecord::new()).into_byte_record();
            self.latin += u64::from(record(std::mem::replace(&mut self.bytes, was), row));
            unquote(row);
        }
        Ok(more)
    }

    /// The line that the last row ends in, from 1.
    fn line(&self) -> u64 {
        self.reader.get_ref().line
    }

    fn unit(&self) -> &'static str {
        "line"
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = vec![];
        if self.latin > 0 {
            let rows = counted(self.latin, "row");
            notes.push(format!("{rows} read as Windows-1252, because they are not UTF-8"));
        }
        if self.comments() > 0 {
            notes.push(format!("{} left out", counted(self.comments(), "comment")));
        }
        notes
    }
}

/// Removes the quotes of cells with a blank before them, which the reader leaves.
fn unquote(row: &mut StringRecord) {
    if row.as_slice().contains('"') {
        let inside = |cell: &str| {
            let inside = cell.strip_prefix('"').and_then(|cell| cell.strip_suffix('"'));
            inside.unwrap_or(cell).trim().to_owned()
        };
        *row = row.iter().map(inside).collect();
    }
}

fn reader<R: Read>(lines: R, dialect: &Dialect) -> csv::Reader<R> {
    csv::ReaderBuilder::new()
        .delimiter(dialect.separator)
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(lines)
}

/// Passes a text on line by line, without comments and the lines before the table. It knows the line
/// that a row ends in (the reader's count is wrong for blank lines and CR LF). It stops in a row of
/// too many cells before the reader stores them, since an empty cell is one byte here and many there.
struct Lines<T> {
    text: T,
    path: PathBuf,
    line: u64,
    commented: u64,
    skipped: u64,
    comments: bool,
    commented_names: bool,
    /// The current line.
    current: Vec<u8>,
    at: usize,
    /// Whether the last line ended in CR, so that LF may follow.
    after_cr: bool,
    cells: Cells,
}

impl<T: BufRead> Lines<T> {
    fn new(text: T, path: &Path, dialect: &Dialect) -> Self {
        Self {
            text,
            path: path.to_owned(),
            line: 0,
            commented: 0,
            skipped: dialect.skipped,
            comments: dialect.comments,
            commented_names: dialect.commented_names,
            current: vec![],
            at: 0,
            after_cr: false,
            cells: Cells { separator: dialect.separator, count: 1, state: State::Start },
        }
    }

    /// Goes to the next line of the table, or to the end.
    fn advance(&mut self) -> std::io::Result<()> {
        loop {
            let quoted = matches!(self.cells.state, State::Quoted);
            if !self.load()? {
                return Ok(());
            }
            if self.line <= self.skipped {
                self.cells.reset();
                continue;
            }
            if quoted || !self.comments || !self.current.trim_ascii_start().starts_with(b"#") {
                break;
            }
            if self.commented_names && self.line == self.skipped + 1 {
                let names = self.current.iter().position(|byte| !b"# \t".contains(byte));
                self.current.drain(..names.unwrap_or(0));
                break;
            }
            if !is_comment(&String::from_utf8_lossy(&self.current)) {
                break;
            }
            self.commented += 1;
            self.cells.reset();
        }
        if self.cells.separator == BLANK {
            // Bytes that are not UTF-8 are kept, each as one letter.
            self.current = match std::str::from_utf8(&self.current) {
                Ok(line) => squeeze(line).into_bytes(),
                Err(_) => {
                    let letters: String = self.current.iter().copied().map(char::from).collect();
                    squeeze(&letters).chars().map(|letter| letter as u8).collect()
                }
            };
            self.count(0)?;
        }
        Ok(())
    }

    /// Reads one line and ends it in LF. False at the end of the text.
    fn load(&mut self) -> std::io::Result<bool> {
        self.current.clear();
        self.at = 0;
        loop {
            let text = self.text.fill_buf()?;
            if std::mem::take(&mut self.after_cr) && text.first() == Some(&b'\n') {
                self.text.consume(1);
                continue;
            }
            if text.is_empty() {
                break;
            }
            let end = text.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            let (start, read) = (self.current.len(), end.map_or(text.len(), |end| end + 1));
            self.current.extend_from_slice(&text[..read]);
            if let Some(end) = end {
                self.after_cr = text[end] == b'\r';
                self.current[start + end] = b'\n';
            }
            self.text.consume(read);
            self.line += u64::from(start == 0);
            if self.cells.separator != BLANK {
                self.count(start)?;
            }
            if end.is_some() {
                break;
            }
        }
        Ok(!self.current.is_empty())
    }

    fn count(&mut self, start: usize) -> std::io::Result<()> {
        for byte in &self.current[start..] {
            if self.cells.take(*byte) > MAX_COLUMNS {
                let (place, expected) =
                    (format!("line {}", self.line), format!("at most {MAX_COLUMNS} columns"));
                let error = Error::malformed_at(&self.path, place, expected, "more");
                return Err(std::io::Error::other(error));
            }
        }
        Ok(())
    }
}

impl<T: BufRead> Read for Lines<T> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.at == self.current.len() {
            self.advance()?;
        }
        let read = (self.current.len() - self.at).min(buffer.len());
        buffer[..read].copy_from_slice(&self.current[self.at..self.at + read]);
        self.at += read;
        Ok(read)
    }
}

/// Counts the cells of a row byte by byte, with the reader's rules for quotes: a quote at the start of
/// a cell opens it, two quotes mean one, and one closes it.
struct Cells {
    separator: u8,
    count: usize,
    state: State,
}

#[derive(Clone, Copy)]
enum State {
    /// At the start of a cell.
    Start,
    /// In a cell, outside quotes.
    Plain,
    /// Within quotes.
    Quoted,
    /// After a quote within quotes: the end, or the first of two.
    Mark,
}

impl Cells {
    fn reset(&mut self) {
        (self.count, self.state) = (1, State::Start);
    }

    /// The number of cells of the row so far.
    fn take(&mut self, byte: u8) -> usize {
        self.state = match (self.state, byte) {
            (State::Quoted, b'"') => State::Mark,
            (State::Quoted, _) | (State::Start | State::Mark, b'"') => State::Quoted,
            (_, b'\n' | b'\r') => {
                self.count = 1;
                State::Start
            }
            (_, byte) if byte == self.separator => {
                self.count += 1;
                State::Start
            }
            _ => State::Plain,
        };
        self.count
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Compares the longest row of the reader with the count.
        #[test]
        fn cells_are_counted_as_by_the_reader(text in "[,;\"a\n\r]{0,40}") {
            let mut cells = Cells { separator: b',', count: 1, state: State::Start };
            let counted = text.bytes().map(|byte| cells.take(byte)).max().unwrap_or(1);
            let mut reader = csv::ReaderBuilder::new()
                .has_headers(false)
                .flexible(true)
                .from_reader(text.as_bytes());
            let rows = reader.records().map(|row| row.unwrap().len());
            prop_assert_eq!(counted, rows.max().unwrap_or(1));
        }
    }
}
