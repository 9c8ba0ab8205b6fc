//! Imputation by nearest neighbours (Troyanskaya et al. 2001, doi 10.1093/bioinformatics/17.6.520).

use rayon::prelude::*;

use super::features::{Layout, Rows};
use super::{Cells, mean};

/// The neighbours whose cells are averaged.
const NEIGHBOURS: usize = 5;

/// The most rows that neighbours are taken from, evenly spaced; distances to all rows of a large table
/// would take minutes.
const MOST_ROWS: usize = 5000;

/// Fills every missing number with the mean over the five nearest rows of `known` that have the cell, and
/// every missing category with the most frequent one among them. The distance is Euclidean over the
/// features that both rows know, times all features over those (scikit-learn's `nan_euclidean`). Where no
/// row qualifies, mean and mode.
pub(crate) fn impute(known: &Cells, cells: &Cells) -> Cells {
    let layout = Layout::of(known);
    let step = known.len().div_ceil(MOST_ROWS).max(1);
    let places: Vec<usize> = (0..known.len()).step_by(step).collect();
    let donors = known.subset(&places);
    let (theirs, mine) = (layout.encode(&donors), layout.encode(cells));
    let fallback: Vec<f64> = (0..cells.width()).map(|at| mean::center(known, at)).collect();
    let rows: Vec<usize> =
        (0..cells.len()).filter(|row| cells.row(*row).iter().any(|it| it.is_nan())).collect();
    let found: Vec<Vec<(usize, f64)>> = rows
        .par_iter()
        .map(|row| {
            let mut near: Vec<(f32, usize)> = (0..donors.len())
                .map(|donor| (distance(&mine, *row, &theirs, donor), donor))
                .filter(|(distance, _)| distance.is_finite())
                .collect();
            near.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            let missing = (0..cells.width()).filter(|at| cells.at(*row, *at).is_nan());
            let value = |at: usize| {
                let nearest = near.iter().map(|(_, donor)| donors.at(*donor, at));
                let nearest: Vec<f64> =
                    nearest.filter(|it| !it.is_nan()).take(NEIGHBOURS).collect();
                (at, vote(&nearest, cells.columns()[at].categories()).unwrap_or(fallback[at]))
            };
            missing.map(value).collect()
        })
        .collect();
    let mut filled = cells.clone();
    for (row, found) in rows.into_iter().zip(found) {
        found.into_iter().for_each(|(column, value)| filled.set(row, column, value));
    }
    filled
}

/// The squared distance over the features that both rows know, scaled to all; infinite if there are none.
fn distance(mine: &Rows, row: usize, theirs: &Rows, donor: usize) -> f32 {
    let (mine, theirs) = (mine.row(row), theirs.row(donor));
    let d = mine.len() / 2;
    let ((mine, my_marks), (theirs, their_marks)) = (mine.split_at(d), theirs.split_at(d));
    let (mut sum, mut count) = (0.0, 0.0);
    for at in 0..d {
        let both = my_marks[at] * their_marks[at];
        let difference = mine[at] - theirs[at];
        sum += both * difference * difference;
        count += both;
    }
    if count == 0.0 { f32::INFINITY } else { sum * d as f32 / count }
}

/// The mean of numbers, the most frequent of categories (the first of those).
fn vote(nearest: &[f64], categories: Option<usize>) -> Option<f64> {
    if nearest.is_empty() {
        return None;
    }
    let Some(count) = categories else {
        return Some(nearest.iter().sum::<f64>() / nearest.len() as f64);
    };
    let mut counts = vec![0; count];
    nearest.iter().for_each(|category| counts[*category as usize] += 1);
    let most = counts.iter().max().copied().unwrap_or(0);
    counts.iter().position(|it| *it == most).map(|at| at as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::impute::cells::tests::numbers;

    /// The second column is the first doubled, the last row misses it at 0: the five nearest rows have
    /// 0.1 to 0.5 and, far away, 9; so 2 (0.1 + 0.2 + 0.3 + 0.4 + 0.5) / 5 = 0.6.
    #[test]
    fn neighbours_by_hand() {
        let mut values: Vec<f64> =
            [0.1, 0.2, 0.3, 0.4, 0.5, 9.0].iter().flat_map(|x| [*x, 2.0 * x]).collect();
        values.extend([0.0, f64::NAN]);
        let cells = numbers(2, &values);
        let filled = impute(&cells, &cells);
        assert!((filled.at(6, 1) - 0.6).abs() < 1e-9);
        assert_eq!(filled.values()[..13], values[..13]);
    }

    #[test]
    fn categories_are_voted_for_and_a_row_without_neighbours_gets_the_mean() {
        assert_eq!(vote(&[2.0, 1.0, 2.0], Some(3)), Some(2.0));
        assert_eq!(vote(&[], Some(3)), None);
        let nan = f64::NAN;
        let cells = numbers(2, &[1.0, nan, 3.0, nan, nan, 7.0]);
        assert_eq!(impute(&cells, &cells).values(), [1.0, 7.0, 3.0, 7.0, 2.0, 7.0]);
    }
}
