//! A perceptual hash by cosine transform, the classical way to find duplicates of images.

use std::f64::consts::PI;

use image::RgbImage;
use image::imageops::{FilterType, grayscale, resize};

/// 64 bits of an image's coarse structure (pHash; Zauner 2010, "Implementation and Benchmarking of Perceptual Image
/// Hash Functions", section 3.2.1): the image in grey at 32x32 pixels, of its cosine transform
///
/// `C_uv = sum_xy f_xy cos(pi u (2 x + 1) / 64) cos(pi v (2 y + 1) / 64)`
///
/// the 8x8 coefficients of lowest frequency, and of each whether it is above their median. The median is that of
/// the coefficients other than the mean brightness `C_00`. The scale of the coefficients does not matter.
///
/// Images with at most 10 differing bits are usually called duplicates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PerceptualHash(pub u64);

const SIDE: usize = 32;
const LOW: usize = 8;

impl PerceptualHash {
    /// The differing bits up to which imagededup calls images duplicates.
    pub const USUAL: u32 = 10;

    /// The hash of an image; any size.
    pub fn of(image: &RgbImage) -> Self {
        let small = resize(&grayscale(image), SIDE as u32, SIDE as u32, FilterType::Triangle);
        let pixels: Vec<f64> = small.as_raw().iter().map(|byte| f64::from(*byte)).collect();
        Self::of_coefficients(&low_frequencies(&pixels))
    }

    fn of_coefficients(coefficients: &[f64]) -> Self {
        let mut sorted = coefficients[1..].to_vec();
        sorted.sort_by(f64::total_cmp);
        let median = sorted[sorted.len() / 2];
        let bits = coefficients.iter().enumerate();
        Self(bits.fold(0, |hash, (at, value)| hash | (u64::from(*value > median) << at)))
    }

    /// The number of bits that differ.
    pub fn distance(self, other: Self) -> u32 {
        (self.0 ^ other.0).count_ones()
    }
}

/// The 8x8 coefficients of lowest frequency, row by row.
fn low_frequencies(pixels: &[f64]) -> Vec<f64> {
    let cosine = |frequency: usize, at: usize| {
        (PI * frequency as f64 * (2 * at + 1) as f64 / (2 * SIDE) as f64).cos()
    };
    // [row of pixels][horizontal frequency]
    let rows: Vec<[f64; LOW]> = pixels
        .chunks_exact(SIDE)
        .map(|row| {
            std::array::from_fn(|u| row.iter().enumerate().map(|(x, v)| v * cosine(u, x)).sum())
        })
        .collect();
    let at = |v: usize, u: usize| -> f64 {
        rows.iter().enumerate().map(|(y, row)| row[u] * cosine(v, y)).sum()
    };
    (0..LOW).flat_map(|v| (0..LOW).map(move |u| (v, u))).map(|(v, u)| at(v, u)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;

    /// A picture that is itself the wave of horizontal frequency 3 has that coefficient alone: 32 rows times
    /// sum_x cos^2 = 16, so 512. One of 1s has `C_00 = 1024`.
    #[test]
    fn coefficients_by_hand() {
        let wave = |x: usize| (PI * 3.0 * (2 * x + 1) as f64 / 64.0).cos();
        let pixels: Vec<f64> = (0..1024).map(|at| wave(at % 32)).collect();
        let found = low_frequencies(&pixels);
        for (at, value) in found.iter().enumerate() {
            let expected = if at == 3 { 512.0 } else { 0.0 };
            assert!((value - expected).abs() < 1e-9, "{at}: {value}");
        }
        assert!((low_frequencies(&[1.0; 1024])[0] - 1024.0).abs() < 1e-9);
    }

    /// 63 coefficients -31 .. 31 have the median 0: the bits of those above it are set.
    #[test]
    fn bits_by_hand() {
        let mut coefficients = vec![1e6];
        coefficients.extend((-31..32).map(f64::from));
        let hash = PerceptualHash::of_coefficients(&coefficients);
        // Bit 0, and bits 33 to 63 for 1 to 31.
        assert_eq!(hash.0, 1 | (((1u64 << 31) - 1) << 33));
        assert_eq!(hash.distance(PerceptualHash(0)), 32);
    }

    #[test]
    fn half_the_size_has_nearly_the_same_hash_and_another_image_has_not() {
        let paint = |side: u32, f: fn(f64, f64) -> f64| {
            RgbImage::from_fn(side, side, |x, y| {
                let value = f(f64::from(x) / f64::from(side), f64::from(y) / f64::from(side));
                Rgb([(255.0 * value) as u8; 3])
            })
        };
        let rings = |x: f64, y: f64| 0.5 + 0.5 * (40.0 * ((x - 0.3).hypot(y - 0.6))).sin();
        let stripes = |x: f64, y: f64| 0.5 + 0.5 * (31.0 * x + 17.0 * y * y).cos();
        let hash = |side, f| PerceptualHash::of(&paint(side, f));
        assert!(hash(128, rings).distance(hash(64, rings)) <= 4);
        assert!(hash(128, rings).distance(hash(128, stripes)) > PerceptualHash::USUAL);
    }
}
