//! Reading a file of any bytes ends in samples or in an error.

use std::fs;
use std::io::Write;
use std::path::Path;

use ae_data::{Options, Result, Samples, cifar, idx, mnist, npy, open_unsplit, svmlight, table};
use proptest::prelude::*;

/// Opens a source that stays on the disk.
fn on_disk(path: &Path) -> Result<Samples> {
    opened(path, Some(0))
}

fn opened(path: &Path, resident_limit: Option<usize>) -> Result<Samples> {
    let options = Options { resident_limit, ..Options::default() };
    Ok(open_unsplit(path.to_str().unwrap(), &options, &mut |_| ())?.samples)
}

/// Two rows of a column.
fn array_of_2() -> Vec<u8> {
    let header = b"{'descr': '|u1', 'fortran_order': False, 'shape': (2, 1)}";
    [&b"\x93NUMPY\x01\x00\x39\x00"[..], header, &[0, 3]].concat()
}

/// Opens an archive of these arrays. Zip files have checksums, so arrays are damaged before.
fn archive_of(
    folder: &Path,
    arrays: &[(&str, &[u8])],
    resident_limit: Option<usize>,
) -> Result<Samples> {
    let path = folder.join("set.npz");
    let mut archive = zip::ZipWriter::new(fs::File::create(&path).unwrap());
    for (name, bytes) in arrays {
        let options = zip::write::SimpleFileOptions::default();
        archive.start_file(format!("{name}.npy"), options).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap();
    opened(&path, resident_limit)
}

/// A parser, the name of its file, and the bytes of a file that it accepts.
type Parser = (&'static str, &'static str, fn(&Path) -> Result<Samples>, Vec<u8>);

fn parsers() -> Vec<Parser> {
    #[cfg_attr(not(feature = "images"), expect(unused_mut))]
    let mut parsers: Vec<Parser> = vec![
        (
            "IDX images",
            "file",
            |folder| idx::read_images(&folder.join("file")),
            [&[0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3][..], &[7; 12]].concat(),
        ),
        (
            "IDX folder",
            "train-labels-idx1-ubyte",
            |folder| {
                let images = [0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 1, 7, 7, 7];
                fs::write(folder.join("train-images-idx3-ubyte"), images).unwrap();
                mnist::read_folder(folder).map(|(training, _)| training)
            },
            vec![0, 0, 8, 1, 0, 0, 0, 3, 1, 2, 3],
        ),
        ("CIFAR-10", "data_batch_1.bin", |folder| Ok(cifar::read_folder(folder)?.0), {
            [[9; 3073], [0; 3073]].concat()
        }),
        (
            "table",
            "file",
            |folder| table::read(&folder.join("file"), None),
            b"height;width;label\n1.5;-2e3;\"a;b\"\n3;4;c\n".to_vec(),
        ),
        (
            "table of all kinds",
            "file",
            |folder| {
                let options = table::TableOptions {
                    missing: table::Missing::Mean,
                    ..table::TableOptions::default()
                };
                table::read_with(&folder.join("file"), None, &options)
            },
            b"sep=|\n# a\nid|when|x|c|y\r||m||\r1|2020-01-31|1,5|a|yes\r2|?|-2|b|no\r3|2020-02-01|NA|a|\r||||\r"
                .to_vec(),
        ),
        (
            "table of blanks in UTF-16",
            "file",
            |folder| table::read(&folder.join("file"), None),
            "\u{feff}x  y\n1 2\n 3   4\n5 6\n".encode_utf16().flat_map(u16::to_le_bytes).collect(),
        ),
        ("NumPy array", "file", |folder| npy::read(&folder.join("file"), None), {
            let header = b"{'descr': '<f4', 'fortran_order': True, 'shape': (2, 1, 1), }\n";
            [&b"\x93NUMPY\x01\x00\x3e\x00"[..], header, &[0; 8]].concat()
        }),
        (
            "NumPy labels",
            "file",
            |folder| {
                let header = b"{'descr': '|u1', 'fortran_order': False, 'shape': (2, 1)}";
                let array = [&b"\x93NUMPY\x01\x00\x39\x00"[..], header, &[0; 2]].concat();
                fs::write(folder.join("array"), array).unwrap();
                npy::read(&folder.join("array"), Some(&folder.join("file")))
            },
            {
                let header = b"{'descr': '>i2', 'fortran_order': False, 'shape': (2,), }";
                [&b"\x93NUMPY\x02\x00\x39\x00\x00\x00"[..], header, &[0, 1, 0, 2]].concat()
            },
        ),
        (
            "svmlight",
            "file",
            |folder| svmlight::read(&folder.join("file")),
            b"+1 qid:3 1:0.5 3:-2e3 # a\n-1 2:nan\n\n1\n".to_vec(),
        ),
        (
            "samples of a NumPy archive",
            "file",
            |folder| {
                let array = fs::read(folder.join("file")).unwrap();
                let good = array_of_2();
                let names = [("x_train", &*good), ("x_val", &array), ("x_test", &good)];
                archive_of(folder, &names, None)
            },
            array_of_2(),
        ),
        (
            "training samples of a NumPy archive, on the disk",
            "file",
            |folder| {
                let array = fs::read(folder.join("file")).unwrap();
                archive_of(folder, &[("X", &*array), ("y", &array_of_2())], Some(0))
            },
            array_of_2(),
        ),
        (
            "labels of a NumPy archive",
            "file",
            |folder| {
                let array = fs::read(folder.join("file")).unwrap();
                let good = array_of_2();
                let [x, y] = [&*good, &*array];
                let names = [
                    ("x_train", x),
                    ("x_val", x),
                    ("x_test", x),
                    ("y_train", &*good),
                    ("y_val", y),
                    ("y_test", y),
                ];
                archive_of(folder, &names, None)
            },
            array_of_2(),
        ),
        ("array on the disk", "array.npy", |folder| on_disk(&folder.join("array.npy")), {
            let header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1)}";
            let values = [1.5f32.to_le_bytes(), f32::NAN.to_le_bytes()].concat();
            [&b"\x93NUMPY\x01\x00\x39\x00"[..], header, &values].concat()
        }),
        (
            "table on the disk",
            "table.csv",
            |folder| on_disk(&folder.join("table.csv")),
            b"x,c,label\n1.5,a,u\n-2e3,b,v\n,a,\n3,b,u\n".to_vec(),
        ),
        (
            "IDX on the disk",
            "train-images-idx3-ubyte",
            on_disk,
            [&[0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3][..], &[7; 12]].concat(),
        ),
        (
            "NumPy archive",
            "file",
            |folder| Ok(npy::read_archive(&folder.join("file"))?.0),
            {
                let header = b"{'descr': '|u1', 'fortran_order': False, 'shape': (2, 1)}";
                let array = [&b"\x93NUMPY\x01\x00\x39\x00"[..], header, &[0, 3]].concat();
                let mut archive = zip::ZipWriter::new(std::io::Cursor::new(vec![]));
                for name in ["x_train.npy", "y_train.npy", "x_test.npy", "y_test.npy"] {
                    archive.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
                    archive.write_all(&array).unwrap();
                }
                archive.finish().unwrap().into_inner()
            },
        ),
    ];
    #[cfg(feature = "images")]
    for (what, name, format) in [
        ("PNG", "a.png", image::ImageFormat::Png),
        ("JPEG", "a.jpg", image::ImageFormat::Jpeg),
        ("BMP", "a.bmp", image::ImageFormat::Bmp),
        ("GIF", "a.gif", image::ImageFormat::Gif),
        ("TIFF", "a.tif", image::ImageFormat::Tiff),
        ("WebP", "a.webp", image::ImageFormat::WebP),
        ("PNM", "a.ppm", image::ImageFormat::Pnm),
    ] {
        let picture = image::RgbImage::from_fn(9, 7, |x, y| image::Rgb([x as u8, y as u8 * 30, 9]));
        let mut bytes = std::io::Cursor::new(vec![]);
        picture.write_to(&mut bytes, format).unwrap();
        let read = |folder: &Path| Ok(ae_data::images::read_folder(folder, None)?.0);
        parsers.push((what, name, read, bytes.into_inner()));
    }
    #[cfg(feature = "images")]
    {
        let mut bytes = std::io::Cursor::new(vec![]);
        let grey = image::GrayImage::new(9, 7);
        grey.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
        parsers.push(("images on the disk", "b.png", late, bytes.into_inner()));
    }
    parsers
}

/// Opens a folder of 65 images, of which the one that may be damaged is not sampled.
#[cfg(feature = "images")]
fn late(folder: &Path) -> Result<Samples> {
    for at in 0..65 {
        let name = if at == 0 { "a.png".to_owned() } else { format!("c{at}.png") };
        image::GrayImage::new(9, 7).save(folder.join(name)).unwrap();
    }
    Ok(on_disk(folder)?.subset(&[0, 1]))
}

#[cfg(feature = "download")]
fn emnist(folder: &Path) -> Result<Samples> {
    let dirs = ae_data::DataDirs {
        data_dir: Some(folder.to_owned()),
        cache_dir: Some(folder.join("cache")),
        download: false,
    };
    Ok(mnist::load("emnist-digits", &dirs, &mut |_| ())?.training)
}

#[cfg(feature = "download")]
fn archive() -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(vec![]));
    for part in ["train", "test"] {
        let images = [0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 7].as_slice();
        let labels = [0, 0, 8, 1, 0, 0, 0, 1, 3].as_slice();
        for (kind, bytes) in [("images-idx3", images), ("labels-idx1", labels)] {
            let name = format!("gzip/emnist-digits-{part}-{kind}-ubyte.gz");
            archive.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
            archive.write_all(bytes).unwrap();
        }
    }
    archive.finish().unwrap().into_inner()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn read(parser: &Parser, bytes: &[u8]) -> Result<Samples> {
    let (_, name, read, _) = parser;
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(name), bytes).unwrap();
    let result = read(folder.path());
    if let Ok(samples) = &result {
        // What is accepted can be used; an image on the disk may be found damaged later.
        match samples.try_row(samples.len() - 1) {
            Ok(row) => assert!(row.iter().all(|value| value.is_finite())),
            Err(error) => assert!(parser.0 == "images on the disk", "{error}"),
        }
    }
    result
}

#[test]
fn the_files_to_be_damaged_are_good() {
    for parser in &parsers() {
        let result = read(parser, &parser.3);
        assert!(result.is_ok(), "{}: {}", parser.0, result.unwrap_err());
    }
    #[cfg(feature = "download")]
    assert!(read(&("archive", "gzip.zip", emnist, vec![]), &archive()).is_ok());
}

/// A change of one place: other bytes, more bytes, or the end.
#[derive(Clone, Debug)]
enum Damage {
    Replace(Vec<u8>),
    Insert(Vec<u8>),
    Cut,
}

fn damage() -> impl Strategy<Value = (prop::sample::Index, Damage)> {
    // Bytes that mean something in one format or another come more often than by chance.
    let byte = prop_oneof![
        any::<u8>(),
        prop::sample::select(b"\x00\xff\x7f,;\"\n'(){}[]:<>09-eN".to_vec())
    ];
    let bytes = prop::collection::vec(byte, 1..8);
    let change = prop_oneof![
        6 => bytes.clone().prop_map(Damage::Replace),
        2 => bytes.prop_map(Damage::Insert),
        1 => Just(Damage::Cut),
    ];
    (any::<prop::sample::Index>(), change)
}

fn apply(bytes: &mut Vec<u8>, (at, damage): &(prop::sample::Index, Damage)) {
    let at = at.index(bytes.len() + 1);
    match damage {
        Damage::Replace(new) => {
            bytes[at..].iter_mut().zip(new).for_each(|(byte, new)| *byte = *new)
        }
        Damage::Insert(new) => drop(bytes.splice(at..at, new.iter().copied())),
        Damage::Cut => bytes.truncate(at),
    }
}

proptest! {
    #[test]
    fn a_damaged_file_is_read_or_refused(
        damage in prop::collection::vec(damage(), 1..4),
        compressed: bool,
    ) {
        for parser in &parsers() {
            let mut bytes = parser.3.clone();
            if compressed && !parser.1.contains('.') {
                damage.iter().for_each(|damage| apply(&mut bytes, damage));
                bytes = gzip(&bytes);
            } else {
                damage.iter().for_each(|damage| apply(&mut bytes, damage));
            }
            let _either = read(parser, &bytes);
        }
    }

    #[test]
    fn damaged_gzip_is_read_or_refused(damage in prop::collection::vec(damage(), 1..4)) {
        for parser in &parsers() {
            let mut bytes = gzip(&parser.3);
            damage.iter().for_each(|damage| apply(&mut bytes, damage));
            let _either = read(parser, &bytes);
        }
    }

    #[test]
    fn noise_is_read_or_refused(
        noise in prop::collection::vec(any::<u8>(), 0..300),
        start in 0usize..20,
    ) {
        for parser in &parsers() {
            let bytes = [&parser.3[..start.min(parser.3.len())], &noise].concat();
            let _either = read(parser, &bytes);
        }
    }
}

#[cfg(feature = "download")]
proptest! {
    // Unpacking waits for the disk.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_damaged_archive_is_read_or_refused(damage in prop::collection::vec(damage(), 1..4)) {
        let mut bytes = archive();
        damage.iter().for_each(|damage| apply(&mut bytes, damage));
        let _either = read(&("archive", "gzip.zip", emnist, vec![]), &bytes);
    }
}
