//! Generated digits like those of MNIST: a data set of any size, without a file or a download.

mod brush;
mod raster;
mod strokes;
mod style;

use rand::seq::SliceRandom;

use crate::Samples;
use crate::pictures::{PIXELS, black, labelled};
use crate::rng::Rng;

/// `count` grey 28x28 images of digits that look handwritten, with the classes `0` to `9`.
///
/// Digit `i` depends only on `seed` and `i`, so a longer sequence begins with the shorter one. Every
/// ten digits, from the first on, are the ten classes in random order.
///
/// What varies from digit to digit:
///
/// | what | how |
/// |---|---|
/// | shape | one of two to four glyphs of the digit (a 4 is open or closed), as a random mixture of its forms |
/// | affine map | width (standard deviation 20 %), slant (mean 0.18, standard deviation 0.25), rotation (5 degrees) |
/// | elastic map | random terms of second and third degree in x and y |
/// | style | correlated displacements of the control points along a stroke; a tremor of the line |
/// | brush | radius about 1.2 pixels (0.64 to 2.5), which changes along the stroke |
///
/// As in MNIST, the anti-aliased digit fills a box of 20x20 pixels, which is shifted by whole pixels
/// so that the centre of mass is next to the pixel (14, 14). At least one pixel at each edge stays
/// empty.
///
/// Compared with MNIST's training images (in brackets), pixels have the mean 0.131 (0.131) and the
/// standard deviation 0.309 (0.308), and 19.6 % (19.1 %) of them are not 0. The first 10, 30 and 64
/// principal components explain 51, 75 and 88 % (49, 73, 86 %) of the variance, and 32 have a squared
/// error of 12.0 (13.2) per image. Three nearest neighbours among 10,000 digits of MNIST classify
/// 91 % of these digits correctly; among 10,000 of these digits, 91 % of MNIST's test images.
///
/// The code uses only additions, multiplications, divisions and square roots of `f32`, which IEEE 754
/// defines to the bit. So the bytes are the same on every machine. They may change between versions
/// of this crate.
///
/// # Panics
/// If the pixels of `count` digits, 784 bytes each, need more than `isize::MAX` bytes.
///
/// ```
/// let digits = ae_data::digits::generate(1000, 7);
/// assert_eq!((digits.len(), digits.width()), (1000, 784));
/// assert_eq!(digits.row(5), ae_data::digits::generate(6, 7).row(5));
/// ```
pub fn generate(count: usize, seed: u64) -> Samples {
    let (pixels, classes) = sample_pixels(count, seed);
    labelled(pixels, classes, &["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"])
}

/// Pixels and classes of `count` digits.
fn sample_pixels(count: usize, seed: u64) -> (Vec<u8>, Vec<u32>) {
    let mut pixels = black(count);
    let mut classes = Vec::with_capacity(count + 9);
    for (index, field) in pixels.chunks_exact_mut(PIXELS).enumerate() {
        if index % 10 == 0 {
            let mut ten = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
            // Digits have the streams from 0 on.
            ten.shuffle(&mut Rng::stream(seed, u64::MAX - index as u64).0);
            classes.extend(ten);
        }
        let mut rng = Rng::stream(seed, index as u64);
        let mut path = style::sample_path(classes[index] as usize, &mut rng);
        raster::render(&mut path, field);
    }
    classes.truncate(count);
    (pixels, classes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn digits_depend_on_seed_and_index_alone() {
        let (pixels, classes) = sample_pixels(137, 5);
        let (first, first_classes) = sample_pixels(42, 5);
        assert_eq!(first, pixels[..first.len()]);
        assert_eq!(first_classes, classes[..42]);
        assert_ne!(sample_pixels(42, 6).0, first);
        assert_ne!(sample_pixels(42, 6).1, first_classes);
        let samples = generate(42, 5);
        assert_eq!(samples.labels().unwrap().classes(), first_classes);
        assert_eq!(samples.row(41)[300], f32::from(first[41 * 784 + 300]) / 255.0);
        assert!(generate(0, 5).is_empty());
    }

    #[test]
    #[should_panic(expected = "fewer than isize::MAX bytes of pictures")]
    fn too_many_digits_panic_before_any_work() {
        generate(usize::MAX, 0);
    }

    /// If this fails without a change to the generator, arithmetic differs or `rand` shuffles
    /// differently. After an intended change, put in the new number.
    #[test]
    fn bytes_are_the_same_on_every_machine() {
        let (pixels, classes) = sample_pixels(100, 0);
        let bytes = pixels.into_iter().chain(classes.into_iter().map(|class| class as u8));
        let hash = crate::fnv1a(bytes.map(u64::from));
        assert_eq!(hash, 0x13ef_3f83_e128_0719, "{hash:#x}");
    }

    #[test]
    fn every_ten_digits_are_the_ten_classes_in_random_order() {
        let classes = sample_pixels(1000, 1).1;
        let orders: HashSet<&[u32]> = classes.chunks(10).collect();
        assert!(orders.len() > 95);
        for order in orders {
            assert_eq!(order.iter().collect::<HashSet<_>>().len(), 10);
        }
    }

    #[test]
    fn pixel_statistics_are_close_to_mnist() {
        let (pixels, _) = sample_pixels(5000, 2);
        for digit in pixels.chunks(PIXELS) {
            let bright = digit.iter().filter(|pixel| **pixel > 127).count();
            assert!((20..400).contains(&bright), "{bright} bright pixels");
            for (at, pixel) in digit.iter().enumerate() {
                let edges = [at / 28, at % 28, 27 - at / 28, 27 - at % 28];
                assert!(*pixel == 0 || !edges.contains(&0), "a pixel at the edge");
            }
        }
        let count = pixels.len() as f64;
        let mean = pixels.iter().map(|&pixel| f64::from(pixel)).sum::<f64>() / 255.0 / count;
        let square = pixels.iter().map(|&pixel| f64::from(pixel).powi(2)).sum::<f64>();
        let deviation = (square / 255.0 / 255.0 / count - mean * mean).sqrt();
        let nonzero = pixels.iter().filter(|pixel| **pixel > 0).count() as f64 / count;
        assert!((0.125..0.137).contains(&mean), "mean {mean}");
        assert!((0.300..0.317).contains(&deviation), "deviation {deviation}");
        assert!((0.187..0.207).contains(&nonzero), "not 0: {nonzero}");
    }

    #[test]
    fn no_two_digits_are_equal() {
        let pixels = sample_pixels(10_000, 3).0;
        assert_eq!(pixels.chunks(PIXELS).collect::<HashSet<_>>().len(), 10_000);
    }

    /// The nearest class mean is a weak classifier (82 % on MNIST), but notices a glyph with the wrong
    /// class.
    #[test]
    fn nearest_class_mean_classifies_digits() {
        let (pixels, classes) = sample_pixels(3000, 4);
        let digits: Vec<&[u8]> = pixels.chunks(PIXELS).collect();
        let mut means = vec![vec![0.0f32; PIXELS]; 10];
        for (digit, &class) in digits.iter().zip(&classes).take(2000) {
            for (mean, &pixel) in means[class as usize].iter_mut().zip(*digit) {
                *mean += f32::from(pixel) / 200.0;
            }
        }
        let distance = |digit: &[u8], mean: &[f32]| -> f32 {
            digit.iter().zip(mean).map(|(&pixel, mean)| (f32::from(pixel) - mean).powi(2)).sum()
        };
        let right = digits.iter().zip(&classes).skip(2000).filter(|(digit, class)| {
            let of = |class: &usize| distance(digit, &means[*class]);
            let nearest = (0..10).min_by(|a, b| of(a).total_cmp(&of(b)));
            nearest == Some(**class as usize)
        });
        let right = right.count();
        assert!(right > 700, "{right} of 1000");
    }
}
