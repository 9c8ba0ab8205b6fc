//! The norm of a Jacobian on the CPU: one pass on several threads.

use burn::backend::{Flex, TensorMetadata};
use burn::tensor::DType;
use burn_flex::FlexTensor;
use rayon::prelude::*;

use super::kernel::{Jacobian, JacobianBackward};
use crate::Activation;
use crate::autodiff::by_dtype;
use crate::buffer::{add_row, contiguous, tensor};
use crate::float::{Float, vectorized};
use crate::matrix::uninit_then_fill;

impl Jacobian for Flex {
    fn jacobian_norm_sq(
        output: FlexTensor,
        weight: FlexTensor,
        activation: Activation,
    ) -> FlexTensor {
        fn norms<T: Float>(
            output: &FlexTensor,
            weight: &FlexTensor,
            activation: Activation,
        ) -> FlexTensor {
            value::<T>(output, &lengths(weight), activation)
        }
        by_dtype!(output, norms(&output, &weight, activation))
    }
}

impl JacobianBackward for Flex {
    fn jacobian_norm_sq_backward(
        output: &FlexTensor,
        weight: &FlexTensor,
        activation: Activation,
        gradient: &FlexTensor,
    ) -> [FlexTensor; 2] {
        fn both<T: Float>(
            output: &FlexTensor,
            weight: &FlexTensor,
            activation: Activation,
            gradient: &FlexTensor,
        ) -> [FlexTensor; 2] {
            backward::<T>(output, weight, &lengths(weight), activation, gradient)
        }
        by_dtype!(gradient, both(output, weight, activation, gradient))
    }
}

/// Rows of a weight that a thread processes at a time. It does not depend on the number of threads.
const ROWS: usize = 64;

/// `s'(a)^2` and its derivative in `y = s(a)`.
#[inline(always)]
fn squared_slope<T: Float>(after: Activation, y: T) -> [T; 2] {
    let two = T::ONE + T::ONE;
    match after {
        Activation::Identity => [T::ONE, T::ZERO],
        Activation::Sigmoid => {
            let slope = y * (T::ONE - y);
            [slope * slope, two * slope * (T::ONE - two * y)]
        }
        Activation::Tanh => {
            let slope = T::ONE - y * y;
            [slope * slope, -(two * two) * slope * y]
        }
        Activation::Relu | Activation::LeakyRelu => {
            let slope = if y > T::ZERO { T::ONE } else { T::from_f64(after.leak()) };
            [slope * slope, T::ZERO]
        }
        Activation::Gelu | Activation::Silu => unreachable!("refused before"),
    }
}

/// The squared length of every column of a weight.
fn lengths<T: Float>(weight: &FlexTensor) -> Vec<T> {
    let [_, columns] = weight.shape().dims();
    let weight = contiguous(weight);
    let blocks = weight.storage::<T>().par_chunks(ROWS * columns);
    let parts: Vec<Vec<T>> = blocks
        .map(|block| {
            let mut lengths = vec![T::ZERO; columns];
            vectorized(
                #[inline(always)]
                || {
                    for row in block.chunks_exact(columns) {
                        lengths.iter_mut().zip(row).for_each(|(sum, w)| *sum += *w * *w);
                    }
                },
            );
            lengths
        })
        .collect();
    let mut sum = vec![T::ZERO; columns];
    parts.iter().for_each(|part| add_row(&mut sum, part));
    sum
}

fn value<T: Float>(output: &FlexTensor, lengths: &[T], after: Activation) -> FlexTensor {
    let [batch, columns] = output.shape().dims();
    let output = contiguous(output);
    let rows = output.storage::<T>().chunks_exact(columns);
    let norms = rows.map(|row| {
        let mut lanes = [T::ZERO; 16];
        vectorized(
            #[inline(always)]
            || {
                for (row, lengths) in row.chunks(16).zip(lengths.chunks(16)) {
                    for ((y, length), sum) in row.iter().zip(lengths).zip(&mut lanes) {
                        *sum += squared_slope(after, *y)[0] * *length;
                    }
                }
            },
        );
        lanes.into_iter().fold(T::ZERO, |sum, lane| sum + lane)
    });
    tensor(norms.collect(), [batch])
}

/// The gradients with respect to the outputs and to the weight: `g_b L_j d s'^2 / d y` and
/// `2 W_ij sum_b g_b s'_bj^2`.
fn backward<T: Float>(
    output: &FlexTensor,
    weight: &FlexTensor,
    lengths: &[T],
    after: Activation,
    gradient: &FlexTensor,
) -> [FlexTensor; 2] {
    let ([batch, columns], [rows, _]) = (output.shape().dims(), weight.shape().dims());
    let [output, weight, gradient] = [output, weight, gradient].map(contiguous);
    let gradient: &[T] = gradient.storage();
    let mut sums = vec![T::ZERO; columns];
    let to_output = uninit_then_fill(batch * columns, |to_output| {
        let pairs =
            to_output.chunks_exact_mut(columns).zip(output.storage::<T>().chunks_exact(columns));
        vectorized(
            #[inline(always)]
            || {
                for ((to, row), g) in pairs.zip(gradient) {
                    for (((to, y), length), sum) in
                        to.iter_mut().zip(row).zip(lengths).zip(&mut sums)
                    {
                        let [square, bend] = squared_slope(after, *y);
                        *to = *g * *length * bend;
                        *sum += *g * square;
                    }
                }
            },
        );
    });
    let to_weight = uninit_then_fill(rows * columns, |to_weight| {
        let blocks = to_weight.par_chunks_mut(ROWS * columns);
        blocks.zip(weight.storage::<T>().par_chunks(ROWS * columns)).for_each(|(to, weight)| {
            vectorized(
                #[inline(always)]
                || {
                    let rows = to.chunks_exact_mut(columns).zip(weight.chunks_exact(columns));
                    for (to, row) in rows {
                        for ((to, w), sum) in to.iter_mut().zip(row).zip(&sums) {
                            *to = (*w + *w) * *sum;
                        }
                    }
                },
            );
        });
    });
    [tensor(to_output, [batch, columns]), tensor(to_weight, [rows, columns])]
}
