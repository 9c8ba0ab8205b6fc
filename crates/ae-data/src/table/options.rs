//! What may be said of a table beside its path.

use serde::{Deserialize, Serialize};

use super::Schema;

/// How a table is read, where what is found by itself is not what is meant.
///
/// Columns are named by their names or, failing that, by their index from 0.
///
/// | field | default | meaning |
/// |---|---|---|
/// | `header` | auto | whether the first row is names |
/// | `separator` | found | what stands between cells: `,`, `;`, a tab, `\|`, or a blank for runs of blanks |
/// | `decimal` | found | whether numbers are written 1.5 or 1,5 |
/// | `month_first` | found | whether 01/02/2020 is in January |
/// | `missing` | refuse | what becomes of missing cells |
/// | `missing_as` | none | texts that stand for a missing cell beside the usual ones ([`is_missing`](super::is_missing)) |
/// | `ignore` | none | columns to leave out |
/// | `id` | found | columns that number or name the rows: left out |
/// | `categorical` | found | columns of categories, be they numbers |
/// | `numeric` | found | columns of numbers (and not identifiers) |
/// | `unseen` | refuse | what becomes of categories that `schema` does not know |
/// | `schema` | none | the columns a model was trained on: those of the table are matched by name and put in their order |
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TableOptions {
    /// Whether the first row is names.
    pub header: Header,
    /// What stands between cells; a blank stands for any number of blanks and tabs.
    pub separator: Option<char>,
    /// The mark before the decimals of a number.
    pub decimal: Option<Decimal>,
    /// Whether the month comes first in dates such as 01/02/2020.
    pub month_first: Option<bool>,
    /// What becomes of missing cells.
    pub missing: Missing,
    /// Further texts that stand for a missing cell.
    pub missing_as: Vec<String>,
    /// Columns to leave out.
    pub ignore: Vec<String>,
    /// Columns that number or name the rows.
    pub id: Vec<String>,
    /// Columns of categories.
    pub categorical: Vec<String>,
    /// Columns of numbers.
    pub numeric: Vec<String>,
    /// What becomes of categories that the schema does not know.
    pub unseen: Unseen,
    /// The columns that are wanted.
    pub schema: Option<Schema>,
}

/// Whether the first row of a table is the names of its columns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Header {
    /// Told by the row itself and those below it.
    #[default]
    Auto,
    /// It is.
    Yes,
    /// It is a row like the others.
    No,
}

/// The mark before the decimals of a number; the other one then parts thousands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decimal {
    /// 1.5
    Point,
    /// 1,5
    Comma,
}

/// What becomes of missing cells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Missing {
    /// They are an error that counts them.
    #[default]
    Refuse,
    /// Rows with one are left out.
    Drop,
    /// They stay known as missing ([`Samples::missing`](crate::Samples::missing)) and are read as
    /// the mean of their column in the training part. Rows without a label are left out.
    Mean,
}

/// What becomes of a category that was not there in training.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unseen {
    /// It is an error that names it.
    #[default]
    Refuse,
    /// None of the block's columns is 1.
    Zero,
}
