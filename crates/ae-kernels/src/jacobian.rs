//! The squared Frobenius norm of a layer's Jacobian.

#[cfg(feature = "flex")]
mod cpu;
#[cfg(feature = "flex")]
mod kernel;

use burn::tensor::Tensor;

use crate::Activation;

/// `||J||_F^2 = sum_j s'(a_j)^2 sum_i W_ij^2` of each sample for `y = s(x W + b)` (Rifai et al. 2011,
/// ICML, equation 5), computed from the outputs `y`, from which the slope follows.
///
/// The norm says how much the outputs change when the input changes a little.
///
/// # Shapes
/// - output `y` of the layer: `[batch, out]`, weight `W`: `[in, out]`, result: `[batch]`
///
/// # Panics
/// For GELU and SiLU, whose slope does not follow from their value.
pub fn jacobian_norm_sq(output: Tensor<2>, weight: Tensor<2>, activation: Activation) -> Tensor<1> {
    assert!(
        activation.slope_follows_from_value(),
        "the slope of {activation} does not follow from its value"
    );
    #[cfg(feature = "flex")]
    if crate::target::Target::of(&output) == Some(crate::target::Target::Cpu) {
        return kernel::jacobian_norm_sq(output, weight, activation);
    }
    plain(output, weight, activation)
}

/// [`jacobian_norm_sq`] composed of Burn's operations.
pub fn plain(output: Tensor<2>, weight: Tensor<2>, activation: Activation) -> Tensor<1> {
    let slope = match activation {
        Activation::Identity => output.ones_like(),
        Activation::Sigmoid => output.clone() * (-output + 1.0),
        Activation::Tanh => -output.square() + 1.0,
        Activation::Relu | Activation::LeakyRelu => {
            output.full_like(activation.leak()).mask_fill(output.greater_elem(0.0), 1.0)
        }
        Activation::Gelu | Activation::Silu => {
            panic!("the slope of {activation} does not follow from its value")
        }
    };
    let lengths = weight.square().sum_dim(0); // [1, out]
    (slope.square() * lengths).sum_dim(1).squeeze_dim(1)
}
