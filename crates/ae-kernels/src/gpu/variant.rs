//! Launches that a measurement sets, in place of the table and the rules.

use std::cell::RefCell;

use super::UNITS;
use super::request::{Kind, Request};
use super::tile::{Launch, Tile};

/// How a contraction is launched: its tile and the parts of its sum.
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq)]
pub struct Variant {
    /// Rows of the output that a workgroup computes.
    pub rows: usize,
    /// Columns of the output that a workgroup computes.
    pub columns: usize,
    /// Steps along the sum that are in shared memory at a time.
    pub depth: usize,
    /// Rows that a unit computes.
    pub m: usize,
    /// Columns that a unit computes.
    pub n: usize,
    /// Sets of units; each set adds a share of the steps of a sum.
    pub groups: usize,
    /// Parts of a sum that different workgroups compute.
    pub splits: usize,
}

/// Why a variant was not run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit(String);

impl std::fmt::Display for Misfit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Misfit {}

/// A contraction that was launched, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The contraction.
    pub request: Request,
    /// How it was launched.
    pub variant: Variant,
}

#[derive(Default)]
struct Measurement {
    variant: Option<Variant>,
    misfit: Option<String>,
    choices: Vec<Choice>,
}

thread_local! {
    static MEASUREMENT: RefCell<Option<Measurement>> = const { RefCell::new(None) };
}

/// Restores the previous measurement when dropped, also after a panic.
struct Restored(Option<Measurement>);

impl Drop for Restored {
    fn drop(&mut self) {
        MEASUREMENT.set(self.0.take());
    }
}

fn measured<R>(variant: Option<Variant>, work: impl FnOnce() -> R) -> (R, Measurement) {
    let measurement = Measurement { variant, ..Measurement::default() };
    let restored = Restored(MEASUREMENT.replace(Some(measurement)));
    let result = work();
    let found = MEASUREMENT.take().unwrap_or_default();
    drop(restored);
    (result, found)
}

/// Launches every contraction of some work on this thread as `variant` says.
///
/// # Errors
/// If the variant does not fit a workgroup or the shared memory of every device; then `work` did not run. If it does not
/// fit a contraction, which was then launched by the rules, or if `work` has no contraction.
pub fn with_variant<R>(variant: Variant, work: impl FnOnce() -> R) -> Result<R, Misfit> {
    if let Some(misfit) = variant.launch().misfit(Kind::Whole) {
        return Err(Misfit(misfit));
    }
    let (result, found) = measured(Some(variant), work);
    match found.misfit {
        Some(misfit) => Err(Misfit(misfit)),
        None if found.choices.is_empty() => {
            Err(Misfit("a variant needs a contraction on a GPU; run one on this thread".to_owned()))
        }
        None => Ok(result),
    }
}

/// The contractions that `work` launches on this thread, and how they are launched.
pub fn choices<R>(work: impl FnOnce() -> R) -> (R, Vec<Choice>) {
    let (result, found) = measured(None, work);
    (result, found.choices)
}

/// The launch of the current measurement, or `chosen` if there is none.
pub(super) fn instead_of(request: &Request, chosen: Launch) -> Launch {
    MEASUREMENT.with_borrow_mut(|measurement| {
        let Some(measurement) = measurement else { return chosen };
        let mut launch = chosen;
        if let Some(variant) = measurement.variant {
            match variant.launch().misfit(request.kind) {
                Some(misfit) => measurement.misfit = Some(misfit),
                None => launch = variant.launch(),
            }
        }
        measurement.choices.push(Choice { request: *request, variant: Variant::of(launch) });
        launch
    })
}

/// Rows and columns of a tile, and of its units.
type Sizes = (usize, usize, [usize; 2]);

/// Tiles to try.
fn tiles(rows: usize, columns: usize) -> &'static [Sizes] {
    match columns {
        0..=4 => &[
            (256, 4, [2, 4]),
            (256, 4, [1, 4]),
            (512, 4, [4, 4]),
            (128, 4, [2, 2]),
            (128, 4, [1, 2]),
            (64, 4, [1, 2]),
        ],
        5..=16 => &[
            (128, 16, [4, 4]),
            (256, 16, [4, 4]),
            (128, 16, [8, 4]),
            (64, 16, [4, 4]),
            (64, 16, [2, 4]),
            (32, 16, [2, 2]),
        ],
        _ if rows <= 16 => &[
            (16, 64, [4, 4]),
            (16, 64, [2, 4]),
            (16, 128, [4, 4]),
            (16, 32, [2, 2]),
            (8, 64, [2, 4]),
        ],
        17..=32 => &[
            (128, 32, [4, 4]),
            (256, 32, [8, 4]),
            (128, 32, [8, 4]),
            (64, 32, [4, 4]),
            (64, 32, [8, 4]),
            (32, 32, [4, 4]),
            (32, 32, [2, 4]),
        ],
        _ => &[
            (64, 64, [4, 4]),
            (128, 64, [8, 4]),
            (128, 64, [8, 8]),
            (128, 128, [8, 8]),
            (64, 64, [8, 4]),
            (64, 64, [8, 8]),
            (32, 64, [4, 4]),
            (32, 32, [4, 4]),
            (32, 32, [2, 4]),
            (16, 32, [2, 2]),
        ],
    }
}

impl Request {
    /// A coarse grid: tiles of every size that suits the shape, with a depth of a power of two, and enough parts of the sum
    /// for a large GPU.
    pub fn variants(&self) -> Vec<Variant> {
        let [rows, columns, sum] = self.shape;
        let mut variants = Vec::new();
        for (height, width, numbers) in tiles(rows, columns) {
            let tile = Tile::new(*height, *width, *numbers, sum);
            let variant = Variant::of(Launch { tile, splits: tile.splits(self) });
            let deep = [16, 8].map(|depth| Variant { depth, ..variant });
            let fits = |variant: &&Variant| variant.launch().misfit(self.kind).is_none();
            deep.iter().find(fits).unwrap_or(&variant).push_to(&mut variants, self);
        }
        variants
    }
}

impl Variant {
    fn of(Launch { tile, splits }: Launch) -> Self {
        let Tile { rows, columns, depth, m, n, groups } = tile;
        Self { rows, columns, depth, m, n, groups, splits }
    }

    fn launch(&self) -> Launch {
        let Self { rows, columns, depth, m, n, groups, splits } = *self;
        Launch { tile: Tile { rows, columns, depth, m, n, groups }, splits }
    }

    /// Units of a workgroup.
    pub fn units(&self) -> usize {
        self.launch().tile.units()
    }

    /// Workgroups of a request.
    pub fn workgroups(&self, request: &Request) -> usize {
        self.launch().tile.workgroups(request) * self.splits
    }

    /// Variants near this one: with fewer and more steps in shared memory, with one set of units and with as many as
    /// fit, with half, twice and four times the parts of the sum.
    pub fn around(&self, request: &Request) -> Vec<Self> {
        let mut variants = Vec::new();
        for depth in [8, 16, 32, 64].into_iter().filter(|depth| *depth < 2 * request.shape[2]) {
            Self { depth, ..*self }.push_to(&mut variants, request);
        }
        let group = self.units() / self.groups;
        for groups in [1, 2, UNITS / group] {
            let depth = self.depth.next_multiple_of(groups.max(1));
            Self { groups, depth, ..*self }.push_to(&mut variants, request);
        }
        for splits in [self.splits / 2, self.splits * 2, self.splits * 4] {
            // A part has at least as many steps as are in shared memory at a time.
            if splits * self.depth <= request.shape[2] {
                Self { splits, ..*self }.push_to(&mut variants, request);
            }
        }
        variants.retain(|variant| variant != self);
        variants
    }

    /// Adds it if it fits and is not there yet.
    fn push_to(self, variants: &mut Vec<Self>, request: &Request) {
        if self.launch().misfit(request.kind).is_none() && !variants.contains(&self) {
            variants.push(self);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(kind: Kind, shape: [usize; 3]) -> Request {
        Request { kind, shape, layers: 1, steps: 64 }
    }

    #[test]
    fn there_are_several_variants_for_every_shape() {
        for kind in [Kind::Whole, Kind::Phases, Kind::Parts] {
            for shape in
                [[128, 1000, 784], [25_088, 32, 9], [6272, 4, 64], [64, 9, 1568], [3, 3, 3]]
            {
                let request = request(kind, shape);
                let coarse = request.variants();
                assert!(coarse.len() >= 3, "{kind:?} {shape:?}: {coarse:?}");
                let fine = coarse[0].around(&request);
                assert!(!fine.is_empty() && !fine.contains(&coarse[0]), "{kind:?} {shape:?}");
                for variant in coarse.iter().chain(&fine) {
                    assert_eq!(variant.launch().misfit(kind), None, "{variant:?}");
                    assert!(variant.workgroups(&request) >= variant.splits);
                }
            }
        }
    }

    #[test]
    fn a_variant_replaces_the_chosen_launch_during_a_measurement() {
        let request = request(Kind::Whole, [128, 1000, 784]);
        let [own, other] = [request.launch(), request.variants()[3].launch()];
        assert_ne!(own, other);
        let variant = Variant::of(other);
        assert_eq!(with_variant(variant, || request.launch()), Ok(other));
        assert_eq!(request.launch(), own);
        let (_, seen) = choices(|| request.launch());
        assert_eq!(seen, [Choice { request, variant: Variant::of(own) }]);
    }

    #[test]
    fn a_variant_that_does_not_fit_or_is_unused_is_an_error() {
        let whole = request(Kind::Whole, [128, 1000, 784]);
        let variant = whole.variants()[0];
        let reason = |variant, kind| {
            let request = Request { kind, ..whole };
            with_variant(variant, || request.launch()).expect_err("a misfit").to_string()
        };
        let units = Variant { m: 1, n: 1, ..variant };
        assert_eq!(reason(units, Kind::Whole), "units: expected at most 256, got 4096");
        let split = Variant { splits: 2, ..variant };
        let expected = "splits: expected 1 where phases are computed, got 2";
        assert_eq!(reason(split, Kind::Phases), expected);
        let unused = with_variant(variant, || ()).expect_err("no contraction");
        assert!(unused.to_string().contains("needs a contraction"), "{unused}");
    }
}
