//! Products with the Jacobian of an encoder, for contraction, sensitivity and spectra.

use burn::tensor::Tensor;
use nalgebra::DMatrix;

use crate::Encoder;

/// An encoder with products by its Jacobian `J = d code / d input` of each sample.
///
/// Both methods use ordinary tensor operations, so one backward pass can differentiate them (Burn's
/// autodiff is of first order). Both take several directions per sample: of `n * batch` rows, row
/// `i * batch + b` belongs to sample `b`. `J` is that of [`encode`](Encoder::encode): if it keeps only
/// the largest units, the rows of the others are 0.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no products with the Jacobian of its encoder",
    label = "this penalty needs the encoder's Jacobian",
    note = "implement `DifferentiableEncoder` for it, or use a model of ae-models"
)]
pub trait DifferentiableEncoder: Encoder {
    /// Computes the code and `J v`, the change of the code in each direction `v` of the input. One product
    /// takes about as long as an encoding.
    ///
    /// # Shapes
    /// - input: `[batch, features]`
    /// - directions: `[n * batch, features]`
    /// - output: `[batch, code]`, `[n * batch, code]`
    fn encode_tangent(&self, input: Tensor<2>, directions: Tensor<2>) -> [Tensor<2>; 2];

    /// Computes the code and `u J`, the gradient of the code in each direction `u`.
    ///
    /// # Shapes
    /// - input: `[batch, features]`
    /// - directions: `[n * batch, code]`
    /// - output: `[batch, code]`, `[n * batch, features]`
    fn encode_cotangent(&self, input: Tensor<2>, directions: Tensor<2>) -> [Tensor<2>; 2];

    /// `||J||_F^2` of every sample, `[batch]`: the squared Frobenius norm, the sum of the squares of all
    /// entries of `J`. `None` unless it has a closed form that is cheaper than computing `J`, as an
    /// encoder of one layer has. If the codes, `[batch, code]`, are known, they are used.
    fn jacobian_norm_sq(&self, _input: Tensor<2>, _code: Option<Tensor<2>>) -> Option<Tensor<1>> {
        None
    }
}

/// The Jacobian of every sample, computed row by row or column by column, whichever are fewer.
///
/// # Shapes
/// - input: `[batch, features]`
/// - output: `[batch, code, features]`
pub fn jacobian<M: DifferentiableEncoder>(encoder: &M, input: Tensor<2>) -> Tensor<3> {
    let [batch, features] = input.dims();
    let code = encoder.code_size();
    if code <= features {
        let directions = basis(&input, code, 0..code);
        let [_, rows] = encoder.encode_cotangent(input, directions);
        rows.reshape([code, batch, features]).swap_dims(0, 1)
    } else {
        let directions = basis(&input, features, 0..features);
        let [_, columns] = encoder.encode_tangent(input, directions);
        columns.reshape([features, batch, code]).permute([1, 2, 0])
    }
}

/// The singular values of each of several Jacobians, the largest first. They show in how many directions
/// the code follows the input. They are the square roots of the eigenvalues of the smaller of `J J^T`
/// and `J^T J`, so those below a thousandth of the largest are lost in rounding.
///
/// # Shapes
/// - jacobian: `[batch, code, features]`
/// - output: `batch` lists of `min(code, features)` numbers
pub fn singular_values(jacobian: Tensor<3>) -> Vec<Vec<f64>> {
    let [_, code, features] = jacobian.dims();
    let transposed = jacobian.clone().swap_dims(1, 2);
    let products = match code <= features {
        true => jacobian.matmul(transposed),
        false => transposed.matmul(jacobian),
    };
    let side = code.min(features);
    let products: Vec<f64> = products.into_data().iter().collect();
    let each = products.chunks_exact(side * side).map(|product| {
        let eigenvalues = DMatrix::from_row_slice(side, side, product).symmetric_eigenvalues();
        let mut values: Vec<f64> = eigenvalues.iter().map(|value| value.max(0.0).sqrt()).collect();
        values.sort_by(|a, b| b.total_cmp(a));
        values
    });
    each.collect()
}

/// The unit vectors `e_i` of `width` entries for `i` in a range, each for every sample of `input`:
/// `[range * batch, width]`. In these directions the products are rows or columns of the Jacobian.
pub fn basis(input: &Tensor<2>, width: usize, range: std::ops::Range<usize>) -> Tensor<2> {
    let ([batch, _], count) = (input.dims(), range.len());
    let device = input.device().without_autodiff();
    let unit = Tensor::<2>::eye(width, &device).narrow(0, range.start, count);
    let directions =
        unit.unsqueeze_dim::<3>(1).expand([count, batch, width]).reshape([count * batch, width]);
    if input.device().is_autodiff() { directions.autodiff() } else { directions }
}

/// Multiplies each of several directions per sample by the factor of the sample:
/// `[n * batch, ..] * [batch, ..]`.
pub(crate) fn scale<const D: usize>(directions: Tensor<D>, factor: Tensor<D>) -> Tensor<D> {
    let (shape, batch) = (directions.dims(), factor.dims()[0]);
    let width = factor.shape().num_elements() / batch;
    let grouped = directions.reshape([shape[0] / batch, batch, width]);
    (grouped * factor.reshape([1, batch, width])).reshape(shape)
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    /// (3, 0, 0; 0, 0, 4): 4 and 3, whichever side is the smaller. (1, 1, 0; 1, 1, 0): 2 and 0.
    #[test]
    fn singular_values_by_hand() {
        let wide = Tensor::<3>::from_floats(
            [[[3.0, 0.0, 0.0], [0.0, 0.0, 4.0]], [[1.0, 1.0, 0.0], [1.0, 1.0, 0.0]]],
            &Device::flex(),
        );
        for jacobian in [wide.clone(), wide.swap_dims(1, 2)] {
            let values = singular_values(jacobian);
            for (value, expected) in values.iter().flatten().zip([4.0, 3.0, 2.0, 0.0]) {
                assert!((value - expected).abs() < 1e-6, "{values:?}");
            }
        }
    }
}
