//! Regions of a picture, and whether they are convex.

use crate::pictures::SIDE;
use crate::rng::Rng;

/// A set of pixels of a picture. Bit `x` of row `y` is the pixel in column `x`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Region {
    rows: [u32; SIDE],
}

/// All pixels of a row.
const ROW: u32 = (1 << SIDE) - 1;

impl Region {
    pub const EMPTY: Self = Self { rows: [0; SIDE] };
    pub const FULL: Self = Self { rows: [ROW; SIDE] };

    /// The number of pixels.
    pub fn count(&self) -> u32 {
        self.rows.iter().map(|row| row.count_ones()).sum()
    }

    /// Keeps the pixels in a half-plane.
    pub fn intersect(&mut self, half: &HalfPlane) {
        self.rows.iter_mut().zip(0..).for_each(|(row, y)| *row &= half.row(y));
    }

    /// Adds the pixels of another region.
    pub fn add(&mut self, other: &Self) {
        self.rows.iter_mut().zip(&other.rows).for_each(|(row, other)| *row |= other);
    }

    /// Whether the region has every pixel whose centre is in the convex hull of its centres. Then, and
    /// only then, some convex set in the plane contains these centres and no others.
    pub fn is_convex(&self) -> bool {
        *self == self.hull()
    }

    /// The pixels whose centres are in the convex hull of the centres.
    fn hull(&self) -> Self {
        let mirrored = self.rows.map(|row| row.reverse_bits() >> (32 - SIDE));
        let (first, last) = (left_side(&self.rows), left_side(&mirrored));
        let mut hull = Self::EMPTY;
        for ((row, first), last) in hull.rows.iter_mut().zip(first).zip(last) {
            if let (Some(first), Some(last)) = (first, last) {
                *row = span(first, SIDE as i64 - 1 - last);
            }
        }
        hull
    }

    #[cfg(test)]
    pub fn insert(&mut self, pixels: impl Iterator<Item = usize>) {
        pixels.for_each(|at| self.rows[at / SIDE] |= 1 << (at % SIDE));
    }

    pub fn render(&self, field: &mut [u8]) {
        for (line, row) in field.chunks_exact_mut(SIDE).zip(self.rows) {
            for (x, pixel) in line.iter_mut().enumerate() {
                *pixel = if row >> x & 1 == 1 { 255 } else { 0 };
            }
        }
    }
}

/// For each row from the first to the last that is not empty, the first column that is not left of
/// the convex hull.
fn left_side(rows: &[u32; SIDE]) -> [Option<i64>; SIDE] {
    let mut corners: Vec<(i64, i64)> = Vec::with_capacity(SIDE); // row, column
    for (y, row) in (0..).zip(rows).filter(|(_, row)| **row != 0) {
        let next = (y, i64::from(row.trailing_zeros()));
        while let [.., a, b] = corners[..]
            && (b.1 - a.1) * (next.0 - b.0) >= (next.1 - b.1) * (b.0 - a.0)
        {
            corners.pop(); // it is on the line to the next corner, or inside
        }
        corners.push(next);
    }
    let mut side = [None; SIDE];
    if let Some((y, x)) = corners.first() {
        side[*y as usize] = Some(*x);
    }
    for pair in corners.windows(2) {
        let ((above, from), (below, to)) = (pair[0], pair[1]);
        for y in above..=below {
            side[y as usize] = Some(from + ceiling((to - from) * (y - above), below - above));
        }
    }
    side
}

/// The columns from `first` to `last`, as far as they exist.
fn span(first: i64, last: i64) -> u32 {
    let (first, last) = (first.max(0), last.min(SIDE as i64 - 1));
    if first > last { 0 } else { (ROW >> (SIDE as i64 - 1 - last)) & (ROW << first) }
}

fn ceiling(numerator: i64, denominator: i64) -> i64 {
    -(-numerator).div_euclid(denominator)
}

/// One side of a straight line, in integers, so that intersections are exactly convex.
pub(super) struct HalfPlane {
    /// A point on the line, in steps of a pixel. The centre of the first pixel is (0, 0).
    through: (i64, i64),
    /// A vector that points into the half-plane.
    inwards: (i64, i64),
}

/// Steps per pixel.
const STEPS: i64 = 1 << 12;

impl HalfPlane {
    /// A half-plane through a uniform point of the picture, in a uniform direction.
    pub fn sample(rng: &mut Rng) -> Self {
        let mut place = || rng.below(SIDE * STEPS as usize) as i64 - STEPS / 2;
        let through = (place(), place());
        let (x, y) = rng.direction();
        Self { through, inwards: (x.into(), y.into()) }
    }

    /// The columns `x` of row `y` with `inwards . ((x, y) - through) >= 0`.
    fn row(&self, y: i64) -> u32 {
        let (across, down) = self.inwards;
        let slope = STEPS * across;
        let start = down * (STEPS * y - self.through.1) - across * self.through.0;
        match slope {
            0 if start < 0 => 0,
            0 => ROW,
            1.. => span(ceiling(-start, slope), SIDE as i64 - 1),
            _ => span(0, start.div_euclid(-slope)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;
    use proptest::prelude::*;

    /// The region of a drawing, from the upper left corner of the picture.
    fn drawing(lines: &[&str]) -> Region {
        let mut region = Region::EMPTY;
        for (row, line) in region.rows.iter_mut().zip(lines) {
            for (x, _) in line.bytes().enumerate().filter(|(_, mark)| *mark == b'#') {
                *row |= 1 << x;
            }
        }
        region
    }

    #[test]
    fn convex_or_not_by_hand() {
        let convex: [&[&str]; 8] = [
            &[],
            &["", "  #"],
            &["##", "##"],
            &[" # ", "###", " # "],
            &["#", " #", "  #"],
            // No centre is between (0, 0) and (2, 1): one column to the right is half a row down.
            &["#", "  #"],
            &["###", "##", "#"],
            &["#", "##", "####", " ####", "   ##", "    #"],
        ];
        for lines in convex {
            assert!(drawing(lines).is_convex(), "{lines:?}");
        }
        let not: [&[&str]; 8] = [
            &["# #"],
            &["#", "", "#"],
            &["###", "# #", "###"],
            // The pixel (1, 1) is between the ends of this L.
            &["#", "#", "###"],
            &["# #", "###"],
            &["#", "", "  #"],
            // The line from (0, 0) to (4, 2) passes through the centre of (2, 1).
            &["#", "", "    #"],
            &["##", " #", "##"],
        ];
        for lines in not {
            assert!(!drawing(lines).is_convex(), "{lines:?}");
        }
        assert!(Region::FULL.is_convex());
    }

    /// `x >= 3`, `x <= 3`, `y >= 2` and `x + y >= 3`, through points in pixels.
    #[test]
    fn half_planes_by_hand() {
        let intersect = |through: (i64, i64), inwards| {
            let through = (through.0 * STEPS, through.1 * STEPS);
            let mut region = Region::FULL;
            region.intersect(&HalfPlane { through, inwards });
            region
        };
        let side = SIDE as u32;
        assert_eq!(intersect((3, 9), (5, 0)).count(), 25 * side);
        assert_eq!(intersect((3, 9), (-5, 0)).count(), 4 * side);
        assert_eq!(intersect((3, 2), (0, 1)).count(), 26 * side);
        assert_eq!(intersect((3, -1), (0, -1)).count(), 0);
        let corner = intersect((3, 0), (7, 7));
        assert_eq!(corner.rows[0], ROW & !0b111);
        assert_eq!(corner.rows[2], ROW & !0b1);
        assert_eq!(corner.count(), side * side - 6);
    }

    /// Whether a centre is in a triangle of others, or on the line between two: the definition of a hull.
    fn is_in_a_triangle((x, y): (i64, i64), of: &[(i64, i64)]) -> bool {
        let turn = |a: (i64, i64), b: (i64, i64)| (b.0 - a.0) * (y - a.1) - (b.1 - a.1) * (x - a.0);
        let within = |p: i64, q: i64, at: i64| (p.min(q)..=p.max(q)).contains(&at);
        of.iter().any(|&a| {
            of.iter().any(|&b| {
                (turn(a, b) == 0 && within(a.0, b.0, x) && within(a.1, b.1, y))
                    || of.iter().any(|&c| turn(a, b) > 0 && turn(b, c) > 0 && turn(c, a) > 0)
            })
        })
    }

    proptest! {
        #[test]
        fn hull_has_all_centres_of_its_triangles(pixels in prop::collection::vec(0..36usize, 1..9)) {
            let mut region = Region::EMPTY;
            pixels.iter().for_each(|at| region.rows[at / 6] |= 1 << (at % 6));
            let there: Vec<_> = pixels.iter().map(|at| ((at % 6) as i64, (at / 6) as i64)).collect();
            let hull = region.hull();
            for y in 0..6 {
                for x in 0..6 {
                    let expected = is_in_a_triangle((x, y), &there);
                    prop_assert_eq!(hull.rows[y as usize] >> x & 1 == 1, expected, "({}, {})", x, y);
                }
            }
        }

        #[test]
        fn intersections_of_half_planes_are_convex(seed: u64, planes in 1..12usize) {
            let mut rng = Rng::stream(seed, 0);
            let mut region = Region::FULL;
            (0..planes).for_each(|_| region.intersect(&HalfPlane::sample(&mut rng)));
            prop_assert!(region.is_convex());
        }
    }
}
