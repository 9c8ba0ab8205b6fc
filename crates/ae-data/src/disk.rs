//! Rows that stay on a disk and are read when they are needed.
//!
//! They come from a file whose rows have one length (an array, IDX), from a temporary file that such rows
//! were unpacked or parsed to (gzip, tables), or from one file each (images). The values of arrays and tables
//! are checked once, when the source is opened; every byte of IDX is a pixel; images are checked when they
//! are decoded. Values are the same as if they had been read into memory.

mod array;
mod file;

use std::sync::Arc;

use crate::{Error, Result};

pub(crate) use array::{ArrayRows, Element};
pub(crate) use file::{DiskFile, temporary};

/// The most rows of a source: places of rows are stored in 32 bits.
pub(crate) const MAX_ROWS: usize = u32::MAX as usize;

/// Refuses more rows than [`MAX_ROWS`].
pub(crate) fn check_rows(count: usize) -> Result<()> {
    match count > MAX_ROWS {
        true => Err(Error::invalid("samples", format!("at most {MAX_ROWS}"), count.to_string())),
        false => Ok(()),
    }
}

/// Rows of one width that are read by index.
pub(crate) trait DiskRows: Send + Sync {
    fn len(&self) -> usize;

    /// The number of missing values in all rows.
    fn missing(&self) -> usize;

    /// Writes one row, with NaN for missing values.
    fn copy(&self, row: usize, out: &mut [f32]) -> Result<()>;

    /// [`copy`](Self::copy) in f64, without rounding.
    fn copy_exact(&self, row: usize, out: &mut [f64]) -> Result<()>;

    /// Writes several rows one after another.
    fn copy_all(&self, rows: &[usize], out: &mut [f32]) -> Result<()> {
        let width = out.len() / rows.len().max(1);
        for (row, out) in rows.iter().zip(out.chunks_exact_mut(width.max(1))) {
            self.copy(*row, out)?;
        }
        Ok(())
    }
}

/// Some or all rows of a source on a disk.
#[derive(Clone)]
pub(crate) struct OnDisk {
    rows: Arc<dyn DiskRows>,
    selected: Option<Arc<[u32]>>,
}

impl OnDisk {
    pub(crate) fn new(rows: Arc<dyn DiskRows>) -> Result<Self> {
        check_rows(rows.len())?;
        Ok(Self { rows, selected: None })
    }

    pub(crate) fn len(&self) -> usize {
        self.selected.as_ref().map_or(self.rows.len(), |selected| selected.len())
    }

    fn place(&self, row: usize) -> usize {
        self.selected.as_ref().map_or(row, |selected| selected[row] as usize)
    }

    pub(crate) fn subset(&self, rows: &[usize]) -> Self {
        let selected = rows.iter().map(|row| self.place(*row) as u32).collect();
        Self { rows: self.rows.clone(), selected: Some(selected) }
    }

    pub(crate) fn copy(&self, row: usize, out: &mut [f32]) -> Result<()> {
        self.rows.copy(self.place(row), out)
    }

    pub(crate) fn copy_exact(&self, row: usize, out: &mut [f64]) -> Result<()> {
        self.rows.copy_exact(self.place(row), out)
    }

    pub(crate) fn copy_all(&self, rows: &[usize], out: &mut [f32]) -> Result<()> {
        let places: Vec<usize> = rows.iter().map(|row| self.place(*row)).collect();
        self.rows.copy_all(&places, out)
    }

    /// The number of missing values. Of a part of the rows they are counted by reading it.
    pub(crate) fn missing(&self, width: usize) -> Result<usize> {
        if self.selected.is_none() || self.rows.missing() == 0 {
            return Ok(self.rows.missing());
        }
        let (mut missing, mut row) = (0, vec![0.0; width]);
        for index in 0..self.len() {
            self.copy(index, &mut row)?;
            missing += row.iter().filter(|value| value.is_nan()).count();
        }
        Ok(missing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Many(usize);

    impl DiskRows for Many {
        fn len(&self) -> usize {
            self.0
        }

        fn missing(&self) -> usize {
            0
        }

        fn copy(&self, _: usize, _: &mut [f32]) -> Result<()> {
            Ok(())
        }

        fn copy_exact(&self, _: usize, _: &mut [f64]) -> Result<()> {
            Ok(())
        }
    }

    #[test]
    fn rows_that_have_no_place_in_32_bits_are_refused() {
        assert!(OnDisk::new(Arc::new(Many(MAX_ROWS))).is_ok());
        let error = OnDisk::new(Arc::new(Many(MAX_ROWS + 1))).err().unwrap().to_string();
        assert_eq!(error, "samples: expected at most 4294967295, got 4294967296");
    }
}
