//! A random writing style: turns a glyph into a path of the brush.

use super::brush::{Brush, Point};
use super::strokes::{DIGITS, Glyph};
use crate::rng::Rng;
use crate::stroke::Disc;

/// The standard deviation of a control point's displacement, in hundredths of the height, and the
/// fraction that the next point inherits, so that displacements are correlated along a stroke.
const DISPLACEMENT: f32 = 2.1;
const INHERITED: f32 = 0.7;

/// A random path for a digit, with points in about hundredths of its height and radii in pixels.
pub(super) fn sample_path(class: usize, rng: &mut Rng) -> Vec<Disc> {
    let glyph = choose(DIGITS[class], rng);
    let warp = Warp::sample(rng);
    let brush = Brush::sample(rng);
    let weights = mixture(glyph.forms.len(), rng);
    let mut path = Vec::with_capacity(128);
    let mut polygon = Vec::with_capacity(16);
    for (stroke, points) in glyph.forms[0].iter().enumerate() {
        polygon.clear();
        let mut shift = (0.0, 0.0);
        for at in 0..points.len() {
            shift.0 = INHERITED * shift.0 + rng.normal(0.0, DISPLACEMENT);
            shift.1 = INHERITED * shift.1 + rng.normal(0.0, DISPLACEMENT);
            let mut point = shift;
            for (form, weight) in glyph.forms.iter().zip(&weights) {
                let (x, y) = form[stroke][at];
                point.0 += weight * f32::from(x);
                point.1 += weight * f32::from(y);
            }
            polygon.push(warp.apply(point));
        }
        brush.follow(&polygon, rng, &mut path);
    }
    path
}

fn choose<'a>(glyphs: &'a [Glyph], rng: &mut Rng) -> &'a Glyph {
    let total: f32 = glyphs.iter().map(|glyph| f32::from(glyph.weight)).sum();
    let mut left = rng.uniform() * total;
    let chosen = glyphs.iter().find(|glyph| {
        left -= f32::from(glyph.weight);
        left < 0.0
    });
    chosen.unwrap_or(&glyphs[0])
}

/// Weights that sum to one, usually with one that is much larger than the others.
fn mixture(forms: usize, rng: &mut Rng) -> Vec<f32> {
    let cube = |unit: f32| unit * unit * unit + 1e-3;
    let mut weights: Vec<f32> = (0..forms).map(|_| cube(rng.uniform())).collect();
    let total: f32 = weights.iter().sum();
    weights.iter_mut().for_each(|weight| *weight /= total);
    weights
}

/// The number of terms of a polynomial of third degree in x and y, without the constant.
const TERMS: usize = 9;

/// A smooth random map of the plane. Its linear part sets width, slant and rotation; its terms of
/// second and third degree are an elastic deformation.
struct Warp {
    x: [f32; TERMS],
    y: [f32; TERMS],
}

impl Warp {
    fn sample(rng: &mut Rng) -> Self {
        let width = rng.normal(1.05, 0.2).max(0.55);
        let slant = rng.normal(0.18, 0.25); // to the right, per unit upwards
        let turn = rng.normal(0.0, 0.08); // about radians
        let (mut x, mut y) = ([0.0; TERMS], [0.0; TERMS]);
        (x[0], x[1]) = (50.0 * width, -50.0 * (slant + turn));
        (y[0], y[1]) = (50.0 * width * turn, 50.0);
        for term in 2..TERMS {
            let displacement = if term < 5 { 6.0 } else { 4.0 };
            x[term] = rng.normal(0.0, displacement);
            y[term] = rng.normal(0.0, displacement);
        }
        Self { x, y }
    }

    fn apply(&self, (x, y): Point) -> Point {
        let (x, y) = (x / 50.0 - 0.6, y / 50.0 - 1.0); // a digit spans about -0.6..0.6 and -1..1
        let terms = [x, y, x * x, x * y, y * y, x * x * x, x * x * y, x * y * y, y * y * y];
        let sum = |weights: &[f32; TERMS]| weights.iter().zip(terms).map(|(w, t)| w * t).sum();
        (sum(&self.x), sum(&self.y))
    }
}
