//! A record of how a table was read, which displays as one line.

use super::{Role, Schema};
use crate::error::{list, quote};

/// The most names in a sentence.
const LISTED: usize = 8;

/// How a table was read.
///
/// Its `Display` is one line: `12 columns: 9 numeric, 2 categorical, `id` left out (one for each
/// row), label `target` (3 classes); 41 cells missing; names in the first row`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableInfo {
    /// What the columns are.
    pub schema: Schema,
    /// The number of classes, if a column has labels.
    pub classes: usize,
    /// The number of missing cells for each column that has any, including dropped rows.
    pub missing: Vec<(String, usize)>,
    /// The number of rows left out because of a missing cell.
    pub dropped: usize,
    /// Whether the first row had the names of the columns.
    pub named: bool,
    /// Whether the columns are named by their indices in the file, as in sparse tables.
    pub indexed: bool,
    /// What else was done that is not obvious from the file, without a full stop.
    pub notes: Vec<String>,
}

impl TableInfo {
    /// The number of missing cells.
    pub fn missing_cells(&self) -> usize {
        self.missing.iter().map(|(_, count)| count).sum()
    }
}

impl std::fmt::Display for TableInfo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let columns = &self.schema.columns;
        let count = |wanted: &dyn Fn(&Role) -> bool| {
            columns.iter().filter(|column| wanted(&column.role)).count()
        };
        let mut parts = vec![];
        let mut add = |count: usize, what: &str| {
            if count > 0 {
                parts.push(format!("{count} {what}"));
            }
        };
        add(count(&|role| matches!(role, Role::Number | Role::Integer)), "numeric");
        add(count(&|role| matches!(role, Role::Categorical { .. })), "categorical");
        add(count(&|role| *role == Role::Boolean), "boolean");
        add(count(&|role| matches!(role, Role::Date { .. })), "of dates");
        for (role, why) in [
            (Role::Id, "one for each row"),
            (Role::Text, "too many distinct texts"),
            (Role::Empty, "empty"),
            (Role::Ignored, "as asked"),
        ] {
            let names: Vec<&str> = columns
                .iter()
                .filter(|column| column.role == role)
                .map(|column| column.name.as_str())
                .collect();
            if !names.is_empty() {
                parts.push(format!("{} left out ({why})", listed(&names)));
            }
        }
        if let Some(label) = columns.iter().find(|column| column.role == Role::Label) {
            parts.push(format!("label {} ({} classes)", quote(&label.name), self.classes));
        }
        write!(f, "{} columns: {}", columns.len(), parts.join(", "))?;
        match self.missing_cells() {
            0 => {}
            1 => f.write_str("; 1 cell missing")?,
            cells => write!(f, "; {cells} cells missing")?,
        }
        match self.dropped {
            0 => {}
            1 => f.write_str("; 1 row left out")?,
            rows => write!(f, "; {rows} rows left out")?,
        }
        f.write_str(match (self.indexed, self.named) {
            (true, _) => "; named by their indices",
            (_, true) => "; names in the first row",
            (_, false) => "; no names, the first row is a sample",
        })
    }
}

/// A list of column names, shortened if it is long.
pub(super) fn listed(names: &[&str]) -> String {
    let mut shown: Vec<String> = names.iter().take(LISTED).map(|name| quote(name)).collect();
    if names.len() > LISTED {
        shown.push(format!("{} more", names.len() - LISTED));
    }
    list(&shown, "and")
}
