//! Contractions that are alike, and how they are launched where a GPU was measured.

use super::tile::{Launch, Tile};

/// What may be done with the sum of a contraction.
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// It may be split.
    Whole,
    /// It may not: the phases of a transposed convolution.
    Phases,
    /// It always is, and its parts are added by a second kernel: the gradient of a convolution's weight.
    Parts,
}

/// A contraction that is to be launched: `rows x columns` numbers, `layers` times, each a sum of `sum`.
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq)]
pub struct Request {
    /// What may be done with its sum.
    pub kind: Kind,
    /// Rows, columns and steps of the sum.
    pub shape: [usize; 3],
    /// How often.
    pub layers: usize,
    /// Steps of the sum that are worth a workgroup.
    pub steps: usize,
}

/// Requests of similar sizes.
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq, PartialOrd, Ord)]
pub struct Class {
    /// What may be done with the sum.
    pub kind: Kind,
    /// Rows, columns and steps of the sum at most; [`UNLIMITED`]: any number.
    pub most: [usize; 3],
}

/// No limit of a class.
pub const UNLIMITED: usize = usize::MAX;

const ROWS: &[usize] = &[16, 256, 2048, 1 << 14, 1 << 17, UNLIMITED];
const COLUMNS: &[usize] = &[4, 16, 32, 64, 512, UNLIMITED];
const SUM: &[usize] = &[16, 64, 512, 4096, 1 << 16, UNLIMITED];

/// A line of the table: a class, a tile of `[rows, columns, depth]` with `[m, n]` numbers a unit and so many sets of
/// units, and the parts of the sum.
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

/// What `benches/gpu.sh` found and prints in this form. It is empty: these kernels have not been measured on a GPU
/// yet, and [`Launch`]'s rules decide everywhere.
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

impl Request {
    /// What a table has for it. A sum has no more parts than a tile has steps in it.
    fn found(&self, table: &[(Class, Launch)]) -> Option<Launch> {
        let class = Class::of(self);
        let (_, launch) = table.iter().find(|(known, _)| *known == class)?;
        let most = self.shape[2].div_ceil(launch.tile.depth).max(1);
        Some(Launch { splits: launch.splits.min(most), ..*launch })
    }

    /// As it was measured, or else by the rules.
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
}
