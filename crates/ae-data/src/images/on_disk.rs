//! Folders of images that are decoded when they are needed.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use image::RgbImage;
use image::imageops::grayscale;

use super::ImageOptions;
use super::conversion::Conversions;
use super::decode::{decode, oriented_size};
use crate::disk::{DiskFile, DiskRows, temporary};
use crate::file_reader::FileReader;
use crate::{Error, Result, Shape};

/// The most images that are decoded to find out whether all are grey, evenly spaced.
const SAMPLED: usize = 64;

/// The most bytes of pixels that are kept in a temporary file once they are decoded.
const CACHED: u64 = 16 << 30;

/// The fewest images that are worth a further thread.
const PER_THREAD: usize = 4;

/// Images of one size in files, in one order.
pub(super) struct ImageFiles {
    paths: Vec<PathBuf>,
    /// The image whose size all have.
    first: PathBuf,
    resize: Option<(u32, u32)>,
    size: (u32, u32),
    channels: usize,
    /// Whether the channels were asked for, so that colours are converted.
    asked: bool,
    /// The number of images that were decoded to find out whether all are grey.
    sampled: usize,
    cache: Option<Cache>,
}

/// The pixels of images that were decoded.
struct Cache {
    file: DiskFile,
    /// Which images these are.
    cached: Vec<AtomicBool>,
    /// Whether the file could not be written: nothing is added to it then.
    is_full: AtomicBool,
}

impl Cache {
    fn new(file: DiskFile, count: usize) -> Self {
        let cached = (0..count).map(|_| AtomicBool::new(false)).collect();
        Self { file, cached, is_full: AtomicBool::new(false) }
    }

    fn has(&self, at: usize) -> bool {
        self.cached[at].load(Ordering::Acquire)
    }

    /// Keeps the pixels of an image if there is room for them. Without room it is decoded again whenever it
    /// is needed.
    fn keep(&self, at: usize, pixels: &[u8]) {
        if self.is_full.load(Ordering::Relaxed) {
            return;
        }
        match self.file.write_at(pixels, (at * pixels.len()) as u64) {
            Ok(()) => self.cached[at].store(true, Ordering::Release),
            Err(error) => {
                if !self.is_full.swap(true, Ordering::Relaxed) {
                    warn_uncached(&error);
                }
            }
        }
    }
}

fn warn_uncached(error: &Error) {
    tracing::warn!("{error}; images are decoded whenever they are needed, which is slower");
}

impl ImageFiles {
    /// The images at `paths`, unless their pixels take at most `limit` bytes. Looks at the sizes of all,
    /// and at the pixels of some.
    pub(super) fn of(
        paths: &[PathBuf],
        folder: &Path,
        resize: Option<(u32, u32)>,
        options: &ImageOptions,
        limit: usize,
    ) -> Result<Option<(Self, Conversions)>> {
        let ImageOptions { channels, skip_broken, .. } = *options;
        if limit == usize::MAX {
            return Ok(None);
        }
        // Images that cannot be read are an error here, or are left out by `without_broken`.
        let size_of = |path: &PathBuf| match skip_broken {
            // The size of an image that cannot be decoded is not that of the others.
            true => read(path, None).map(|(image, _)| image.dimensions()),
            false => oriented_size(path),
        };
        let of_first = paths.iter().find_map(|path| match size_of(path) {
            Err(Error::Malformed { .. }) if skip_broken => None,
            size => Some(size.map(|size| (path, size))),
        });
        let Some((first, size)) = of_first.transpose()? else { return Ok(None) };
        let size = resize.unwrap_or(size);
        let bytes = |channels: usize| {
            let area = (size.0 as usize).saturating_mul(size.1 as usize);
            area.saturating_mul(channels).saturating_mul(paths.len())
        };
        if bytes(channels.unwrap_or(3)) <= limit {
            return Ok(None);
        }
        if resize.is_none() && !skip_broken {
            let sizes = in_parallel(paths.len(), |at| oriented_size(&paths[at]));
            for (path, other) in paths.iter().zip(sizes) {
                same_size(path, other?, size, first)?;
            }
        }
        let step = paths.len().div_ceil(SAMPLED);
        let some: Vec<&PathBuf> = paths.iter().step_by(step).collect();
        let looked = in_parallel(some.len(), |at| read(some[at], resize));
        let (mut conversions, mut colour) = (Conversions::default(), false);
        for image in looked {
            let (image, found) = match image {
                Err(Error::Malformed { .. }) if skip_broken => continue,
                image => image?,
            };
            conversions.add(&found);
            colour |= image.pixels().any(|pixel| pixel.0 != [pixel.0[0]; 3]);
        }
        let (asked, sampled) = (channels.is_some(), some.len());
        let channels = channels.unwrap_or(if colour { 3 } else { 1 });
        if bytes(channels) <= limit {
            return Ok(None);
        }
        let cache = match bytes(channels) as u64 <= CACHED {
            true => match temporary(folder) {
                Ok(file) => Some(Cache::new(DiskFile::new(file, folder), paths.len())),
                Err(error) => {
                    warn_uncached(&error);
                    None
                }
            },
            false => None,
        };
        let (paths, first) = (paths.to_vec(), first.clone());
        Ok(Some((
            Self { paths, first, resize, size, channels, asked, sampled, cache },
            conversions,
        )))
    }

    /// The number of images that were decoded to find out whether all are grey.
    pub(super) fn sampled(&self) -> usize {
        self.sampled
    }

    pub(super) fn shape(&self) -> Shape {
        Shape::image(self.channels, self.size.1 as usize, self.size.0 as usize)
    }

    /// Decodes all images: the indices of those that can be, and the errors of the others.
    pub(super) fn without_broken(self) -> Result<(Self, Vec<usize>, Vec<Error>)> {
        let width = self.shape().features();
        let checked = in_parallel(self.paths.len(), |at| self.pixels(at, &mut vec![0; width]));
        let (mut kept, mut broken) = (vec![], vec![]);
        for (at, checked) in checked.into_iter().enumerate() {
            match checked {
                Ok(()) => kept.push(at),
                Err(error @ Error::Malformed { .. }) => broken.push(error),
                Err(error) => return Err(error),
            }
        }
        Ok((self, kept, broken))
    }

    /// The pixels of one image, channel by channel.
    fn pixels(&self, at: usize, out: &mut [u8]) -> Result<()> {
        if let Some(cache) = self.cache.as_ref().filter(|cache| cache.has(at)) {
            return cache.file.read_at(out, (at * out.len()) as u64);
        }
        let path = &self.paths[at];
        let (image, _) = read(path, self.resize)?;
        same_size(path, image.dimensions(), self.size, &self.first)?;
        self.channels_of(path, &image, out)?;
        if let Some(cache) = &self.cache {
            cache.keep(at, out);
        }
        Ok(())
    }

    fn channels_of(&self, path: &Path, image: &RgbImage, out: &mut [u8]) -> Result<()> {
        let is_grey = || image.pixels().all(|pixel| pixel.0 == [pixel.0[0]; 3]);
        if self.channels == 1 && !is_grey() {
            if !self.asked {
                let expected = format!("grey pixels as in the {} images sampled", self.sampled);
                let got = "colours; set `channels` to 1 for grey or to 3 for colours";
                return Err(Error::invalid(path.display().to_string(), expected, got));
            }
            out.copy_from_slice(grayscale(image).as_raw());
            return Ok(());
        }
        for (channel, out) in out.chunks_exact_mut(out.len() / self.channels).enumerate() {
            out.iter_mut().zip(image.pixels()).for_each(|(out, pixel)| *out = pixel.0[channel]);
        }
        Ok(())
    }
}

fn read(path: &Path, resize: Option<(u32, u32)>) -> Result<(RgbImage, Conversions)> {
    let mut input = FileReader::open(path)?;
    let file = input.up_to(u64::MAX)?;
    let mut conversions = Conversions::default();
    let image = decode(path, &file, input.size(), resize, &mut conversions)?;
    Ok((image, conversions))
}

/// Refuses an image of another size than the first.
pub(super) fn same_size(
    path: &Path,
    (width, height): (u32, u32),
    size: (u32, u32),
    first: &Path,
) -> Result<()> {
    if size == (width, height) {
        return Ok(());
    }
    let expected = format!("{}x{} pixels as in {}", size.0, size.1, first.display());
    let got = format!("{width}x{height}; set `resize` to scale all images to one size");
    Err(Error::malformed(path, expected, got))
}

/// The results of `work` for each number below `count`, by as many threads as there are cores.
fn in_parallel<T: Send>(count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let threads = threads.min(count.div_ceil(PER_THREAD));
    if threads < 2 {
        return (0..count).map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let run = || {
        let mut results = vec![];
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= count {
                return results;
            }
            results.push((at, work(at)));
        }
    };
    let mut results: Vec<(usize, T)> = thread::scope(|scope| {
        let threads: Vec<_> = (1..threads).map(|_| scope.spawn(run)).collect();
        let mut all = run();
        for thread in threads {
            match thread.join() {
                Ok(results) => all.extend(results),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        all
    });
    results.sort_unstable_by_key(|(at, _)| *at);
    results.into_iter().map(|(_, result)| result).collect()
}

impl DiskRows for ImageFiles {
    fn len(&self) -> usize {
        self.paths.len()
    }

    fn missing(&self) -> usize {
        0
    }

    fn copy(&self, row: usize, out: &mut [f32]) -> Result<()> {
        self.copy_all(&[row], out)
    }

    fn copy_exact(&self, row: usize, out: &mut [f64]) -> Result<()> {
        let mut values = vec![0.0; out.len()];
        self.copy(row, &mut values)?;
        out.iter_mut().zip(values).for_each(|(out, value)| *out = f64::from(value));
        Ok(())
    }

    fn copy_all(&self, rows: &[usize], out: &mut [f32]) -> Result<()> {
        let width = self.shape().features();
        let convert = |bytes: &[u8], out: &mut [f32]| {
            out.iter_mut().zip(bytes).for_each(|(out, byte)| *out = f32::from(*byte) / 255.0);
        };
        // What is decoded already is read here; the rest is decoded by several threads.
        let is_cached = |row: usize| self.cache.as_ref().is_some_and(|cache| cache.has(row));
        let (mut bytes, mut rest) = (vec![0; width], vec![]);
        for (at, (row, out)) in rows.iter().zip(out.chunks_exact_mut(width)).enumerate() {
            if is_cached(*row) {
                self.pixels(*row, &mut bytes)?;
                convert(&bytes, out);
            } else {
                rest.push(at);
            }
        }
        let decoded = in_parallel(rest.len(), |at| {
            let mut bytes = vec![0; width];
            self.pixels(rows[rest[at]], &mut bytes).map(|()| bytes)
        });
        for (at, bytes) in rest.iter().zip(decoded) {
            convert(&bytes?, &mut out[at * width..(at + 1) * width]);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{GrayImage, Luma};

    fn files(folder: &Path, count: u8) -> ImageFiles {
        let paths: Vec<PathBuf> = (0..count).map(|at| folder.join(format!("{at}.png"))).collect();
        for (path, at) in paths.iter().zip(0..) {
            GrayImage::from_pixel(2, 1, Luma([51 * at])).save(path).unwrap();
        }
        let options = ImageOptions::default();
        ImageFiles::of(&paths, folder, None, &options, 0).unwrap().expect("images on the disk").0
    }

    #[test]
    fn images_are_decoded_once() {
        let folder = tempfile::tempdir().unwrap();
        let files = files(folder.path(), 3);
        let mut row = [0.0; 2];
        files.copy(1, &mut row).unwrap();
        std::fs::remove_file(folder.path().join("1.png")).unwrap();
        std::fs::remove_file(folder.path().join("2.png")).unwrap();
        files.copy(1, &mut row).unwrap();
        assert_eq!(row, [0.2, 0.2]);
        assert!(files.copy(2, &mut row).is_err());
    }

    /// Writes to `/dev/full` fail as those to a full disk.
    #[cfg(target_os = "linux")]
    #[test]
    fn images_are_read_without_the_cache_if_the_disk_is_full() {
        let folder = tempfile::tempdir().unwrap();
        let mut files = files(folder.path(), 6);
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        files.cache = Some(Cache::new(DiskFile::new(full, folder.path()), 6));
        for _ in 0..2 {
            let mut rows = [0.0; 6];
            files.copy_all(&[1, 5, 0], &mut rows).unwrap();
            assert_eq!(rows, [0.2, 0.2, 1.0, 1.0, 0.0, 0.0]);
        }
        assert!(files.cache.unwrap().is_full.into_inner());
    }
}
