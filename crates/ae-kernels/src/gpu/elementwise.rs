//! Activations and their slopes, within kernels and as a kernel.

use burn_cubecl::cubecl;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;
use cubecl::{CubeDim, cube};

use super::{UNITS, element, empty_like, grid};
use crate::Activation;

/// `s(a)`. NaN stays NaN.
#[cube]
pub(crate) fn activate<F: Float>(a: F, #[comptime] activation: Activation) -> F {
    let mut value = a;
    if comptime!(activation == Activation::Sigmoid) {
        value = F::new(1.0) / (F::new(1.0) + F::exp(-a));
    } else if comptime!(activation == Activation::Tanh) {
        // Some drivers overflow for large arguments.
        if a > F::new(15.0) {
            value = F::new(1.0);
        } else if a < F::new(-15.0) {
            value = F::new(-1.0);
        } else {
            value = F::tanh(a);
        }
    } else if comptime!(activation == Activation::Relu) {
        if a <= F::new(0.0) {
            value = F::new(0.0);
        }
    } else if comptime!(activation == Activation::LeakyRelu) {
        if a <= F::new(0.0) {
            value = a * F::new(0.01);
        }
    }
    value
}

/// `gradient s'(a)`, from `y = s(a)`.
#[cube]
pub(crate) fn slope<F: Float>(gradient: F, y: F, #[comptime] activation: Activation) -> F {
    let mut value = gradient;
    if comptime!(activation == Activation::Sigmoid) {
        value = gradient * y * (F::new(1.0) - y);
    } else if comptime!(activation == Activation::Tanh) {
        value = gradient * (F::new(1.0) - y * y);
    } else if comptime!(activation == Activation::Relu) {
        if y <= F::new(0.0) {
            value = F::new(0.0);
        }
    } else if comptime!(activation == Activation::LeakyRelu) {
        if y <= F::new(0.0) {
            value = gradient * F::new(0.01);
        }
    }
    value
}

#[cube(launch)]
fn slopes<F: Float>(
    gradient: &[F],
    output: &[F],
    out: &mut [F],
    #[comptime] activation: Activation,
    #[define(F)] _dtype: ElemType,
) {
    if ABSOLUTE_POS < out.len() {
        out[ABSOLUTE_POS] = slope::<F>(gradient[ABSOLUTE_POS], output[ABSOLUTE_POS], activation);
    }
}

/// The gradient before the activation.
pub(crate) fn activation_backward(
    gradient: CubeTensor,
    output: CubeTensor,
    activation: Activation,
) -> CubeTensor {
    if activation == Activation::Identity {
        return gradient;
    }
    let (gradient, output) = (into_contiguous(gradient), into_contiguous(output));
    let out = empty_like(&gradient, gradient.meta.shape().clone());
    let (client, dtype) = (out.client.clone(), element(&out));
    let groups = out.meta.num_elements().div_ceil(UNITS);
    slopes::launch(
        &client,
        grid(groups),
        CubeDim::new_1d(UNITS as u32),
        gradient.into_buffer_arg(),
        output.into_buffer_arg(),
        out.clone().into_buffer_arg(),
        activation,
        dtype,
    );
    out
}
