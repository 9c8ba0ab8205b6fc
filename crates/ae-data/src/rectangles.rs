//! Outlines of rectangles, taller than wide or wider than tall (Larochelle et al. 2007).

use crate::Samples;
use crate::pictures::{SIDE, labelled, render_all};
use crate::rng::Rng;

/// The least difference of height and width, in pixels.
const DIFFERENCE: usize = 3;

/// `count` grey 28x28 pictures of the outline of one rectangle, one pixel wide, white (255) on
/// black. The class is `tall` (0, taller than wide) or `wide` (1).
///
/// Regenerated after H. Larochelle, D. Erhan, A. Courville, J. Bergstra and Y. Bengio, "An
/// empirical evaluation of deep architectures on problems with many factors of variation" (ICML
/// 2007): these are not the published files. Picture `i` depends on `seed` and `i` only.
///
/// | what | how | whose choice |
/// |---|---|---|
/// | height, width | uniform, drawn again if they differ by less than 3 pixels | the paper's |
/// | their range | 1 to 28 pixels (a side of 1 makes a line) | ours |
/// | position | uniform among those with the whole rectangle in the picture | the paper's |
///
/// # Panics
/// If the pixels of `count` pictures need more than `isize::MAX` bytes.
///
/// ```
/// let rectangles = ae_data::rectangles::generate(100, 7);
/// assert_eq!(rectangles.labels().unwrap().names(), ["tall", "wide"]);
/// ```
pub fn generate(count: usize, seed: u64) -> Samples {
    let (pixels, classes) = render_all(count, seed, sample_picture);
    labelled(pixels, classes, &["tall", "wide"])
}

fn sample_picture(rng: &mut Rng, field: &mut [u8]) -> u32 {
    let (height, width) = sides(rng);
    let top = rng.below(SIDE - height + 1);
    let left = rng.below(SIDE - width + 1);
    for x in left..left + width {
        field[top * SIDE + x] = 255;
        field[(top + height - 1) * SIDE + x] = 255;
    }
    for y in top..top + height {
        field[y * SIDE + left] = 255;
        field[y * SIDE + left + width - 1] = 255;
    }
    u32::from(width > height)
}

fn sides(rng: &mut Rng) -> (usize, usize) {
    loop {
        let (height, width) = (1 + rng.below(SIDE), 1 + rng.below(SIDE));
        if height.abs_diff(width) >= DIFFERENCE {
            return (height, width);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pictures::PIXELS;
    use std::collections::HashSet;

    /// The first and last row and the first and last column that are not black.
    fn bounds(picture: &[u8]) -> [usize; 4] {
        let white = |at: &usize| picture[*at] == 255;
        let rows: Vec<usize> = (0..PIXELS).filter(white).map(|at| at / SIDE).collect();
        let columns: Vec<usize> = (0..PIXELS).filter(white).map(|at| at % SIDE).collect();
        let ends =
            |places: &[usize]| (*places.iter().min().unwrap(), *places.iter().max().unwrap());
        let ((top, bottom), (left, right)) = (ends(&rows), ends(&columns));
        [top, bottom, left, right]
    }

    #[test]
    fn labels_and_outlines_match_the_bounds() {
        let (pixels, classes) = render_all(3000, 1, sample_picture);
        let mut seen = HashSet::new();
        for (picture, class) in pixels.chunks(PIXELS).zip(classes) {
            let [top, bottom, left, right] = bounds(picture);
            let (height, width) = (bottom - top + 1, right - left + 1);
            assert!(height.abs_diff(width) >= DIFFERENCE, "{height}x{width}");
            assert_eq!(class == 1, width > height);
            for (at, pixel) in picture.iter().enumerate() {
                let (y, x) = (at / SIDE, at % SIDE);
                let inside = (top..=bottom).contains(&y) && (left..=right).contains(&x);
                let outline = inside && (y == top || y == bottom || x == left || x == right);
                assert_eq!(*pixel, if outline { 255 } else { 0 }, "row {y}, column {x}");
            }
            seen.extend([("height", height), ("width", width), ("top", top), ("left", left)]);
        }
        for side in 1..=SIDE {
            assert!(seen.contains(&("height", side)) && seen.contains(&("width", side)), "{side}");
            assert!(seen.contains(&("top", side - 1)) && seen.contains(&("left", side - 1)));
        }
    }

    #[test]
    fn classes_are_balanced_and_pictures_depend_on_the_seed() {
        let (pixels, classes) = render_all(4000, 2, sample_picture);
        let wide = classes.iter().filter(|class| **class == 1).count();
        assert!((1840..2160).contains(&wide), "{wide} of 4000, with a standard deviation of 32");
        assert_eq!(render_all(50, 2, sample_picture).0, pixels[..50 * PIXELS]);
        assert_ne!(render_all(50, 3, sample_picture).0, pixels[..50 * PIXELS]);
    }
}
