//! The pen: a control polygon becomes a line of varying width.

use crate::chance::Chance;
use crate::stroke::Dab;

/// A place, x to the right and y downwards.
pub(super) type Point = (f32, f32);

/// Distance between two dabs of a line, in hundredths of the digit's height (a fifth of a pixel).
const SPACING: f32 = 8.0;

/// A pen and the hand that presses it.
pub(super) struct Pen {
    /// Radius of its line, in pixels.
    radius: f32,
    /// How much the radius changes from dab to dab, as a fraction, when the pressure wanders.
    pressure: f32,
    /// How much the hand shakes from dab to dab.
    tremor: f32,
}

impl Pen {
    pub fn pick(chance: &mut Chance) -> Self {
        let root = chance.around(1.11, 0.14).max(0.8);
        Self {
            radius: root * root, // squared, because there are more thin pens than thick ones
            pressure: 0.04 + 0.05 * chance.unit(),
            tremor: 0.2 + 0.7 * chance.unit(),
        }
    }

    /// Follows the quadratic B-spline of a control polygon: from its first point to its last,
    /// touching each leg at its middle.
    pub fn follow(&self, polygon: &[Point], chance: &mut Chance, path: &mut Vec<Dab>) {
        let [start, inner @ .., end] = polygon else { return };
        let mut shake = (0.0, 0.0);
        let mut press = chance.around(1.0, 0.1);
        let mut dab = |(x, y): Point, first: bool| {
            shake.0 = 0.7 * shake.0 + chance.around(0.0, self.tremor);
            shake.1 = 0.7 * shake.1 + chance.around(0.0, self.tremor);
            press = 0.9 * press + chance.around(0.1, self.pressure);
            let rough = chance.around(0.0, 0.06);
            let radius = self.radius * (press + rough).clamp(0.5, 1.5);
            path.push(Dab { x: x + shake.0, y: y + shake.1, radius, first });
        };
        dab(*start, true);
        let mut from = *start;
        for (at, &corner) in inner.iter().enumerate() {
            let to = inner.get(at + 1).map_or(*end, |&next| middle(corner, next));
            let steps = ((reach(from, corner) + reach(corner, to)) / SPACING).clamp(1.0, 12.0);
            let steps = steps as usize;
            for step in 1..=steps {
                let t = step as f32 / steps as f32;
                let (a, b, c) = ((1.0 - t) * (1.0 - t), 2.0 * t * (1.0 - t), t * t);
                let x = a * from.0 + b * corner.0 + c * to.0;
                let y = a * from.1 + b * corner.1 + c * to.1;
                dab((x, y), false);
            }
            from = to;
        }
    }
}

fn middle(a: Point, b: Point) -> Point {
    (0.5 * (a.0 + b.0), 0.5 * (a.1 + b.1))
}

/// How far it is from one point to another, along the axes.
fn reach(a: Point, b: Point) -> f32 {
    (b.0 - a.0).abs() + (b.1 - a.1).abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_starts_and_ends_where_the_polygon_does_and_turns_at_double_points() {
        let pen = Pen { radius: 1.0, pressure: 0.0, tremor: 0.0 };
        let mut chance = Chance::stream(1, 0);
        let mut path = Vec::new();
        pen.follow(&[(0.0, 0.0), (40.0, 0.0), (40.0, 0.0), (40.0, 80.0)], &mut chance, &mut path);
        let places: Vec<Point> = path.iter().map(|dab| (dab.x, dab.y)).collect();
        assert_eq!((places[0], places[places.len() - 1]), ((0.0, 0.0), (40.0, 80.0)));
        assert!(places.contains(&(40.0, 0.0)));
        assert!(places.iter().all(|&(x, y)| (x - 40.0).abs() < 1e-4 || y == 0.0), "{places:?}");
        assert_eq!(path.iter().filter(|dab| dab.first).count(), 1);
    }
}
