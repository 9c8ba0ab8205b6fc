//! How good an imputation is on cells that were held back, beside simpler methods.

use serde::{Deserialize, Serialize};

use super::donors::Donors;
use super::{Cells, Errors, Mechanism, Settings, knn, mean, ridge};
use crate::Result;

/// The level of the intervals whose coverage is counted.
pub const LEVEL: f64 = 0.9;

/// The most rows on which methods are compared, evenly spaced.
const MOST_ROWS: usize = 5000;

/// How good an imputation is on cells that were held back.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// The number of cells on which the methods are compared.
    pub cells: usize,
    /// The errors of this imputation, then those of mean and mode, nearest neighbours, and chained ridge
    /// regressions, all on the same cells.
    pub methods: Vec<Errors>,
    /// The share of held back numbers that are in their 90 % intervals, each from the errors of the others,
    /// if there are enough for intervals.
    pub coverage: Option<f64>,
}

/// The cells that no model is fitted to. A column keeps at least one known cell if it has one.
pub(super) fn held_back(cells: &Cells, settings: &Settings) -> Result<Vec<bool>> {
    let mut hidden = Mechanism::Mcar.choose(cells, settings.check, settings.seed)?;
    let width = cells.width();
    for (column, missing) in cells.hidden(&hidden).missing_by_column().into_iter().enumerate() {
        if missing == cells.len() {
            let first = (0..cells.len()).find(|row| hidden[row * width + column]);
            first.into_iter().for_each(|row| hidden[row * width + column] = false);
        }
    }
    Ok(hidden)
}

impl Check {
    /// Of cells, the same without those held back, and these filled in.
    pub(super) fn of(
        cells: &Cells,
        visible: &Cells,
        held_back: &[bool],
        ours: &Cells,
        donors: &[Donors],
    ) -> Self {
        let step = cells.len().div_ceil(MOST_ROWS).max(1);
        let rows: Vec<usize> = (0..cells.len()).step_by(step).collect();
        let width = cells.width();
        let hidden: Vec<bool> =
            rows.iter().flat_map(|row| &held_back[row * width..][..width]).copied().collect();
        let [truth, partial, ours] = [cells, visible, ours].map(|cells| cells.subset(&rows));
        let methods = compare(visible, &partial, &ours, &truth, &hidden);
        let (covered, all) = donors.iter().fold((0.0, 0.0), |sum, donors| {
            let (covered, all) = donors.covered(LEVEL);
            (sum.0 + covered, sum.1 + all)
        });
        let coverage = (all > 0.0).then(|| covered / all);
        Self { cells: hidden.iter().filter(|is_hidden| **is_hidden).count(), methods, coverage }
    }

    /// The errors of this imputation.
    pub fn ours(&self) -> Option<&Errors> {
        self.methods.first()
    }
}

/// The errors of an imputation and of its rivals, which learn from `known` and fill `partial`.
pub(super) fn compare(
    known: &Cells,
    partial: &Cells,
    ours: &Cells,
    truth: &Cells,
    hidden: &[bool],
) -> Vec<Errors> {
    let mut methods = vec![Errors::of("autoencoder", truth, ours, hidden)];
    for (name, filled) in [
        ("mean/mode", mean::impute(known, partial)),
        ("kNN", knn::impute(known, partial)),
        ("chained ridge", ridge::impute(known, partial)),
    ] {
        methods.push(Errors::of(name, truth, &filled, hidden));
    }
    methods
}
