//! The numbers of samples as they are kept: row after row, as bytes or as floats.

use std::sync::Arc;

/// Bytes stand for `byte / 255`, so images take a quarter of the memory of their floats. NaN
/// stands for what is missing.
#[derive(Clone)]
pub(crate) enum Storage {
    Bytes(Arc<[u8]>),
    Floats(Arc<[f32]>),
    /// Where floats would round away what varies.
    Doubles(Arc<[f64]>),
}

/// How far from zero a column may be, in standard deviations, before floats of 32 bits are too
/// coarse for it: 2^24 steps to the largest value leave some 4,000 to a deviation.
pub(crate) const FAR: f64 = 4096.0;

/// The same of whole numbers beyond 2^24, of which floats have not every one.
const FAR_WHOLE: f64 = 512.0;

impl Storage {
    /// Rows of `width` numbers; floats, if they do for every column.
    pub(crate) fn exact(mut values: Vec<f64>, width: usize) -> Self {
        let mut columns = vec![Column::default(); width];
        for row in values.chunks_exact(width) {
            row.iter().zip(&mut columns).for_each(|(value, column)| column.add(*value));
        }
        if !columns.iter().any(Column::is_far) {
            return Self::Floats(values.iter().map(|value| *value as f32).collect());
        }
        for row in values.chunks_exact_mut(width) {
            for (value, column) in row.iter_mut().zip(&columns) {
                if !column.is_far() {
                    *value = f64::from(*value as f32);
                }
            }
        }
        Self::Doubles(values.into())
    }

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
            Self::Doubles(values) => {
                for (out, value) in out.iter_mut().zip(&values[span]) {
                    *out = *value as f32;
                }
            }
        }
    }

    /// The same, not rounded.
    pub(crate) fn copy_exact(&self, row: usize, out: &mut [f64]) {
        let span = row * out.len()..(row + 1) * out.len();
        match self {
            Self::Bytes(bytes) => {
                for (value, byte) in out.iter_mut().zip(&bytes[span]) {
                    *value = f64::from(f32::from(*byte) / 255.0);
                }
            }
            Self::Floats(values) => {
                for (out, value) in out.iter_mut().zip(&values[span]) {
                    *out = f64::from(*value);
                }
            }
            Self::Doubles(values) => out.copy_from_slice(&values[span]),
        }
    }

    /// The value at a place.
    pub(crate) fn value(&self, at: usize) -> f64 {
        match self {
            Self::Bytes(bytes) => f64::from(f32::from(bytes[at]) / 255.0),
            Self::Floats(values) => f64::from(values[at]),
            Self::Doubles(values) => values[at],
        }
    }

    /// How many values are missing.
    pub(crate) fn missing(&self) -> usize {
        match self {
            Self::Bytes(_) => 0,
            Self::Floats(values) => values.iter().filter(|value| value.is_nan()).count(),
            Self::Doubles(values) => values.iter().filter(|value| value.is_nan()).count(),
        }
    }

    /// The rows with the given indices, each of `width` numbers.
    pub(crate) fn subset(&self, rows: &[usize], width: usize) -> Self {
        match self {
            Self::Bytes(bytes) => Self::Bytes(pick(bytes, rows, width)),
            Self::Floats(values) => Self::Floats(pick(values, rows, width)),
            Self::Doubles(values) => Self::Doubles(pick(values, rows, width)),
        }
    }
}

/// Mean and variance (Welford 1962) of what is there, and whether floats of 32 bits have it.
#[derive(Clone, Copy, Default)]
struct Column {
    count: f64,
    mean: f64,
    squares: f64,
    largest: f64,
    rounded: bool,
}

impl Column {
    fn add(&mut self, value: f64) {
        if value.is_nan() {
            return;
        }
        self.count += 1.0;
        let delta = value - self.mean;
        self.mean += delta / self.count;
        self.squares += delta * (value - self.mean);
        self.largest = self.largest.max(value.abs());
        self.rounded |= f64::from(value as f32) != value;
    }

    fn is_far(&self) -> bool {
        let deviation = (self.squares / self.count).sqrt();
        let whole = self.largest >= f64::from(1 << 24);
        let far = if whole { FAR_WHOLE } else { FAR };
        self.rounded && self.largest > far * deviation
    }
}

fn pick<T: Copy>(all: &[T], rows: &[usize], width: usize) -> Arc<[T]> {
    let mut picked = Vec::with_capacity(rows.len() * width);
    for &row in rows {
        picked.extend_from_slice(&all[row * width..(row + 1) * width]);
    }
    picked.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_columns_that_floats_round_away_are_kept_as_doubles() {
        let near: Vec<f64> = (0..20).map(|row| f64::from(row) / 10.0).collect();
        assert!(matches!(Storage::exact(near.clone(), 1), Storage::Floats(_)));
        let mixed: Vec<f64> =
            near.iter().flat_map(|value| [*value, 1.7e9 + value * 10.0]).collect();
        let Storage::Doubles(kept) = Storage::exact(mixed, 2) else { panic!("not kept") };
        // What floats are good enough for has the same bits whatever is beside it.
        assert_eq!(kept[2], f64::from(0.1f32));
        assert_eq!(kept[3], 1_700_000_001.0);
    }
}
