//! Rows by index, the interface between data and training.

use std::sync::Arc;

use crate::{Labels, Result, Samples};

/// Rows of features that are read by index: samples in memory ([`Samples`](crate::Samples)), or any
/// storage of the user's.
///
/// Training reads rows in any order and number, into a buffer of its own.
pub trait Source: Send + Sync {
    /// Number of rows, `n`.
    fn len(&self) -> usize;

    /// Features of a row, `d`.
    fn width(&self) -> usize;

    /// Writes the features of `rows` one after another into `out` (`rows.len() * width` values).
    ///
    /// # Errors
    /// If the rows cannot be read, for example from a deleted file.
    ///
    /// # Panics
    /// If a row is not below [`len`](Self::len), or `out` has the wrong length.
    fn read(&self, rows: &[usize], out: &mut [f32]) -> Result<()>;

    /// Whether there are no rows.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The class of each row, if the source has labels.
    fn labels(&self) -> Option<&Labels> {
        None
    }

    /// Whether the rows are on a disk because they are too large for the memory: then training copies
    /// only small sets to the device as a whole.
    fn is_on_disk(&self) -> bool {
        false
    }

    /// Whether a row is values followed by marks of what is known, as those of [`Masked`](crate::Masked) are.
    fn is_masked(&self) -> bool {
        false
    }
}

impl From<Samples> for Arc<dyn Source> {
    fn from(samples: Samples) -> Self {
        Arc::new(samples)
    }
}

impl From<&Samples> for Arc<dyn Source> {
    fn from(samples: &Samples) -> Self {
        Arc::new(samples.clone())
    }
}

/// Some rows of a source, which are not copied.
#[derive(Clone)]
pub struct Subset {
    source: Arc<dyn Source>,
    rows: Arc<[usize]>,
    labels: Option<Labels>,
}

impl Subset {
    /// The rows with the given indices, in that order.
    ///
    /// # Panics
    /// If an index is not below the length of `source`.
    pub fn new(source: Arc<dyn Source>, rows: Vec<usize>) -> Self {
        let len = source.len();
        assert!(rows.iter().all(|row| *row < len), "rows of {len}");
        let labels = source.labels().map(|labels| labels.subset(&rows));
        Self { source, rows: rows.into(), labels }
    }
}

impl Source for Subset {
    fn len(&self) -> usize {
        self.rows.len()
    }

    fn width(&self) -> usize {
        self.source.width()
    }

    fn read(&self, rows: &[usize], out: &mut [f32]) -> Result<()> {
        let rows: Vec<usize> = rows.iter().map(|row| self.rows[*row]).collect();
        self.source.read(&rows, out)
    }

    fn labels(&self) -> Option<&Labels> {
        self.labels.as_ref()
    }

    fn is_on_disk(&self) -> bool {
        self.source.is_on_disk()
    }

    fn is_masked(&self) -> bool {
        self.source.is_masked()
    }
}

/// The most rows that a fingerprint hashes.
const HASHED_ROWS: usize = 256;

/// The FNV-1a hash of words, usually bytes: not cryptographic, but the same on every machine.
///
/// ```
/// assert_eq!(ae_data::fnv1a("a".bytes().map(u64::from)), 0xaf63_dc4c_8601_ec8c);
/// ```
pub fn fnv1a(words: impl IntoIterator<Item = u64>) -> u64 {
    words
        .into_iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, word| (hash ^ word).wrapping_mul(0x0100_0000_01b3))
}

/// The number of rows and a hash of evenly spaced ones, as text: it differs from that of other data,
/// except by an unlikely chance.
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
    let step = source.len().div_ceil(HASHED_ROWS).max(1);
    let rows: Vec<usize> = (0..source.len()).step_by(step).collect();
    let mut values = vec![0.0; rows.len() * source.width()];
    source.read(&rows, &mut values)?;
    let hash = fnv1a(values.iter().map(|value| value.to_bits().into()));
    Ok(format!("{} samples, {hash:016x}", source.len()))
}
