//! The schema of a table: the roles of its columns, and their features.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::date;

/// The role of a column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Numbers.
    Number,
    /// Integers.
    Integer,
    /// Words for no and yes, read as 0 and 1.
    Boolean,
    /// Dates, times, or both, read as seconds.
    Date {
        /// Whether 01/02/2020 is in January.
        month_first: bool,
    },
    /// A few distinct texts (or numbers, if the caller says so), encoded one-hot: a block with one
    /// feature per category, of which one is 1.
    Categorical {
        /// The categories, in order.
        categories: Vec<String>,
    },
    /// The classes of the rows, which are no feature.
    Label,
    /// A number or name for each row, which is no feature.
    Id,
    /// Too many distinct texts to be categories, which are no feature.
    Text,
    /// Only missing cells, which are no feature.
    Empty,
    /// A column that the caller leaves out.
    Ignored,
}

impl Role {
    /// The number of features of a column with this role.
    pub fn features(&self) -> usize {
        match self {
            Self::Number | Self::Integer | Self::Boolean | Self::Date { .. } => 1,
            Self::Categorical { categories } => categories.len(),
            Self::Label | Self::Id | Self::Text | Self::Empty | Self::Ignored => 0,
        }
    }
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Its name, or its index if it has none.
    pub name: String,
    /// Its role.
    pub role: Role,
}

/// The columns of a table, in order. With the schema of its training data in
/// [`TableOptions::schema`](super::TableOptions::schema), a model can read other tables: their columns
/// are matched by name and become the same features.
///
/// ```
/// use ae_data::table::{self, TableOptions};
/// let folder = tempfile::tempdir()?;
/// let [one, other] = ["one.csv", "other.csv"].map(|name| folder.path().join(name));
/// std::fs::write(&one, "size,colour\n1,red\n2,blue\n3,red\n4,blue\n")?;
/// std::fs::write(&other, "colour,size\nred,7\n")?;
/// let known = table::read(&one, None)?;
/// let schema = known.table().unwrap().schema.clone();
/// assert_eq!(schema.feature_names(), ["size", "colour=blue", "colour=red"]);
/// let options = TableOptions { schema: Some(schema), ..TableOptions::default() };
/// assert_eq!(table::read_with(&other, None, &options)?.row(0), [7.0, 0.0, 1.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schema {
    /// The columns.
    pub columns: Vec<Column>,
    /// Further texts that mean a missing cell.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing_as: Vec<String>,
}

/// The features that one categorical column became.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The name of the column.
    pub name: String,
    /// Its features. Exactly one of them is 1 in a row, unless the cell is missing or its category is
    /// unknown.
    pub features: Range<usize>,
}

/// As few digits as identify the number, as one of 32 bits if it is one.
fn number(value: f64) -> String {
    let short = value as f32;
    if f64::from(short) == value { short.to_string() } else { value.to_string() }
}

impl Schema {
    /// The names of the features: the name of the column, or `column=category`.
    pub fn feature_names(&self) -> Vec<String> {
        let mut names = vec![];
        for Column { name, role } in &self.columns {
            match role {
                Role::Categorical { categories } => {
                    names.extend(categories.iter().map(|category| format!("{name}={category}")));
                }
                role if role.features() == 1 => names.push(name.clone()),
                _ => {}
            }
        }
        names
    }

    /// The names of the columns that become features, in order: those of the cells of
    /// [`cells`](Self::cells).
    pub fn column_names(&self) -> Vec<&str> {
        let columns = self.columns.iter().filter(|column| column.role.features() > 0);
        columns.map(|column| column.name.as_str()).collect()
    }

    /// The cells of a row from its features, the inverse of reading it: the category whose feature is
    /// largest (the first of those), dates as `YYYY-MM-DD` or `YYYY-MM-DD HH:MM:SS`, all else the number.
    ///
    /// ```
    /// use ae_data::table::{Column, Role, Schema};
    /// let colour = Role::Categorical { categories: vec!["blue".into(), "red".into()] };
    /// let columns = [("size", Role::Number), ("colour", colour), ("day", Role::Date { month_first: false })];
    /// let columns = columns.map(|(name, role)| Column { name: name.into(), role });
    /// let schema = Schema { columns: columns.into(), ..Schema::default() };
    /// assert_eq!(schema.cells(&[1.5, 0.2, 0.7, 86_400.0]), ["1.5", "red", "1970-01-02"]);
    /// ```
    ///
    /// # Panics
    /// If there are not as many features as the schema has.
    pub fn cells(&self, features: &[f64]) -> Vec<String> {
        assert_eq!(features.len(), self.features(), "features of a row");
        let mut rest = features;
        let mut cells = vec![];
        for Column { role, .. } in &self.columns {
            let (own, next) = rest.split_at(role.features());
            rest = next;
            cells.extend(match role {
                Role::Categorical { categories } => {
                    let largest = own.iter().enumerate().rev().max_by(|a, b| a.1.total_cmp(b.1));
                    largest.map(|(at, _)| categories[at].clone())
                }
                Role::Date { .. } => own.first().map(|seconds| date::text(*seconds)),
                _ => own.first().map(|value| number(*value)),
            });
        }
        cells
    }

    /// The blocks of features of the categorical columns, in order.
    pub fn blocks(&self) -> Vec<Block> {
        let (mut blocks, mut at) = (vec![], 0);
        for Column { name, role } in &self.columns {
            let features = at..at + role.features();
            at = features.end;
            if matches!(role, Role::Categorical { .. }) {
                blocks.push(Block { name: name.clone(), features });
            }
        }
        blocks
    }

    /// Which features are always 0 or 1: those of categorical and boolean columns.
    /// [`Preprocessing`](crate::Preprocessing) leaves them unchanged.
    pub fn indicators(&self) -> Vec<bool> {
        let is_indicator = |role: &Role| matches!(role, Role::Categorical { .. } | Role::Boolean);
        let columns = self.columns.iter();
        columns
            .flat_map(|column| vec![is_indicator(&column.role); column.role.features()])
            .collect()
    }

    /// The name of the column of labels, if there is one.
    pub fn label(&self) -> Option<&str> {
        let mut columns = self.columns.iter();
        columns.find(|column| column.role == Role::Label).map(|column| column.name.as_str())
    }

    /// The number of features.
    pub fn features(&self) -> usize {
        self.columns.iter().map(|column| column.role.features()).sum()
    }
}
