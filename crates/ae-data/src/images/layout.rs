//! The layout of a folder of images: training and test images, and their classes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::error::list;
use crate::{Error, Result};

/// The extensions of files that are read. Their format is recognised by their bytes.
const KNOWN: [&str; 16] = [
    "png", "jpg", "jpeg", "jpe", "jfif", "bmp", "dib", "gif", "tif", "tiff", "webp", "pnm", "pbm",
    "pgm", "ppm", "pam",
];

/// The formats that are read, for messages.
pub(super) const KINDS: &str = "at least one image (PNG, JPEG, BMP, GIF, TIFF, WebP or PNM)";

/// The most nested folders that are entered if each has only one folder in it.
const MAX_NESTED: usize = 8;

/// An image, and its class if it is in a subfolder.
pub(super) type ClassedImage = (PathBuf, Option<String>);

/// The images of a folder.
#[derive(Default)]
pub(super) struct Layout {
    pub training: Vec<ClassedImage>,
    pub test: Vec<ClassedImage>,
    /// The number of other files, by extension.
    pub others: BTreeMap<String, usize>,
    /// Warnings about how the folder was read, without a full stop.
    pub notes: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Split {
    Training,
    Validation,
    Test,
    /// Masks of the defects, as MVTec has them.
    GroundTruth,
}

fn split_of(folder: &Path) -> Option<Split> {
    Some(match &*name(folder).to_lowercase() {
        "train" | "training" | "trainset" | "train_set" | "training_set" => Split::Training,
        "val" | "valid" | "validation" | "dev" => Split::Validation,
        "test" | "testing" | "testset" | "test_set" => Split::Test,
        "ground_truth" => Split::GroundTruth,
        _ => return None,
    })
}

/// The split that one word of a name tells, as in `seg_train`, `test_images` or `test1`.
fn split_in_words_of(folder: &Path) -> Option<Split> {
    let name = name(folder).to_lowercase();
    let words = name.split(|letter: char| !letter.is_alphanumeric());
    let words = words.map(|word| word.trim_end_matches(|letter: char| letter.is_ascii_digit()));
    let mut found = words.filter_map(|word| split_of(Path::new(word)));
    found.next().filter(|_| found.next().is_none())
}

/// Names of folders that say nothing about the images in them.
const PLAIN: [&str; 7] = ["images", "image", "imgs", "img", "pictures", "photos", "jpegimages"];

/// Whether a file has the extension of an image.
pub(super) fn is_image(path: &Path) -> bool {
    path.extension().is_some_and(|end| KNOWN.iter().any(|known| end.eq_ignore_ascii_case(known)))
}

impl Layout {
    /// A single image.
    pub(super) fn of_file(image: &Path) -> Self {
        Self { training: vec![(image.to_owned(), None)], ..Self::default() }
    }

    pub(super) fn of(folder: &Path) -> Result<Self> {
        let mut layout = Self::default();
        let (mut folder, mut listing) = (folder.to_owned(), Listing::of(folder)?);
        for _ in 0..MAX_NESTED {
            let ([], [only]) = (&*listing.images, &*listing.folders) else { break };
            let inside = Listing::of(only)?;
            if !inside.images.is_empty() || inside.folders.is_empty() {
                break;
            }
            layout.count(&listing);
            folder = only.clone();
            listing = inside;
        }
        // Names of several words count if all folders are splits by them: a class may be `test_tube`.
        let by_word = !listing.folders.is_empty()
            && listing.folders.iter().all(|folder| split_in_words_of(folder).is_some());
        let split_of = if by_word { split_in_words_of } else { split_of };
        let is = |wanted: Split| move |folder: &&PathBuf| split_of(folder) == Some(wanted);
        let splits = [Split::Training, Split::Validation, Split::Test];
        let [training, validation, test] =
            splits.map(|split| listing.folders.iter().filter(is(split)).collect::<Vec<_>>());
        let held_out = !validation.is_empty() || !test.is_empty();
        let is_split = held_out && !training.is_empty();
        if !is_split {
            several_sets(&folder, &listing)?;
            layout.training = layout.find(&folder)?;
            return Ok(layout);
        }
        if let Some(other) = listing.folders.iter().find(|folder| split_of(folder).is_none()) {
            let expected = "only folders of training, validation and test images";
            let got = format!("also the folder {}; move it away", name(other));
            return Err(Error::malformed(&folder, expected, got));
        }
        if let Some(image) = listing.images.first() {
            let expected = "only folders of training, validation and test images";
            let got = format!("also the image {}; move it away", name(image));
            return Err(Error::malformed(&folder, expected, got));
        }
        layout.count(&listing);
        for folder in training {
            let found = layout.find(folder)?;
            layout.training.extend(found);
        }
        for folder in &validation {
            let found = layout.find(folder)?;
            let (count, name) = (found.len(), name(folder));
            if test.is_empty() {
                layout.notes.push(format!("{name} is the test set, {}", images(count)));
                layout.test.extend(found);
            } else {
                layout.notes.push(format!(
                    "{name} is part of the training set, from which a validation set is split: {}",
                    images(count)
                ));
                layout.training.extend(found);
            }
        }
        for folder in test {
            let found = layout.find(folder)?;
            layout.test.extend(found);
        }
        Ok(layout)
    }

    fn count(&mut self, listing: &Listing) {
        for (end, count) in &listing.others {
            *self.others.entry(end.clone()).or_default() += count;
        }
    }

    /// The images in a folder and its subfolders, with their classes.
    fn find(&mut self, folder: &Path) -> Result<Vec<ClassedImage>> {
        let mut listing = Listing::of(folder)?;
        let mut folder = folder.to_owned();
        self.count(&listing);
        for _ in 0..MAX_NESTED {
            // Folders without images, such as labels of objects, are no classes beside others.
            let mut others = vec![];
            for class in &listing.folders {
                let inside = Listing::of(class)?;
                if inside.images.is_empty()
                    && inside.folders.is_empty()
                    && !inside.others.is_empty()
                {
                    others.push(class.clone());
                    self.notes.push(format!(
                        "the folder {} left out: it has no images, but {}",
                        name(class),
                        extensions(&inside.others)
                    ));
                }
            }
            if others.len() < listing.folders.len() {
                listing.folders.retain(|class| !others.contains(class));
            }
            // A folder around all classes, or around all images.
            let ([], [only]) = (&*listing.images, &*listing.folders) else { break };
            let inside = Listing::of(only)?;
            let is_plain = PLAIN.contains(&&*name(only).to_lowercase());
            if inside.images.is_empty() && !inside.folders.is_empty()
                || is_plain && !inside.images.is_empty() && inside.folders.is_empty()
            {
                self.count(&inside);
                (folder, listing) = (only.clone(), inside);
            } else {
                break;
            }
        }
        let folder = &*folder;
        let Listing { images, folders, .. } = listing;
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
                let got = format!("the folder {}", name(deeper));
                return Err(Error::malformed(&class, expected, got));
            }
            if inside.images.is_empty() {
                return Err(Error::malformed(&class, KINDS, inside.instead()));
            }
            self.count(&inside);
            found.extend(inside.images.into_iter().map(|path| (path, Some(name(&class)))));
        }
        if found.is_empty() {
            let got = Listing::of(folder)?.instead();
            return Err(Error::malformed(folder, KINDS, got));
        }
        Ok(found)
    }
}

/// `1 image`, `2 images`
pub(super) fn images(count: usize) -> String {
    format!("{count} image{}", if count == 1 { "" } else { "s" })
}

/// Refuses a folder of several data sets, each with training and test folders.
fn several_sets(folder: &Path, listing: &Listing) -> Result<()> {
    let is_split = |folder: &PathBuf| {
        let inside = Listing::of(folder)?;
        let has = |wanted| inside.folders.iter().any(|folder| split_of(folder) == Some(wanted));
        Ok(has(Split::Training) && (has(Split::Test) || has(Split::Validation)))
    };
    match listing.folders.first().map(is_split).transpose()? {
        Some(true) if listing.images.is_empty() => {
            let names: Vec<_> = listing.folders.iter().take(5).map(|folder| name(folder)).collect();
            let more = if listing.folders.len() > 5 { " or another" } else { "" };
            let got = format!("several of them; give one: {}{more}", list(&names, "or"));
            Err(Error::malformed(folder, "one data set with training and test folders", got))
        }
        _ => Ok(()),
    }
}

/// The contents of a folder, in the order of names. Hidden files and those of the system are skipped.
pub(super) struct Listing {
    pub images: Vec<PathBuf>,
    pub folders: Vec<PathBuf>,
    pub others: BTreeMap<String, usize>,
}

impl Listing {
    pub(super) fn of(folder: &Path) -> Result<Self> {
        let mut listing = Self { images: vec![], folders: vec![], others: BTreeMap::new() };
        for entry in std::fs::read_dir(folder).map_err(Error::io(folder))? {
            let entry = entry.map_err(Error::io(folder))?;
            let path = entry.path();
            // Only what a link leads to has to be looked at.
            let (is_folder, is_file) = match entry.file_type() {
                Ok(kind) if !kind.is_symlink() => (kind.is_dir(), kind.is_file()),
                _ => (path.is_dir(), path.is_file()),
            };
            let own = name(&path);
            if own.starts_with('.') || ["__MACOSX", "Thumbs.db", "desktop.ini"].contains(&&*own) {
                continue;
            }
            if is_folder {
                listing.folders.push(path);
            } else if is_file && is_image(&path) {
                listing.images.push(path);
            } else {
                let end = path.extension().map(|end| end.to_string_lossy().to_lowercase());
                *listing.others.entry(end.unwrap_or_default()).or_default() += 1;
            }
        }
        listing.images.sort();
        listing.folders.sort();
        Ok(listing)
    }

    /// What the folder has instead of images.
    fn instead(&self) -> String {
        match self.others.is_empty() {
            true => "none".to_owned(),
            false => format!("{} of other formats", extensions(&self.others)),
        }
    }
}

/// Counts by extension, in words: `2 .heic and 1 .txt`.
pub(super) fn extensions(others: &BTreeMap<String, usize>) -> String {
    let mut counts: Vec<(&String, &usize)> = others.iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let shown: Vec<String> = counts
        .iter()
        .take(8)
        .map(|(end, count)| match end.as_str() {
            "" => format!("{count} without an extension"),
            end => format!(
                "{count} .{}",
                end.chars().take(20).filter(|c| !c.is_control()).collect::<String>()
            ),
        })
        .collect();
    list(&shown, "and")
}

pub(super) fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
