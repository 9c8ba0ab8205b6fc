//! What the columns of a table are called, and which of them holds the labels.

use std::borrow::Cow;
use std::path::Path;

use csv::StringRecord;

use crate::{Error, Result, error::quote};

/// Columns that are labels unless another is named, best first; case does not matter.
const LABEL_COLUMNS: [&str; 3] = ["label", "class", "target"];

/// The columns of a table.
pub(super) struct Columns {
    count: usize,
    /// The first row, if it is names.
    names: Option<StringRecord>,
    /// The column of the labels, if there is one.
    pub(super) label: Option<usize>,
}

impl Columns {
    /// From the first row and what the caller says of the labels: a column's name, or its index.
    pub(super) fn of(first_row: &StringRecord, asked: Option<&str>, path: &Path) -> Result<Self> {
        let names = is_header(first_row, asked).then(|| first_row.clone());
        let mut columns = Self { count: first_row.len(), names, label: None };
        columns.label = columns.find_label(asked, path)?;
        Ok(columns)
    }

    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// Whether the first row is their names.
    pub(super) fn are_named(&self) -> bool {
        self.names.is_some()
    }

    /// A column without a name is called by its index.
    pub(super) fn name(&self, at: usize) -> Cow<'_, str> {
        match self.names.as_ref().and_then(|names| names.get(at)).filter(|name| !name.is_empty()) {
            Some(name) => name.into(),
            None => at.to_string().into(),
        }
    }

    /// The names of all but the labels.
    pub(super) fn features(&self) -> Vec<String> {
        let features = (0..self.count).filter(|at| Some(*at) != self.label);
        features.map(|at| self.name(at).into_owned()).collect()
    }

    fn find_label(&self, asked: Option<&str>, path: &Path) -> Result<Option<usize>> {
        let find =
            |wanted: &dyn Fn(&str) -> bool| (0..self.count).find(|at| wanted(&self.name(*at)));
        let Some(asked) = asked else {
            let mut known = LABEL_COLUMNS.iter();
            return Ok(known.find_map(|known| find(&|name| name.eq_ignore_ascii_case(known))));
        };
        let by_index = || asked.parse().ok().filter(|index| *index < self.count);
        find(&|name| name == asked).or_else(by_index).map(Some).ok_or_else(|| {
            let shown: Vec<_> = (0..self.count.min(20)).map(|at| quote(&self.name(at))).collect();
            let more = if self.count > 20 { ", ..." } else { "" };
            let expected = format!("a label column called {}", quote(asked));
            Error::malformed(path, expected, format!("the columns {}{more}", shown.join(", ")))
        })
    }
}

/// Whether the first row is names: the labels' is among them, or there are some and none of them
/// is a number. Of a row with a number and a text, the text is a mistake rather than a name.
fn is_header(first_row: &StringRecord, asked: Option<&str>) -> bool {
    let known = |cell: &str| LABEL_COLUMNS.iter().any(|name| cell.eq_ignore_ascii_case(name));
    let index = asked.and_then(|asked| asked.parse::<usize>().ok());
    let names_labels = match (index, asked) {
        (Some(index), _) => first_row.get(index).is_some_and(known),
        (None, Some(asked)) => first_row.iter().any(|cell| cell == asked),
        (None, None) => first_row.iter().any(known),
    };
    let cells = first_row.iter().enumerate();
    let mut features =
        cells.filter(|(at, cell)| Some(*at) != index && !cell.is_empty()).map(|(_, cell)| cell);
    let is_text = |cell: &str| cell.parse::<f64>().is_err();
    names_labels || features.next().is_some_and(is_text) && features.all(is_text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_from_numbers() {
        let header = |row: &str, asked: Option<&str>| {
            is_header(&StringRecord::from(row.split(',').collect::<Vec<_>>()), asked)
        };
        for row in ["a,b", "a,", ",a", "label,0,1", "0,Class", "a2019,b"] {
            assert!(header(row, None), "{row}");
        }
        for row in ["1,2", "1,oops", "oops,1", "1,", ",", "2019,2020", "id,2019,2020", "1,nan"] {
            assert!(!header(row, None), "{row}");
        }
        // The cell of the labels is no sign, unless it is their name.
        assert!(header("2019,kind", Some("kind")) && header("1,label", Some("1")));
        assert!(header("a,b", Some("1")) && header("label,1,2", Some("0")));
        assert!(!header("5.1,setosa", Some("1")) && !header(",setosa", Some("1")));
        assert!(!header("2,3,setosa", Some("2")) && !header("label,3,setosa", Some("2")));
    }
}
