//! Digits that nobody wrote: a data set that is always there, any number of it, with no file and
//! no download.
//!
//! [`generate`] writes digits like those of MNIST with a random hand, the same for the same seed.

mod hand;
mod ink;
mod pen;
mod strokes;

use rand::seq::SliceRandom;

use crate::Samples;
use crate::chance::Chance;
use crate::pictures::{PIXELS, black, labelled};

/// `count` grey 28x28 images of handwritten-looking digits, with their classes `0` to `9`.
///
/// Digit `i` depends on `seed` and `i` only, so a longer sequence begins with the shorter one.
/// Every ten digits, from the first on, are the ten classes in random order.
///
/// What varies from digit to digit:
///
/// | what | how |
/// |---|---|
/// | form | two to four families a digit (a 4 is open or closed), each a mixture of its forms |
/// | affine map | width (deviation 20 %), slant (mean 0.18, deviation 0.25), turn (5 degrees) |
/// | elastic map | random terms of second and third degree in x and y |
/// | hand | control points stray together along the stroke; the line trembles |
/// | pen | radius about 1.2 pixels (0.64 to 2.5), changing with the pressure along the stroke |
///
/// As in MNIST the digit fills a box of 20x20 pixels, anti-aliased, which is moved by whole pixels
/// until the ink's centre of mass is next to the pixel (14, 14); at least one pixel at each edge of
/// the field stays empty.
/// Against MNIST's training images (in brackets): mean 0.131 (0.131) and deviation 0.309 (0.308)
/// of a pixel, 19.6 % (19.1 %) of the pixels not 0; the first 10, 30 and 64 principal components
/// hold 51, 75 and 88 % (49, 73, 86 %) of the variance, and 32 leave a squared error of 12.0 (13.2)
/// per image. Three nearest neighbours among 10,000 digits of MNIST read 91 % of these rightly;
/// among 10,000 of these, 91 % of MNIST's test images.
///
/// Only additions, multiplications, divisions and square roots of `f32` are used, which IEEE 754
/// fixes to the bit, so the bytes are the same on every machine; they may change with a version of
/// this crate.
///
/// # Panics
/// If the pixels of `count` digits, 784 bytes each, are more than a program can have
/// (`isize::MAX` bytes).
///
/// ```
/// let digits = ae_data::digits::generate(1000, 7);
/// assert_eq!((digits.len(), digits.width()), (1000, 784));
/// assert_eq!(digits.row(5), ae_data::digits::generate(6, 7).row(5));
/// ```
pub fn generate(count: usize, seed: u64) -> Samples {
    let (pixels, classes) = draw(count, seed);
    labelled(pixels, classes, &["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"])
}

/// Pixels and classes of `count` digits.
fn draw(count: usize, seed: u64) -> (Vec<u8>, Vec<u32>) {
    let mut pixels = black(count);
    let mut classes = Vec::with_capacity(count + 9);
    for (index, field) in pixels.chunks_exact_mut(PIXELS).enumerate() {
        if index % 10 == 0 {
            let mut ten = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
            // Digits count their streams from 0.
            ten.shuffle(&mut Chance::stream(seed, u64::MAX - index as u64).0);
            classes.extend(ten);
        }
        let mut chance = Chance::stream(seed, index as u64);
        let mut path = hand::write(classes[index] as usize, &mut chance);
        ink::draw(&mut path, field);
    }
    classes.truncate(count);
    (pixels, classes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn the_seed_and_the_place_decide() {
        let (pixels, classes) = draw(137, 5);
        let (first, first_classes) = draw(42, 5);
        assert_eq!(first, pixels[..first.len()]);
        assert_eq!(first_classes, classes[..42]);
        assert_ne!(draw(42, 6).0, first);
        assert_ne!(draw(42, 6).1, first_classes);
        let samples = generate(42, 5);
        assert_eq!(samples.labels().unwrap().classes(), first_classes);
        assert_eq!(samples.row(41)[300], f32::from(first[41 * 784 + 300]) / 255.0);
        assert!(generate(0, 5).is_empty());
    }

    #[test]
    #[should_panic(expected = "no memory holds so many pictures")]
    fn more_than_memory_can_hold_are_not_begun() {
        generate(usize::MAX, 0);
    }

    /// FNV-1a. Where this fails with no change to the crate, arithmetic differs or `rand`
    /// shuffles otherwise; where the change was meant, put in the new number.
    #[test]
    fn the_bytes_are_the_same_everywhere() {
        let (pixels, classes) = draw(100, 0);
        let bytes = pixels.into_iter().chain(classes.into_iter().map(|class| class as u8));
        let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        assert_eq!(hash, 0x13ef_3f83_e128_0719, "{hash:#x}");
    }

    #[test]
    fn every_ten_are_the_ten_classes_but_not_in_one_order() {
        let classes = draw(1000, 1).1;
        let orders: HashSet<&[u32]> = classes.chunks(10).collect();
        assert!(orders.len() > 95);
        for order in orders {
            assert_eq!(order.iter().collect::<HashSet<_>>().len(), 10);
        }
    }

    #[test]
    fn ink_is_inside_the_field_and_of_the_amount_of_mnist() {
        let (pixels, _) = draw(5000, 2);
        for digit in pixels.chunks(PIXELS) {
            let inked = |pixel: &&u8| **pixel > 127;
            let full = digit.iter().filter(inked).count();
            assert!((20..400).contains(&full), "{full} dark pixels");
            for (at, pixel) in digit.iter().enumerate() {
                let edges = [at / 28, at % 28, 27 - at / 28, 27 - at % 28];
                assert!(*pixel == 0 || !edges.contains(&0), "ink at the edge");
            }
        }
        let count = pixels.len() as f64;
        let mean = pixels.iter().map(|&pixel| f64::from(pixel)).sum::<f64>() / 255.0 / count;
        let square = pixels.iter().map(|&pixel| f64::from(pixel).powi(2)).sum::<f64>();
        let deviation = (square / 255.0 / 255.0 / count - mean * mean).sqrt();
        let inked = pixels.iter().filter(|pixel| **pixel > 0).count() as f64 / count;
        assert!((0.125..0.137).contains(&mean), "mean {mean}");
        assert!((0.300..0.317).contains(&deviation), "deviation {deviation}");
        assert!((0.187..0.207).contains(&inked), "not 0: {inked}");
    }

    #[test]
    fn no_two_are_alike() {
        let pixels = draw(10_000, 3).0;
        assert_eq!(pixels.chunks(PIXELS).collect::<HashSet<_>>().len(), 10_000);
    }

    /// The nearest mean of a class is a poor reader (82 % on MNIST), but would notice a template
    /// under the wrong number.
    #[test]
    fn classes_can_be_told_apart() {
        let (pixels, classes) = draw(3000, 4);
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
