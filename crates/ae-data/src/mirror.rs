//! From the published place into the cache.

use std::path::Path;

use crate::family::{Family, Origin};
use crate::mnist::RENEW;
use crate::{Progress, Result, Search, archive, download::fetch};

/// No published file is larger, and no archive of them.
const FILE_LIMIT: u64 = 64 << 20;
const ARCHIVE_LIMIT: u64 = 1 << 30;

/// Completes the family's files in the cache, or says why it could not.
///
/// An archive that lies in one of the folders searched is used before one is downloaded.
pub(crate) fn obtain(
    family: &Family,
    search: &Search,
    cached: &Path,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Option<String>> {
    let there = family.find(cached);
    if there.iter().all(Option::is_some) {
        return Ok(None);
    }
    let mut fetch = |name: &str, md5: &str, at_most: u64| {
        if !search.download {
            return Err("downloads are off".to_owned());
        }
        fetch_any(&family.mirrors, name, cached, md5, at_most, progress)
    };
    match &family.origin {
        Origin::Files(digests) => {
            for ((name, md5), there) in family.files().iter().zip(digests).zip(&there) {
                if there.is_none()
                    && let Err(why) = fetch(name, md5, FILE_LIMIT)
                {
                    return Ok(Some(why));
                }
            }
        }
        Origin::Zip { name, md5 } => {
            let folders = search.folders(family.folder)?;
            let mut places = folders.iter().map(|folder| folder.join(name));
            let archive = match places.find(|path| path.is_file()) {
                Some(archive) => archive,
                None => match fetch(name, md5, ARCHIVE_LIMIT) {
                    Ok(()) => cached.join(name),
                    Err(why) => return Ok(Some(why)),
                },
            };
            archive::unpack(&archive, &family.files(), cached).map_err(|error| {
                if archive.starts_with(cached) { error.advise(RENEW) } else { error }
            })?;
        }
    }
    Ok(None)
}

/// Tries one mirror after another; the error says what each answered.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::download::tests::{answer, md5, serve};
    use crate::mnist::load_family;
    use crate::{Samples, Shape, idx};
    use std::io::Write;

    /// A published family whose files are four tiny ones, at the given mirrors.
    fn tiny(name: &str, mirrors: Vec<String>) -> Family {
        let mut family = Family::all().into_iter().find(|family| family.name == name).unwrap();
        family.mirrors = mirrors;
        if let Origin::Files(digests) = &mut family.origin {
            *digests = files().map(|bytes| md5(&bytes));
        }
        family
    }

    /// One training and one test image of 1x2 pixels, with labels 3 and 4, as gzip IDX.
    fn files() -> [Vec<u8>; 4] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file.gz");
        [3, 4]
            .map(|label| {
                let image =
                    Samples::from_bytes(vec![0, label * 51], Shape::image(1, 1, 2)).unwrap();
                idx::write_images(&path, &image).unwrap();
                let image = std::fs::read(&path).unwrap();
                idx::write_labels(&path, &[label]).unwrap();
                [image, std::fs::read(&path).unwrap()]
            })
            .concat()
            .try_into()
            .unwrap()
    }

    /// A server that has the four files, the last one as given.
    fn server(last: Vec<u8>) -> String {
        let [images, labels, test_images, _] = files();
        serve(vec![
            ("train-images-idx3-ubyte.gz", answer(&images)),
            ("train-labels-idx1-ubyte.gz", answer(&labels)),
            ("t10k-images-idx3-ubyte.gz", answer(&test_images)),
            ("t10k-labels-idx1-ubyte.gz", answer(&last)),
        ])
    }

    fn search(cache: &Path) -> Search {
        Search { data_dir: None, cache_dir: Some(cache.to_owned()), download: true }
    }

    #[test]
    fn what_one_mirror_lacks_another_has_and_the_cache_keeps() {
        let cache = tempfile::tempdir().unwrap();
        let [.., last] = files();
        let family = tiny("kmnist", vec![serve(vec![]), server(last)]);
        let mut addresses = vec![];
        let parts = load_family(&family, &search(cache.path()), &mut |progress| {
            addresses.push(progress.address.to_owned());
        })
        .unwrap();
        assert_eq!(parts.training.labels().unwrap().classes(), [3]);
        assert_eq!(parts.test.row(0), [0.0, 0.8]);
        addresses.dedup();
        let expected = family.files().map(|file| format!("{}{file}", family.mirrors[1]));
        assert_eq!(addresses, expected);

        let offline = Search { download: false, ..search(cache.path()) };
        let again = load_family(&family, &offline, &mut |_| panic!("nothing to fetch")).unwrap();
        assert_eq!(again.test.row(0), [0.0, 0.8]);

        let broken = cache.path().join("kmnist/t10k-images-idx3-ubyte.gz");
        let bytes = std::fs::read(&broken).unwrap();
        std::fs::write(&broken, &bytes[..bytes.len() - 6]).unwrap();
        let error = load_family(&family, &offline, &mut |_| ()).unwrap_err().to_string();
        let expected = format!(
            "{}: expected a whole gzip file, got one that breaks off; \
             delete this file to have it downloaded again",
            broken.display()
        );
        assert_eq!(error, expected);
    }

    #[test]
    fn a_mirror_that_is_away_leaves_no_trace() {
        let cache = tempfile::tempdir().unwrap();
        let family = tiny("mnist", vec!["http://127.0.0.1:1/".into()]);
        let error = load_family(&family, &search(cache.path()), &mut |_| ()).unwrap_err();
        let expected = "was not downloaded (http://127.0.0.1:1/train-images-idx3-ubyte.gz: \
                        expected an answer, got ";
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(std::fs::read_dir(cache.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_file_of_another_digest_is_not_kept() {
        let cache = tempfile::tempdir().unwrap();
        let family = tiny("fashion-mnist", vec![server(b"something else".to_vec())]);
        let error = load_family(&family, &search(cache.path()), &mut |_| ()).unwrap_err();
        let [.., last] = files();
        let (url, folder) = (&family.mirrors[0], cache.path().join("fashion-mnist"));
        let expected = format!(
            "fashion-mnist is not in {folder} and was not downloaded \
             ({url}t10k-labels-idx1-ubyte.gz: expected MD5 {}, got {}; nothing was kept): \
             put train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz, \
             t10k-images-idx3-ubyte.gz and t10k-labels-idx1-ubyte.gz from {url} into that folder",
            md5(&last),
            md5(b"something else"),
            folder = folder.display(),
        );
        assert_eq!(error.to_string(), expected);
        assert_eq!(family.find(&folder).map(|file| file.is_some()), [true, true, true, false]);
        assert_eq!(std::fs::read_dir(folder).unwrap().count(), 3);
    }

    /// EMNIST's archive, with the members of two splits.
    fn archive() -> Vec<u8> {
        let mut archive = zip::ZipWriter::new(std::io::Cursor::new(vec![]));
        let options = zip::write::SimpleFileOptions::default();
        for name in ["emnist-letters", "emnist-digits"] {
            let names = tiny(name, vec![]).files();
            for (name, bytes) in names.iter().zip(files()) {
                archive.start_file(format!("gzip/{name}"), options).unwrap();
                archive.write_all(&bytes).unwrap();
            }
        }
        archive.finish().unwrap().into_inner()
    }

    #[test]
    fn an_archive_is_fetched_once_for_all_its_splits() {
        let cache = tempfile::tempdir().unwrap();
        let url = serve(vec![("gzip.zip", answer(&archive()))]);
        let mut letters = tiny("emnist-letters", vec![url]);
        letters.origin = Origin::Zip { name: "gzip.zip", md5: md5(&archive()) };
        let parts = load_family(&letters, &search(cache.path()), &mut |_| ()).unwrap();
        assert_eq!(parts.training.shape(), &Shape::image(1, 2, 1));
        assert_eq!(parts.training.labels().unwrap().classes(), [2]); // c

        let offline = Search { download: false, ..search(cache.path()) };
        let digits = tiny("emnist-digits", vec!["http://nowhere/".into()]);
        let parts = load_family(&digits, &offline, &mut |_| ()).unwrap();
        assert_eq!(parts.test.labels().unwrap().classes(), [4]);

        let error = load_family(&tiny("emnist-mnist", vec![]), &offline, &mut |_| ());
        let expected = format!(
            "{}: expected gzip/emnist-mnist-train-images-idx3-ubyte.gz in it, got an archive \
             without it; delete this file to have it downloaded again",
            cache.path().join("emnist/gzip.zip").display()
        );
        assert_eq!(error.unwrap_err().to_string(), expected);
    }

    #[test]
    fn an_archive_of_the_users_is_used_and_not_blamed_on_the_cache() {
        let (data, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let zip = data.path().join("gzip.zip");
        let search = Search {
            data_dir: Some(data.path().to_owned()),
            cache_dir: Some(cache.path().to_owned()),
            download: false,
        };
        let family = tiny("emnist-letters", vec![]);
        std::fs::write(&zip, archive()).unwrap();
        assert!(load_family(&family, &search, &mut |_| ()).is_ok());
        assert!(cache.path().join("emnist").is_dir());

        std::fs::remove_dir_all(cache.path().join("emnist")).unwrap();
        std::fs::write(&zip, b"PK no archive").unwrap();
        let error = load_family(&family, &search, &mut |_| ()).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{}: expected a zip archive, got", zip.display())));
        assert!(!error.contains("delete"), "{error}");
    }
}
