//! Batches of a data set on a device, resident or streamed.

use std::sync::{Arc, OnceLock};

use ae_data::Source;
use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::reconstruction::entropy;
use crate::{Error, Result};

/// The most bytes that a data set may take on a device, 1 GiB. A larger one is streamed.
pub const RESIDENT_LIMIT: usize = 1 << 30;

/// The fraction of the limit that a set of a source on a disk may take.
const OF_DISK: usize = 8;

/// The number of rows read at a time while a data set is copied to a device.
const CHUNK: usize = 1024;

/// A data set as tensors `[batch, features]` on a device.
///
/// Whether samples of a source are kept on the device under a limit in bytes. Of data on the disk only an eighth
/// of the limit is.
pub fn fits(source: &dyn Source, limit: usize) -> bool {
    let bytes = source.len().saturating_mul(source.width()).saturating_mul(size_of::<f32>());
    bytes <= if source.is_on_disk() { limit / OF_DISK } else { limit }
}

/// A data set that fits is resident on the device, and a batch is selected there. Otherwise each batch is
/// read and copied. The values are the same.
#[derive(Clone)]
pub struct Batches {
    rows: Rows,
    resident: Option<Tensor<2>>,
    device: Device,
    entropy: Arc<OnceLock<Option<f64>>>,
}

/// Rows on the host. Their values are checked when they are read.
#[derive(Clone)]
pub(crate) struct Rows {
    source: Arc<dyn Source>,
    range: Option<[f32; 2]>,
}

/// An order of rows on the device, and the number of rows taken so far.
pub(crate) struct Order {
    indices: Tensor<1, Int>,
    done: usize,
}

/// The alignment of a view of indices, which every GPU supports.
const BLOCK: usize = 64;

impl Batches {
    /// Copies `source` to `device` if its `len * width` floats take at most `limit` bytes, or an eighth
    /// of that if it stays on a disk for want of memory: then there are several sets.
    ///
    /// Every value must be finite, and in `range` if that is set.
    ///
    /// # Errors
    /// If there are no rows, they cannot be read, or a value is out of range.
    pub fn new(
        source: impl Into<Arc<dyn Source>>,
        device: &Device,
        limit: usize,
        range: Option<[f32; 2]>,
    ) -> Result<Self> {
        let source = source.into();
        if source.is_empty() {
            return Err(Error::setting("samples", "at least one", 0));
        }
        let device = device.clone().without_autodiff();
        let is_resident = fits(&*source, limit);
        let rows = Rows { source, range };
        let mut batches = Self { rows, resident: None, device, entropy: Arc::default() };
        if is_resident {
            batches.resident = Some(batches.copy_all()?);
        }
        Ok(batches)
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.rows.source.len()
    }

    /// Whether there are no rows, which is never the case.
    pub fn is_empty(&self) -> bool {
        self.rows.source.is_empty()
    }

    /// The number of features of a row.
    pub fn width(&self) -> usize {
        self.rows.source.width()
    }

    /// Whether a row is values and marks of what is known, as those of [`Masked`](ae_data::Masked) samples are.
    pub fn is_masked(&self) -> bool {
        self.rows.source.is_masked()
    }

    /// The number of values of a row, without marks.
    pub fn features(&self) -> usize {
        if self.is_masked() { self.width() / 2 } else { self.width() }
    }

    /// The values of rows, and, if they are masked, 1 where a value is known and 0 where it is not:
    /// `[batch, features]` each.
    pub(crate) fn parts(&self, rows: Tensor<2>) -> (Tensor<2>, Option<Tensor<2>>) {
        match self.is_masked() {
            true => {
                let [values, known] = halves(rows);
                (values, Some(known))
            }
            false => (rows, None),
        }
    }

    /// Whether all rows are on the device.
    pub fn is_resident(&self) -> bool {
        self.resident.is_some()
    }

    /// The rows with these indices, `[rows, features]`.
    ///
    /// # Errors
    /// If they cannot be read, or a value is out of range.
    ///
    /// # Panics
    /// If an index is not below [`len`](Self::len).
    pub fn select(&self, rows: &[usize]) -> Result<Tensor<2>> {
        match &self.resident {
            Some(all) => {
                assert!(rows.iter().all(|row| *row < self.len()), "rows of {}", self.len());
                let indices: Vec<i32> = rows.iter().map(|row| *row as i32).collect();
                let indices = TensorData::new(indices, [rows.len()]);
                Ok(all.clone().select(0, Tensor::<1, Int>::from_data(indices, &self.device)))
            }
            None => Ok(self.send(self.rows.values(rows)?)),
        }
    }

    /// All rows in order, `batch` at a time, the last ones in a smaller batch: `[batch, features]` each.
    ///
    /// # Panics
    /// If `batch` is 0.
    pub fn iter(&self, batch: usize) -> impl Iterator<Item = Result<Tensor<2>>> {
        assert!(batch > 0, "batches of at least one sample");
        (0..self.len()).step_by(batch).map(move |start| {
            self.select(&(start..self.len().min(start + batch)).collect::<Vec<_>>())
        })
    }

    /// An order of rows for [`next`](Self::next), if all rows are on a GPU.
    ///
    /// # Panics
    /// If an index is not below [`len`](Self::len).
    pub(crate) fn order(&self, rows: &[u32]) -> Option<Order> {
        if !self.is_resident() || ae_kernels::uses_threads(&self.device) {
            return None;
        }
        let len = self.len();
        assert!(rows.iter().all(|row| (*row as usize) < len), "rows of {len}");
        let mut indices: Vec<i32> = rows.iter().map(|row| *row as i32).collect();
        // A part of a buffer with aligned ends is a view.
        indices.resize(indices.len().next_multiple_of(BLOCK), 0);
        let len = indices.len();
        let indices = Tensor::from_data(TensorData::new(indices, [len]), &self.device);
        Some(Order { indices, done: 0 })
    }

    /// The next `count` rows of an order.
    pub(crate) fn next(&self, order: &mut Order, count: usize) -> Tensor<2> {
        let all = self.resident.clone().expect("an order of resident rows");
        let first = order.done;
        order.done += count;
        all.select(0, order.indices.clone().narrow(0, first, count))
    }

    /// The mean over rows and features of the [`entropy`] of each value, in nats: the least possible
    /// cross-entropy. `None` if a value is outside \[0, 1\]. The first call reads every row once.
    ///
    /// # Errors
    /// If rows cannot be read.
    pub fn entropy(&self) -> Result<Option<f64>> {
        if let Some(known) = self.entropy.get() {
            return Ok(*known);
        }
        let mut sum = Some(0.0);
        for first in (0..self.len()).step_by(CHUNK) {
            let chunk: Vec<usize> = (first..self.len().min(first + CHUNK)).collect();
            let values = self.rows.values(&chunk)?;
            if !values.iter().all(|value| (0.0..=1.0).contains(value)) {
                sum = None;
                break;
            }
            let part: f64 = values.iter().map(|value| entropy(f64::from(*value))).sum();
            sum = sum.map(|sum| sum + part);
        }
        let mean = sum.map(|sum| sum / (self.len() * self.width()) as f64);
        Ok(*self.entropy.get_or_init(|| mean))
    }

    /// A text that identifies the data set.
    pub(crate) fn fingerprint(&self) -> Result<String> {
        let hash = ae_data::fingerprint(&*self.rows.source)?;
        Ok(format!("{hash}, {} features", self.width()))
    }

    /// The rows on the host.
    pub(crate) fn rows(&self) -> &Rows {
        &self.rows
    }

    /// Copies the values of rows to the device: `[rows, features]`.
    pub(crate) fn send(&self, values: Vec<f32>) -> Tensor<2> {
        let rows = values.len() / self.width();
        Tensor::from_data(TensorData::new(values, [rows, self.width()]), &self.device)
    }

    fn copy_all(&self) -> Result<Tensor<2>> {
        let rows: Vec<usize> = (0..self.len()).collect();
        let mut values = Vec::with_capacity(self.len() * self.width());
        for chunk in rows.chunks(CHUNK) {
            values.extend(self.rows.values(chunk)?);
        }
        Ok(self.send(values))
    }
}

/// The values and the marks of masked rows, `[batch, d]` each.
pub(crate) fn halves(rows: Tensor<2>) -> [Tensor<2>; 2] {
    let d = rows.dims()[1] / 2;
    [rows.clone().narrow(1, 0, d), rows.narrow(1, d, d)]
}

impl Rows {
    /// The values of the rows with these indices, one row after another.
    pub(crate) fn values(&self, rows: &[usize]) -> Result<Vec<f32>> {
        let mut values = vec![0.0; rows.len() * self.source.width()];
        self.source.read(rows, &mut values)?;
        let [low, high] = self.range.unwrap_or([f32::MIN, f32::MAX]);
        match values.iter().position(|value| !(low..=high).contains(value)) {
            None => Ok(values),
            Some(at) => Err(self.out_of_range(rows[at / self.source.width()], at, values[at])),
        }
    }

    fn out_of_range(&self, row: usize, at: usize, value: f32) -> Error {
        let feature = at % self.source.width();
        let expected = match self.range {
            Some([low, high]) => format!(
                "a number in [{low}, {high}], as cross-entropy needs, got {value}; bring features \
                 there with min-max preprocessing, or take squared error"
            ),
            None => format!("a finite number, got {value}"),
        };
        Error::Objective(format!("feature {feature} of sample {row}: expected {expected}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ae_data::{Samples, Shape};

    fn samples() -> Samples {
        let values = (0..3000).map(|i| i as f32).collect();
        Samples::from_floats(values, Shape::table(2)).unwrap()
    }

    #[test]
    fn resident_and_streamed_batches_are_the_same() {
        let device = Device::flex();
        let resident = Batches::new(samples(), &device, RESIDENT_LIMIT, None).unwrap();
        let streamed = Batches::new(samples(), &device, 100, None).unwrap();
        assert!(resident.is_resident() && !streamed.is_resident());
        let rows = [1499, 0, 7, 7];
        let selected = resident.select(&rows).unwrap().into_data();
        assert_eq!(selected, streamed.select(&rows).unwrap().into_data());
        let expected = [2998.0f32, 2999.0, 0.0, 1.0, 14.0, 15.0, 14.0, 15.0];
        assert_eq!(selected.iter::<f32>().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn values_out_of_range_are_refused() {
        for limit in [0, RESIDENT_LIMIT] {
            let refused = Batches::new(samples(), &Device::flex(), limit, Some([0.0, 1.0]))
                .and_then(|batches| batches.select(&[0, 1]).map(|_| ()));
            assert_eq!(
                refused.unwrap_err().to_string(),
                "feature 0 of sample 1: expected a number in [0, 1], as cross-entropy needs, got \
                 2; bring features there with min-max preprocessing, or take squared error"
            );
        }
    }

    struct Broken;

    impl Source for Broken {
        fn len(&self) -> usize {
            2
        }

        fn width(&self) -> usize {
            1
        }

        fn read(&self, _: &[usize], out: &mut [f32]) -> ae_data::Result<()> {
            out.fill(f32::NAN);
            Ok(())
        }
    }

    #[test]
    fn nan_is_refused() {
        let error = Batches::new(Arc::new(Broken) as Arc<dyn Source>, &Device::flex(), 100, None)
            .err()
            .unwrap();
        assert_eq!(error.to_string(), "feature 0 of sample 0: expected a finite number, got NaN");
    }
}
