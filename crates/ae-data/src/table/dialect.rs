//! The dialect of a table: its separator, comments, and lines before its first row.

use csv::StringRecord;

use super::date::{self, Order};
use super::number::number;
use super::{Decimal, TableOptions};

/// The byte that replaces a run of blanks for the CSV reader.
pub(super) const BLANK: u8 = 0x1f;

/// The most rows that are examined.
const SAMPLED_ROWS: usize = 60;

/// The most lines before a table.
const MAX_TITLES: usize = 30;

/// The dialect of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Dialect {
    /// The separator of cells; [`BLANK`] for runs of blanks and tabs.
    pub separator: u8,
    /// The number of lines before the table: `sep=;`, comments, titles.
    pub skipped: u64,
    /// Whether lines that begin with `#` are comments.
    pub comments: bool,
    /// Whether the first line after the skipped ones is a comment with the names.
    pub commented_names: bool,
}

impl Dialect {
    /// The dialect by the start of a text, which may end within a row.
    pub(super) fn of(lead: &str, whole: bool, options: &TableOptions) -> Self {
        let lines: Vec<&str> = lines(lead);
        let declared = lines.first().and_then(|line| sep_line(line));
        let start = usize::from(declared.is_some());
        let comments = comments(&lines[start..]);
        let leading = lines[start..].iter().take_while(|line| comments && is_comment(line)).count();
        let after = start + leading;
        let text: String = lines[after..]
            .iter()
            .filter(|line| !(comments && is_comment(line)))
            .flat_map(|line| [*line, "\n"])
            .collect();

        let asked = options.separator.map(|separator| match separator {
            ' ' => BLANK,
            other => u8::try_from(other).unwrap_or(b','),
        });
        let (separator, titles) = match asked.or(declared) {
            Some(separator) => {
                let rows = Candidate::of(&text, separator, whole);
                (separator, rows.titles)
            }
            None => choose(&text, whole),
        };
        let titles = if comments { 0 } else { titles };
        // Some programs write the names of the columns as a comment.
        let names = (leading > 0).then(|| lines[after - 1]).filter(|line| {
            let names = cells(line.trim_start().trim_start_matches('#').trim(), separator);
            let first = lines[after..].iter().find(|line| !line.trim().is_empty());
            let row = first.map_or(0, |row| cells(row, separator).len());
            names.len() == row
                && row > 1
                && names.iter().all(|cell| number(cell, Decimal::Point).is_none())
        });
        let skipped = after + titles - usize::from(names.is_some());
        Self { separator, skipped: skipped as u64, comments, commented_names: names.is_some() }
    }

    /// The separator in words, for messages.
    pub(super) fn separator_name(&self) -> &'static str {
        match self.separator {
            b'\t' => "a tab",
            b';' => "`;`",
            b'|' => "`|`",
            BLANK => "blanks",
            _ => "`,`",
        }
    }
}

/// The lines of a text, which end in LF, CR LF or CR.
fn lines(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text
        .split('\n')
        .flat_map(|line| line.strip_suffix('\r').unwrap_or(line).split('\r'))
        .collect();
    if lines.last() == Some(&"") {
        lines.pop();
    }
    lines
}

/// The separator of a first line such as `sep=;`, as spreadsheets write it.
fn sep_line(line: &str) -> Option<u8> {
    let line = line.trim_matches(|letter: char| letter == '"' || letter == '\u{feff}');
    let rest =
        line.get(..4).filter(|start| start.eq_ignore_ascii_case("sep=")).map(|_| &line[4..])?;
    match rest.as_bytes() {
        [b' ', ..] => Some(BLANK),
        [separator, ..] if separator.is_ascii() && !separator.is_ascii_alphanumeric() => {
            Some(*separator)
        }
        _ => None,
    }
}

/// Whether a line begins with `#`, but not with an error value of spreadsheets such as `#N/A`.
pub(super) fn is_comment(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with('#')
        && !["#N/A", "#NA", "#DIV/0", "#VALUE", "#REF", "#NAME", "#NUM", "#NULL"]
            .iter()
            .any(|cell| line.starts_with(cell))
}

/// Whether there are comments: some lines begin with `#`, but fewer than half of them, or only the
/// first ones. Otherwise `#` is part of the first cells.
fn comments(lines: &[&str]) -> bool {
    let count = lines.iter().filter(|line| is_comment(line)).count();
    let leading = lines.iter().take_while(|line| is_comment(line)).count();
    let rest = lines.len() - count;
    count > 0 && (leading == count && rest > 0 || count * 2 < lines.len())
}

/// The cells of one line.
fn cells(line: &str, separator: u8) -> StringRecord {
    let rows = Candidate::of(&format!("{line}\n"), separator, true).rows;
    rows.into_iter().next().unwrap_or_default()
}

/// A text as read with one separator.
struct Candidate {
    rows: Vec<StringRecord>,
    /// The most frequent number of cells.
    width: usize,
    /// The number of lines before the first row of the table, and the number of rows in them.
    titles: usize,
    before: usize,
}

impl Candidate {
    fn of(text: &str, separator: u8, whole: bool) -> Self {
        let squeezed;
        let text = if separator == BLANK {
            squeezed = text.split_inclusive('\n').map(squeeze).collect::<String>();
            &squeezed
        } else {
            text
        };
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(separator)
            .has_headers(false)
            .flexible(true)
            .trim(csv::Trim::All)
            .from_reader(text.as_bytes());
        let (mut rows, mut starts) = (vec![], vec![]);
        for row in reader.records().map_while(Result::ok).take(SAMPLED_ROWS) {
            let start = row.position().map_or(0, |position| position.byte() as usize);
            starts.push(text[..start].matches('\n').count());
            rows.push(row);
        }
        if !whole && rows.len() > 1 && rows.len() < SAMPLED_ROWS {
            rows.pop();
        }
        let width = most_frequent(rows.iter().map(StringRecord::len));
        let mut found = Self { rows, width, titles: 0, before: 0 };
        found.before = found.rows_before();
        found.titles = starts.get(found.before).copied().unwrap_or(0);
        if found.before == 0 {
            found.titles = 0;
        }
        found
    }

    /// The number of rows before the table: they have too few cells, and letters but no numbers.
    fn rows_before(&self) -> usize {
        let worded = |row: &StringRecord| {
            row.iter().any(|cell| cell.contains(char::is_alphabetic))
                && row.iter().all(|cell| number(cell, Decimal::Point).is_none())
        };
        // Spreadsheets pad the lines of a title with empty cells.
        let is_title = |row: &StringRecord| {
            self.width > 2 && row.iter().skip(1).all(str::is_empty) && worded(row)
        };
        let is_row = |row: &StringRecord| row.len() >= self.width && !is_title(row);
        let Some(mut first) = self.rows.iter().position(is_row) else {
            return 0;
        };
        // R omits the name of the column of row names.
        let short = |row: &StringRecord| row.len() + 1 == self.width && row.len() > 1;
        if first > 0 && short(&self.rows[first - 1]) {
            first -= 1;
        }
        let rows = self.rows[first..].iter().filter(|row| is_row(row)).count();
        // A single name above rows of two cells is a header of R, not a title.
        let is_r =
            first == 1 && self.width == 2 && !self.rows[0].iter().any(|cell| cell.contains(' '));
        let titles = self.width > 1 && rows > 1 && first <= MAX_TITLES && !is_r;
        if titles && self.rows[..first].iter().all(worded) { first } else { 0 }
    }

    /// Whether nearly all rows have the same number of cells, above 1, and hardly a cell looks like
    /// several.
    fn fits(&self) -> bool {
        let rows = &self.rows[self.before..];
        let in_width = |row: &&StringRecord| {
            row.len() == self.width
                || row.len() > self.width && row.iter().skip(self.width).all(str::is_empty)
                || row.iter().all(str::is_empty)
        };
        let even = rows.iter().filter(in_width).count();
        let short = usize::from(rows.first().is_some_and(|row| row.len() + 1 == self.width));
        let cells = || rows.iter().flatten().filter(|cell| !cell.is_empty());
        let odd = cells().filter(|cell| is_odd(cell)).count();
        self.width > 1
            && (even + short) * 10 >= rows.len() * 9
            && even > 0
            && odd * 10 <= cells().count()
    }
}

/// The first separator with which the text is a table; that of its first line is tried first.
fn choose(text: &str, whole: bool) -> (u8, usize) {
    let first = separator(text.split('\n').next().unwrap_or_default().as_bytes());
    for separator in [first, b'\t', b';', b'|', b',', BLANK] {
        let candidate = Candidate::of(text, separator, whole);
        if candidate.fits() {
            return (separator, candidate.titles);
        }
    }
    (first, 0)
}

/// The separator of the first row. Those within quotes belong to a name.
fn separator(first_row: &[u8]) -> u8 {
    let outside = || first_row.split(|byte| *byte == b'"').step_by(2).flatten();
    let found = [b'\t', b';'].into_iter().find(|separator| outside().any(|b| b == separator));
    found.unwrap_or(b',')
}

/// Whether a cell of digits and marks is neither a number nor a date, and so probably several cells.
fn is_odd(cell: &str) -> bool {
    let known = |letter: char| letter.is_ascii_digit() || " \t.,;:|+-eE".contains(letter);
    cell.contains(|letter: char| letter.is_ascii_digit())
        && cell.chars().all(known)
        && number(cell, Decimal::Point).is_none()
        && number(cell, Decimal::Comma).is_none()
        && date::seconds(cell, Order::DayFirst).is_none()
        && date::seconds(cell, Order::MonthFirst).is_none()
}

fn most_frequent(counts: impl Iterator<Item = usize>) -> usize {
    let mut known: Vec<(usize, usize)> = vec![];
    for count in counts {
        match known.iter_mut().find(|(value, _)| *value == count) {
            Some((_, times)) => *times += 1,
            None => known.push((count, 1)),
        }
    }
    // The first of equally frequent ones.
    known.iter().rev().max_by_key(|(_, times)| *times).map_or(0, |(value, _)| *value)
}

/// Replaces each run of blanks outside quotes by one [`BLANK`], and removes blanks at the ends.
pub(super) fn squeeze(line: &str) -> String {
    let (line, end) = match line.strip_suffix('\n') {
        Some(line) => (line, "\n"),
        None => (line, ""),
    };
    let mut out = String::with_capacity(line.len() + 1);
    let (mut quoted, mut pending) = (false, false);
    for letter in line.trim_matches([' ', '\t', '\r']).chars() {
        if !quoted && matches!(letter, ' ' | '\t') {
            pending = true;
            continue;
        }
        if pending {
            out.push(char::from(BLANK));
            pending = false;
        }
        quoted ^= letter == '"';
        out.push(letter);
    }
    out + end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> (u8, u64) {
        let found = Dialect::of(text, true, &TableOptions::default());
        (found.separator, found.skipped)
    }

    #[test]
    fn separators_are_inferred_from_the_rows() {
        for (text, expected) in [
            ("a,b\n1,2\n", b','),
            ("a;b\n1,5;2,5\n", b';'),
            ("a\tb\n1\t2\n", b'\t'),
            ("a|b\n1|2\n", b'|'),
            ("a b\n1  2\n 3 4\n", BLANK),
            ("1,5 2,5\n3,5 4,5\n", BLANK),
            ("\"a\tb\";c,d\n1;2\n", b';'),
            ("name, first; last,x\n1,2,3\n4,5,6\n", b','),
            ("time,what\n2020-01-01 00:00,5\n2020-01-02 00:00,6\n", b','),
            ("date|t, C|x\n1|2|3\n4|5|6\n", b'|'),
            ("one column\n1\n2\n", b','),
            ("1,2,3\n4,5\n", b','),
        ] {
            assert_eq!(of(text), (expected, 0), "{text:?}");
        }
    }

    #[test]
    fn lines_before_the_table_are_skipped() {
        assert_eq!(of("sep=;\na;b\n1;2\n"), (b';', 1));
        assert_eq!(of("\"SEP=|\"\r\na|b\r\n1|2\r\n"), (b'|', 1));
        assert_eq!(of("# made by x, in 2020\n# y\na,b\n1,2\n"), (b',', 2));
        assert_eq!(of("Report of 2020, north\n\nfor all\na,b,c\n1,2,3\n4,5,6\n"), (b',', 3));
        assert_eq!(of("#N/A,1\n2,3\n#N/A,4\n"), (b',', 0));
        assert_eq!(of("#ff0000,1\n#00ff00,3\n"), (b',', 0));
        let found = Dialect::of("# from a\n# x y\n1 2\n3 4\n", true, &TableOptions::default());
        assert_eq!((found.skipped, found.commented_names, found.separator), (1, true, BLANK));
        assert_eq!(of("x\n1 2\n2 3\n").1, 0, "R's row names");
    }
}
