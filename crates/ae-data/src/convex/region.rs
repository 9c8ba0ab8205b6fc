//! A region: some of the pixels of a picture, and whether it is convex.

use crate::chance::Chance;
use crate::pictures::SIDE;

/// Some of the pixels of a picture: bit `x` of row `y` is that at column `x`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Region {
    rows: [u32; SIDE],
}

/// All pixels of a row.
const ROW: u32 = (1 << SIDE) - 1;

impl Region {
    pub const NOTHING: Self = Self { rows: [0; SIDE] };
    pub const EVERYTHING: Self = Self { rows: [ROW; SIDE] };

    /// How many pixels there are.
    pub fn count(&self) -> u32 {
        self.rows.iter().map(|row| row.count_ones()).sum()
    }

    /// What is also on the side of a half-plane.
    pub fn cut(&mut self, half: &HalfPlane) {
        self.rows.iter_mut().zip(0..).for_each(|(row, y)| *row &= half.row(y));
    }

    /// What is in either.
    pub fn join(&mut self, other: &Self) {
        self.rows.iter_mut().zip(&other.rows).for_each(|(row, other)| *row |= other);
    }

    /// Whether every pixel is there whose centre is in the convex hull of the centres: then and only
    /// then is there a convex set in the plane that has these centres and no others.
    pub fn is_convex(&self) -> bool {
        *self == self.hull()
    }

    /// The pixels whose centres are in the convex hull of the centres.
    fn hull(&self) -> Self {
        let mirrored = self.rows.map(|row| row.reverse_bits() >> (32 - SIDE));
        let (first, last) = (left_side(&self.rows), left_side(&mirrored));
        let mut hull = Self::NOTHING;
        for ((row, first), last) in hull.rows.iter_mut().zip(first).zip(last) {
            if let (Some(first), Some(last)) = (first, last) {
                *row = span(first, SIDE as i64 - 1 - last);
            }
        }
        hull
    }

    #[cfg(test)]
    pub fn add(&mut self, pixels: impl Iterator<Item = usize>) {
        pixels.for_each(|at| self.rows[at / SIDE] |= 1 << (at % SIDE));
    }

    pub fn paint(&self, field: &mut [u8]) {
        for (line, row) in field.chunks_exact_mut(SIDE).zip(self.rows) {
            for (x, pixel) in line.iter_mut().enumerate() {
                *pixel = if row >> x & 1 == 1 { 255 } else { 0 };
            }
        }
    }
}

/// In each row from the first that is not empty to the last, the first column that is not left of
/// the convex hull.
fn left_side(rows: &[u32; SIDE]) -> [Option<i64>; SIDE] {
    let mut corners: Vec<(i64, i64)> = Vec::with_capacity(SIDE); // row, column
    for (y, row) in (0..).zip(rows).filter(|(_, row)| **row != 0) {
        let next = (y, i64::from(row.trailing_zeros()));
        while let [.., a, b] = corners[..]
            && (b.1 - a.1) * (next.0 - b.0) >= (next.1 - b.1) * (b.0 - a.0)
        {
            corners.pop(); // it is on the line past it, or inside
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

/// The columns from `first` to `last` of those that there are.
fn span(first: i64, last: i64) -> u32 {
    let (first, last) = (first.max(0), last.min(SIDE as i64 - 1));
    if first > last { 0 } else { (ROW >> (SIDE as i64 - 1 - last)) & (ROW << first) }
}

fn ceiling(numerator: i64, denominator: i64) -> i64 {
    -(-numerator).div_euclid(denominator)
}

/// One side of a straight line, in whole numbers, so that what is cut is convex without exception.
pub(super) struct HalfPlane {
    /// A place on the line, in steps of a pixel; the centre of the first pixel is (0, 0).
    through: (i64, i64),
    /// What points into the half-plane.
    inwards: (i64, i64),
}

/// Steps of a pixel.
const STEPS: i64 = 1 << 12;

impl HalfPlane {
    /// Through a uniform place of the picture, in a uniform direction.
    pub fn pick(chance: &mut Chance) -> Self {
        let mut place = || chance.below(SIDE * STEPS as usize) as i64 - STEPS / 2;
        let through = (place(), place());
        let (x, y) = chance.direction();
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
    use proptest::prelude::*;

    /// A region from a drawing, whose upper left corner is that of the picture.
    fn drawing(lines: &[&str]) -> Region {
        let mut region = Region::NOTHING;
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
            // From (0, 0) to (2, 1) there is no centre between: 1 to the right is half a row down.
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
            // The centre between the ends of this L is that of the pixel at (1, 1).
            &["#", "#", "###"],
            &["# #", "###"],
            &["#", "", "  #"],
            // From (0, 0) to (4, 2) the line passes the centre of (2, 1).
            &["#", "", "    #"],
            &["##", " #", "##"],
        ];
        for lines in not {
            assert!(!drawing(lines).is_convex(), "{lines:?}");
        }
        assert!(Region::EVERYTHING.is_convex());
    }

    /// `x >= 3`, `x <= 3`, `y >= 2`, and `x + y >= 3` by hand, through places given in pixels.
    #[test]
    fn half_planes_by_hand() {
        let cut = |through: (i64, i64), inwards| {
            let through = (through.0 * STEPS, through.1 * STEPS);
            let mut region = Region::EVERYTHING;
            region.cut(&HalfPlane { through, inwards });
            region
        };
        let side = SIDE as u32;
        assert_eq!(cut((3, 9), (5, 0)).count(), 25 * side);
        assert_eq!(cut((3, 9), (-5, 0)).count(), 4 * side);
        assert_eq!(cut((3, 2), (0, 1)).count(), 26 * side);
        assert_eq!(cut((3, -1), (0, -1)).count(), 0);
        let corner = cut((3, 0), (7, 7));
        assert_eq!(corner.rows[0], ROW & !0b111);
        assert_eq!(corner.rows[2], ROW & !0b1);
        assert_eq!(corner.count(), side * side - 6);
    }

    /// Whether a centre is in a triangle of others, or on a line of two: what a hull is.
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
        fn convex_is_what_holds_all_centres_of_its_triangles(pixels in prop::collection::vec(0..36usize, 1..9)) {
            let mut region = Region::NOTHING;
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
        fn what_half_planes_leave_is_convex(seed: u64, planes in 1..12usize) {
            let mut chance = Chance::stream(seed, 0);
            let mut region = Region::EVERYTHING;
            (0..planes).for_each(|_| region.cut(&HalfPlane::pick(&mut chance)));
            prop_assert!(region.is_convex());
        }
    }
}
