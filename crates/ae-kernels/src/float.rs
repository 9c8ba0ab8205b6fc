//! The float types that kernels compute in, `f32` and `f64`, with functions that vectorise.

use std::marker::PhantomData;
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

use burn::tensor::Element;
use pulp::{Simd, WithSimd};

pub(crate) use crate::isa::{dispatched, vectorized};
use crate::narrow::{self, Gemm};

/// `f32` or `f64`.
pub(crate) trait Float:
    Element
    + bytemuck::Pod
    + PartialOrd
    + Add<Output = Self>
    + AddAssign
    + Div<Output = Self>
    + Mul<Output = Self>
    + Neg<Output = Self>
    + Sub<Output = Self>
{
    const ZERO: Self;
    const ONE: Self;

    /// A vector of these numbers.
    type Lanes<S: Simd>: bytemuck::Pod;

    /// A vector whose numbers are all `value`.
    fn splat<S: Simd>(simd: S, value: Self) -> Self::Lanes<S>;

    /// `a b + c`, rounded once.
    fn multiply_add<S: Simd>(
        simd: S,
        a: Self::Lanes<S>,
        b: Self::Lanes<S>,
        c: Self::Lanes<S>,
    ) -> Self::Lanes<S>;

    /// How many numbers a vector holds.
    #[inline(always)]
    fn lanes<S: Simd>() -> usize {
        size_of::<Self::Lanes<S>>() / size_of::<Self>()
    }

    /// The matrix product for an instruction set narrower than the processor's widest.
    fn product(isa: &str) -> Option<Gemm<Self>>;

    fn from_f64(value: f64) -> Self;
    fn to_f64(self) -> f64;
    fn abs(self) -> Self;
    fn sqrt(self) -> Self;

    /// `exp(x)` for `x <= 0`; NaN gives NaN.
    fn exp_nonpositive(self) -> Self;

    /// `ln(1 + x)` for `x` in \[0, 1\].
    fn ln_1p(self) -> Self;

    /// `tanh(x)`.
    fn tanh(self) -> Self;

    /// `1 / (1 + exp(-x))`, from the exponential of `-|x|`, so that nothing overflows.
    #[inline(always)]
    fn sigmoid(self) -> Self {
        let e = (-self.abs()).exp_nonpositive();
        let above = Self::ONE / (Self::ONE + e);
        if self < Self::ZERO { e * above } else { above }
    }
}

impl Float for f64 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;

    type Lanes<S: Simd> = S::f64s;

    #[inline(always)]
    fn splat<S: Simd>(simd: S, value: Self) -> S::f64s {
        simd.splat_f64s(value)
    }

    #[inline(always)]
    fn multiply_add<S: Simd>(simd: S, a: S::f64s, b: S::f64s, c: S::f64s) -> S::f64s {
        simd.mul_add_f64s(a, b, c)
    }

    fn product(isa: &str) -> Option<Gemm<Self>> {
        match isa {
            "scalar" => Some(narrow::scalar_f64),
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            "avx2" => Some(narrow::avx2_f64),
            _ => None,
        }
    }

    #[inline(always)]
    fn from_f64(value: f64) -> Self {
        value
    }

    #[inline(always)]
    fn to_f64(self) -> f64 {
        self
    }

    #[inline(always)]
    fn abs(self) -> Self {
        Self::abs(self)
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        Self::sqrt(self)
    }

    #[inline(always)]
    fn exp_nonpositive(self) -> Self {
        Self::exp(self)
    }

    #[inline(always)]
    fn ln_1p(self) -> Self {
        Self::ln_1p(self)
    }

    #[inline(always)]
    fn tanh(self) -> Self {
        Self::tanh(self)
    }
}

impl Float for f32 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;

    type Lanes<S: Simd> = S::f32s;

    #[inline(always)]
    fn splat<S: Simd>(simd: S, value: Self) -> S::f32s {
        simd.splat_f32s(value)
    }

    #[inline(always)]
    fn multiply_add<S: Simd>(simd: S, a: S::f32s, b: S::f32s, c: S::f32s) -> S::f32s {
        simd.mul_add_f32s(a, b, c)
    }

    fn product(isa: &str) -> Option<Gemm<Self>> {
        match isa {
            "scalar" => Some(narrow::scalar_f32),
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            "avx2" => Some(narrow::avx2_f32),
            _ => None,
        }
    }

    #[inline(always)]
    fn from_f64(value: f64) -> Self {
        value as f32
    }

    #[inline(always)]
    fn to_f64(self) -> f64 {
        self.into()
    }

    #[inline(always)]
    fn abs(self) -> Self {
        Self::abs(self)
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        Self::sqrt(self)
    }

    /// `2^n` times a polynomial in the rest of `x / ln 2` (Cephes, `expf`), within 2 units in the last
    /// place; -87.3 and below give the smallest normal number.
    #[inline(always)]
    fn exp_nonpositive(self) -> Self {
        const SHIFT: f32 = 12_582_912.0; // 1.5 * 2^23: adding it rounds to a whole number
        let x = self.clamp(-87.3, 0.0);
        let shifted = x * std::f32::consts::LOG2_E + SHIFT;
        let n = shifted - SHIFT;
        let r = x - n * 0.693_359_4 + n * 2.121_944_4e-4; // ln 2 in two parts
        let p = 1.987_569_1e-4;
        let p = p * r + 1.398_2e-3;
        let p = p * r + 8.333_452e-3;
        let p = p * r + 4.166_579_6e-2;
        let p = p * r + 1.666_666_5e-1;
        let p = p * r + 0.5;
        let power = shifted.to_bits().wrapping_add(127) << 23;
        (p * r * r + r + 1.0) * f32::from_bits(power)
    }

    /// `2 artanh(x / (2 + x))` as its series, whose argument is at most a third.
    #[inline(always)]
    fn ln_1p(self) -> Self {
        let s = self / (2.0 + self);
        let q = s * s;
        let p = 1.0 / 15.0;
        let p = p * q + 1.0 / 13.0;
        let p = p * q + 1.0 / 11.0;
        let p = p * q + 1.0 / 9.0;
        let p = p * q + 1.0 / 7.0;
        let p = p * q + 1.0 / 5.0;
        let p = p * q + 1.0 / 3.0;
        2.0 * (s + s * q * p)
    }

    /// From the exponential; near 0, where that would cancel, a polynomial (Cephes, `tanhf`).
    #[inline(always)]
    fn tanh(self) -> Self {
        let q = self * self;
        let p = -5.704_988_7e-3;
        let p = p * q + 2.063_909e-2;
        let p = p * q - 5.373_971_6e-2;
        let p = p * q + 1.333_144_2e-1;
        let p = p * q - 3.333_328e-1;
        let near = p * q * self + self;
        let e = (-2.0 * self.abs()).exp_nonpositive();
        let far = ((1.0 - e) / (1.0 + e)).copysign(self);
        if self.abs() < 0.625 { near } else { far }
    }
}

/// How many numbers a vector of the processor holds.
pub(crate) fn lanes<T: Float>() -> usize {
    struct Count<T>(PhantomData<T>);
    impl<T: Float> WithSimd for Count<T> {
        type Output = usize;

        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) -> usize {
            T::lanes::<S>()
        }
    }
    dispatched(Count::<T>(PhantomData))
}

/// Loads the first numbers of `values` into a vector.
#[inline(always)]
pub(crate) fn load<T: Float, S: Simd>(values: &[T]) -> T::Lanes<S> {
    bytemuck::pod_read_unaligned(bytemuck::cast_slice(&values[..T::lanes::<S>()]))
}

/// Writes a vector to the start of `values`.
#[inline(always)]
pub(crate) fn store<T: Float, S: Simd>(vector: T::Lanes<S>, values: &mut [T]) {
    let places = bytemuck::cast_slice_mut(&mut values[..T::lanes::<S>()]);
    places.copy_from_slice(bytemuck::bytes_of(&vector));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compares every function with the standard library's in f64, by relative error, over the range in use.
    #[test]
    fn functions_are_accurate_to_a_few_units_in_the_last_place() {
        let check = |name: &str, at: f32, value: f32, exact: f64, tolerance: f64| {
            let error = (f64::from(value) - exact).abs() / exact.abs().max(1e-37);
            assert!(error < tolerance, "{name}({at}): {value} for {exact}");
        };
        for step in 0..400_000 {
            let x = -87.0 + step as f32 * (87.0 / 400_000.0);
            check("exp", x, x.exp_nonpositive(), f64::from(x).exp(), 3e-7);
            check("sigmoid", x, x.sigmoid(), 1.0 / (1.0 + (-f64::from(x)).exp()), 4e-7);
            check("sigmoid", -x, (-x).sigmoid(), 1.0 / (1.0 + f64::from(x).exp()), 4e-7);
            check("tanh", x, Float::tanh(x / 8.0), f64::from(x / 8.0).tanh(), 4e-7);
            let e = step as f32 / 400_000.0;
            check("ln_1p", e, Float::ln_1p(e), f64::from(e).ln_1p(), 3e-7);
        }
        for x in [0.0f32, -0.0, 1e-30, -1e-30] {
            assert_eq!(Float::tanh(x), x);
            assert_eq!(x.sigmoid(), 0.5);
        }
    }

    #[test]
    fn nan_is_kept_and_infinities_saturate() {
        assert!(f32::NAN.exp_nonpositive().is_nan() && f32::NAN.sigmoid().is_nan());
        assert!(Float::tanh(f32::NAN).is_nan());
        assert_eq!((f32::INFINITY.sigmoid(), Float::tanh(f32::INFINITY)), (1.0, 1.0));
        assert!(f32::NEG_INFINITY.sigmoid() < 1e-37);
        assert_eq!(Float::tanh(f32::NEG_INFINITY), -1.0);
    }
}
