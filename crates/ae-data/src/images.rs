//! Folders of PNG, JPEG and BMP images.

mod decode;
mod jpeg;
mod pixels;

use std::path::{Path, PathBuf};

use crate::{Error, Result, Samples, classes::Classes};
use pixels::Pixels;

/// Pixels of a side that images can be brought to.
const LONGEST_RESIZED: usize = 4096;

/// Reads a folder of images, in the order of their names.
///
/// Images that lie in the folder itself have no labels; images in subfolders have the subfolder as
/// their class (in the order of names, numerical if all are integers). A folder that holds only
/// the subfolders `train` and `test` has those as its parts. All images have one size or are
/// brought to `resize` (width, height; bilinear). They are grey if red, green and blue agree in
/// every pixel of all of them, else RGB. Deeper colours are rounded to 8 bits; transparency is
/// dropped, the colour below it kept; a camera's note of its orientation is not followed. Hidden
/// files and files of other kinds are skipped with a warning that counts them.
///
/// # Shapes
/// Images of `[1 or 3, height, width]`.
///
/// # Errors
/// If a folder has no image, or has both images and subfolders; if a file is not the image it
/// should be; if an image is more than 16,384 pixels wide or high, or decoding it takes more memory
/// than 64 MiB + 1000 x the size of its file or than 256 MiB; if without `resize` all pixels are
/// more than 64 MiB + 250 x the size of the files, or sizes differ. Bytes after the end of an image
/// are not looked at.
pub fn read_folder(
    folder: &Path,
    resize: Option<(usize, usize)>,
) -> Result<(Samples, Option<Samples>)> {
    let resize = resize.map(check_size).transpose()?;
    let listing = Listing::of(folder)?;
    let (training, test) = match &*listing.folders {
        [test, train]
            if listing.images.is_empty() && name(test) == "test" && name(train) == "train" =>
        {
            report(folder, listing.others);
            (find(train)?, find(test)?)
        }
        _ => (find(folder)?, vec![]),
    };
    let (mut pixels, mut classes) = (Pixels::default(), Classes::default());
    for (path, class) in training.iter().chain(&test) {
        pixels.push(path, resize)?;
        class.iter().for_each(|class| classes.push(class));
    }
    let mut samples = pixels.finish()?;
    if classes.len() == samples.len() {
        samples = samples.with_labels(classes.finish()?)?;
    } else if classes.len() > 0 {
        let expected = "subfolders, one for each class, in both train and test or in neither";
        return Err(Error::malformed(folder, expected, "them in one of the two"));
    }
    if test.is_empty() {
        return Ok((samples, None));
    }
    let rows: Vec<usize> = (0..samples.len()).collect();
    let (training, test) = rows.split_at(training.len());
    Ok((samples.subset(training), Some(samples.subset(test))))
}

/// Whether there is an image, or a subfolder that may hold some.
pub(crate) fn may_be_in(folder: &Path) -> Result<bool> {
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

/// The visible contents of a folder, each in the order of their names.
struct Listing {
    images: Vec<PathBuf>,
    folders: Vec<PathBuf>,
    others: usize,
}

impl Listing {
    fn of(folder: &Path) -> Result<Self> {
        let mut listing = Self { images: vec![], folders: vec![], others: 0 };
        for entry in std::fs::read_dir(folder).map_err(Error::io(folder))? {
            let path = entry.map_err(Error::io(folder))?.path();
            let extension = path.extension().map(|end| end.to_ascii_lowercase());
            let known = ["png", "jpg", "jpeg", "bmp"];
            if name(&path).starts_with('.') {
                listing.others += 1;
            } else if path.is_dir() {
                listing.folders.push(path);
            } else if path.is_file() && known.iter().any(|end| extension == Some((*end).into())) {
                listing.images.push(path);
            } else {
                listing.others += 1;
            }
        }
        listing.images.sort();
        listing.folders.sort();
        Ok(listing)
    }
}

fn report(folder: &Path, others: usize) {
    if others > 0 {
        tracing::warn!(folder = %folder.display(), files = others, "skipped what is no image");
    }
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The images below a folder, with their classes.
fn find(folder: &Path) -> Result<Vec<(PathBuf, Option<String>)>> {
    let Listing { images, folders, mut others } = Listing::of(folder)?;
    if let ([image, ..], [class, ..]) = (&*images, &*folders) {
        let expected = "images, or subfolders of images, one for each class";
        let got = format!("both ({} and {})", name(image), name(class));
        return Err(Error::malformed(folder, expected, got));
    }
    let mut found: Vec<_> = images.into_iter().map(|path| (path, None)).collect();
    for class in folders {
        let inside = Listing::of(&class)?;
        if let [deeper, ..] = &*inside.folders {
            let expected = "only images in a subfolder, which is one class";
            return Err(Error::malformed(&class, expected, format!("the folder {}", name(deeper))));
        }
        if inside.images.is_empty() {
            return Err(Error::malformed(&class, "at least one PNG, JPEG or BMP image", "none"));
        }
        others += inside.others;
        found.extend(inside.images.into_iter().map(|path| (path, Some(name(&class)))));
    }
    if found.is_empty() {
        return Err(Error::malformed(folder, "at least one PNG, JPEG or BMP image", "none"));
    }
    report(folder, others);
    Ok(found)
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
    fn a_flat_folder_is_grey_and_without_labels() {
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
    fn resize_brings_all_to_one_size() {
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
    fn what_follows_an_image_is_not_looked_at() {
        for name in ["a.png", "a.jpg", "a.bmp"] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join(name);
            grey(&path, 51);
            let bytes = [&*std::fs::read(&path).unwrap(), b"more"].concat();
            std::fs::write(&path, bytes).unwrap();
            assert_eq!(read_folder(folder.path(), None).unwrap().0.row(0), [0.2, 0.2], "{name}");
        }
    }

    /// The last bytes of a PNG (its end, without content) may go unnoticed, a pixel may not.
    #[test]
    fn an_image_that_is_cut_short_is_refused_wherever_it_is_cut() {
        for (name, spared) in [("a.png", 16), ("a.jpg", 0), ("a.bmp", 0)] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join(name);
            let noise = |x: u32, y: u32| Rgb([x * 37 % 251, y * 91 % 241, x * y].map(|c| c as u8));
            RgbImage::from_fn(16, 16, noise).save(&path).unwrap();
            let bytes = std::fs::read(&path).unwrap();
            for length in (0..bytes.len() - spared).step_by(7).chain([bytes.len() - spared - 1]) {
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
