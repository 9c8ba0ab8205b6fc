//! Sources that stay on the disk have the same samples, statistics and errors as in memory.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use ae_data::table::{Missing, TableOptions};
use ae_data::write::write_npy;
use ae_data::{
    DataSet, Error, Masked, Method, Options, Preprocessing, Samples, Source, fingerprint, idx, open,
};

/// Rows in each source.
const ROWS: usize = 60;

fn opened(path: &Path, options: &Options) -> Result<DataSet, Error> {
    open(path.to_str().unwrap(), options, &mut |_| ())
}

fn on_disk(options: &Options) -> Options {
    Options { resident_limit: Some(0), ..options.clone() }
}

/// Compares everything that training looks at, of both sets, preprocessed in every way.
fn check_same(path: &Path, options: &Options) {
    let what = path.display();
    let memory = opened(path, options).unwrap().splits;
    let disk = opened(path, &on_disk(options)).unwrap().splits;
    for (memory, disk) in [(&memory.training, &disk.training), (&memory.test, &disk.test)] {
        assert!(disk.is_on_disk() && !memory.is_on_disk(), "{what}");
        assert_eq!((memory.shape(), memory.labels()), (disk.shape(), disk.labels()), "{what}");
        assert_eq!(memory.table(), disk.table(), "{what}");
        assert_eq!(memory.missing(), disk.missing(), "{what}");
        for row in 0..memory.len() {
            assert_eq!(memory.place(row), disk.place(row), "{what}");
            assert_eq!(memory.name(row), disk.name(row), "{what}");
            assert_eq!(memory.missing_in(row), disk.missing_in(row), "{what}");
        }
        assert_eq!(memory.mean(), disk.mean(), "{what}");
        assert_eq!(fingerprint(memory).unwrap(), fingerprint(disk).unwrap(), "{what}");
    }
    for method in [Method::None, Method::Scale, Method::MinMax, Method::Standardize, Method::Robust]
    {
        let read = |samples: &Samples, of: &Samples| {
            let fitted = Preprocessing::fit(method, samples).unwrap();
            let of = of.clone().with_preprocessing(fitted).unwrap();
            let rows: Vec<usize> = (0..of.len()).rev().chain([0, 0]).collect();
            let mut values = vec![0.0; rows.len() * of.width()];
            of.read(&rows, &mut values).unwrap();
            assert_eq!(values[..of.width()], of.row(of.len() - 1), "{what}");
            values
        };
        assert_eq!(
            read(&memory.training, &memory.test),
            read(&disk.training, &disk.test),
            "{what}: {method:?}"
        );
    }
}

fn gzip(path: &Path) -> PathBuf {
    let to = PathBuf::from(format!("{}.gz", path.display()));
    let file = fs::File::create(&to).unwrap();
    let mut encoder = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
    encoder.write_all(&fs::read(path).unwrap()).unwrap();
    encoder.finish().unwrap();
    to
}

fn array(descr: &str, shape: &str, bytes: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}}}");
    let length = (header.len() as u16).to_le_bytes();
    [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), bytes].concat()
}

/// The number at a place, some far from zero.
fn number(at: usize) -> f64 {
    let wave = (at as f64 * 0.7).sin();
    if at % 4 == 3 { 1.7e9 + 10.0 * wave } else { wave }
}

#[test]
fn arrays_of_every_type() {
    let folder = tempfile::tempdir().unwrap();
    let bytes: Vec<u8> = (0..ROWS * 12).map(|at| (at * 37 % 251) as u8).collect();
    let doubles: Vec<f64> = (0..ROWS * 4).map(number).collect();
    let with_nan: Vec<f64> =
        doubles.iter().enumerate().map(|(at, x)| if at % 7 == 0 { f64::NAN } else { *x }).collect();
    let table = format!("({ROWS}, 4)");
    let files = [
        (
            "f8",
            array("<f8", &table, &doubles.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<_>>()),
        ),
        (
            "f8-big",
            array(">f8", &table, &doubles.iter().flat_map(|x| x.to_be_bytes()).collect::<Vec<_>>()),
        ),
        (
            "f8-nan",
            array(
                "<f8",
                &table,
                &with_nan.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<_>>(),
            ),
        ),
        (
            "f4",
            array(
                "<f4",
                &table,
                &doubles.iter().flat_map(|x| (*x as f32).to_le_bytes()).collect::<Vec<_>>(),
            ),
        ),
        (
            "f4-nan",
            array(
                "<f4",
                &table,
                &with_nan.iter().flat_map(|x| (*x as f32).to_le_bytes()).collect::<Vec<_>>(),
            ),
        ),
        (
            "f2",
            array(
                "<f2",
                &table,
                &(0..ROWS * 4)
                    .flat_map(|x| (0x3000 + 5 * x as u16).to_le_bytes())
                    .collect::<Vec<_>>(),
            ),
        ),
        ("i1", array("|i1", &table, &bytes[..ROWS * 4])),
        ("b1", array("|b1", &table, &bytes[..ROWS * 4])),
        ("u1-table", array("|u1", &table, &bytes[..ROWS * 4])),
        ("i2", array(">i2", &format!("({ROWS}, 3)"), &bytes[..ROWS * 6])),
        ("u2", array("<u2", &format!("({ROWS}, 3)"), &bytes[..ROWS * 6])),
        ("i4", array("<i4", &format!("({ROWS}, 3)"), &bytes[..ROWS * 12])),
        ("u4", array(">u4", &format!("({ROWS}, 3)"), &bytes[..ROWS * 12])),
        ("i8", array("<i8", &format!("({ROWS}, 1)"), &bytes[..ROWS * 8])),
        ("u8", array("<u8", &format!("({ROWS}, 1)"), &bytes[..ROWS * 8])),
        ("grey", array("|u1", &format!("({ROWS}, 3, 4)"), &bytes)),
        ("first", array("|u1", &format!("({ROWS}, 3, 2, 2)"), &bytes)),
        ("last", array("|u1", &format!("({ROWS}, 2, 2, 3)"), &bytes)),
        (
            "last-f4",
            array(
                "<f4",
                &format!("({ROWS}, 1, 1, 3)"),
                &doubles[..ROWS * 3]
                    .iter()
                    .flat_map(|x| (*x as f32).to_le_bytes())
                    .collect::<Vec<_>>(),
            ),
        ),
    ];
    let labels = folder.path().join("labels.npy");
    let classes: Vec<u8> = (0..ROWS).map(|row| (row % 3) as u8).collect();
    fs::write(&labels, array("|u1", &format!("({ROWS},)"), &classes)).unwrap();
    let options = Options { labels_file: Some(labels), ..Options::default() };
    for (name, bytes) in files {
        let path = folder.path().join(format!("{name}.npy"));
        fs::write(&path, bytes).unwrap();
        check_same(&path, &options);
        check_same(&gzip(&path), &Options::default());
    }
}

#[test]
fn archives() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("set.npz");
    let mut zip = zip::ZipWriter::new(fs::File::create(&path).unwrap());
    let bytes: Vec<u8> = (0..ROWS * 6).map(|at| (at * 37 % 251) as u8).collect();
    for (name, shape, bytes) in [
        ("x_train", format!("({ROWS}, 2, 3)"), &bytes[..]),
        ("y_train", format!("({ROWS},)"), &bytes[..ROWS]),
        ("x_test", "(4, 2, 3)".to_owned(), &bytes[..24]),
        ("y_test", "(4,)".to_owned(), &bytes[..4]),
    ] {
        zip.start_file(format!("{name}.npy"), zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(&array("|u1", &shape, bytes)).unwrap();
    }
    zip.finish().unwrap();
    check_same(&path, &Options::default());
}

#[test]
fn idx_images() {
    let folder = tempfile::tempdir().unwrap();
    let digits = ae_data::digits::generate(ROWS, 1);
    idx::write_images(&folder.path().join("train-images-idx3-ubyte.gz"), &digits).unwrap();
    idx::write_images(&folder.path().join("t10k-images-idx3-ubyte"), &digits.take(5)).unwrap();
    idx::write_labels(&folder.path().join("train-labels-idx1-ubyte"), &[3; ROWS]).unwrap();
    idx::write_labels(&folder.path().join("t10k-labels-idx1-ubyte"), &[1; 5]).unwrap();
    check_same(folder.path(), &Options::default());
}

/// Columns of every role, missing cells and labels, a number of rows far from zero, row numbers.
#[test]
fn tables() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.csv");
    let mut text = "id,x,time,colour,yes,day,empty,class\n".to_owned();
    for row in 0..ROWS {
        let x = if row % 7 == 2 { "?".to_owned() } else { number(row).to_string() };
        let colour = ["red", "blue", "", "green"][row % 4];
        let class = if row % 11 == 5 { "" } else { ["a", "b"][row % 2] };
        let yes = ["yes", "no"][row % 2];
        text += &format!(
            "{},{x},{},{colour},{yes},2020-01-{:02},,{class}\n",
            ROWS - row,
            1_700_000_000 + row,
            1 + row % 28
        );
    }
    fs::write(&path, text).unwrap();
    for missing in [Missing::Mean, Missing::Drop] {
        let table = TableOptions { missing, ..TableOptions::default() };
        check_same(&path, &Options { table, ..Options::default() });
    }
    let table = TableOptions { numeric: vec!["id".into()], ..TableOptions::default() };
    check_same(&gzip(&path), &Options { table, ..Options::default() });
    let disk = opened(&path, &on_disk(&Options::default())).unwrap().splits.training;
    let shown = disk.table().unwrap().to_string();
    assert!(shown.contains("`id` left out (one for each row)"), "{shown}");
}

/// In each of the layouts and kinds that are read.
#[cfg(feature = "images")]
#[test]
fn images() {
    use image::{GrayImage, Luma, Rgb, RgbImage};
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let noise = |seed: u32| move |x: u32, y: u32| (x * 37 + y * 91 + seed * 53) as u8;
    for (at, class) in (0..ROWS as u32).zip(["cat", "dog"].into_iter().cycle()) {
        for split in ["grey", "colour/train", "colour/test", "broken"] {
            fs::create_dir_all(path(&format!("{split}/{class}"))).unwrap();
        }
        let pixel = noise(at);
        let grey = GrayImage::from_fn(6, 4, |x, y| Luma([pixel(x, y)]));
        let colour = RgbImage::from_fn(5, 7, |x, y| Rgb([pixel(x, y), at as u8, pixel(y, x)]));
        grey.save(path(&format!("grey/{class}/{at}.png"))).unwrap();
        colour.save(path(&format!("colour/train/{class}/{at}.bmp"))).unwrap();
        grey.save(path(&format!("broken/{class}/{at}.png"))).unwrap();
        if at % 3 == 0 {
            colour.save(path(&format!("colour/test/{class}/{at}.png"))).unwrap();
        }
    }
    check_same(&path("grey"), &Options::default());
    check_same(&path("grey"), &Options { resize: Some((3, 3)), ..Options::default() });
    check_same(&path("grey"), &Options { channels: Some(3), ..Options::default() });
    check_same(&path("colour"), &Options::default());
    check_same(&path("colour"), &Options { channels: Some(1), ..Options::default() });

    for (name, bytes) in [("cat/0.png", &b"<html>"[..]), ("dog/9.png", b"")] {
        fs::write(path("broken").join(name), bytes).unwrap();
    }
    GrayImage::new(2, 2).save(path("broken/dog/3.png")).unwrap();
    // The first image has a size in its header, but cannot be decoded.
    let mut cut = std::io::Cursor::new(vec![]);
    RgbImage::new(40, 50).write_to(&mut cut, image::ImageFormat::Png).unwrap();
    fs::write(path("broken/cat/00.png"), &cut.into_inner()[..60]).unwrap();
    let skip = Options { skip_broken: true, ..Options::default() };
    check_same(&path("broken"), &skip);
    fs::remove_file(path("broken/cat/00.png")).unwrap();
    let error = |options: &Options| opened(&path("broken"), options).unwrap_err().to_string();
    assert_eq!(error(&Options::default()), error(&on_disk(&Options::default())));
    fs::remove_file(path("broken/cat/0.png")).unwrap();
    assert_eq!(error(&Options::default()), error(&on_disk(&Options::default())));
}

/// Colours in one of many images that the first look missed.
#[cfg(feature = "images")]
#[test]
fn a_colour_among_grey_images_is_an_error() {
    use image::{GrayImage, Luma, Rgb, RgbImage};
    let folder = tempfile::tempdir().unwrap();
    for at in 100..300 {
        let grey = GrayImage::from_pixel(2, 2, Luma([(at % 100) as u8]));
        grey.save(folder.path().join(format!("{at}.png"))).unwrap();
    }
    RgbImage::from_pixel(2, 2, Rgb([255, 0, 0])).save(folder.path().join("201.png")).unwrap();
    let samples = opened(folder.path(), &on_disk(&Options::default())).unwrap().splits;
    let all = [samples.training, samples.test];
    let read = |samples: &Samples| {
        let rows: Vec<usize> = (0..samples.len()).collect();
        samples.read(&rows, &mut vec![0.0; rows.len() * samples.width()])
    };
    let error = all.iter().find_map(|samples| read(samples).err()).unwrap().to_string();
    assert!(
        error.ends_with(
            "201.png: expected grey pixels as in the 50 images sampled, got colours; \
             set `channels` to 1 for grey or to 3 for colours"
        ),
        "{error}"
    );
}

/// What is small stays in memory.
#[test]
fn the_limit_decides() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.npy");
    fs::write(&path, array("<f4", "(100, 1)", &[0; 400])).unwrap();
    for (limit, expected) in [(799, true), (800, false)] {
        let options = Options { resident_limit: Some(limit), ..Options::default() };
        assert_eq!(opened(&path, &options).unwrap().splits.training.is_on_disk(), expected);
    }
    // A table is known to be small enough once it is read: 8 bytes for a number.
    let path = folder.path().join("a.csv");
    fs::write(&path, (0..100).map(|row| format!("{}.5\n", row * row)).collect::<String>()).unwrap();
    let memory = opened(&path, &Options::default()).unwrap().splits.training;
    for (limit, expected) in [(1599, true), (1600, false)] {
        let options = Options { resident_limit: Some(limit), ..Options::default() };
        let samples = opened(&path, &options).unwrap().splits.training;
        assert_eq!(samples.is_on_disk(), expected);
        assert_eq!(Vec::<Vec<f32>>::from(&samples), Vec::<Vec<f32>>::from(&memory));
    }
}

/// A column of 50 categories has 8 bytes in a row of the file, and 400 as features.
#[test]
fn features_count_against_the_limit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.csv");
    fs::write(&path, (0..200).map(|row| format!("k{}\n", row % 50)).collect::<String>()).unwrap();
    let memory = opened(&path, &Options::default()).unwrap().splits.training;
    assert_eq!(memory.width(), 50);
    for (limit, expected) in [(2 * 200 * 400 - 1, true), (2 * 200 * 400, false)] {
        let options = Options { resident_limit: Some(limit), ..Options::default() };
        let samples = opened(&path, &options).unwrap().splits.training;
        assert_eq!(samples.is_on_disk(), expected, "{limit}");
        assert_eq!(Vec::<Vec<f32>>::from(&samples), Vec::<Vec<f32>>::from(&memory));
    }
}

#[test]
fn errors_are_those_of_memory() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.npy");
    let infinite = [1.0, f32::INFINITY].map(f32::to_le_bytes).concat();
    let images = |value: f32| [value; 3].map(f32::to_le_bytes).concat();
    for bytes in [
        array("<f4", "(2, 3)", &[0; 20]),
        array("<f4", "(2, 3)", &[0; 25]),
        array("<f4", "(2, 1)", &infinite),
        array("<f4", "(1, 1, 1, 3)", &images(f32::NAN)),
        array("<f4", "(4294967295, 784)", &[0; 8]),
        array("<f8", "(4294967295, 4294967295)", &[0; 8]),
        array("<f4", "(0, 3)", &[]),
        array("|S3", "(2, 3)", &[0; 18]),
    ] {
        fs::write(&path, bytes).unwrap();
        for path in [path.clone(), gzip(&path)] {
            let memory = opened(&path, &Options::default()).unwrap_err().to_string();
            let disk = opened(&path, &on_disk(&Options::default())).unwrap_err().to_string();
            assert_eq!(memory, disk);
        }
    }
    let images = folder.path().join("train-images-idx3-ubyte");
    for bytes in [5, 7] {
        fs::write(
            &images,
            [&[0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 1][..], &vec![0; bytes]].concat(),
        )
        .unwrap();
        let memory = opened(folder.path(), &Options::default()).unwrap_err().to_string();
        let disk = opened(folder.path(), &on_disk(&Options::default())).unwrap_err().to_string();
        assert_eq!(memory, disk);
    }
}

/// A file that another program cuts while it is read is an error, not the end of the process.
#[test]
fn a_file_that_becomes_shorter_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.npy");
    let values = (0..100).map(|row| if row % 9 == 4 { f32::NAN } else { row as f32 });
    let bytes: Vec<u8> = values.flat_map(f32::to_le_bytes).collect();
    fs::write(&path, array("<f4", "(100, 1)", &bytes)).unwrap();
    let all = opened(&path, &on_disk(&Options::default())).unwrap().splits.training;
    let missing = (0..all.len()).find(|row| all.missing_in(*row)[0]).unwrap();
    let (samples, masked) = (all.subset(&[80, missing]), Masked::from(all.clone()));
    assert!(masked.is_on_disk() && samples.missing() == 1);
    fs::write(&path, "gone").unwrap();
    let out = folder.path().join("out");
    fs::create_dir(&out).unwrap();
    let errors = [
        samples.read(&[0], &mut [0.0]).err(),
        samples.try_row(0).err(),
        samples.try_missing().err(),
        samples.try_missing_in(0).err(),
        samples.try_mean().err(),
        masked.read(&[80], &mut [0.0; 2]).err(),
        Preprocessing::fit(Method::None, &samples).err(),
        Preprocessing::fit(Method::Standardize, &all).err(),
        Preprocessing::fit(Method::Robust, &all).err(),
        fingerprint(&all).err(),
        write_npy(&out, "it", Some(&samples)).err(),
    ];
    for (at, error) in errors.into_iter().enumerate() {
        let error = error.unwrap_or_else(|| panic!("no error {at}")).to_string();
        assert!(
            error.ends_with(
                "a.npy: expected as many bytes as when it was opened, got a file that became shorter"
            ),
            "{at}: {error}"
        );
    }
    assert_eq!(fs::read_dir(&out).unwrap().count(), 0);
}

/// Images may be damaged, or have other colours, without being seen when the folder is opened.
#[cfg(feature = "images")]
#[test]
fn an_image_that_is_found_broken_late_is_an_error_of_export() {
    let folder = tempfile::tempdir().unwrap();
    for at in 100..300 {
        let grey = image::GrayImage::from_pixel(2, 2, image::Luma([(at % 100) as u8]));
        grey.save(folder.path().join(format!("{at}.png"))).unwrap();
    }
    let path = folder.path().join("201.png");
    let mut bytes = fs::read(&path).unwrap();
    let pixels = bytes.windows(4).position(|name| name == b"IDAT").unwrap() + 4;
    bytes[pixels + 2..pixels + 6].fill(0xff);
    fs::write(&path, bytes).unwrap();
    let splits = opened(folder.path(), &on_disk(&Options::default())).unwrap().splits;
    let out = tempfile::tempdir().unwrap();
    let error = [&splits.training, &splits.test]
        .into_iter()
        .find_map(|samples| write_npy(out.path(), "it", Some(samples)).err());
    let error = error.expect("an error").to_string();
    assert!(error.contains("201.png: expected a whole image"), "{error}");
}
