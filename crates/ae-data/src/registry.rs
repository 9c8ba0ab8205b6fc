//! The data sets with a name, and where they are.

use std::path::{Path, PathBuf};

use crate::mnist_like::MnistLike;
use crate::synthetic::Synthetic;
use crate::variations::{self, Variation};
use crate::{DataDirs, Result, cifar};

/// A data set with a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name that [`open`](crate::open()) takes.
    pub name: String,
    /// What it is, and who published it.
    pub description: String,
    /// The folders that are searched for it, in this order.
    pub folders: Vec<PathBuf>,
    /// Where it is.
    pub location: Location,
}

/// Where a data set is, before any download.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// It is generated, not read.
    BuiltIn,
    /// It is in this folder, by the names of the files.
    Folder(PathBuf),
    /// It is in none of the folders.
    Missing,
}

/// All data sets that can be opened by name.
///
/// # Errors
/// If `dirs.data_dir` is set but is not a folder.
pub fn registry(dirs: &DataDirs) -> Result<Vec<Entry>> {
    let made = Synthetic::ALL.map(|made| owned((made.name(), made.description())));
    let made = made.into_iter().map(|(name, description)| Entry {
        name,
        description,
        folders: vec![],
        location: Location::BuiltIn,
    });
    let mut entries: Vec<Entry> = made.collect();
    for set in MnistLike::all() {
        let folders = dirs.folders(set.folder)?;
        let location = Location::first(&folders, |folder| set.is_in(folder));
        entries.extend(with_variations(set).into_iter().map(|(name, description)| Entry {
            name,
            description,
            folders: folders.clone(),
            location: location.clone(),
        }));
    }
    let folders = cifar_folders(dirs)?;
    let location = Location::first(&folders, cifar::is_in);
    let (name, description) = owned(CIFAR10);
    entries.push(Entry { name, description, folders, location });
    Ok(entries)
}

impl Location {
    fn first(folders: &[PathBuf], is_in: impl Fn(&Path) -> bool) -> Self {
        folders.iter().find(|folder| is_in(folder)).cloned().map_or(Self::Missing, Self::Folder)
    }
}

const CIFAR10: (&str, &str) =
    ("cifar10", "60,000 photographs of 10 classes, 3x32x32 (Krizhevsky 2009)");

/// The default numbers of training and test samples of a generated data set or a variation of MNIST.
/// `None` for other names.
///
/// ```
/// assert_eq!(ae_data::default_counts("mnist-rot"), Some((12_000, 50_000)));
/// assert_eq!(ae_data::default_counts("mnist"), None);
/// ```
pub fn default_counts(name: &str) -> Option<(usize, usize)> {
    let made = Synthetic::ALL.into_iter().find(|made| made.name() == name);
    let varied = Variation::ALL.into_iter().find(|made| made.name() == name);
    made.map(Synthetic::counts).or(varied.map(|_| variations::COUNTS))
}

/// Every name with its description.
pub(crate) fn names() -> Vec<(String, String)> {
    let made = Synthetic::ALL.map(|made| (made.name(), made.description()));
    let mut names: Vec<_> = made.into_iter().map(owned).collect();
    names.extend(MnistLike::all().into_iter().flat_map(with_variations));
    names.push(owned(CIFAR10));
    names
}

/// A published set, and the variations generated from it.
fn with_variations(set: MnistLike) -> Vec<(String, String)> {
    let varied = if set.name == "mnist" { &Variation::ALL[..] } else { &[] };
    let varied = varied.iter().map(|made| owned((made.name(), made.description())));
    [(set.name, set.description)].into_iter().chain(varied).collect()
}

fn owned((name, description): (&str, &str)) -> (String, String) {
    (name.to_owned(), description.to_owned())
}

/// The folders searched for CIFAR-10: those of any set, and in each the folder of its archive.
pub(crate) fn cifar_folders(dirs: &DataDirs) -> Result<Vec<PathBuf>> {
    let folders = dirs.folders("cifar10")?;
    Ok(folders
        .into_iter()
        .flat_map(|folder| [folder.join("cifar-10-batches-bin"), folder])
        .collect())
}

/// The name whose spelling is nearest to `wrong`, if one is near.
pub(crate) fn nearest<'a>(wrong: &str, names: &'a [String]) -> Option<&'a String> {
    let distances = names.iter().map(|name| (edits(&wrong.to_lowercase(), name), name));
    distances.min().filter(|(edits, name)| *edits <= name.len().div_ceil(3)).map(|(_, name)| name)
}

/// The letters to insert, delete or replace to turn one word into the other (Levenshtein 1966).
fn edits(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, letter) in one.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, counterpart) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *counterpart);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_spelling_by_hand() {
        let names: Vec<_> =
            ["digits", "mnist", "kmnist", "emnist-letters", "cifar10"].map(str::to_owned).to_vec();
        let nearest = |wrong| nearest(wrong, &names).map(String::as_str);
        assert_eq!(nearest("minst"), Some("mnist"));
        assert_eq!(nearest("MNIST"), Some("mnist"));
        assert_eq!(nearest("emnist-leters"), Some("emnist-letters"));
        assert_eq!(nearest("cifar-10"), Some("cifar10"));
        assert_eq!(nearest("imagenet"), None);
        assert_eq!((edits("kitten", "sitting"), edits("", "ab"), edits("ab", "")), (3, 2, 2));
    }

    #[test]
    fn locations_are_those_of_the_files() {
        let cache = tempfile::tempdir().unwrap();
        let dirs = DataDirs {
            cache_dir: Some(cache.path().to_owned()),
            ..DataDirs { data_dir: None, cache_dir: None, download: false }
        };
        let location = |name: &str| {
            let entries = registry(&dirs).unwrap();
            entries.into_iter().find(|entry| entry.name == name).unwrap().location
        };
        assert_eq!(location("digits"), Location::BuiltIn);
        assert_eq!(
            (location("kmnist"), location("cifar10")),
            (Location::Missing, Location::Missing)
        );
        let kmnist = cache.path().join("kmnist");
        let cifar = cache.path().join("cifar10/cifar-10-batches-bin");
        std::fs::create_dir_all(&kmnist).unwrap();
        std::fs::create_dir_all(&cifar).unwrap();
        for set in MnistLike::all().iter().filter(|set| set.name == "kmnist") {
            set.files().iter().for_each(|file| std::fs::write(kmnist.join(file), "").unwrap());
        }
        std::fs::write(cifar.join("data_batch_1.bin"), "").unwrap();
        assert_eq!(
            (location("kmnist"), location("cifar10")),
            (Location::Folder(kmnist), Location::Folder(cifar))
        );
        assert_eq!(
            (location("mnist"), location("mnist-rot")),
            (Location::Missing, Location::Missing)
        );
        let mnist = cache.path().join("mnist");
        std::fs::create_dir_all(&mnist).unwrap();
        for set in MnistLike::all().iter().filter(|set| set.name == "mnist") {
            set.files().iter().for_each(|file| std::fs::write(mnist.join(file), "").unwrap());
        }
        assert_eq!(
            (location("mnist"), location("mnist-rot")),
            (Location::Folder(mnist.clone()), Location::Folder(mnist))
        );
    }
}
