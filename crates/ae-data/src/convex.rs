//! White regions, convex or not (Larochelle et al. 2007).

mod region;

use region::{HalfPlane, Region};

use crate::Samples;
use crate::pictures::{PIXELS, labelled, render_all};
use crate::rng::Rng;

/// `count` 28x28 pictures of one white region (255) on black. The class is `not convex` (0) or
/// `convex` (1), each with probability 1/2.
///
/// Regenerated after H. Larochelle, D. Erhan, A. Courville, J. Bergstra and Y. Bengio, "An
/// empirical evaluation of deep architectures on problems with many factors of variation" (ICML
/// 2007): these are not the published files. Picture `i` depends on `seed` and `i` only.
///
/// | what | how | whose choice |
/// |---|---|---|
/// | convex | the intersection of `n` half-planes, of at least 19 pixels | the paper's |
/// | half-plane | through a uniform point of the picture, in a uniform direction | the paper's |
/// | `n` of a convex region | geometric, `P(n) = 0.195 (1 - 0.195)^(n-1)`, n = 1, 2, ... | 0.195 is the paper's; that `n` starts at 1 and is drawn again with the half-planes is ours |
/// | not convex | the union of 2, 3 or 4 (equally likely) convex pieces of at least 10 pixels, if it fails the test of convexity | the paper's |
/// | `n` of a piece | 2 more than a geometric number with 0.07 | 0.07 is the paper's; that `n` starts at 3 is ours and makes the mean numbers of pixels similar (274 and 296; with a start at 1 it would be 478) |
/// | test of convexity | whether the region has every pixel whose centre is in the convex hull of its centres, in exact integers | ours; the paper's tests each pair of pixels |
/// | size | pictures are rejected so that both classes have about the same distribution of the number of white pixels | ours; the paper's parameters made the means equal |
///
/// So the number of white pixels does not predict the class: the best threshold on it, or the better
/// class for each size in steps of 28 pixels, is right in 50 to 52 % of 20,000 pictures.
///
/// # Panics
/// If the pixels of `count` pictures need more than `isize::MAX` bytes.
///
/// ```
/// let regions = ae_data::convex::generate(100, 7);
/// assert_eq!(regions.labels().unwrap().names(), ["not convex", "convex"]);
/// ```
pub fn generate(count: usize, seed: u64) -> Samples {
    let (pixels, classes) = render_all(count, seed, sample_picture);
    labelled(pixels, classes, &["not convex", "convex"])
}

fn sample_picture(rng: &mut Rng, field: &mut [u8]) -> u32 {
    let class = rng.below(2) as u32;
    loop {
        let region = if class == 1 { CONVEX.sample(rng) } else { not_convex(rng) };
        let ratio = RATIO[(region.count() as usize - 1) / STEP];
        let kept = if class == 1 { ratio } else { 1.0 / ratio };
        if rng.uniform() < kept {
            region.render(field);
            return class;
        }
    }
}

/// The distribution of random intersections of half-planes.
struct Intersection {
    /// The least number of half-planes, to which a geometric number less one is added.
    planes: usize,
    /// The probability of no further half-plane.
    stop: f32,
    /// The least number of pixels.
    pixels: u32,
}

const CONVEX: Intersection = Intersection { planes: 1, stop: 0.195, pixels: 19 };
const PIECE: Intersection = Intersection { planes: 3, stop: 0.07, pixels: 10 };

impl Intersection {
    fn sample(&self, rng: &mut Rng) -> Region {
        loop {
            let mut region = Region::FULL;
            let planes = self.planes - 1 + rng.geometric(self.stop);
            let is_large = (0..planes).all(|_| {
                region.intersect(&HalfPlane::sample(rng));
                region.count() >= self.pixels
            });
            if is_large {
                return region;
            }
        }
    }
}

fn not_convex(rng: &mut Rng) -> Region {
    loop {
        let mut union = Region::EMPTY;
        for _ in 0..2 + rng.below(3) {
            union.add(&PIECE.sample(rng));
        }
        if !union.is_convex() {
            return union;
        }
    }
}

/// The width of a step of the table below, in pixels.
const STEP: usize = 28;

/// How often a region of 1 to 28, 29 to 56, ... pixels is drawn for the class `not convex`, relative
/// to `convex`: counted over 400,000 of each (the test `ratios` counts again).
const RATIO: [f32; PIXELS / STEP] = [
    0.063, 0.256, 0.506, 0.76, 0.994, 1.188, 1.365, 1.488, 1.612, 1.723, 1.761, 1.743, 1.762,
    1.709, 1.612, 1.588, 1.475, 1.338, 1.22, 1.089, 0.96, 0.788, 0.668, 0.53, 0.392, 0.273, 0.171,
    0.082,
];

#[cfg(test)]
mod tests {
    use super::*;

    fn white(pixels: &[u8]) -> Vec<usize> {
        let count = |picture: &[u8]| picture.iter().filter(|pixel| **pixel == 255).count();
        pixels.chunks(PIXELS).map(count).collect()
    }

    /// The region of a picture.
    fn region(picture: &[u8]) -> Region {
        let mut region = Region::EMPTY;
        region.insert(
            picture.iter().enumerate().filter(|(_, pixel)| **pixel == 255).map(|(at, _)| at),
        );
        region
    }

    #[test]
    fn labels_match_the_regions() {
        let (pixels, classes) = render_all(3000, 1, sample_picture);
        assert!(pixels.iter().all(|pixel| [0, 255].contains(pixel)));
        for (picture, class) in pixels.chunks(PIXELS).zip(&classes) {
            assert_eq!(region(picture).is_convex(), *class == 1);
        }
        for (count, class) in white(&pixels).iter().zip(&classes) {
            assert!(*count >= if *class == 1 { 19 } else { 11 }, "{count} white pixels");
        }
        assert_eq!(render_all(50, 1, sample_picture).0, pixels[..50 * PIXELS]);
        assert_ne!(render_all(50, 2, sample_picture).0, pixels[..50 * PIXELS]);
    }

    /// Both classifiers are fitted to the pictures that they are measured on, so they are right a
    /// little more than half of the time by chance: in each of 28 steps by some 15 of 700.
    #[test]
    fn number_of_white_pixels_does_not_predict_the_class() {
        let (pixels, classes) = render_all(20_000, 3, sample_picture);
        let counts = white(&pixels);
        let convex = classes.iter().filter(|class| **class == 1).count();
        assert!(
            (9_650..10_350).contains(&convex),
            "{convex} convex, with a standard deviation of 71"
        );
        let of = |class: u32| {
            let counts = counts.iter().zip(&classes).filter(move |(_, of)| **of == class);
            counts.map(|(count, _)| *count)
        };
        let mean = |class| of(class).sum::<usize>() as f64 / of(class).count() as f64;
        assert!((mean(0) - mean(1)).abs() < 10.0, "means {} and {}", mean(0), mean(1));
        let right_above = |threshold: usize| {
            let not_convex = of(0).filter(|count| *count < threshold).count();
            not_convex + of(1).filter(|count| *count >= threshold).count()
        };
        let best =
            (0..PIXELS).map(right_above).map(|right| right.max(20_000 - right)).max().unwrap();
        let mut steps = [[0usize; 2]; PIXELS / STEP];
        for (count, class) in counts.iter().zip(&classes) {
            steps[(count - 1) / STEP][*class as usize] += 1;
        }
        let better: usize = steps.iter().map(|[one, other]| one.max(other)).sum();
        println!("means {} {}, threshold {best}, steps {better}", mean(0), mean(1));
        assert!(best < 10_400 && better < 10_400, "right of 20,000: {best} and {better}");
    }

    #[test]
    #[ignore = "counts the table again, which takes half a minute"]
    fn ratios() {
        let mut counts = [[0.0f64; PIXELS / STEP]; 2];
        for number in 0..400_000 {
            let mut rng = Rng::stream(77, number);
            let regions = [not_convex(&mut rng), CONVEX.sample(&mut rng)];
            for (counts, region) in counts.iter_mut().zip(regions) {
                counts[(region.count() as usize - 1) / STEP] += 1.0;
            }
        }
        for ((ratio, not_convex), convex) in RATIO.iter().zip(counts[0]).zip(counts[1]) {
            let counted = not_convex / convex;
            println!("{counted:.3}");
            assert!((counted / f64::from(*ratio) - 1.0).abs() < 0.15, "{counted} and {ratio}");
        }
    }
}
