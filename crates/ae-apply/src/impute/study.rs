//! Studies: cells are hidden by a mechanism, and what is imputed is compared with the truth.

use ae_train::Observer;
use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use super::check::{LEVEL, compare};
use super::donors::central;
use super::{Cells, Errors, Imputer, Mechanism, Settings};
use crate::Result;

/// The most rows whose hidden cells are drawn to see whether they are covered, evenly spaced.
const MOST_DRAWN: usize = 2000;

/// The imputations whose spread is an interval.
const DRAWS: usize = 100;

/// The results of a study.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Study {
    /// How cells were hidden.
    pub mechanism: Mechanism,
    /// The share of cells of a column that goes missing.
    pub share: f64,
    /// The number of hidden cells.
    pub cells: usize,
    /// The errors of this imputation, then those of mean and mode, nearest neighbours, and chained ridge
    /// regressions.
    pub methods: Vec<Errors>,
    /// The share of hidden numbers that are in their 90 % intervals.
    pub coverage: Option<f64>,
    /// The share of hidden numbers between the 5 % and the 95 % quantile of 100 draws, those of the ranks 5.05
    /// and 95.95, between which another draw has a probability of 90 %.
    pub draws_coverage: Option<f64>,
}

impl Study {
    /// The cells that a study of this seed hides: others than those that its imputer holds back.
    ///
    /// # Errors
    /// As [`Mechanism::choose`].
    pub fn hidden(truth: &Cells, mechanism: Mechanism, share: f64, seed: u64) -> Result<Vec<bool>> {
        mechanism.choose(truth, share, seed ^ 0x5eed)
    }

    /// Hides a share of the known cells, fits an imputer to the rest, and compares. No training sees a hidden
    /// cell, and none chooses an epoch.
    ///
    /// # Errors
    /// As [`Mechanism::choose`] and [`Imputer::fit`].
    pub fn of(
        settings: &Settings,
        truth: &Cells,
        mechanism: Mechanism,
        share: f64,
        device: &Device,
        observer: &mut dyn Observer,
    ) -> Result<Self> {
        let hidden = Self::hidden(truth, mechanism, share, settings.seed)?;
        let partial = truth.hidden(&hidden);
        let imputer = Imputer::fit_observed(settings, &partial, device, observer)?;
        let ours = imputer.impute(&partial)?;
        let width = truth.width();
        let is_hidden = |row: usize, column: usize| hidden[row * width + column];
        let mut intervals = imputer.intervals(&partial, LEVEL)?;
        intervals.retain(|(row, column, _)| is_hidden(*row, *column));
        let within = |(row, column, [low, high]): &(usize, usize, [f64; 2])| {
            (*low..=*high).contains(&truth.at(*row, *column))
        };
        let methods = compare(&partial, &partial, &ours, truth, &hidden);
        let share_of = |hits: usize, all: usize| (all > 0).then(|| hits as f64 / all as f64);
        let coverage = share_of(intervals.iter().filter(|it| within(it)).count(), intervals.len());
        Ok(Self {
            mechanism,
            share,
            cells: hidden.iter().filter(|is_hidden| **is_hidden).count(),
            methods,
            coverage,
            draws_coverage: draws_coverage(&imputer, truth, &partial, &hidden)?,
        })
    }
}

fn draws_coverage(
    imputer: &Imputer,
    truth: &Cells,
    partial: &Cells,
    hidden: &[bool],
) -> Result<Option<f64>> {
    let width = truth.width();
    let rows: Vec<usize> =
        (0..truth.len()).step_by(truth.len().div_ceil(MOST_DRAWN).max(1)).collect();
    let draws = imputer.draws(&partial.subset(&rows), DRAWS, imputer.settings().seed)?;
    let (mut inside, mut all) = (0usize, 0usize);
    for (at, row) in rows.iter().enumerate() {
        for column in 0..width {
            if !hidden[row * width + column] || truth.columns()[column].categories().is_some() {
                continue;
            }
            let mut values: Vec<f64> = draws.iter().map(|draw| draw.at(at, column)).collect();
            values.sort_by(f64::total_cmp);
            if let Some([low, high]) = central(&values, LEVEL) {
                inside += usize::from((low..=high).contains(&truth.at(*row, column)));
                all += 1;
            }
        }
    }
    Ok((all > 0).then(|| inside as f64 / all as f64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::impute::cells::tests::numbers;
    use crate::impute::imputer::tests::quick;

    /// The second column is twice the first but for noise of a hundredth of it, the third has nothing to do
    /// with either.
    fn truth() -> Cells {
        let row = |i: u32| {
            let x = f64::from(i * 37 % 101);
            [x, 2.0 * x + f64::from(i * 13 % 7) / 3.0, f64::from(i * i % 89)]
        };
        numbers(3, &(0..600).flat_map(row).collect::<Vec<f64>>())
    }

    /// With a fifth hidden and three columns, errors are near 0 where the other of the pair is known, and near 1
    /// where it is not and in the third column.
    #[test]
    fn what_was_hidden_is_compared() {
        let (truth, settings) = (truth(), Settings { epochs: Some(0), ..quick() });
        let hidden = Study::hidden(&truth, Mechanism::Mcar, 0.2, 0).unwrap();
        let study =
            Study::of(&settings, &truth, Mechanism::Mcar, 0.2, &Device::flex(), &mut ()).unwrap();
        assert_eq!(study.cells, hidden.iter().filter(|it| **it).count());
        assert!((250..470).contains(&study.cells), "{}", study.cells);
        let [ours, mean, knn, ridge] = [0, 1, 2, 3].map(|at| &study.methods[at].columns);
        for column in 0..2 {
            let of = |columns: &[Option<f64>]| columns[column].unwrap();
            assert!((0.85..1.15).contains(&of(mean)), "{mean:?}");
            // A fifth of the cells miss the other one as well: about sqrt(0.2) = 0.45.
            for columns in [ours, knn, ridge] {
                assert!((0.2..0.7).contains(&of(columns)), "{columns:?}");
            }
        }
        for columns in [ours, mean, knn, ridge] {
            assert!((0.85..1.35).contains(&columns[2].unwrap()), "{columns:?}");
        }
        for coverage in [study.coverage, study.draws_coverage] {
            assert!((0.8..0.99).contains(&coverage.unwrap()), "{coverage:?}");
        }
        let again =
            Study::of(&settings, &truth, Mechanism::Mcar, 0.2, &Device::flex(), &mut ()).unwrap();
        assert_eq!(study, again);
    }

    /// The hidden cells are others than those that the imputer holds back of the rest.
    #[test]
    fn two_seeds_hide_other_cells() {
        let (truth, settings) = (truth(), quick());
        let hidden = Study::hidden(&truth, Mechanism::Mcar, 0.1, settings.seed).unwrap();
        let held = crate::impute::check::held_back(&truth, &settings).unwrap();
        let both = hidden.iter().zip(&held).filter(|(a, b)| **a && **b).count();
        // Independent: a hundredth of 1,800 cells.
        assert!((2..45).contains(&both), "{both}");
    }
}
