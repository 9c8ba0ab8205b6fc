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

/// Rows that a fingerprint looks at.
const LOOKED_AT: usize = 256;

/// A line that other rows hardly have: their number, and a hash of some of them, spread over all.
///
/// ```
/// use ae_data::{digits, fingerprint};
/// let digits = |seed| digits::generate(100, seed);
/// assert_eq!(fingerprint(&digits(0))?, fingerprint(&digits(0))?);
/// assert_ne!(fingerprint(&digits(0))?, fingerprint(&digits(1))?);
/// # Ok::<(), ae_data::Error>(())
/// ```
///
/// # Errors
/// If rows cannot be read.
pub fn fingerprint(source: &dyn Source) -> Result<String> {
    let step = source.len().div_ceil(LOOKED_AT).max(1);
    let rows: Vec<usize> = (0..source.len()).step_by(step).collect();
    let mut values = vec![0.0; rows.len() * source.width()];
    source.read(&rows, &mut values)?;
    // FNV-1a.
    let hash = values.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, value| {
        (hash ^ u64::from(value.to_bits())).wrapping_mul(0x0100_0000_01b3)
    });
    Ok(format!("{} samples, {hash:016x}", source.len()))
}
