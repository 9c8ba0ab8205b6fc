//! How a table is read, where what is found by itself is not what is meant.

use clap::Args;
use toml::{Table, Value};

use super::values::{filled, put, separator};

/// Columns are named by their names or, failing that, by their index from 0.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Tables")]
pub struct TableArgs {
    /// Whether the first row holds the names of the columns [default: found from the rows]
    #[arg(long, value_name = "auto|yes|no", value_parser = ["auto", "yes", "no"])]
    pub header: Option<String>,
    /// Separator of the cells: a character, or comma, semicolon, tab or blank [default: found]
    #[arg(long, value_name = "CHAR", value_parser = separator)]
    pub separator: Option<Value>,
    /// Decimal mark: point (1.5) or comma (1,5) [default: found]
    #[arg(long, value_name = "point|comma", value_parser = ["point", "comma"])]
    pub decimal: Option<String>,
    /// Whether the month comes first in dates such as 01/02/2020 [default: found]
    #[arg(long, alias = "month_first", value_name = "true|false")]
    pub month_first: Option<bool>,
    /// Missing cells (empty, NA, NaN, null, ?, -): fill with the mean of the column, drop the row, or
    /// refuse the file [default: mean]
    #[arg(long, value_name = "mean|drop|refuse", value_parser = ["mean", "drop", "refuse"])]
    pub missing: Option<String>,
    /// Further texts that stand for a missing cell, such as -999
    #[arg(
        long,
        alias = "missing_as",
        value_name = "TEXT,..",
        value_delimiter = ',',
        allow_hyphen_values = true
    )]
    pub missing_as: Vec<String>,
    /// Columns to leave out
    #[arg(long, value_name = "COLUMN,..", value_delimiter = ',')]
    pub ignore: Vec<String>,
    /// Columns that number or name the rows; left out [default: found]
    #[arg(long, value_name = "COLUMN,..", value_delimiter = ',')]
    pub id: Vec<String>,
    /// Columns of categories, one-hot encoded, even if they are numbers [default: found]
    #[arg(long, value_name = "COLUMN,..", value_delimiter = ',')]
    pub categorical: Vec<String>,
    /// Columns of numbers [default: found]
    #[arg(long, value_name = "COLUMN,..", value_delimiter = ',')]
    pub numeric: Vec<String>,
    /// Categories that training did not see: refuse the file, or set all features of the column to
    /// zero [default: refuse]
    #[arg(long, value_name = "refuse|zero", value_parser = ["refuse", "zero"])]
    pub unseen: Option<String>,
}

impl TableArgs {
    /// The options as a part of the data section of a recipe.
    pub fn section(&self) -> Option<Value> {
        let mut section = Table::new();
        let text = |text: &Option<String>| text.clone().map(Value::from);
        let list = |list: &[String]| {
            let values = || list.iter().cloned().map(Value::from).collect();
            (!list.is_empty()).then(|| Value::Array(values()))
        };
        put(&mut section, "header", text(&self.header));
        put(&mut section, "separator", self.separator.clone());
        put(&mut section, "decimal", text(&self.decimal));
        put(&mut section, "month_first", self.month_first.map(Value::from));
        put(&mut section, "missing", text(&self.missing));
        put(&mut section, "missing_as", list(&self.missing_as));
        put(&mut section, "ignore", list(&self.ignore));
        put(&mut section, "id", list(&self.id));
        put(&mut section, "categorical", list(&self.categorical));
        put(&mut section, "numeric", list(&self.numeric));
        put(&mut section, "unseen", text(&self.unseen));
        filled(section)
    }
}
