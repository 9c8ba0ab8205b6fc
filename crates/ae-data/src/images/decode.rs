//! One image decoded, in no more memory than its file may ask for.

use std::io::Cursor;
use std::path::Path;

use image::{
    ColorType, DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, RgbImage,
    imageops, metadata::Orientation,
};

use super::jpeg;
use super::met::Met;
use crate::{Error, Result};

/// Pixels of a side: more than any camera's.
const LONGEST_SIDE: u32 = 16_384;

/// Bytes that reading one image may take at a time, everything counted: a photograph of 89
/// million pixels, or one of 24 million with transparency and 16 bits a colour.
const MOST: u64 = 256 << 20;

/// Bytes that a PNG's notes and colour profile may take beside that.
const MOST_NOTES: u64 = 16 << 20;

/// Bytes for a pixel that decoders of GIF, TIFF and WebP hold beside its colours.
const BESIDE: u64 = 8;

/// How many bytes the decoding of `size` bytes may take: 64 MiB + 1000 x `size`, at most
/// [`MOST`]. A file of a kilobyte can claim to be an image of gigabytes; a blank page of a scanner
/// does shrink a thousandfold.
fn limit(size: u64) -> u64 {
    size.saturating_mul(1000).saturating_add(64 << 20).min(MOST)
}

/// Decodes a file of `size` bytes on the disk (gzip is undone already) to red, green and blue, and
/// brings the image to `resize` (width, height).
pub(super) fn decode(
    path: &Path,
    file: &[u8],
    size: u64,
    resize: Option<(u32, u32)>,
    met: &mut Met,
) -> Result<RgbImage> {
    let broken = |got: String| Error::malformed(path, "a whole image", got);
    let mut reader =
        ImageReader::new(Cursor::new(file)).with_guessed_format().map_err(Error::io(path))?;
    let (mut beside, mut most_notes) = (0, MOST_NOTES);
    match reader.format() {
        None => return Err(broken("something else".to_owned())),
        Some(ImageFormat::Jpeg) if !jpeg::ends(file) => {
            return Err(broken("a JPEG that is cut short".to_owned()));
        }
        Some(ImageFormat::Jpeg) => beside = jpeg::beside_colours(file),
        Some(ImageFormat::Gif | ImageFormat::Tiff | ImageFormat::WebP) => {
            beside = BESIDE;
            most_notes = limit(size);
        }
        Some(_) => {}
    }

    let limit = limit(size);
    let too_large = |got: String| {
        let expected = format!(
            "at most {LONGEST_SIDE}x{LONGEST_SIDE} pixels, and {limit} bytes of memory for a file \
             of {size}"
        );
        Error::malformed(path, expected, got)
    };
    let failed = |error: ImageError| match error {
        ImageError::Limits(_) => too_large("more".to_owned()),
        error => {
            let reason = error.to_string();
            broken(format!("bytes that do not decode ({})", reason.trim_end_matches('.')))
        }
    };
    let mut limits = Limits::default();
    limits.max_image_width = Some(LONGEST_SIDE);
    limits.max_image_height = Some(LONGEST_SIDE);
    // Of other kinds nothing else asks before it allocates.
    limits.max_alloc = Some(most_notes);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(failed)?;

    let turn = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let (width, height) = decoder.dimensions();
    let mut bytes = decoding(width, height, decoder.color_type(), beside);
    if turn != Orientation::NoTransforms {
        bytes = bytes.max(2 * 3 * area(width, height));
    }
    if bytes > limit {
        return Err(too_large(format!("{width}x{height} pixels, which take {bytes}")));
    }
    let turned = |(width, height): (u32, u32)| match turn {
        Orientation::Rotate90
        | Orientation::Rotate270
        | Orientation::Rotate90FlipH
        | Orientation::Rotate270FlipH => (height, width),
        _ => (width, height),
    };
    let (width, height) = turned((width, height));
    let resize = resize.filter(|size| *size != (width, height));
    if let Some(to) = resize
        && resizing((width, height), to) > MOST
    {
        let expected = format!("at most {MOST} bytes to bring it to {}x{} in", to.0, to.1);
        let got = format!("{width}x{height} pixels, which take {}", resizing((width, height), to));
        return Err(Error::malformed(path, expected, got));
    }

    let image = met.flatten(DynamicImage::from_decoder(decoder).map_err(failed)?);
    let image = match turn {
        Orientation::NoTransforms => image,
        turn => {
            let mut image = DynamicImage::ImageRgb8(image);
            image.apply_orientation(turn);
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

/// Bytes held at most while an image is decoded and brought to 8 bits of red, green and blue.
fn decoding(width: u32, height: u32, colour: ColorType, beside: u64) -> u64 {
    let decoded = u64::from(colour.bytes_per_pixel());
    let converted = if colour == ColorType::Rgb8 { 0 } else { 3 };
    // A JPEG is decoded in blocks of up to 32 x 32 pixels.
    let blocks = |side: u32| u64::from(side).next_multiple_of(32);
    let decoder = decoded * area(width, height) + beside * blocks(width) * blocks(height);
    decoder.max((decoded + converted) * area(width, height))
}

/// Bytes held while an image is resized: before and after, and between the two (once the height
/// is the new one) four floats a pixel.
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
    fn what_cameras_and_scanners_make_fits() {
        let fits = |size: u64, (width, height), colour, beside| {
            decoding(width, height, colour, beside) <= limit(size)
        };
        assert!(fits(20 << 20, (9504, 6336), ColorType::Rgb8, 0), "61 megapixels");
        assert!(fits(8 << 20, (6000, 4000), ColorType::Rgb8, 6), "24 megapixels, progressive");
        assert!(fits(90 << 20, (6000, 4000), ColorType::Rgba16, 0), "24 megapixels, 16 bits");
        assert!(fits(1 << 10, (2480, 3508), ColorType::L8, 0), "a blank page of 300 dpi");
        assert!(fits(6 << 10, (4000, 4000), ColorType::Rgb8, 0), "a flat colour from a palette");
        assert!(fits(75 << 10, (4000, 4000), ColorType::Rgba8, 0), "the same with transparency");
        assert!(!fits(1 << 30, (16_384, 16_384), ColorType::L8, 0));
        assert!(!fits(60, (8192, 8192), ColorType::L8, 0));
        assert!(resizing((6000, 4000), (512, 512)) < MOST);
        assert!(resizing((1000, 1000), (4096, 4096)) < MOST);
        assert!(resizing((16_384, 1), (8, 4096)) > MOST);
    }
}
