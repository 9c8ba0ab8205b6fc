//! What a workgroup of a contraction computes, and in which steps.

use super::UNITS;
use super::request::{Kind, Request};

/// The block of an output that a workgroup computes.
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq)]
pub(crate) struct Tile {
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    /// Steps along the sum that are in shared memory at a time.
    pub(crate) depth: usize,
    /// Rows and columns that a unit computes.
    pub(crate) m: usize,
    pub(crate) n: usize,
    /// Sets of units; each set adds a share of the steps of a sum.
    pub(crate) groups: usize,
}

/// How a contraction is launched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Launch {
    pub(crate) tile: Tile,
    /// Parts of a sum that different workgroups compute.
    pub(crate) splits: usize,
}

/// Enough workgroups for a large GPU: twice the 132 multiprocessors of an H100, rounded down. Fewer are launched only
/// if a sum is too short to be split.
const WANTED: usize = 256;

/// Bytes of shared memory that every device has for a workgroup.
const SHARED: usize = 16 << 10;

/// With fewer workgroups a long sum is split; the second launch costs a few microseconds.
const LEAST: usize = 64;

/// The fewest steps of a sum that is worth splitting.
const LONG: usize = 512;

impl Tile {
    pub(super) fn new(rows: usize, columns: usize, [m, n]: [usize; 2], sum: usize) -> Self {
        let units = rows / m * (columns / n);
        let groups = (UNITS / units).clamp(1, 16);
        // A quarter of the shared memory stays free for the sums of groups.
        let most = SHARED / 2 / 4 / (rows + columns + 2);
        let depth = most.min(32).min(sum.next_multiple_of(4)).max(1);
        let groups = groups.min(depth);
        Self { rows, columns, depth: depth / groups * groups, m, n, groups }
    }

    /// The units of a set.
    pub(crate) fn group(&self) -> usize {
        self.rows / self.m * (self.columns / self.n)
    }

    pub(crate) fn units(&self) -> usize {
        self.groups * self.group()
    }

    /// The workgroups of a request whose sum is not split.
    pub(super) fn workgroups(&self, request: &Request) -> usize {
        let [rows, columns, _] = request.shape;
        rows.div_ceil(self.rows) * columns.div_ceil(self.columns) * request.layers
    }

    /// The number of parts of a request's sum that gives enough workgroups.
    pub(super) fn splits(&self, request: &Request) -> usize {
        let (groups, sum) = (self.workgroups(request), request.shape[2]);
        match request.kind {
            Kind::Phases => 1,
            Kind::Whole if groups >= LEAST || sum < LONG => 1,
            Kind::Whole => (WANTED / 2).div_ceil(groups).min(sum / request.steps).max(1),
            Kind::Parts => WANTED.div_ceil(groups).min(sum.div_ceil(request.steps)).max(1),
        }
    }

    /// Bytes of shared memory: rows and columns of `depth` steps, each step padded by one number, and a tile of sums if
    /// there are several sets of units.
    #[cfg(any(test, feature = "atlas"))]
    fn shared(&self) -> usize {
        let sums = if self.groups > 1 { self.rows * self.columns } else { 1 };
        4 * (self.depth * (self.rows + self.columns + 2) + sums)
    }

    #[cfg(any(test, feature = "atlas"))]
    fn misfit(&self) -> Option<String> {
        let Self { rows, columns, depth, m, n, groups } = *self;
        if [rows, columns, depth, m, n, groups].contains(&0) {
            return Some(format!("tile: expected sizes of at least 1, got {self:?}"));
        }
        for (what, size, part) in [
            ("rows of a tile: a multiple of those of a unit", rows, m),
            ("columns of a tile: a multiple of those of a unit", columns, n),
            ("depth: a multiple of the sets of units", depth, groups),
        ] {
            if !size.is_multiple_of(part) {
                return Some(format!("{what}: expected a multiple of {part}, got {size}"));
            }
        }
        if self.units() > UNITS {
            return Some(format!("units: expected at most {UNITS}, got {}", self.units()));
        }
        match self.shared() {
            bytes if bytes > SHARED => {
                Some(format!("shared memory: expected at most {SHARED} bytes, got {bytes}"))
            }
            _ => None,
        }
    }
}

impl Launch {
    /// The largest tile that gives enough workgroups. If even the smallest does not, the sum is split.
    pub(super) fn by_rule(request: &Request) -> Self {
        let [rows, columns, sum] = request.shape;
        let tile = match request.kind {
            Kind::Parts => Tile::new(even(rows, 64, 4), even(columns, 64, 4), [4, 4], sum),
            Kind::Whole | Kind::Phases => {
                let candidates = candidates(rows, columns);
                let is_enough = |(height, width, _): &&(usize, usize, [usize; 2])| {
                    rows.div_ceil(*height) * columns.div_ceil(*width) * request.layers >= WANTED / 2
                };
                let chosen = candidates.iter().find(is_enough);
                let (height, width, numbers) = *chosen.unwrap_or(&candidates[candidates.len() - 1]);
                Tile::new(height, width, numbers, sum)
            }
        };
        Self { tile, splits: tile.splits(request) }
    }

    /// The reason why a kernel cannot be launched so, if there is one.
    #[cfg(any(test, feature = "atlas"))]
    pub(super) fn misfit(&self, kind: Kind) -> Option<String> {
        if self.splits == 0 {
            return Some("splits: expected at least 1, got 0".to_owned());
        }
        if kind == Kind::Phases && self.splits > 1 {
            return Some(format!(
                "splits: expected 1 where phases are computed, got {}",
                self.splits
            ));
        }
        self.tile.misfit()
    }
}

/// Rows and columns of tiles and of their units, the largest tile first.
fn candidates(rows: usize, columns: usize) -> &'static [(usize, usize, [usize; 2])] {
    match columns {
        0..=4 => &[(256, 4, [2, 4]), (64, 4, [1, 2])],
        5..=16 => &[(128, 16, [4, 4]), (64, 16, [2, 4]), (32, 16, [2, 2])],
        _ if rows <= 16 => &[(16, 64, [4, 4]), (16, 32, [2, 2])],
        17..=32 => &[(128, 32, [4, 4]), (64, 32, [4, 4]), (32, 32, [2, 4])],
        _ => &[(64, 64, [4, 4]), (32, 64, [4, 4]), (32, 32, [2, 4]), (16, 32, [2, 2])],
    }
}

/// The size of a part if a length is divided into equal parts of at most `most`, each a multiple of `by`.
fn even(len: usize, most: usize, by: usize) -> usize {
    len.div_ceil(len.div_ceil(most)).next_multiple_of(by)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn launches_that_do_not_fit_are_refused() {
        let fits = Launch { tile: Tile::new(64, 64, [4, 4], 100), splits: 1 };
        let with = |change: fn(&mut Launch)| {
            let mut launch = fits;
            change(&mut launch);
            launch.misfit(Kind::Phases)
        };
        assert_eq!(with(|_| ()), None);
        type Change = fn(&mut Launch);
        let refused: [(&str, Change); 8] = [
            ("at least 1", |it| it.tile.rows = 0),
            ("a multiple of 3, got 64", |it| it.tile.m = 3),
            ("a multiple of 3, got 64", |it| it.tile.n = 3),
            ("a multiple of 4, got 15", |it| it.tile.groups = 4),
            ("at most 256, got 1024", |it| (it.tile.m, it.tile.n) = (2, 2)),
            ("at most 16384 bytes, got 33284", |it| it.tile.depth = 64),
            ("where phases are computed, got 2", |it| it.splits = 2),
            ("at least 1, got 0", |it| it.splits = 0),
        ];
        for (reason, change) in refused {
            let misfit = with(change).expect(reason);
            assert!(misfit.contains(reason), "{misfit}");
        }
    }
}
