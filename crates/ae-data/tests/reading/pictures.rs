//! Images.

use std::path::Path;

use ae_data::Options;
use image::{
    DynamicImage, GrayImage, ImageBuffer, ImageFormat, Luma, LumaA, Rgb, RgbImage, Rgba, RgbaImage,
};

use super::{Row, Section, file};

pub const SECTION: Section =
    ("Images", "PNG, JPEG, BMP, GIF, TIFF, WebP and PNM, recognised by their bytes.", ROWS);

fn grey(folder: &Path, name: &str, width: u32, height: u32, value: u8) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    GrayImage::from_pixel(width, height, Luma([value])).save(path).unwrap();
}

/// Two grey images, the first of 51s.
fn two(folder: &Path) -> (&'static str, Options) {
    grey(folder, "a.png", 2, 1, 51);
    grey(folder, "b.png", 2, 1, 102);
    (".", Options::default())
}

fn jpeg(image: impl Into<DynamicImage>) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(vec![]);
    image.into().write_to(&mut bytes, ImageFormat::Jpeg).unwrap();
    bytes.into_inner()
}

const ROWS: &[Row] = &[
    ("grey PNG", two, "2 samples of 1x1x2; the first is 0.2, 0.2"),
    (
        "colour images",
        |dir| {
            for (name, value) in [("a.png", 0), ("b.bmp", 51)] {
                RgbImage::from_pixel(1, 1, Rgb([255, value, 102])).save(dir.join(name)).unwrap();
            }
            (".", Options::default())
        },
        "2 samples of 3x1x1; the first is 1, 0, 0.4",
    ),
    (
        "a single image, which a trained model takes",
        |dir| {
            two(dir);
            ("b.png", Options::default())
        },
        "refused: samples of b.png: expected at least 2, one to train on and one to hold out as the test set, got 1",
    ),
    (
        "one colour image among grey ones",
        |dir| {
            RgbImage::from_pixel(2, 1, Rgb([255, 0, 0])).save(dir.join("c.png")).unwrap();
            two(dir)
        },
        "3 samples of 3x1x2; the first is 0.2, 0.2, 0.2, 0.2, 0.2, 0.2",
    ),
    (
        "the same for a model of grey images",
        |dir| {
            RgbImage::from_pixel(2, 1, Rgb([255, 0, 0])).save(dir.join("c.png")).unwrap();
            (two(dir).0, Options { channels: Some(1), ..Options::default() })
        },
        "3 samples of 1x1x2; the first is 0.2, 0.2",
    ),
    (
        "grey images for a model of colours",
        |dir| (two(dir).0, Options { channels: Some(3), ..Options::default() }),
        "2 samples of 3x1x2; the first is 0.2, 0.2, 0.2, 0.2, 0.2, 0.2",
    ),
    (
        "WebP, TIFF, GIF and PNM",
        |dir| {
            for (name, value) in [("a.webp", 51), ("b.tiff", 102), ("c.gif", 153), ("d.pgm", 204)] {
                let image = DynamicImage::ImageLuma8(GrayImage::from_pixel(2, 1, Luma([value])));
                match name {
                    "a.webp" | "c.gif" => image.into_rgba8().save(dir.join(name)).unwrap(),
                    _ => image.save(dir.join(name)).unwrap(),
                }
            }
            (".", Options::default())
        },
        "4 samples of 1x1x2; the first is 0.2, 0.2",
    ),
    (
        "an animation: its first frame",
        |dir| {
            use image::codecs::gif::GifEncoder;
            let frame = |value: u8| {
                image::Frame::new(RgbaImage::from_pixel(2, 1, Rgba([value, value, value, 255])))
            };
            for name in ["a.gif", "b.gif"] {
                let mut encoder = GifEncoder::new(std::fs::File::create(dir.join(name)).unwrap());
                encoder.encode_frames([frame(51), frame(204)]).unwrap();
            }
            (".", Options::default())
        },
        "2 samples of 1x1x2; the first is 0.2, 0.2",
    ),
    (
        "16 bits per colour",
        |dir| {
            for name in ["a.png", "b.png"] {
                ImageBuffer::from_pixel(2, 1, Luma([0xccccu16])).save(dir.join(name)).unwrap();
            }
            (".", Options::default())
        },
        "2 samples of 1x1x2; the first is 0.8, 0.8. Warning: the folder: 2 images have more than 8 bits per colour, rounded to 8",
    ),
    (
        "12-bit numbers in 16 bits",
        |dir| {
            for name in ["a.png", "b.png"] {
                ImageBuffer::from_fn(2, 1, |x, _| Luma([4095 * x as u16]))
                    .save(dir.join(name))
                    .unwrap();
            }
            (".", Options::default())
        },
        "2 samples of 1x1x2; the first is 0, 0.0627451. Warning: the folder: 2 images have more than 8 bits per colour, rounded to 8; their brightest value is 6.2 % of the maximum, so 17 of 256 levels are left: save them with values up to the maximum",
    ),
    (
        "transparency",
        |dir| {
            for name in ["a.png", "b.png"] {
                RgbaImage::from_fn(2, 1, |x, _| Rgba([51, 51, 102 * x as u8, 128]))
                    .save(dir.join(name))
                    .unwrap();
            }
            (".", Options::default())
        },
        "2 samples of 3x1x2; the first is 0.2, 0.2, 0.2, 0.2, 0, 0.4. Warning: the folder: 2 images have transparency, which is dropped",
    ),
    (
        "shapes that are in the transparency alone",
        |dir| {
            for name in ["a.png", "b.png"] {
                ImageBuffer::from_fn(2, 1, |x, _| LumaA([0u8, 255 * x as u8]))
                    .save(dir.join(name))
                    .unwrap();
            }
            (".", Options::default())
        },
        "2 samples of 1x1x2; the first is 1, 0. Warning: the folder: 2 images have one colour, with the shape in the transparency: drawn over white or black",
    ),
    (
        "a photo of an upright camera, by its orientation (EXIF)",
        |dir| {
            let bytes =
                jpeg(RgbImage::from_fn(16, 8, |x, _| Rgb([if x < 8 { 0 } else { 255 }; 3])));
            let exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
            let note = [&b"\xff\xe1"[..], &(exif.len() as u16 + 2).to_be_bytes(), exif].concat();
            for name in ["a.jpg", "b.jpg"] {
                file(dir, name, [&bytes[..2], &*note, &bytes[2..]].concat());
            }
            (".", Options::default())
        },
        "2 samples of 1x16x8",
    ),
    (
        "a whole JPEG with bytes behind it",
        |dir| {
            let bytes = jpeg(GrayImage::from_pixel(8, 8, Luma([51])));
            for name in ["a.jpg", "b.jfif"] {
                file(dir, name, [&*bytes, b"\xff\xda\x00\x0c"].concat());
            }
            (".", Options::default())
        },
        "2 samples of 1x8x8",
    ),
    (
        "a JPEG that is cut short",
        |dir| {
            let bytes = jpeg(GrayImage::from_pixel(64, 64, Luma([51])));
            file(dir, "c.jpg", &bytes[..bytes.len() - 2]);
            two(dir)
        },
        "refused: c.jpg: expected a whole image, got a JPEG that is cut short",
    ),
    (
        "a broken image, left out by option",
        |dir| {
            file(dir, "c.png", "<html>Not found</html>");
            (two(dir).0, Options { skip_broken: true, ..Options::default() })
        },
        "2 samples of 1x1x2; the first is 0.2, 0.2. Warning: the folder: 1 image left out that cannot be read, the first: c.png: expected a whole image, got a web page; download the image itself",
    ),
    (
        "a web page with the name of an image",
        |dir| {
            file(dir, "c.png", "<html>Not found</html>");
            two(dir)
        },
        "refused: c.png: expected a whole image, got a web page; download the image itself",
    ),
    (
        "an HEIC photo with the name of a JPEG",
        |dir| {
            file(dir, "c.jpg", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic");
            two(dir)
        },
        "refused: c.jpg: expected a whole image, got an HEIC image; save it as PNG or JPEG",
    ),
    (
        "an empty file with the name of an image",
        |dir| {
            file(dir, "c.jpg", "");
            two(dir)
        },
        "refused: c.jpg: expected a whole image, got an empty file",
    ),
    (
        "files of other formats beside images",
        |dir| {
            for name in ["c.heic", "d.HEIC", "e.svg", "notes.txt"] {
                file(dir, name, "");
            }
            two(dir)
        },
        "2 samples of 1x1x2; the first is 0.2, 0.2. Warning: the folder: files of other formats left out: 2 .heic, 1 .svg and 1 .txt",
    ),
    (
        "only files of other formats",
        |dir| {
            file(dir, "c.heic", "");
            (".", Options::default())
        },
        "refused: the folder: expected images (.png, .jpg, .bmp), IDX files (train-images-idx3-ubyte and its like) or CIFAR-10 batches (data_batch_1.bin and its like), got a folder with none of them",
    ),
    (
        "images of several sizes",
        |dir| {
            grey(dir, "c.png", 3, 1, 9);
            two(dir)
        },
        "refused: c.png: expected 2x1 pixels as in a.png, got 3x1; set `resize` to scale all images to one size",
    ),
    (
        "the same with a size",
        |dir| {
            grey(dir, "c.png", 3, 1, 9);
            (two(dir).0, Options { resize: Some((2, 2)), ..Options::default() })
        },
        "3 samples of 1x2x2; the first is 0.2, 0.2, 0.2, 0.2",
    ),
    (
        "images of 1 pixel",
        |dir| {
            grey(dir, "a.png", 1, 1, 51);
            grey(dir, "b.png", 1, 1, 102);
            (".", Options::default())
        },
        "2 samples of 1x1x1; the first is 0.2",
    ),
    (
        "one image",
        |dir| {
            grey(dir, "a.png", 2, 1, 51);
            (".", Options::default())
        },
        "refused: samples of the folder: expected at least 2, one to train on and one to hold out as the test set, got 1",
    ),
    (
        "images that are all equal",
        |dir| {
            for name in ["a.png", "b.png", "c.png", "d.png"] {
                grey(dir, name, 2, 1, 51);
            }
            (".", Options::default())
        },
        "4 samples of 1x1x2; the first is 0.2, 0.2. Warning: the folder: all 3 training samples are equal, so there is nothing to learn; look at how they are read",
    ),
];
