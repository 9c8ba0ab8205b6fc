//! Activations inside a loop on the CPU.

use super::Activation;
use crate::float::Float;

impl Activation {
    /// Calls `body` with `s` and `s'` of this activation, so that a loop chooses once and not for each element.
    #[inline(always)]
    pub(crate) fn with<T: Float, R>(self, body: impl ActivationLoop<T, R>) -> R {
        match self {
            Self::Identity => body.run(
                #[inline(always)]
                |a| a,
                #[inline(always)]
                |_| T::ONE,
            ),
            Self::Sigmoid => body.run(
                #[inline(always)]
                |a: T| a.sigmoid(),
                #[inline(always)]
                |y| y * (T::ONE - y),
            ),
            Self::Tanh => body.run(
                #[inline(always)]
                |a: T| a.tanh(),
                #[inline(always)]
                |y| T::ONE - y * y,
            ),
            Self::Relu | Self::LeakyRelu => {
                let leak = T::from_f64(self.leak());
                body.run(
                    #[inline(always)]
                    |a| if a > T::ZERO { a } else { a * leak },
                    #[inline(always)]
                    |y| if y > T::ZERO { T::ONE } else { leak },
                )
            }
            Self::Gelu | Self::Silu => unreachable!("applied after the pass"),
        }
    }
}

/// A loop that is generic over an activation and its slope.
pub(crate) trait ActivationLoop<T, R> {
    fn run(self, value: impl Fn(T) -> T + Copy, slope: impl Fn(T) -> T + Copy) -> R;
}

/// `row = s(row + bias)`
pub(crate) struct BiasActivation<'a, T> {
    pub(crate) row: &'a mut [T],
    pub(crate) bias: &'a [T],
}

impl<T: Float> ActivationLoop<T, ()> for BiasActivation<'_, T> {
    #[inline(always)]
    fn run(self, value: impl Fn(T) -> T + Copy, _: impl Fn(T) -> T + Copy) {
        for (x, bias) in self.row.iter_mut().zip(self.bias) {
            *x = value(*x + *bias);
        }
    }
}

/// `gradient = output_gradient s'(output)`, and its sum over the rows so far.
pub(crate) struct ActivationBackward<'a, T> {
    pub(crate) gradient: &'a mut [T],
    pub(crate) output_gradient: &'a [T],
    pub(crate) output: &'a [T],
    pub(crate) sum: &'a mut [T],
}

impl<T: Float> ActivationLoop<T, ()> for ActivationBackward<'_, T> {
    #[inline(always)]
    fn run(self, _: impl Fn(T) -> T + Copy, slope: impl Fn(T) -> T + Copy) {
        let given = self.output_gradient.iter().zip(self.output);
        let taken = self.gradient.iter_mut().zip(self.sum);
        for ((gradient, sum), (given, y)) in taken.zip(given) {
            *gradient = *given * slope(*y);
            *sum += *gradient;
        }
    }
}
