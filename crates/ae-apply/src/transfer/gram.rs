//! Means and products of rows, summed in f64.

use burn::tensor::{Tensor, TensorData};
use nalgebra::DMatrix;

use crate::{Error, Result};

/// Rows per product in f32; the products are added in f64.
const BLOCK: usize = 1024;

/// The values of a tensor on the host.
pub(super) fn values_of(tensor: Tensor<2>) -> Result<Vec<f32>> {
    let read = tensor.into_data().convert::<f32>().try_into_vec::<f32>();
    read.map_err(|error| {
        Error::Unsuitable(format!("a result could not be read from the device: {error:?}"))
    })
}

/// Rows `first..` of a tensor, at most `BLOCK` of them, for each such block.
fn blocks(rows: &Tensor<2>) -> impl Iterator<Item = Tensor<2>> {
    let [count, _] = rows.dims();
    (0..count)
        .step_by(BLOCK)
        .map(move |first| rows.clone().narrow(0, first, BLOCK.min(count - first)))
}

/// The mean of each feature.
///
/// # Errors
/// If one is not finite.
pub(super) fn mean_of(rows: &Tensor<2>) -> Result<Vec<f64>> {
    let [count, width] = rows.dims();
    let mut sums = vec![0.0; width];
    for block in blocks(rows) {
        for row in values_of(block)?.chunks_exact(width) {
            sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += f64::from(*value));
        }
    }
    if let Some(at) = sums.iter().position(|sum| !sum.is_finite()) {
        return Err(Error::Unsuitable(format!(
            "expected finite features, got NaN or infinity in feature {at}"
        )));
    }
    Ok(sums.iter().map(|sum| sum / count.max(1) as f64).collect())
}

/// A mean as a row to subtract.
pub(super) fn as_row(values: &[f64], like: &Tensor<2>) -> Tensor<2> {
    let values: Vec<f32> = values.iter().map(|value| *value as f32).collect();
    let width = values.len();
    Tensor::from_data(TensorData::new(values, [1, width]), &like.device())
}

/// `sum_i (x_i - m) (x_i - m)^T`, `[features, features]`.
pub(super) fn centred_products(rows: &Tensor<2>, mean: &[f64]) -> Result<DMatrix<f64>> {
    let mean = as_row(mean, rows);
    let width = mean.dims()[1];
    let mut sum = DMatrix::zeros(width, width);
    for block in blocks(rows) {
        let centred = block - mean.clone();
        add(&mut sum, centred.clone().transpose().matmul(centred))?;
    }
    Ok(sum)
}

/// Features per product in f32 of rows with rows.
const FEATURES: usize = 1024;

/// `A B^T`, the products of rows with rows, a row of `A` a column.
pub(super) fn row_products(a: &Tensor<2>, b: &Tensor<2>) -> Result<DMatrix<f64>> {
    let ([columns, width], [rows, _]) = (a.dims(), b.dims());
    let mut sum = DMatrix::zeros(rows, columns);
    for first in (0..width).step_by(FEATURES) {
        let range = first..width.min(first + FEATURES);
        let part = |rows: &Tensor<2>| rows.clone().slice([0..rows.dims()[0], range.clone()]);
        add(&mut sum, part(a).matmul(part(b).transpose()))?;
    }
    Ok(sum)
}

/// Adds a product whose rows are the columns of the sum.
fn add(sum: &mut DMatrix<f64>, product: Tensor<2>) -> Result<()> {
    let values = values_of(product)?;
    sum.iter_mut().zip(&values).for_each(|(sum, value)| *sum += f64::from(*value));
    Ok(())
}
