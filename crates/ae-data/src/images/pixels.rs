//! Images decoded one after another into the bytes of samples.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use image::{ImageFormat, ImageReader, Limits, RgbImage, imageops};

use crate::{Error, Result, Samples, Shape, input::Input};

/// Pixels of a side: more than any camera's.
const LONGEST_SIDE: u32 = 16_384;

/// Images so far; one channel as long as all of them are grey.
#[derive(Default)]
pub(super) struct Pixels {
    bytes: Vec<u8>,
    /// Bytes of the files they came from.
    files: u64,
    colour: bool,
    first: Option<(PathBuf, (u32, u32))>,
}

impl Pixels {
    pub(super) fn push(&mut self, path: &Path, resize: Option<(u32, u32)>) -> Result<()> {
        let file = Input::open(path)?.up_to(u64::MAX)?;
        let mut image = decode(path, &file)?;
        if let Some((width, height)) = resize
            && image.dimensions() != (width, height)
        {
            image = imageops::resize(&image, width, height, imageops::FilterType::Triangle);
        }
        let (width, height) = image.dimensions();
        let (first, shape) = self.first.get_or_insert((path.to_owned(), (width, height)));
        if *shape != (width, height) {
            let expected = format!("{}x{} pixels as in {}", shape.0, shape.1, first.display());
            let got = format!("{width}x{height}; give `resize` to bring all images to one size");
            return Err(Error::malformed(path, expected, got));
        }
        let grey = image.pixels().all(|pixel| pixel.0 == [pixel.0[0]; 3]);
        if !grey && !self.colour {
            let area = width as usize * height as usize;
            self.bytes = self.bytes.chunks_exact(area).flat_map(|grey| grey.repeat(3)).collect();
            self.colour = true;
        }
        for channel in 0..if self.colour { 3 } else { 1 } {
            self.bytes.extend(image.pixels().map(|pixel| pixel.0[channel]));
        }
        self.files = self.files.saturating_add(file.len() as u64);
        let limit = decoded_limit(self.files);
        if resize.is_none() && self.bytes.len() as u64 > limit {
            let expected =
                format!("at most {limit} bytes of pixels from {} bytes of files", self.files);
            return Err(Error::malformed(path, expected, self.bytes.len().to_string()));
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Result<Samples> {
        let (width, height) = self.first.map_or((0, 0), |(_, size)| size);
        let channels = if self.colour { 3 } else { 1 };
        Samples::from_bytes(self.bytes, Shape::image(channels, height as usize, width as usize))
    }
}

/// How many bytes `size` bytes of image files may decode to: 16 MiB + 1000 x `size`. A file of a
/// kilobyte can claim to be an image of gigabytes; a blank page of a scanner does shrink a
/// thousandfold.
fn decoded_limit(size: u64) -> u64 {
    size.saturating_mul(1000).saturating_add(16 << 20)
}

/// Decodes a file to at most [`decoded_limit`] or 256 MiB.
fn decode(path: &Path, file: &[u8]) -> Result<RgbImage> {
    let broken = |got: String| Error::malformed(path, "a whole PNG, JPEG or BMP image", got);
    let mut reader =
        ImageReader::new(Cursor::new(file)).with_guessed_format().map_err(Error::io(path))?;
    match reader.format() {
        None => return Err(broken("something else".to_owned())),
        Some(ImageFormat::Jpeg) if !ends(file) => {
            return Err(broken("a JPEG that is cut short".to_owned()));
        }
        Some(_) => {}
    }
    let limit = decoded_limit(file.len() as u64).min(256 << 20);
    let mut limits = Limits::default();
    limits.max_image_width = Some(LONGEST_SIDE);
    limits.max_image_height = Some(LONGEST_SIDE);
    limits.max_alloc = Some(limit);
    reader.limits(limits);
    let image = reader.decode().map_err(|error| match error {
        image::ImageError::Limits(_) => Error::malformed(
            path,
            format!(
                "at most {LONGEST_SIDE}x{LONGEST_SIDE} pixels, and {limit} bytes from {}",
                file.len()
            ),
            "a larger image",
        ),
        error => {
            let reason = error.to_string();
            broken(format!("bytes that do not decode ({})", reason.trim_end_matches('.')))
        }
    })?;
    Ok(image.into_rgb8())
}

/// Whether a JPEG's last scan is followed by the end of the image; its decoder makes up what is
/// missing. (Neither marker can stand inside a scan; both may in the preview that comes before.)
fn ends(jpeg: &[u8]) -> bool {
    let last = |marker: [u8; 2]| jpeg.windows(2).rposition(|bytes| bytes == marker);
    last([0xff, 0xd9]) > last([0xff, 0xda])
}
