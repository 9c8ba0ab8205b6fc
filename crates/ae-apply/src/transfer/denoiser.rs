//! The linear denoiser that is best on average over all corruptions, in closed form.

use burn::tensor::{Device, Tensor, TensorData};
use nalgebra::DMatrix;

use super::gram::{centred_products, mean_of};
use super::inverse::inverse;
use crate::{Error, Result};

/// What is added to the diagonal, as a part of its mean: a feature that is 0 in all rows has a row of zeros in the
/// weight then.
const RIDGE: f64 = 1e-5;

/// Features at most: matrices of this size squared take 800 MB in f64, and there are five of them.
const MOST_FEATURES: usize = 10_000;

/// The linear denoiser `x -> W x + b` with the least expected squared error, when each feature of the input is set to
/// 0 with probability `p`, over all corruptions of all rows at once: no corruption is drawn.
///
/// `W, b = argmin sum_i E |x_i - W x~_i - b|^2`. With the mean `m` of the `n` rows, the centred products
/// `S = sum_i (x_i - m) (x_i - m)^T`, `q = 1 - p` and the diagonal `D = p q (diag S + n m^2) + ridge`, the normal
/// equations `W Q = P` have `Q = q^2 S + D` and `P = q S`, so that
///
/// `W = (I - D Q^-1) / q`, `b = m - q W m`,
///
/// which is the solution of the paper, whose bias is a feature that is never corrupted. The paper applies it to clean
/// rows.
///
/// # Shapes
/// Rows are `[samples, features]`, `W` is `[features, features]`, `b` is `[1, features]`.
///
/// Chen, Xu, Weinberger & Sha 2012, "Marginalized denoising autoencoders for domain adaptation", ICML, arXiv
/// 1206.4683.
///
/// ```
/// use ae_apply::transfer::MarginalizedDenoiser;
/// use burn::tensor::{Device, Tensor};
///
/// // The second feature is twice the first.
/// let rows = Tensor::<2>::from_floats([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0]], &Device::flex());
/// let denoiser = MarginalizedDenoiser::fit(&rows, 0.3)?;
/// assert_eq!(denoiser.weight().dims(), [2, 2]);
/// assert_eq!(denoiser.encode(rows).dims(), [3, 2]);
/// # Ok::<(), ae_apply::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct MarginalizedDenoiser {
    /// `W^T`, so that rows are multiplied by it.
    transposed: Tensor<2>,
    bias: Tensor<2>,
}

impl MarginalizedDenoiser {
    /// Fits it to rows with the probability of corruption `p`, from 0 to below 1. Products are in f32, sums and the
    /// inverse in f64. Five layers of 4,000 rows of 5,000 features, with 5,000 further rows to encode and the classifier,
    /// took 63 to 119 seconds on 2 cores shared with other programs, and 1.5 GB.
    ///
    /// # Errors
    /// If `corruption` is out of its range, there are no rows or more than 10,000 features, or a value is not finite.
    pub fn fit(rows: &Tensor<2>, corruption: f64) -> Result<Self> {
        if !(0.0..1.0).contains(&corruption) {
            return Err(Error::setting("corruption", "a number from 0 to below 1", corruption));
        }
        let [samples, features] = rows.dims();
        if samples == 0 || features == 0 {
            return Err(Error::Unsuitable(format!(
                "a denoiser needs rows to be fitted to, got {samples} rows of {features} features"
            )));
        }
        if features > MOST_FEATURES {
            return Err(Error::Unsuitable(format!(
                "a marginalised denoiser inverts a matrix of features squared; expected at most {MOST_FEATURES} \
                 features, got {features}; keep the most frequent ones"
            )));
        }
        let kept = 1.0 - corruption;
        let mean = mean_of(rows)?;
        let mut matrix = centred_products(rows, &mean)?;
        let squares: Vec<f64> =
            (0..features).map(|at| matrix[(at, at)] + samples as f64 * mean[at].powi(2)).collect();
        let ridge = RIDGE * squares.iter().sum::<f64>() / features as f64;
        // All features 0: nothing to reconstruct, and any positive number does.
        let ridge = if ridge > 0.0 { ridge } else { 1.0 };
        let diagonal: Vec<f64> =
            squares.iter().map(|square| corruption * kept * square + ridge).collect();
        matrix *= kept * kept;
        (0..features).for_each(|at| matrix[(at, at)] += diagonal[at]);
        let weight = solve(matrix, &diagonal, kept, &rows.device())?;
        let bias: Vec<f32> = (0..features)
            .map(|row| {
                let sum: f64 = weight.row(row).iter().zip(&mean).map(|(w, m)| w * m).sum();
                (mean[row] - kept * sum) as f32
            })
            .collect();
        let device = rows.device();
        // Columns first in memory, so these are the rows of the transpose.
        let transposed = weight.as_slice().iter().map(|value| *value as f32).collect();
        let data = TensorData::new::<f32, _>(transposed, [features, features]);
        Ok(Self {
            transposed: Tensor::from_data(data, &device),
            bias: Tensor::from_data(TensorData::new(bias, [1, features]), &device),
        })
    }

    /// `W`.
    pub fn weight(&self) -> Tensor<2> {
        self.transposed.clone().transpose()
    }

    /// `b`.
    pub fn bias(&self) -> Tensor<2> {
        self.bias.clone()
    }

    /// `W x + b` of each row.
    pub fn reconstruct(&self, rows: Tensor<2>) -> Tensor<2> {
        rows.matmul(self.transposed.clone()) + self.bias.clone()
    }

    /// `tanh(W x + b)` of each row: the features of the next layer.
    pub fn encode(&self, rows: Tensor<2>) -> Tensor<2> {
        self.reconstruct(rows).tanh()
    }
}

/// `(I - D Q^-1) / q`. `Q` is scaled to a diagonal of ones, of which no eigenvalue is below `p` then.
fn solve(
    mut matrix: DMatrix<f64>,
    diagonal: &[f64],
    kept: f64,
    device: &Device,
) -> Result<DMatrix<f64>> {
    let size = diagonal.len();
    let scales: Vec<f64> = (0..size).map(|at| matrix[(at, at)].sqrt().recip()).collect();
    for (mut column, scale) in matrix.column_iter_mut().zip(&scales) {
        column.iter_mut().zip(&scales).for_each(|(value, other)| *value *= scale * other);
    }
    let mut weight = inverse(matrix.as_view(), device).ok_or_else(|| {
        Error::Unsuitable(
            "the features determine each other up to rounding, so that no denoiser is best; use a larger corruption"
                .into(),
        )
    })?;
    for (at, mut column) in weight.column_iter_mut().enumerate() {
        for (row, value) in column.iter_mut().enumerate() {
            let product = diagonal[row] * scales[row] * *value * scales[at];
            *value = (f64::from(u8::from(row == at)) - product) / kept;
        }
    }
    Ok(weight)
}

#[cfg(test)]
mod tests {
    use chacha20::ChaCha8Rng;
    use nalgebra::DVector;
    use rand::{RngExt, SeedableRng};

    use super::*;

    fn values(tensor: Tensor<2>) -> Vec<f32> {
        tensor.into_data().try_into_vec().unwrap()
    }

    /// Rows (1, 2), (3, 2), p = 1/2: m = (2, 2), S = diag(2, 0), squares (10, 8), D = (10, 8) / 4 = (5/2, 2), so
    /// Q = diag(2/4 + 5/2, 2) = diag(3, 2). W = 2 diag(1 - 5/6, 1 - 1) = diag(1/3, 0) and
    /// b = (2 - 1/2 * 1/3 * 2, 2) = (5/3, 2).
    #[test]
    fn two_rows_by_hand() {
        let rows = Tensor::from_floats([[1.0, 2.0], [3.0, 2.0]], &Device::flex());
        let denoiser = MarginalizedDenoiser::fit(&rows, 0.5).unwrap();
        let near = |got: Vec<f32>, expected: &[f32]| {
            assert!(got.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-4), "{got:?}");
        };
        near(values(denoiser.weight()), &[1.0 / 3.0, 0.0, 0.0, 0.0]);
        near(values(denoiser.bias()), &[5.0 / 3.0, 2.0]);
        // 1/3 + 5/3 = 2.
        near(values(denoiser.reconstruct(rows.clone())), &[2.0, 2.0, 8.0 / 3.0, 2.0]);
        near(values(denoiser.encode(rows))[..1].to_vec(), &[2f32.tanh()]);
    }

    /// Six correlated features of 40 rows, one of them mostly 0.
    fn table() -> (Vec<f32>, usize) {
        let mut generator = ChaCha8Rng::seed_from_u64(3);
        let mut row = |_| {
            let (a, b) =
                (generator.random_range(0.0f32..1.0), generator.random_range(-1.0f32..1.0));
            let rare = if generator.random_range(0.0f32..1.0) < 0.1 { 1.0 } else { 0.0 };
            [a, b, a + 0.3 * b, 2.0 - a, rare, a * b]
        };
        ((0..40).flat_map(&mut row).collect(), 6)
    }

    /// Ridge regression of 100,000 corrupted rows on the clean ones, with a bias.
    #[test]
    fn it_is_the_limit_of_a_sampled_denoiser() {
        let (rows, width) = table();
        let corruption = 0.4;
        let draws = 2_500;
        let mut generator = ChaCha8Rng::seed_from_u64(9);
        let (mut of_inputs, mut of_both) = (DMatrix::zeros(7, 7), DMatrix::zeros(6, 7));
        for _ in 0..draws {
            for row in rows.chunks_exact(width) {
                let clean = DVector::from_iterator(6, row.iter().map(|value| f64::from(*value)));
                let mut corrupted = clean.clone().insert_row(6, 1.0);
                for value in corrupted.iter_mut().take(6) {
                    if generator.random_range(0.0..1.0) < corruption {
                        *value = 0.0;
                    }
                }
                of_inputs.ger(1.0, &corrupted, &corrupted, 1.0);
                of_both.ger(1.0, &clean, &corrupted, 1.0);
            }
        }
        let sampled = of_both * of_inputs.try_inverse().unwrap();
        let rows = Tensor::from_data(TensorData::new(rows, [40, 6]), &Device::flex());
        let denoiser = MarginalizedDenoiser::fit(&rows, corruption).unwrap();
        let weight = values(denoiser.weight());
        let ours = DMatrix::from_row_slice(6, 6, &weight).map(f64::from);
        let limit = sampled.columns(0, 6).into_owned();
        let error = (&ours - &limit).norm() / limit.norm();
        assert!(error < 0.01, "{error}");
        let bias = DVector::from_vec(values(denoiser.bias())).map(f64::from);
        let limit = sampled.column(6);
        let error = (&bias - limit).norm() / limit.norm();
        assert!(error < 0.01, "{error}");
    }

    #[test]
    fn without_corruption_it_is_the_identity() {
        let (rows, width) = table();
        let rows = Tensor::from_data(TensorData::new(rows, [40, width]), &Device::flex());
        // Two of the features are linear in the others: less of the ridge is in the way of what varies alone.
        let denoiser = MarginalizedDenoiser::fit(&rows, 0.0).unwrap();
        let error = (denoiser.reconstruct(rows.clone()) - rows).abs().max().into_scalar::<f32>();
        assert!(error < 1e-3, "{error}");
    }

    /// A feature that never varies is reconstructed by its bias, and one that is always 0 is 0.
    #[test]
    fn constant_features_are_their_bias() {
        let rows = Tensor::from_floats([[0.0, 5.0, 1.0], [0.0, 5.0, 2.0]], &Device::flex());
        let denoiser = MarginalizedDenoiser::fit(&rows, 0.5).unwrap();
        let weight = values(denoiser.weight());
        assert!(weight[..6].iter().all(|value| value.abs() < 1e-6), "{weight:?}");
        assert_eq!(values(denoiser.bias())[..2], [0.0, 5.0]);
    }

    #[test]
    fn unsuitable_rows_are_refused() {
        let message = |values: Vec<f32>, shape: [usize; 2], corruption| {
            let rows = Tensor::from_data(TensorData::new(values, shape), &Device::flex());
            MarginalizedDenoiser::fit(&rows, corruption).unwrap_err().to_string()
        };
        assert_eq!(
            message(vec![1.0], [1, 1], 1.0),
            "corruption: expected a number from 0 to below 1, got 1"
        );
        assert_eq!(
            message(vec![0.0; 10_001], [1, 10_001], 0.5),
            "a marginalised denoiser inverts a matrix of features squared; expected at most 10000 features, got \
             10001; keep the most frequent ones"
        );
        assert_eq!(
            message(vec![1.0, f32::NAN], [2, 1], 0.5),
            "expected finite features, got NaN or infinity in feature 0"
        );
    }
}
