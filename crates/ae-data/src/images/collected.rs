//! Encoded images that come one after another, as samples in memory or in a temporary file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::conversion::Conversions;
use super::decode::decode;
use super::on_disk::same_size;
use super::pixels::Pixels;
use super::{ImageOptions, check_size};
use crate::disk::{ArrayRows, DiskFile, Element, temporary};
use crate::{Error, Result, Samples, Shape};

/// Images so far: in memory, and from the limit on in a file, three channels each.
pub(crate) struct Collected {
    resize: Option<(u32, u32)>,
    channels: Option<usize>,
    source: PathBuf,
    limit: usize,
    pixels: Pixels,
    spilled: Option<Spilled>,
}

struct Spilled {
    file: DiskFile,
    count: usize,
    conversions: Conversions,
    colour: bool,
    first: PathBuf,
    size: (u32, u32),
}

impl Collected {
    /// For images of `source`, of which `limit` bytes of pixels stay in memory.
    pub(crate) fn new(options: &ImageOptions, source: &Path, limit: usize) -> Result<Self> {
        let resize = options.resize.map(check_size).transpose()?;
        if let Some(other) = options.channels.filter(|channels| ![1, 3].contains(channels)) {
            return Err(Error::invalid("channels", "1 or 3", other.to_string()));
        }
        let channels = options.channels;
        let pixels = Pixels::new(channels);
        let source = source.to_owned();
        Ok(Self { resize, channels, source, limit, pixels, spilled: None })
    }

    /// Adds an image. `path` is its place, for errors.
    pub(crate) fn push(&mut self, path: &Path, bytes: &[u8]) -> Result<()> {
        let size = bytes.len() as u64;
        if self.spilled.is_none() {
            self.pixels.push_bytes(path, bytes, size, self.resize)?;
            if self.pixels.len() > self.limit {
                self.spill()?;
            }
            return Ok(());
        }
        let Some(spilled) = &mut self.spilled else { return Ok(()) };
        let image = decode(path, bytes, size, self.resize, &mut spilled.conversions)?;
        same_size(path, image.dimensions(), spilled.size, &spilled.first)?;
        spilled.colour |= image.pixels().any(|pixel| pixel.0 != [pixel.0[0]; 3]);
        let rgb: Vec<u8> = match self.channels {
            Some(1) => image::imageops::grayscale(&image).into_raw().repeat(3),
            _ => (0..3).flat_map(|at| image.pixels().map(move |pixel| pixel.0[at])).collect(),
        };
        spilled.file.write_at(&rgb, spilled.count as u64 * rgb.len() as u64)?;
        spilled.count += 1;
        Ok(())
    }

    fn spill(&mut self) -> Result<()> {
        let pixels = std::mem::replace(&mut self.pixels, Pixels::new(self.channels));
        let parts = pixels.into_parts();
        let area = parts.size.0 as usize * parts.size.1 as usize;
        let file = DiskFile::new(temporary(&self.source)?, &self.source);
        let channels = if parts.colour { 3 } else { 1 };
        let mut count = 0;
        for image in parts.bytes.chunks_exact((area * channels).max(1)) {
            let rgb = if parts.colour { image.to_vec() } else { image.repeat(3) };
            file.write_at(&rgb, (count * 3 * area) as u64)?;
            count += 1;
        }
        let (conversions, colour, first, size) =
            (parts.conversions, parts.colour, parts.first, parts.size);
        self.spilled = Some(Spilled { file, count, conversions, colour, first, size });
        Ok(())
    }

    /// Warnings for the user about the images.
    pub(crate) fn notes(&self) -> Vec<String> {
        match &self.spilled {
            Some(spilled) => spilled.conversions.notes(),
            None => self.pixels.notes(),
        }
    }

    pub(crate) fn finish(self) -> Result<Samples> {
        let Some(Spilled { file, count, colour, size: (width, height), .. }) = self.spilled else {
            return self.pixels.finish();
        };
        let area = width as usize * height as usize;
        let colour = match self.channels {
            Some(channels) => channels == 3,
            None => colour,
        };
        let (channels, features) = if colour { (3, 3 * area) } else { (1, area) };
        let rows = ArrayRows {
            file,
            start: 0,
            count,
            width: features,
            stored: 3 * area,
            element: Element::Pixels,
            // Of grey images the first of three equal channels is read.
            order: (!colour).then(|| (0..features as u32).collect::<Arc<[u32]>>()),
            far: vec![true; features],
            missing: 0,
        };
        Samples::on_disk(rows, Shape::image(channels, height as usize, width as usize), false)
    }
}
