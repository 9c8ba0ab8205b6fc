//! One pass on threads of the CPU.

use burn::backend::Flex;
use burn::tensor::DType;
use burn_flex::FlexTensor;

use super::kernel::{Form, Linear, LinearBackward};
use crate::Activation;
use crate::activation::cpu::{Finish, Start};
use crate::autodiff::{Gradients, Pass, by_type};
use crate::buffer::{contiguous, forward as forwards, sink, tensor};
use crate::matrix::{Matrix, MatrixMut, in_columns, in_rows, multiply, product, written};
use crate::number::{Number, vectorized};
use crate::{MANY, parts};

impl Linear for Flex {
    fn linear(input: FlexTensor, weight: FlexTensor, bias: FlexTensor, form: Form) -> FlexTensor {
        by_type!(input, forward(&input, &weight, &bias, form))
    }
}

impl LinearBackward for Flex {
    fn linear_backward(pass: Pass<Self, Form>, gradient: FlexTensor) -> Gradients<Self> {
        by_type!(pass.output, backward(&pass, &gradient))
    }
}

fn oriented<T: Number>(weight: &FlexTensor, transposed: bool) -> Matrix<'_, T> {
    let weight = Matrix::of(weight);
    if transposed { weight.transpose() } else { weight }
}

fn forward<T: Number>(
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
    let values = written(rows * columns, |values| {
        let out = MatrixMut::new(values, rows, columns);
        let parts = parts(rows * columns * w.rows);
        // Blocks of columns read each its part of the weight, which is the larger matrix unless the
        // batch is very large.
        in_columns(out, parts, &|mut block, range| {
            product(&mut block, x, w.columns(range.clone()));
            vectorized(
                #[inline(always)]
                || {
                    for row in 0..rows {
                        let bias = &bias[range.clone()];
                        after.with(Finish { row: block.row(row), bias });
                    }
                },
            );
        });
    });
    tensor(values, [rows, columns])
}

fn backward<T: Number>(pass: &Pass<Flex, Form>, gradient: &FlexTensor) -> Gradients<Flex> {
    let Form { transposed, activation } = pass.form;
    let gradient = contiguous(gradient);
    let output = contiguous(&pass.output);
    let given = Matrix::<T>::of(&gradient);
    let (rows, columns) = (given.rows, given.columns);
    let through;
    let (through, sum) = match activation {
        Activation::Identity => (gradient.storage(), sums(gradient.storage(), columns)),
        after => {
            through = slope(after, gradient.storage(), output.storage(), [rows, columns]);
            let (through, sum) = through.split_at(rows * columns);
            (through, sum.to_vec())
        }
    };
    let g = Matrix::new(through, rows, columns);
    let to_input = || {
        let weight = forwards(pass.weight.as_ref()?);
        let w = oriented::<T>(&weight, transposed).transpose();
        let features = w.columns;
        let parts = parts(rows * columns * features);
        let values = written(rows * features, |values| {
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
        let values = written(shape[0] * shape[1], |values| {
            in_rows(MatrixMut::new(values, shape[0], shape[1]), parts, &|mut block, range| {
                multiply(&mut block, false, left.rows(range), right);
            });
        });
        Some(tensor(values, shape))
    };
    // One after the other, each on all threads. Side by side each stays with the thread that it was begun on,
    // and that of the quicker one waits.
    let (input, weight) = (to_input(), to_weight());
    Gradients { input, weight, bias: tensor(sum, [columns]) }
}

/// The sum of all rows.
fn sums<T: Number>(rows: &[T], columns: usize) -> Vec<T> {
    written(columns, |sums| {
        let parts = if rows.len() < MANY { 1 } else { rayon::current_num_threads() };
        in_columns(MatrixMut::new(sums, 1, columns), parts, &|mut block, range| {
            let sum = block.row(0);
            sum.fill(T::ZERO);
            vectorized(
                #[inline(always)]
                || rows.chunks_exact(columns).for_each(|row| sink(sum, &row[range.clone()])),
            );
        });
    })
}

/// The gradient before the nonlinearity, and after its rows one more with their sum.
fn slope<T: Number>(
    after: Activation,
    gradient: &[T],
    output: &[T],
    [rows, columns]: [usize; 2],
) -> Vec<T> {
    written((rows + 1) * columns, |through| {
        let parts = if rows * columns < MANY { 1 } else { rayon::current_num_threads() };
        let through = MatrixMut::new(through, rows + 1, columns);
        in_columns(through, parts, &|mut block, range| {
            let mut sum = vec![T::ZERO; range.len()];
            vectorized(
                #[inline(always)]
                || {
                    let given = gradient.chunks_exact(columns).zip(output.chunks_exact(columns));
                    for (row, (output_gradient, output)) in given.enumerate() {
                        after.with(Start {
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
