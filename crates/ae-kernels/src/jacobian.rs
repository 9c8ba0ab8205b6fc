//! The squared norm of the Jacobian of one layer.

use burn::tensor::Tensor;

use crate::Nonlinearity;

/// `||J||_F^2 = sum_j s'(a_j)^2 sum_i W_ij^2` of each sample for `y = s(x W + b)` (Rifai et al. 2011,
/// ICML, equation 5), from the outputs `y`: the slope follows from them.
///
/// # Shapes
/// - output `y` of the layer: `[batch, out]`, weight `W`: `[in, out]`, result: `[batch]`
pub fn squared_jacobian(output: Tensor<2>, weight: Tensor<2>, after: Nonlinearity) -> Tensor<1> {
    #[cfg(feature = "flex")]
    if crate::is_ours(&output) {
        return crate::backend::squared_jacobian(output, weight, after);
    }
    plain(output, weight, after)
}

/// As [`squared_jacobian`], in Burn's operations.
pub fn plain(output: Tensor<2>, weight: Tensor<2>, after: Nonlinearity) -> Tensor<1> {
    let slope = match after {
        Nonlinearity::Identity => output.ones_like(),
        Nonlinearity::Sigmoid => output.clone() * (-output + 1.0),
        Nonlinearity::Tanh => -output.square() + 1.0,
        Nonlinearity::Rectifier(leak) => {
            output.full_like(leak).mask_fill(output.greater_elem(0.0), 1.0)
        }
    };
    let lengths = weight.square().sum_dim(0); // [1, out]
    (slope.square() * lengths).sum_dim(1).squeeze_dim(1)
}

#[cfg(feature = "flex")]
pub(crate) mod kernel {
    use burn::backend::TensorMetadata;
    use burn_flex::FlexTensor;
    use rayon::prelude::*;

    use crate::Nonlinearity;
    use crate::buffer::{contiguous, sink, tensor};
    use crate::matrix::written;
    use crate::number::{Number, vectorized};

    /// Rows of a weight that a thread takes at a time, whatever the number of threads.
    const ROWS: usize = 64;

    /// `s'(a)^2` and its derivative in `y = s(a)`.
    #[inline(always)]
    fn squared_slope<T: Number>(after: Nonlinearity, y: T) -> [T; 2] {
        let two = T::ONE + T::ONE;
        match after {
            Nonlinearity::Identity => [T::ONE, T::ZERO],
            Nonlinearity::Sigmoid => {
                let slope = y * (T::ONE - y);
                [slope * slope, two * slope * (T::ONE - two * y)]
            }
            Nonlinearity::Tanh => {
                let slope = T::ONE - y * y;
                [slope * slope, -(two * two) * slope * y]
            }
            Nonlinearity::Rectifier(leak) => {
                let slope = if y > T::ZERO { T::ONE } else { T::of(leak) };
                [slope * slope, T::ZERO]
            }
        }
    }

    /// The squared length of every column of a weight.
    pub(crate) fn lengths<T: Number>(weight: &FlexTensor) -> Vec<T> {
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
        parts.iter().for_each(|part| sink(&mut sum, part));
        sum
    }

    pub(crate) fn value<T: Number>(
        output: &FlexTensor,
        lengths: &[T],
        after: Nonlinearity,
    ) -> FlexTensor {
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

    /// The gradients in the outputs and in the weight: `g_b L_j d s'^2 / d y` and
    /// `2 W_ij sum_b g_b s'_bj^2`.
    pub(crate) fn backward<T: Number>(
        output: &FlexTensor,
        weight: &FlexTensor,
        lengths: &[T],
        after: Nonlinearity,
        gradient: &FlexTensor,
    ) -> [FlexTensor; 2] {
        let ([batch, columns], [rows, _]) = (output.shape().dims(), weight.shape().dims());
        let [output, weight, gradient] = [output, weight, gradient].map(contiguous);
        let gradient: &[T] = gradient.storage();
        let mut sums = vec![T::ZERO; columns];
        let to_output = written(batch * columns, |to_output| {
            let pairs = to_output
                .chunks_exact_mut(columns)
                .zip(output.storage::<T>().chunks_exact(columns));
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
        let to_weight = written(rows * columns, |to_weight| {
            let blocks = to_weight.par_chunks_mut(ROWS * columns);
            blocks.zip(weight.storage::<T>().par_chunks(ROWS * columns)).for_each(
                |(to, weight)| {
                    vectorized(
                        #[inline(always)]
                        || {
                            let rows =
                                to.chunks_exact_mut(columns).zip(weight.chunks_exact(columns));
                            for (to, row) in rows {
                                for ((to, w), sum) in to.iter_mut().zip(row).zip(&sums) {
                                    *to = (*w + *w) * *sum;
                                }
                            }
                        },
                    );
                },
            );
        });
        [tensor(to_output, [batch, columns]), tensor(to_weight, [rows, columns])]
    }
}
