//! The numbers of samples, row by row, as bytes, f32 or f64.

use std::sync::Arc;

use crate::Result;
use crate::disk::OnDisk;

/// Bytes mean `byte / 255`, so images take a quarter of the memory of floats. NaN means missing.
#[derive(Clone)]
pub(crate) enum Storage {
    Bytes(Arc<[u8]>),
    Floats(Arc<[f32]>),
    /// For columns whose variation f32 would round away.
    Doubles(Arc<[f64]>),
    OnDisk(OnDisk),
}

/// The largest value of a column, in standard deviations, up to which f32 is exact enough: 2^24
/// steps to that value leave some 4,000 to a standard deviation.
pub(crate) const FAR: f64 = 4096.0;

/// The same for integers from 2^24, not all of which f32 has.
const FAR_WHOLE: f64 = 512.0;

impl Storage {
    /// Stores rows of `width` numbers: as f32 if that is exact enough for every column.
    pub(crate) fn exact(mut values: Vec<f64>, width: usize) -> Self {
        let mut columns = Columns::new(width);
        values.chunks_exact(width).for_each(|row| columns.add(row));
        let far = columns.far();
        if !far.contains(&true) {
            return Self::Floats(values.iter().map(|value| *value as f32).collect());
        }
        for row in values.chunks_exact_mut(width) {
            for (value, far) in row.iter_mut().zip(&far) {
                if !far {
                    *value = f64::from(*value as f32);
                }
            }
        }
        Self::Doubles(values.into())
    }

    /// Writes row `row` into `out`, whose length is the width.
    pub(crate) fn copy(&self, row: usize, out: &mut [f32]) -> Result<()> {
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
            Self::OnDisk(rows) => rows.copy(row, out)?,
        }
        Ok(())
    }

    /// Writes several rows one after another into `out`.
    pub(crate) fn copy_all(&self, rows: &[usize], out: &mut [f32]) -> Result<()> {
        if let Self::OnDisk(all) = self {
            return all.copy_all(rows, out);
        }
        let width = out.len() / rows.len().max(1);
        let mut rows = rows.iter().zip(out.chunks_exact_mut(width.max(1)));
        rows.try_for_each(|(row, out)| self.copy(*row, out))
    }

    /// [`copy_all`](Self::copy_all) in f64, without rounding.
    pub(crate) fn copy_all_exact(&self, rows: &[usize], out: &mut [f64]) -> Result<()> {
        if let Self::OnDisk(all) = self {
            return all.copy_all_exact(rows, out);
        }
        let width = out.len() / rows.len().max(1);
        let mut rows = rows.iter().zip(out.chunks_exact_mut(width.max(1)));
        rows.try_for_each(|(row, out)| self.copy_exact(*row, out))
    }

    /// [`copy`](Self::copy) in f64, without rounding.
    pub(crate) fn copy_exact(&self, row: usize, out: &mut [f64]) -> Result<()> {
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
            Self::OnDisk(rows) => rows.copy_exact(row, out)?,
        }
        Ok(())
    }

    /// The number of missing values in rows of `width` numbers.
    pub(crate) fn missing(&self, width: usize) -> Result<usize> {
        Ok(match self {
            Self::Bytes(_) => 0,
            Self::Floats(values) => values.iter().filter(|value| value.is_nan()).count(),
            Self::Doubles(values) => values.iter().filter(|value| value.is_nan()).count(),
            Self::OnDisk(rows) => rows.missing(width)?,
        })
    }

    /// The rows with these indices, of `width` numbers each. `places`: the places in the source of all rows
    /// and of these, which are shared with the rows on a disk where they are the same.
    pub(crate) fn subset(
        &self,
        rows: impl ExactSizeIterator<Item = usize>,
        width: usize,
        places: (Option<&Arc<[u32]>>, &Arc<[u32]>),
    ) -> Self {
        match self {
            Self::Bytes(bytes) => Self::Bytes(select(bytes, rows, width)),
            Self::Floats(values) => Self::Floats(select(values, rows, width)),
            Self::Doubles(values) => Self::Doubles(select(values, rows, width)),
            Self::OnDisk(all) => Self::OnDisk(all.subset(rows, places)),
        }
    }
}

/// Finds, row by row, the columns that f32 is not exact enough for.
pub(crate) struct Columns(Vec<Column>);

impl Columns {
    pub(crate) fn new(width: usize) -> Self {
        Self(vec![Column::default(); width])
    }

    pub(crate) fn add(&mut self, row: &[f64]) {
        row.iter().zip(&mut self.0).for_each(|(value, column)| column.add(*value));
    }

    /// For each column whether it has to be stored as f64.
    pub(crate) fn far(&self) -> Vec<bool> {
        self.0.iter().map(Column::is_far).collect()
    }
}

/// Mean and variance (Welford 1962) of the values that are not missing, and whether f32 rounds any.
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

fn select<T: Copy>(
    all: &[T],
    rows: impl ExactSizeIterator<Item = usize>,
    width: usize,
) -> Arc<[T]> {
    let mut selected = Vec::with_capacity(rows.len() * width);
    for row in rows {
        selected.extend_from_slice(&all[row * width..(row + 1) * width]);
    }
    selected.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_columns_that_f32_rounds_away_are_stored_as_f64() {
        let near: Vec<f64> = (0..20).map(|row| f64::from(row) / 10.0).collect();
        assert!(matches!(Storage::exact(near.clone(), 1), Storage::Floats(_)));
        let mixed: Vec<f64> =
            near.iter().flat_map(|value| [*value, 1.7e9 + value * 10.0]).collect();
        let Storage::Doubles(kept) = Storage::exact(mixed, 2) else { panic!("not kept") };
        // A column that f32 is exact enough for is rounded to f32, whatever the other columns are.
        assert_eq!(kept[2], f64::from(0.1f32));
        assert_eq!(kept[3], 1_700_000_001.0);
    }
}
