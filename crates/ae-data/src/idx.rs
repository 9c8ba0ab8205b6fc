//! The IDX format of MNIST (LeCun and Cortes 1998), plain or gzip.
//!
//! A file has two zero bytes, a type (8 for unsigned bytes, the only one read here), the number of
//! dimensions, each dimension as a big-endian `u32`, then the bytes. Images have 3 dimensions
//! (`[count, height, width]`), labels have 1.
//!
//! ```
//! use ae_data::{Samples, Shape, idx};
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("images-idx3-ubyte.gz");
//! let images = Samples::from_bytes(vec![0, 51, 102, 255], Shape::image(1, 2, 1))?;
//! idx::write_images(&path, &images)?;
//! assert_eq!(idx::read_images(&path)?.row(0), [0.0, 0.2]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::io::Write;
use std::path::Path;

use flate2::{Compression, write::GzEncoder};

use crate::disk::DiskFile;
use crate::{Error, Result, Samples, Shape, file_reader::FileReader};

/// Reads grey images.
///
/// # Errors
/// If the file cannot be read, is not IDX images of unsigned bytes, has none, or is cut short.
pub fn read_images(path: &Path) -> Result<Samples> {
    let ([_, height, width], pixels) = read_pixels(path)?;
    Samples::from_bytes(pixels, Shape::image(1, height, width))
}

/// Reads the count, height and width of images, and their pixels.
pub(crate) fn read_pixels(path: &Path) -> Result<([usize; 3], Vec<u8>)> {
    let (dimensions, pixels) = read::<3>(path)?;
    Ok((dimensions.map(|size| size as usize), pixels))
}

/// The count, height and width of images whose pixels take more than `limit` bytes, their pixels in a
/// file that is read at any place, and where they begin. `None` if they take fewer.
pub(crate) fn on_disk(path: &Path, limit: usize) -> Result<Option<([usize; 3], DiskFile, u64)>> {
    let mut input = FileReader::open(path)?;
    let (dimensions, length) = header::<3>(&mut input, path)?;
    if length <= limit as u64 {
        return Ok(None);
    }
    let (file, start) = input
        .into_disk(4 + 4 * 3, length)?
        .map_err(|got| other_length(path, &dimensions, length, got))?;
    Ok(Some((dimensions.map(|size| size as usize), file, start)))
}

/// Reads labels, one byte each.
///
/// # Errors
/// If the file cannot be read, is not IDX labels, has none, or is cut short.
pub fn read_labels(path: &Path) -> Result<Vec<u8>> {
    Ok(read::<1>(path)?.1)
}

/// Writes one-channel images as `round(255 x)`, before any preprocessing. The file is gzip if its
/// name ends in `.gz`, and is written whole or not at all.
///
/// # Errors
/// If the samples are not one-channel images of values in \[0, 1\], or the file cannot be
/// written.
pub fn write_images(path: &Path, images: &Samples) -> Result<()> {
    let &Shape::Image { channels: 1, height, width } = images.shape() else {
        let got = images.shape().to_string();
        return Err(Error::invalid("samples to write as IDX", "images of one channel", got));
    };
    let mut row = vec![0.0; images.width()];
    let mut pixels = Vec::with_capacity(images.len() * images.width());
    for index in 0..images.len() {
        images.copy_raw_row(index, &mut row)?;
        if let Some(value) = row.iter().find(|value| !(0.0..=1.0).contains(*value)) {
            return Err(Error::invalid(
                format!("pixel of image {index}"),
                "a value from 0 to 1",
                value.to_string(),
            ));
        }
        pixels.extend(row.iter().map(|value| (value * 255.0).round() as u8));
    }
    write(path, &[images.len(), height, width], &pixels)
}

/// Writes labels. The file is gzip if its name ends in `.gz`, and is written whole or not at all.
///
/// # Errors
/// If there are more labels than the format can count, or the file cannot be written.
pub fn write_labels(path: &Path, labels: &[u8]) -> Result<()> {
    write(path, &[labels.len()], labels)
}

/// Reads an IDX file and checks it against its header.
fn read<const D: usize>(path: &Path) -> Result<([u32; D], Vec<u8>)> {
    let mut input = FileReader::open(path)?;
    let (dimensions, length) = header::<D>(&mut input, path)?;
    let bytes = input.up_to(length)?;
    let read = bytes.len() as u64;
    if read < length {
        return Err(other_length(path, &dimensions, length, Some(read)));
    }
    if !input.is_at_end()? {
        return Err(other_length(path, &dimensions, length, None));
    }
    Ok((dimensions, bytes))
}

/// The error of a file with fewer bytes (their number) or more.
fn other_length(path: &Path, dimensions: &[u32], length: u64, got: Option<u64>) -> Error {
    let expected = format!("{}, so {length} bytes after the header", in_words(dimensions));
    let got = got.map_or("more".to_owned(), |got| format!("{got}: the file is cut short"));
    Error::malformed(path, expected, got)
}

/// Reads the dimensions of a file, and the number of bytes they promise.
fn header<const D: usize>(input: &mut FileReader<'_>, path: &Path) -> Result<([u32; D], u64)> {
    let header = input.up_to(4 + 4 * D as u64)?;
    if let Some((magic, _)) = header.split_first_chunk::<4>()
        && *magic != [0, 0, 8, D as u8]
    {
        let expected = format!("{} (magic number 0x0000080{D})", content(D));
        return Err(Error::malformed(path, expected, recognise(*magic)));
    }
    if header.len() < 4 + 4 * D {
        return Err(Error::malformed(
            path,
            format!("the {} bytes of an IDX header", 4 + 4 * D),
            format!("a file of {}", header.len()),
        ));
    }
    let mut dimensions = [0; D];
    for (size, bytes) in dimensions.iter_mut().zip(header[4..].chunks_exact(4)) {
        *size = bytes.iter().fold(0, |size, byte| size << 8 | u32::from(*byte));
    }
    let promised = in_words(&dimensions);
    let length = dimensions.iter().try_fold(1u64, |n, size| n.checked_mul(u64::from(*size)));
    match length {
        Some(0) if D == 1 => Err(Error::malformed(path, "at least one label", promised)),
        Some(0) => {
            Err(Error::malformed(path, "at least one image of at least 1x1 pixels", promised))
        }
        Some(length) => Ok((dimensions, length)),
        None => Err(Error::malformed(path, "less than 2^64 bytes in all", promised)),
    }
}

fn write(path: &Path, dimensions: &[usize], bytes: &[u8]) -> Result<()> {
    let mut header = vec![0, 0, 8, dimensions.len() as u8];
    for size in dimensions {
        let size = u32::try_from(*size).map_err(|_| {
            Error::invalid("dimension to write as IDX", "a number below 2^32", size.to_string())
        })?;
        header.extend(size.to_be_bytes());
    }
    let gzip = path.extension().is_some_and(|extension| extension == "gz");
    ae_files::write_atomically(path, |file| {
        if gzip {
            let mut encoder = GzEncoder::new(file, Compression::default());
            encoder.write_all(&header)?;
            encoder.write_all(bytes)?;
            encoder.finish().map(drop)
        } else {
            file.write_all(&header)?;
            file.write_all(bytes)
        }
    })
    .map_err(Error::io(path))
}

fn content(dimensions: usize) -> &'static str {
    if dimensions == 1 { "IDX labels" } else { "IDX images" }
}

/// What a file with this magic number is, in words.
fn recognise(magic: [u8; 4]) -> String {
    match magic {
        [0, 0, 8, dimensions @ (1 | 3)] => content(dimensions.into()).to_owned(),
        [0, 0, 8, dimensions] => format!("IDX bytes of {dimensions} dimensions"),
        [0, 0, 9 | 11..=14, _] => "IDX numbers that are not unsigned bytes".to_owned(),
        _ => format!("magic number 0x{:08x}", u32::from_be_bytes(magic)),
    }
}

fn in_words(dimensions: &[u32]) -> String {
    match dimensions {
        [count, height, width] => format!("{count} images of {height}x{width} pixels"),
        _ => format!("{} labels", dimensions[0]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn name(gzip: bool) -> &'static str {
        if gzip { "file.gz" } else { "file" }
    }

    proptest! {
        #[test]
        fn write_then_read_images_is_identity(
            (count, height, width) in (1usize..5, 1usize..6, 1usize..6),
            seed: u8,
            gzip: bool,
        ) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join(name(gzip));
            let pixels: Vec<u8> =
                (0..count * height * width).map(|at| (at as u8).wrapping_mul(seed)).collect();
            let images = Samples::from_bytes(pixels, Shape::image(1, height, width)).unwrap();
            write_images(&path, &images).unwrap();
            prop_assert_eq!(std::fs::read(&path).unwrap().starts_with(&[0x1f, 0x8b]), gzip);
            let again = read_images(&path).unwrap();
            prop_assert_eq!(again.shape(), images.shape());
            prop_assert_eq!(again.len(), count);
            for row in 0..count {
                prop_assert_eq!(again.row(row), images.row(row));
            }
        }

        #[test]
        fn write_then_read_labels_is_identity(labels in prop::collection::vec(any::<u8>(), 1..50), gzip: bool) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join(name(gzip));
            write_labels(&path, &labels).unwrap();
            prop_assert_eq!(read_labels(&path).unwrap(), labels);
        }
    }

    /// Two zero bytes, 8 for bytes, the number of dimensions: each of the four has to be what it is.
    #[test]
    fn every_byte_of_the_magic_number_counts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let images = [0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 7];
        let labels = [0, 0, 8, 1, 0, 0, 0, 1, 7];
        let read = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            [read_images(&path).map(drop), read_labels(&path).map(drop)]
        };
        let [as_images, as_labels] = [read(&images), read(&labels)];
        assert!(as_images[0].is_ok() && as_labels[1].is_ok());
        for at in 0..4 {
            for (index, good) in [&images[..], &labels].into_iter().enumerate() {
                let mut bytes = good.to_vec();
                bytes[at] ^= 4;
                let error = read(&bytes).into_iter().nth(index).unwrap().unwrap_err().to_string();
                let content = ["IDX images", "IDX labels"][index];
                assert!(
                    error.contains(&format!("expected {content} (magic number")),
                    "{at}: {error}"
                );
            }
        }
    }

    #[test]
    fn other_samples_are_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let refusal = |values: Vec<f32>, shape| {
            let samples = Samples::from_floats(values, shape).unwrap();
            write_images(&path, &samples).unwrap_err().to_string()
        };
        assert_eq!(
            refusal(vec![0.0; 3], Shape::image(3, 1, 1)),
            "samples to write as IDX: expected images of one channel, got 3x1x1"
        );
        assert_eq!(
            refusal(vec![0.5, 1.5], Shape::image(1, 1, 1)),
            "pixel of image 1: expected a value from 0 to 1, got 1.5"
        );
        assert!(!path.exists());
    }
}
