//! Curves through three points (Hinton & Salakhutdinov 2006).

use crate::Samples;
use crate::pictures::{SIDE, render_all, samples};
use crate::rng::Rng;
use crate::stroke::{self, Disc};

/// `count` grey 28x28 pictures of one curve, white on black, without labels. Six numbers determine a
/// picture.
///
/// Regenerated after G. Hinton and R. Salakhutdinov, "Reducing the dimensionality of data with
/// neural networks" (Science 313:504, 2006), who say that their curves were generated from three
/// randomly chosen points in two dimensions: these are not the published files. Picture `i` depends on
/// `seed` and `i` only.
///
/// | what | how | whose choice |
/// |---|---|---|
/// | size | 28x28 pixels | the paper's |
/// | points | three, each uniform | the paper's |
/// | range | the middle 16x16 pixels | ours |
/// | curve | `x(t) = (1-t)(1-2t) a + 4t(1-t) b + t(2t-1) c`, t from 0 to 1: the parabola from `a` through `b`, at t = 1/2, to `c` | ours |
/// | stroke | 1 pixel wide, white (255), with a grey rim of 1.35 pixels around its edge | ours |
///
/// The stroke is chosen so that PCA does about as well as in the paper: 18 components of 20,000
/// pictures have a squared error of 6.06 on 10,000 others (5.90 in the paper), the mean picture has
/// 10.27.
///
/// # Panics
/// If the pixels of `count` pictures need more than `isize::MAX` bytes.
///
/// ```
/// let curves = ae_data::curves::generate(100, 7);
/// assert!(curves.labels().is_none());
/// ```
pub fn generate(count: usize, seed: u64) -> Samples {
    samples(render_all(count, seed, sample_picture).0)
}

/// The least distance of points from the edge of the picture, in pixels.
const MARGIN: f32 = 6.0;
/// Half the width of the stroke, in pixels.
const RADIUS: f32 = 0.5;
/// The number of straight segments of a curve.
const SEGMENTS: usize = 32;

/// A point, in pixels.
type Point = (f32, f32);

fn sample_picture(rng: &mut Rng, field: &mut [u8]) {
    let mut coordinate = || MARGIN + (SIDE as f32 - 2.0 * MARGIN) * rng.uniform();
    let mut point = || (coordinate(), coordinate());
    render(point(), point(), point(), field);
}

fn render(from: Point, through: Point, to: Point, field: &mut [u8]) {
    let path: [Disc; SEGMENTS + 1] = std::array::from_fn(|at| {
        let t = at as f32 / SEGMENTS as f32;
        let (a, b, c) = ((1.0 - t) * (1.0 - 2.0 * t), 4.0 * t * (1.0 - t), t * (2.0 * t - 1.0));
        let x = a * from.0 + b * through.0 + c * to.0;
        let y = a * from.1 + b * through.1 + c * to.1;
        Disc { x, y, radius: RADIUS, first: at == 0 }
    });
    let ink = stroke::rasterize::<SIDE>(&path);
    for (pixel, ink) in field.iter_mut().zip(ink.as_flattened()) {
        *pixel = (ink * 255.0 + 0.5) as u8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pictures::PIXELS;

    fn rendered(from: Point, through: Point, to: Point) -> Vec<u8> {
        let mut field = vec![0; PIXELS];
        render(from, through, to, &mut field);
        field
    }

    /// The pixel that a point is in.
    fn at(picture: &[u8], (x, y): Point) -> u8 {
        picture[y as usize * SIDE + x as usize]
    }

    #[test]
    fn curve_through_the_midpoint_is_a_straight_line() {
        let line = rendered((4.5, 10.5), (12.5, 10.5), (20.5, 10.5));
        for (place, pixel) in line.iter().enumerate() {
            let (x, y) = (place % SIDE, place / SIDE);
            if y == 10 && (4..=20).contains(&x) {
                assert_eq!(*pixel, line[10 * SIDE + 4]);
            }
            if y.abs_diff(10) > 1 || !(3..=21).contains(&x) {
                assert_eq!(*pixel, 0, "row {y}, column {x}");
            }
        }
        assert!(line[10 * SIDE + 4] > 200);
        assert_eq!(line, rendered((20.5, 10.5), (12.5, 10.5), (4.5, 10.5)));
    }

    /// From (4, 4) through (14, 20) to (24, 4): at t = 1/4 the weights are 3/8, 3/4 and -1/8, which gives
    /// (9, 16).
    #[test]
    fn curve_by_hand() {
        let (from, to) = ((4.0, 4.0), (24.0, 4.0));
        let curve = rendered(from, (14.0, 20.0), to);
        for place in [from, (9.0, 16.0), (14.0, 20.0), (19.0, 16.0), to] {
            assert!(at(&curve, place) > 60, "{place:?}");
        }
        assert_eq!((at(&curve, (14.0, 10.0)), at(&curve, (14.0, 25.0))), (0, 0));
        for (left, right) in (0..14).zip((14..28).rev()) {
            let difference = |y: usize| curve[y * SIDE + left].abs_diff(curve[y * SIDE + right]);
            assert!((0..SIDE).all(|y| difference(y) <= 1), "columns {left} and {right}");
        }
    }

    #[test]
    fn curves_are_clipped_at_the_edge() {
        let curve = rendered((4.0, 4.0), (24.0, 6.0), (4.0, 8.0));
        assert!(at(&curve, (23.0, 6.0)) > 100);
        // In columns 0 to 27 this one is far below the picture.
        let outside = rendered((-90.0, 3.0), (14.0, 400.0), (60.0, -7.0));
        assert!(outside.iter().all(|pixel| *pixel == 0));
    }

    #[test]
    fn pictures_depend_on_the_seed_and_none_is_black() {
        let samples = generate(2000, 1);
        assert!(samples.labels().is_none());
        for row in 0..samples.len() {
            let picture = samples.row(row);
            assert!(picture.iter().any(|pixel| *pixel > 0.2), "{row}");
            for (place, pixel) in picture.iter().enumerate() {
                let edges = [place / SIDE, place % SIDE].map(|at| at.min(SIDE - 1 - at));
                assert!(*pixel == 0.0 || edges.iter().all(|edge| *edge > 2), "{row}: {edges:?}");
            }
        }
        assert_eq!(generate(20, 1).row(19), samples.row(19));
        assert_ne!(generate(20, 2).row(19), samples.row(19));
        assert_ne!(samples.row(0), samples.row(1));
    }
}
