//! Covariances that can be inverted, and distances by them.

use nalgebra::{DMatrix, DVector, SymmetricEigen};

/// The mean of rows, and a square root of the inverse of their covariance: rows mapped by it have a
/// covariance near the identity, so that their squared length is the Mahalanobis distance.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Whitening {
    pub(crate) mean: DVector<f64>,
    /// Symmetric.
    pub(crate) root: DMatrix<f64>,
}

impl Whitening {
    /// By the mean of rows and their [shrunk covariance](ledoit_wolf). `None` if no two rows differ.
    pub(crate) fn of_rows(rows: &[f32], width: usize) -> Option<Self> {
        let (mean, centred) = centred(rows, width);
        Self::new(mean, &ledoit_wolf(&centred))
    }

    /// About 0, by the mean of products of residuals plus `ridge` times the mean of its diagonal. `None` if
    /// all residuals are 0.
    pub(crate) fn of_residuals(rows: &[f32], width: usize, ridge: f64) -> Option<Self> {
        let residuals =
            DMatrix::from_iterator(width, rows.len() / width, rows.iter().map(|x| f64::from(*x)));
        let mut products = &residuals * residuals.transpose() / residuals.ncols().max(1) as f64;
        let level = ridge * products.trace() / width as f64;
        (0..width).for_each(|at| products[(at, at)] += level);
        Self::new(DVector::zeros(width), &products)
    }

    fn new(mean: DVector<f64>, covariance: &DMatrix<f64>) -> Option<Self> {
        let eigen = SymmetricEigen::new(covariance.clone());
        let largest = eigen.eigenvalues.max();
        if largest.is_nan() || largest <= 0.0 {
            return None;
        }
        // What does not vary has no distance in units of its variation.
        let scale = |value: f64| if value > 1e-10 * largest { value.sqrt().recip() } else { 0.0 };
        let scales = DMatrix::from_diagonal(&eigen.eigenvalues.map(scale));
        let root = &eigen.eigenvectors * scales * eigen.eigenvectors.transpose();
        Some(Self { mean, root })
    }

    /// Rows less the mean, times the root.
    pub(crate) fn apply(&self, rows: &[f32]) -> Vec<f32> {
        let width = self.mean.len();
        let mut centred =
            DMatrix::from_iterator(width, rows.len() / width, rows.iter().map(|x| f64::from(*x)));
        centred.column_iter_mut().for_each(|mut row| row -= &self.mean);
        (&self.root * centred).iter().map(|value| *value as f32).collect()
    }
}

/// The squared lengths of rows.
pub(crate) fn squared_lengths(rows: &[f32], width: usize) -> Vec<f64> {
    let squares = |row: &[f32]| row.iter().map(|x| f64::from(*x).powi(2)).sum();
    rows.chunks_exact(width).map(squares).collect()
}

/// The mean, and rows less it as columns.
fn centred(rows: &[f32], width: usize) -> (DVector<f64>, DMatrix<f64>) {
    let mut columns =
        DMatrix::from_iterator(width, rows.len() / width, rows.iter().map(|x| f64::from(*x)));
    let mean = columns.column_mean();
    columns.column_iter_mut().for_each(|mut column| column -= &mean);
    (mean, columns)
}

/// The covariance shrunk towards a multiple of the identity, `(1 - g) S + g m I`, for centred rows as
/// columns, `S = sum_i x_i x_i^T / n` and `m = tr S / d`. With `d2 = |S - m I|^2 / d` and
/// `b2 = min(d2, sum_i |x_i x_i^T - S|^2 / (n^2 d))`, the share is `g = b2 / d2`, which is the best one for
/// many rows (Ledoit & Wolf 2004, doi 10.1016/S0047-259X(03)00096-4).
pub(crate) fn ledoit_wolf(columns: &DMatrix<f64>) -> DMatrix<f64> {
    let (d, n) = (columns.nrows(), columns.ncols().max(1) as f64);
    let covariance = columns * columns.transpose() / n;
    let level = covariance.trace() / d as f64;
    let identity = DMatrix::identity(d, d) * level;
    let distance = (&covariance - &identity).norm_squared() / d as f64;
    if distance <= f64::MIN_POSITIVE {
        return covariance;
    }
    // sum_i |x_i x_i^T - S|^2 = sum_i |x_i|^4 - n |S|^2, since the products sum to n S.
    let fourth: f64 = columns.column_iter().map(|x| x.norm_squared().powi(2)).sum();
    let noise = (fourth / n - covariance.norm_squared()).max(0.0) / (n * d as f64);
    let share = noise.min(distance) / distance;
    covariance * (1.0 - share) + identity * share
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows (2, 0), (-2, 0), (0, 1), (0, -1): S = diag(2, 1/2), m = 5/4, S - m I = diag(3/4, -3/4),
    /// d2 = (9/16 + 9/16) / 2 = 9/16. |x|^4 sums to 16 + 16 + 1 + 1 = 34; 34/4 - (4 + 1/4) = 17/4, so
    /// b2 = 17/4 / (4 * 2) = 17/32 and g = 17/18: diag(2 + 17 * 5/4, 1/2 + 17 * 5/4) / 18.
    #[test]
    fn ledoit_wolf_by_hand() {
        let columns = DMatrix::from_column_slice(2, 4, &[2.0, 0.0, -2.0, 0.0, 0.0, 1.0, 0.0, -1.0]);
        let shrunk = ledoit_wolf(&columns);
        let expected = [(2.0 + 17.0 * 1.25) / 18.0, (0.5 + 17.0 * 1.25) / 18.0];
        assert!((shrunk[(0, 0)] - expected[0]).abs() < 1e-12, "{shrunk}");
        assert!((shrunk[(1, 1)] - expected[1]).abs() < 1e-12, "{shrunk}");
        assert!(shrunk[(0, 1)].abs() < 1e-12);
    }

    /// About (1, 1): the same covariance as above, so (3, 1) is at 2^2 / c with the shrunk variance c.
    #[test]
    fn mahalanobis_by_hand() {
        let rows = [3.0, 1.0, -1.0, 1.0, 1.0, 2.0, 1.0, 0.0];
        let whitening = Whitening::of_rows(&rows, 2).unwrap();
        let got = squared_lengths(&whitening.apply(&[3.0, 1.0]), 2)[0];
        let expected = 4.0 * 18.0 / (2.0 + 17.0 * 1.25);
        assert!((got - expected).abs() < 1e-5, "{got} {expected}");
    }

    /// Residuals (1, 1), (-1, -1), (1, -1), (-1, 1), doubled in the first column: products diag(4, 1).
    #[test]
    fn residuals_by_hand() {
        let rows = [2.0, 1.0, -2.0, -1.0, 2.0, -1.0, -2.0, 1.0];
        let whitening = Whitening::of_residuals(&rows, 2, 0.0).unwrap();
        let got = squared_lengths(&whitening.apply(&[2.0, 3.0]), 2)[0];
        assert!((got - 10.0).abs() < 1e-5, "{got}");
    }

    /// A column without variation adds nothing, and rows that are all the same have no whitening.
    #[test]
    fn constant_columns_do_not_explode() {
        let rows = [1.0, 7.0, -1.0, 7.0, 2.0, 7.0, -2.0, 7.0];
        let whitening = Whitening::of_rows(&rows, 2).unwrap();
        assert!(squared_lengths(&whitening.apply(&[0.0, 7.1]), 2)[0] < 1.0);
        assert_eq!(Whitening::of_rows(&[1.0, 7.0, 1.0, 7.0], 2), None);
        assert_eq!(Whitening::of_residuals(&[0.0; 4], 2, 1e-3), None);
    }
}
