//! Collects decoded images as the bytes of samples.

use std::path::{Path, PathBuf};

use image::imageops::grayscale;

use super::conversion::Conversions;
use super::decode::decode;
use super::on_disk::same_size;
use crate::{Error, Result, Samples, Shape, file_reader::FileReader};

/// The images so far, in one channel as long as all of them are grey.
#[derive(Default)]
pub(super) struct Pixels {
    /// The number of channels that the caller asked for.
    channels: Option<usize>,
    conversions: Conversions,
    bytes: Vec<u8>,
    /// The size of their files in bytes.
    files: u64,
    count: usize,
    colour: bool,
    first: Option<(PathBuf, (u32, u32))>,
}

/// The most bytes of pixels for `size` bytes of files: 64 MiB + 250 x `size`, unless the caller set
/// `resize`. Single images may be compressed more, but of useful data sets, drawings and masks of few
/// flat colours are compressed most, by a factor of some 200.
fn limit(size: u64) -> u64 {
    size.saturating_mul(250).saturating_add(64 << 20)
}

impl Pixels {
    pub(super) fn new(channels: Option<usize>) -> Self {
        Self { channels, colour: channels == Some(3), ..Self::default() }
    }

    /// Warnings for the user about the images.
    pub(super) fn notes(&self) -> Vec<String> {
        self.conversions.notes()
    }

    pub(super) fn push(&mut self, path: &Path, resize: Option<(u32, u32)>) -> Result<()> {
        let mut input = FileReader::open(path)?;
        let file = input.up_to(u64::MAX)?;
        self.push_bytes(path, &file, input.size(), resize)
    }

    /// Adds an image that takes `size` bytes on the disk.
    pub(super) fn push_bytes(
        &mut self,
        path: &Path,
        file: &[u8],
        size: u64,
        resize: Option<(u32, u32)>,
    ) -> Result<()> {
        let mut conversions = self.conversions;
        let image = decode(path, file, size, resize, &mut conversions)?;
        let (width, height) = image.dimensions();
        let (first, shape) = self.first.get_or_insert((path.to_owned(), (width, height)));
        same_size(path, (width, height), *shape, first)?;
        let is_colour = || image.pixels().any(|pixel| pixel.0 != [pixel.0[0]; 3]);
        let colour = self.colour || self.channels != Some(1) && is_colour();
        let channels = if colour { 3 } else { 1 };
        let area = width as usize * height as usize;
        let files = self.files.saturating_add(size);
        let bytes = (self.count as u64 + 1) * channels as u64 * area as u64;
        let limit = limit(files);
        if resize.is_none() && bytes > limit {
            let expected = format!("at most {limit} bytes of pixels from {files} bytes of files");
            let got = format!("{bytes}; if you trust the files, set `resize`");
            return Err(Error::malformed(path, expected, got));
        }
        (self.count, self.files, self.conversions) = (self.count + 1, files, conversions);
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

    /// The bytes of the pixels so far.
    #[cfg(feature = "arrow")]
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    #[cfg(feature = "arrow")]
    pub(super) fn into_parts(self) -> Parts {
        let (first, size) = self.first.unwrap_or_default();
        let (bytes, colour, conversions) = (self.bytes, self.colour, self.conversions);
        Parts { bytes, colour, conversions, first, size }
    }
}

/// What was collected.
#[cfg(feature = "arrow")]
pub(super) struct Parts {
    pub bytes: Vec<u8>,
    pub colour: bool,
    pub conversions: Conversions,
    pub first: PathBuf,
    pub size: (u32, u32),
}
