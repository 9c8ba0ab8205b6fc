//! White regions, convex or not (Larochelle et al. 2007).

mod region;

use region::{HalfPlane, Region};

use crate::Samples;
use crate::chance::Chance;
use crate::pictures::{PIXELS, drawn, labelled};

/// `count` 28x28 pictures of one white region (255) on black; the class is `not convex` (0) or
/// `convex` (1), by a fair coin.
///
/// Regenerated after H. Larochelle, D. Erhan, A. Courville, J. Bergstra and Y. Bengio, "An
/// empirical evaluation of deep architectures on problems with many factors of variation" (ICML
/// 2007): these are not the published files. Picture `i` depends on `seed` and `i` only.
///
/// | what | how | whose choice |
/// |---|---|---|
/// | convex | what `n` half-planes have in common, at least 19 pixels of it | the paper's |
/// | half-plane | a uniform place in the picture and a uniform direction | the paper's |
/// | `n`, of convex ones | geometric, `P(n) = 0.195 (1 - 0.195)^(n-1)`, n = 1, 2, ... | the paper's 0.195; ours that it starts at 1 and is drawn again with the half-planes |
/// | not convex | the union of 2, 3 or 4 (each as likely) convex pieces of at least 10 pixels, if it fails the test of convexity | the paper's |
/// | `n`, of pieces | 2 more than a geometric number with 0.07 | the paper's 0.07; ours that it starts at 3, which brings the mean numbers of pixels together (274 and 296; from 1 on it would be 478) |
/// | test of convexity | whether a pixel is missing whose centre is in the convex hull of the region's centres, exactly, in whole numbers | ours; the paper's looks at each pair of pixels |
/// | size | of each size only so many are kept that both classes have about the same number of pictures with that number of white pixels | ours; the paper's parameters made the means equal |
///
/// So the number of white pixels tells nothing: the best threshold on it, or the better class for each
/// size in steps of 28 pixels, is right in 50 to 52 % of 20,000 pictures.
///
/// # Panics
/// If the pixels of `count` pictures are more than a program can have.
///
/// ```
/// let regions = ae_data::convex::generate(100, 7);
/// assert_eq!(regions.labels().unwrap().names(), ["not convex", "convex"]);
/// ```
pub fn generate(count: usize, seed: u64) -> Samples {
    let (pixels, classes) = drawn(count, seed, draw);
    labelled(pixels, classes, &["not convex", "convex"])
}

fn draw(chance: &mut Chance, field: &mut [u8]) -> u32 {
    let class = chance.below(2) as u32;
    loop {
        let region = if class == 1 { CONVEX.draw(chance) } else { not_convex(chance) };
        let ratio = RATIO[(region.count() as usize - 1) / STEP];
        let kept = if class == 1 { ratio } else { 1.0 / ratio };
        if chance.unit() < kept {
            region.paint(field);
            return class;
        }
    }
}

/// How intersections of half-planes are drawn.
struct Law {
    /// Half-planes that there are at least; beyond them there is a geometric number of trials less
    /// one.
    planes: usize,
    /// The chance that no other half-plane comes.
    stop: f32,
    /// Pixels that there are at least.
    pixels: u32,
}

const CONVEX: Law = Law { planes: 1, stop: 0.195, pixels: 19 };
const PIECE: Law = Law { planes: 3, stop: 0.07, pixels: 10 };

impl Law {
    fn draw(&self, chance: &mut Chance) -> Region {
        loop {
            let mut region = Region::EVERYTHING;
            let planes = self.planes - 1 + chance.trials(self.stop);
            let is_large = (0..planes).all(|_| {
                region.cut(&HalfPlane::pick(chance));
                region.count() >= self.pixels
            });
            if is_large {
                return region;
            }
        }
    }
}

fn not_convex(chance: &mut Chance) -> Region {
    loop {
        let mut union = Region::NOTHING;
        for _ in 0..2 + chance.below(3) {
            union.join(&PIECE.draw(chance));
        }
        if !union.is_convex() {
            return union;
        }
    }
}

/// Pixels that a step of the table below is wide.
const STEP: usize = 28;

/// How often a region of 1 to 28, 29 to 56, ... pixels is drawn that is not convex, over how often
/// one that is: counted over 400,000 of each (`ratios` below counts again).
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
        let mut region = Region::NOTHING;
        region
            .add(picture.iter().enumerate().filter(|(_, pixel)| **pixel == 255).map(|(at, _)| at));
        region
    }

    #[test]
    fn labels_are_those_of_the_regions() {
        let (pixels, classes) = drawn(3000, 1, draw);
        assert!(pixels.iter().all(|pixel| [0, 255].contains(pixel)));
        for (picture, class) in pixels.chunks(PIXELS).zip(&classes) {
            assert_eq!(region(picture).is_convex(), *class == 1);
        }
        for (count, class) in white(&pixels).iter().zip(&classes) {
            assert!(*count >= if *class == 1 { 19 } else { 11 }, "{count} white pixels");
        }
        assert_eq!(drawn(50, 1, draw).0, pixels[..50 * PIXELS]);
        assert_ne!(drawn(50, 2, draw).0, pixels[..50 * PIXELS]);
    }

    /// Both classifiers see the pictures that they are measured on, so chance shows as a little more
    /// than a half: of 20,000, in each of 28 steps a surplus of some 15 of 700.
    #[test]
    fn the_number_of_white_pixels_tells_nothing() {
        let (pixels, classes) = drawn(20_000, 3, draw);
        let counts = white(&pixels);
        let convex = classes.iter().filter(|class| **class == 1).count();
        assert!((9_650..10_350).contains(&convex), "{convex} convex, whose deviation is 71");
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
    #[ignore = "counts the table again, half a minute"]
    fn ratios() {
        let mut counts = [[0.0f64; PIXELS / STEP]; 2];
        for number in 0..400_000 {
            let mut chance = Chance::stream(77, number);
            let regions = [not_convex(&mut chance), CONVEX.draw(&mut chance)];
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
