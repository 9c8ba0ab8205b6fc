//! Which images of a folder are trained on and which test, and of what class each is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::error::list;
use crate::{Error, Result};

/// Ends of names of files that are read, whatever is in them.
const KNOWN: [&str; 16] = [
    "png", "jpg", "jpeg", "jpe", "jfif", "bmp", "dib", "gif", "tif", "tiff", "webp", "pnm", "pbm",
    "pgm", "ppm", "pam",
];

/// What is read, for messages.
pub(super) const KINDS: &str = "at least one image (PNG, JPEG, BMP, GIF, TIFF, WebP or PNM)";

/// Folders around one another that are looked through for one that has more than a folder in it.
const MOST_AROUND: usize = 8;

/// An image, and its class where it is in a subfolder.
pub(super) type Found = (PathBuf, Option<String>);

/// The images of a folder.
#[derive(Default)]
pub(super) struct Layout {
    pub training: Vec<Found>,
    pub test: Vec<Found>,
    /// What else is there, by the ends of names.
    pub others: BTreeMap<String, usize>,
    /// What was made of the folder that its names do not say: sentences without a full stop.
    pub notes: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Training,
    Validation,
    Test,
    /// Pictures of where the defects are, as MVTec has them.
    Truth,
}

fn part(folder: &Path) -> Option<Part> {
    Some(match &*name(folder).to_lowercase() {
        "train" | "training" | "trainset" | "train_set" | "training_set" => Part::Training,
        "val" | "valid" | "validation" | "dev" => Part::Validation,
        "test" | "testing" | "testset" | "test_set" => Part::Test,
        "ground_truth" => Part::Truth,
        _ => return None,
    })
}

impl Layout {
    pub(super) fn of(folder: &Path) -> Result<Self> {
        let mut layout = Self::default();
        let (mut folder, mut listing) = (folder.to_owned(), Listing::of(folder)?);
        for _ in 0..MOST_AROUND {
            let ([], [only]) = (&*listing.images, &*listing.folders) else { break };
            let inside = Listing::of(only)?;
            if !inside.images.is_empty() || inside.folders.is_empty() {
                break;
            }
            layout.count(&listing);
            folder = only.clone();
            listing = inside;
        }
        let is = |wanted: Part| move |folder: &&PathBuf| part(folder) == Some(wanted);
        let parts = [Part::Training, Part::Validation, Part::Test];
        let [training, validation, test] =
            parts.map(|part| listing.folders.iter().filter(is(part)).collect::<Vec<_>>());
        let held_out = !validation.is_empty() || !test.is_empty();
        let in_parts = held_out && !training.is_empty();
        if !in_parts {
            several_sets(&folder, &listing)?;
            layout.training = layout.find(&folder)?;
            return Ok(layout);
        }
        if let Some(other) = listing.folders.iter().find(|folder| part(folder).is_none()) {
            let expected = "folders of training, validation and test images alone";
            let got = format!("the folder {} beside them; take it out", name(other));
            return Err(Error::malformed(&folder, expected, got));
        }
        if let Some(image) = listing.images.first() {
            let expected = "folders of training, validation and test images alone";
            let got = format!("the image {} beside them; take it out", name(image));
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
                layout.notes.push(format!("the {count} images of {name} are the test part"));
                layout.test.extend(found);
            } else {
                layout.notes.push(format!(
                    "the {count} images of {name} are in the training part: a validation part is \
                     drawn from it"
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

    /// The images below a folder, with their classes.
    fn find(&mut self, folder: &Path) -> Result<Vec<Found>> {
        let listing = Listing::of(folder)?;
        self.count(&listing);
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

/// Refuses a folder of several data sets, each in parts of its own.
fn several_sets(folder: &Path, listing: &Listing) -> Result<()> {
    let has_parts = |folder: &PathBuf| {
        let inside = Listing::of(folder)?;
        let has = |wanted| inside.folders.iter().any(|folder| part(folder) == Some(wanted));
        Ok(has(Part::Training) && (has(Part::Test) || has(Part::Validation)))
    };
    match listing.folders.first().map(has_parts).transpose()? {
        Some(true) if listing.images.is_empty() => {
            let names: Vec<_> = listing.folders.iter().take(5).map(|folder| name(folder)).collect();
            let more = if listing.folders.len() > 5 { " or another" } else { "" };
            let got = format!("several of them; give one: {}{more}", list(&names, "or"));
            Err(Error::malformed(folder, "one data set with its parts", got))
        }
        _ => Ok(()),
    }
}

/// What is in a folder, each in the order of names; what programs leave behind is not looked at.
pub(super) struct Listing {
    pub images: Vec<PathBuf>,
    pub folders: Vec<PathBuf>,
    pub others: BTreeMap<String, usize>,
}

impl Listing {
    pub(super) fn of(folder: &Path) -> Result<Self> {
        let mut listing = Self { images: vec![], folders: vec![], others: BTreeMap::new() };
        for entry in std::fs::read_dir(folder).map_err(Error::io(folder))? {
            let path = entry.map_err(Error::io(folder))?.path();
            let end = path.extension().map(|end| end.to_string_lossy().to_lowercase());
            let own = name(&path);
            if own.starts_with('.') || ["__MACOSX", "Thumbs.db", "desktop.ini"].contains(&&*own) {
                continue;
            }
            if path.is_dir() {
                listing.folders.push(path);
            } else if path.is_file() && end.as_deref().is_some_and(|end| KNOWN.contains(&end)) {
                listing.images.push(path);
            } else {
                *listing.others.entry(end.unwrap_or_default()).or_default() += 1;
            }
        }
        listing.images.sort();
        listing.folders.sort();
        Ok(listing)
    }

    /// What is there in place of images.
    fn instead(&self) -> String {
        match self.others.is_empty() {
            true => "none".to_owned(),
            false => format!("{} of other kinds", ends(&self.others)),
        }
    }
}

/// `2 .heic and 1 .txt`.
pub(super) fn ends(others: &BTreeMap<String, usize>) -> String {
    let mut counts: Vec<(&String, &usize)> = others.iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let shown: Vec<String> = counts
        .iter()
        .take(8)
        .map(|(end, count)| match end.as_str() {
            "" => format!("{count} without an ending"),
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
