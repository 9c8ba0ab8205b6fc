//! Losses on the CPU: one pass on several threads.

use burn::backend::{Flex, TensorMetadata};
use burn::tensor::DType;
use burn_flex::FlexTensor;
use rayon::prelude::*;

use super::kernel::{Loss, Losses, LossesBackward};
use crate::activation::cpu::ActivationLoop;
use crate::autodiff::by_dtype;
use crate::buffer::{contiguous, tensor};
use crate::float::{Float, vectorized};
use crate::matrix::uninit_then_fill;

impl Losses for Flex {
    fn loss(logits: FlexTensor, target: FlexTensor, loss: Loss) -> FlexTensor {
        by_dtype!(logits, value(&logits, &target, loss))
    }
}

impl LossesBackward for Flex {
    fn in_logits(
        logits: &FlexTensor,
        target: &FlexTensor,
        loss: Loss,
        gradient: &FlexTensor,
    ) -> FlexTensor {
        by_dtype!(logits, to_logits(logits, target, loss, gradient))
    }

    fn in_target(
        logits: &FlexTensor,
        target: &FlexTensor,
        loss: Loss,
        gradient: &FlexTensor,
    ) -> FlexTensor {
        by_dtype!(logits, to_target(logits, target, loss, gradient))
    }
}

/// The most numbers that are summed in single precision; these sums are added in double precision.
const RUN: usize = 1024;

/// Numbers that a thread processes at a time. It does not depend on the number of threads.
const PART: usize = 1 << 15;

fn value<T: Float>(logits: &FlexTensor, target: &FlexTensor, loss: Loss) -> FlexTensor {
    let batch = logits.shape()[0];
    let (logits, target) = (contiguous(logits), contiguous(target));
    let (z, t): (&[T], &[T]) = (logits.storage(), target.storage());
    let parts: Vec<f64> =
        z.par_chunks(PART).zip(t.par_chunks(PART)).map(|(z, t)| sum(z, t, loss)).collect();
    let sum: f64 = parts.into_iter().sum();
    tensor(vec![T::from_f64(sum / batch as f64)], [1])
}

fn sum<T: Float>(logits: &[T], target: &[T], loss: Loss) -> f64 {
    let pairs = logits.chunks(RUN).zip(target.chunks(RUN));
    match loss {
        Loss::CrossEntropy => pairs.map(|(z, t)| entropy(z, t).to_f64()).sum(),
        Loss::SquaredError(output) => pairs
            .map(|(z, t)| {
                vectorized(
                    #[inline(always)]
                    || output.with(Squares { z, t }),
                )
            })
            .sum(),
    }
}

/// `max(z, 0) - z t + ln(1 + exp(-|z|))`, summed.
fn entropy<T: Float>(logits: &[T], target: &[T]) -> T {
    let mut lanes = [T::ZERO; 16];
    vectorized(
        #[inline(always)]
        || {
            for (z, t) in logits.chunks(16).zip(target.chunks(16)) {
                for ((z, t), sum) in z.iter().zip(t).zip(&mut lanes) {
                    let above = if *z > T::ZERO { *z } else { T::ZERO };
                    let tail = (-z.abs()).exp_nonpositive().ln_1p();
                    // `tail` is NaN where the logit is.
                    *sum += above - *z * *t + tail;
                }
            }
        },
    );
    lanes.into_iter().fold(T::ZERO, |sum, lane| sum + lane)
}

struct Squares<'a, T> {
    z: &'a [T],
    t: &'a [T],
}

impl<T: Float> ActivationLoop<T, f64> for Squares<'_, T> {
    #[inline(always)]
    fn run(self, value: impl Fn(T) -> T + Copy, _: impl Fn(T) -> T + Copy) -> f64 {
        let mut lanes = [T::ZERO; 16];
        for (z, t) in self.z.chunks(16).zip(self.t.chunks(16)) {
            for ((z, t), sum) in z.iter().zip(t).zip(&mut lanes) {
                let difference = value(*z) - *t;
                *sum += difference * difference;
            }
        }
        lanes.into_iter().map(Float::to_f64).sum()
    }
}

fn factor<T: Float>(logits: &FlexTensor, gradient: &FlexTensor) -> T {
    let gradient = contiguous(gradient);
    T::from_f64(gradient.storage::<T>()[0].to_f64() / logits.shape()[0] as f64)
}

/// The derivative with respect to the logits, times the gradient of the loss.
fn to_logits<T: Float>(
    logits: &FlexTensor,
    target: &FlexTensor,
    loss: Loss,
    gradient: &FlexTensor,
) -> FlexTensor {
    let shape: [usize; 2] = logits.shape().dims();
    let factor = factor::<T>(logits, gradient);
    let (logits, target) = (contiguous(logits), contiguous(target));
    let (z, t): (&[T], &[T]) = (logits.storage(), target.storage());
    let values = uninit_then_fill(z.len(), |out| {
        let parts = out.par_chunks_mut(PART).zip(z.par_chunks(PART)).zip(t.par_chunks(PART));
        parts.for_each(|((out, z), t)| {
            vectorized(
                #[inline(always)]
                || match loss {
                    Loss::CrossEntropy => {
                        for ((out, z), t) in out.iter_mut().zip(z).zip(t) {
                            *out = (z.sigmoid() - *t) * factor;
                        }
                    }
                    Loss::SquaredError(output) => output.with(ToLogits { out, z, t, factor }),
                },
            );
        });
    });
    tensor(values, shape)
}

struct ToLogits<'a, T> {
    out: &'a mut [T],
    z: &'a [T],
    t: &'a [T],
    factor: T,
}

impl<T: Float> ActivationLoop<T, ()> for ToLogits<'_, T> {
    #[inline(always)]
    fn run(self, value: impl Fn(T) -> T + Copy, slope: impl Fn(T) -> T + Copy) {
        let twice = self.factor + self.factor;
        for ((out, z), t) in self.out.iter_mut().zip(self.z).zip(self.t) {
            let y = value(*z);
            *out = twice * (y - *t) * slope(y);
        }
    }
}

/// The derivative with respect to the target, times the gradient of the loss.
fn to_target<T: Float>(
    logits: &FlexTensor,
    target: &FlexTensor,
    loss: Loss,
    gradient: &FlexTensor,
) -> FlexTensor {
    let shape: [usize; 2] = logits.shape().dims();
    let factor = factor::<T>(logits, gradient);
    let (logits, target) = (contiguous(logits), contiguous(target));
    let (z, t): (&[T], &[T]) = (logits.storage(), target.storage());
    let values = uninit_then_fill(z.len(), |out| match loss {
        Loss::CrossEntropy => out.iter_mut().zip(z).for_each(|(out, z)| *out = -*z * factor),
        Loss::SquaredError(output) => output.with(ToTarget { out, z, t, factor }),
    });
    tensor(values, shape)
}

struct ToTarget<'a, T> {
    out: &'a mut [T],
    z: &'a [T],
    t: &'a [T],
    factor: T,
}

impl<T: Float> ActivationLoop<T, ()> for ToTarget<'_, T> {
    #[inline(always)]
    fn run(self, value: impl Fn(T) -> T + Copy, _: impl Fn(T) -> T + Copy) {
        let twice = self.factor + self.factor;
        for ((out, z), t) in self.out.iter_mut().zip(self.z).zip(self.t) {
            *out = twice * (*t - value(*z));
        }
    }
}
