//! Rows by index: all that training needs of data.

use crate::Result;

/// Rows of features, wherever they lie: in memory ([`Samples`](crate::Samples)), or in anything a user has.
///
/// Rows are read by index in any order and any number, into memory the caller owns;
/// this is all that training needs of data.
pub trait Source: Send + Sync {
    /// Number of rows, `n`.
    fn len(&self) -> usize;

    /// Features of a row, `d`.
    fn width(&self) -> usize;

    /// Writes the features of `rows` one after another into `out` (`rows.len() * width` values).
    ///
    /// # Errors
    /// If the rows cannot be fetched, say from a file that is gone.
    ///
    /// # Panics
    /// If a row is not below [`len`](Self::len), or `out` has another length.
    fn read(&self, rows: &[usize], out: &mut [f32]) -> Result<()>;

    /// Whether there are no rows.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
