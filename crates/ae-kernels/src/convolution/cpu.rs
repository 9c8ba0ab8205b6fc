//! A convolution, its transpose and the gradients of both on the CPU: parts of a batch in parallel.

pub(crate) mod layout;
mod passes;
mod patches;
mod small_channels;

use burn::backend::Flex;
use burn::tensor::DType;
use burn_flex::FlexTensor;
use rayon::prelude::*;

use self::layout::{channels_last, from_channels_last};
use self::passes::{
    Weights, add_weight_gradient, im2col, large_to_small, small_to_large, weight_gradient,
};
use super::geometry::{Direction, size};
use super::kernel::{Convolution, ConvolutionBackward, Form};
use crate::Activation;
use crate::activation::cpu::{ActivationBackward, BiasActivation};
use crate::autodiff::{Gradients, Pass, by_dtype};
use crate::buffer::{add_row, contiguous, tensor};
use crate::float::{Float, vectorized};
use crate::matrix::uninit_then_fill;

impl Convolution for Flex {
    fn convolution(
        input: FlexTensor,
        weight: FlexTensor,
        bias: FlexTensor,
        form: Form,
    ) -> FlexTensor {
        by_dtype!(input, forward(&input, &weight, &bias, &form))
    }
}

impl ConvolutionBackward for Flex {
    fn convolution_backward(pass: Pass<Self, Form>, gradient: FlexTensor) -> Gradients<Self> {
        by_dtype!(pass.output, backward(&pass, &gradient))
    }
}

/// The forward pass from one side to the other.
fn forward<T: Float>(
    input: &FlexTensor,
    weight: &FlexTensor,
    bias: &FlexTensor,
    form: &Form,
) -> FlexTensor {
    let Form { direction, geometry, activation } = form;
    let [from, to] = direction.ends(geometry);
    let (input, bias) = (channels_last::<T>(input), contiguous(bias));
    let (weights, line) =
        (Weights::<T>::new(weight, geometry, *direction), along_line::<T>(bias.storage(), to[2]));
    let input: &[T] = input.storage();
    let [from_size, to_size] = [from, to].map(size);
    let values = uninit_then_fill(geometry.batch * to_size, |output| {
        let (images_per_part, images_per_block) =
            (geometry.images_per_part::<T>(), geometry.images_per_block::<T>());
        let parts = output
            .par_chunks_mut(images_per_part * to_size)
            .zip(input.par_chunks(images_per_part * from_size));
        parts.for_each_init(
            || geometry.scratch::<T>(),
            |patches, (output, input)| {
                let chunks = output.chunks_mut(images_per_block * to_size);
                for (output, input) in chunks.zip(input.chunks(images_per_block * from_size)) {
                    match direction {
                        Direction::Down => {
                            large_to_small(geometry, &weights, input, patches, output)
                        }
                        Direction::Up => small_to_large(geometry, &weights, input, patches, output),
                    }
                    bias_activation(output, &line, *activation);
                }
            },
        );
    });
    from_channels_last(values, geometry.batch, to)
}

/// One value per channel, repeated for each pixel of a line. A loop over a whole line vectorises even with a single
/// channel.
fn along_line<T: Float>(values: &[T], width: usize) -> Vec<T> {
    values.repeat(width)
}

/// `s(values + bias)` for each pixel.
fn bias_activation<T: Float>(values: &mut [T], line: &[T], after: Activation) {
    vectorized(
        #[inline(always)]
        || {
            for row in values.chunks_exact_mut(line.len()) {
                after.with(BiasActivation { row, bias: line });
            }
        },
    );
}

/// The gradient before the activation, and its sum over lines.
fn activation_backward<T: Float>(
    gradient: &mut [T],
    output_gradient: &[T],
    output: &[T],
    sum: &mut [T],
    after: Activation,
) {
    let len = sum.len();
    vectorized(
        #[inline(always)]
        || {
            let given = output_gradient.chunks_exact(len).zip(output.chunks_exact(len));
            for (gradient, (output_gradient, output)) in gradient.chunks_exact_mut(len).zip(given) {
                after.with(ActivationBackward {
                    gradient,
                    output_gradient,
                    output,
                    sum: &mut *sum,
                });
            }
        },
    );
}

/// The buffers of a thread in the backward pass.
struct Scratch<T> {
    patches: Vec<T>,
    columns: Vec<T>,
    pre_gradient: Vec<T>,
}

fn backward<T: Float>(pass: &Pass<Flex, Form>, gradient: &FlexTensor) -> Gradients<Flex> {
    let Form { direction, ref geometry, activation } = pass.form;
    let [from, to] = direction.ends(geometry);
    let [from_size, to_size] = [from, to].map(size);
    let [gradient, output] = [gradient, &pass.output].map(channels_last::<T>);
    let [gradient, output]: [&[T]; 2] = [gradient.storage(), output.storage()];
    let input = pass.input.as_ref().map(channels_last::<T>);
    let input: Option<&[T]> = input.as_ref().map(FlexTensor::storage);
    let weights =
        pass.weight.as_ref().map(|weight| Weights::<T>::new(weight, geometry, direction.back()));
    let (images_per_part, images_per_block) =
        (geometry.images_per_part::<T>(), geometry.images_per_block::<T>());

    let one = |scratch: &mut Scratch<T>, part: usize, mut to_input: Option<&mut [T]>| {
        let Scratch { patches, columns, pre_gradient } = scratch;
        let images = part * images_per_part..geometry.batch.min((part + 1) * images_per_part);
        let mut to_weight =
            vec![T::ZERO; if input.is_some() { geometry.filters() * geometry.patch() } else { 0 }];
        let mut sum = vec![T::ZERO; to[0] * to[2]];
        for first in images.clone().step_by(images_per_block) {
            let count = images_per_block.min(images.end - first);
            let at = |size: usize| first * size..(first + count) * size;
            let g = &mut pre_gradient[..count * to_size];
            activation_backward(
                g,
                &gradient[at(to_size)],
                &output[at(to_size)],
                &mut sum,
                activation,
            );
            let g = &*g;
            let here = (first - images.start) * from_size;
            let to_input = to_input.as_mut().map(|all| &mut all[here..here + count * from_size]);
            // The small side. Its product with the patches is the weight's gradient.
            let small = match direction {
                Direction::Down => {
                    if let (Some(weights), Some(to_input)) = (&weights, to_input) {
                        small_to_large(geometry, weights, g, columns, to_input);
                    }
                    if let Some(input) = input {
                        im2col(geometry, &input[at(from_size)], patches);
                    }
                    Some(g)
                }
                Direction::Up => {
                    match (&weights, to_input) {
                        (Some(weights), Some(to_input)) => {
                            large_to_small(geometry, weights, g, patches, to_input);
                        }
                        _ => im2col(geometry, g, patches),
                    }
                    input.map(|input| &input[at(from_size)])
                }
            };
            if let (Some(_), Some(small)) = (input, small) {
                add_weight_gradient(geometry, patches, small, &mut to_weight);
            }
        }
        (to_weight, sum)
    };

    let new_scratch = || Scratch {
        patches: geometry.scratch::<T>(),
        columns: match (direction, &weights) {
            (Direction::Down, Some(_)) => geometry.scratch::<T>(),
            _ => Vec::new(),
        },
        pre_gradient: vec![T::ZERO; images_per_block * to_size],
    };
    let count = geometry.batch.div_ceil(images_per_part);
    let mut partial: Vec<(Vec<T>, Vec<T>)> = Vec::new();
    let to_input = match weights {
        Some(_) => {
            let values = uninit_then_fill(geometry.batch * from_size, |values| {
                let parts = values.par_chunks_mut(images_per_part * from_size).enumerate();
                partial = parts
                    .map_init(new_scratch, |scratch, (part, values)| {
                        one(scratch, part, Some(values))
                    })
                    .collect();
            });
            Some(from_channels_last(values, geometry.batch, from))
        }
        None => {
            let parts = (0..count).into_par_iter();
            partial =
                parts.map_init(new_scratch, |scratch, part| one(scratch, part, None)).collect();
            None
        }
    };
    let (to_weight, lines): (Vec<Vec<T>>, Vec<Vec<T>>) = partial.into_iter().unzip();
    let (to_weight, lines) = (summed(to_weight), summed(lines));
    let mut bias = vec![T::ZERO; to[0]];
    lines.chunks_exact(to[0]).for_each(|pixel| add_row(&mut bias, pixel));
    Gradients {
        input: to_input,
        weight: input.map(|_| weight_gradient(geometry, &to_weight)),
        bias: tensor(bias, [to[0]]),
    }
}

/// Numbers of a sum that a thread adds at a time.
const SUMS: usize = 1 << 12;

/// The sum of vectors of equal length, in order.
fn summed<T: Float>(parts: Vec<Vec<T>>) -> Vec<T> {
    let mut parts = parts.into_iter();
    let mut sum = parts.next().expect("at least one image");
    let rest: Vec<Vec<T>> = parts.collect();
    sum.par_chunks_mut(SUMS).enumerate().for_each(|(chunk, sum)| {
        let first = chunk * SUMS;
        vectorized(
            #[inline(always)]
            || rest.iter().for_each(|part| add_row(sum, &part[first..first + sum.len()])),
        );
    });
    sum
}
