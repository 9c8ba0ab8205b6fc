//! Downloads the published files of a data set into the cache.

use std::path::Path;

use crate::mnist_like::{DELETE_TO_REFETCH, MnistLike, Origin};
use crate::{DataDirs, Progress, Result, archive, download::fetch};

/// No published file or archive is larger.
const FILE_LIMIT: u64 = 64 << 20;
const ARCHIVE_LIMIT: u64 = 1 << 30;

/// Completes the set's files in the cache, or says why it could not.
///
/// An archive in one of the searched folders is used before one is downloaded.
pub(crate) fn ensure_cached(
    set: &MnistLike,
    dirs: &DataDirs,
    cached: &Path,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Option<String>> {
    let there = set.find(cached);
    if there.iter().all(Option::is_some) {
        return Ok(None);
    }
    let mut fetch = |name: &str, md5: &str, at_most: u64| {
        if !dirs.download {
            return Err("downloads are off".to_owned());
        }
        fetch_any(&set.mirrors, name, cached, md5, at_most, progress)
    };
    match &set.origin {
        Origin::Files(digests) => {
            for ((name, md5), there) in set.files().iter().zip(digests).zip(&there) {
                if there.is_none()
                    && let Err(why) = fetch(name, md5, FILE_LIMIT)
                {
                    return Ok(Some(why));
                }
            }
        }
        Origin::Zip { name, md5 } => {
            let folders = dirs.folders(set.folder)?;
            let mut places = folders.iter().map(|folder| folder.join(name));
            let archive = match places.find(|path| path.is_file()) {
                Some(archive) => archive,
                None => match fetch(name, md5, ARCHIVE_LIMIT) {
                    Ok(()) => cached.join(name),
                    Err(why) => return Ok(Some(why)),
                },
            };
            archive::unpack(&archive, &set.files(), cached).map_err(|error| {
                if archive.starts_with(cached) { error.advise(DELETE_TO_REFETCH) } else { error }
            })?;
        }
    }
    Ok(None)
}

/// Tries one mirror after another. The error says what each of them answered.
fn fetch_any(
    mirrors: &[String],
    name: &str,
    folder: &Path,
    md5: &str,
    at_most: u64,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<(), String> {
    let mut failures = vec![];
    for mirror in mirrors {
        match fetch(&format!("{mirror}{name}"), &folder.join(name), md5, at_most, progress) {
            Ok(()) => return Ok(()),
            Err(error) => failures.push(error.to_string()),
        }
    }
    Err(failures.join("; "))
}
