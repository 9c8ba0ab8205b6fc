//! Images one by one: the files of a folder whatever its layout, and their pixels as samples.

use std::path::{Path, PathBuf};

use image::imageops::{FilterType, grayscale, resize};
use image::{GrayImage, RgbImage};

use super::conversion::Conversions;
use super::decode::decode;
use super::layout::Listing;
use crate::{Error, Result, Samples, Shape, file_reader::FileReader};

/// The most nested folders that [`list`] enters: a link to a folder above ends there.
const MAX_DEPTH: usize = 32;

/// The image files of a folder and of all folders in it, by their extensions, in the order of their paths.
/// Hidden files are left out, and so are links to folders.
///
/// # Errors
/// If a folder cannot be read.
pub fn list(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![(folder.to_owned(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        let Listing { images, folders: inside, .. } = Listing::of(&folder)?;
        found.extend(images);
        let entered = inside.into_iter().filter(|it| depth < MAX_DEPTH && !it.is_symlink());
        folders.extend(entered.map(|it| (it, depth + 1)));
    }
    found.sort();
    Ok(found)
}

/// Reads one image as [`read_folder_with`](super::read_folder_with) reads those of a folder, in its own size.
///
/// # Errors
/// If it cannot be read or decoded, or takes too much memory.
pub fn read(path: &Path) -> Result<RgbImage> {
    let mut input = FileReader::open(path)?;
    let file = input.up_to(u64::MAX)?;
    decode(path, &file, input.size(), None, &mut Conversions::default())
}

/// Images as samples of channels (1 or 3), height and width: resized (bilinear) where they have another size, and in
/// grey for one channel.
///
/// # Errors
/// If the channels are not 1 or 3, or a side is 0.
pub fn to_samples(images: &[RgbImage], [channels, height, width]: [usize; 3]) -> Result<Samples> {
    if ![1, 3].contains(&channels) {
        return Err(Error::invalid("channels", "1 or 3", channels.to_string()));
    }
    super::check_size((width, height))?;
    let mut bytes = Vec::with_capacity(images.len() * channels * height * width);
    let size = (width as u32, height as u32);
    for image in images {
        let resized: RgbImage;
        let image = match image.dimensions() == size {
            true => image,
            false => {
                resized = resize(image, size.0, size.1, FilterType::Triangle);
                &resized
            }
        };
        match channels {
            1 => {
                let grey: GrayImage = grayscale(image);
                bytes.extend_from_slice(grey.as_raw());
            }
            _ => (0..3).for_each(|c| bytes.extend(image.pixels().map(|pixel| pixel.0[c]))),
        }
    }
    Samples::from_bytes(bytes, Shape::image(channels, height, width))
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;

    #[test]
    fn images_are_those_of_the_folder_reader() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("b/c/d")).unwrap();
        let paint = |x: u32, y: u32| Rgb([x * 9, y * 11, x * y].map(|value| value as u8));
        for (name, size) in
            [("b/c/d/2.png", (20, 10)), ("a.png", (7, 9)), ("b/.hidden.png", (3, 3))]
        {
            RgbImage::from_fn(size.0, size.1, paint).save(folder.path().join(name)).unwrap();
        }
        std::fs::write(folder.path().join("b/notes.txt"), "none").unwrap();
        let files = list(folder.path()).unwrap();
        assert_eq!(files, ["a.png", "b/c/d/2.png"].map(|name| folder.path().join(name)));
        let images: Vec<RgbImage> = files.iter().map(|file| read(file).unwrap()).collect();
        assert_eq!(images[1].dimensions(), (20, 10));
        let rows = to_samples(&images, [3, 4, 5]).unwrap();
        let flat = tempfile::tempdir().unwrap();
        for (at, file) in files.iter().enumerate() {
            std::fs::copy(file, flat.path().join(format!("{at}.png"))).unwrap();
        }
        let (expected, _) = super::super::read_folder(flat.path(), Some((5, 4))).unwrap();
        assert_eq!((rows.row(0), rows.row(1)), (expected.row(0), expected.row(1)));
        assert_eq!(to_samples(&images, [1, 2, 2]).unwrap().width(), 4);
        assert!(to_samples(&images, [2, 2, 2]).is_err());
        assert!(to_samples(&images, [3, 0, 2]).is_err());
    }
}
