//! The cells of a table as numbers: in memory, or in a temporary file if there are many.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use super::features::Encoder;
use crate::Result;
use crate::disk::{DiskFile, DiskRows, temporary};

/// The numbers that are written at a time.
const BLOCK: usize = 1 << 17;

/// The fraction of the limit that a table may take while it grows, since growing copies it.
const GROWING: usize = 4;

/// The bytes of a number.
const SIZE: usize = size_of::<f64>();

/// Numbers, one row after another.
pub(super) struct Store {
    path: PathBuf,
    limit: usize,
    width: usize,
    /// The numbers that are not written.
    values: Vec<f64>,
    written: usize,
    file: Option<DiskFile>,
}

impl Store {
    /// Rows of `width` numbers, of which more than `limit` bytes are written to a file.
    pub(super) fn new(path: &Path, width: usize, limit: usize) -> Self {
        let path = path.to_owned();
        Self { path, limit, width, values: vec![], written: 0, file: None }
    }

    pub(super) fn push(&mut self, value: f64) {
        self.values.push(value);
    }

    /// Writes the rows so far to the file if there are too many.
    pub(super) fn end_row(&mut self) -> Result<()> {
        let is_full = match self.file {
            Some(_) => self.values.len() >= BLOCK,
            None => self.values.len().saturating_mul(SIZE) > self.limit / GROWING,
        };
        if is_full { self.write() } else { Ok(()) }
    }

    fn write(&mut self) -> Result<()> {
        if self.file.is_none() {
            self.file = Some(DiskFile::new(temporary(&self.path)?, &self.path));
        }
        let Some(file) = &self.file else { return Ok(()) };
        for values in self.values.chunks(BLOCK) {
            let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
            file.write_at(&bytes, (self.written * SIZE) as u64)?;
            self.written += values.len();
        }
        self.values = Vec::with_capacity(BLOCK + self.width);
        Ok(())
    }

    /// The number of rows.
    pub(super) fn rows(&self) -> usize {
        (self.written + self.values.len()) / self.width.max(1)
    }

    /// Calls `visit` with the numbers of one column.
    pub(super) fn column(&self, slot: usize, mut visit: impl FnMut(f64)) -> Result<()> {
        if let Some(file) = &self.file {
            let mut number = [0; SIZE];
            for at in (slot..self.written).step_by(self.width) {
                file.read_at(&mut number, (at * SIZE) as u64)?;
                visit(f64::from_le_bytes(number));
            }
        }
        self.values.iter().skip(slot).step_by(self.width.max(1)).for_each(|value| visit(*value));
        Ok(())
    }

    /// The numbers, or a file of all of them if rows of `features` numbers would be too large for memory.
    pub(super) fn finish(&mut self, features: usize) -> Result<Stored> {
        let width = self.width.max(features);
        let is_large = self.rows().saturating_mul(width).saturating_mul(SIZE) > self.limit;
        if self.file.is_some() || is_large {
            self.write()?;
        }
        let Some(file) = self.file.take() else {
            return Ok(Stored::InMemory(std::mem::take(&mut self.values)));
        };
        if is_large {
            return Ok(Stored::OnDisk(file));
        }
        // Few enough, now that their number is known.
        let mut values = Vec::with_capacity(self.written);
        let mut bytes = vec![0; BLOCK * SIZE];
        while values.len() < self.written {
            let count = BLOCK.min(self.written - values.len());
            let bytes = &mut bytes[..count * SIZE];
            file.read_at(bytes, (values.len() * SIZE) as u64)?;
            values.extend((0..count).map(|at| number(bytes, at)));
        }
        Ok(Stored::InMemory(values))
    }
}

pub(super) enum Stored {
    InMemory(Vec<f64>),
    OnDisk(DiskFile),
}

fn number(bytes: &[u8], at: usize) -> f64 {
    let mut number = [0; SIZE];
    number.copy_from_slice(&bytes[at * SIZE..(at + 1) * SIZE]);
    f64::from_le_bytes(number)
}

/// The features of the rows in a file of cells.
pub(super) struct TableRows {
    pub file: DiskFile,
    /// Makes features from cells.
    pub encoder: Encoder,
    /// The rows of the file that are samples.
    pub kept: Vec<u32>,
    /// Which features keep more digits than f32 has; the others are rounded to f32.
    pub far: Vec<bool>,
    pub missing: usize,
}

thread_local! {
    static BYTES: RefCell<Vec<u8>> = const { RefCell::new(vec![]) };
}

impl TableRows {
    /// Passes the features of a row of the file to `put`.
    pub(super) fn encode(&self, row: usize, put: impl FnMut(f64)) -> Result<()> {
        BYTES.with_borrow_mut(|bytes| {
            let length = self.encoder.cells() * SIZE;
            bytes.resize(length, 0);
            self.file.read_at(bytes, (row * length) as u64)?;
            let cells = bytes.chunks_exact(SIZE).map(|bytes| number(bytes, 0));
            self.encoder.encode(cells, put);
            Ok(())
        })
    }
}

impl DiskRows for TableRows {
    fn len(&self) -> usize {
        self.kept.len()
    }

    fn missing(&self) -> usize {
        self.missing
    }

    fn copy(&self, row: usize, out: &mut [f32]) -> Result<()> {
        let mut features = out.iter_mut();
        self.encode(self.kept[row] as usize, |value| {
            if let Some(feature) = features.next() {
                *feature = value as f32;
            }
        })
    }

    fn copy_exact(&self, row: usize, out: &mut [f64]) -> Result<()> {
        let mut features = out.iter_mut().zip(&self.far);
        self.encode(self.kept[row] as usize, |value| {
            if let Some((feature, far)) = features.next() {
                *feature = if *far { value } else { f64::from(value as f32) };
            }
        })
    }
}
