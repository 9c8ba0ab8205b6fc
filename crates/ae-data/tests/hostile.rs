//! Every malformed input, and the text of its error.
//!
//! The texts are part of the interface of this crate: they are compared letter by letter, and printed
//! for reading (`cargo test --test hostile -- --nocapture`). `<dir>` is the folder of the files.

use std::fs;
use std::io::Write;
use std::path::Path;

use ae_data::{DataDirs, Error, Options, cifar, idx, mnist, npy, open, open_unsplit, table};

/// The name of an input, a function that writes it into an empty folder and reads it, and the text of
/// the error.
type Case = (&'static str, fn(&Path) -> Option<Error>, &'static str);

fn check(cases: &[Case]) {
    let mut wrong = vec![];
    for (input, attempt, expected) in cases {
        let folder = tempfile::tempdir().unwrap();
        let error = attempt(folder.path());
        let text = error.map_or("no error".to_owned(), |error| error.to_string());
        let text = text.replace(&folder.path().display().to_string(), "<dir>");
        println!("{input}\n    {text}\n");
        if text != *expected {
            wrong.push(format!("{input}\n    expected: {expected}\n    got:      {text}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The error of a reader, which is that of the same source left on the disk.
fn also_on_disk(path: &Path, missing: table::Missing, error: Option<Error>) -> Option<Error> {
    let table = table::TableOptions { missing, ..table::TableOptions::default() };
    let options = Options { resident_limit: Some(0), table, ..Options::default() };
    let disk = open_unsplit(path.to_str().unwrap(), &options, &mut |_| ()).err();
    let text = |error: &Option<Error>| error.as_ref().map(ToString::to_string);
    assert_eq!(text(&disk), text(&error));
    error
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn idx(dimensions: &[u32], bytes: &[u8]) -> Vec<u8> {
    let sizes = dimensions.iter().flat_map(|size| size.to_be_bytes());
    let header = [0, 0, 8, dimensions.len() as u8].into_iter().chain(sizes);
    header.chain(bytes.iter().copied()).collect()
}

fn images(folder: &Path, bytes: &[u8]) -> Option<Error> {
    fs::write(folder.join("images"), bytes).unwrap();
    idx::read_images(&folder.join("images")).err()
}

fn labels(folder: &Path, bytes: &[u8]) -> Option<Error> {
    fs::write(folder.join("labels"), bytes).unwrap();
    idx::read_labels(&folder.join("labels")).err()
}

#[test]
fn idx_files() {
    check(&[
        (
            "images that are a GIF",
            |dir| images(dir, b"GIF89a and so on, for a while"),
            "<dir>/images: expected IDX images (magic number 0x00000803), got magic number \
             0x47494638",
        ),
        (
            "labels in place of images",
            |dir| images(dir, &idx(&[2], &[1, 2])),
            "<dir>/images: expected IDX images (magic number 0x00000803), got IDX labels",
        ),
        (
            "images in place of labels",
            |dir| labels(dir, &idx(&[1, 1, 1], &[1])),
            "<dir>/labels: expected IDX labels (magic number 0x00000801), got IDX images",
        ),
        (
            "IDX floats",
            |dir| images(dir, &[0, 0, 13, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0]),
            "<dir>/images: expected IDX images (magic number 0x00000803), got IDX numbers that are \
             not unsigned bytes",
        ),
        (
            "a file of 3 bytes",
            |dir| images(dir, &[0, 0, 8]),
            "<dir>/images: expected the 16 bytes of an IDX header, got a file of 3",
        ),
        (
            "a header that is cut short",
            |dir| images(dir, &idx(&[1, 28, 28], &[])[..10]),
            "<dir>/images: expected the 16 bytes of an IDX header, got a file of 10",
        ),
        (
            "images that are cut short",
            |dir| images(dir, &idx(&[3, 2, 2], &[0; 11])),
            "<dir>/images: expected 3 images of 2x2 pixels, so 12 bytes after the header, got 11: \
             the file is cut short",
        ),
        (
            "trailing bytes",
            |dir| images(dir, &idx(&[3, 2, 2], &[0; 13])),
            "<dir>/images: expected 3 images of 2x2 pixels, so 12 bytes after the header, got more",
        ),
        (
            "no images",
            |dir| images(dir, &idx(&[0, 28, 28], &[])),
            "<dir>/images: expected at least one image of at least 1x1 pixels, got 0 images of \
             28x28 pixels",
        ),
        (
            "images of no pixels",
            |dir| images(dir, &idx(&[5, 28, 0], &[])),
            "<dir>/images: expected at least one image of at least 1x1 pixels, got 5 images of \
             28x0 pixels",
        ),
        (
            "no labels",
            |dir| labels(dir, &idx(&[0], &[])),
            "<dir>/labels: expected at least one label, got 0 labels",
        ),
        (
            "labels that are cut short",
            |dir| labels(dir, &idx(&[100], &[7; 99])),
            "<dir>/labels: expected 100 labels, so 100 bytes after the header, got 99: the file is \
             cut short",
        ),
        (
            "a header that promises 4,294,967,295 images",
            |dir| images(dir, &idx(&[u32::MAX, 28, 28], &[0; 784])),
            "<dir>/images: expected 4294967295 images of 28x28 pixels, so 3367254359280 bytes \
             after the header, got 784: the file is cut short",
        ),
        (
            "the same as gzip",
            |dir| images(dir, &gzip(&idx(&[u32::MAX, 28, 28], &[0; 784]))),
            "<dir>/images: expected 4294967295 images of 28x28 pixels, so 3367254359280 bytes \
             after the header, got 784: the file is cut short",
        ),
        (
            "a header that promises more than 2^64 bytes",
            |dir| images(dir, &idx(&[u32::MAX, u32::MAX, u32::MAX], &[0; 9])),
            "<dir>/images: expected less than 2^64 bytes in all, got 4294967295 images of \
             4294967295x4294967295 pixels",
        ),
        (
            "a gzip bomb (32 MiB of zeros)",
            |dir| images(dir, &gzip(&idx(&[1 << 15, 32, 32], &vec![0; 32 << 20]))),
            "<dir>/images: expected at most 20040616 bytes inflated from 32634, got more; if you \
             trust the file, unpack it (gunzip) and give the unpacked one",
        ),
        (
            "gzip with a wrong checksum",
            |dir| {
                let mut bytes = gzip(&idx(&[3, 2, 2], &[1; 12]));
                let checksum = bytes.len() - 8;
                bytes[checksum] ^= 1;
                images(dir, &bytes)
            },
            "<dir>/images: expected a whole gzip file, got a damaged one (corrupt gzip stream does \
             not have a matching checksum)",
        ),
        (
            "gzip with a damaged stream",
            |dir| {
                let mut bytes = gzip(&idx(&[3, 2, 2], &[1; 12]));
                bytes[10] = 0xff;
                images(dir, &bytes)
            },
            "<dir>/images: expected a whole gzip file, got a damaged one (corrupt deflate stream)",
        ),
        (
            "gzip that is cut short",
            |dir| images(dir, &gzip(&idx(&[3, 2, 2], &[1; 12]))[..20]),
            "<dir>/images: expected a whole gzip file, got one that is cut short",
        ),
        (
            "no file",
            |dir| idx::read_images(&dir.join("images")).err(),
            "<dir>/images: No such file or directory (os error 2)",
        ),
        #[cfg(unix)]
        (
            "a device in place of a file",
            |_| idx::read_images(Path::new("/dev/zero")).err(),
            "/dev/zero: expected a file, got a device or a pipe",
        ),
        (
            "a folder in place of a file",
            |dir| idx::read_images(dir).err(),
            "<dir>: expected a file, got a folder",
        ),
    ]);
}

/// The four files of MNIST: three training images and a test image of 2x2 pixels.
fn write_mnist(folder: &Path, train_labels: &[u8]) {
    fs::create_dir_all(folder).unwrap();
    let write = |name: &str, bytes: Vec<u8>| fs::write(folder.join(name), bytes).unwrap();
    write("train-images-idx3-ubyte", idx(&[3, 2, 2], &[0; 12]));
    write("train-labels-idx1-ubyte", idx(&[train_labels.len() as u32], train_labels));
    write("t10k-images-idx3-ubyte", idx(&[1, 2, 2], &[0; 4]));
    write("t10k-labels-idx1-ubyte", idx(&[1], &[9]));
}

/// Loads a published set without a network, with `<dir>/data` before the cache in `<dir>/cache`.
fn load(name: &str, folder: &Path) -> Option<Error> {
    let data = folder.join("data");
    let dirs = DataDirs {
        data_dir: data.exists().then_some(data),
        cache_dir: Some(folder.join("cache")),
        download: false,
    };
    mnist::load(name, &dirs, &mut |_| ()).err()
}

#[test]
fn published_sets() {
    check(&[
        (
            "labels of another count than images",
            |dir| {
                write_mnist(&dir.join("data"), &[1, 2]);
                load("mnist", dir)
            },
            "<dir>/data/train-labels-idx1-ubyte: expected 3 labels, one for each image in \
             train-images-idx3-ubyte, got 2",
        ),
        (
            "a label out of range",
            |dir| {
                write_mnist(&dir.join("data"), &[1, 2, 10]);
                load("mnist", dir)
            },
            "<dir>/data/train-labels-idx1-ubyte, label 3: expected a number from 0 to 9, got 10",
        ),
        (
            "test images of another size",
            |dir| {
                write_mnist(&dir.join("data"), &[1, 2, 3]);
                let path = dir.join("data/t10k-images-idx3-ubyte");
                fs::write(path, idx(&[1, 2, 3], &[0; 6])).unwrap();
                load("mnist", dir)
            },
            "<dir>/data/t10k-images-idx3-ubyte: expected images of 1x2x2 as in training, got 1x2x3",
        ),
        (
            "three of four files",
            |dir| {
                write_mnist(&dir.join("data"), &[1, 2, 3]);
                fs::remove_file(dir.join("data/train-labels-idx1-ubyte")).unwrap();
                load("mnist", dir)
            },
            "<dir>/data: expected all four files of mnist, got no train-labels-idx1-ubyte.gz",
        ),
        (
            "a file in the cache that is cut short",
            |dir| {
                write_mnist(&dir.join("cache/mnist"), &[1, 2, 3]);
                let path = dir.join("cache/mnist/train-images-idx3-ubyte");
                fs::write(path, idx(&[3, 2, 2], &[0; 5])).unwrap();
                load("mnist", dir)
            },
            "<dir>/cache/mnist/train-images-idx3-ubyte: expected 3 images of 2x2 pixels, so 12 \
             bytes after the header, got 5: the file is cut short; delete this file to have it \
             downloaded again",
        ),
        (
            "a data folder that is not there",
            |dir| {
                let dirs = DataDirs { data_dir: Some(dir.join("typo")), ..DataDirs::default() };
                mnist::load("mnist", &dirs, &mut |_| ()).err()
            },
            "<dir>/typo: expected a folder of data sets, got no folder of this name",
        ),
        (
            "a set that is nowhere, without a network",
            |dir| load("fashion-mnist", dir),
            "fashion-mnist is not in <dir>/cache/fashion-mnist and was not downloaded (downloads \
             are off): put train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz, \
             t10k-images-idx3-ubyte.gz and t10k-labels-idx1-ubyte.gz from \
             http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/ into that folder",
        ),
        (
            "the same, with a data folder",
            |dir| {
                fs::create_dir(dir.join("data")).unwrap();
                load("kmnist", dir)
            },
            "kmnist is not in <dir>/data/kmnist, <dir>/data or <dir>/cache/kmnist and was not \
             downloaded (downloads are off): put train-images-idx3-ubyte.gz, \
             train-labels-idx1-ubyte.gz, t10k-images-idx3-ubyte.gz and t10k-labels-idx1-ubyte.gz \
             from http://codh.rois.ac.jp/kmnist/dataset/kmnist/ into one of these folders",
        ),
        #[cfg(feature = "download")]
        (
            "EMNIST, without a network",
            |dir| load("emnist-letters", dir),
            "emnist-letters is not in <dir>/cache/emnist and was not downloaded (downloads are \
             off): put https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip into that folder",
        ),
        #[cfg(not(feature = "download"))]
        (
            "EMNIST, without a network",
            |dir| load("emnist-letters", dir),
            "emnist-letters is not in <dir>/cache/emnist and was not downloaded (downloads are \
             off): put emnist-letters-train-images-idx3-ubyte.gz, \
             emnist-letters-train-labels-idx1-ubyte.gz, emnist-letters-test-images-idx3-ubyte.gz \
             and emnist-letters-test-labels-idx1-ubyte.gz out of \
             https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip into that folder",
        ),
        #[cfg(feature = "download")]
        (
            "an archive that is none",
            |dir| {
                fs::create_dir(dir.join("data")).unwrap();
                fs::write(dir.join("data/gzip.zip"), "<html>Moved</html>").unwrap();
                load("emnist-letters", dir)
            },
            "<dir>/data/gzip.zip: expected a zip archive, got something else (invalid Zip archive: \
             Could not find EOCD)",
        ),
        #[cfg(feature = "download")]
        (
            "an archive without the files",
            |dir| {
                fs::create_dir(dir.join("data")).unwrap();
                let file = fs::File::create(dir.join("data/gzip.zip")).unwrap();
                zip::ZipWriter::new(file).finish().unwrap();
                load("emnist-letters", dir)
            },
            "<dir>/data/gzip.zip: expected gzip/emnist-letters-train-images-idx3-ubyte.gz in it, \
             got an archive without it",
        ),
        (
            "a set that does not exist",
            |dir| load("emnist-upper", dir),
            "data set: expected mnist, fashion-mnist, kmnist, emnist-balanced, emnist-byclass, \
             emnist-bymerge, emnist-digits, emnist-letters or emnist-mnist, got `emnist-upper`",
        ),
    ]);
}

fn batch(folder: &Path, name: &str, bytes: &[u8]) -> Option<Error> {
    fs::write(folder.join(name), bytes).unwrap();
    cifar::read_folder(folder).err()
}

#[test]
fn cifar_batches() {
    check(&[
        (
            "a batch that is cut short",
            |dir| batch(dir, "data_batch_1.bin", &[0; 3072]),
            "<dir>/data_batch_1.bin: expected a multiple of 3073 bytes (a label and 3x32x32 \
             pixels), got 3072",
        ),
        (
            "an empty batch",
            |dir| batch(dir, "data_batch_1.bin", &[]),
            "<dir>/data_batch_1.bin: expected a multiple of 3073 bytes (a label and 3x32x32 \
             pixels), got 0",
        ),
        (
            "a label out of range",
            |dir| {
                let mut bytes = [0; 2 * 3073];
                bytes[3073] = 10;
                batch(dir, "data_batch_1.bin", &bytes)
            },
            "<dir>/data_batch_1.bin, record 2: expected a label from 0 to 9, got 10",
        ),
        (
            "a test batch alone",
            |dir| batch(dir, "test_batch.bin", &[0; 3073]),
            "<dir>: expected data_batch_1.bin or another batch to train on, got none",
        ),
        (
            "names of nine classes",
            |dir| {
                fs::write(dir.join("data_batch_1.bin"), [0; 3073]).unwrap();
                batch(dir, "batches.meta.txt", b"a\nb\nc\nd\ne\nf\ng\nh\ni\n")
            },
            "<dir>/batches.meta.txt: expected the names of 10 classes, one on each line, got 9",
        ),
    ]);
}

#[cfg(feature = "images")]
mod image_folders {
    use super::*;
    use ae_data::images;

    /// A grey PNG of `side` x `side` pixels at `path`, whose folder is made.
    fn png(folder: &Path, path: &str, side: u32) {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        image::GrayImage::new(side, side).save(path).unwrap();
    }

    /// A black BMP of 60 bytes, run-length encoded: "the picture ends here".
    fn blank(width: u32, height: u32) -> Vec<u8> {
        let header = [40u32, width, height, 1 | 8 << 16, 1, 0, 0, 0, 1, 0];
        let header = header.map(u32::to_le_bytes).concat();
        let start = [b"BM".as_slice(), &[60, 0, 0, 0, 0, 0, 0, 0, 58, 0, 0, 0]].concat();
        [&*start, &header, &[9, 9, 9, 0], &[0, 1]].concat()
    }

    fn read(folder: &Path) -> Option<Error> {
        let error = images::read_folder(folder, None).err();
        match &error {
            // Opening by path has other words for a folder without images, or none.
            Some(Error::Io { .. }) => error,
            Some(Error::Malformed { expected, .. }) if expected.starts_with("at least one") => {
                error
            }
            _ => also_on_disk(folder, table::Missing::Mean, error),
        }
    }

    #[test]
    fn image_folders() {
        check(&[
            (
                "an empty folder",
                read,
                "<dir>: expected at least one image (PNG, JPEG, BMP, GIF, TIFF, WebP or PNM), got none",
            ),
            (
                "a folder of other things",
                |dir| {
                    fs::write(dir.join("notes.txt"), "no image").unwrap();
                    read(dir)
                },
                "<dir>: expected at least one image (PNG, JPEG, BMP, GIF, TIFF, WebP or PNM), got 1 .txt \
                 of other formats",
            ),
            (
                "no folder",
                |dir| read(&dir.join("photos")),
                "<dir>/photos: No such file or directory (os error 2)",
            ),
            (
                "a PNG that is not one",
                |dir| {
                    fs::write(dir.join("a.png"), "<html>Not found</html>").unwrap();
                    read(dir)
                },
                "<dir>/a.png: expected a whole image, got a web page; download the image itself",
            ),
            (
                "an empty file",
                |dir| {
                    fs::write(dir.join("a.png"), "").unwrap();
                    read(dir)
                },
                "<dir>/a.png: expected a whole image, got an empty file",
            ),
            (
                "a photo of a telephone with the name of another format",
                |dir| {
                    fs::write(dir.join("a.jpg"), b"\0\0\0\x18ftypheic\0\0\0\0mif1heic").unwrap();
                    read(dir)
                },
                "<dir>/a.jpg: expected a whole image, got an HEIC image; save it as PNG or JPEG",
            ),
            (
                "bytes of no format",
                |dir| {
                    fs::write(dir.join("a.png"), b"1234").unwrap();
                    read(dir)
                },
                "<dir>/a.png: expected a whole image, got something else",
            ),
            (
                "a JPEG that is cut short",
                |dir| {
                    image::GrayImage::new(64, 64).save(dir.join("a.jpg")).unwrap();
                    let bytes = fs::read(dir.join("a.jpg")).unwrap();
                    fs::write(dir.join("a.jpg"), &bytes[..bytes.len() - 1]).unwrap();
                    read(dir)
                },
                "<dir>/a.jpg: expected a whole image, got a JPEG that is cut short",
            ),
            (
                "a PNG that is cut short",
                |dir| {
                    png(dir, "a.png", 64);
                    let bytes = fs::read(dir.join("a.png")).unwrap();
                    fs::write(dir.join("a.png"), &bytes[..bytes.len() / 2]).unwrap();
                    read(dir)
                },
                "<dir>/a.png: expected a whole image, got bytes that do not \
                 decode (unexpected end of file)",
            ),
            (
                "a PNG that claims 60,000 x 60,000 pixels",
                |dir| {
                    let side = 60_000u32.to_be_bytes();
                    let header = [&b"IHDR"[..], &side, &side, &[8, 0, 0, 0, 0]].concat();
                    let mut crc = flate2::Crc::new();
                    crc.update(&header);
                    let start = b"\x89PNG\r\n\x1a\n\0\0\0\x0d";
                    let bytes = [start, &*header, &crc.sum().to_be_bytes(), &[0; 17]].concat();
                    fs::write(dir.join("a.png"), bytes).unwrap();
                    read(dir)
                },
                "<dir>/a.png: expected at most 16384x16384 pixels, and 67158864 bytes of memory \
                 for a file of 50, got more",
            ),
            (
                "a blank image of 4800 x 4800 pixels in a file of 60 bytes",
                |dir| {
                    fs::write(dir.join("a.bmp"), blank(4800, 4800)).unwrap();
                    read(dir)
                },
                "<dir>/a.bmp: expected at most 16384x16384 pixels, and 67168864 bytes of memory \
                 for a file of 60, got 4800x4800 pixels, which take 69120000",
            ),
            (
                "the same with 100 kB of nothing after it, as gzip",
                |dir| {
                    let bytes = [blank(4800, 4800), vec![0; 100_000]].concat();
                    fs::write(dir.join("a.bmp"), gzip(&bytes)).unwrap();
                    read(dir)
                },
                "<dir>/a.bmp: expected at most 16384x16384 pixels, and 67274864 bytes of memory \
                 for a file of 166, got 4800x4800 pixels, which take 69120000",
            ),
            (
                "a wide image to be brought to a narrow size",
                |dir| {
                    fs::write(dir.join("a.bmp"), blank(16384, 1)).unwrap();
                    images::read_folder(dir, Some((8, 4096))).err()
                },
                "<dir>/a.bmp: expected at most 268435456 bytes to resize it to 8x4096, got \
                 16384x1 pixels, which take 1073889280",
            ),
            (
                "four blank images, each in a file of 60 bytes",
                |dir| {
                    for name in ["a.bmp", "b.bmp", "c.bmp", "d.bmp"] {
                        fs::write(dir.join(name), blank(4700, 4700)).unwrap();
                    }
                    // On the disk they are decoded one by one.
                    images::read_folder(dir, None).err()
                },
                "<dir>/d.bmp: expected at most 67168864 bytes of pixels from 240 bytes of files, \
                 got 88360000; if you trust the files, set `resize`",
            ),
            (
                "images of two sizes",
                |dir| {
                    png(dir, "a.png", 8);
                    png(dir, "b.png", 4);
                    read(dir)
                },
                "<dir>/b.png: expected 8x8 pixels as in <dir>/a.png, got 4x4; set `resize` to \
                 scale all images to one size",
            ),
            (
                "images next to subfolders",
                |dir| {
                    png(dir, "a.png", 8);
                    png(dir, "cats/b.png", 8);
                    read(dir)
                },
                "<dir>: expected images, or subfolders of images, one for each class, got both \
                 (a.png and cats)",
            ),
            (
                "a folder in a class",
                |dir| {
                    png(dir, "cats/a.png", 8);
                    png(dir, "cats/young/b.png", 8);
                    read(dir)
                },
                "<dir>/cats: expected only images in a subfolder, which is one class, got the \
                 folder young",
            ),
            (
                "a class without images",
                |dir| {
                    png(dir, "cats/a.png", 8);
                    fs::create_dir(dir.join("dogs")).unwrap();
                    read(dir)
                },
                "<dir>/dogs: expected at least one image (PNG, JPEG, BMP, GIF, TIFF, WebP or PNM), got none",
            ),
            (
                "classes in one of two sets",
                |dir| {
                    png(dir, "train/a.png", 8);
                    png(dir, "test/cats/a.png", 8);
                    read(dir)
                },
                "<dir>: expected subfolders, one for each class, in both train and test or in \
                 neither, got subfolders in one of the two",
            ),
            (
                "a size to bring images to that is none",
                |dir| images::read_folder(dir, Some((28, 0))).err(),
                "resize: expected a width and a height from 1 to 4096, got 28x0",
            ),
        ]);
    }
}

fn csv(folder: &Path, bytes: impl AsRef<[u8]>) -> Option<Error> {
    fs::write(folder.join("table.csv"), bytes).unwrap();
    let (path, missing) = (folder.join("table.csv"), table::Missing::Refuse);
    let options = table::TableOptions { missing, ..table::TableOptions::default() };
    also_on_disk(&path, missing, table::read_with(&path, None, &options).err())
}

#[test]
fn tables() {
    check(&[
        (
            "a missing cell",
            |dir| csv(dir, "height,width\n1,2\n3,\n"),
            "<dir>/table.csv, line 3, column `width`: expected a value, got an empty cell; 1 cell is \
             missing, 1 in `width`: set `missing` to drop to leave out such rows or to mean to fill them, \
             or list columns in `ignore`",
        ),
        (
            "a cell that is no number",
            |dir| csv(dir, "height,width\n1,2\n3,wide\n"),
            "<dir>/table.csv, line 3, column `width`: expected a number, got `wide`",
        ),
        (
            "the same below blank lines",
            |dir| csv(dir, "height,width\r\n\r\n1,2\r\n\r\n3,wide\r\n"),
            "<dir>/table.csv, line 5, column `width`: expected a number, got `wide`",
        ),
        (
            "NaN",
            |dir| csv(dir, "height,width\n1,2\nNaN,4\n"),
            "<dir>/table.csv, line 3, column `height`: expected a value, got `NaN`; 1 cell is missing, \
             1 in `height`: set `missing` to drop to leave out such rows or to mean to \
             fill them, or list columns in `ignore`",
        ),
        (
            "infinity",
            |dir| csv(dir, "1,2\n3,-inf\n"),
            "<dir>/table.csv, line 2, column `1`: expected a finite number, got `-inf`",
        ),
        (
            "a number beyond f32",
            |dir| csv(dir, "1,2\n3,1e39\n"),
            "<dir>/table.csv, line 2, column `1`: expected a number from -3.4e38 to 3.4e38, got \
             `1e39`",
        ),
        (
            "decimal commas and decimal points",
            |dir| csv(dir, "height;width\n1,5;2.5\n"),
            "<dir>/table.csv: expected numbers with one decimal mark, got both `2.5` and `1,5` between \
             `;`; set `decimal` to point or comma",
        ),
        (
            "a missing label",
            |dir| csv(dir, "height,label\n1,a\n2,\n"),
            "<dir>/table.csv, line 3, column `label`: expected a value, got an empty cell; 1 cell is \
             missing, 1 in `label`: set `missing` to drop to leave out such rows or to mean to \
             fill them, or list columns in `ignore`",
        ),
        (
            "a row that is too short",
            |dir| csv(dir, "1,2,3\n4,5\n"),
            "<dir>/table.csv, line 2: expected 3 cells as in the first row, got 2",
        ),
        (
            "a row that is too long",
            |dir| csv(dir, "1,2,3\n4,5,6\n7,8,9,10\n"),
            "<dir>/table.csv, line 3: expected 3 cells as in the first row, got 4",
        ),
        (
            "more columns than a table may have",
            |dir| csv(dir, "0,".repeat(1048576)),
            "<dir>/table.csv, line 1: expected at most 1048576 columns, got more",
        ),
        (
            "the same in a later row",
            |dir| csv(dir, format!("1,2\n\n{}", "0,".repeat(1048576))),
            "<dir>/table.csv, line 3: expected at most 1048576 columns, got more",
        ),
        (
            "a first row of a number and a text",
            |dir| csv(dir, "1,oops\n3,4\n5,6\n"),
            "<dir>/table.csv, line 1, column `1`: expected a number, got `oops`; if the first row \
             has the names, set `header` to yes, else to no",
        ),
        (
            "a first row of a number and NaN",
            |dir| csv(dir, "1,NaN\n3,4\n"),
            "<dir>/table.csv, line 1, column `1`: expected a value, got `NaN`; 1 cell is missing, 1 in \
             `1`: set `missing` to drop to leave out such rows or to mean to \
             fill them, or list columns in `ignore`",
        ),
        (
            "an empty cell in a first row of numbers",
            |dir| csv(dir, "1,,3\n4,5,6\n"),
            "<dir>/table.csv, line 1, column `1`: expected a value, got an empty cell; 1 cell is \
             missing, 1 in `1`: set `missing` to drop to leave out such rows or to mean to \
             fill them, or list columns in `ignore`",
        ),
        (
            "an empty file",
            |dir| csv(dir, ""),
            "<dir>/table.csv: expected at least one row of numbers, got an empty file",
        ),
        (
            "a header alone",
            |dir| csv(dir, "height,width\n"),
            "<dir>/table.csv: expected at least one row of numbers, got only a header",
        ),
        (
            "labels alone",
            |dir| csv(dir, "label\n1\n2\n"),
            "<dir>/table.csv: expected at least one column of numbers, got only the labels",
        ),
        (
            "bytes that are no text",
            |dir| csv(dir, b"height,width\n1,2\n1,\0\n"),
            "<dir>/table.csv: expected a table as text, got zero bytes; save it as UTF-8",
        ),
        (
            "a cell of a thousand letters",
            |dir| csv(dir, format!("1,2\n3,{}\n", "x".repeat(1000))),
            "<dir>/table.csv, line 2, column `1`: expected a number, got \
             `xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\
             xxxxxxxxxxxxxxxx...`",
        ),
        (
            "a label column that is not there",
            |dir| {
                fs::write(dir.join("table.csv"), "height,width\n1,2\n").unwrap();
                table::read(&dir.join("table.csv"), Some("depth")).err()
            },
            "<dir>/table.csv: expected a label column named `depth`, got the columns \
             `height`, `width`",
        ),
        (
            "the same where the first row is no names",
            |dir| {
                fs::write(dir.join("table.csv"), "5.1,setosa\n6.2,virginica\n").unwrap();
                table::read(&dir.join("table.csv"), Some("species")).err()
            },
            "<dir>/table.csv: expected a label column named `species`, got the columns `0`, `1`",
        ),
    ]);
}

fn array(header: &str, bytes: &[u8]) -> Vec<u8> {
    let length = (header.len() as u16).to_le_bytes();
    [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), bytes].concat()
}

fn described(descr: &str, shape: &str, bytes: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}");
    array(&header, bytes)
}

fn numpy(folder: &Path, bytes: &[u8]) -> Option<Error> {
    fs::write(folder.join("array.npy"), bytes).unwrap();
    let (path, missing) = (folder.join("array.npy"), table::Missing::Refuse);
    also_on_disk(&path, missing, npy::read_with(&path, None, missing).err())
}

fn numpy_labels(folder: &Path, bytes: &[u8]) -> Option<Error> {
    fs::write(folder.join("array.npy"), described("'|u1'", "(3, 2)", &[0; 6])).unwrap();
    fs::write(folder.join("labels.npy"), bytes).unwrap();
    npy::read(&folder.join("array.npy"), Some(&folder.join("labels.npy"))).err()
}

#[test]
fn numpy_arrays() {
    check(&[
        (
            "a file that is no array",
            |dir| numpy(dir, b"PK\x03\x04 is a .npz"),
            "<dir>/array.npy: expected a NumPy array (.npy), got a file that does not start with \
             \\x93NUMPY",
        ),
        (
            "an empty file",
            |dir| numpy(dir, b""),
            "<dir>/array.npy: expected a NumPy array (.npy), got a file that does not start with \
             \\x93NUMPY",
        ),
        (
            "an unknown version",
            |dir| numpy(dir, b"\x93NUMPY\x04\x00\x00\x00"),
            "<dir>/array.npy: expected version 1, 2 or 3 of the format, got 4",
        ),
        (
            "a header that is cut short",
            |dir| numpy(dir, b"\x93NUMPY\x01\x00\x76\x00{'descr"),
            "<dir>/array.npy: expected a whole header, got a file that is cut short",
        ),
        (
            "a header that promises 4 GiB of itself",
            |dir| numpy(dir, b"\x93NUMPY\x02\x00\xff\xff\xff\xff{'descr"),
            "<dir>/array.npy: expected a header of at most 10000 bytes, got 4294967295",
        ),
        (
            "a header without a shape",
            |dir| numpy(dir, &array("{'descr': '<f4', 'fortran_order': False}", &[])),
            "<dir>/array.npy: expected a header with a 'shape', got `{'descr': '<f4', \
             'fortran_order': False}`",
        ),
        (
            "a header whose order is neither",
            |dir| {
                numpy(dir, &array("{'descr': '<f4', 'fortran_order': Maybe, 'shape': (1, 1)}", &[]))
            },
            "<dir>/array.npy: expected a header with 'fortran_order' True or False, got `{'descr': \
             '<f4', 'fortran_order': Maybe, 'shape': (1, 1)}`",
        ),
        (
            "a shape of no numbers",
            |dir| numpy(dir, &described("'<f4'", "(2, -3)", &[])),
            "<dir>/array.npy: expected a header with sizes in 'shape', got `{'descr': '<f4', \
             'fortran_order': False, 'shape': (2, -3), }`",
        ),
        (
            "complex numbers",
            |dir| numpy(dir, &described("'<c16'", "(1, 1)", &[0; 16])),
            "<dir>/array.npy: expected elements of type f2, f4, f8, i1 to i8, u1 to u8 or bool, got \
             `<c16`",
        ),
        (
            "Python objects",
            |dir| numpy(dir, &described("'|O'", "(1, 1)", &[0; 8])),
            "<dir>/array.npy: expected elements of type f2, f4, f8, i1 to i8, u1 to u8 or bool, got \
             Python objects; save `array.astype('float32')` instead",
        ),
        (
            "records",
            |dir| numpy(dir, &described("[('x', '<f4'), ('y', '<f4')]", "(1,)", &[0; 8])),
            "<dir>/array.npy: expected elements of type f2, f4, f8, i1 to i8, u1 to u8 or bool, got a \
             record of several fields",
        ),
        (
            "an array that is cut short",
            |dir| numpy(dir, &described("'<f4'", "(2, 3)", &[0; 20])),
            "<dir>/array.npy: expected shape [2, 3], so 24 bytes after the header, got 20: the \
             file is cut short",
        ),
        (
            "trailing bytes",
            |dir| numpy(dir, &described("'<f4'", "(2, 3)", &[0; 25])),
            "<dir>/array.npy: expected shape [2, 3], so 24 bytes after the header, got more",
        ),
        (
            "a shape of 4,294,967,295 rows",
            |dir| numpy(dir, &described("'<f4'", "(4294967295, 784)", &[0; 8])),
            "<dir>/array.npy: expected shape [4294967295, 784], so 13469017437120 bytes after the \
             header, got 8: the file is cut short",
        ),
        (
            "a shape of more than 2^64 bytes",
            |dir| numpy(dir, &described("'<f8'", "(4294967295, 4294967295)", &[0; 8])),
            "<dir>/array.npy: expected less than 2^64 bytes in all, got shape [4294967295, \
             4294967295]",
        ),
        (
            "a shape of 4,294,967,296 rows",
            |dir| numpy(dir, &described("'<f4'", "(4294967296, 1)", &[0; 8])),
            "<dir>/array.npy: expected at most 4294967295 rows, got 4294967296",
        ),
        (
            "NaN in every row, of which rows with NaN are dropped",
            |dir| {
                let nan = [f32::NAN, 1.0, 2.0, f32::NAN].map(f32::to_le_bytes).concat();
                fs::write(dir.join("array.npy"), described("'<f4'", "(2, 2)", &nan)).unwrap();
                npy::read_with(&dir.join("array.npy"), None, table::Missing::Drop).err()
            },
            "<dir>/array.npy: expected at least one row without a missing number, got one in each of 2 \
             rows; set `missing` to mean to fill them",
        ),
        (
            "a shape of nothing",
            |dir| numpy(dir, &described("'<f4'", "(0, 3)", &[])),
            "<dir>/array.npy: expected at least one element, got shape [0, 3]",
        ),
        (
            "one dimension",
            |dir| numpy(dir, &described("'<f4'", "(3,)", &[0; 12])),
            "<dir>/array.npy: expected shape [n, columns], [n, height, width], [n, 1 or 3, height, \
             width] or [n, height, width, 1 or 3], got [3]; save one column as \
             `array.reshape(-1, 1)`",
        ),
        (
            "more columns than a table may have",
            |dir| numpy(dir, &described("'|u1'", "(1, 1048577)", &[0; 1048577])),
            "<dir>/array.npy: expected at most 1048576 columns, got 1048577",
        ),
        (
            "images with transparency",
            |dir| numpy(dir, &described("'|u1'", "(1, 2, 2, 4)", &[0; 16])),
            "<dir>/array.npy: expected shape [n, columns], [n, height, width], [n, 1 or 3, height, \
             width] or [n, height, width, 1 or 3], got [1, 2, 2, 4]; save it without \
             transparency, as `array[..., :3]`",
        ),
        (
            "NaN",
            |dir| {
                let values = [1.0, 2.0, 3.0, f32::NAN, 5.0, 6.0].map(f32::to_le_bytes).concat();
                numpy(dir, &described("'<f4'", "(3, 2)", &values))
            },
            "<dir>/array.npy, element [1, 1]: expected a finite number from -3.4e38 to 3.4e38, got \
             NaN; 1 elements are NaN, in 1 of 3 rows: set `missing` to drop to leave out such \
             rows, or to mean to fill them",
        ),
        (
            "a number beyond f32",
            |dir| numpy(dir, &described("'<f8'", "(1, 1)", &1e300f64.to_le_bytes())),
            "<dir>/array.npy, element [0, 0]: expected a finite number from -3.4e38 to 3.4e38, got \
             1e300",
        ),
        (
            "labels of another count",
            |dir| numpy_labels(dir, &described("'|u1'", "(2,)", &[0; 2])),
            "<dir>/labels.npy: expected 3 labels, one for each sample in array.npy, got 2",
        ),
        (
            "labels that are floats",
            |dir| {
                let values = [1.0, 2.5, 3.0].map(f32::to_le_bytes).concat();
                numpy_labels(dir, &described("'<f4'", "(3,)", &values))
            },
            "<dir>/labels.npy: expected integers or texts of shape [n] as labels, got the \
             float 2.5",
        ),
        (
            "labels that are one-hot",
            |dir| numpy_labels(dir, &described("'|u1'", "(3, 2)", &[0; 6])),
            "<dir>/labels.npy: expected integers or texts of shape [n] as labels, got shape \
             [3, 2]; save one-hot rows as `labels.argmax(axis=1)`",
        ),
    ]);
}

fn offline(folder: &Path) -> Options {
    let cache_dir = Some(folder.join("cache"));
    Options { dirs: DataDirs { data_dir: None, cache_dir, download: false }, ..Options::default() }
}

/// Few samples of what is made.
fn few(folder: &Path) -> Options {
    Options { training_samples: Some(4), test_samples: Some(4), ..offline(folder) }
}

fn opened(source: &str, options: &Options) -> Option<Error> {
    open(source, options, &mut |_| ()).err()
}

fn at(folder: &Path, name: &str) -> String {
    folder.join(name).display().to_string()
}

#[test]
fn sources() {
    check(&[
        (
            "an unknown name",
            |dir| opened("imagenet", &offline(dir)),
            "data set: expected digits, rectangles, convex, curves, mnist, mnist-basic, mnist-rot, \
             mnist-bg-rand, fashion-mnist, kmnist, emnist-balanced, emnist-byclass, \
             emnist-bymerge, emnist-digits, emnist-letters, emnist-mnist, cifar10 or the path of a file or folder, got `imagenet`",
        ),
        (
            "a name spelled wrong",
            |dir| opened("minst", &offline(dir)),
            "data set: expected digits, rectangles, convex, curves, mnist, mnist-basic, mnist-rot, \
             mnist-bg-rand, fashion-mnist, kmnist, emnist-balanced, emnist-byclass, \
             emnist-bymerge, emnist-digits, emnist-letters, emnist-mnist, cifar10 or the path of a file or folder, got `minst`; did you mean `mnist`?",
        ),
        (
            "a path with nothing there",
            |dir| opened(&at(dir, "photos"), &offline(dir)),
            "<dir>/photos: expected a file or a folder, got nothing of this name",
        ),
        (
            "a file of another kind",
            |dir| {
                fs::write(dir.join("notes.md"), "").unwrap();
                opened(&at(dir, "notes.md"), &offline(dir))
            },
            "<dir>/notes.md: expected a .csv, .tsv, .npy, .npz, .safetensors, .svmlight or image file, or the folder the file is in, \
             got another kind of file",
        ),
        #[cfg(not(feature = "images"))]
        (
            "an empty folder, without images",
            |dir| opened(&at(dir, ""), &offline(dir)),
            "<dir>/: expected IDX files or CIFAR-10 batches (this program was built without \
             images), got a folder with none of them",
        ),
        #[cfg(feature = "images")]
        (
            "an empty folder",
            |dir| opened(&at(dir, ""), &offline(dir)),
            "<dir>/: expected images (.png, .jpg, .bmp), IDX files (train-images-idx3-ubyte and \
             its like) or CIFAR-10 batches (data_batch_1.bin and its like), got a folder with none \
             of them",
        ),
        (
            "CIFAR-10 that is nowhere",
            |dir| opened("cifar10", &offline(dir)),
            "cifar10 is not in <dir>/cache/cifar10/cifar-10-batches-bin or <dir>/cache/cifar10: \
             put data_batch_1.bin to data_batch_5.bin and test_batch.bin from \
             https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz into one of these folders",
        ),
        (
            "a table of one row, which cannot be split",
            |dir| {
                fs::write(dir.join("table.csv"), "1,2\n").unwrap();
                opened(&at(dir, "table.csv"), &offline(dir))
            },
            "samples of <dir>/table.csv: expected at least 2, one to train on and one to hold out as the test \
             set, got 1",
        ),
        (
            "no digits",
            |dir| opened("digits", &Options { training_samples: Some(0), ..offline(dir) }),
            "training samples of digits: expected 1 to 1000000, got 0",
        ),
        (
            "more pictures than memory holds",
            |dir| opened("convex", &Options { test_samples: Some(usize::MAX), ..offline(dir) }),
            "test samples of convex: expected 1 to 1000000, got 18446744073709551615",
        ),
        (
            "more samples than a file holds",
            |dir| {
                fs::write(dir.join("table.csv"), "1,2\n3,4\n5,6\n").unwrap();
                let options = Options { training_samples: Some(3), ..offline(dir) };
                opened(&at(dir, "table.csv"), &options)
            },
            "samples to draw of <dir>/table.csv, training set: expected 1 to 2, the number of samples, \
             got 3",
        ),
        (
            "more digits than MNIST holds",
            |dir| {
                write_mnist(dir, &[1, 2, 3]);
                let dirs = DataDirs { data_dir: Some(dir.to_owned()), ..offline(dir).dirs };
                opened("mnist-rot", &Options { dirs, ..Options::default() })
            },
            "training and test samples of mnist-rot: expected at least 1 each, and at most 4 \
             together, the number of digits, got 12000 and 50000",
        ),
        (
            "a normal class among samples without labels",
            |dir| opened("curves", &Options { normal: Some("3".into()), ..few(dir) }),
            "normal class of curves: expected samples with labels, got samples without",
        ),
        (
            "a normal class that is none",
            |dir| opened("convex", &Options { normal: Some("2".into()), ..few(dir) }),
            "normal class of convex: expected `not convex` or `convex`, got `2`",
        ),
        (
            "an option of another source",
            |dir| opened("digits", &Options { resize: Some((8, 8)), ..offline(dir) }),
            "resize: expected a folder of images to use it on, got generated pictures (`digits`)",
        ),
        (
            "a test fraction for a source with a test set",
            |dir| {
                write_mnist(dir, &[1, 2, 3]);
                opened(&at(dir, ""), &Options { test_fraction: Some(0.5), ..offline(dir) })
            },
            "test fraction: expected a source without a test set to use it on, got IDX \
             files (`<dir>/`)",
        ),
        (
            "a test fraction that is none",
            |dir| {
                fs::write(dir.join("table.csv"), "1,2\n3,4\n").unwrap();
                opened(&at(dir, "table.csv"), &Options { test_fraction: Some(1.5), ..offline(dir) })
            },
            "fraction held out of <dir>/table.csv: expected a number above 0 and below 1, got 1.5",
        ),
    ]);
}
