//! What can be had by name, and whether it is here.

use std::path::{Path, PathBuf};

use crate::family::Family;
use crate::generated::Generated;
use crate::kind::Kind;
use crate::variations::{self, Variation};
use crate::{Result, Search, cifar};

/// A data set that has a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name by which [`open`](crate::open) knows it.
    pub name: String,
    /// What it is, and who published it.
    pub what: String,
    /// The folders in which it is looked for, in this order.
    pub folders: Vec<PathBuf>,
    /// Whether it is there.
    pub found: Found,
}

/// Whether a data set can be read without a download.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// It is made, not read.
    BuiltIn,
    /// It is in this folder (looked at by the names of the files only).
    In(PathBuf),
    /// It is in none of the folders.
    Nowhere,
}

/// Everything that can be had by name.
///
/// # Errors
/// If `search.data_dir` is given and is no folder.
pub fn catalogue(search: &Search) -> Result<Vec<Entry>> {
    let made = Generated::ALL.map(|made| owned((made.name(), made.what())));
    let made = made.into_iter().map(|(name, what)| Entry {
        name,
        what,
        folders: vec![],
        found: Found::BuiltIn,
    });
    let mut entries: Vec<Entry> = made.collect();
    for family in Family::all() {
        let folders = search.folders(family.folder)?;
        let found = Found::first(&folders, |folder| family.is_in(folder));
        entries.extend(family_names(family).into_iter().map(|(name, what)| Entry {
            name,
            what,
            folders: folders.clone(),
            found: found.clone(),
        }));
    }
    let folders = cifar_folders(search)?;
    let found = Found::first(&folders, cifar::is_in);
    let (name, what) = owned(CIFAR10);
    entries.push(Entry { name, what, folders, found });
    Ok(entries)
}

impl Found {
    fn first(folders: &[PathBuf], is_in: impl Fn(&Path) -> bool) -> Self {
        folders.iter().find(|folder| is_in(folder)).cloned().map_or(Self::Nowhere, Self::In)
    }
}

const CIFAR10: (&str, &str) =
    ("cifar10", "60,000 photographs of 10 classes, 3x32x32 (Krizhevsky 2009)");

/// How many samples there are to train and to test on where [`Options`](crate::Options) says
/// nothing, of what has a name and is made in any number; of nothing else.
///
/// ```
/// assert_eq!(ae_data::default_counts("mnist-rot"), Some((12_000, 50_000)));
/// assert_eq!(ae_data::default_counts("mnist"), None);
/// ```
pub fn default_counts(name: &str) -> Option<(usize, usize)> {
    let made = Generated::ALL.into_iter().find(|made| made.name() == name);
    let varied = Variation::ALL.into_iter().find(|made| made.name() == name);
    made.map(Generated::counts).or(varied.map(|_| variations::COUNTS))
}

/// Whether a source is a name whose files lie in a folder, [`Search::data_dir`] among others: a published
/// set, or what is made of one.
///
/// ```
/// assert!(ae_data::is_published("mnist") && ae_data::is_published("mnist-rot"));
/// assert!(!ae_data::is_published("digits") && !ae_data::is_published("my/pictures"));
/// ```
pub fn is_published(source: &str) -> bool {
    Kind::of(source).is_ok_and(Kind::is_published)
}

/// Every name, and what it is the name of.
pub(crate) fn names() -> Vec<(String, String)> {
    let made = Generated::ALL.map(|made| (made.name(), made.what()));
    let mut names: Vec<_> = made.into_iter().map(owned).collect();
    names.extend(Family::all().into_iter().flat_map(family_names));
    names.push(owned(CIFAR10));
    names
}

/// A published set, and what is made of it.
fn family_names(family: Family) -> Vec<(String, String)> {
    let varied = if family.name == "mnist" { &Variation::ALL[..] } else { &[] };
    let varied = varied.iter().map(|made| owned((made.name(), made.what())));
    [(family.name, family.what)].into_iter().chain(varied).collect()
}

fn owned((name, what): (&str, &str)) -> (String, String) {
    (name.to_owned(), what.to_owned())
}

/// Where CIFAR-10 is looked for: as any set, and in the folder that its archive unpacks to.
pub(crate) fn cifar_folders(search: &Search) -> Result<Vec<PathBuf>> {
    let folders = search.folders("cifar10")?;
    Ok(folders
        .into_iter()
        .flat_map(|folder| [folder.join("cifar-10-batches-bin"), folder])
        .collect())
}

/// The name that is spelled most like `wrong`, if any is near.
pub(crate) fn nearest<'a>(wrong: &str, names: &'a [String]) -> Option<&'a String> {
    let distances = names.iter().map(|name| (edits(&wrong.to_lowercase(), name), name));
    distances.min().filter(|(edits, name)| *edits <= name.len().div_ceil(3)).map(|(_, name)| name)
}

/// Letters to insert, delete or replace to make one word the other (Levenshtein 1966).
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
    fn the_nearest_spelling_is_offered() {
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
    fn found_is_what_is_there() {
        let cache = tempfile::tempdir().unwrap();
        let search = Search {
            cache_dir: Some(cache.path().to_owned()),
            ..Search { data_dir: None, cache_dir: None, download: false }
        };
        let found = |name: &str| {
            let entries = catalogue(&search).unwrap();
            entries.into_iter().find(|entry| entry.name == name).unwrap().found
        };
        assert_eq!(found("digits"), Found::BuiltIn);
        assert_eq!((found("kmnist"), found("cifar10")), (Found::Nowhere, Found::Nowhere));
        let kmnist = cache.path().join("kmnist");
        let cifar = cache.path().join("cifar10/cifar-10-batches-bin");
        std::fs::create_dir_all(&kmnist).unwrap();
        std::fs::create_dir_all(&cifar).unwrap();
        for family in Family::all().iter().filter(|family| family.name == "kmnist") {
            family.files().iter().for_each(|file| std::fs::write(kmnist.join(file), "").unwrap());
        }
        std::fs::write(cifar.join("data_batch_1.bin"), "").unwrap();
        assert_eq!((found("kmnist"), found("cifar10")), (Found::In(kmnist), Found::In(cifar)));
        assert_eq!((found("mnist"), found("mnist-rot")), (Found::Nowhere, Found::Nowhere));
        let mnist = cache.path().join("mnist");
        std::fs::create_dir_all(&mnist).unwrap();
        for family in Family::all().iter().filter(|family| family.name == "mnist") {
            family.files().iter().for_each(|file| std::fs::write(mnist.join(file), "").unwrap());
        }
        assert_eq!(
            (found("mnist"), found("mnist-rot")),
            (Found::In(mnist.clone()), Found::In(mnist))
        );
    }
}
