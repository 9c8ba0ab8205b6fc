//! Classes of similar contractions, and the measured launch of each class.

use super::request::{Kind, Request};
use super::tile::{Launch, Tile};

/// A class of requests with similar sizes.
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq, PartialOrd, Ord)]
pub struct Class {
    /// How the sum may be split.
    pub kind: Kind,
    /// The most rows, columns and terms of the sum; [`UNLIMITED`]: any number.
    pub most: [usize; 3],
}

/// A size without a limit.
pub const UNLIMITED: usize = usize::MAX;

const ROWS: &[usize] = &[16, 256, 2048, 1 << 14, 1 << 17, UNLIMITED];
const COLUMNS: &[usize] = &[4, 16, 32, 64, 512, UNLIMITED];
const SUM: &[usize] = &[16, 64, 512, 4096, 1 << 16, UNLIMITED];

/// A line of the table: a class, and a tile of `[rows, columns, depth]` with `[m, n]` numbers a unit, `groups` sets of
/// units and `splits` parts of the sum.
#[allow(dead_code, reason = "there are no lines yet")]
const fn line(
    kind: Kind,
    most: [usize; 3],
    [rows, columns, depth]: [usize; 3],
    [m, n]: [usize; 2],
    groups: usize,
    splits: usize,
) -> (Class, Launch) {
    (Class { kind, most }, Launch { tile: Tile { rows, columns, depth, m, n, groups }, splits })
}

/// The launches that `benches/gpu.sh` found; it prints lines of this form. It is empty: these kernels have not been
/// measured on a GPU yet, so the rules of [`Launch`] decide everywhere.
const MEASURED: &[(Class, Launch)] = &[];

impl Class {
    /// The class of a request.
    pub fn of(request: &Request) -> Self {
        let limit = |limits: &[usize], size: usize| {
            limits.iter().copied().find(|limit| size <= *limit).unwrap_or(UNLIMITED)
        };
        let [rows, columns, sum] = request.shape;
        let most = [limit(ROWS, rows), limit(COLUMNS, columns), limit(SUM, sum)];
        Self { kind: request.kind, most }
    }
}

/// The fewest terms of a sum that are worth a workgroup.
const SHORTEST: usize = 64;

impl Launch {
    /// The launch for `layers` outputs of `[rows, columns]` numbers, each a sum of `sum` terms.
    pub(crate) fn new(shape: [usize; 3], layers: usize, may_split: bool) -> Self {
        let kind = if may_split { Kind::Whole } else { Kind::Phases };
        Request { kind, shape, layers, steps: SHORTEST }.launch()
    }

    /// The same for a sum that is always split, into parts of at least `steps` terms.
    pub(crate) fn split(shape: [usize; 3], steps: usize) -> Self {
        Request { kind: Kind::Parts, shape, layers: 1, steps }.launch()
    }
}

impl Request {
    /// The launch in a table. A sum is split into parts of at least one depth of the tile.
    fn found(&self, table: &[(Class, Launch)]) -> Option<Launch> {
        let class = Class::of(self);
        let (_, launch) = table.iter().find(|(known, _)| *known == class)?;
        let most = self.shape[2].div_ceil(launch.tile.depth).max(1);
        Some(Launch { splits: launch.splits.min(most), ..*launch })
    }

    /// The measured launch, or the one by the rules.
    pub(crate) fn launch(&self) -> Launch {
        let chosen = self.found(MEASURED).unwrap_or_else(|| Launch::by_rule(self));
        #[cfg(feature = "atlas")]
        let chosen = super::variant::instead_of(self, chosen);
        chosen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_find_the_line_of_their_class() {
        let table = [
            line(Kind::Whole, [256, 512, 4096], [32, 32, 16], [2, 4], 2, 64),
            line(Kind::Phases, [1 << 14, 32, 512], [128, 32, 8], [4, 4], 1, 1),
        ];
        let request = |kind, shape| Request { kind, shape, layers: 1, steps: 64 };
        let found = |kind, shape| request(kind, shape).found(&table);
        assert_eq!(found(Kind::Whole, [128, 500, 1000]), Some(Launch { splits: 63, ..table[0].1 }));
        assert_eq!(found(Kind::Whole, [17, 65, 4096]), Some(table[0].1));
        assert_eq!(found(Kind::Phases, [6272, 32, 256]), Some(table[1].1));
        assert_eq!(found(Kind::Whole, [257, 500, 1000]), None);
        assert_eq!(found(Kind::Whole, [128, 513, 1000]), None);
        assert_eq!(found(Kind::Whole, [128, 500, 4097]), None);
        assert_eq!(found(Kind::Parts, [128, 500, 1000]), None);
        assert_eq!(found(Kind::Whole, [UNLIMITED, UNLIMITED, UNLIMITED]), None);
    }

    #[test]
    fn every_line_fits_and_no_class_has_two() {
        for (number, (class, launch)) in MEASURED.iter().enumerate() {
            let lies_in = |limits: &[usize], limit: &usize| limits.contains(limit);
            let [rows, columns, sum] = &class.most;
            assert!(lies_in(ROWS, rows) && lies_in(COLUMNS, columns) && lies_in(SUM, sum));
            assert_eq!(launch.misfit(class.kind), None, "{class:?}");
            assert!(MEASURED[..number].iter().all(|(other, _)| other != class), "{class:?}");
        }
    }

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
                    let kinds = [Kind::Whole, Kind::Phases, Kind::Parts];
                    for (launch, kind) in launches.into_iter().zip(kinds) {
                        assert_eq!(launch.misfit(kind), None, "{launch:?}");
                        assert!(launch.splits <= sum, "{launch:?}");
                    }
                }
            }
        }
    }

    /// The layers of the deep dense and of the convolutional net at a batch of 128: no expensive product has few
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
