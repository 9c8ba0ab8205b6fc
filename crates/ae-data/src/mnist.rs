//! MNIST, Fashion-MNIST, KMNIST and EMNIST by name, and any folder of IDX files named like theirs.

use std::path::{Path, PathBuf};

use crate::error::{list, quote};
use crate::mnist_like::{self, DELETE_TO_REFETCH, MnistLike, Origin};
use crate::{DataDirs, Error, Progress, Result, Samples, Splits, idx, idx_set::IdxConvention};

#[cfg(all(test, feature = "download"))]
mod downloads;

/// Loads `mnist`, `fashion-mnist`, `kmnist` or `emnist-<split>`, `<split>` being `balanced`,
/// `byclass`, `bymerge`, `digits`, `letters` or `mnist`.
///
/// Files in `data_dir` need only be valid, so a subset of the samples works; downloads must have
/// the published MD5. Files may be gzip or not, and named `train-images-idx3-ubyte` or
/// `train-images.idx3-ubyte`. EMNIST comes as one archive of 562 MB, which stays in the cache for
/// its other splits. Its images are turned upright, and class 0 of `emnist-letters` is the letter a
/// (label 1 in the file).
///
/// # Errors
/// If there is no set of this name or a file is malformed. If the set is not on this machine and
/// cannot be downloaded, [`Error::Missing`] says which files to put where.
pub fn load(name: &str, dirs: &DataDirs, progress: &mut dyn FnMut(Progress<'_>)) -> Result<Splits> {
    let sets = MnistLike::all();
    match sets.iter().find(|set| set.name == name) {
        Some(set) => load_mnist_like(set, dirs, progress),
        None => {
            let names: Vec<_> = sets.into_iter().map(|set| set.name).collect();
            Err(Error::invalid("data set", list(&names, "or"), quote(name)))
        }
    }
}

/// Reads a folder of IDX files with MNIST's names: training images, and if present their labels,
/// the test images and the labels of these. Classes are named by their numbers.
///
/// # Errors
/// If there are no training images, or a file is malformed.
pub fn read_folder(folder: &Path) -> Result<(Samples, Option<Samples>)> {
    read_folder_within(folder, usize::MAX)
}

/// Reads a folder as [`read_folder`] does, and leaves images on the disk that take more than `limit` bytes.
pub(crate) fn read_folder_within(
    folder: &Path,
    limit: usize,
) -> Result<(Samples, Option<Samples>)> {
    let [images, labels, test_images, test_labels] = mnist_like::find(mnist_like::STEMS, folder);
    let Some(images) = images else {
        return Err(Error::malformed(folder, "train-images-idx3-ubyte (or .gz)", "none"));
    };
    if let (None, Some(labels)) = (&test_images, &test_labels) {
        return Err(Error::malformed(labels, "test images for the test labels", "none"));
    }
    let mut last = 0;
    for labels in [&labels, &test_labels].into_iter().flatten() {
        last = idx::read_labels(labels)?.into_iter().fold(last, u8::max);
    }
    let convention = IdxConvention {
        first_label: 0,
        names: (0..=last).map(|class| class.to_string()).collect(),
        transposed: false,
        limit,
    };
    let training = convention.read(&images, labels.as_deref())?;
    let Some(test_images) = test_images else {
        return Ok((training, None));
    };
    let test = convention.read_test(&test_images, test_labels.as_deref(), &training)?;
    Ok((training, Some(test)))
}

pub(crate) fn load_mnist_like(
    set: &MnistLike,
    dirs: &DataDirs,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Splits> {
    for folder in dirs.user_folders(set.folder)? {
        let files = set.find(&folder);
        if files.iter().all(Option::is_none) {
            continue;
        }
        let names = set.files().into_iter().zip(&files);
        let missing: Vec<_> =
            names.filter(|(_, file)| file.is_none()).map(|(name, _)| name).collect();
        if !missing.is_empty() {
            let expected = format!("all four files of {}", set.name);
            let got = format!("no {}", list(&missing, "and no"));
            return Err(Error::malformed(&folder, expected, got));
        }
        return read(set, files);
    }
    let why = match dirs.cache_folder(set.folder) {
        None => "there is no cache folder to keep it in".to_owned(),
        Some(cached) => match ensure_cached(set, dirs, &cached, progress)? {
            None => {
                return read(set, set.find(&cached))
                    .map_err(|error| error.advise(DELETE_TO_REFETCH));
            }
            Some(why) => why,
        },
    };
    Err(missing(set, dirs, &why))
}

#[cfg(feature = "download")]
use crate::cache::ensure_cached;

/// Says why files are missing in the cache, if they are.
#[cfg(not(feature = "download"))]
fn ensure_cached(
    set: &MnistLike,
    dirs: &DataDirs,
    cached: &Path,
    _: &mut dyn FnMut(Progress<'_>),
) -> Result<Option<String>> {
    let complete = set.find(cached).iter().all(Option::is_some);
    let why = if dirs.download {
        "this program was built without downloads"
    } else {
        "downloads are off"
    };
    Ok((!complete).then(|| why.to_owned()))
}

fn missing(set: &MnistLike, dirs: &DataDirs, why: &str) -> Error {
    let folders = dirs.folders(set.folder).unwrap_or_default();
    let folders: Vec<_> = folders.iter().map(|folder| folder.display().to_string()).collect();
    let address = &set.mirrors[0];
    let files = list(&set.files(), "and");
    let files = match &set.origin {
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
        set.name
    ))
}

fn read(set: &MnistLike, files: [Option<PathBuf>; 4]) -> Result<Splits> {
    let [Some(images), Some(labels), Some(test_images), Some(test_labels)] = files else {
        return Err(Error::Missing(format!(
            "a file of {} was deleted while it was read",
            set.name
        )));
    };
    let convention = IdxConvention {
        first_label: set.first_label,
        names: set.class_names(),
        transposed: set.transposed,
        limit: usize::MAX,
    };
    let training = convention.read(&images, Some(&labels))?;
    let test = convention.read_test(&test_images, Some(&test_labels), &training)?;
    Ok(Splits { training, test })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Shape;

    /// Writes three training images of 2x2 pixels and one test image under the names of `set`.
    fn write(set: &MnistLike, folder: &Path, labels: &[u8; 4]) {
        std::fs::create_dir_all(folder).unwrap();
        let [images, train_labels, test_images, test_labels] =
            set.files().map(|file| folder.join(file));
        let pixels: Vec<u8> = (0..16).map(|pixel| pixel * 17).collect();
        let samples = Samples::from_bytes(pixels, Shape::image(1, 2, 2)).unwrap();
        idx::write_images(&images, &samples.take(3)).unwrap();
        idx::write_images(&test_images, &samples.subset(&[3])).unwrap();
        idx::write_labels(&train_labels, &labels[..3]).unwrap();
        idx::write_labels(&test_labels, &labels[3..]).unwrap();
    }

    fn set_named(name: &str) -> MnistLike {
        MnistLike::all().into_iter().find(|set| set.name == name).unwrap()
    }

    fn offline(data: Option<&Path>, cache: &Path) -> DataDirs {
        let cache_dir = Some(cache.to_owned());
        DataDirs { data_dir: data.map(Path::to_owned), cache_dir, download: false }
    }

    #[test]
    fn subset_in_the_users_folder_is_read() {
        let data = tempfile::tempdir().unwrap();
        write(&set_named("fashion-mnist"), data.path(), &[9, 0, 1, 2]);
        let dirs = offline(Some(data.path()), Path::new("/nowhere"));
        let splits = load("fashion-mnist", &dirs, &mut |_| ()).unwrap();
        assert_eq!((splits.training.len(), splits.test.len()), (3, 1));
        assert_eq!(splits.training.row(0), [0.0, 17.0, 34.0, 51.0].map(|byte| byte / 255.0));
        let labels = splits.training.labels().unwrap();
        assert_eq!(labels.names()[labels.classes()[0] as usize], "Ankle boot");
    }

    /// `[0 1; 2 3]` is stored as `[0 2; 1 3]`.
    #[test]
    fn emnist_is_transposed_and_its_letters_start_at_one() {
        let cache = tempfile::tempdir().unwrap();
        let letters = set_named("emnist-letters");
        write(&letters, &cache.path().join("emnist"), &[1, 26, 2, 3]);
        let dirs = offline(None, cache.path());
        let splits = load("emnist-letters", &dirs, &mut |_| ()).unwrap();
        assert_eq!(splits.training.row(0), [0.0, 34.0, 17.0, 51.0].map(|byte| byte / 255.0));
        let labels = splits.training.labels().unwrap();
        assert_eq!((labels.classes(), &*labels.names()[25]), (&[0, 25, 1][..], "z"));
        assert_eq!(splits.test.labels().unwrap().classes(), [2]);

        write(&letters, &cache.path().join("emnist"), &[1, 0, 2, 3]);
        let error = load("emnist-letters", &dirs, &mut |_| ()).unwrap_err().to_string();
        let expected = "emnist-letters-train-labels-idx1-ubyte.gz, label 2: expected a number from \
                        1 to 26, got 0; delete this file to have it downloaded again";
        assert!(error.ends_with(expected), "{error}");
    }

    #[test]
    fn folder_with_mnists_file_names_is_read() {
        let folder = tempfile::tempdir().unwrap();
        write(&set_named("mnist"), folder.path(), &[200, 0, 1, 2]);
        let (training, test) = read_folder(folder.path()).unwrap();
        assert_eq!(training.labels().unwrap().names().len(), 201);
        assert_eq!(test.unwrap().len(), 1);
        std::fs::remove_file(folder.path().join("t10k-images-idx3-ubyte.gz")).unwrap();
        let error = read_folder(folder.path()).unwrap_err().to_string();
        assert!(error.ends_with(": expected test images for the test labels, got none"), "{error}");
        std::fs::remove_file(folder.path().join("t10k-labels-idx1-ubyte.gz")).unwrap();
        std::fs::remove_file(folder.path().join("train-labels-idx1-ubyte.gz")).unwrap();
        let (training, test) = read_folder(folder.path()).unwrap();
        assert!(training.labels().is_none() && test.is_none());
    }
}
