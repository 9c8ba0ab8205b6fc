//! The hand: a template becomes the path of a pen, never twice the same.

use super::pen::{Pen, Point};
use super::strokes::{DIGITS, Family};
use crate::chance::Chance;
use crate::stroke::Dab;

/// How far a control point strays from its place, in hundredths of the height, and how much of it
/// the next point inherits: a hand that is too far left stays there for a while.
const STRAY: f32 = 2.1;
const INHERITED: f32 = 0.7;

/// A path of the pen for a digit; places in hundredths of its height or so, radii in pixels.
pub(super) fn write(class: usize, chance: &mut Chance) -> Vec<Dab> {
    let family = choose(DIGITS[class], chance);
    let paper = Paper::pick(chance);
    let pen = Pen::pick(chance);
    let weights = mixture(family.forms.len(), chance);
    let mut path = Vec::with_capacity(128);
    let mut polygon = Vec::with_capacity(16);
    for (stroke, points) in family.forms[0].iter().enumerate() {
        polygon.clear();
        let mut stray = (0.0, 0.0);
        for at in 0..points.len() {
            stray.0 = INHERITED * stray.0 + chance.around(0.0, STRAY);
            stray.1 = INHERITED * stray.1 + chance.around(0.0, STRAY);
            let mut point = stray;
            for (form, weight) in family.forms.iter().zip(&weights) {
                let (x, y) = form[stroke][at];
                point.0 += weight * f32::from(x);
                point.1 += weight * f32::from(y);
            }
            polygon.push(paper.bend(point));
        }
        pen.follow(&polygon, chance, &mut path);
    }
    path
}

fn choose<'a>(families: &'a [Family], chance: &mut Chance) -> &'a Family {
    let total: f32 = families.iter().map(|family| f32::from(family.weight)).sum();
    let mut left = chance.unit() * total;
    let chosen = families.iter().find(|family| {
        left -= f32::from(family.weight);
        left < 0.0
    });
    chosen.unwrap_or(&families[0])
}

/// Weights that sum to one, mostly with one form far ahead of the others.
fn mixture(forms: usize, chance: &mut Chance) -> Vec<f32> {
    let cube = |unit: f32| unit * unit * unit + 1e-3;
    let mut weights: Vec<f32> = (0..forms).map(|_| cube(chance.unit())).collect();
    let total: f32 = weights.iter().sum();
    weights.iter_mut().for_each(|weight| *weight /= total);
    weights
}

/// Terms of a polynomial of third degree in x and y, without the constant.
const TERMS: usize = 9;

/// A smooth random map of the plane: width, slant and turn are its linear part; its terms of second
/// and third degree are an elastic displacement.
struct Paper {
    x: [f32; TERMS],
    y: [f32; TERMS],
}

impl Paper {
    fn pick(chance: &mut Chance) -> Self {
        let width = chance.around(1.05, 0.2).max(0.55);
        let slant = chance.around(0.18, 0.25); // to the right, per unit upwards
        let turn = chance.around(0.0, 0.08); // radians, nearly
        let (mut x, mut y) = ([0.0; TERMS], [0.0; TERMS]);
        (x[0], x[1]) = (50.0 * width, -50.0 * (slant + turn));
        (y[0], y[1]) = (50.0 * width * turn, 50.0);
        for term in 2..TERMS {
            let displacement = if term < 5 { 6.0 } else { 4.0 };
            x[term] = chance.around(0.0, displacement);
            y[term] = chance.around(0.0, displacement);
        }
        Self { x, y }
    }

    fn bend(&self, (x, y): Point) -> Point {
        let (x, y) = (x / 50.0 - 0.6, y / 50.0 - 1.0); // a digit spans about -0.6..0.6 and -1..1
        let terms = [x, y, x * x, x * y, y * y, x * x * x, x * x * y, x * y * y, y * y * y];
        let sum = |weights: &[f32; TERMS]| weights.iter().zip(terms).map(|(w, t)| w * t).sum();
        (sum(&self.x), sum(&self.y))
    }
}
