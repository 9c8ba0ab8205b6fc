//! Layouts of folders of images.

use std::path::Path;

use ae_data::Options;
use image::{GrayImage, Luma};

use super::{Row, Section, file};

pub const SECTION: Section = (
    "Folders of images",
    "A subfolder is a class; folders with names of sets are sets. Hidden files, `__MACOSX`, `Thumbs.db` and \
     `desktop.ini` are passed over.",
    ROWS,
);

/// Images at these paths, each of another grey; others are empty files.
fn tree(folder: &Path, paths: &[&str]) -> (&'static str, Options) {
    for (path, value) in paths.iter().zip(1..) {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        match path.extension().is_some_and(|end| end == "png") {
            true => GrayImage::from_pixel(2, 1, Luma([51 * value])).save(path).unwrap(),
            false => std::fs::write(path, "").unwrap(),
        }
    }
    (".", Options::default())
}

const ROWS: &[Row] = &[
    (
        "images without subfolders",
        |dir| tree(dir, &["a.png", "b.png"]),
        "2 samples of 1x1x2; the first is 0.2, 0.2",
    ),
    (
        "a subfolder for each class",
        |dir| tree(dir, &["cat/a.png", "dog/b.png"]),
        "2 samples of 1x1x2, classes cat, dog; the first is 0.2, 0.2",
    ),
    (
        "`train`, `test`",
        |dir| {
            tree(dir, &["train/cat/a.png", "train/dog/a.png", "test/cat/a.png", "test/dog/a.png"])
        },
        "2 samples of 1x1x2, 2 to test, classes cat, dog; the first is 0.2, 0.2",
    ),
    (
        "`Train`, `Test`",
        |dir| tree(dir, &["Train/cat/a.png", "Train/dog/a.png", "Test/cat/a.png"]),
        "2 samples of 1x1x2, 1 to test, classes cat, dog; the first is 0.2, 0.2",
    ),
    (
        "`training`, `testing`",
        |dir| tree(dir, &["training/a.png", "training/b.png", "testing/c.png"]),
        "2 samples of 1x1x2, 1 to test; the first is 0.2, 0.2",
    ),
    (
        "`train`, `val`",
        |dir| tree(dir, &["train/a.png", "train/b.png", "val/c.png"]),
        "2 samples of 1x1x2, 1 to test; the first is 0.2, 0.2. Warning: the folder: val is the test set, 1 image",
    ),
    (
        "`train`, `val`, `test`",
        |dir| tree(dir, &["train/a.png", "val/b.png", "test/c.png"]),
        "2 samples of 1x1x2, 1 to test; the first is 0.2, 0.2. Warning: the folder: val is part of the training set, from which a validation set is split: 1 image",
    ),
    (
        "`seg_train/seg_train`, `seg_test/seg_test`",
        |dir| {
            tree(
                dir,
                &[
                    "seg_train/seg_train/cat/a.png",
                    "seg_train/seg_train/dog/a.png",
                    "seg_test/seg_test/cat/a.png",
                ],
            )
        },
        "2 samples of 1x1x2, 1 to test, classes cat, dog; the first is 0.2, 0.2",
    ),
    (
        "`train`, `test1` without classes, as Kaggle has them",
        |dir| tree(dir, &["train/cat.0.png", "train/dog.0.png", "test1/1.png"]),
        "2 samples of 1x1x2, 1 to test; the first is 0.2, 0.2",
    ),
    (
        "classes to train on, a test set without",
        |dir| tree(dir, &["train/cat/a.png", "train/dog/b.png", "test/c.png"]),
        "2 samples of 1x1x2, 1 to test, classes cat, dog; the first is 0.2, 0.2. Warning: the folder: the test set has no classes, since its images are not in subfolders",
    ),
    (
        "`train/images`, `train/labels`, `valid/images`, as YOLO has them",
        |dir| {
            tree(
                dir,
                &[
                    "train/images/a.png",
                    "train/images/b.png",
                    "train/labels/a.txt",
                    "valid/images/c.png",
                    "valid/labels/c.txt",
                ],
            )
        },
        "2 samples of 1x1x2, 1 to test; the first is 0.2, 0.2. Warning: the folder: the folder labels left out: it has no images, but 1 .txt. Warning: the folder: valid is the test set, 1 image",
    ),
    (
        "one category of MVTec, with masks",
        |dir| {
            tree(
                dir,
                &[
                    "train/good/0.png",
                    "train/good/1.png",
                    "test/broken/0.png",
                    "test/good/0.png",
                    "ground_truth/broken/0_mask.png",
                ],
            )
        },
        "2 samples of 1x1x2, 2 to test, classes broken, good; the first is 0.2, 0.2",
    ),
    (
        "all categories of MVTec",
        |dir| {
            tree(
                dir,
                &[
                    "bottle/train/good/0.png",
                    "bottle/test/good/0.png",
                    "cable/train/good/0.png",
                    "cable/test/good/0.png",
                ],
            )
        },
        "refused: the folder: expected one data set with training and test folders, got several of them; give one: bottle or cable",
    ),
    (
        "a folder around the classes, and `__MACOSX`",
        |dir| tree(dir, &["flowers/rose/a.png", "flowers/tulip/b.png", "__MACOSX/flowers/._a.png"]),
        "2 samples of 1x1x2, classes rose, tulip; the first is 0.2, 0.2",
    ),
    (
        "classes named `test_tube` and `train`",
        |dir| tree(dir, &["test_tube/a.png", "train/b.png", "plane/c.png"]),
        "3 samples of 1x1x2, classes plane, test_tube, train; the first is 0.6, 0.6",
    ),
    (
        "images beside subfolders",
        |dir| tree(dir, &["a.png", "cat/b.png"]),
        "refused: the folder: expected images, or subfolders of images, one for each class, got both (a.png and cat)",
    ),
    (
        "folders in a class",
        |dir| tree(dir, &["cat/old/a.png", "cat/young/b.png", "dog/c.png"]),
        "refused: cat: expected only images in a subfolder, which is one class, got the folder old",
    ),
    (
        "a class without images",
        |dir| {
            std::fs::create_dir(dir.join("dog")).unwrap();
            tree(dir, &["cat/a.png", "cat/b.png"])
        },
        "refused: dog: expected at least one image (PNG, JPEG, BMP, GIF, TIFF, WebP or PNM), got none",
    ),
    (
        "a third folder beside `train` and `test`",
        |dir| tree(dir, &["train/a.png", "test/b.png", "extra/c.png"]),
        "refused: the folder: expected only folders of training, validation and test images, got also the folder extra; move it away",
    ),
    (
        "classes in the test set alone",
        |dir| tree(dir, &["train/a.png", "test/cat/b.png"]),
        "refused: the folder: expected subfolders, one for each class, in both train and test or in neither, got subfolders in one of the two",
    ),
    (
        "tables of Kaggle, instead of one of them",
        |dir| {
            file(dir, "train.csv", "a,b\n1,2\n");
            file(dir, "test.csv", "a,b\n1,2\n");
            (".", Options::default())
        },
        "refused: the folder: expected images (.png, .jpg, .bmp), IDX files (train-images-idx3-ubyte and its like) or CIFAR-10 batches (data_batch_1.bin and its like), got a folder with other files; give one of them: `test.csv` or `train.csv`",
    ),
    (
        "an empty folder",
        |dir| tree(dir, &[]),
        "refused: the folder: expected images (.png, .jpg, .bmp), IDX files (train-images-idx3-ubyte and its like) or CIFAR-10 batches (data_batch_1.bin and its like), got a folder with none of them",
    ),
];
