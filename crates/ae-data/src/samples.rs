//! Samples: `n` rows of `d` features, with labels, shape and preprocessing.

use std::sync::Arc;

use crate::disk::{DiskRows, OnDisk, check_rows, each_block};
use crate::storage::Storage;
use crate::table::TableInfo;
use crate::{Error, Labels, Preprocessing, Result, Shape, Source};

/// `n` samples of `d` features, with optional labels, their shape, and the
/// [`Preprocessing`] through which they are read.
///
/// Cloning is cheap. Pixels are stored as bytes and read as `byte / 255`, in \[0, 1\]. Columns whose
/// variation f32 would round away (times, identifiers, coordinates) are stored in f64 until
/// [`Preprocessing`] has subtracted its offset.
///
/// They are in memory, unless they were opened with
/// [`Options::resident_limit`](crate::Options::resident_limit) and are larger: then they stay on a disk and
/// are read from there whenever they are needed ([`is_on_disk`](Self::is_on_disk)), with the same values.
/// [`Source::read`] and the methods named `try_` return an error if that fails; methods that return no
/// `Result` panic.
///
/// Cells of a table may be missing ([`missing_in`](Self::missing_in)). They are read as the mean of
/// their feature: over the samples that the preprocessing was fitted to, or over these samples if
/// there is no preprocessing.
///
/// ```
/// use ae_data::{Samples, Shape};
/// let samples = Samples::from_floats(vec![1.0, 2.0, 3.0, 4.0], Shape::table(2))?;
/// assert_eq!((samples.len(), samples.width()), (2, 2));
/// assert_eq!(samples.row(1), [3.0, 4.0]);
/// # Ok::<(), ae_data::Error>(())
/// ```
#[derive(Clone)]
pub struct Samples {
    storage: Storage,
    count: usize,
    shape: Shape,
    labels: Option<Labels>,
    preprocessing: Preprocessing,
    table: Option<Arc<TableInfo>>,
    /// Whether values are stored as the file has them, so that any variation is real.
    exact: bool,
    /// The values that replace missing ones, if any are missing.
    fill: Option<Arc<[f64]>>,
    /// The place of each sample in its source; `None` if that is its place here.
    places: Option<Arc<[u32]>>,
    /// The names of all samples of the source, by their places there.
    names: Option<Arc<[String]>>,
}

impl Samples {
    /// Samples from pixels: byte `b` means `b / 255`.
    ///
    /// # Errors
    /// If the number of bytes is not a multiple of the features of `shape`.
    pub fn from_bytes(bytes: Vec<u8>, shape: Shape) -> Result<Self> {
        let count = whole_rows(bytes.len(), &shape)?;
        Ok(Self::new(Storage::Bytes(bytes.into()), count, shape))
    }

    /// Samples from numbers.
    ///
    /// # Errors
    /// If the number of values is not a multiple of the features of `shape`, or a value is
    /// NaN or infinite.
    pub fn from_floats(values: Vec<f32>, shape: Shape) -> Result<Self> {
        let count = whole_rows(values.len(), &shape)?;
        if let Some(at) = values.iter().position(|value| !value.is_finite()) {
            let (row, column) = (at / shape.features(), at % shape.features());
            return Err(Error::invalid(
                format!("feature {column} of sample {row}"),
                "a finite number",
                values[at].to_string(),
            ));
        }
        Ok(Self::new(Storage::Floats(values.into()), count, shape))
    }

    /// Samples from the numbers of a file, with NaN for missing ones.
    pub(crate) fn from_cells(values: Vec<f64>, shape: Shape) -> Result<Self> {
        let count = whole_rows(values.len(), &shape)?;
        let mut samples = Self::new(Storage::exact(values, shape.features()), count, shape);
        samples.exact = true;
        if samples.storage.missing(samples.width())? > 0 {
            samples.fill = Some(samples.means()?.into());
        }
        Ok(samples)
    }

    /// Samples that stay on a disk. `exact`: their values are as the file has them.
    pub(crate) fn on_disk(
        rows: impl DiskRows + 'static,
        shape: Shape,
        exact: bool,
    ) -> Result<Self> {
        let (count, missing) = (rows.len(), rows.missing());
        let mut samples = Self::new(Storage::OnDisk(OnDisk::new(Arc::new(rows))?), count, shape);
        samples.exact = exact;
        if missing > 0 {
            samples.fill = Some(samples.means()?.into());
        }
        Ok(samples)
    }

    /// Whether they stay on a disk, and are read from there whenever they are needed.
    pub fn is_on_disk(&self) -> bool {
        matches!(self.storage, Storage::OnDisk(_))
    }

    fn new(storage: Storage, count: usize, shape: Shape) -> Self {
        Self {
            storage,
            count,
            shape,
            labels: None,
            preprocessing: Preprocessing::none(),
            table: None,
            exact: false,
            fill: None,
            places: None,
            names: None,
        }
    }

    /// The same samples with their places in the source, of which rows were left out.
    pub(crate) fn with_places(mut self, places: Vec<u32>) -> Self {
        self.places = Some(places.into());
        self
    }

    /// The same samples with the names of all samples of the source.
    pub(crate) fn with_names(mut self, names: Vec<String>) -> Self {
        self.names = Some(names.into());
        self
    }

    /// The same samples with a record of how their table was read.
    pub(crate) fn with_table(mut self, info: TableInfo) -> Self {
        self.table = Some(Arc::new(info));
        self
    }

    /// The same samples with the means of `training` for missing values.
    pub(crate) fn filled_as(mut self, training: &Self) -> Result<Self> {
        if self.fill.is_some() {
            self.fill = Some(training.means()?.into());
        }
        Ok(self)
    }

    /// The mean of every feature, not preprocessed, over the values that are not missing; 0 if all are.
    pub(crate) fn means(&self) -> Result<Vec<f64>> {
        let (mut sums, mut counts) = (vec![0.0; self.width()], vec![0u64; self.width()]);
        self.each_raw_row(|_, row| {
            for ((value, sum), count) in row.iter().zip(&mut sums).zip(&mut counts) {
                if !value.is_nan() {
                    *sum += value;
                    *count += 1;
                }
            }
        })?;
        Ok(sums.iter().zip(counts).map(|(sum, count)| sum / count.max(1) as f64).collect())
    }

    /// The same samples with labels.
    ///
    /// # Errors
    /// If the number of labels is not that of the samples.
    pub fn with_labels(mut self, labels: Labels) -> Result<Self> {
        if labels.classes().len() != self.count {
            return Err(Error::invalid(
                "labels",
                format!("{}, one per sample", self.count),
                labels.classes().len().to_string(),
            ));
        }
        self.labels = Some(labels);
        Ok(self)
    }

    /// The same samples without labels.
    pub fn without_labels(mut self) -> Self {
        self.labels = None;
        self
    }

    /// The same samples, read through `preprocessing`. Nothing is copied.
    ///
    /// # Errors
    /// If it was fitted to another number of features, or it came from a file and is malformed.
    pub fn with_preprocessing(mut self, preprocessing: Preprocessing) -> Result<Self> {
        preprocessing.check(self.width())?;
        self.preprocessing = preprocessing;
        Ok(self)
    }

    /// Number of samples, `n`.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there are no samples.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Features of a sample, `d`.
    pub fn width(&self) -> usize {
        self.shape.features()
    }

    /// What the features are.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The classes, if the data set has any.
    pub fn labels(&self) -> Option<&Labels> {
        self.labels.as_ref()
    }

    /// How the table with these samples was read, and what its columns are.
    pub fn table(&self) -> Option<&TableInfo> {
        self.table.as_deref()
    }

    /// How many values are missing.
    ///
    /// # Panics
    /// If the samples are on a disk and cannot be read.
    pub fn missing(&self) -> usize {
        readable(self.try_missing())
    }

    /// [`missing`](Self::missing) of samples that may be on a disk.
    ///
    /// # Errors
    /// If the samples cannot be read.
    pub fn try_missing(&self) -> Result<usize> {
        if self.fill.is_some() { self.storage.missing(self.width()) } else { Ok(0) }
    }

    /// Whether values may be missing: some are, or were before a subset was taken.
    pub(crate) fn may_be_missing(&self) -> bool {
        self.fill.is_some()
    }

    /// Which features of one sample are missing, as a mask.
    ///
    /// # Panics
    /// If `row` is not below [`len`](Self::len), or the samples are on a disk and cannot be read.
    pub fn missing_in(&self, row: usize) -> Vec<bool> {
        readable(self.try_missing_in(row))
    }

    /// [`missing_in`](Self::missing_in) of samples that may be on a disk.
    ///
    /// # Errors
    /// If the sample cannot be read.
    ///
    /// # Panics
    /// If `row` is not below [`len`](Self::len).
    pub fn try_missing_in(&self, row: usize) -> Result<Vec<bool>> {
        assert!(row < self.count, "sample {row} of {}", self.count);
        if self.fill.is_none() {
            return Ok(vec![false; self.width()]);
        }
        let mut raw = vec![0.0; self.width()];
        self.copy_raw_row(row, &mut raw)?;
        Ok(raw.iter().map(|value| value.is_nan()).collect())
    }

    /// The features of one sample as they are stored, before preprocessing: NaN where one is missing.
    ///
    /// # Panics
    /// If `row` is not below [`len`](Self::len), or the samples are on a disk and cannot be read.
    pub fn raw_row(&self, row: usize) -> Vec<f64> {
        assert!(row < self.count, "sample {row} of {}", self.count);
        let mut raw = vec![0.0; self.width()];
        readable(self.copy_raw_row(row, &mut raw));
        raw
    }

    /// The map through which features are read.
    pub fn preprocessing(&self) -> &Preprocessing {
        &self.preprocessing
    }

    /// The features of one sample, preprocessed.
    ///
    /// # Panics
    /// If `row` is not below [`len`](Self::len), or the samples are on a disk and cannot be read.
    pub fn row(&self, row: usize) -> Vec<f32> {
        readable(self.try_row(row))
    }

    /// [`row`](Self::row) of samples that may be on a disk.
    ///
    /// # Errors
    /// If the sample cannot be read.
    ///
    /// # Panics
    /// If `row` is not below [`len`](Self::len).
    pub fn try_row(&self, row: usize) -> Result<Vec<f32>> {
        let mut out = vec![0.0; self.width()];
        self.copy_row(row, &mut out)?;
        Ok(out)
    }

    /// The samples with these indices, in this order. An index may be repeated.
    ///
    /// # Panics
    /// If an index is not below [`len`](Self::len).
    pub fn subset(&self, rows: &[usize]) -> Self {
        let places = rows.iter().map(|row| self.place(*row) as u32).collect();
        let labels = self.labels.as_ref().map(|labels| labels.subset(rows));
        self.part(rows.iter().copied(), places, labels)
    }

    /// [`subset`](Self::subset) of rows in 32 bits.
    pub(crate) fn selected(&self, rows: Vec<u32>) -> Self {
        let wide = |row: &u32| *row as usize;
        let labels = self.labels.as_ref().map(|labels| labels.selected(rows.iter().map(wide)));
        let places: Arc<[u32]> = match &self.places {
            Some(places) => rows.iter().map(|row| places[*row as usize]).collect(),
            None => rows.as_slice().into(),
        };
        self.part(rows.iter().map(wide), places, labels)
    }

    fn part(
        &self,
        rows: impl ExactSizeIterator<Item = usize>,
        places: Arc<[u32]>,
        labels: Option<Labels>,
    ) -> Self {
        Self {
            count: rows.len(),
            storage: self.storage.subset(rows, self.width(), (self.places.as_ref(), &places)),
            shape: self.shape.clone(),
            labels,
            preprocessing: self.preprocessing.clone(),
            table: self.table.clone(),
            exact: self.exact,
            fill: self.fill.clone(),
            places: Some(places),
            names: self.names.clone(),
        }
    }

    /// The place of a sample in the source it was read from, from 0: its row in a table or an array (rows
    /// left out count), its place among the images of a folder. Subsets keep it.
    ///
    /// # Panics
    /// If `row` is not below [`len`](Self::len).
    pub fn place(&self, row: usize) -> usize {
        assert!(row < self.count, "sample {row} of {}", self.count);
        self.places.as_ref().map_or(row, |places| places[row] as usize)
    }

    /// The file of a sample, relative to the folder that was read, if each sample is a file.
    ///
    /// # Panics
    /// If `row` is not below [`len`](Self::len).
    pub fn name(&self, row: usize) -> Option<&str> {
        let place = self.place(row);
        self.names.as_ref().map(|names| names[place].as_str())
    }

    /// The first `count` samples, or all if there are fewer.
    pub fn take(&self, count: usize) -> Self {
        let rows: Vec<usize> = (0..count.min(self.count)).collect();
        self.subset(&rows)
    }

    /// The mean of every feature, preprocessed: `d` values, summed in f64.
    ///
    /// A model has learned something if its squared error is below that of always predicting this
    /// mean.
    ///
    /// # Panics
    /// If the samples are on a disk and cannot be read.
    pub fn mean(&self) -> Vec<f32> {
        readable(self.try_mean())
    }

    /// [`mean`](Self::mean) of samples that may be on a disk.
    ///
    /// # Errors
    /// If the samples cannot be read.
    pub fn try_mean(&self) -> Result<Vec<f32>> {
        let mut sums = vec![0.0f64; self.width()];
        let mut row = vec![0.0f32; self.width()];
        self.each_raw_row(|_, raw| {
            self.finish_row(raw, &mut row);
            for (sum, value) in sums.iter_mut().zip(&row) {
                *sum += f64::from(*value);
            }
        })?;
        Ok(sums.iter().map(|sum| (sum / self.count.max(1) as f64) as f32).collect())
    }

    /// Whether all samples have the same features.
    pub(crate) fn are_equal(&self) -> Result<bool> {
        let (mut first, mut row) = (vec![0.0; self.width()], vec![0.0; self.width()]);
        for index in 0..self.count {
            self.copy_row(index, if index == 0 { &mut first } else { &mut row })?;
            if index > 0 && row != first {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn copy_row(&self, row: usize, out: &mut [f32]) -> Result<()> {
        assert!(row < self.count, "sample {row} of {}", self.count);
        if self.is_plain() {
            self.storage.copy(row, out)?;
            self.preprocessing.apply(out);
            return Ok(());
        }
        let mut raw = vec![0.0; out.len()];
        self.copy_raw_row(row, &mut raw)?;
        self.finish_row(&mut raw, out);
        Ok(())
    }

    /// Replaces the missing values of a row as it is stored, and preprocesses it.
    fn finish_row(&self, raw: &mut [f64], out: &mut [f32]) {
        if let Some(means) = &self.fill {
            let fill = self.preprocessing.fill().unwrap_or(means);
            for (value, fill) in raw.iter_mut().zip(fill) {
                if value.is_nan() {
                    *value = *fill;
                }
            }
        }
        self.preprocessing.apply_exact(raw, out);
    }

    /// Whether rows are read in f32, and no value may be missing.
    fn is_plain(&self) -> bool {
        self.fill.is_none() && !self.preprocessing.is_exact()
    }

    /// One row as stored, before preprocessing, with NaN for missing values.
    pub(crate) fn copy_raw_row(&self, row: usize, out: &mut [f64]) -> Result<()> {
        self.storage.copy_exact(row, out)
    }

    /// Calls `visit` with the index and the values of each row as stored, in order.
    pub(crate) fn each_raw_row(&self, mut visit: impl FnMut(usize, &mut [f64])) -> Result<()> {
        each_block(self.count, self.width(), |rows, values| {
            self.storage.copy_all_exact(rows, values)?;
            let values = values.chunks_exact_mut(self.width());
            rows.iter().zip(values).for_each(|(row, values)| visit(*row, values));
            Ok(())
        })
    }

    /// Whether values are stored as the file has them.
    pub(crate) fn is_exact(&self) -> bool {
        self.exact
    }
}

/// A row for each sample.
impl TryFrom<Vec<Vec<f32>>> for Samples {
    type Error = Error;

    fn try_from(rows: Vec<Vec<f32>>) -> Result<Self> {
        let width = rows.first().map_or(0, Vec::len);
        if let Some(at) = rows.iter().position(|row| row.len() != width) {
            let what = format!("row {at}");
            let expected = format!("{width} features, as the first has");
            return Err(Error::invalid(what, expected, rows[at].len().to_string()));
        }
        Self::from_floats(rows.concat(), Shape::table(width))
    }
}

/// The features of each sample, preprocessed.
impl From<&Samples> for Vec<Vec<f32>> {
    fn from(samples: &Samples) -> Self {
        (0..samples.len()).map(|row| samples.row(row)).collect()
    }
}

/// What was read, of methods that return no `Result`.
fn readable<T>(read: Result<T>) -> T {
    read.unwrap_or_else(|error| panic!("{error}"))
}

fn whole_rows(values: usize, shape: &Shape) -> Result<usize> {
    match shape.features() {
        0 => Err(Error::invalid("shape", "at least one feature", "none")),
        width if values.is_multiple_of(width) => {
            check_rows(values / width)?;
            Ok(values / width)
        }
        width => Err(Error::invalid(
            "features",
            format!("a multiple of {width} values ({shape})"),
            format!("{values} values"),
        )),
    }
}

impl Source for Samples {
    fn labels(&self) -> Option<&Labels> {
        self.labels.as_ref()
    }

    fn is_on_disk(&self) -> bool {
        self.is_on_disk()
    }

    fn len(&self) -> usize {
        self.count
    }

    fn width(&self) -> usize {
        self.shape.features()
    }

    fn read(&self, rows: &[usize], out: &mut [f32]) -> Result<()> {
        let width = self.shape.features();
        assert_eq!(out.len(), rows.len() * width, "an output of {} rows of {width}", rows.len());
        assert!(rows.iter().all(|row| *row < self.count), "samples of {}", self.count);
        if self.is_plain() {
            self.storage.copy_all(rows, out)?;
            out.chunks_exact_mut(width).for_each(|row| self.preprocessing.apply(row));
            return Ok(());
        }
        let at_once = (AT_ONCE / width).max(1);
        let mut raw = vec![0.0; at_once.min(rows.len()) * width];
        for (rows, out) in rows.chunks(at_once).zip(out.chunks_mut(at_once * width)) {
            let raw = &mut raw[..out.len()];
            self.storage.copy_all_exact(rows, raw)?;
            let rows = raw.chunks_exact_mut(width).zip(out.chunks_exact_mut(width));
            rows.for_each(|(raw, out)| self.finish_row(raw, out));
        }
        Ok(())
    }
}

/// The numbers that are read in f64 at a time.
const AT_ONCE: usize = 1 << 16;

impl std::fmt::Debug for Samples {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Samples")
            .field("count", &self.count)
            .field("shape", &self.shape)
            .field("classes", &self.labels.as_ref().map(|labels| labels.names().len()))
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Samples {
        Samples::from_floats(vec![0.0, 10.0, 2.0, 20.0, 4.0, 60.0], Shape::table(2)).unwrap()
    }

    #[test]
    fn rows_become_samples_and_come_back() {
        let rows = vec![vec![0.0, 10.0], vec![2.0, 20.0]];
        let samples = Samples::try_from(rows.clone()).unwrap();
        assert_eq!(samples.shape(), &Shape::table(2));
        assert_eq!(Vec::<Vec<f32>>::from(&samples), rows);
        let message = |rows: Vec<Vec<f32>>| Samples::try_from(rows).unwrap_err().to_string();
        assert_eq!(
            message(vec![vec![1.0], vec![1.0, 2.0]]),
            "row 1: expected 1 features, as the first has, got 2"
        );
        assert_eq!(message(vec![]), "shape: expected at least one feature, got none");
    }

    #[test]
    fn bytes_are_read_as_fractions_of_255() {
        let samples = Samples::from_bytes(vec![0, 255, 51, 102], Shape::image(1, 1, 2)).unwrap();
        assert_eq!(samples.row(0), [0.0, 1.0]);
        assert_eq!(samples.row(1), [0.2, 0.4]);
    }

    #[test]
    fn malformed_samples_are_refused() {
        let message = |result: Result<Samples>| result.unwrap_err().to_string();
        assert_eq!(
            message(Samples::from_floats(vec![1.0; 5], Shape::table(2))),
            "features: expected a multiple of 2 values (2 columns), got 5 values"
        );
        assert_eq!(
            message(Samples::from_floats(vec![1.0, 2.0, 3.0, f32::NAN], Shape::table(2))),
            "feature 1 of sample 1: expected a finite number, got NaN"
        );
        assert_eq!(
            message(Samples::from_floats(vec![], Shape::table(0))),
            "shape: expected at least one feature, got none"
        );
        let labels = Labels::new(vec![0, 1], vec!["a".into(), "b".into()]).unwrap();
        assert_eq!(
            message(table().with_labels(labels)),
            "labels: expected 3, one per sample, got 2"
        );
    }

    #[test]
    fn subset_keeps_order_labels_and_preprocessing() {
        let labels = Labels::new(vec![0, 1, 0], vec!["a".into(), "b".into()]).unwrap();
        let samples = table().with_labels(labels).unwrap();
        let samples = samples
            .clone()
            .with_preprocessing(Preprocessing::fit(crate::Method::MinMax, &samples).unwrap())
            .unwrap();
        let subset = samples.subset(&[2, 0, 2]);
        assert_eq!(subset.labels().unwrap().classes(), [0, 0, 0]);
        assert_eq!(subset.row(0), [1.0, 1.0]);
        assert_eq!(subset.row(1), [0.0, 0.0]);
        assert_eq!(samples.take(99).len(), 3);
    }

    #[test]
    fn mean_by_hand() {
        assert_eq!(table().mean(), [2.0, 30.0]);
    }

    #[test]
    fn rows_are_read_in_any_order_and_number() {
        let mut out = [0.0; 6];
        table().read(&[1, 0, 1], &mut out).unwrap();
        assert_eq!(out, [2.0, 20.0, 0.0, 10.0, 2.0, 20.0]);
    }
}
