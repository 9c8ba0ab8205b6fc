//! Images decoded one after another into the bytes of samples.

use std::path::{Path, PathBuf};

use image::imageops::grayscale;

use super::decode::decode;
use super::met::Met;
use crate::{Error, Result, Samples, Shape, input::Input};

/// Images so far; one channel as long as all of them are grey.
#[derive(Default)]
pub(super) struct Pixels {
    /// What the caller wants them to have.
    channels: Option<usize>,
    met: Met,
    bytes: Vec<u8>,
    /// Bytes of the files they came from.
    files: u64,
    count: usize,
    colour: bool,
    first: Option<(PathBuf, (u32, u32))>,
}

/// How many bytes of pixels are kept of `size` bytes of files: 64 MiB + 250 x `size`, unless the
/// caller has said how many by `resize`. Each image for itself may shrink further, but of those
/// that are worth learning from, drawings and masks of few flat colours shrink most, some two
/// hundredfold.
fn limit(size: u64) -> u64 {
    size.saturating_mul(250).saturating_add(64 << 20)
}

impl Pixels {
    pub(super) fn new(channels: Option<usize>) -> Self {
        Self { channels, colour: channels == Some(3), ..Self::default() }
    }

    /// What a person is told of the images.
    pub(super) fn notes(&self) -> Vec<String> {
        self.met.notes()
    }

    pub(super) fn push(&mut self, path: &Path, resize: Option<(u32, u32)>) -> Result<()> {
        let mut input = Input::open(path)?;
        let file = input.up_to(u64::MAX)?;
        let mut met = self.met;
        let image = decode(path, &file, input.size(), resize, &mut met)?;
        let (width, height) = image.dimensions();
        let (first, shape) = self.first.get_or_insert((path.to_owned(), (width, height)));
        if *shape != (width, height) {
            let expected = format!("{}x{} pixels as in {}", shape.0, shape.1, first.display());
            let got = format!("{width}x{height}; give `resize` to bring all images to one size");
            return Err(Error::malformed(path, expected, got));
        }
        let is_colour = || image.pixels().any(|pixel| pixel.0 != [pixel.0[0]; 3]);
        let colour = self.colour || self.channels != Some(1) && is_colour();
        let channels = if colour { 3 } else { 1 };
        let area = width as usize * height as usize;
        let files = self.files.saturating_add(input.size());
        let bytes = (self.count as u64 + 1) * channels as u64 * area as u64;
        let limit = limit(files);
        if resize.is_none() && bytes > limit {
            let expected = format!("at most {limit} bytes of pixels from {files} bytes of files");
            let got = format!("{bytes}; if you trust the files, give `resize` to set their size");
            return Err(Error::malformed(path, expected, got));
        }
        (self.count, self.files, self.met) = (self.count + 1, files, met);
        if colour && !self.colour {
            self.bytes = self.bytes.chunks_exact(area).flat_map(|grey| grey.repeat(3)).collect();
            self.colour = true;
        }
        if self.channels == Some(1) && is_colour() {
            self.bytes.extend_from_slice(grayscale(&image).as_raw());
            return Ok(());
        }
        for channel in 0..channels {
            self.bytes.extend(image.pixels().map(|pixel| pixel.0[channel]));
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Result<Samples> {
        let (width, height) = self.first.map_or((0, 0), |(_, size)| size);
        let channels = if self.colour { 3 } else { 1 };
        Samples::from_bytes(self.bytes, Shape::image(channels, height as usize, width as usize))
    }
}
