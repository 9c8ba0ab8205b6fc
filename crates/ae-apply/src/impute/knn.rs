//! Imputation by nearest neighbours (Troyanskaya et al. 2001, doi 10.1093/bioinformatics/17.6.520).

use ae_data::Source;
use rayon::prelude::*;

use super::features::{Layout, Rows};
use super::{Cells, mean};

/// The neighbours whose cells are averaged.
const NEIGHBOURS: usize = 5;

/// The rows of `known` whose distances are computed together, so that their features stay in the cache.
const BLOCK: usize = 1024;

/// Fills every missing number with the mean over the five nearest rows of `known` that have the cell, and
/// every missing category with the most frequent one among them. The distance is Euclidean over the
/// features that both rows know, times all features over those (scikit-learn's `nan_euclidean`). Where no
/// row qualifies, mean and mode. All rows of `known` are compared with every row that misses a cell.
pub(crate) fn impute(known: &Cells, cells: &Cells) -> Cells {
    let layout = Layout::of(known);
    let donors = Donors::of(&layout.encode(known), layout.width());
    let mine = layout.encode(cells);
    let fallback: Vec<f64> = (0..cells.width()).map(|at| mean::center(known, at)).collect();
    let rows: Vec<usize> =
        (0..cells.len()).filter(|row| cells.row(*row).iter().any(|it| it.is_nan())).collect();
    let found: Vec<Vec<(usize, f64)>> = rows
        .par_iter()
        .map(|row| {
            let distances = donors.distances(mine.row(*row));
            let missing = (0..cells.width()).filter(|at| cells.at(*row, *at).is_nan());
            let value = |at: usize| {
                let nearest = donors.nearest(&distances, layout.features[at].start);
                let nearest: Vec<f64> = nearest.iter().map(|row| known.at(*row, at)).collect();
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

/// The features of the rows that neighbours are taken from, feature after feature.
struct Donors {
    len: usize,
    values: Vec<f32>,
    /// 1 where a feature is known.
    marks: Vec<f32>,
}

impl Donors {
    fn of(rows: &Rows, d: usize) -> Self {
        let len = rows.len();
        let (mut values, mut marks) = (vec![0.0; d * len], vec![0.0; d * len]);
        for row in 0..len {
            let (own, known) = rows.row(row).split_at(d);
            for at in 0..d {
                values[at * len + row] = own[at];
                marks[at * len + row] = known[at];
            }
        }
        Self { len, values, marks }
    }

    /// The squared distances of a row from all, over the features that both know, scaled to all; infinite if
    /// there are none.
    fn distances(&self, row: &[f32]) -> Vec<f32> {
        let d = row.len() / 2;
        let (own, known) = row.split_at(d);
        let (mut sums, mut counts) = (vec![0.0f32; self.len], vec![0.0f32; self.len]);
        let blocks = sums.chunks_mut(BLOCK).zip(counts.chunks_mut(BLOCK)).enumerate();
        for (block, (sums, counts)) in blocks {
            for at in (0..d).filter(|at| known[*at] > 0.0) {
                let start = at * self.len + block * BLOCK;
                let theirs = &self.values[start..][..sums.len()];
                let marks = &self.marks[start..][..sums.len()];
                let rows = sums.iter_mut().zip(counts.iter_mut()).zip(theirs.iter().zip(marks));
                for ((sum, count), (theirs, mark)) in rows {
                    let difference = own[at] - theirs;
                    *sum += mark * difference * difference;
                    *count += mark;
                }
            }
        }
        let scaled = |(sum, count): (&f32, &f32)| match *count == 0.0 {
            true => f32::INFINITY,
            false => sum * d as f32 / count,
        };
        sums.iter().zip(&counts).map(scaled).collect()
    }

    /// The rows of least distance that know a feature, the nearest first, and the first of those as near.
    fn nearest(&self, distances: &[f32], feature: usize) -> Vec<usize> {
        let marks = &self.marks[feature * self.len..][..self.len];
        let mut nearest: Vec<(f32, usize)> = Vec::with_capacity(NEIGHBOURS + 1);
        for (row, (distance, mark)) in distances.iter().zip(marks).enumerate() {
            let is_near = nearest.len() < NEIGHBOURS
                || nearest.last().is_some_and(|(farthest, _)| distance < farthest);
            if *mark > 0.0 && distance.is_finite() && is_near {
                let place = nearest.partition_point(|(other, _)| other <= distance);
                nearest.insert(place, (*distance, row));
                nearest.truncate(NEIGHBOURS);
            }
        }
        nearest.into_iter().map(|(_, row)| row).collect()
    }
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

    /// Of 12,000 rows the five nearest are the last before that one: all rows are searched. The distance of
    /// x = 0 .. 11,999 from the row with x = 20,000 is least for 11,995 .. 11,999, whose mean is 11,997.
    #[test]
    fn no_row_of_a_large_table_is_left_out() {
        let mut values: Vec<f64> = (0..12_000).flat_map(|x| [f64::from(x); 2]).collect();
        values.extend([20_000.0, f64::NAN]);
        let cells = numbers(2, &values);
        assert_eq!(impute(&cells, &cells).at(12_000, 1), 11_997.0);
    }

    /// The same neighbours as those of all distances in order, computed pair by pair.
    #[test]
    fn blocks_find_the_neighbours_that_pairs_have() {
        let hole = |i: u32, x: f64| if i.is_multiple_of(4) { f64::NAN } else { x };
        let values = (0..3000u32).flat_map(|i| {
            let x = f64::from(i * 7919 % 1009);
            [hole(i, x), hole(i + 1, -2.0 * x), hole(i / 3, f64::from(i * 31 % 17))]
        });
        let cells = numbers(3, &values.collect::<Vec<f64>>());
        let rows = Layout::of(&cells).encode(&cells);
        let donors = Donors::of(&rows, 3);
        let distance = |a: &[f32], b: &[f32]| {
            let both = (0..3).filter(|at| a[at + 3] * b[at + 3] == 1.0);
            let squares: Vec<f32> = both.map(|at| (a[at] - b[at]).powi(2)).collect();
            match squares.len() {
                0 => f32::INFINITY,
                count => squares.iter().sum::<f32>() * 3.0 / count as f32,
            }
        };
        for row in (0..3000).step_by(97) {
            let own = rows.row(row);
            let found = donors.distances(own);
            let pairs: Vec<f32> = (0..3000).map(|other| distance(own, rows.row(other))).collect();
            assert_eq!(found, pairs);
            for column in 0..3 {
                let mut order: Vec<usize> = (0..3000)
                    .filter(|at| pairs[*at].is_finite() && !cells.at(*at, column).is_nan())
                    .collect();
                order.sort_by(|a, b| pairs[*a].total_cmp(&pairs[*b]));
                assert_eq!(donors.nearest(&found, column), order[..NEIGHBOURS.min(order.len())]);
            }
        }
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
