//! Losses of a reconstruction, summed over features and averaged over the batch.

use burn::tensor::{Tensor, activation};

use crate::Nonlinearity;

/// `1 / batch sum -t log s(z) - (1 - t) log(1 - s(z))` with the sigmoid `s`, computed from the logits
/// `z`; its derivative is `(s(z) - t) / batch`.
///
/// # Shapes
/// - logits and target: `[batch, features]`, output: `[1]`
pub fn cross_entropy(logits: Tensor<2>, target: Tensor<2>) -> Tensor<1> {
    #[cfg(feature = "flex")]
    if crate::is_ours(&logits) {
        return crate::backend::loss(logits, target, Loss::CrossEntropy);
    }
    cross_entropy_by(log_sigmoid, logits, target)
}

/// `1 / batch sum (s(z) - t)^2`, for logits `z` and the nonlinearity `s` of the output.
///
/// # Shapes
/// - logits and target: `[batch, features]`, output: `[1]`
pub fn squared_error(logits: Tensor<2>, output: Nonlinearity, target: Tensor<2>) -> Tensor<1> {
    #[cfg(feature = "flex")]
    if crate::is_ours(&logits) {
        return crate::backend::loss(logits, target, Loss::SquaredError(output));
    }
    plain_squared_error(logits, output, target)
}

/// As [`cross_entropy`], in Burn's operations.
pub fn plain_cross_entropy(logits: Tensor<2>, target: Tensor<2>) -> Tensor<1> {
    cross_entropy_by(activation::log_sigmoid, logits, target)
}

fn cross_entropy_by(
    logarithm: impl FnOnce(Tensor<2>) -> Tensor<2>,
    logits: Tensor<2>,
    target: Tensor<2>,
) -> Tensor<1> {
    // Times the inverse: Burn rounds what it divides a gradient by to single precision.
    let share = 1.0 / logits.dims()[0] as f64;
    ((-target + 1.0) * logits.clone() - logarithm(logits)).sum() * share
}

/// `log s(z)` of every component, with the sigmoid `s`; its derivative is `s(-z)`.
///
/// On a tape it is a linear function of that slope: Burn's own step back has sixteen operations, which are
/// not fused on a GPU.
pub fn log_sigmoid(logits: Tensor<2>) -> Tensor<2> {
    if !logits.is_autodiff() {
        return activation::log_sigmoid(logits);
    }
    let fixed = logits.clone().detach();
    // Not Burn's sigmoid, which is computed in single precision.
    let slope = (fixed.clone().exp() + 1.0).recip();
    activation::log_sigmoid(fixed.clone()) + (logits - fixed) * slope
}

/// As [`squared_error`], in Burn's operations.
pub fn plain_squared_error(
    logits: Tensor<2>,
    output: Nonlinearity,
    target: Tensor<2>,
) -> Tensor<1> {
    let share = 1.0 / logits.dims()[0] as f64;
    (output.apply(logits) - target).square().sum() * share
}

/// Which loss.
#[cfg(feature = "flex")]
#[derive(Clone, Copy, Debug)]
pub(crate) enum Loss {
    CrossEntropy,
    SquaredError(Nonlinearity),
}

#[cfg(feature = "flex")]
pub(crate) mod kernel {
    use burn::backend::TensorMetadata;
    use burn_flex::FlexTensor;
    use rayon::prelude::*;

    use super::Loss;
    use crate::buffer::{contiguous, tensor};
    use crate::matrix::written;
    use crate::nonlinearity::Body;
    use crate::number::{Number, vectorized};

    /// Sums in single precision go over so many numbers at most before they go on in double precision.
    const RUN: usize = 1024;

    /// Numbers that a thread takes at a time, whatever the number of threads.
    const PART: usize = 1 << 15;

    pub(crate) fn value<T: Number>(
        logits: &FlexTensor,
        target: &FlexTensor,
        loss: Loss,
    ) -> FlexTensor {
        let batch = logits.shape()[0];
        let (logits, target) = (contiguous(logits), contiguous(target));
        let (z, t): (&[T], &[T]) = (logits.storage(), target.storage());
        let parts: Vec<f64> =
            z.par_chunks(PART).zip(t.par_chunks(PART)).map(|(z, t)| sum(z, t, loss)).collect();
        let sum: f64 = parts.into_iter().sum();
        tensor(vec![T::of(sum / batch as f64)], [1])
    }

    fn sum<T: Number>(logits: &[T], target: &[T], loss: Loss) -> f64 {
        let pairs = logits.chunks(RUN).zip(target.chunks(RUN));
        match loss {
            Loss::CrossEntropy => pairs.map(|(z, t)| entropy(z, t).wide()).sum(),
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
    fn entropy<T: Number>(logits: &[T], target: &[T]) -> T {
        let mut lanes = [T::ZERO; 16];
        vectorized(
            #[inline(always)]
            || {
                for (z, t) in logits.chunks(16).zip(target.chunks(16)) {
                    for ((z, t), sum) in z.iter().zip(t).zip(&mut lanes) {
                        let above = if *z > T::ZERO { *z } else { T::ZERO };
                        let tail = (-z.absolute()).exponential().logarithm_1p();
                        // What is not a number shows through `tail`.
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

    impl<T: Number> Body<T, f64> for Squares<'_, T> {
        #[inline(always)]
        fn run(self, value: impl Fn(T) -> T + Copy, _: impl Fn(T) -> T + Copy) -> f64 {
            let mut lanes = [T::ZERO; 16];
            for (z, t) in self.z.chunks(16).zip(self.t.chunks(16)) {
                for ((z, t), sum) in z.iter().zip(t).zip(&mut lanes) {
                    let difference = value(*z) - *t;
                    *sum += difference * difference;
                }
            }
            lanes.into_iter().map(Number::wide).sum()
        }
    }

    fn factor<T: Number>(logits: &FlexTensor, gradient: &FlexTensor) -> T {
        let gradient = contiguous(gradient);
        T::of(gradient.storage::<T>()[0].wide() / logits.shape()[0] as f64)
    }

    /// The derivative in the logits, times the gradient of the loss.
    pub(crate) fn to_logits<T: Number>(
        logits: &FlexTensor,
        target: &FlexTensor,
        loss: Loss,
        gradient: &FlexTensor,
    ) -> FlexTensor {
        let shape: [usize; 2] = logits.shape().dims();
        let factor = factor::<T>(logits, gradient);
        let (logits, target) = (contiguous(logits), contiguous(target));
        let (z, t): (&[T], &[T]) = (logits.storage(), target.storage());
        let values = written(z.len(), |out| {
            let parts = out.par_chunks_mut(PART).zip(z.par_chunks(PART)).zip(t.par_chunks(PART));
            parts.for_each(|((out, z), t)| {
                vectorized(
                    #[inline(always)]
                    || match loss {
                        Loss::CrossEntropy => {
                            for ((out, z), t) in out.iter_mut().zip(z).zip(t) {
                                *out = (z.logistic() - *t) * factor;
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

    impl<T: Number> Body<T, ()> for ToLogits<'_, T> {
        #[inline(always)]
        fn run(self, value: impl Fn(T) -> T + Copy, slope: impl Fn(T) -> T + Copy) {
            let twice = self.factor + self.factor;
            for ((out, z), t) in self.out.iter_mut().zip(self.z).zip(self.t) {
                let y = value(*z);
                *out = twice * (y - *t) * slope(y);
            }
        }
    }

    /// The derivative in the target, times the gradient of the loss.
    pub(crate) fn to_target<T: Number>(
        logits: &FlexTensor,
        target: &FlexTensor,
        loss: Loss,
        gradient: &FlexTensor,
    ) -> FlexTensor {
        let shape: [usize; 2] = logits.shape().dims();
        let factor = factor::<T>(logits, gradient);
        let (logits, target) = (contiguous(logits), contiguous(target));
        let (z, t): (&[T], &[T]) = (logits.storage(), target.storage());
        let values = written(z.len(), |out| match loss {
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

    impl<T: Number> Body<T, ()> for ToTarget<'_, T> {
        #[inline(always)]
        fn run(self, value: impl Fn(T) -> T + Copy, _: impl Fn(T) -> T + Copy) {
            let twice = self.factor + self.factor;
            for ((out, z), t) in self.out.iter_mut().zip(self.z).zip(self.t) {
                *out = twice * (*t - value(*z));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{DType, Device, TensorData, Tolerance};

    use super::*;

    /// Against Burn's formulation, on the plain path in both types: at 0, where the sigmoid is steep, and
    /// far out, where `exp` overflows.
    #[test]
    fn the_logarithm_of_a_sigmoid_has_its_values_and_slopes() {
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
