//! NumPy's `.npy` files, versions 1 to 3, and `.npz` archives of them.

mod archive;
mod header;
mod tensors;

use std::path::Path;

use crate::disk::{ArrayRows, DiskRows, Element, MAX_ROWS, each_block};
use crate::file_reader::FileReader;
use crate::storage::Columns;
use crate::table::{MAX_COLUMNS, Missing};
use crate::{Error, Labels, Result, Samples, Shape, classes::Classes};
use header::{Array, Dtype};

pub(crate) use archive::read_archive_within;
pub use archive::{read_archive, read_archive_with};
pub(crate) use tensors::{are_in as are_tensors_in, is_file as is_tensors};

/// Reads samples, and their labels from a second file if one is given.
///
/// Elements may be f2, f4, f8, i1 to i8, u1 to u8 or bool, little or big endian, in C or Fortran
/// order. Bytes (u1) of images are pixels, read as `byte / 255`. Other elements are read as numbers;
/// columns whose variation f32 would round away, such as times, in f64. Labels are an array `[n]` or
/// `[n, 1]` of integers of any type, or of texts. Each distinct one is a class. The files may be
/// gzip.
///
/// # Shapes
/// `[n, d]` is a table, `[n, h, w]` grey images, `[n, c, h, w]` and `[n, h, w, c]` images of 1 or 3
/// channels, the former if both fit.
///
/// # Errors
/// If a file cannot be read, is cut short, has another type or shape, has infinity or a number outside the range of f32, or has more than 2^20 columns; or if the number of
/// labels is not that of the samples.
pub fn read(path: &Path, labels: Option<&Path>) -> Result<Samples> {
    read_with(path, labels, Missing::default())
}

/// Reads an array as [`read`] does, and handles its NaN by `missing`.
///
/// # Errors
/// As [`read`], and of NaN with [`Missing::Refuse`].
pub fn read_with(path: &Path, labels: Option<&Path>, missing: Missing) -> Result<Samples> {
    read_within(path, labels, missing, usize::MAX)
}

/// Reads an array as [`read_with`] does, or leaves it on the disk if it takes more than `limit` bytes.
pub(crate) fn read_within(
    path: &Path,
    labels: Option<&Path>,
    missing: Missing,
    limit: usize,
) -> Result<Samples> {
    let mut input = FileReader::open(path)?;
    let header = Array::header(&mut input, path)?;
    let samples = samples_within(header, input, path, limit)?;
    let labels = labels.map(|labels| labels_of(labels, samples.len(), path)).transpose()?;
    joined(samples, path, labels, missing)
}

/// Labels from a file, one for each of `count` samples from `samples`.
fn labels_of(path: &Path, count: usize, samples: &Path) -> Result<Labels> {
    let mut classes = Classes::default();
    push_classes(&mut classes, &Array::read(path)?, path, count, samples)?;
    classes.finish()
}

/// Samples from a file, with NaN for missing values.
fn samples_within(
    header: Array,
    input: FileReader<'_>,
    path: &Path,
    limit: usize,
) -> Result<Samples> {
    header.length(path)?;
    let layout = Layout::of(&header, path)?;
    if layout.in_memory(&header) <= limit {
        return samples(&Array::filled(header, input, path)?, path);
    }
    if header.is_by_rows() {
        return on_disk(&header, layout, input, path);
    }
    tracing::warn!(
        "{}: read as a whole, because its columns are stored one after another; to leave it on the disk, \
         save `numpy.ascontiguousarray(array)`",
        path.display()
    );
    samples(&Array::filled(header, input, path)?, path)
}

/// The bytes that the samples of an array take in memory.
fn in_memory(array: &Array, path: &Path) -> Result<usize> {
    Ok(Layout::of(array, path)?.in_memory(array))
}

/// What the elements of an array are.
struct Layout {
    shape: Shape,
    /// Whether the channels of images are stored last.
    last: bool,
    pixels: bool,
    is_image: bool,
    /// The bytes that an element takes in memory, of other elements than pixels.
    stored: usize,
}

impl Layout {
    fn of(array: &Array, path: &Path) -> Result<Self> {
        if let Some(count) = array.shape.first().filter(|count| **count > MAX_ROWS) {
            let expected = format!("at most {MAX_ROWS} rows");
            return Err(Error::malformed(path, expected, count.to_string()));
        }
        let (shape, last) = match *array.shape {
            [_, columns] if columns <= MAX_COLUMNS => (Shape::table(columns), false),
            [_, columns] => {
                let expected = format!("at most {MAX_COLUMNS} columns");
                return Err(Error::malformed(path, expected, columns.to_string()));
            }
            [_, height, width] => (Shape::image(1, height, width), false),
            [_, channels @ (1 | 3), height, width] => {
                (Shape::image(channels, height, width), false)
            }
            [_, height, width, channels @ (1 | 3)] => (Shape::image(channels, height, width), true),
            ref other => {
                let advice = match other {
                    [_] => "; save one column as `array.reshape(-1, 1)`",
                    [_, _, _, 4] => "; save it without transparency, as `array[..., :3]`",
                    [_, ..] if other.len() > 4 => {
                        "; save it as a table, `array.reshape(len(array), -1)`"
                    }
                    _ => "",
                };
                return Err(Error::malformed(
                    path,
                    "shape [n, columns], [n, height, width], [n, 1 or 3, height, width] or [n, \
                     height, width, 1 or 3]",
                    format!("{other:?}{advice}"),
                ));
            }
        };
        if array.is_text() {
            return Err(Error::malformed(path, "an array of numbers", "one of texts"));
        }
        let is_image = matches!(shape, Shape::Image { .. });
        let pixels = is_image && (array.dtype, array.size) == (Dtype::Unsigned, 1);
        let stored = if Self::is_narrow(array) { 4 } else { 8 };
        Ok(Self { shape, last, pixels, is_image, stored })
    }

    /// The bytes that the samples take in memory.
    fn in_memory(&self, array: &Array) -> usize {
        array.len().saturating_mul(if self.pixels { 1 } else { self.stored })
    }

    /// Whether f32 has the elements exactly.
    fn is_narrow(array: &Array) -> bool {
        matches!((array.dtype, array.size), (_, 1 | 2) | (Dtype::Float, 4))
    }

    /// The place in a row of a feature. Channels may be stored last, but are read first.
    fn place(&self, feature: usize) -> usize {
        match (&self.shape, self.last) {
            (Shape::Image { channels, .. }, true) => {
                let area = self.shape.features() / channels;
                feature % area * channels + feature / area
            }
            _ => feature,
        }
    }
}

/// Samples from an array, with NaN for missing values.
fn samples(array: &Array, path: &Path) -> Result<Samples> {
    let layout = Layout::of(array, path)?;
    let width = layout.shape.features();
    let place = |at: usize| at / width * width + layout.place(at % width);
    if layout.pixels {
        let pixels = (0..array.len()).map(|at| array.integer(place(at)) as u8).collect();
        return Samples::from_bytes(pixels, layout.shape);
    }
    let mut missing = None;
    for at in (0..array.len()).map(place) {
        let value = array.number(at);
        if value.is_nan() && !layout.is_image {
            missing = missing.or(Some(at));
        } else if !(value as f32).is_finite() {
            return Err(not_finite(array, at, value, path));
        }
    }
    let numbers = (0..array.len()).map(place).map(|at| array.number(at));
    // Elements that f32 has exactly are stored as f32.
    if Layout::is_narrow(array) && missing.is_none() {
        return Samples::from_floats(numbers.map(|value| value as f32).collect(), layout.shape);
    }
    Samples::from_cells(numbers.collect(), layout.shape)
}

/// The same samples, left on the disk. Their values are checked, so all are read once.
fn on_disk(array: &Array, layout: Layout, input: FileReader<'_>, path: &Path) -> Result<Samples> {
    let (file, start) = array.on_disk(input, path)?;
    let (count, width) = (array.shape[0], layout.shape.features());
    let order = (0..width).map(|feature| layout.place(feature) as u32);
    let mut rows = ArrayRows {
        file,
        start,
        count,
        width,
        stored: width,
        element: if layout.pixels { Element::Pixels } else { array.element() },
        order: layout.last.then(|| order.collect()),
        far: vec![true; width],
        missing: 0,
    };
    if layout.pixels {
        return Samples::on_disk(rows, layout.shape, false);
    }
    let (mut columns, mut missing) = (Columns::new(width), 0);
    each_block(count, width, |places, values| {
        rows.copy_all_exact(places, values)?;
        for (index, row) in places.iter().zip(values.chunks_exact(width)) {
            for (feature, value) in row.iter().enumerate() {
                if value.is_nan() && !layout.is_image {
                    missing += 1;
                } else if !(*value as f32).is_finite() {
                    let at = index * width + layout.place(feature);
                    return Err(not_finite(array, at, *value, path));
                }
            }
            columns.add(row);
        }
        Ok(())
    })?;
    rows.missing = missing;
    let exact = !Layout::is_narrow(array) || rows.missing > 0;
    rows.far = columns.far();
    Samples::on_disk(rows, layout.shape, exact)
}

fn not_finite(array: &Array, at: usize, value: f64, path: &Path) -> Error {
    let place = format!("element {:?}", array.indices(at));
    let expected = "a finite number from -3.4e38 to 3.4e38";
    Error::malformed_at(path, place, expected, format!("{value:?}"))
}

/// Adds the classes to samples, and handles missing values.
pub(crate) fn joined(
    mut samples: Samples,
    path: &Path,
    labels: Option<Labels>,
    missing: Missing,
) -> Result<Samples> {
    if let Some(labels) = labels {
        samples = samples.with_labels(labels)?;
    }
    let all = samples.try_missing()?;
    if all == 0 || missing.is_filled() {
        return Ok(samples);
    }
    let (mut kept, mut first) = (vec![], None);
    samples.each_raw_row(|row, values| match values.iter().position(|value| value.is_nan()) {
        None => kept.push(row),
        Some(column) => first = first.or(Some([row, column])),
    })?;
    if missing == Missing::Drop && !kept.is_empty() {
        tracing::warn!(
            "{}: {} rows with a missing number left out of {}",
            path.display(),
            samples.len() - kept.len(),
            samples.len()
        );
        return Ok(samples.subset(&kept));
    }
    if missing == Missing::Drop {
        let expected = "at least one row without a missing number";
        let got =
            format!("one in each of {} rows; set `missing` to mean to fill them", samples.len());
        return Err(Error::malformed(path, expected, got));
    }
    let place = format!("element {:?}", first.unwrap_or_default());
    let advice = format!(
        "{all} elements are NaN, in {} of {} rows: set `missing` to drop to leave out such rows, or to \
         mean to fill them",
        samples.len() - kept.len(),
        samples.len()
    );
    Err(Error::malformed_at(path, place, "a finite number from -3.4e38 to 3.4e38", "NaN")
        .advise(&advice))
}

/// Adds the classes of an array of labels, one for each of `count` samples from `samples`.
fn push_classes(
    classes: &mut Classes,
    array: &Array,
    path: &Path,
    count: usize,
    samples: &Path,
) -> Result<()> {
    if let Some(got) = no_classes(array) {
        return Err(Error::malformed(path, "integers or texts of shape [n] as labels", got));
    }
    if array.len() != count {
        let file = samples.file_name().unwrap_or_default().display();
        let expected = format!("{count} labels, one for each sample in {file}");
        return Err(Error::malformed(path, expected, array.len().to_string()));
    }
    for at in 0..array.len() {
        match array.dtype {
            Dtype::Bytes | Dtype::Letters => classes.push(&array.text(at)),
            Dtype::Float | Dtype::Brain => classes.push(&(array.number(at) as i64).to_string()),
            _ => classes.push(&array.integer(at).to_string()),
        }
    }
    Ok(())
}

/// Why an array has no classes: its shape, or the first element that is none.
fn no_classes(array: &Array) -> Option<String> {
    match *array.shape {
        [_] | [_, 1] => {}
        [_, classes] if classes > 1 => {
            let shape = &array.shape;
            return Some(format!("shape {shape:?}; save one-hot rows as `labels.argmax(axis=1)`"));
        }
        _ => return Some(format!("shape {:?}", array.shape)),
    }
    if !matches!(array.dtype, Dtype::Float | Dtype::Brain) {
        return None;
    }
    let is_class = |value: &f64| value.fract() == 0.0 && value.abs() < 2f64.powi(53);
    let other = (0..array.len()).map(|at| array.number(at)).find(|value| !is_class(value));
    other.map(|value| format!("the float {value:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A file of version 1 as NumPy writes it, without the padding of the header.
    fn file(descr: &str, fortran: &str, shape: &str, bytes: &[u8]) -> tempfile::TempPath {
        let header =
            format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}\n");
        let length = (header.len() as u16).to_le_bytes();
        let bytes = [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), bytes].concat();
        let path = tempfile::NamedTempFile::new().unwrap().into_temp_path();
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// The same four numbers in every type.
    #[test]
    fn every_type_and_byte_order() {
        fn bytes<const N: usize>(to_bytes: impl Fn(u8) -> [u8; N]) -> Vec<u8> {
            [1, 2, 3, 100].into_iter().flat_map(to_bytes).collect()
        }
        let cases = [
            ("<f4", bytes(|n| f32::from(n).to_le_bytes())),
            (">f4", bytes(|n| f32::from(n).to_be_bytes())),
            ("<f8", bytes(|n| f64::from(n).to_le_bytes())),
            (">f8", bytes(|n| f64::from(n).to_be_bytes())),
            ("|u1", bytes(|n| [n])),
            ("|i1", bytes(|n| [n])),
            ("<i2", bytes(|n| i16::from(n).to_le_bytes())),
            (">u2", bytes(|n| u16::from(n).to_be_bytes())),
            ("<i4", bytes(|n| i32::from(n).to_le_bytes())),
            (">u4", bytes(|n| u32::from(n).to_be_bytes())),
            (">i8", bytes(|n| i64::from(n).to_be_bytes())),
            ("<u8", bytes(|n| u64::from(n).to_le_bytes())),
        ];
        for (descr, bytes) in cases {
            let samples = read(&file(descr, "False", "(2, 2)", &bytes), None).unwrap();
            assert_eq!([samples.row(0), samples.row(1)], [[1.0, 2.0], [3.0, 100.0]], "{descr}");
        }
        let samples = read(&file("|b1", "False", "(1, 3)", &[0, 1, 7]), None).unwrap();
        assert_eq!(samples.row(0), [0.0, 1.0, 1.0]);
        let negative = [-1i16, i16::MIN].map(i16::to_be_bytes).concat();
        let samples = read(&file(">i2", "False", "(1, 2)", &negative), None).unwrap();
        assert_eq!(samples.row(0), [-1.0, -32768.0]);
    }

    #[test]
    fn image_bytes_are_pixels_and_labels_are_classes() {
        let labels = file("<i8", "False", "(2,)", &[7i64, -1].map(i64::to_le_bytes).concat());
        let images = file("|u1", "False", "(2, 3, 1, 1)", &[0, 51, 255, 1, 2, 3]);
        let samples = read(&images, Some(&labels)).unwrap();
        assert_eq!(samples.shape(), &Shape::image(3, 1, 1));
        assert_eq!(samples.row(0), [0.0, 0.2, 1.0]);
        let labels = samples.labels().unwrap();
        assert_eq!(
            (labels.classes(), labels.names()),
            (&[1, 0][..], &["-1".into(), "7".into()][..])
        );
    }

    #[test]
    fn half_floats_channels_last_and_labels_of_all_types() {
        let halves: Vec<u8> = [0x3c00u16, 0xc000, 0x3555, 0x0001, 0x7bff, 0x8000]
            .iter()
            .flat_map(|half| half.to_le_bytes())
            .collect();
        let samples = read(&file("<f2", "False", "(3L, 2L)", &halves), None).unwrap();
        assert_eq!(samples.row(0), [1.0, -2.0]);
        assert_eq!(samples.row(1), [0.333_251_95, 2f32.powi(-24)]);
        assert_eq!(samples.row(2), [65504.0, 0.0]);
        let native = [1.5f64, 2.5].map(f64::to_le_bytes).concat();
        assert_eq!(
            read(&file("=f8", "False", "(1, 2)", &native), None).unwrap().row(0),
            [1.5, 2.5]
        );

        // Channels last: red, green, blue of each pixel.
        let last = file("|u1", "False", "(1, 2, 1, 3)", &[0, 51, 255, 102, 153, 204]);
        let samples = read(&last, None).unwrap();
        assert_eq!(samples.shape(), &Shape::image(3, 2, 1));
        assert_eq!(samples.row(0), [0.0, 0.4, 0.2, 0.6, 1.0, 0.8]);
        let grey = file("|u1", "False", "(1, 2, 2, 1)", &[0, 51, 255, 102]);
        assert_eq!(read(&grey, None).unwrap().row(0), [0.0, 0.2, 1.0, 0.4]);

        let rows = file("|i1", "False", "(3, 1)", &[1, 2, 3]);
        for (descr, shape, bytes) in [
            ("<i8", "(3, 1)", [7i64, -1, 7].map(i64::to_le_bytes).concat()),
            ("<f4", "(3,)", [7f32, -1.0, 7.0].map(f32::to_le_bytes).concat()),
            ("<f8", "(3, 1)", [7f64, -1.0, 7.0].map(f64::to_le_bytes).concat()),
            ("|S2", "(3,)", b"7\0-17\0".to_vec()),
            (
                "<U2",
                "(3,)",
                ['7', '\0', '-', '1', '7', '\0'].map(|c| u32::from(c).to_le_bytes()).concat(),
            ),
        ] {
            let samples = read(&rows, Some(&file(descr, "False", shape, &bytes))).unwrap();
            let labels = samples.labels().unwrap();
            assert_eq!(
                (labels.classes(), labels.names()),
                (&[1, 0, 1][..], &["-1".into(), "7".into()][..]),
                "{descr}"
            );
        }
    }

    #[test]
    fn nan_is_refused_dropped_or_filled() {
        let values = [1.0, 2.0, f32::NAN, 4.0, 5.0, 6.0].map(f32::to_le_bytes).concat();
        let path = file("<f4", "False", "(3, 2)", &values);
        let dropped = read_with(&path, None, Missing::Drop).unwrap();
        assert_eq!((dropped.len(), dropped.row(1)), (2, vec![5.0, 6.0]));
        let filled = read_with(&path, None, Missing::Mean).unwrap();
        assert_eq!((filled.row(1), filled.missing_in(1)), (vec![3.0, 4.0], vec![true, false]));
    }

    proptest! {
        /// Element `[i, j, k]` of `[n, h, w]` is `(i h + j) w + k`-th in C order and
        /// `i + n (j + h k)`-th in Fortran order.
        #[test]
        fn fortran_order_is_undone((n, h, w) in (1usize..4, 1usize..4, 1usize..4)) {
            let mut stored = vec![0; n * h * w];
            for (i, j, k) in (0..n * h * w).map(|at| (at / (h * w), at / w % h, at % w)) {
                stored[i + n * (j + h * k)] = ((i * h + j) * w + k) as u8;
            }
            let shape = format!("({n}, {h}, {w})");
            let samples = read(&file("|i1", "True", &shape, &stored), None).unwrap();
            let all: Vec<f32> = (0..n).flat_map(|row| samples.row(row)).collect();
            let expected: Vec<f32> = (0..n * h * w).map(|at| at as f32).collect();
            prop_assert_eq!(all, expected);
        }
    }
}
