//! Both directions of a convolution and of its transpose, in parts of a batch side by side.

pub(crate) mod layout;
mod parts;
mod sides;
mod thin;

use burn::backend::Flex;
use burn::tensor::DType;
use burn_flex::FlexTensor;
use rayon::prelude::*;

use self::layout::{channels_last, last};
use self::sides::{Weights, gather, gathered, shrink, spread, unroll};
use super::geometry::{Direction, size};
use super::kernel::{Convolution, ConvolutionBackward, Form};
use crate::Activation;
use crate::activation::cpu::{Finish, Start};
use crate::autodiff::{Gradients, Pass, by_type};
use crate::buffer::{contiguous, sink, tensor};
use crate::matrix::written;
use crate::number::{Number, vectorized};

impl Convolution for Flex {
    fn convolution(
        input: FlexTensor,
        weight: FlexTensor,
        bias: FlexTensor,
        form: Form,
    ) -> FlexTensor {
        by_type!(input, forward(&input, &weight, &bias, &form))
    }
}

impl ConvolutionBackward for Flex {
    fn convolution_backward(pass: Pass<Self, Form>, gradient: FlexTensor) -> Gradients<Self> {
        by_type!(pass.output, backward(&pass, &gradient))
    }
}

/// From one side to the other.
fn forward<T: Number>(
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
    let values = written(geometry.batch * to_size, |output| {
        let (share, together) = (geometry.share::<T>(), geometry.together::<T>());
        let parts = output.par_chunks_mut(share * to_size).zip(input.par_chunks(share * from_size));
        parts.for_each_init(
            || geometry.room::<T>(),
            |patches, (output, input)| {
                let chunks = output.chunks_mut(together * to_size);
                for (output, input) in chunks.zip(input.chunks(together * from_size)) {
                    match direction {
                        Direction::Down => shrink(geometry, &weights, input, patches, output),
                        Direction::Up => spread(geometry, &weights, input, patches, output),
                    }
                    finish(output, &line, *activation);
                }
            },
        );
    });
    last(values, geometry.batch, to)
}

/// The same values over and over, one for each channel of a line of pixels: a loop over a line is
/// worth its vectors also where there is one channel.
fn along_line<T: Number>(values: &[T], width: usize) -> Vec<T> {
    values.repeat(width)
}

/// `s(values + bias)` for each pixel.
fn finish<T: Number>(values: &mut [T], line: &[T], after: Activation) {
    vectorized(
        #[inline(always)]
        || {
            for row in values.chunks_exact_mut(line.len()) {
                after.with(Finish { row, bias: line });
            }
        },
    );
}

/// The gradient before the nonlinearity, and its sum over lines.
fn start<T: Number>(
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
                after.with(Start { gradient, output_gradient, output, sum: &mut *sum });
            }
        },
    );
}

/// What a thread works in on the direction back.
struct Room<T> {
    patches: Vec<T>,
    rolled: Vec<T>,
    through: Vec<T>,
}

fn backward<T: Number>(pass: &Pass<Flex, Form>, gradient: &FlexTensor) -> Gradients<Flex> {
    let Form { direction, ref geometry, activation } = pass.form;
    let [from, to] = direction.ends(geometry);
    let [from_size, to_size] = [from, to].map(size);
    let [gradient, output] = [gradient, &pass.output].map(channels_last::<T>);
    let [gradient, output]: [&[T]; 2] = [gradient.storage(), output.storage()];
    let input = pass.input.as_ref().map(channels_last::<T>);
    let input: Option<&[T]> = input.as_ref().map(FlexTensor::storage);
    let weights =
        pass.weight.as_ref().map(|weight| Weights::<T>::new(weight, geometry, direction.back()));
    let (share, together) = (geometry.share::<T>(), geometry.together::<T>());

    let one = |room: &mut Room<T>, part: usize, mut to_input: Option<&mut [T]>| {
        let Room { patches, rolled, through } = room;
        let images = part * share..geometry.batch.min((part + 1) * share);
        let mut to_weight =
            vec![T::ZERO; if input.is_some() { geometry.filters() * geometry.patch() } else { 0 }];
        let mut sum = vec![T::ZERO; to[0] * to[2]];
        for first in images.clone().step_by(together) {
            let count = together.min(images.end - first);
            let at = |size: usize| first * size..(first + count) * size;
            let g = &mut through[..count * to_size];
            start(g, &gradient[at(to_size)], &output[at(to_size)], &mut sum, activation);
            let g = &*g;
            let here = (first - images.start) * from_size;
            let to_input = to_input.as_mut().map(|all| &mut all[here..here + count * from_size]);
            // The small side of the pass, whose product with the patches is the weight's gradient.
            let small = match direction {
                Direction::Down => {
                    if let (Some(weights), Some(to_input)) = (&weights, to_input) {
                        spread(geometry, weights, g, rolled, to_input);
                    }
                    if let Some(input) = input {
                        unroll(geometry, &input[at(from_size)], patches);
                    }
                    Some(g)
                }
                Direction::Up => {
                    match (&weights, to_input) {
                        (Some(weights), Some(to_input)) => {
                            shrink(geometry, weights, g, patches, to_input);
                        }
                        _ => unroll(geometry, g, patches),
                    }
                    input.map(|input| &input[at(from_size)])
                }
            };
            if let (Some(_), Some(small)) = (input, small) {
                gather(geometry, patches, small, &mut to_weight);
            }
        }
        (to_weight, sum)
    };

    let rooms = || Room {
        patches: geometry.room::<T>(),
        rolled: match (direction, &weights) {
            (Direction::Down, Some(_)) => geometry.room::<T>(),
            _ => Vec::new(),
        },
        through: vec![T::ZERO; together * to_size],
    };
    let count = geometry.batch.div_ceil(share);
    let mut partial: Vec<(Vec<T>, Vec<T>)> = Vec::new();
    let to_input = match weights {
        Some(_) => {
            let values = written(geometry.batch * from_size, |values| {
                let parts = values.par_chunks_mut(share * from_size).enumerate();
                partial = parts
                    .map_init(rooms, |room, (part, values)| one(room, part, Some(values)))
                    .collect();
            });
            Some(last(values, geometry.batch, from))
        }
        None => {
            let parts = (0..count).into_par_iter();
            partial = parts.map_init(rooms, |room, part| one(room, part, None)).collect();
            None
        }
    };
    let (to_weight, lines): (Vec<Vec<T>>, Vec<Vec<T>>) = partial.into_iter().unzip();
    let (to_weight, lines) = (summed(to_weight), summed(lines));
    let mut bias = vec![T::ZERO; to[0]];
    lines.chunks_exact(to[0]).for_each(|pixel| sink(&mut bias, pixel));
    Gradients {
        input: to_input,
        weight: input.map(|_| gathered(geometry, &to_weight)),
        bias: tensor(bias, [to[0]]),
    }
}

/// Numbers of a sum that a thread adds up at a time.
const SUMS: usize = 1 << 12;

/// The sum of vectors of one length, in their order.
fn summed<T: Number>(parts: Vec<Vec<T>>) -> Vec<T> {
    let mut parts = parts.into_iter();
    let mut sum = parts.next().expect("at least one image");
    let rest: Vec<Vec<T>> = parts.collect();
    sum.par_chunks_mut(SUMS).enumerate().for_each(|(chunk, sum)| {
        let first = chunk * SUMS;
        vectorized(
            #[inline(always)]
            || rest.iter().for_each(|part| sink(sum, &part[first..first + sum.len()])),
        );
    });
    sum
}
