//! `s(x W + b)`.

#[cfg(feature = "atlas")]
pub(crate) mod atlas;
#[cfg(feature = "flex")]
mod cpu;
#[cfg(feature = "gpu")]
mod gpu;
#[cfg(any(feature = "flex", feature = "gpu"))]
mod kernel;

use burn::tensor::{DType, Tensor, module};

use crate::Activation;

/// The weight of a linear map, in one of two layouts.
pub enum Weight {
    /// `W`: `[in, out]`.
    Plain(Tensor<2>),
    /// The transpose of `W`: `[out, in]`. A tied decoder uses its encoder's weight so.
    Transposed(Tensor<2>),
}

impl Weight {
    fn dtype(&self) -> DType {
        match self {
            Self::Plain(weight) | Self::Transposed(weight) => weight.dtype(),
        }
    }
}

/// `s(x W + b)`: a linear map and an activation. The input is converted to the weight's type, which is the type of the
/// result.
///
/// # Shapes
/// - input `x`: `[batch, in]`, bias `b`: `[out]`, output: `[batch, out]`
pub fn linear(
    input: Tensor<2>,
    weight: Weight,
    bias: Tensor<1>,
    activation: Activation,
) -> Tensor<2> {
    let input = input.cast(weight.dtype());
    #[cfg(any(feature = "flex", feature = "gpu"))]
    if crate::target::Target::of(&input).is_some() {
        return activation.after(|fused| kernel::linear(input, weight, bias, fused));
    }
    plain(input, weight, bias, activation)
}

/// [`linear`] composed of Burn's operations.
pub fn plain(
    input: Tensor<2>,
    weight: Weight,
    bias: Tensor<1>,
    activation: Activation,
) -> Tensor<2> {
    let weight = match weight {
        Weight::Plain(weight) => weight,
        Weight::Transposed(weight) => weight.transpose(),
    };
    activation.apply(module::linear(input, weight, Some(bias)))
}
