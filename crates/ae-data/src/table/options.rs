//! The options of reading a table.

use serde::{Deserialize, Serialize};

use super::Schema;

/// How a table is read. Every option has a default, most of them inferred from the file.
///
/// Columns are given by name, or by index from 0.
///
/// | field | default | meaning |
/// |---|---|---|
/// | `header` | auto | whether the first row has the names |
/// | `separator` | inferred | the separator of cells: `,`, `;`, a tab, `\|`, or a blank for runs of blanks |
/// | `decimal` | inferred | whether numbers are written 1.5 or 1,5 |
/// | `month_first` | inferred | whether 01/02/2020 is in January |
/// | `missing` | mean | how missing cells are handled |
/// | `missing_as` | none | further texts that mean a missing cell ([`is_missing`](super::is_missing) has the usual ones) |
/// | `ignore` | none | columns to leave out |
/// | `id` | inferred | columns that number or name the rows, which are left out |
/// | `categorical` | inferred | columns of categories, even if they are numbers |
/// | `numeric` | inferred | columns of numbers, which are not identifiers |
/// | `unseen` | refuse | how categories are handled that are not in `schema` |
/// | `schema` | none | the columns that a model was trained on; those of the table are matched to them by name |
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TableOptions {
    /// Whether the first row has the names.
    pub header: Header,
    /// The separator of cells. A blank means any number of blanks and tabs.
    pub separator: Option<char>,
    /// The decimal mark of numbers.
    pub decimal: Option<Decimal>,
    /// Whether the month comes first in dates such as 01/02/2020.
    pub month_first: Option<bool>,
    /// How missing cells are handled.
    pub missing: Missing,
    /// Further texts that mean a missing cell.
    pub missing_as: Vec<String>,
    /// Columns to leave out.
    pub ignore: Vec<String>,
    /// Columns that number or name the rows.
    pub id: Vec<String>,
    /// Columns of categories.
    pub categorical: Vec<String>,
    /// Columns of numbers.
    pub numeric: Vec<String>,
    /// How categories are handled that are not in the schema.
    pub unseen: Unseen,
    /// The columns that a model was trained on.
    pub schema: Option<Schema>,
}

impl TableOptions {
    /// Adds the texts that mean a missing cell in the schema.
    pub(super) fn with_schema(&self) -> Self {
        let mut options = self.clone();
        if let Some(schema) = &self.schema {
            options.missing_as.extend(schema.missing_as.iter().cloned());
        }
        options
    }
}

/// Whether the first row of a table has the names of its columns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Header {
    /// Inferred from this row and those below it.
    #[default]
    Auto,
    /// It has the names.
    Yes,
    /// It is a sample.
    No,
}

/// The decimal mark of numbers. The other mark then separates thousands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decimal {
    /// 1.5
    Point,
    /// 1,5
    Comma,
}

/// How missing cells are handled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Missing {
    /// They are an error, which counts them.
    Refuse,
    /// Rows with one are left out.
    Drop,
    /// They are read as the mean of their column in the training set, and stay marked as missing
    /// ([`Samples::missing`](crate::Samples::missing)). Rows without a label are left out.
    #[default]
    Mean,
    /// As `Mean`, and a training leaves them out of its loss, and an evaluation out of its errors: see
    /// [`Masked`](crate::Masked).
    Masked,
}

impl Missing {
    /// Whether they are read as the mean.
    pub(crate) fn is_filled(self) -> bool {
        matches!(self, Self::Mean | Self::Masked)
    }
}

/// How a category is handled that the training data does not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unseen {
    /// It is an error, which names it.
    #[default]
    Refuse,
    /// All features of the column are 0.
    Zero,
}
