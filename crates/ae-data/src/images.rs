//! Folders of images: PNG, JPEG, BMP, GIF, TIFF, WebP and PNM.

#[cfg(feature = "arrow")]
mod collected;
mod conversion;
mod decode;
mod jpeg;
mod layout;
mod on_disk;
mod other_format;
mod pixels;
mod single;

use std::path::{Path, PathBuf};

use crate::{Error, Result, Samples, classes::Classes};
use layout::{Layout, Listing};
use on_disk::ImageFiles;
use pixels::Pixels;

#[cfg(feature = "arrow")]
pub(crate) use collected::Collected;
pub use single::{list, read, to_samples};

/// The largest width and height that images can be resized to.
const LONGEST_RESIZED: usize = 4096;

/// How the images of a folder are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImageOptions {
    /// Width and height to resize all images to.
    pub resize: Option<(usize, usize)>,
    /// 1 to convert all images to grey, 3 to convert them to RGB; `None` to decide by their colours.
    pub channels: Option<usize>,
    /// Whether to leave out images that cannot be read, with a warning that counts them.
    pub skip_broken: bool,
}

/// Reads a folder of images: as [`read_folder_with`], with `resize` alone.
///
/// # Errors
/// As [`read_folder_with`].
pub fn read_folder(
    folder: &Path,
    resize: Option<(usize, usize)>,
) -> Result<(Samples, Option<Samples>)> {
    read_folder_with(folder, &ImageOptions { resize, ..ImageOptions::default() })
}

/// Reads a folder of images, in the order of their names; or a single image.
///
/// **Folders.** Images in the folder itself have no labels. The class of an image in a subfolder is
/// the name of the subfolder (classes are in the order of names, numerical if all are integers).
/// Folders named `train` and `test` (or `training`, `testing`, `val`, `valid`, `validation`, `dev`, in
/// any case) are the training and the test set. A validation folder is the test set if there is no
/// other, else part of the training set. If every folder has one of these words in its name
/// (`seg_train`, `test_images`), that decides. A single folder around all of these is entered, also
/// within a set, and so is one named `images` or similar. `__MACOSX`, MVTec's `ground_truth`, hidden
/// files and, with a warning, folders that have files but no images are skipped.
///
/// **Images.** All must have one size, or are resized to `resize` (width, height; bilinear). They are
/// grey if red, green and blue are equal in every pixel of every image, else RGB, unless `channels` is
/// set. The EXIF orientation is applied. Of an animation the first frame is read. Three things give a
/// warning with a count: colours of more than 8 bits are rounded to 8; transparency is dropped and the
/// colour kept, unless an image has one colour only (then it is drawn over white, or over black if the
/// colour is light); and files of other formats are left out.
///
/// # Shapes
/// Images of `[1 or 3, height, width]`.
///
/// # Errors
/// If a folder has no image, has both images and subfolders, or has training and test folders and
/// others; if an image cannot be decoded (unless `skip_broken`); if an image is more than 16,384
/// pixels wide or high, or its decoding takes more memory than 64 MiB + 1000 x the size of its file
/// or than 256 MiB; or if without `resize` sizes differ or all pixels take more than 64 MiB + 250 x
/// the size of the files. Bytes after the end of an image are ignored.
pub fn read_folder_with(
    folder: &Path,
    options: &ImageOptions,
) -> Result<(Samples, Option<Samples>)> {
    read_folder_within(folder, options, usize::MAX)
}

/// Reads a folder as [`read_folder_with`] does. If the pixels take more than `limit` bytes, images are
/// decoded when they are needed.
pub(crate) fn read_folder_within(
    folder: &Path,
    options: &ImageOptions,
    limit: usize,
) -> Result<(Samples, Option<Samples>)> {
    let resize = options.resize.map(check_size).transpose()?;
    if let Some(other) = options.channels.filter(|channels| ![1, 3].contains(channels)) {
        return Err(Error::invalid("channels", "1 or 3", other.to_string()));
    }
    let is_file = folder.is_file();
    let layout = if is_file { Layout::of_file(folder) } else { Layout::of(folder)? };
    let folder = if is_file { folder.parent().unwrap_or(folder) } else { folder };
    let Layout { training, test, others, mut notes } = layout;
    let has_test = !test.is_empty();
    let paths: Vec<PathBuf> = training.iter().chain(&test).map(|(path, _)| path.clone()).collect();
    let found = ImageFiles::of(&paths, folder, resize, options, limit)?;
    let (samples, kept, broken, changed) = match found {
        Some((files, conversions)) => {
            let (shape, sampled) = (files.shape(), files.sampled());
            let (files, kept, broken) = match options.skip_broken {
                true => files.without_broken()?,
                false => (files, (0..paths.len()).collect(), vec![]),
            };
            let mut samples = Samples::on_disk(files, shape, false)?;
            if kept.len() < paths.len() {
                samples = samples.subset(&kept).with_places((0..kept.len() as u32).collect());
            }
            let changed = conversions.notes().into_iter();
            (
                samples,
                kept,
                broken,
                changed.map(|note| format!("among the {sampled} images sampled, {note}")).collect(),
            )
        }
        None => {
            let mut pixels = Pixels::new(options.channels);
            let (mut kept, mut broken) = (vec![], vec![]);
            for (at, path) in paths.iter().enumerate() {
                match pixels.push(path, resize) {
                    Ok(()) => kept.push(at),
                    Err(error @ Error::Malformed { .. }) if options.skip_broken => {
                        broken.push(error);
                    }
                    Err(error) => return Err(error),
                }
            }
            let changed = pixels.notes();
            (pixels.finish()?, kept, broken, changed)
        }
    };
    let in_training = kept.partition_point(|at| *at < training.len());
    let count = broken.len();
    if let Some(first) = broken.into_iter().next() {
        if in_training == 0 || has_test && in_training == kept.len() {
            return Err(first);
        }
        let count = layout::images(count);
        notes.push(format!("{count} left out that cannot be read, the first: {first}"));
    }
    if !others.is_empty() {
        notes.push(format!("files of other formats left out: {}", layout::extensions(&others)));
    }
    notes.extend::<Vec<String>>(changed);

    let class = |at: &usize| match at.checked_sub(training.len()) {
        None => training[*at].1.clone(),
        Some(at) => test[at].1.clone(),
    };
    let classes: Vec<Option<String>> = kept.iter().map(class).collect();
    let (training, test) = classes.split_at(in_training);
    let name = |at: &usize| {
        let path = paths[*at].strip_prefix(folder).unwrap_or(&paths[*at]);
        path.to_string_lossy().into_owned()
    };
    let names = kept.iter().map(name).collect();
    let samples = samples.with_names(names);
    let rows: Vec<usize> = (0..samples.len()).collect();
    let (for_training, for_test) = rows.split_at(training.len());
    let labelled =
        |classes: &[Option<String>]| classes.iter().filter(|class| class.is_some()).count();
    let (in_training, in_test) = (labelled(training), labelled(test));
    let mut all = Classes::default();
    classes.iter().flatten().for_each(|class| all.push(class));
    let result = if in_training + in_test == samples.len() {
        let samples = samples.with_labels(all.finish()?)?;
        (samples.subset(for_training), samples.subset(for_test))
    } else if in_training == training.len() && in_test == 0 {
        notes
            .push("the test set has no classes, since its images are not in subfolders".to_owned());
        let training = samples.subset(for_training).with_labels(all.finish()?)?;
        (training, samples.subset(for_test))
    } else if in_training + in_test > 0 {
        let expected = "subfolders, one for each class, in both train and test or in neither";
        return Err(Error::malformed(folder, expected, "subfolders in one of the two"));
    } else {
        (samples.subset(for_training), samples.subset(for_test))
    };
    for note in notes {
        tracing::warn!("{}: {note}", folder.display());
    }
    let (training, test) = result;
    Ok((training, has_test.then_some(test)))
}

/// Whether a file has the extension of an image, or a folder has one, or a subfolder that may have one.
pub(crate) fn may_be_in(path: &Path) -> Result<bool> {
    if !path.is_dir() {
        return Ok(layout::is_image(path));
    }
    let folder = path;
    let listing = Listing::of(folder)?;
    Ok(!listing.images.is_empty() || !listing.folders.is_empty())
}

fn check_size((width, height): (usize, usize)) -> Result<(u32, u32)> {
    let allowed = 1..=LONGEST_RESIZED;
    if allowed.contains(&width) && allowed.contains(&height) {
        return Ok((width as u32, height as u32));
    }
    let expected = format!("a width and a height from 1 to {LONGEST_RESIZED}");
    Err(Error::invalid("resize", expected, format!("{width}x{height}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Shape;
    use image::{GrayImage, Luma, Rgb, RgbImage, Rgba, RgbaImage};

    fn grey(path: &Path, value: u8) {
        GrayImage::from_pixel(2, 1, Luma([value])).save(path).unwrap();
    }

    #[test]
    fn flat_folder_of_grey_images_has_no_labels() {
        let folder = tempfile::tempdir().unwrap();
        grey(&folder.path().join("b.png"), 51);
        grey(&folder.path().join("a.bmp"), 255);
        grey(&folder.path().join(".hidden.png"), 1);
        std::fs::write(folder.path().join("notes.txt"), "no image").unwrap();
        RgbaImage::from_pixel(2, 1, Rgba([102, 102, 102, 0]))
            .save(folder.path().join("c.PNG"))
            .unwrap();
        let (samples, test) = read_folder(folder.path(), None).unwrap();
        assert_eq!(samples.shape(), &Shape::image(1, 1, 2));
        let rows: Vec<_> = (0..samples.len()).map(|row| samples.row(row)).collect();
        assert_eq!(rows, [[1.0, 1.0], [0.2, 0.2], [0.4, 0.4]]);
        assert!(samples.labels().is_none() && test.is_none());
    }

    #[test]
    fn subfolders_are_classes_and_one_colour_image_makes_all_rgb() {
        let folder = tempfile::tempdir().unwrap();
        for part in ["train/cat", "train/dog", "test/dog"] {
            std::fs::create_dir_all(folder.path().join(part)).unwrap();
        }
        grey(&folder.path().join("train/cat/1.png"), 51);
        grey(&folder.path().join("train/dog/1.png"), 102);
        RgbImage::from_fn(2, 1, |x, _| Rgb([255, 0, 51 * x as u8]))
            .save(folder.path().join("test/dog/1.bmp"))
            .unwrap();
        let (training, test) = read_folder(folder.path(), None).unwrap();
        let test = test.unwrap();
        assert_eq!(training.shape(), &Shape::image(3, 1, 2));
        assert_eq!((training.row(0), training.row(1)), (vec![0.2; 6], vec![0.4; 6]));
        assert_eq!(test.row(0), [1.0, 1.0, 0.0, 0.0, 0.0, 0.2]);
        assert_eq!(training.labels().unwrap().names(), ["cat", "dog"]);
        assert_eq!(training.labels().unwrap().classes(), [0, 1]);
        assert_eq!(test.labels().unwrap().classes(), [1]);
    }

    #[test]
    fn resize_scales_all_images_to_one_size() {
        let folder = tempfile::tempdir().unwrap();
        grey(&folder.path().join("a.png"), 51);
        GrayImage::from_pixel(9, 7, Luma([102])).save(folder.path().join("b.png")).unwrap();
        let (samples, _) = read_folder(folder.path(), Some((4, 3))).unwrap();
        assert_eq!(samples.shape(), &Shape::image(1, 3, 4));
        assert_eq!((samples.row(0), samples.row(1)), (vec![0.2; 12], vec![0.4; 12]));
        let error = read_folder(folder.path(), Some((0, 3))).unwrap_err().to_string();
        assert_eq!(error, "resize: expected a width and a height from 1 to 4096, got 0x3");
    }

    #[test]
    fn bytes_after_an_image_are_ignored() {
        for name in ["a.png", "a.jpg", "a.bmp"] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join(name);
            grey(&path, 51);
            let bytes = [&*std::fs::read(&path).unwrap(), b"more"].concat();
            std::fs::write(&path, bytes).unwrap();
            assert_eq!(read_folder(folder.path(), None).unwrap().0.row(0), [0.2, 0.2], "{name}");
        }
    }

    /// The last bytes of a PNG (its empty end chunk) may be missing, no pixel may.
    #[test]
    fn truncated_images_are_refused() {
        for (name, optional) in [("a.png", 16), ("a.jpg", 0), ("a.bmp", 0)] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join(name);
            let noise = |x: u32, y: u32| Rgb([x * 37 % 251, y * 91 % 241, x * y].map(|c| c as u8));
            RgbImage::from_fn(16, 16, noise).save(&path).unwrap();
            let bytes = std::fs::read(&path).unwrap();
            for length in (0..bytes.len() - optional).step_by(7).chain([bytes.len() - optional - 1])
            {
                std::fs::write(&path, &bytes[..length]).unwrap();
                assert!(read_folder(folder.path(), None).is_err(), "{name}: {length} bytes");
            }
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn names_need_not_be_utf8() {
        use std::os::unix::ffi::OsStrExt;
        let folder = tempfile::tempdir().unwrap();
        let class = folder.path().join(std::ffi::OsStr::from_bytes(b"caf\xe9"));
        std::fs::create_dir(&class).unwrap();
        grey(&folder.path().join("x.png"), 51);
        let image = class.join(std::ffi::OsStr::from_bytes(b"\xff.png"));
        std::fs::rename(folder.path().join("x.png"), image).unwrap();
        let (samples, _) = read_folder(folder.path(), None).unwrap();
        assert_eq!(samples.labels().unwrap().names(), ["caf\u{fffd}"]);
    }
}
