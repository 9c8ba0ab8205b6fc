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

    /// Hides a share of the known cells, fits an imputer to the rest, and compares. The hidden cells are
    /// seen by nothing that is fitted or chosen.
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
