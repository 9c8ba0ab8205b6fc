//! Chained ridge regressions: each column from all others, again and again (van Buuren &
//! Groothuis-Oudshoorn 2011, doi 10.18637/jss.v045.i03; scikit-learn's `IterativeImputer`).

use nalgebra::{DMatrix, DVector};
use rayon::prelude::*;

use super::Cells;
use super::features::Layout;

/// Passes over the columns.
const ROUNDS: usize = 10;

/// The weight of the squared coefficients beside the sum of squared errors of standardised columns.
const PENALTY: f64 = 1.0;

/// Fills missing cells by ten rounds of ridge regressions, which are fitted to `known`. A category is the
/// one with the largest of the regressions to its one-hot features.
pub(crate) fn impute(known: &Cells, cells: &Cells) -> Cells {
    let layout = Layout::of(known);
    // Both tables go through the same regressions; only rows of `known` are fitted to, all of them.
    let mut fitted = Filled::of(&layout, known);
    let mut filled = Filled::of(&layout, cells);
    for _ in 0..ROUNDS {
        for column in 0..cells.width() {
            if !fitted.misses(column) && !filled.misses(column) {
                continue;
            }
            let Some(coefficients) = fitted.regression(&layout, column) else { continue };
            fitted.predict(&layout, column, &coefficients);
            filled.predict(&layout, column, &coefficients);
        }
    }
    filled.decode(&layout, cells)
}

/// Features of rows of which some are filled in, and a mark for each missing cell.
struct Filled {
    /// `[d, rows]`
    values: DMatrix<f64>,
    missing: Vec<Vec<usize>>,
}

impl Filled {
    /// Missing features begin at the mean: 0 of numbers, the share of each category.
    fn of(layout: &Layout, cells: &Cells) -> Self {
        let (rows, d) = (layout.encode(cells), layout.width());
        let mut values = DMatrix::from_fn(d, cells.len(), |at, row| f64::from(rows.row(row)[at]));
        let mut missing = vec![vec![]; cells.width()];
        for (column, missing) in missing.iter_mut().enumerate() {
            missing.extend((0..cells.len()).filter(|row| cells.at(*row, column).is_nan()));
            let known = (cells.len() - missing.len()).max(1) as f64;
            for at in layout.features[column].clone() {
                let mean = values.row(at).sum() / known;
                missing.iter().for_each(|row| values[(at, *row)] = mean);
            }
        }
        Self { values, missing }
    }

    fn misses(&self, column: usize) -> bool {
        !self.missing[column].is_empty()
    }

    /// Coefficients and intercept of a column's features on all others, fitted where the column is known:
    /// `(X^T X + penalty) B = X^T Y` about the means.
    fn regression(&self, layout: &Layout, column: usize) -> Option<DMatrix<f64>> {
        let own = layout.features[column].clone();
        let mut is_missing = vec![false; self.values.ncols()];
        self.missing[column].iter().for_each(|row| is_missing[*row] = true);
        let rows: Vec<usize> = (0..is_missing.len()).filter(|row| !is_missing[*row]).collect();
        if rows.is_empty() {
            return None;
        }
        let d = layout.width();
        let means = DVector::from_fn(d, |at, _| {
            rows.iter().map(|row| self.values[(at, *row)]).sum::<f64>() / rows.len() as f64
        });
        // A fixed number of parts, so that sums have the same order whatever the number of threads.
        let parts: Vec<DMatrix<f64>> = rows
            .par_chunks(rows.len().div_ceil(16).max(1))
            .map(|part| {
                part.chunks(256).fold(DMatrix::zeros(d, d), |sum, block| {
                    let centered = DMatrix::from_fn(d, block.len(), |at, row| {
                        self.values[(at, block[row])] - means[at]
                    });
                    sum + &centered * centered.transpose()
                })
            })
            .collect();
        let products = parts.into_iter().fold(DMatrix::zeros(d, d), |sum, part| sum + part);
        let others: Vec<usize> = (0..d).filter(|at| !own.contains(at)).collect();
        let mut left =
            DMatrix::from_fn(others.len(), others.len(), |i, j| products[(others[i], others[j])]);
        (0..others.len()).for_each(|at| left[(at, at)] += PENALTY);
        let right =
            DMatrix::from_fn(others.len(), own.len(), |i, j| products[(others[i], own.start + j)]);
        let solved = left.cholesky()?.solve(&right);
        // [d + 1, own], with 0 for the column's own features and the intercept in the last row.
        let mut coefficients = DMatrix::zeros(d + 1, own.len());
        for j in 0..own.len() {
            let mut intercept = means[own.start + j];
            for (i, other) in others.iter().enumerate() {
                coefficients[(*other, j)] = solved[(i, j)];
                intercept -= solved[(i, j)] * means[*other];
            }
            coefficients[(d, j)] = intercept;
        }
        Some(coefficients)
    }

    fn predict(&mut self, layout: &Layout, column: usize, coefficients: &DMatrix<f64>) {
        let (own, d) = (layout.features[column].clone(), layout.width());
        let values = &self.values;
        let predicted: Vec<Vec<f64>> = self.missing[column]
            .par_iter()
            .map(|row| {
                (0..own.len())
                    .map(|j| {
                        let products = (0..d).map(|at| values[(at, *row)] * coefficients[(at, j)]);
                        products.sum::<f64>() + coefficients[(d, j)]
                    })
                    .collect()
            })
            .collect();
        for (row, predicted) in self.missing[column].iter().zip(predicted) {
            for (j, value) in predicted.into_iter().enumerate() {
                self.values[(own.start + j, *row)] = value;
            }
        }
    }

    fn decode(&self, layout: &Layout, cells: &Cells) -> Cells {
        let mut filled = cells.clone();
        for (column, missing) in self.missing.iter().enumerate() {
            let own = layout.features[column].clone();
            for row in missing {
                let value = match cells.columns()[column].categories() {
                    None => layout.invert(column, self.values[(own.start, *row)]),
                    Some(_) => {
                        let of = |at: &usize| self.values[(own.start + at, *row)];
                        let largest = (0..own.len()).rev().max_by(|a, b| of(a).total_cmp(&of(b)));
                        largest.unwrap_or(0) as f64
                    }
                };
                filled.set(*row, column, value);
            }
        }
        filled
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::impute::{Column, Kind, cells::tests::numbers};

    /// b = 2 a + 1 for a = -3 .. 3, and b is missing at a = 3.
    #[test]
    fn one_regression_by_hand() {
        let a = [-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0];
        let mut values: Vec<f64> = a.iter().flat_map(|a| [*a, 2.0 * a + 1.0]).collect();
        values[13] = f64::NAN;
        let cells = numbers(2, &values);
        // a: mean 0, deviation 2. b known at -3 .. 2: mean 0, deviation 2 sqrt(35 / 12).
        // Sums about the means over the six: aa = 17.5 / 4, ab = 2 * 17.5 / (2 * 2 * sqrt(35 / 12)).
        let deviation = 2.0 * (35.0f64 / 12.0).sqrt();
        let slope = (35.0 / (2.0 * deviation)) / (17.5 / 4.0 + 1.0);
        let expected = slope * (3.0 + 0.5) / 2.0 * deviation;
        let filled = impute(&cells, &cells);
        assert!((filled.at(6, 1) - expected).abs() < 1e-6, "{} {expected}", filled.at(6, 1));
    }

    /// Two of three rows say that the second column is the first: a regression to every third row would have a
    /// slope of 0.
    #[test]
    fn all_rows_are_fitted_to() {
        let mut values: Vec<f64> = (0..24_000)
            .flat_map(|i| {
                let x = f64::from(i * 37 % 101);
                [x, if i % 3 == 0 { 50.0 } else { x }]
            })
            .collect();
        values.extend([100.0, f64::NAN]);
        let cells = numbers(2, &values);
        // The slope is 2/3: 50 + 2/3 (100 - 50).
        let found = impute(&cells, &cells).at(24_000, 1);
        assert!((found - 250.0 / 3.0).abs() < 0.1, "{found}");
    }

    #[test]
    fn a_category_follows_from_a_number() {
        let categories = ["low", "high"].map(String::from).into();
        let columns = vec![
            Column { name: "n".into(), kind: Kind::Number { integer: false } },
            Column { name: "c".into(), kind: Kind::Category { categories } },
        ];
        let mut values: Vec<f64> =
            (0..40).flat_map(|i| [f64::from(i), f64::from(i / 20)]).collect();
        for row in [3, 15, 25, 38] {
            values[row * 2 + 1] = f64::NAN;
        }
        let cells = Cells::new(columns, values).unwrap();
        let filled = impute(&cells, &cells);
        assert_eq!([3, 15, 25, 38].map(|row| filled.at(row, 1)), [0.0, 0.0, 1.0, 1.0]);
    }
}
