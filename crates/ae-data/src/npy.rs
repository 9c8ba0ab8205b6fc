//! Arrays as NumPy saves them: `.npy`, versions 1 to 3.

mod header;

use std::path::Path;

use crate::{Error, Result, Samples, Shape, classes::Classes, table::MOST_COLUMNS};
use header::{Array, Kind};

/// Reads samples, and their labels from a second file if one is given.
///
/// Elements may be f4, f8, i1 to i8, u1 to u8 or bool, little or big endian, in C or Fortran
/// order. Bytes (u1) of images are pixels, `byte / 255`; everything else is the number itself (columns
/// that f32 would round away, such as times, in f64). Labels are a
/// one-dimensional array of integers; each different one is a class. The files may be gzip.
///
/// # Shapes
/// `[n, d]` is a table, `[n, h, w]` grey images, `[n, c, h, w]` images of 1 or 3 channels.
///
/// # Errors
/// If a file cannot be read, is not a whole array of a type and shape named above, holds NaN,
/// infinity or a number beyond the range of f32, has more than 2^20 columns, or there are not as
/// many labels as samples.
pub fn read(path: &Path, labels: Option<&Path>) -> Result<Samples> {
    let array = Array::read(path)?;
    let shape = match *array.shape {
        [_, columns] if columns <= MOST_COLUMNS => Shape::table(columns),
        [_, columns] => {
            let expected = format!("at most {MOST_COLUMNS} columns");
            return Err(Error::malformed(path, expected, columns.to_string()));
        }
        [_, height, width] => Shape::image(1, height, width),
        [_, channels @ (1 | 3), height, width] => Shape::image(channels, height, width),
        _ => {
            return Err(Error::malformed(
                path,
                "shape [n, columns], [n, height, width] or [n, 1 or 3, height, width]",
                format!("{:?}", array.shape),
            ));
        }
    };
    let is_image = matches!(shape, Shape::Image { .. });
    let samples = if is_image && (array.kind, array.size) == (Kind::Unsigned, 1) {
        let pixels = (0..array.len()).map(|at| array.integer(at) as u8).collect();
        Samples::from_bytes(pixels, shape)?
    } else {
        numbers(&array, shape, path)?
    };
    let Some(labels) = labels else {
        return Ok(samples);
    };
    let classes = read_classes(labels)?;
    if classes.len() != samples.len() {
        let file = path.file_name().unwrap_or_default().display();
        let expected = format!("{} labels, one for each sample in {file}", samples.len());
        return Err(Error::malformed(labels, expected, classes.len().to_string()));
    }
    samples.with_labels(classes.finish()?)
}

/// Floats of 32 bits and less as they are; of wider elements what those would round away, too.
fn numbers(array: &Array, shape: Shape, path: &Path) -> Result<Samples> {
    match (array.kind, array.size) {
        (_, 1 | 2) | (Kind::Float, 4) => {
            let values = floats(array, path)?.into_iter().map(|value| value as f32);
            Samples::from_floats(values.collect(), shape)
        }
        _ => Samples::from_cells(floats(array, path)?, shape),
    }
}

fn floats(array: &Array, path: &Path) -> Result<Vec<f64>> {
    let mut values = Vec::with_capacity(array.len());
    for at in 0..array.len() {
        let value = array.number(at);
        if !(value as f32).is_finite() {
            return Err(Error::malformed_at(
                path,
                format!("element {:?}", array.indices(at)),
                "a finite number from -3.4e38 to 3.4e38",
                format!("{value:?}"),
            ));
        }
        values.push(value);
    }
    Ok(values)
}

fn read_classes(path: &Path) -> Result<Classes> {
    let array = Array::read(path)?;
    if array.shape.len() != 1 || array.kind == Kind::Float {
        let kind = if array.kind == Kind::Float { "floats" } else { "integers" };
        return Err(Error::malformed(
            path,
            "integers of shape [n] as labels",
            format!("{kind} of shape {:?}", array.shape),
        ));
    }
    let mut classes = Classes::default();
    (0..array.len()).for_each(|at| classes.push(&array.integer(at).to_string()));
    Ok(classes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A file of version 1 as NumPy writes it (which pads the header; no reader needs that).
    fn file(descr: &str, fortran: &str, shape: &str, bytes: &[u8]) -> tempfile::TempPath {
        let header =
            format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}\n");
        let length = (header.len() as u16).to_le_bytes();
        let bytes = [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), bytes].concat();
        let path = tempfile::NamedTempFile::new().unwrap().into_temp_path();
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// The same four numbers in every type that holds them.
    #[test]
    fn every_type_and_order_of_bytes() {
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
    fn bytes_of_images_are_pixels_and_labels_are_classes() {
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
