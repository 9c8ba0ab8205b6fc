//! Folders of images in common layouts, and how they are read.
#![cfg(feature = "images")]

use std::fs;
use std::path::Path;

use ae_data::images::{ImageOptions, read_folder, read_folder_with};
use ae_data::{Labels, Options, Samples, Shape, open};
use image::{DynamicImage, GrayImage, ImageBuffer, Luma, LumaA, Rgb, RgbImage, Rgba, RgbaImage};

fn grey(folder: &Path, path: &str, value: u8) {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    GrayImage::from_pixel(2, 2, Luma([value])).save(path).unwrap();
}

fn values(samples: &Samples) -> Vec<u8> {
    (0..samples.len()).map(|row| (samples.row(row)[0] * 255.0).round() as u8).collect()
}

fn names(samples: &Samples) -> Vec<String> {
    samples.labels().map(|labels| labels.names().to_vec()).unwrap_or_default()
}

#[test]
fn training_and_test_folders_are_recognised_by_name() {
    for (train, test) in [
        ("train", "test"),
        ("Train", "Test"),
        ("TRAIN", "TEST"),
        ("training", "testing"),
        ("Training", "Testing"),
        ("train", "val"),
        ("train", "valid"),
        ("training", "validation"),
        ("training_set", "test_set"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: String, value| grey(folder.path(), &path, value);
        at(format!("{train}/cat/1.png"), 1);
        at(format!("{train}/dog/1.png"), 2);
        at(format!("{test}/cat/1.png"), 3);
        at(format!("{test}/dog/1.png"), 4);
        at("__MACOSX/x/1.png".into(), 9);
        let (training, test_set) = read_folder(folder.path(), None).unwrap();
        let test_set = test_set.unwrap();
        assert_eq!(
            (values(&training), values(&test_set)),
            (vec![1, 2], vec![3, 4]),
            "{train} {test}"
        );
        assert_eq!(
            (names(&training), names(&test_set)),
            (vec!["cat".into(), "dog".into()], vec!["cat".into(), "dog".into()])
        );
        // The same without classes, in nested folders.
        let folder = tempfile::tempdir().unwrap();
        let at = |path: String, value| grey(folder.path(), &path, value);
        at(format!("archive/data/{train}/1.png"), 1);
        at(format!("archive/data/{test}/1.png"), 3);
        let (training, test_set) = read_folder(folder.path(), None).unwrap();
        assert_eq!((values(&training), values(&test_set.unwrap())), (vec![1], vec![3]));
    }
    // With a test folder, the validation folder belongs to the training set.
    let folder = tempfile::tempdir().unwrap();
    for (path, value) in [("train/a/1.png", 1), ("val/a/1.png", 2), ("test/a/1.png", 3)] {
        grey(folder.path(), path, value);
    }
    let (training, test) = read_folder(folder.path(), None).unwrap();
    assert_eq!((values(&training), values(&test.unwrap())), (vec![1, 2], vec![3]));
}

#[test]
fn nested_folders_and_published_layouts() {
    let folder = tempfile::tempdir().unwrap();
    grey(folder.path(), "flowers/rose/1.png", 1);
    grey(folder.path(), "flowers/tulip/1.png", 2);
    grey(folder.path(), "__MACOSX/flowers/._1.png", 9);
    let (samples, test) = read_folder(folder.path(), None).unwrap();
    assert_eq!(
        (values(&samples), names(&samples), test.is_none()),
        (vec![1, 2], vec!["rose".into(), "tulip".into()], true)
    );

    // MVTec: normal images to train on, defects to test on, and masks of the defects.
    let folder = tempfile::tempdir().unwrap();
    for (path, value) in [
        ("bottle/train/good/000.png", 1),
        ("bottle/test/good/000.png", 2),
        ("bottle/test/broken/000.png", 3),
        ("bottle/ground_truth/broken/000_mask.png", 4),
    ] {
        grey(folder.path(), path, value);
    }
    fs::write(folder.path().join("bottle/license.txt"), "").unwrap();
    let bottle = folder.path().join("bottle");
    let (training, test) = read_folder(&bottle, None).unwrap();
    assert_eq!((values(&training), values(&test.unwrap())), (vec![1], vec![3, 2]));
    let options = Options { normal: Some("good".into()), ..Options::default() };
    let set = open(bottle.to_str().unwrap(), &options, &mut |_| ()).unwrap();
    assert_eq!(set.splits.test.labels().map(Labels::classes), Some(&[1, 0][..]));
    grey(folder.path(), "cable/train/good/000.png", 1);
    grey(folder.path(), "cable/test/good/000.png", 1);
    let error = read_folder(folder.path(), None).unwrap_err().to_string();
    assert!(
        error.ends_with(
            "expected one data set with training and test folders, got several of them; give one: \
             bottle or cable"
        ),
        "{error}"
    );

    // Kaggle: classes to train on, and test images without classes.
    let folder = tempfile::tempdir().unwrap();
    for (path, value) in [("train/cat/1.png", 1), ("train/dog/1.png", 2), ("test/1.png", 3)] {
        grey(folder.path(), path, value);
    }
    let (training, test) = read_folder(folder.path(), None).unwrap();
    assert_eq!((names(&training).len(), test.unwrap().labels().is_none()), (2, true));

    // Kaggle's tables.
    let folder = tempfile::tempdir().unwrap();
    for name in ["train.csv", "test.csv"] {
        fs::write(folder.path().join(name), "a,b\n1,2\n").unwrap();
    }
    let error = open(folder.path().to_str().unwrap(), &Options::default(), &mut |_| ())
        .unwrap_err()
        .to_string();
    assert!(
        error.ends_with("a folder with other files; give one of them: `test.csv` or `train.csv`"),
        "{error}"
    );

    let folder = tempfile::tempdir().unwrap();
    for (path, value) in [("train/a/1.png", 1), ("test/a/1.png", 2), ("extra/1.png", 3)] {
        grey(folder.path(), path, value);
    }
    let error = read_folder(folder.path(), None).unwrap_err().to_string();
    assert!(error.contains("got also the folder extra"), "{error}");
}

#[test]
fn splits_and_classes_within_further_folders() {
    let read = |paths: &[(&str, u8)]| {
        let folder = tempfile::tempdir().unwrap();
        for (path, value) in paths {
            match path.strip_suffix(".txt") {
                Some(_) => {
                    let path = folder.path().join(path);
                    fs::create_dir_all(path.parent().unwrap()).unwrap();
                    fs::write(path, "").unwrap();
                }
                None => grey(folder.path(), path, *value),
            }
        }
        let (training, test) = read_folder(folder.path(), None).unwrap();
        (values(&training), names(&training), test.map(|test| values(&test)))
    };
    let classes = || vec!["cat".to_owned(), "dog".to_owned()];
    // Each set in a folder of its name, and names of two words.
    let set = read(&[
        ("seg_train/seg_train/cat/1.png", 1),
        ("seg_train/seg_train/dog/1.png", 2),
        ("seg_test/seg_test/cat/1.png", 3),
        ("seg_test/seg_test/dog/1.png", 4),
    ]);
    assert_eq!(set, (vec![1, 2], classes(), Some(vec![3, 4])));
    // Kaggle's dogs and cats: no classes, a test set with a number.
    let set = read(&[("train/cat.0.png", 1), ("test1/1.png", 2)]);
    assert_eq!(set, (vec![1], vec![], Some(vec![2])));
    let set = read(&[("train_images/1.png", 1), ("test_images/1.png", 2)]);
    assert_eq!(set, (vec![1], vec![], Some(vec![2])));
    // Detection: images, and labels as text beside them.
    let set = read(&[
        ("train/images/1.png", 1),
        ("train/labels/1.txt", 0),
        ("valid/images/1.png", 2),
        ("valid/labels/1.txt", 0),
    ]);
    assert_eq!(set, (vec![1], vec![], Some(vec![2])));
    // Classes whose names have such words.
    let set = read(&[("test_tube/1.png", 1), ("train/1.png", 2), ("plane/1.png", 3)]);
    let names = ["plane", "test_tube", "train"].map(str::to_owned).to_vec();
    assert_eq!(set, (vec![3, 1, 2], names, None));
    // One class remains a class.
    let set = read(&[("train/good/1.png", 1), ("test/good/1.png", 2)]);
    assert_eq!(set, (vec![1], vec!["good".to_owned()], Some(vec![2])));
}

#[test]
fn every_image_format_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let kinds = ["png", "bmp", "gif", "tif", "TIFF", "webp", "pgm"];
    for (kind, value) in kinds.iter().zip(1..) {
        let picture = DynamicImage::ImageLuma8(GrayImage::from_pixel(2, 2, Luma([value])));
        let picture = match *kind {
            "gif" | "webp" => DynamicImage::ImageRgba8(picture.into_rgba8()),
            _ => picture,
        };
        picture.save(folder.path().join(format!("{value}.{kind}"))).unwrap();
    }
    fs::write(folder.path().join("x.heic"), "").unwrap();
    let (samples, _) = read_folder(folder.path(), None).unwrap();
    assert_eq!(values(&samples), [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(samples.shape(), &Shape::image(1, 2, 2));
    // The error names other formats.
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.heic", "b.HEIC", "c.svg"] {
        fs::write(folder.path().join(name), "").unwrap();
    }
    let error = read_folder(folder.path(), None).unwrap_err().to_string();
    assert!(error.ends_with("got 2 .heic and 1 .svg of other formats"), "{error}");
}

fn jpeg(side: u32) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(vec![]);
    let noise = RgbImage::from_fn(side, side, |x, y| Rgb([x * 7, y * 5, x * y].map(|c| c as u8)));
    noise.write_to(&mut bytes, image::ImageFormat::Jpeg).unwrap();
    bytes.into_inner()
}

#[test]
fn bytes_after_a_jpeg_are_ignored() {
    let whole = jpeg(24);
    for behind in [
        &b"\xff\xda"[..],
        b"\xff\xd8\xff\xda\x00\x0c",
        b"\xff\xff\xff",
        b"\0\0\0",
        b"\xff\xd9\xff\xda",
    ] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.jpg"), &whole).unwrap();
        fs::write(folder.path().join("b.jfif"), [&*whole, behind].concat()).unwrap();
        let (samples, _) = read_folder(folder.path(), None).unwrap();
        assert_eq!(samples.row(0), samples.row(1));
    }
    // A preview in a segment has an end of its own.
    let preview = [&b"\xff\xe1"[..], &(whole.len() as u16 + 2).to_be_bytes(), &whole].concat();
    let with = [&whole[..2], &*preview, &whole[2..]].concat();
    for length in [with.len() - 2, with.len() / 2 + 200] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.jpg"), &with[..length]).unwrap();
        let error = read_folder(folder.path(), None).unwrap_err().to_string();
        assert!(error.contains("cut short"), "{error}");
    }
}

/// A camera held upright saves the picture lying on its side, with its orientation.
#[test]
fn exif_orientation_is_applied() {
    let folder = tempfile::tempdir().unwrap();
    let picture = RgbImage::from_fn(16, 8, |x, _| Rgb([if x < 8 { 0 } else { 255 }; 3]));
    let mut bytes = std::io::Cursor::new(vec![]);
    picture.write_to(&mut bytes, image::ImageFormat::Jpeg).unwrap();
    let bytes = bytes.into_inner();
    // One entry: 0x0112, a short, 6: the first row is the right side.
    let exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    let note = [&b"\xff\xe1"[..], &(exif.len() as u16 + 2).to_be_bytes(), exif].concat();
    fs::write(folder.path().join("a.jpg"), [&bytes[..2], &*note, &bytes[2..]].concat()).unwrap();
    let (samples, _) = read_folder(folder.path(), None).unwrap();
    assert_eq!(samples.shape(), &Shape::image(1, 16, 8));
    let row = samples.row(0);
    assert!(
        row[..8].iter().all(|value| *value < 0.2) && row[15 * 8..].iter().all(|value| *value > 0.8),
        "{row:?}"
    );
}

#[test]
fn shape_in_the_transparency_is_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let shape = |colour: u8| {
        ImageBuffer::from_fn(2, 1, move |x, _| LumaA([colour, if x == 0 { 255u8 } else { 0 }]))
    };
    shape(0).save(folder.path().join("black.png")).unwrap();
    shape(255).save(folder.path().join("white.png")).unwrap();
    // Colours that differ are read, whatever is transparent.
    RgbaImage::from_fn(2, 1, |x, _| {
        Rgba(
            [[51, 102][x as usize]; 3]
                .map(|c| c)
                .into_iter()
                .chain([7])
                .collect::<Vec<u8>>()
                .try_into()
                .unwrap(),
        )
    })
    .save(folder.path().join("x.png"))
    .unwrap();
    let (samples, _) = read_folder(folder.path(), None).unwrap();
    assert_eq!(
        [samples.row(0), samples.row(1), samples.row(2)],
        [[0.0, 1.0], [1.0, 0.0], [0.2, 0.4]]
    );
}

#[test]
fn channels_are_those_of_the_options() {
    let folder = tempfile::tempdir().unwrap();
    grey(folder.path(), "a.png", 51);
    let read = |channels| {
        let options = ImageOptions { channels: Some(channels), ..ImageOptions::default() };
        read_folder_with(folder.path(), &options)
    };
    assert_eq!(read(3).unwrap().0.row(0), [0.2; 12]);
    RgbImage::from_pixel(2, 2, Rgb([255, 0, 0])).save(folder.path().join("b.png")).unwrap();
    let (samples, _) = read(1).unwrap();
    assert_eq!((samples.shape(), samples.row(0)), (&Shape::image(1, 2, 2), vec![0.2; 4]));
    assert!((0.2..0.32).contains(&samples.row(1)[0]), "{:?}", samples.row(1));
    assert_eq!(read(2).unwrap_err().to_string(), "channels: expected 1 or 3, got 2");
}

#[test]
fn broken_images_are_left_out_if_asked() {
    let folder = tempfile::tempdir().unwrap();
    grey(folder.path(), "a.png", 1);
    grey(folder.path(), "c.png", 3);
    fs::write(folder.path().join("b.png"), "<html>").unwrap();
    fs::write(folder.path().join("d.jpg"), &jpeg(8)[..200]).unwrap();
    assert!(read_folder(folder.path(), None).is_err());
    let options = ImageOptions { skip_broken: true, ..ImageOptions::default() };
    assert_eq!(values(&read_folder_with(folder.path(), &options).unwrap().0), [1, 3]);
    for name in ["a.png", "c.png"] {
        fs::remove_file(folder.path().join(name)).unwrap();
    }
    assert!(read_folder_with(folder.path(), &options).is_err());
}

#[test]
fn tiny_images_and_images_of_16_bits() {
    for (width, height) in [(1, 1), (2, 1), (1, 2)] {
        let folder = tempfile::tempdir().unwrap();
        let deep: ImageBuffer<Luma<u16>, _> =
            ImageBuffer::from_pixel(width, height, Luma([0x3333u16]));
        deep.save(folder.path().join("a.png")).unwrap();
        let (samples, _) = read_folder(folder.path(), None).unwrap();
        assert_eq!(samples.row(0), vec![0.2; (width * height) as usize]);
    }
}
