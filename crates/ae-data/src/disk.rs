//! Rows that stay on a disk and are read when they are needed.
//!
//! They come from a file whose rows have one length (an array, IDX), from a temporary file that such rows
//! were unpacked or parsed to (gzip, tables), or from one file each (images). The values of arrays and tables
//! are checked once, when the source is opened; every byte of IDX is a pixel; images are checked when they
//! are decoded. Values are the same as if they had been read into memory.

mod array;
mod file;

use std::cell::RefCell;
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

    /// [`copy_all`](Self::copy_all) in f64, without rounding.
    fn copy_all_exact(&self, rows: &[usize], out: &mut [f64]) -> Result<()> {
        let width = out.len() / rows.len().max(1);
        for (row, out) in rows.iter().zip(out.chunks_exact_mut(width.max(1))) {
            self.copy_exact(*row, out)?;
        }
        Ok(())
    }
}

/// The most bytes that are read at a time.
const MOST_BYTES: usize = 1 << 20;

thread_local! {
    static BYTES: RefCell<Vec<u8>> = const { RefCell::new(vec![]) };
}

/// Calls `visit` with the index in `places` and the bytes of each row of `length` bytes, which begin at
/// `start` in `file`. Rows that follow each other there are read together.
pub(crate) fn each_row(
    file: &DiskFile,
    start: u64,
    length: usize,
    places: &[usize],
    mut visit: impl FnMut(usize, &[u8]),
) -> Result<()> {
    let most = (MOST_BYTES / length.max(1)).max(1);
    BYTES.with_borrow_mut(|bytes| {
        let mut first = 0;
        while first < places.len() {
            let run = places[first..].iter().take(most).enumerate();
            let count = run.take_while(|(at, place)| **place == places[first] + at).count();
            bytes.resize(count * length, 0);
            file.read_at(bytes, start + places[first] as u64 * length as u64)?;
            let rows = bytes.chunks_exact(length.max(1)).enumerate();
            rows.for_each(|(at, row)| visit(first + at, row));
            first += count;
        }
        Ok(())
    })
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

    pub(crate) fn subset(
        &self,
        rows: impl Iterator<Item = usize>,
        (all, places): (Option<&Arc<[u32]>>, &Arc<[u32]>),
    ) -> Self {
        let is_same = match (&self.selected, all) {
            (Some(selected), Some(all)) => Arc::ptr_eq(selected, all),
            (selected, all) => selected.is_none() && all.is_none(),
        };
        let selected = match is_same {
            true => places.clone(),
            false => rows.map(|row| self.place(row) as u32).collect(),
        };
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

    pub(crate) fn copy_all_exact(&self, rows: &[usize], out: &mut [f64]) -> Result<()> {
        let places: Vec<usize> = rows.iter().map(|row| self.place(*row)).collect();
        self.rows.copy_all_exact(&places, out)
    }

    /// The number of missing values. Of a part of the rows they are counted by reading it.
    pub(crate) fn missing(&self, width: usize) -> Result<usize> {
        if self.selected.is_none() || self.rows.missing() == 0 {
            return Ok(self.rows.missing());
        }
        let mut missing = 0;
        each_block(self.len(), width, |rows, values| {
            self.copy_all_exact(rows, values)?;
            missing += values.iter().filter(|value| value.is_nan()).count();
            Ok(())
        })?;
        Ok(missing)
    }
}

/// The most numbers and rows that are read at a time when all are.
const BLOCK: usize = 1 << 20;
const BLOCK_ROWS: usize = 1024;

/// Calls `visit` with the indices of `count` rows in order, a block at a time, and room for their numbers.
pub(crate) fn each_block(
    count: usize,
    width: usize,
    mut visit: impl FnMut(&[usize], &mut [f64]) -> Result<()>,
) -> Result<()> {
    let rows = (BLOCK / width.max(1)).clamp(1, BLOCK_ROWS).min(count.max(1));
    let mut values = vec![0.0; rows * width];
    let mut block = Vec::with_capacity(rows);
    for first in (0..count).step_by(rows) {
        block.clear();
        block.extend(first..count.min(first + rows));
        visit(&block, &mut values[..block.len() * width])?;
    }
    Ok(())
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
