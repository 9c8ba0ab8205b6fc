//! The cells of a table as numbers: in memory, or in a temporary file if there are many.

use std::path::{Path, PathBuf};

use super::features::Encoder;
use crate::Result;
use crate::disk::{DiskFile, DiskRows, each_block, each_row, temporary};

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
            each_block(self.written / self.width, self.width, |rows, _| {
                each_row(file, 0, self.width * SIZE, rows, |_, row| visit(number(row, slot)))
            })?;
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
    /// The number of rows of the file.
    pub rows: usize,
    /// The rows of the file that are samples; `None` if all are.
    pub kept: Option<Vec<u32>>,
    /// Which features keep more digits than f32 has; the others are rounded to f32.
    pub far: Vec<bool>,
    pub missing: usize,
}

impl TableRows {
    /// Calls `visit` with the index in `places` and the cells of each row of the file, as bytes.
    fn each_row(&self, places: &[usize], visit: impl FnMut(usize, &[u8])) -> Result<()> {
        each_row(&self.file, 0, self.encoder.cells() * SIZE, places, visit)
    }

    /// Writes the features of rows of the file one after another.
    pub(super) fn encode(&self, places: &[usize], out: &mut [f64]) -> Result<()> {
        let width = out.len() / places.len().max(1);
        self.each_row(places, |at, cells| {
            let mut features = out[at * width..][..width].iter_mut();
            self.encoder.encode(
                cells.as_chunks().0.iter().map(|it| f64::from_le_bytes(*it)),
                |value| {
                    if let Some(feature) = features.next() {
                        *feature = value;
                    }
                },
            );
        })
    }

    fn places(&self, rows: &[usize]) -> Vec<usize> {
        match &self.kept {
            Some(kept) => rows.iter().map(|row| kept[*row] as usize).collect(),
            None => rows.to_vec(),
        }
    }
}

impl DiskRows for TableRows {
    fn len(&self) -> usize {
        self.kept.as_ref().map_or(self.rows, Vec::len)
    }

    fn missing(&self) -> usize {
        self.missing
    }

    fn copy(&self, row: usize, out: &mut [f32]) -> Result<()> {
        self.copy_all(&[row], out)
    }

    fn copy_exact(&self, row: usize, out: &mut [f64]) -> Result<()> {
        self.copy_all_exact(&[row], out)
    }

    fn copy_all(&self, rows: &[usize], out: &mut [f32]) -> Result<()> {
        let width = out.len() / rows.len().max(1);
        let is_plain = self.encoder.is_plain();
        self.each_row(&self.places(rows), |at, cells| {
            let numbers = cells.as_chunks().0.iter().map(|it| f64::from_le_bytes(*it));
            let mut features = out[at * width..][..width].iter_mut();
            if is_plain {
                features.zip(numbers).for_each(|(feature, value)| *feature = value as f32);
                return;
            }
            self.encoder.encode(numbers, |value| {
                if let Some(feature) = features.next() {
                    *feature = value as f32;
                }
            });
        })
    }

    fn copy_all_exact(&self, rows: &[usize], out: &mut [f64]) -> Result<()> {
        let width = out.len() / rows.len().max(1);
        self.encode(&self.places(rows), out)?;
        for row in out.chunks_exact_mut(width.max(1)) {
            for (value, far) in row.iter_mut().zip(&self.far) {
                if !far {
                    *value = f64::from(*value as f32);
                }
            }
        }
        Ok(())
    }
}
