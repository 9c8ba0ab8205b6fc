//! What a workgroup of a contraction computes, and in which steps.

use super::UNITS;

/// The part of an output that a workgroup computes.
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq)]
pub(crate) struct Tile {
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    /// Steps along the sum that are in shared memory at a time.
    pub(crate) depth: usize,
    /// Rows and columns of a unit.
    pub(crate) m: usize,
    pub(crate) n: usize,
    /// Sets of units that share the steps of a sum among them.
    pub(crate) groups: usize,
}

/// How a contraction is launched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Launch {
    pub(crate) tile: Tile,
    /// Parts of a sum that different workgroups compute.
    pub(crate) splits: usize,
}

/// Workgroups that keep a large GPU busy: twice the 132 multiprocessors of an H100, rounded down. Fewer are
/// launched only where a sum is too short to be split.
const WANTED: usize = 256;

/// Bytes of shared memory that every device has for a workgroup.
const SHARED: usize = 16 << 10;

/// Workgroups below which a long sum is split: the second launch costs some microseconds.
const LEAST: usize = 64;

/// Steps of a sum from which that is worth it.
const LONG: usize = 512;

/// Steps of a sum that are worth a workgroup.
const SHORTEST: usize = 64;

impl Tile {
    fn new(rows: usize, columns: usize, [m, n]: [usize; 2], sum: usize) -> Self {
        let units = rows / m * (columns / n);
        let groups = (UNITS / units).clamp(1, 16);
        // A quarter of the shared memory stays free for the sums of groups.
        let most = SHARED / 2 / 4 / (rows + columns + 2);
        let depth = most.min(32).min(sum.next_multiple_of(4)).max(1);
        let groups = groups.min(depth);
        Self { rows, columns, depth: depth / groups * groups, m, n, groups }
    }

    /// Units of a set.
    pub(crate) fn group(&self) -> usize {
        self.rows / self.m * (self.columns / self.n)
    }

    pub(crate) fn units(&self) -> usize {
        self.groups * self.group()
    }
}

impl Launch {
    /// For an output of `rows x columns`, `layers` times, each number a sum of `sum`.
    ///
    /// The largest tile that leaves enough workgroups; where even the smallest does not, the sum is split.
    pub(crate) fn new([rows, columns, sum]: [usize; 3], layers: usize, may_split: bool) -> Self {
        let candidates: &[(usize, usize, [usize; 2])] = match columns {
            0..=4 => &[(256, 4, [2, 4]), (64, 4, [1, 2])],
            5..=16 => &[(128, 16, [4, 4]), (64, 16, [2, 4]), (32, 16, [2, 2])],
            _ if rows <= 16 => &[(16, 64, [4, 4]), (16, 32, [2, 2])],
            17..=32 => &[(128, 32, [4, 4]), (64, 32, [4, 4]), (32, 32, [2, 4])],
            _ => &[(64, 64, [4, 4]), (32, 64, [4, 4]), (32, 32, [2, 4]), (16, 32, [2, 2])],
        };
        let groups = |(height, width, _): &(usize, usize, [usize; 2])| {
            rows.div_ceil(*height) * columns.div_ceil(*width) * layers
        };
        let chosen = candidates.iter().find(|candidate| groups(candidate) >= WANTED / 2);
        let chosen = chosen.unwrap_or(&candidates[candidates.len() - 1]);
        let tile = Tile::new(chosen.0, chosen.1, chosen.2, sum);
        let missing = (WANTED / 2).div_ceil(groups(chosen));
        let splits = match may_split && groups(chosen) < LEAST && sum >= LONG {
            true => missing.min(sum / SHORTEST).max(1),
            false => 1,
        };
        Self { tile, splits }
    }

    /// The same with so many parts of the sum at most, for sums that are always split.
    pub(crate) fn split([rows, columns, sum]: [usize; 3], steps: usize) -> Self {
        let height = even(rows, 64, 4);
        let width = even(columns, 64, 4);
        let tile = Tile::new(height, width, [4, 4], sum);
        let across = rows.div_ceil(height) * columns.div_ceil(width);
        let splits = WANTED.div_ceil(across).min(sum.div_ceil(steps)).max(1);
        Self { tile, splits }
    }
}

/// A length as equal parts of at most `most`, each a multiple of `by`: the size of a part.
fn even(len: usize, most: usize, by: usize) -> usize {
    len.div_ceil(len.div_ceil(most)).next_multiple_of(by)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_launch_fits_a_workgroup_and_the_shared_memory() {
        for rows in [1, 3, 16, 30, 128, 500, 25_088] {
            for columns in [1, 2, 4, 9, 30, 32, 64, 288, 1000] {
                for sum in [1, 9, 30, 128, 1000, 25_088] {
                    let shape = [rows, columns, sum];
                    let launches = [
                        Launch::new(shape, 1, true),
                        Launch::new(shape, 4, false),
                        Launch::split(shape, 64),
                    ];
                    for Launch { tile, splits } in launches {
                        assert!(tile.units() <= UNITS && tile.depth >= 1, "{tile:?}");
                        assert_eq!(tile.rows % tile.m + tile.columns % tile.n, 0, "{tile:?}");
                        assert_eq!(tile.depth % tile.groups, 0, "{tile:?}");
                        let steps = tile.depth * (tile.rows + tile.columns + 2);
                        let sums = if tile.groups > 1 { tile.rows * tile.columns } else { 0 };
                        assert!((steps + sums) * 4 <= SHARED, "{tile:?}");
                        assert!(splits >= 1 && splits <= sum.max(1), "{tile:?} {splits}");
                    }
                }
            }
        }
    }

    /// Layers of the deep dense net and of the convolutional one at a batch of 128: no product that counts has few
    /// workgroups.
    #[test]
    fn products_of_a_training_step_keep_a_gpu_busy() {
        for shape in
            [[128, 1000, 784], [128, 784, 1000], [128, 500, 1000], [128, 250, 500], [128, 32, 3136]]
        {
            let Launch { tile, splits } = Launch::new(shape, 1, true);
            let groups = shape[0].div_ceil(tile.rows) * shape[1].div_ceil(tile.columns) * splits;
            assert!(groups >= 64, "{shape:?}: {tile:?}, {splits}: {groups}");
        }
    }
}
