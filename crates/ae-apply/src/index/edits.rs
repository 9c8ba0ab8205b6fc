//! The edits that make a duplicate of an image.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::imageops::{FilterType, crop_imm, resize};
use image::{ImageFormat, RgbImage};

use crate::{Error, Result};

/// A change of an image after which it still counts as the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Edit {
    /// Compression as a JPEG of quality 50.
    Jpeg,
    /// Half the width and height.
    Half,
    /// 5 % of the width and of the height cut off; where, depends on a number.
    Crop,
    /// 10 % brighter: every value times 1.1, at most 255.
    Brighter,
}

impl Edit {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Jpeg, Self::Half, Self::Crop, Self::Brighter];

    /// The edited image. `draw` decides what is cut off by [`Crop`](Self::Crop): multiples of a 256th of the
    /// margin, its lower byte on the left and the next one above.
    ///
    /// # Errors
    /// If the image cannot be encoded as JPEG.
    pub fn apply(self, image: &RgbImage, draw: u64) -> Result<RgbImage> {
        let (width, height) = image.dimensions();
        Ok(match self {
            Self::Jpeg => jpeg(image, 50)?,
            Self::Half => {
                let half = |side: u32| side.div_ceil(2).max(1);
                resize(image, half(width), half(height), FilterType::Triangle)
            }
            Self::Crop => {
                let margin = |side: u32| side - (f64::from(side) * 0.95).round().max(1.0) as u32;
                let offset =
                    |margin: u32, byte: u64| (u64::from(margin) * (byte & 255) + 127) / 255;
                let (left, top) = (offset(margin(width), draw), offset(margin(height), draw >> 8));
                let (wide, high) = (width - margin(width), height - margin(height));
                crop_imm(image, left as u32, top as u32, wide, high).to_image()
            }
            Self::Brighter => {
                let mut image = image.clone();
                image
                    .iter_mut()
                    .for_each(|byte| *byte = (f64::from(*byte) * 1.1).round().min(255.0) as u8);
                image
            }
        })
    }
}

impl std::fmt::Display for Edit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Jpeg => "JPEG of quality 50",
            Self::Half => "half the size",
            Self::Crop => "5 % cut off",
            Self::Brighter => "10 % brighter",
        })
    }
}

fn jpeg(image: &RgbImage, quality: u8) -> Result<RgbImage> {
    let failed =
        |error: image::ImageError| Error::setting("image", "one that JPEG can hold", error);
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(Cursor::new(&mut bytes), quality)
        .encode_image(image)
        .map_err(failed)?;
    Ok(image::load_from_memory_with_format(&bytes, ImageFormat::Jpeg).map_err(failed)?.into_rgb8())
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;

    #[test]
    fn edits_by_hand() {
        let image = RgbImage::from_fn(40, 20, |x, y| Rgb([x as u8, y as u8, 250]));
        let edited = |edit: Edit, draw| edit.apply(&image, draw).unwrap();
        assert_eq!(edited(Edit::Half, 0).dimensions(), (20, 10));
        let bright = edited(Edit::Brighter, 0);
        assert_eq!(bright.get_pixel(30, 10), &Rgb([33, 11, 255]));
        // 95 % of 40x20 is 38x19; the largest draw leaves out the first two columns and the first row.
        let crop = edited(Edit::Crop, 0xffff);
        assert_eq!((crop.dimensions(), crop.get_pixel(0, 0)), ((38, 19), &Rgb([2, 1, 250])));
        assert_eq!(edited(Edit::Crop, 0).get_pixel(0, 0), &Rgb([0, 0, 250]));
        let compressed = edited(Edit::Jpeg, 0);
        assert_eq!(compressed.dimensions(), (40, 20));
        let far = compressed.iter().zip(image.iter()).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(far > Some(0) && far < Some(40), "{far:?}");
    }

    #[test]
    fn an_image_of_one_pixel_is_edited() {
        let image = RgbImage::from_pixel(1, 1, Rgb([9, 9, 9]));
        for edit in Edit::ALL {
            assert_eq!(edit.apply(&image, 77).unwrap().dimensions(), (1, 1), "{edit}");
        }
    }
}
