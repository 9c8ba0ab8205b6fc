//! The rows of a table as they lie in its file, one at a time.

use std::io::{BufRead, BufReader, Chain, Cursor, Read};
use std::path::{Path, PathBuf};

use csv::{ByteRecord, StringRecord};

use super::dialect::{BLANK, Dialect, is_comment, squeeze};
use super::text::{Text, record};
use super::{MOST_COLUMNS, TableOptions};
use crate::{Error, Result};

/// How much of a table is looked at before it is read, and how much more of one whose rows are
/// long.
const LEAD: u64 = 1 << 16;
const LONG_LEAD: u64 = 1 << 17;

/// Lines that are looked at where there are as many in a [`LONG_LEAD`].
const LEAD_LINES: usize = 30;

/// Rows that are looked at.
const LEAD_ROWS: usize = 500;

/// What was looked at, and the rest.
type Whole = Chain<Cursor<Vec<u8>>, Text>;

/// A table that is read row by row.
pub(super) struct Rows {
    reader: csv::Reader<Lines<BufReader<Whole>>>,
    path: PathBuf,
    bytes: ByteRecord,
    /// How it is written.
    pub(super) dialect: Dialect,
    /// Rows that were no UTF-8.
    pub(super) latin: u64,
}

impl Rows {
    /// Opens a table; its first rows come twice, to be looked at and by [`next`](Self::next).
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
        let (mut looked_at, mut bytes) = (vec![], ByteRecord::new());
        let mut reader = reader(lines, &dialect);
        while looked_at.len() < LEAD_ROWS && reader.read_byte_record(&mut bytes).unwrap_or(false) {
            let mut row = StringRecord::new();
            record(std::mem::take(&mut bytes), &mut row);
            unquote(&mut row);
            looked_at.push(row);
        }
        if !whole && looked_at.len() > 1 && looked_at.len() < LEAD_ROWS {
            looked_at.pop();
        }
        drop(reader);
        let lines = Lines::new(BufReader::new(Cursor::new(lead).chain(text)), path, &dialect);
        let reader = self::reader(lines, &dialect);
        let bytes = ByteRecord::new();
        Ok((Self { reader, path: path.to_owned(), bytes, dialect, latin: 0 }, looked_at))
    }

    /// The next row, if there is one.
    pub(super) fn next(&mut self, row: &mut StringRecord) -> Result<bool> {
        let read = self.reader.read_byte_record(&mut self.bytes);
        let more = read.map_err(|error| match error.into_kind() {
            csv::ErrorKind::Io(error) => Error::io(&self.path)(error),
            // Nothing else can be wrong with bytes in rows of any length.
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
    pub(super) fn line(&self) -> u64 {
        self.reader.get_ref().line
    }

    /// Lines that were comments.
    pub(super) fn comments(&self) -> u64 {
        self.reader.get_ref().commented
    }
}

/// Takes off the quotation marks of cells that have a blank before them, which the reader leaves.
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

/// Gives a text out line by line, whatever ends them, so that it is known in which one a row of
/// the table ends (the reader's own count is off where lines are blank or end in CR LF), without
/// what stands before the table and without comments; and stops in a row of too many cells, before
/// the reader holds them: an empty cell is one byte here and many there.
struct Lines<T> {
    text: T,
    path: PathBuf,
    line: u64,
    commented: u64,
    skipped: u64,
    comments: bool,
    commented_names: bool,
    /// What is left of the line.
    current: Vec<u8>,
    at: usize,
    /// Whether a line ended in CR, so that LF may follow.
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

    /// The next line that is part of the table; none at the end.
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
            // Other bytes than UTF-8 are kept: each as a letter of its own.
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

    /// Reads one line, which then ends in LF; false at the end.
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
            if self.cells.take(*byte) > MOST_COLUMNS {
                let (place, expected) =
                    (format!("line {}", self.line), format!("at most {MOST_COLUMNS} columns"));
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

/// Counts the cells of a row byte by byte, with quotation marks as the reader takes them: one that
/// begins a cell begins a quotation, in which two stand for one and one is the end.
struct Cells {
    separator: u8,
    count: usize,
    state: State,
}

#[derive(Clone, Copy)]
enum State {
    /// At the start of a cell.
    Start,
    /// In a cell, outside a quotation.
    Plain,
    /// In a quotation.
    Quoted,
    /// After a quotation mark in a quotation: its end, or the first of two.
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
        /// The longest row, as the reader has it and as it is counted.
        #[test]
        fn cells_are_counted_as_the_reader_parts_them(text in "[,;\"a\n\r]{0,40}") {
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
