//! Mechanisms of missing cells, for studies: cells are hidden on purpose and compared with their imputation.

use ae_data::fnv1a;
use chacha20::ChaCha8Rng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use serde::{Deserialize, Serialize};

use super::Cells;
use crate::{Error, Result};

/// Which cells go missing, for columns `x` and a share `p` (as in Muzellec et al. 2020, arXiv 2002.03860):
///
/// | mechanism | probability that a cell is missing |
/// |---|---|
/// | `mcar` | `p`, completely at random |
/// | `mar` | three tenths of the columns stay; in the others `sigmoid(w x + c)` of the columns that stay |
/// | `mnar` | `sigmoid(a x_j + c)` of the cell itself, large values more often than small ones |
///
/// The weights `w` are random, scaled so that `w x` has variance 1, and `a` is 1; a category counts by its
/// place in the list. `c` is chosen so that the mean over rows is `p`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mechanism {
    /// Completely at random.
    #[default]
    Mcar,
    /// At random, given columns that stay.
    Mar,
    /// Not at random: the value itself decides.
    Mnar,
}

/// The share of columns that stay where cells go missing at random.
const STAY: f64 = 0.3;

impl Mechanism {
    /// Chooses cells to hide among those that are known: true for each cell that is to be hidden, row after
    /// row. A row keeps at least one known cell if it has one.
    ///
    /// # Errors
    /// If the share is not in (0, 1), or `mar` has fewer than two columns.
    pub fn choose(self, cells: &Cells, share: f64, seed: u64) -> Result<Vec<bool>> {
        if !(share > 0.0 && share < 1.0) {
            return Err(Error::setting("share of hidden cells", "a number in (0, 1)", share));
        }
        if self == Self::Mar && cells.width() < 2 {
            let expected = "at least 2, of which some stay";
            return Err(Error::setting("columns for mar", expected, cells.width()));
        }
        let name = format!("{self:?}");
        let mut generator = ChaCha8Rng::seed_from_u64(seed ^ fnv1a(name.bytes().map(u64::from)));
        let (rows, width) = (cells.len(), cells.width());
        let scores = self.scores(cells, &mut generator);
        let mut hidden = vec![false; rows * width];
        for (column, scores) in scores.into_iter().enumerate() {
            let Some(scores) = scores else { continue };
            let offset = offset(&scores, share);
            for (row, score) in scores.iter().enumerate() {
                let p = sigmoid(score + offset);
                hidden[row * width + column] =
                    generator.random::<f64>() < p && !cells.at(row, column).is_nan();
            }
        }
        for (row, hidden) in cells.rows().zip(hidden.chunks_exact_mut(width)) {
            let known: Vec<usize> = (0..width).filter(|at| !row[*at].is_nan()).collect();
            if !known.is_empty() && known.iter().all(|at| hidden[*at]) {
                hidden[known[generator.random_range(0..known.len())]] = false;
            }
        }
        Ok(hidden)
    }

    /// The scores of each row for each column that can go missing.
    fn scores(self, cells: &Cells, generator: &mut ChaCha8Rng) -> Vec<Option<Vec<f64>>> {
        let width = cells.width();
        if self == Self::Mcar {
            return vec![Some(vec![0.0; cells.len()]); width];
        }
        let standard: Vec<Vec<f64>> = (0..width).map(|at| standard(cells, at)).collect();
        if self == Self::Mnar {
            return standard.into_iter().map(Some).collect();
        }
        let mut order: Vec<usize> = (0..width).collect();
        order.shuffle(generator);
        let stay = ((STAY * width as f64).ceil() as usize).clamp(1, width - 1);
        let (stay, go) = order.split_at(stay);
        let mut scores = vec![None; width];
        for column in go {
            let mut sums = vec![0.0; cells.len()];
            for other in stay {
                let weight = generator.random_range(-1.0..1.0);
                for (sum, value) in sums.iter_mut().zip(&standard[*other]) {
                    *sum += weight * value;
                }
            }
            scores[*column] = Some(standardized(sums));
        }
        scores
    }
}

/// A column with mean 0 and variance 1; 0 where a cell is missing.
fn standard(cells: &Cells, column: usize) -> Vec<f64> {
    let known: Vec<f64> = cells.column(column).filter(|value| !value.is_nan()).collect();
    let n = known.len().max(1) as f64;
    let mean = known.iter().sum::<f64>() / n;
    let values = cells.column(column).map(|it| if it.is_nan() { 0.0 } else { it - mean });
    standardized(values.collect())
}

fn standardized(mut values: Vec<f64>) -> Vec<f64> {
    let n = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / n;
    let deviation = (values.iter().map(|it| (it - mean).powi(2)).sum::<f64>() / n).sqrt();
    let scale = if deviation > 0.0 { deviation } else { 1.0 };
    values.iter_mut().for_each(|it| *it = (*it - mean) / scale);
    values
}

/// The offset with which the sigmoids have the mean `share`, by bisection.
fn offset(scores: &[f64], share: f64) -> f64 {
    let mean = |offset: f64| {
        scores.iter().map(|score| sigmoid(score + offset)).sum::<f64>() / scores.len().max(1) as f64
    };
    let (mut low, mut high) = (-100.0, 100.0);
    for _ in 0..80 {
        let middle = 0.5 * (low + high);
        if mean(middle) < share { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::impute::cells::tests::numbers;

    const COLUMNS: usize = 8;

    /// The first column counts up, the others repeat 0 to 9.
    fn cells() -> Cells {
        let row = |i: i32| {
            let others = (1..COLUMNS as i32).map(move |at| f64::from((i + at) % 10));
            std::iter::once(f64::from(i)).chain(others)
        };
        numbers(COLUMNS, &(0..4000).flat_map(row).collect::<Vec<f64>>())
    }

    /// sigmoid(c) = 0.2 at c = -log 4. Scores 0 and log 4: 1 / (1 + e^-c) + 1 / (1 + e^-c / 4) has the mean
    /// 1/2 at c = -log 2: 1/3 + 2/3.
    #[test]
    fn offsets_by_hand() {
        assert!((offset(&[0.0, 0.0], 0.2) + 4f64.ln()).abs() < 1e-9);
        assert!((offset(&[0.0, 4f64.ln()], 0.5) + 2f64.ln()).abs() < 1e-9);
    }

    /// 0.3 of 4,000 cells in each column that goes: 1,200, with a deviation of at most 29.
    #[test]
    fn every_mechanism_hides_its_share() {
        let cells = cells();
        for mechanism in [Mechanism::Mcar, Mechanism::Mar, Mechanism::Mnar] {
            let hidden = mechanism.choose(&cells, 0.3, 1).unwrap();
            assert_eq!(hidden, mechanism.choose(&cells, 0.3, 1).unwrap());
            assert_ne!(hidden, mechanism.choose(&cells, 0.3, 2).unwrap());
            let counts: Vec<usize> = (0..COLUMNS)
                .map(|at| hidden.iter().skip(at).step_by(COLUMNS).filter(|it| **it).count())
                .filter(|count| *count > 0)
                .collect();
            // Under `mar` 3 of 8 stay.
            let gone = if mechanism == Mechanism::Mar { 5 } else { 8 };
            assert_eq!(counts.len(), gone, "{mechanism:?}");
            for count in counts {
                assert!((count as f64 - 1200.0).abs() < 4.5 * 29.0, "{mechanism:?}: {count}");
            }
            assert!(hidden.chunks_exact(COLUMNS).all(|row| row.contains(&false)), "one stays");
        }
    }

    /// Under `mnar` large values are missing more often, under `mcar` as often.
    #[test]
    fn the_value_decides_only_under_mnar() {
        let cells = cells();
        let upper = |mechanism: Mechanism| {
            let hidden = mechanism.choose(&cells, 0.3, 1).unwrap();
            let count = |rows: std::ops::Range<usize>| {
                rows.filter(|row| hidden[row * COLUMNS]).count() as f64
            };
            count(2000..4000) / count(0..2000)
        };
        assert!(upper(Mechanism::Mnar) > 1.5);
        assert!((0.8..1.25).contains(&upper(Mechanism::Mcar)));
    }

    #[test]
    fn shares_out_of_range_are_refused() {
        let message = |mechanism: Mechanism, cells: &Cells, share| {
            mechanism.choose(cells, share, 0).unwrap_err().to_string()
        };
        assert_eq!(
            message(Mechanism::Mcar, &cells(), 1.0),
            "share of hidden cells: expected a number in (0, 1), got 1"
        );
        assert_eq!(
            message(Mechanism::Mar, &numbers(1, &[1.0, 2.0]), 0.5),
            "columns for mar: expected at least 2, of which some stay, got 1"
        );
    }
}
