//! A linear map and its gradients on the CPU: one pass on several threads.

use burn::backend::Flex;
use burn::tensor::DType;
use burn_flex::FlexTensor;

use super::kernel::{Form, Linear, LinearBackward};
use crate::Activation;
use crate::activation::cpu::{ActivationBackward, BiasActivation};
use crate::autodiff::{Gradients, Pass, by_dtype};
use crate::buffer::{add_row, contiguous, forward as forwards, tensor};
use crate::float::{Float, vectorized};
use crate::matrix::{Matrix, MatrixMut, in_columns, in_rows, multiply, product, uninit_then_fill};
use crate::{PARALLEL_THRESHOLD, parts};

impl Linear for Flex {
    fn linear(input: FlexTensor, weight: FlexTensor, bias: FlexTensor, form: Form) -> FlexTensor {
        by_dtype!(input, forward(&input, &weight, &bias, form))
    }
}

impl LinearBackward for Flex {
    fn linear_backward(pass: Pass<Self, Form>, gradient: FlexTensor) -> Gradients<Self> {
        by_dtype!(pass.output, backward(&pass, &gradient))
    }
}

fn oriented<T: Float>(weight: &FlexTensor, transposed: bool) -> Matrix<'_, T> {
    let weight = Matrix::of(weight);
    if transposed { weight.transpose() } else { weight }
}

fn forward<T: Float>(
    input: &FlexTensor,
    weight: &FlexTensor,
    bias: &FlexTensor,
    Form { transposed, activation: after }: Form,
) -> FlexTensor {
    let [input, weight] = [input, weight].map(forwards);
    let (x, w) = (Matrix::<T>::of(&input), oriented::<T>(&weight, transposed));
    let bias = contiguous(bias);
    let bias: &[T] = bias.storage();
    let (rows, columns) = (x.rows, w.columns);
    let values = uninit_then_fill(rows * columns, |values| {
        let out = MatrixMut::new(values, rows, columns);
        let parts = parts(rows * columns * w.rows);
        // Each block of columns reads only a part of the weight, which is the larger matrix unless the
        // batch is very large.
        in_columns(out, parts, &|mut block, range| {
            product(&mut block, x, w.columns(range.clone()));
            vectorized(
                #[inline(always)]
                || {
                    for row in 0..rows {
                        let bias = &bias[range.clone()];
                        after.with(BiasActivation { row: block.row(row), bias });
                    }
                },
            );
        });
    });
    tensor(values, [rows, columns])
}

fn backward<T: Float>(pass: &Pass<Flex, Form>, gradient: &FlexTensor) -> Gradients<Flex> {
    let Form { transposed, activation } = pass.form;
    let gradient = contiguous(gradient);
    let output = contiguous(&pass.output);
    let given = Matrix::<T>::of(&gradient);
    let (rows, columns) = (given.rows, given.columns);
    let pre_gradient;
    let (pre_gradient, sum) = match activation {
        Activation::Identity => (gradient.storage(), sums(gradient.storage(), columns)),
        after => {
            pre_gradient =
                activation_backward(after, gradient.storage(), output.storage(), [rows, columns]);
            let (pre_gradient, sum) = pre_gradient.split_at(rows * columns);
            (pre_gradient, sum.to_vec())
        }
    };
    let g = Matrix::new(pre_gradient, rows, columns);
    let to_input = || {
        let weight = forwards(pass.weight.as_ref()?);
        let w = oriented::<T>(&weight, transposed).transpose();
        let features = w.columns;
        let parts = parts(rows * columns * features);
        let values = uninit_then_fill(rows * features, |values| {
            in_columns(MatrixMut::new(values, rows, features), parts, &|mut block, range| {
                product(&mut block, g, w.columns(range));
            });
        });
        Some(tensor(values, [rows, features]))
    };
    let to_weight = || {
        let input = forwards(pass.input.as_ref()?);
        let x = Matrix::<T>::of(&input);
        let (left, right) = if transposed { (g.transpose(), x) } else { (x.transpose(), g) };
        let shape = [left.rows, right.columns];
        let parts = parts(rows * columns * x.columns);
        let values = uninit_then_fill(shape[0] * shape[1], |values| {
            in_rows(MatrixMut::new(values, shape[0], shape[1]), parts, &|mut block, range| {
                multiply(&mut block, false, left.rows(range), right);
            });
        });
        Some(tensor(values, shape))
    };
    // One after the other, each on all threads. If both ran at once, each would stay on the thread that started it,
    // and the thread of the quicker one would wait.
    let (input, weight) = (to_input(), to_weight());
    Gradients { input, weight, bias: tensor(sum, [columns]) }
}

/// The sum of all rows.
fn sums<T: Float>(rows: &[T], columns: usize) -> Vec<T> {
    uninit_then_fill(columns, |sums| {
        let parts = if rows.len() < PARALLEL_THRESHOLD { 1 } else { rayon::current_num_threads() };
        in_columns(MatrixMut::new(sums, 1, columns), parts, &|mut block, range| {
            let sum = block.row(0);
            sum.fill(T::ZERO);
            vectorized(
                #[inline(always)]
                || rows.chunks_exact(columns).for_each(|row| add_row(sum, &row[range.clone()])),
            );
        });
    })
}

/// The gradient before the activation, followed by one row with the sum of its rows.
fn activation_backward<T: Float>(
    after: Activation,
    gradient: &[T],
    output: &[T],
    [rows, columns]: [usize; 2],
) -> Vec<T> {
    uninit_then_fill((rows + 1) * columns, |pre_gradient| {
        let parts =
            if rows * columns < PARALLEL_THRESHOLD { 1 } else { rayon::current_num_threads() };
        let pre_gradient = MatrixMut::new(pre_gradient, rows + 1, columns);
        in_columns(pre_gradient, parts, &|mut block, range| {
            let mut sum = vec![T::ZERO; range.len()];
            vectorized(
                #[inline(always)]
                || {
                    let given = gradient.chunks_exact(columns).zip(output.chunks_exact(columns));
                    for (row, (output_gradient, output)) in given.enumerate() {
                        after.with(ActivationBackward {
                            gradient: block.row(row),
                            output_gradient: &output_gradient[range.clone()],
                            output: &output[range.clone()],
                            sum: &mut sum,
                        });
                    }
                },
            );
            block.row(rows).copy_from_slice(&sum);
        });
    })
}
