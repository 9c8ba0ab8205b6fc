//! Rows of the source with the covariance of the target.

use burn::tensor::{Tensor, TensorData};
use nalgebra::DMatrix;

use super::gram::{as_row, centred_products, mean_of, row_products};
use super::inverse::{inverse, square_roots};
use crate::{Error, Result};

/// What is added to the diagonals of both covariances, as a part of the mean variance of the source. The paper adds 1
/// to the covariances of standardised features, which is the same there.
const RIDGE: f64 = 1.0;

/// Correlation alignment: the rows of the source, whitened by its covariance and coloured by that of the target,
///
/// `x' = Ct^(1/2) Cs^(-1/2) (x - ms) + mt`, `C = cov + r I`,
///
/// with the means `ms`, `mt` of the domains and the mean variance `r` of the source's features. A classifier of the
/// new rows is used on the target's rows as they are.
///
/// Where there are more features `d` than rows `n`, both roots come from the products of rows:
/// `X C^(-1/2) = (K + r I)^(-1/2) X` and `C^(1/2) = r^(1/2) I + X^T ((K + r I)^(1/2) + r^(1/2) I)^-1 X / (n - 1)` with
/// `K = X X^T / (n - 1)`, so a root is never larger than the smaller of rows and features.
///
/// # Shapes
/// `source` and `target` are `[samples, features]`; the result has the shape of the source.
///
/// Sun, Feng & Saenko 2016, "Return of frustratingly easy domain adaptation", AAAI, arXiv 1511.05547.
///
/// # Errors
/// If a domain has fewer than two rows, the numbers of features differ, a value is not finite, or all rows of the
/// source are equal.
pub fn coral(source: &Tensor<2>, target: &Tensor<2>) -> Result<Tensor<2>> {
    let ([sources, width], [targets, other]) = (source.dims(), target.dims());
    if sources < 2 || targets < 2 {
        return Err(Error::Unsuitable(format!(
            "a covariance needs at least 2 rows of each domain, got {sources} and {targets}"
        )));
    }
    if width != other {
        return Err(Error::Unsuitable(format!(
            "expected as many features of the target as of the source, {width}, got {other}"
        )));
    }
    let (source_mean, target_mean) = (mean_of(source)?, mean_of(target)?);
    let centred = source.clone() - as_row(&source_mean, source);
    let target = target.clone() - as_row(&target_mean, target);
    let total: f64 = squares(&centred)? / (sources - 1) as f64;
    let ridge = RIDGE * total / width as f64;
    if ridge <= 0.0 {
        return Err(Error::Unsuitable(
            "all rows of the source are equal, so there is no covariance to align".into(),
        ));
    }
    let whitened = whiten(centred, ridge)?;
    Ok(colour(whitened, &target, ridge)? + as_row(&target_mean, source))
}

/// The sum of all squared values.
fn squares(rows: &Tensor<2>) -> Result<f64> {
    Ok(mean_of(&rows.clone().square())?.iter().sum::<f64>() * rows.dims()[0] as f64)
}

fn indefinite() -> Error {
    Error::Unsuitable("a covariance could not be inverted in f64; scale the features".into())
}

/// Centred rows times `C^(-1/2)`.
fn whiten(rows: Tensor<2>, ridge: f64) -> Result<Tensor<2>> {
    let [count, width] = rows.dims();
    let is_wide = width > count;
    let (_, root) =
        square_roots(&covariance(&rows, ridge)?, &rows.device()).ok_or_else(indefinite)?;
    let root = as_tensor(&root, &rows);
    Ok(if is_wide { root.matmul(rows) } else { rows.matmul(root) })
}

/// Rows times `C^(1/2)` of the target's centred rows.
fn colour(rows: Tensor<2>, target: &Tensor<2>, ridge: f64) -> Result<Tensor<2>> {
    let [count, width] = target.dims();
    let (mut root, _) =
        square_roots(&covariance(target, ridge)?, &rows.device()).ok_or_else(indefinite)?;
    if width <= count {
        let root = as_tensor(&root, &rows);
        return Ok(rows.matmul(root));
    }
    (0..count).for_each(|at| root[(at, at)] += ridge.sqrt());
    let middle =
        inverse(root.as_view(), &rows.device()).ok_or_else(indefinite)? / (count - 1) as f64;
    let inner = rows.clone().matmul(target.clone().transpose()).matmul(as_tensor(&middle, &rows));
    Ok(rows * ridge.sqrt() + inner.matmul(target.clone()))
}

/// The covariance of centred rows, or, where there are more features than rows, the products of rows over `n - 1`;
/// plus the ridge.
fn covariance(rows: &Tensor<2>, ridge: f64) -> Result<DMatrix<f64>> {
    let [count, width] = rows.dims();
    let mut products = match width > count {
        true => row_products(rows, rows)?,
        false => centred_products(rows, &vec![0.0; width])?,
    };
    products /= (count - 1) as f64;
    (0..products.nrows()).for_each(|at| products[(at, at)] += ridge);
    Ok(products)
}

/// A symmetric matrix as a tensor.
fn as_tensor(matrix: &DMatrix<f64>, like: &Tensor<2>) -> Tensor<2> {
    let values: Vec<f32> = matrix.iter().map(|value| *value as f32).collect();
    let shape = [matrix.nrows(), matrix.ncols()];
    Tensor::from_data(TensorData::new(values, shape), &like.device())
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    fn rows(values: Vec<f32>, width: usize) -> Tensor<2> {
        let count = values.len() / width;
        Tensor::from_data(TensorData::new(values, [count, width]), &Device::flex())
    }

    fn values(tensor: Tensor<2>) -> Vec<f32> {
        tensor.into_data().try_into_vec().unwrap()
    }

    /// Source (1, 0), (-1, 0), (0, 1), (0, -1), variances 2/3 and r = 2/3: Cs = 4/3 I. Target twice that about
    /// (5, 0) in the first feature and once in the second: variances 8/3 and 2/3, Ct = diag(10/3, 4/3), so the first
    /// feature is scaled by sqrt(10/4) and the second by 1.
    #[test]
    fn a_cross_by_hand() {
        let source = rows(vec![1.0, 0.0, -1.0, 0.0, 0.0, 1.0, 0.0, -1.0], 2);
        let target = rows(vec![7.0, 0.0, 3.0, 0.0, 5.0, 1.0, 5.0, -1.0], 2);
        let got = values(coral(&source, &target).unwrap());
        let scale = 2.5f32.sqrt();
        let expected = [5.0 + scale, 0.0, 5.0 - scale, 0.0, 5.0, 1.0, 5.0, -1.0];
        assert!(got.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-5), "{got:?}");
    }

    fn wave(count: usize, width: usize, speed: f32) -> Tensor<2> {
        let values =
            (0..count * width).map(|at| (at as f32 * speed).sin() * (1.0 + (at % width) as f32));
        rows(values.collect(), width)
    }

    /// By products of rows and by covariances: of 6 features, 5 rows go the first way. Repeated rows have the same
    /// mean and, but for n - 1, the same covariance, so ten times five rows go the second way.
    #[test]
    fn both_ways_agree() {
        let (source, target) = (wave(5, 6, 1.3), wave(5, 6, 2.9));
        let often = |rows: &Tensor<2>| Tensor::cat(vec![rows.clone(); 1000], 0);
        let wide = values(coral(&source, &target).unwrap());
        let tall = values(coral(&often(&source), &often(&target)).unwrap());
        // Both covariances and the ridge are scaled by the same number, which cancels.
        let error = wide.iter().zip(&tall).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(error < 1e-3, "{error}");
    }

    #[test]
    fn equal_domains_stay_as_they_are() {
        for (count, width) in [(30, 4), (5, 9)] {
            let source = wave(count, width, 1.7);
            let aligned = coral(&source, &source).unwrap();
            let error = (aligned - source).abs().max().into_scalar::<f32>();
            assert!(error < 1e-4, "{error}");
        }
    }

    #[test]
    fn unsuitable_rows_are_refused() {
        let message = |a: Tensor<2>, b: Tensor<2>| coral(&a, &b).unwrap_err().to_string();
        assert_eq!(
            message(wave(1, 3, 1.0), wave(5, 3, 1.0)),
            "a covariance needs at least 2 rows of each domain, got 1 and 5"
        );
        assert_eq!(
            message(wave(5, 3, 1.0), wave(5, 2, 1.0)),
            "expected as many features of the target as of the source, 3, got 2"
        );
        assert_eq!(
            message(rows(vec![1.0; 8], 2), wave(5, 2, 1.0)),
            "all rows of the source are equal, so there is no covariance to align"
        );
    }
}
