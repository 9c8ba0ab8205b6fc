//! Strided convolutions with an activation, and their transposes.

#[cfg(feature = "atlas")]
pub(crate) mod atlas;
#[cfg(feature = "flex")]
pub(crate) mod cpu;
#[cfg(any(feature = "flex", feature = "gpu"))]
pub(crate) mod geometry;
#[cfg(feature = "gpu")]
mod gpu;
#[cfg(any(feature = "flex", feature = "gpu"))]
mod kernel;

use burn::tensor::{
    Tensor, module,
    ops::{ConvOptions, ConvTransposeOptions},
};

use crate::Activation;

/// `s(x * W + b)`: a convolution and an activation. The kernel has an odd size and the input is padded by half of it:
/// a stride of 1 keeps the size, a stride of 2 halves it, rounding up. The input is converted to the weight's type,
/// which is the type of the result.
///
/// # Shapes
/// - input: `[batch, in, height, width]`, weight: `[out, in, kernel, kernel]`, bias: `[out]`
/// - output: `[batch, out, ceil(height / stride), ceil(width / stride)]`
pub fn conv2d(
    input: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    stride: usize,
    activation: Activation,
) -> Tensor<4> {
    let input = input.cast(weight.dtype());
    #[cfg(any(feature = "flex", feature = "gpu"))]
    if crate::target::Target::of(&input).is_some() {
        let bias = bias.unwrap_or_else(|| zeros(&input, weight.dims()[0]));
        return activation.after(|fused| kernel::conv2d(input, weight, bias, stride, fused));
    }
    plain(input, weight, bias, stride, activation)
}

/// The transpose of [`conv2d`], and an activation. The output has the size `[height, width]`, from which a convolution
/// of that stride returns to the input's size. The result has the weight's type as well.
///
/// # Shapes
/// - input: `[batch, out, ceil(height / stride), ceil(width / stride)]`
/// - weight: `[out, in, kernel, kernel]`, bias: `[in]`, output: `[batch, in, height, width]`
pub fn conv_transpose2d(
    input: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    stride: usize,
    size: [usize; 2],
    activation: Activation,
) -> Tensor<4> {
    let input = input.cast(weight.dtype());
    #[cfg(any(feature = "flex", feature = "gpu"))]
    if crate::target::Target::of(&input).is_some() {
        let bias = bias.unwrap_or_else(|| zeros(&input, weight.dims()[1]));
        return activation
            .after(|fused| kernel::conv_transpose2d(input, weight, bias, stride, size, fused));
    }
    plain_transpose(input, weight, bias, stride, size, activation)
}

#[cfg(any(feature = "flex", feature = "gpu"))]
fn zeros(like: &Tensor<4>, len: usize) -> Tensor<1> {
    Tensor::zeros([len], (&like.device(), like.dtype()))
}

/// [`conv2d`] composed of Burn's operations.
pub fn plain(
    input: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    stride: usize,
    activation: Activation,
) -> Tensor<4> {
    let padding = weight.dims()[3] / 2;
    let options = ConvOptions::new([stride; 2], [padding; 2], [1; 2], 1);
    activation.apply(module::conv2d(input, weight, bias, options))
}

/// [`conv_transpose2d`] composed of Burn's operations.
pub fn plain_transpose(
    input: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    stride: usize,
    [height, width]: [usize; 2],
    activation: Activation,
) -> Tensor<4> {
    let padding = weight.dims()[3] / 2;
    // The size without output padding is stride (half - 1) + 1.
    let lacking = [(height - 1) % stride, (width - 1) % stride];
    let options = ConvTransposeOptions::new([stride; 2], [padding; 2], lacking, [1; 2], 1);
    activation.apply(module::conv_transpose2d(input, weight, bias, options))
}
