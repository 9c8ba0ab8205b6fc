//! Products in narrower vectors than those that `gemm` chooses by itself, which asks the processor alone.
//!
//! What `gemm` has for each instruction set is public in its parts, but not in one function; this is that function.
#![allow(unsafe_code, reason = "gemm's own functions are")]

use gemm::Parallelism;
use gemm_common::gemm::gemm_basic_generic;
use gemm_common::simd::{MixedSimd, Scalar};

/// The sizes; of the result, the left and the right matrix where it is and how far its columns and rows are apart,
/// and after the result whether it is added to.
pub(crate) type Gemm<T> = unsafe fn(
    [usize; 3],
    (*mut T, isize, isize),
    bool,
    (*const T, isize, isize),
    (*const T, isize, isize),
);

/// Of a type: the function, its kernels, its vectors, and how many numbers a vector holds.
macro_rules! product {
    ($type:ident, $name:ident, $kernels:path, $vectors:ty, $lanes:literal) => {
        /// # Safety
        /// All that the sizes and strides reach is there, and the result overlaps neither of the others.
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
            // SAFETY: the caller's.
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
