//! Reconstruction losses, summed over features and averaged over the batch.

#[cfg(feature = "flex")]
mod cpu;
#[cfg(feature = "gpu")]
mod gpu;
#[cfg(any(feature = "flex", feature = "gpu"))]
mod kernel;

use burn::tensor::{Tensor, activation};

use crate::Activation;

/// `1 / batch sum -t log s(z) - (1 - t) log(1 - s(z))` with the sigmoid `s`, computed from the logits
/// `z`; its derivative is `(s(z) - t) / batch`.
///
/// The negative log-likelihood of the target `t`, if each output is the probability of a 1.
///
/// # Shapes
/// - logits and target: `[batch, features]`, output: `[1]`
pub fn cross_entropy(logits: Tensor<2>, target: Tensor<2>) -> Tensor<1> {
    #[cfg(any(feature = "flex", feature = "gpu"))]
    if crate::target::Target::of(&logits).is_some() {
        return kernel::loss(logits, target, kernel::Loss::CrossEntropy);
    }
    cross_entropy_by(log_sigmoid, logits, target)
}

/// `1 / batch sum (s(z) - t)^2`, for logits `z` and the activation `s` of the output.
///
/// The squared distance between output and target, averaged over the batch.
///
/// # Shapes
/// - logits and target: `[batch, features]`, output: `[1]`
pub fn squared_error(logits: Tensor<2>, output: Activation, target: Tensor<2>) -> Tensor<1> {
    #[cfg(any(feature = "flex", feature = "gpu"))]
    if output.slope_follows_from_value() && crate::target::Target::of(&logits).is_some() {
        return kernel::loss(logits, target, kernel::Loss::SquaredError(output));
    }
    plain_squared_error(logits, output, target)
}

/// [`cross_entropy`] composed of Burn's operations.
pub fn plain_cross_entropy(logits: Tensor<2>, target: Tensor<2>) -> Tensor<1> {
    cross_entropy_by(activation::log_sigmoid, logits, target)
}

fn cross_entropy_by(
    logarithm: impl FnOnce(Tensor<2>) -> Tensor<2>,
    logits: Tensor<2>,
    target: Tensor<2>,
) -> Tensor<1> {
    // A product with the inverse: Burn rounds the divisor of a gradient to single precision.
    let inverse = 1.0 / logits.dims()[0] as f64;
    ((-target + 1.0) * logits.clone() - logarithm(logits)).sum() * inverse
}

/// `log s(z)` of every component, with the sigmoid `s`; its derivative is `s(-z)`.
///
/// With autodiff it is recorded as a linear function with that slope: Burn's backward pass has sixteen operations,
/// which are not fused on a GPU.
pub fn log_sigmoid(logits: Tensor<2>) -> Tensor<2> {
    if !logits.is_autodiff() {
        return activation::log_sigmoid(logits);
    }
    let fixed = logits.clone().detach();
    // Not Burn's sigmoid, which computes in single precision.
    let slope = (fixed.clone().exp() + 1.0).recip();
    activation::log_sigmoid(fixed.clone()) + (logits - fixed) * slope
}

/// [`squared_error`] composed of Burn's operations.
pub fn plain_squared_error(logits: Tensor<2>, output: Activation, target: Tensor<2>) -> Tensor<1> {
    let inverse = 1.0 / logits.dims()[0] as f64;
    (output.apply(logits) - target).square().sum() * inverse
}

#[cfg(test)]
mod tests {
    use burn::tensor::{DType, Device, TensorData, Tolerance};

    use super::*;

    /// Against Burn's function in both types: at 0, where the sigmoid is steep, and at large arguments, where
    /// `exp` overflows.
    #[test]
    fn log_sigmoid_agrees_with_burn() {
        let device = Device::flex().autodiff();
        for (dtype, tolerance) in [(DType::F32, 1e-6), (DType::F64, 1e-12)] {
            let both = [log_sigmoid, activation::log_sigmoid].map(|function| {
                let data = TensorData::from([[0.0, 1.5, -1.5, 30.0], [-30.0, 200.0, -200.0, 1e4]]);
                let logits = Tensor::<2>::from_data(data, (&device, dtype)).require_grad();
                let value = function(logits.clone());
                let gradients = value.clone().sum().backward();
                let slope = logits.grad(&gradients).expect("a gradient");
                (value.into_data(), slope.into_data())
            });
            let [(value, slope), (expected, expected_slope)] = both;
            value.assert_approx_eq::<f64>(&expected, Tolerance::absolute(tolerance));
            slope.assert_approx_eq::<f64>(&expected_slope, Tolerance::absolute(tolerance));
        }
    }
}
