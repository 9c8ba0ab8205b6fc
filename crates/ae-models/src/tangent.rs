//! Tangents through an encoder: what contraction, sensitivity and Jacobian spectra are made of.

use burn::tensor::Tensor;

use crate::Encoder;

/// An encoder through which directions can be pushed, with `J = d code / d input` of each sample.
///
/// Both methods are written in ordinary tensor operations, hence differentiable by one backward
/// pass: Burn's autodiff is of first order. Both take several directions for each sample:
/// `n * batch` rows, where row `i * batch + b` belongs to sample `b`. The encoder is differentiated
/// as [`encode`](Encoder::encode) is in use: where it keeps the largest units only, rows of `J` that
/// belong to the others are 0.
#[diagnostic::on_unimplemented(
    message = "tangents cannot be pushed through the encoder of `{Self}`",
    label = "this penalty needs the encoder's Jacobian",
    note = "implement `DifferentiableEncoder` for it, or take a model of ae-models"
)]
pub trait DifferentiableEncoder: Encoder {
    /// The code and `J v` for each direction `v` in the inputs: one product costs about as much as
    /// an encoding.
    ///
    /// # Shapes
    /// - input: `[batch, features]`
    /// - directions: `[n * batch, features]`
    /// - output: `[batch, code]`, `[n * batch, code]`
    fn encode_tangent(&self, input: Tensor<2>, directions: Tensor<2>) -> [Tensor<2>; 2];

    /// The code and `u J` for each direction `u` in the codes.
    ///
    /// # Shapes
    /// - input: `[batch, features]`
    /// - directions: `[n * batch, code]`
    /// - output: `[batch, code]`, `[n * batch, features]`
    fn encode_cotangent(&self, input: Tensor<2>, directions: Tensor<2>) -> [Tensor<2>; 2];

    /// `||J||_F^2` of every sample, `[batch]`, where it has a closed form that is cheaper than
    /// multiplying `J` out: an encoder of one layer.
    fn squared_jacobian(&self, _input: Tensor<2>) -> Option<Tensor<1>> {
        None
    }
}

/// `J` of every sample, row by row of the smaller side.
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

/// Unit vectors `e_i` of `width` entries for `i` in a range, each for every sample of `input`:
/// `[range * batch, width]`, the directions that multiply a Jacobian out.
pub fn basis(input: &Tensor<2>, width: usize, range: std::ops::Range<usize>) -> Tensor<2> {
    let ([batch, _], count) = (input.dims(), range.len());
    let device = input.device().without_autodiff();
    let unit = Tensor::<2>::eye(width, &device).narrow(0, range.start, count);
    let directions =
        unit.unsqueeze_dim::<3>(1).expand([count, batch, width]).reshape([count * batch, width]);
    if input.device().is_autodiff() { directions.autodiff() } else { directions }
}

/// Multiplies each of several directions per sample by what belongs to the sample:
/// `[n * batch, ..] * [batch, ..]`.
pub(crate) fn scale<const D: usize>(directions: Tensor<D>, factor: Tensor<D>) -> Tensor<D> {
    let (shape, batch) = (directions.dims(), factor.dims()[0]);
    let width = factor.shape().num_elements() / batch;
    let grouped = directions.reshape([shape[0] / batch, batch, width]);
    (grouped * factor.reshape([1, batch, width])).reshape(shape)
}
