//! What follows a linear map in the same pass.

use burn::tensor::{Tensor, activation};

/// An elementwise function whose slope follows from its value, so that nothing else need be kept.
///
/// | name | s(a) | s'(a) from y = s(a) |
/// |---|---|---|
/// | identity | a | 1 |
/// | sigmoid | 1 / (1 + exp(-a)) | y (1 - y) |
/// | tanh | tanh(a) | 1 - y^2 |
/// | rectifier with leak l in \[0, 1\] | a where a > 0, l a elsewhere | 1 where y > 0, l elsewhere |
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Nonlinearity {
    /// `a`
    Identity,
    /// `1 / (1 + exp(-a))`
    Sigmoid,
    /// `tanh(a)`
    Tanh,
    /// `a` above 0, so many times `a` below
    Rectifier(f64),
}

impl Nonlinearity {
    /// `s(a)`, in Burn's operations.
    pub fn apply<const D: usize>(self, a: Tensor<D>) -> Tensor<D> {
        match self {
            Self::Identity => a,
            Self::Sigmoid => activation::sigmoid(a),
            Self::Tanh => activation::tanh(a),
            Self::Rectifier(0.0) => activation::relu(a),
            Self::Rectifier(leak) => activation::leaky_relu(a, leak),
        }
    }
}

#[cfg(feature = "flex")]
mod kernel {
    use super::Nonlinearity;
    use crate::number::Number;

    impl Nonlinearity {
        /// Calls `body` with `s` and `s'` of this kind, so that the choice is made once for a loop.
        #[inline(always)]
        pub(crate) fn with<T: Number, R>(self, body: impl Body<T, R>) -> R {
            match self {
                Self::Identity => body.run(
                    #[inline(always)]
                    |a| a,
                    #[inline(always)]
                    |_| T::ONE,
                ),
                Self::Sigmoid => body.run(
                    #[inline(always)]
                    |a: T| a.logistic(),
                    #[inline(always)]
                    |y| y * (T::ONE - y),
                ),
                Self::Tanh => body.run(
                    #[inline(always)]
                    |a: T| a.hyperbolic(),
                    #[inline(always)]
                    |y| T::ONE - y * y,
                ),
                Self::Rectifier(leak) => {
                    let leak = T::of(leak);
                    body.run(
                        #[inline(always)]
                        |a| if a > T::ZERO { a } else { a * leak },
                        #[inline(always)]
                        |y| if y > T::ZERO { T::ONE } else { leak },
                    )
                }
            }
        }
    }

    /// A loop over a function and its slope.
    pub(crate) trait Body<T, R> {
        fn run(self, value: impl Fn(T) -> T + Copy, slope: impl Fn(T) -> T + Copy) -> R;
    }

    /// `row = s(row + bias)`
    pub(crate) struct Finish<'a, T> {
        pub(crate) row: &'a mut [T],
        pub(crate) bias: &'a [T],
    }

    impl<T: Number> Body<T, ()> for Finish<'_, T> {
        #[inline(always)]
        fn run(self, value: impl Fn(T) -> T + Copy, _: impl Fn(T) -> T + Copy) {
            for (x, bias) in self.row.iter_mut().zip(self.bias) {
                *x = value(*x + *bias);
            }
        }
    }

    /// `gradient = output_gradient s'(output)`, and its sum over the rows so far.
    pub(crate) struct Start<'a, T> {
        pub(crate) gradient: &'a mut [T],
        pub(crate) output_gradient: &'a [T],
        pub(crate) output: &'a [T],
        pub(crate) sum: &'a mut [T],
    }

    impl<T: Number> Body<T, ()> for Start<'_, T> {
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
}

#[cfg(feature = "flex")]
pub(crate) use kernel::{Body, Finish, Start};
