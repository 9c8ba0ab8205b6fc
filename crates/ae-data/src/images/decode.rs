//! Decodes one image within a memory limit.

use std::io::Cursor;
use std::path::Path;

use image::{
    ColorType, DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, RgbImage,
    imageops, metadata::Orientation,
};

use super::conversion::Conversions;
use super::jpeg;
use crate::{Error, Result, file_reader::FileReader};

/// The largest width and height, more than any camera's.
const LONGEST_SIDE: u32 = 16_384;

/// The most bytes that decoding one image may take in total: enough for a photograph of 89 million
/// pixels, or one of 24 million with transparency and 16 bits per colour.
const MAX_BYTES: u64 = 256 << 20;

/// The most bytes for a PNG's text chunks and colour profile, in addition.
const MAX_NOTES: u64 = 16 << 20;

/// Bytes per pixel that the decoders of GIF, TIFF and WebP allocate in addition to the colours.
const EXTRA: u64 = 8;

/// The most bytes that decoding a file of `size` bytes may take: 64 MiB + 1000 x `size`, at most
/// [`MAX_BYTES`]. A file of a kilobyte can claim to be an image of gigabytes, but a blank scanned page
/// really is compressed a thousandfold.
fn limit(size: u64) -> u64 {
    size.saturating_mul(1000).saturating_add(64 << 20).min(MAX_BYTES)
}

/// Decodes an image to RGB and resizes it to `resize` (width, height). `file` has its bytes after
/// gzip; `size` is the size of the file on disk.
pub(super) fn decode(
    path: &Path,
    file: &[u8],
    size: u64,
    resize: Option<(u32, u32)>,
    conversions: &mut Conversions,
) -> Result<RgbImage> {
    if jpeg::is_in(file) && !jpeg::ends(file) {
        return Err(Error::malformed(path, "a whole image", "a JPEG that is cut short"));
    }
    let (decoder, orientation) = decoder(path, file, size)?;
    let (width, height) = turned(decoder.dimensions(), orientation);
    let resize = resize.filter(|size| *size != (width, height));
    if let Some(to) = resize
        && resizing((width, height), to) > MAX_BYTES
    {
        let expected = format!("at most {MAX_BYTES} bytes to resize it to {}x{}", to.0, to.1);
        let got = format!("{width}x{height} pixels, which take {}", resizing((width, height), to));
        return Err(Error::malformed(path, expected, got));
    }

    let image = DynamicImage::from_decoder(decoder).map_err(|error| failed(path, size, error))?;
    let image = conversions.flatten(image);
    let image = match orientation {
        Orientation::NoTransforms => image,
        orientation => {
            let mut image = DynamicImage::ImageRgb8(image);
            image.apply_orientation(orientation);
            image.into_rgb8()
        }
    };
    Ok(match resize {
        Some((width, height)) => {
            imageops::resize(&image, width, height, imageops::FilterType::Triangle)
        }
        None => image,
    })
}

/// The bytes at the start of a file that have the size and the orientation in most of them.
const START: u64 = 1 << 16;

/// Width and height of an image as it is decoded, from the start of its file if that is enough.
pub(super) fn oriented_size(path: &Path) -> Result<(u32, u32)> {
    let mut input = FileReader::open(path)?;
    let mut file = input.up_to(START)?;
    if let Ok(size) = size_in(path, &file, input.size()) {
        return Ok(size);
    }
    file.extend(input.up_to(u64::MAX)?);
    size_in(path, &file, input.size())
}

fn size_in(path: &Path, file: &[u8], size: u64) -> Result<(u32, u32)> {
    let (decoder, orientation) = decoder(path, file, size)?;
    Ok(turned(decoder.dimensions(), orientation))
}

/// The decoder of an image within the limits of memory, and its orientation. The file may be its start.
fn decoder<'a>(
    path: &Path,
    file: &'a [u8],
    size: u64,
) -> Result<(impl ImageDecoder + 'a, Orientation)> {
    let mut reader =
        ImageReader::new(Cursor::new(file)).with_guessed_format().map_err(Error::io(path))?;
    let (mut extra, mut max_notes) = (0, MAX_NOTES);
    match reader.format() {
        None => {
            let got = super::other_format::name(file);
            return Err(Error::malformed(path, "a whole image", got));
        }
        Some(ImageFormat::Jpeg) => extra = jpeg::extra_bytes(file),
        Some(ImageFormat::Gif | ImageFormat::Tiff | ImageFormat::WebP) => {
            extra = EXTRA;
            max_notes = limit(size);
        }
        Some(_) => {}
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(LONGEST_SIDE);
    limits.max_image_height = Some(LONGEST_SIDE);
    // Decoders of other formats check no limit but this before they allocate.
    limits.max_alloc = Some(max_notes);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|error| failed(path, size, error))?;

    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let (width, height) = decoder.dimensions();
    let mut bytes = decoding(width, height, decoder.color_type(), extra);
    if orientation != Orientation::NoTransforms {
        bytes = bytes.max(2 * 3 * area(width, height));
    }
    if bytes > limit(size) {
        let got = format!("{width}x{height} pixels, which take {bytes}");
        return Err(too_large(path, size, got));
    }
    Ok((decoder, orientation))
}

fn too_large(path: &Path, size: u64, got: String) -> Error {
    let limit = limit(size);
    let expected = format!(
        "at most {LONGEST_SIDE}x{LONGEST_SIDE} pixels, and {limit} bytes of memory for a file of {size}"
    );
    Error::malformed(path, expected, got)
}

fn failed(path: &Path, size: u64, error: ImageError) -> Error {
    match error {
        ImageError::Limits(_) => too_large(path, size, "more".to_owned()),
        error => {
            let reason = error.to_string();
            let got = format!("bytes that do not decode ({})", reason.trim_end_matches('.'));
            Error::malformed(path, "a whole image", got)
        }
    }
}

/// Width and height after an orientation is applied.
fn turned((width, height): (u32, u32), orientation: Orientation) -> (u32, u32) {
    match orientation {
        Orientation::Rotate90
        | Orientation::Rotate270
        | Orientation::Rotate90FlipH
        | Orientation::Rotate270FlipH => (height, width),
        _ => (width, height),
    }
}

/// The most bytes allocated while an image is decoded and converted to 8-bit RGB.
fn decoding(width: u32, height: u32, colour: ColorType, extra: u64) -> u64 {
    let decoded = u64::from(colour.bytes_per_pixel());
    let converted = if colour == ColorType::Rgb8 { 0 } else { 3 };
    // A JPEG is decoded in blocks of up to 32 x 32 pixels.
    let blocks = |side: u32| u64::from(side).next_multiple_of(32);
    let decoder = decoded * area(width, height) + extra * blocks(width) * blocks(height);
    decoder.max((decoded + converted) * area(width, height))
}

/// The bytes allocated while an image is resized: those of the image before and after, and in between,
/// with the new height and the old width, four floats per pixel.
fn resizing(from: (u32, u32), to: (u32, u32)) -> u64 {
    3 * area(from.0, from.1) + 16 * area(from.0, to.1) + 3 * area(to.0, to.1)
}

fn area(width: u32, height: u32) -> u64 {
    u64::from(width) * u64::from(height)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_of_cameras_and_scanners_fit_the_limits() {
        let fits = |size: u64, (width, height), colour, extra| {
            decoding(width, height, colour, extra) <= limit(size)
        };
        assert!(fits(20 << 20, (9504, 6336), ColorType::Rgb8, 0), "61 megapixels");
        assert!(fits(8 << 20, (6000, 4000), ColorType::Rgb8, 6), "24 megapixels, progressive");
        assert!(fits(90 << 20, (6000, 4000), ColorType::Rgba16, 0), "24 megapixels, 16 bits");
        assert!(fits(1 << 10, (2480, 3508), ColorType::L8, 0), "a blank page of 300 dpi");
        assert!(fits(6 << 10, (4000, 4000), ColorType::Rgb8, 0), "a flat colour from a palette");
        assert!(fits(75 << 10, (4000, 4000), ColorType::Rgba8, 0), "the same with transparency");
        assert!(!fits(1 << 30, (16_384, 16_384), ColorType::L8, 0));
        assert!(!fits(60, (8192, 8192), ColorType::L8, 0));
        assert!(resizing((6000, 4000), (512, 512)) < MAX_BYTES);
        assert!(resizing((1000, 1000), (4096, 4096)) < MAX_BYTES);
        assert!(resizing((16_384, 1), (8, 4096)) > MAX_BYTES);
    }
}
