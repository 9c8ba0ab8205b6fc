//! Products with narrower vectors than `gemm` chooses, which only asks the processor.
//!
//! `gemm` makes the parts for each instruction set public, but no function that joins them; this module does.
#![allow(unsafe_code, reason = "gemm's own functions are")]

use gemm::Parallelism;
use gemm_common::gemm::gemm_basic_generic;
use gemm_common::simd::{MixedSimd, Scalar};

/// The arguments: the sizes; pointer, column stride and row stride of the result, whether the product is added to it,
/// and pointers and strides of the left and the right matrix.
pub(crate) type Gemm<T> = unsafe fn(
    [usize; 3],
    (*mut T, isize, isize),
    bool,
    (*const T, isize, isize),
    (*const T, isize, isize),
);

/// Defines the product of a type: the function's name, its kernels, its vectors, and the numbers in a vector.
macro_rules! product {
    ($type:ident, $name:ident, $kernels:path, $vectors:ty, $lanes:literal) => {
        /// # Safety
        /// The pointers are valid for all elements that sizes and strides reach, and the result overlaps neither of the
        /// other matrices.
        pub(crate) unsafe fn $name(
            [m, n, k]: [usize; 3],
            (out, out_columns, out_rows): (*mut $type, isize, isize),
            accumulate: bool,
            (left, left_columns, left_rows): (*const $type, isize, isize),
            (right, right_columns, right_rows): (*const $type, isize, isize),
        ) {
            use $kernels as kernels;
            const LOW: usize = kernels::MR_DIV_N;
            const HIGH: usize = LOW * $lanes;
            const WIDE: usize = kernels::NR;
            let vectors = <$vectors as MixedSimd<$type, $type, $type, $type>>::try_new();
            let vectors = vectors.expect("chosen where the processor has them");
            let multiply_add = |a, b, c| a * b + c;
            let (kernels, flat) = (&kernels::UKR, &kernels::H_UKR);
            const FLAT: [usize; 2] = [kernels::H_M, kernels::H_N];
            // SAFETY: as the caller guarantees.
            unsafe {
                gemm_basic_generic::<_, $type, $lanes, HIGH, WIDE, LOW, { FLAT[0] }, { FLAT[1] }>(
                    vectors,
                    m,
                    n,
                    k,
                    out,
                    out_columns,
                    out_rows,
                    accumulate,
                    left,
                    left_columns,
                    left_rows,
                    right,
                    right_columns,
                    right_rows,
                    1.0,
                    1.0,
                    false,
                    false,
                    false,
                    multiply_add,
                    kernels,
                    flat,
                    false,
                    Parallelism::None,
                );
            }
        }
    };
}

product!(f32, scalar_f32, gemm_f32::microkernel::scalar::f32, Scalar, 1);
product!(f64, scalar_f64, gemm_f64::microkernel::scalar::f64, Scalar, 1);
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
product!(f32, avx2_f32, gemm_f32::microkernel::fma::f32, gemm_common::simd::V3, 8);
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
product!(f64, avx2_f64, gemm_f64::microkernel::fma::f64, gemm_common::simd::V3, 4);
