//! The numbers of samples as they are kept: row after row, as bytes or as floats.

use std::sync::Arc;

/// Bytes stand for `byte / 255`, so images take a quarter of the memory of their floats.
#[derive(Clone)]
pub(crate) enum Storage {
    Bytes(Arc<[u8]>),
    Floats(Arc<[f32]>),
}

impl Storage {
    /// Writes row `row` into `out`, which is as long as every row.
    pub(crate) fn copy(&self, row: usize, out: &mut [f32]) {
        let span = row * out.len()..(row + 1) * out.len();
        match self {
            Self::Bytes(bytes) => {
                for (value, byte) in out.iter_mut().zip(&bytes[span]) {
                    *value = f32::from(*byte) / 255.0;
                }
            }
            Self::Floats(values) => out.copy_from_slice(&values[span]),
        }
    }

    /// The rows with the given indices, each of `width` numbers.
    pub(crate) fn subset(&self, rows: &[usize], width: usize) -> Self {
        match self {
            Self::Bytes(bytes) => Self::Bytes(pick(bytes, rows, width)),
            Self::Floats(values) => Self::Floats(pick(values, rows, width)),
        }
    }
}

fn pick<T: Copy>(all: &[T], rows: &[usize], width: usize) -> Arc<[T]> {
    let mut picked = Vec::with_capacity(rows.len() * width);
    for &row in rows {
        picked.extend_from_slice(&all[row * width..(row + 1) * width]);
    }
    picked.into()
}
