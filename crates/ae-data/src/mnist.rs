//! MNIST, Fashion-MNIST, KMNIST and EMNIST by name, and any folder of IDX files named like theirs.

use std::path::{Path, PathBuf};

use crate::error::{list, quote};
use crate::family::{self, Family, Origin};
use crate::{Error, Parts, Progress, Result, Samples, Search, idx, part::Convention};

/// Loads `mnist`, `fashion-mnist`, `kmnist` or `emnist-<split>`, `<split>` being `balanced`,
/// `byclass`, `bymerge`, `digits`, `letters` or `mnist`.
///
/// What a user put into `data_dir` is checked by structure only, so a subset is welcome; what is
/// downloaded must have the published MD5. Files may be gzip or not, and named
/// `train-images-idx3-ubyte` or `train-images.idx3-ubyte`. EMNIST comes as one archive of 562 MB
/// that stays in the cache for its other splits; its images are turned upright, and class 0 of
/// `emnist-letters` is the letter a (label 1 in the file).
///
/// # Errors
/// If there is no such set, a file is not what it should be, or the set is neither on this machine
/// nor to be had: then one sentence ([`Error::Missing`]) says which files to put where.
pub fn load(name: &str, search: &Search, progress: &mut dyn FnMut(Progress<'_>)) -> Result<Parts> {
    let families = Family::all();
    match families.iter().find(|family| family.name == name) {
        Some(family) => load_family(family, search, progress),
        None => {
            let names: Vec<_> = families.into_iter().map(|family| family.name).collect();
            Err(Error::invalid("data set", list(&names, "or"), quote(name)))
        }
    }
}

/// Reads a folder of IDX files named as MNIST's: training images and, where they are there, their
/// labels, test images, and their labels. Classes are called by their numbers.
///
/// # Errors
/// If there are no training images, or a file is not what it should be.
pub fn read_folder(folder: &Path) -> Result<(Samples, Option<Samples>)> {
    let [images, labels, test_images, test_labels] = family::find(family::STEMS, folder);
    let Some(images) = images else {
        return Err(Error::malformed(folder, "train-images-idx3-ubyte (or .gz)", "none"));
    };
    if let (None, Some(labels)) = (&test_images, &test_labels) {
        return Err(Error::malformed(labels, "test images beside test labels", "none"));
    }
    let mut last = 0;
    for labels in [&labels, &test_labels].into_iter().flatten() {
        last = idx::read_labels(labels)?.into_iter().fold(last, u8::max);
    }
    let convention = Convention {
        first_label: 0,
        names: (0..=last).map(|class| class.to_string()).collect(),
        transposed: false,
    };
    let training = convention.read(&images, labels.as_deref())?;
    let Some(test_images) = test_images else {
        return Ok((training, None));
    };
    let test = convention.read_test(&test_images, test_labels.as_deref(), &training)?;
    Ok((training, Some(test)))
}

pub(crate) fn load_family(
    family: &Family,
    search: &Search,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Parts> {
    for folder in search.own(family.folder)? {
        let files = family.find(&folder);
        if files.iter().all(Option::is_none) {
            continue;
        }
        let names = family.files().into_iter().zip(&files);
        let missing: Vec<_> =
            names.filter(|(_, file)| file.is_none()).map(|(name, _)| name).collect();
        if !missing.is_empty() {
            let expected = format!("all four files of {}", family.name);
            let got = format!("no {}", list(&missing, "and no"));
            return Err(Error::malformed(&folder, expected, got));
        }
        return read(family, files);
    }
    let why = match search.cached(family.folder) {
        None => "there is no cache folder to keep it in".to_owned(),
        Some(cached) => match obtain(family, search, &cached, progress)? {
            None => {
                return read(family, family.find(&cached)).map_err(|error| error.advise(RENEW));
            }
            Some(why) => why,
        },
    };
    Err(missing(family, search, &why))
}

/// What to do about a broken file in the cache.
pub(crate) const RENEW: &str = "delete this file to have it downloaded again";

#[cfg(feature = "download")]
use crate::mirror::obtain;

/// Completes the family's files in the cache, or says why it could not.
#[cfg(not(feature = "download"))]
fn obtain(
    family: &Family,
    search: &Search,
    cached: &Path,
    _: &mut dyn FnMut(Progress<'_>),
) -> Result<Option<String>> {
    let complete = family.find(cached).iter().all(Option::is_some);
    let why = if search.download {
        "this program was built without downloads"
    } else {
        "downloads are off"
    };
    Ok((!complete).then(|| why.to_owned()))
}

fn missing(family: &Family, search: &Search, why: &str) -> Error {
    let folders = search.folders(family.folder).unwrap_or_default();
    let folders: Vec<_> = folders.iter().map(|folder| folder.display().to_string()).collect();
    let address = &family.mirrors[0];
    let files = list(&family.files(), "and");
    let files = match &family.origin {
        Origin::Files(_) => format!("{files} from {address}"),
        Origin::Zip { name, .. } if cfg!(feature = "download") => format!("{address}{name}"),
        Origin::Zip { name, .. } => format!("{files} out of {address}{name}"),
    };
    let (place, target) = match &*folders {
        [] => ("on this machine".to_owned(), "a folder and name that as the data folder"),
        [one] => (format!("in {one}"), "that folder"),
        _ => (format!("in {}", list(&folders, "or")), "one of these folders"),
    };
    Error::Missing(format!(
        "{} is not {place} and was not downloaded ({why}): put {files} into {target}",
        family.name
    ))
}

fn read(family: &Family, files: [Option<PathBuf>; 4]) -> Result<Parts> {
    let [Some(images), Some(labels), Some(test_images), Some(test_labels)] = files else {
        return Err(Error::Missing(format!("a file of {} has just gone away", family.name)));
    };
    let convention = Convention {
        first_label: family.first_label,
        names: family.class_names(),
        transposed: family.transposed,
    };
    let training = convention.read(&images, Some(&labels))?;
    let test = convention.read_test(&test_images, Some(&test_labels), &training)?;
    Ok(Parts { training, test })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Shape;

    /// Three training images of 2x2 pixels and one test image, under the names of `family`.
    fn write(family: &Family, folder: &Path, labels: &[u8; 4]) {
        std::fs::create_dir_all(folder).unwrap();
        let [images, train_labels, test_images, test_labels] =
            family.files().map(|file| folder.join(file));
        let pixels: Vec<u8> = (0..16).map(|pixel| pixel * 17).collect();
        let samples = Samples::from_bytes(pixels, Shape::image(1, 2, 2)).unwrap();
        idx::write_images(&images, &samples.take(3)).unwrap();
        idx::write_images(&test_images, &samples.subset(&[3])).unwrap();
        idx::write_labels(&train_labels, &labels[..3]).unwrap();
        idx::write_labels(&test_labels, &labels[3..]).unwrap();
    }

    fn family(name: &str) -> Family {
        Family::all().into_iter().find(|family| family.name == name).unwrap()
    }

    fn offline(data: Option<&Path>, cache: &Path) -> Search {
        let cache_dir = Some(cache.to_owned());
        Search { data_dir: data.map(Path::to_owned), cache_dir, download: false }
    }

    #[test]
    fn a_subset_in_the_users_folder_is_welcome() {
        let data = tempfile::tempdir().unwrap();
        write(&family("fashion-mnist"), data.path(), &[9, 0, 1, 2]);
        let search = offline(Some(data.path()), Path::new("/nowhere"));
        let parts = load("fashion-mnist", &search, &mut |_| ()).unwrap();
        assert_eq!((parts.training.len(), parts.test.len()), (3, 1));
        assert_eq!(parts.training.row(0), [0.0, 17.0, 34.0, 51.0].map(|byte| byte / 255.0));
        let labels = parts.training.labels().unwrap();
        assert_eq!(labels.names()[labels.classes()[0] as usize], "Ankle boot");
    }

    /// `[0 1; 2 3]` is stored as `[0 2; 1 3]`.
    #[test]
    fn emnist_is_turned_upright_and_its_letters_start_at_one() {
        let cache = tempfile::tempdir().unwrap();
        let letters = family("emnist-letters");
        write(&letters, &cache.path().join("emnist"), &[1, 26, 2, 3]);
        let search = offline(None, cache.path());
        let parts = load("emnist-letters", &search, &mut |_| ()).unwrap();
        assert_eq!(parts.training.row(0), [0.0, 34.0, 17.0, 51.0].map(|byte| byte / 255.0));
        let labels = parts.training.labels().unwrap();
        assert_eq!((labels.classes(), &*labels.names()[25]), (&[0, 25, 1][..], "z"));
        assert_eq!(parts.test.labels().unwrap().classes(), [2]);

        write(&letters, &cache.path().join("emnist"), &[1, 0, 2, 3]);
        let error = load("emnist-letters", &search, &mut |_| ()).unwrap_err().to_string();
        let expected = "emnist-letters-train-labels-idx1-ubyte.gz, label 2: expected a number from \
                        1 to 26, got 0; delete this file to have it downloaded again";
        assert!(error.ends_with(expected), "{error}");
    }

    #[test]
    fn any_folder_named_like_mnist_can_be_read() {
        let folder = tempfile::tempdir().unwrap();
        write(&family("mnist"), folder.path(), &[200, 0, 1, 2]);
        let (training, test) = read_folder(folder.path()).unwrap();
        assert_eq!(training.labels().unwrap().names().len(), 201);
        assert_eq!(test.unwrap().len(), 1);
        std::fs::remove_file(folder.path().join("t10k-images-idx3-ubyte.gz")).unwrap();
        let error = read_folder(folder.path()).unwrap_err().to_string();
        assert!(error.ends_with(": expected test images beside test labels, got none"), "{error}");
        std::fs::remove_file(folder.path().join("t10k-labels-idx1-ubyte.gz")).unwrap();
        std::fs::remove_file(folder.path().join("train-labels-idx1-ubyte.gz")).unwrap();
        let (training, test) = read_folder(folder.path()).unwrap();
        assert!(training.labels().is_none() && test.is_none());
    }
}
