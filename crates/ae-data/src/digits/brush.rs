//! The brush: turns a control polygon into a line of varying width.

use crate::rng::Rng;
use crate::stroke::Disc;

/// A point, x to the right and y downwards.
pub(super) type Point = (f32, f32);

/// The distance between two discs of a line, in hundredths of the digit's height.
const SPACING: f32 = 8.0;

/// A brush with its random pressure and tremor.
pub(super) struct Brush {
    /// The radius of its line, in pixels.
    radius: f32,
    /// The standard deviation of the pressure's change from disc to disc, as a fraction of the radius.
    pressure: f32,
    /// The standard deviation of the line's displacement from disc to disc.
    tremor: f32,
}

impl Brush {
    pub fn sample(rng: &mut Rng) -> Self {
        let root = rng.normal(1.11, 0.14).max(0.8);
        Self {
            radius: root * root, // squared, because thin lines are more common than thick ones
            pressure: 0.04 + 0.05 * rng.uniform(),
            tremor: 0.2 + 0.7 * rng.uniform(),
        }
    }

    /// Draws the quadratic B-spline of a control polygon: it runs from the first point to the last and
    /// touches each side at its middle.
    pub fn follow(&self, polygon: &[Point], rng: &mut Rng, path: &mut Vec<Disc>) {
        let [start, inner @ .., end] = polygon else { return };
        let mut shake = (0.0, 0.0);
        let mut press = rng.normal(1.0, 0.1);
        let mut disc = |(x, y): Point, first: bool| {
            shake.0 = 0.7 * shake.0 + rng.normal(0.0, self.tremor);
            shake.1 = 0.7 * shake.1 + rng.normal(0.0, self.tremor);
            press = 0.9 * press + rng.normal(0.1, self.pressure);
            let rough = rng.normal(0.0, 0.06);
            let radius = self.radius * (press + rough).clamp(0.5, 1.5);
            path.push(Disc { x: x + shake.0, y: y + shake.1, radius, first });
        };
        disc(*start, true);
        let mut from = *start;
        for (at, &corner) in inner.iter().enumerate() {
            let to = inner.get(at + 1).map_or(*end, |&next| middle(corner, next));
            let steps =
                ((distance(from, corner) + distance(corner, to)) / SPACING).clamp(1.0, 12.0);
            let steps = steps as usize;
            for step in 1..=steps {
                let t = step as f32 / steps as f32;
                let (a, b, c) = ((1.0 - t) * (1.0 - t), 2.0 * t * (1.0 - t), t * t);
                let x = a * from.0 + b * corner.0 + c * to.0;
                let y = a * from.1 + b * corner.1 + c * to.1;
                disc((x, y), false);
            }
            from = to;
        }
    }
}

fn middle(a: Point, b: Point) -> Point {
    (0.5 * (a.0 + b.0), 0.5 * (a.1 + b.1))
}

/// The distance of two points along the axes.
fn distance(a: Point, b: Point) -> f32 {
    (b.0 - a.0).abs() + (b.1 - a.1).abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_has_the_polygons_ends_and_turns_at_double_points() {
        let brush = Brush { radius: 1.0, pressure: 0.0, tremor: 0.0 };
        let mut rng = Rng::stream(1, 0);
        let mut path = Vec::new();
        brush.follow(&[(0.0, 0.0), (40.0, 0.0), (40.0, 0.0), (40.0, 80.0)], &mut rng, &mut path);
        let places: Vec<Point> = path.iter().map(|disc| (disc.x, disc.y)).collect();
        assert_eq!((places[0], places[places.len() - 1]), ((0.0, 0.0), (40.0, 80.0)));
        assert!(places.contains(&(40.0, 0.0)));
        assert!(places.iter().all(|&(x, y)| (x - 40.0).abs() < 1e-4 || y == 0.0), "{places:?}");
        assert_eq!(path.iter().filter(|disc| disc.first).count(), 1);
    }
}
