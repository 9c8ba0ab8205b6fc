//! A distance that counts little what edits of an image change.

use nalgebra::{DMatrix, DVector, SymmetricEigen};

use super::Codes;
use crate::{Error, Result};

/// A linear map `A` of codes, after which `|A (z - z')|` is the distance to find duplicates by:
///
/// `A^T A = (W + s I)^-1`, `W = 1/n sum_i d_i d_i^T`, `s = shrinkage trace(W) / width`,
///
/// where `d_i` is the difference of the code of an edited image and of the image itself. A direction of the code that
/// edits change much counts little: within-class covariance normalisation (Hatch, Kajarekar & Stolcke 2006,
/// Interspeech), with an image and its edits as a class. The unit of the distance is a usual edit: by `W`, the mean
/// square of an edit's distance is about `width`.
#[derive(Clone, Debug)]
pub struct EditMetric {
    /// `[width, width]`, applied to columns.
    map: DMatrix<f32>,
}

impl EditMetric {
    /// The usual shrinkage.
    pub const SHRINKAGE: f64 = 0.1;

    /// The map that leaves codes as they are.
    pub fn identity(width: usize) -> Self {
        Self { map: DMatrix::identity(width, width) }
    }

    /// Fits the map to images and their edits: row `i` of `edited` is the code of an edit of row `i` of `originals`.
    ///
    /// # Errors
    /// If there is no pair, the numbers or the widths differ, or the shrinkage is not above 0.
    pub fn fit(originals: &Codes, edited: &Codes, shrinkage: f64) -> Result<Self> {
        if !(shrinkage > 0.0 && shrinkage.is_finite()) {
            return Err(Error::setting("shrinkage", "a number above 0", shrinkage));
        }
        let size = |codes: &Codes| format!("{} codes of {} numbers", codes.len(), codes.width());
        if originals.is_empty() || size(originals) != size(edited) {
            let expected = format!("as many as originals and at least one ({})", size(originals));
            return Err(Error::setting("edits", expected, size(edited)));
        }
        let width = originals.width();
        let differences = originals.values().iter().zip(edited.values());
        let differences: Vec<f64> =
            differences.map(|(a, b)| f64::from(*b) - f64::from(*a)).collect();
        let differences = DMatrix::from_column_slice(width, originals.len(), &differences);
        let within = (&differences * differences.transpose()) / originals.len() as f64;
        // Edits that change nothing leave the codes as they are.
        let floor = (shrinkage * within.trace() / width as f64).max(f64::MIN_POSITIVE);
        let SymmetricEigen { eigenvectors, eigenvalues } = SymmetricEigen::new(within);
        let scales: DVector<f64> = match floor > f64::MIN_POSITIVE {
            true => eigenvalues.map(|value| (value.max(0.0) + floor).sqrt().recip()),
            false => DVector::from_element(width, 1.0),
        };
        let map = DMatrix::from_diagonal(&scales) * eigenvectors.transpose();
        Ok(Self { map: map.cast() })
    }

    /// The codes in the map's coordinates, in which the distance is Euclidean.
    ///
    /// # Errors
    /// If the width is not that of the map.
    pub fn apply(&self, codes: &Codes) -> Result<Codes> {
        let width = self.map.ncols();
        if codes.width() != width {
            return Err(Error::setting("width of a code", width.to_string(), codes.width()));
        }
        let columns = DMatrix::from_column_slice(width, codes.len(), codes.values());
        Codes::new((&self.map * columns).as_slice().to_vec(), width)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Differences (2, 0), (-2, 0), (0, 1), (0, -1): W = diag(2, 1/2). With shrinkage 0.4, s = 0.4 * 2.5 / 2 = 0.5,
    /// so the squared scales are 1 / 2.5 and 1 / 1: (5, 0) is sqrt(10) from 0, (0, 5) is 5.
    #[test]
    fn map_by_hand() {
        let originals = Codes::new(vec![1.0, 1.0, 0.0, 0.0, 3.0, 2.0, 5.0, 5.0], 2).unwrap();
        let edited = Codes::new(vec![3.0, 1.0, -2.0, 0.0, 3.0, 3.0, 5.0, 4.0], 2).unwrap();
        let metric = EditMetric::fit(&originals, &edited, 0.4).unwrap();
        let mapped = metric.apply(&Codes::new(vec![5.0, 0.0, 0.0, 5.0], 2).unwrap()).unwrap();
        let length = |row: usize| mapped.row(row).iter().map(|v| v * v).sum::<f32>();
        assert!((length(0) - 10.0).abs() < 1e-4 && (length(1) - 25.0).abs() < 1e-4, "{mapped:?}");
    }

    #[test]
    fn edits_that_change_nothing_leave_distances_as_they_are() {
        let codes = Codes::new(vec![1.0, 2.0, 4.0, 6.0], 2).unwrap();
        let mapped = EditMetric::fit(&codes, &codes, 0.1).unwrap().apply(&codes).unwrap();
        let apart: f32 =
            mapped.row(0).iter().zip(mapped.row(1)).map(|(a, b)| (a - b).powi(2)).sum();
        assert!((apart - 25.0).abs() < 1e-4);
        let same = EditMetric::identity(2).apply(&codes).unwrap();
        assert_eq!(same, codes);
        assert!(EditMetric::fit(&codes, &codes, 0.0).is_err());
        assert!(EditMetric::fit(&codes, &codes.subset(&[0]), 0.1).is_err());
    }
}
