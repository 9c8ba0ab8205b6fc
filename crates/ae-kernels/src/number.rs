//! The two float types that kernels compute in, and their functions in forms that vectorise.

use std::marker::PhantomData;
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

use burn::tensor::Element;
use pulp::{Simd, WithSimd};

pub(crate) use crate::isa::{dispatched, vectorized};
use crate::narrow::{self, Gemm};

/// `f32` or `f64`.
pub(crate) trait Number:
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

    /// A vector of them.
    type Lanes<S: Simd>: bytemuck::Pod;

    /// The same number in all places.
    fn splat<S: Simd>(simd: S, value: Self) -> Self::Lanes<S>;

    /// `a b + c`, rounded once.
    fn multiply_add<S: Simd>(
        simd: S,
        a: Self::Lanes<S>,
        b: Self::Lanes<S>,
        c: Self::Lanes<S>,
    ) -> Self::Lanes<S>;

    /// How many of them a vector holds.
    #[inline(always)]
    fn lanes<S: Simd>() -> usize {
        size_of::<Self::Lanes<S>>() / size_of::<Self>()
    }

    /// The product of an instruction set that is not the widest of the processor.
    fn product(isa: &str) -> Option<Gemm<Self>>;

    fn of(value: f64) -> Self;
    fn wide(self) -> f64;
    fn absolute(self) -> Self;
    fn root(self) -> Self;

    /// `exp(x)` for `x <= 0`; what is not a number stays so.
    fn exponential(self) -> Self;

    /// `ln(1 + x)` for `x` in \[0, 1\].
    fn logarithm_1p(self) -> Self;

    /// `tanh(x)`.
    fn hyperbolic(self) -> Self;

    /// `1 / (1 + exp(-x))`, from the exponential of `-|x|`, so that nothing overflows.
    #[inline(always)]
    fn logistic(self) -> Self {
        let e = (-self.absolute()).exponential();
        let above = Self::ONE / (Self::ONE + e);
        if self < Self::ZERO { e * above } else { above }
    }
}

impl Number for f64 {
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
    fn of(value: f64) -> Self {
        value
    }

    #[inline(always)]
    fn wide(self) -> f64 {
        self
    }

    #[inline(always)]
    fn absolute(self) -> Self {
        self.abs()
    }

    #[inline(always)]
    fn root(self) -> Self {
        self.sqrt()
    }

    #[inline(always)]
    fn exponential(self) -> Self {
        self.exp()
    }

    #[inline(always)]
    fn logarithm_1p(self) -> Self {
        self.ln_1p()
    }

    #[inline(always)]
    fn hyperbolic(self) -> Self {
        self.tanh()
    }
}

impl Number for f32 {
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
    fn of(value: f64) -> Self {
        value as f32
    }

    #[inline(always)]
    fn wide(self) -> f64 {
        self.into()
    }

    #[inline(always)]
    fn absolute(self) -> Self {
        self.abs()
    }

    #[inline(always)]
    fn root(self) -> Self {
        self.sqrt()
    }

    /// `2^n` times a polynomial in the rest of `x / ln 2` (Cephes, `expf`), within 2 units in the last
    /// place; -87.3 and below give the smallest normal number.
    #[inline(always)]
    fn exponential(self) -> Self {
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
    fn logarithm_1p(self) -> Self {
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

    /// From the exponential; a polynomial near 0, where that would cancel (Cephes, `tanhf`).
    #[inline(always)]
    fn hyperbolic(self) -> Self {
        let q = self * self;
        let p = -5.704_988_7e-3;
        let p = p * q + 2.063_909e-2;
        let p = p * q - 5.373_971_6e-2;
        let p = p * q + 1.333_144_2e-1;
        let p = p * q - 3.333_328e-1;
        let near = p * q * self + self;
        let e = (-2.0 * self.abs()).exponential();
        let far = ((1.0 - e) / (1.0 + e)).copysign(self);
        if self.abs() < 0.625 { near } else { far }
    }
}

/// How many numbers the processor's vectors hold.
pub(crate) fn lanes<T: Number>() -> usize {
    struct Count<T>(PhantomData<T>);
    impl<T: Number> WithSimd for Count<T> {
        type Output = usize;

        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) -> usize {
            T::lanes::<S>()
        }
    }
    dispatched(Count::<T>(PhantomData))
}

/// The first numbers as a vector.
#[inline(always)]
pub(crate) fn load<T: Number, S: Simd>(values: &[T]) -> T::Lanes<S> {
    bytemuck::pod_read_unaligned(bytemuck::cast_slice(&values[..T::lanes::<S>()]))
}

/// Writes a vector to the first places.
#[inline(always)]
pub(crate) fn store<T: Number, S: Simd>(vector: T::Lanes<S>, values: &mut [T]) {
    let places = bytemuck::cast_slice_mut(&mut values[..T::lanes::<S>()]);
    places.copy_from_slice(bytemuck::bytes_of(&vector));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every function against the standard library's in f64, relative, over the range it is used in.
    #[test]
    fn functions_are_as_exact_as_single_precision_allows() {
        let check = |name: &str, at: f32, value: f32, exact: f64, tolerance: f64| {
            let error = (f64::from(value) - exact).abs() / exact.abs().max(1e-37);
            assert!(error < tolerance, "{name}({at}): {value} for {exact}");
        };
        for step in 0..400_000 {
            let x = -87.0 + step as f32 * (87.0 / 400_000.0);
            check("exp", x, x.exponential(), f64::from(x).exp(), 3e-7);
            check("sigmoid", x, x.logistic(), 1.0 / (1.0 + (-f64::from(x)).exp()), 4e-7);
            check("sigmoid", -x, (-x).logistic(), 1.0 / (1.0 + f64::from(x).exp()), 4e-7);
            check("tanh", x, (x / 8.0).hyperbolic(), f64::from(x / 8.0).tanh(), 4e-7);
            let e = step as f32 / 400_000.0;
            check("ln_1p", e, e.logarithm_1p(), f64::from(e).ln_1p(), 3e-7);
        }
        for x in [0.0f32, -0.0, 1e-30, -1e-30] {
            assert_eq!(x.hyperbolic(), x);
            assert_eq!(x.logistic(), 0.5);
        }
    }

    #[test]
    fn what_is_not_finite_stays_or_saturates() {
        assert!(f32::NAN.exponential().is_nan() && f32::NAN.logistic().is_nan());
        assert!(f32::NAN.hyperbolic().is_nan());
        assert_eq!((f32::INFINITY.logistic(), f32::INFINITY.hyperbolic()), (1.0, 1.0));
        assert!(f32::NEG_INFINITY.logistic() < 1e-37);
        assert_eq!(f32::NEG_INFINITY.hyperbolic(), -1.0);
    }
}
