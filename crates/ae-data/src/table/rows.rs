//! The rows of a table as they lie in its file, one at a time.

use std::io::{BufRead, BufReader, Chain, Cursor, Read};
use std::path::{Path, PathBuf};

use csv::StringRecord;

use super::MOST_COLUMNS;
use crate::{Error, Result, input::Input};

/// How much of the first line is looked at to tell the separator.
const LEAD: u64 = 1 << 16;

/// A table that is read row by row.
pub(super) struct Rows {
    reader: csv::Reader<Lines<Text>>,
    path: PathBuf,
}

/// The lead, and what comes after it.
type Text = Chain<Cursor<Vec<u8>>, BufReader<Input>>;

impl Rows {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let mut input = BufReader::new(Input::open(path)?);
        let mut lead = vec![];
        input.by_ref().take(LEAD).read_until(b'\n', &mut lead).map_err(Error::io(path))?;
        let separator = separator(&lead);
        let lines = Lines {
            text: Cursor::new(lead).chain(input),
            path: path.to_owned(),
            line: 0,
            ended: true,
            cells: Cells { separator, count: 1, state: State::Start },
        };
        let reader = csv::ReaderBuilder::new()
            .delimiter(separator)
            .has_headers(false)
            .flexible(true)
            .trim(csv::Trim::All)
            .from_reader(lines);
        Ok(Self { reader, path: path.to_owned() })
    }

    /// The next row, if there is one.
    pub(super) fn next(&mut self, row: &mut StringRecord) -> Result<bool> {
        self.reader.read_record(row).map_err(|error| match error.into_kind() {
            csv::ErrorKind::Io(error) => Error::io(&self.path)(error),
            // The only other thing that can be wrong with a row of any length.
            _ => {
                let place = format!("line {}", self.line());
                Error::malformed_at(&self.path, place, "text in UTF-8", "other bytes")
            }
        })
    }

    /// The line that the last row ends in, from 1.
    pub(super) fn line(&self) -> u64 {
        self.reader.get_ref().line
    }
}

/// Separators between quotation marks belong to a name.
fn separator(first_row: &[u8]) -> u8 {
    let outside = || first_row.split(|byte| *byte == b'"').step_by(2).flatten();
    let found = [b'\t', b';'].into_iter().find(|separator| outside().any(|b| b == separator));
    found.unwrap_or(b',')
}

/// Gives a text out line by line, so that it is known in which one a row of the table ends (the
/// reader's own count is off where lines are blank or end in CR LF), and stops in a row of too many
/// cells, before the reader holds them: an empty cell is one byte here and many there.
struct Lines<T> {
    text: T,
    path: PathBuf,
    line: u64,
    ended: bool,
    cells: Cells,
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
        if buffer[..read].iter().any(|byte| self.cells.take(*byte) > MOST_COLUMNS) {
            let (place, expected) =
                (format!("line {}", self.line), format!("at most {MOST_COLUMNS} columns"));
            let error = Error::malformed_at(&self.path, place, expected, "more");
            return Err(std::io::Error::other(error));
        }
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

    #[test]
    fn a_separator_between_quotation_marks_is_none() {
        assert_eq!(separator(b"a,b\n"), b',');
        assert_eq!(separator(b"\"a\tb\";c,d\n"), b';');
        assert_eq!(separator(b"a;b\tc\n"), b'\t');
    }
}
