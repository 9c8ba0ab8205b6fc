//! Rows of one length and one type of elements in a file.

use std::sync::Arc;

use super::{DiskFile, DiskRows, each_row};
use crate::Result;

/// The type of the elements of a file.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Element {
    /// Bytes, of which `b` means `b / 255`.
    Pixels,
    F32,
    F64,
    /// Others, by a function from bytes.
    Other {
        size: usize,
        decode: fn(&[u8]) -> f64,
    },
}

impl Element {
    fn size(self) -> usize {
        match self {
            Self::Pixels => 1,
            Self::F32 => 4,
            Self::F64 => 8,
            Self::Other { size, .. } => size,
        }
    }
}

/// Rows of a file, from a place on.
pub(crate) struct ArrayRows {
    pub file: DiskFile,
    /// The place of the first row.
    pub start: u64,
    pub count: usize,
    pub width: usize,
    /// The elements of a row in the file, which may be more than are read.
    pub stored: usize,
    pub element: Element,
    /// The place in a row of each feature, if it is not the feature's index.
    pub order: Option<Arc<[u32]>>,
    /// Which features keep more digits than f32 has; the others are rounded to f32.
    pub far: Vec<bool>,
    pub missing: usize,
}

impl ArrayRows {
    /// Calls `visit` with the index in `rows` and the bytes of each row.
    fn each_row(&self, rows: &[usize], visit: impl FnMut(usize, &[u8])) -> Result<()> {
        each_row(&self.file, self.start, self.stored * self.element.size(), rows, visit)
    }

    /// Calls `put` with the index and the value of each feature.
    fn each(&self, bytes: &[u8], mut put: impl FnMut(usize, f64)) {
        let place = |feature: usize| match &self.order {
            Some(order) => order[feature] as usize,
            None => feature,
        };
        for feature in 0..self.width {
            let at = place(feature);
            let value = match self.element {
                Element::Pixels => f64::from(f32::from(bytes[at]) / 255.0),
                Element::F32 => f64::from(f32_at(bytes, at)),
                Element::F64 => f64_at(bytes, at),
                Element::Other { size, decode } => decode(&bytes[at * size..][..size]),
            };
            put(feature, value);
        }
    }
}

fn f32_at(bytes: &[u8], at: usize) -> f32 {
    f32::from_le_bytes(bytes.as_chunks().0[at])
}

fn f64_at(bytes: &[u8], at: usize) -> f64 {
    f64::from_le_bytes(bytes.as_chunks().0[at])
}

impl DiskRows for ArrayRows {
    fn len(&self) -> usize {
        self.count
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
        self.each_row(rows, |at, bytes| {
            let out = &mut out[at * self.width..][..self.width];
            match (self.element, &self.order) {
                (Element::Pixels, None) => {
                    out.iter_mut()
                        .zip(bytes)
                        .for_each(|(out, byte)| *out = f32::from(*byte) / 255.0);
                }
                (Element::F32, None) => {
                    let numbers = bytes.as_chunks().0.iter();
                    out.iter_mut()
                        .zip(numbers)
                        .for_each(|(out, it)| *out = f32::from_le_bytes(*it));
                }
                (Element::F64, None) => {
                    let numbers = bytes.as_chunks().0.iter();
                    out.iter_mut()
                        .zip(numbers)
                        .for_each(|(out, it)| *out = f64::from_le_bytes(*it) as f32);
                }
                _ => self.each(bytes, |feature, value| out[feature] = value as f32),
            }
        })
    }

    fn copy_all_exact(&self, rows: &[usize], out: &mut [f64]) -> Result<()> {
        self.each_row(rows, |at, bytes| {
            let out = &mut out[at * self.width..][..self.width];
            self.each(bytes, |feature, value| out[feature] = value);
        })?;
        for row in out.chunks_exact_mut(self.width) {
            for (value, far) in row.iter_mut().zip(&self.far) {
                if !far {
                    *value = f64::from(*value as f32);
                }
            }
        }
        Ok(())
    }
}
