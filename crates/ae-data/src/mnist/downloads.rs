//! Tests of loading a set that is downloaded first, from a server on this machine.

use std::io::Write;
use std::path::Path;

use super::load_mnist_like;
use crate::download::tests::{answer, md5, serve};
use crate::mnist_like::{MnistLike, Origin};
use crate::{DataDirs, Samples, Shape, idx};

/// A published set with four tiny files, at the given mirrors.
fn tiny(name: &str, mirrors: Vec<String>) -> MnistLike {
    let mut set = MnistLike::all().into_iter().find(|set| set.name == name).unwrap();
    set.mirrors = mirrors;
    if let Origin::Files(digests) = &mut set.origin {
        *digests = files().map(|bytes| md5(&bytes));
    }
    set
}

/// One training and one test image of 1x2 pixels, with labels 3 and 4, as gzip IDX.
fn files() -> [Vec<u8>; 4] {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file.gz");
    [3, 4]
        .map(|label| {
            let image = Samples::from_bytes(vec![0, label * 51], Shape::image(1, 1, 2)).unwrap();
            idx::write_images(&path, &image).unwrap();
            let image = std::fs::read(&path).unwrap();
            idx::write_labels(&path, &[label]).unwrap();
            [image, std::fs::read(&path).unwrap()]
        })
        .concat()
        .try_into()
        .unwrap()
}

/// A server with the four files, of which the last has these bytes.
fn server(last: Vec<u8>) -> String {
    let [images, labels, test_images, _] = files();
    serve(vec![
        ("train-images-idx3-ubyte.gz", answer(&images)),
        ("train-labels-idx1-ubyte.gz", answer(&labels)),
        ("t10k-images-idx3-ubyte.gz", answer(&test_images)),
        ("t10k-labels-idx1-ubyte.gz", answer(&last)),
    ])
}

fn dirs(cache: &Path) -> DataDirs {
    DataDirs { data_dir: None, cache_dir: Some(cache.to_owned()), download: true }
}

#[test]
fn second_mirror_is_tried_and_the_cache_is_reused() {
    let cache = tempfile::tempdir().unwrap();
    let [.., last] = files();
    let set = tiny("kmnist", vec![serve(vec![]), server(last)]);
    let mut addresses = vec![];
    let splits = load_mnist_like(&set, &dirs(cache.path()), &mut |progress| {
        addresses.push(progress.address.to_owned());
    })
    .unwrap();
    assert_eq!(splits.training.labels().unwrap().classes(), [3]);
    assert_eq!(splits.test.row(0), [0.0, 0.8]);
    addresses.dedup();
    let expected = set.files().map(|file| format!("{}{file}", set.mirrors[1]));
    assert_eq!(addresses, expected);

    let offline = DataDirs { download: false, ..dirs(cache.path()) };
    let again = load_mnist_like(&set, &offline, &mut |_| panic!("nothing to fetch")).unwrap();
    assert_eq!(again.test.row(0), [0.0, 0.8]);

    let broken = cache.path().join("kmnist/t10k-images-idx3-ubyte.gz");
    let bytes = std::fs::read(&broken).unwrap();
    std::fs::write(&broken, &bytes[..bytes.len() - 6]).unwrap();
    let error = load_mnist_like(&set, &offline, &mut |_| ()).unwrap_err().to_string();
    let expected = format!(
        "{}: expected a whole gzip file, got one that is cut short; \
         delete this file to have it downloaded again",
        broken.display()
    );
    assert_eq!(error, expected);
}

#[test]
fn unreachable_mirror_leaves_no_files() {
    let cache = tempfile::tempdir().unwrap();
    let set = tiny("mnist", vec!["http://127.0.0.1:1/".into()]);
    let error = load_mnist_like(&set, &dirs(cache.path()), &mut |_| ()).unwrap_err();
    let expected = "was not downloaded (http://127.0.0.1:1/train-images-idx3-ubyte.gz: \
                    expected an answer, got ";
    assert!(error.to_string().contains(expected), "{error}");
    assert_eq!(std::fs::read_dir(cache.path()).unwrap().count(), 0);
}

#[test]
fn file_with_the_wrong_digest_is_deleted() {
    let cache = tempfile::tempdir().unwrap();
    let set = tiny("fashion-mnist", vec![server(b"something else".to_vec())]);
    let error = load_mnist_like(&set, &dirs(cache.path()), &mut |_| ()).unwrap_err();
    let [.., last] = files();
    let (url, folder) = (&set.mirrors[0], cache.path().join("fashion-mnist"));
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
    assert_eq!(set.find(&folder).map(|file| file.is_some()), [true, true, true, false]);
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
fn archive_is_downloaded_once_for_all_splits() {
    let cache = tempfile::tempdir().unwrap();
    let url = serve(vec![("gzip.zip", answer(&archive()))]);
    let mut letters = tiny("emnist-letters", vec![url]);
    letters.origin = Origin::Zip { name: "gzip.zip", md5: md5(&archive()) };
    let splits = load_mnist_like(&letters, &dirs(cache.path()), &mut |_| ()).unwrap();
    assert_eq!(splits.training.shape(), &Shape::image(1, 2, 1));
    assert_eq!(splits.training.labels().unwrap().classes(), [2]); // c

    let offline = DataDirs { download: false, ..dirs(cache.path()) };
    let digits = tiny("emnist-digits", vec!["http://nowhere/".into()]);
    let splits = load_mnist_like(&digits, &offline, &mut |_| ()).unwrap();
    assert_eq!(splits.test.labels().unwrap().classes(), [4]);

    let error = load_mnist_like(&tiny("emnist-mnist", vec![]), &offline, &mut |_| ());
    let expected = format!(
        "{}: expected gzip/emnist-mnist-train-images-idx3-ubyte.gz in it, got an archive \
         without it; delete this file to have it downloaded again",
        cache.path().join("emnist/gzip.zip").display()
    );
    assert_eq!(error.unwrap_err().to_string(), expected);
}

#[test]
fn archive_in_the_users_folder_is_used_without_cache_advice() {
    let (data, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let zip = data.path().join("gzip.zip");
    let dirs = DataDirs {
        data_dir: Some(data.path().to_owned()),
        cache_dir: Some(cache.path().to_owned()),
        download: false,
    };
    let set = tiny("emnist-letters", vec![]);
    std::fs::write(&zip, archive()).unwrap();
    assert!(load_mnist_like(&set, &dirs, &mut |_| ()).is_ok());
    assert!(cache.path().join("emnist").is_dir());

    std::fs::remove_dir_all(cache.path().join("emnist")).unwrap();
    std::fs::write(&zip, b"PK no archive").unwrap();
    let error = load_mnist_like(&set, &dirs, &mut |_| ()).unwrap_err().to_string();
    assert!(error.starts_with(&format!("{}: expected a zip archive, got", zip.display())));
    assert!(!error.contains("delete"), "{error}");
}
