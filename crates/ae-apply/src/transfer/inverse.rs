//! Inverses and square roots of symmetric positive definite matrices, as products of blocks.

use burn::tensor::{DType, Device, Tensor, TensorData};
use nalgebra::{Cholesky, DMatrix, DMatrixView};
use rayon::prelude::*;

/// Below this size a matrix is inverted through its Cholesky factor.
const SMALL: usize = 96;

/// Columns of a product that a thread computes at a time.
const COLUMNS: usize = 256;

/// Above this number of multiplications a product is split among threads.
const PARALLEL: usize = 1 << 22;

/// `A B` in f64: by the device where it has f64, else on all threads.
pub(super) fn product(
    a: DMatrixView<'_, f64>,
    b: DMatrixView<'_, f64>,
    device: &Device,
) -> DMatrix<f64> {
    let (rows, inner, columns) = (a.nrows(), a.ncols(), b.ncols());
    if rows * columns * inner < PARALLEL {
        return a * b;
    }
    if device.supports_dtype(DType::F64) {
        // Columns first in memory, so these are transposes: (A B)^T = B^T A^T.
        let tensor = |matrix: DMatrixView<'_, f64>, shape: [usize; 2]| {
            let values: Vec<f64> = matrix.into_owned().data.into();
            Tensor::<2>::from_data(TensorData::new(values, shape), (device, DType::F64))
        };
        let product = tensor(b, [columns, inner]).matmul(tensor(a, [inner, rows]));
        if let Ok(values) = product.into_data().try_into_vec::<f64>() {
            return DMatrix::from_vec(rows, columns, values);
        }
    }
    by_threads(a, b)
}

fn by_threads(a: DMatrixView<'_, f64>, b: DMatrixView<'_, f64>) -> DMatrix<f64> {
    let (rows, columns) = (a.nrows(), b.ncols());
    let mut out = DMatrix::zeros(rows, columns);
    out.as_mut_slice().par_chunks_mut(rows * COLUMNS).enumerate().for_each(|(at, chunk)| {
        let count = chunk.len() / rows;
        let mut part = nalgebra::DMatrixViewMut::from_slice(chunk, rows, count);
        part.gemm(1.0, &a, &b.columns(at * COLUMNS, count), 0.0);
    });
    out
}

/// `A^-1`, or `None` if `A` is not positive definite. With blocks `A = [[E, F^T], [F, H]]`, `B = F E^-1` and
/// `S = H - B F^T`, the inverse is `[[E^-1 + B^T S^-1 B, -B^T S^-1], [-S^-1 B, S^-1]]`: of its `4/3 n^3`
/// multiplications nearly all are products of matrices.
pub(super) fn inverse(matrix: DMatrixView<'_, f64>, device: &Device) -> Option<DMatrix<f64>> {
    let size = matrix.nrows();
    if size <= SMALL {
        return Cholesky::new(matrix.into_owned()).map(|factor| factor.inverse());
    }
    let (half, rest) = (size / 2, size - size / 2);
    let first = inverse(matrix.view((0, 0), (half, half)), device)?;
    let below = product(matrix.view((half, 0), (rest, half)), first.as_view(), device);
    let mut last = product(below.as_view(), matrix.view((0, half), (half, rest)), device);
    last.zip_apply(&matrix.view((half, half), (rest, rest)), |it, whole| *it = whole - *it);
    let last = inverse(last.as_view(), device)?;
    let corner = product(last.as_view(), below.as_view(), device);
    let mut out = DMatrix::zeros(size, size);
    out.view_mut((0, 0), (half, half))
        .copy_from(&(first + product(below.transpose().as_view(), corner.as_view(), device)));
    out.view_mut((half, half), (rest, rest)).copy_from(&last);
    out.view_mut((half, 0), (rest, half)).copy_from(&-&corner);
    out.view_mut((0, half), (half, rest)).copy_from(&-corner.transpose());
    Some(out)
}

/// `L` and `L^-1` of `A = L L^T`, or `None` if `A` is not positive definite: by halves, as [`inverse`].
pub(super) fn factors(matrix: DMatrixView<'_, f64>, device: &Device) -> Option<[DMatrix<f64>; 2]> {
    let size = matrix.nrows();
    if size <= SMALL {
        let factor = Cholesky::new(matrix.into_owned())?.unpack();
        let inverse = factor.solve_lower_triangular(&DMatrix::identity(size, size))?;
        return Some([factor, inverse]);
    }
    let (half, rest) = (size / 2, size - size / 2);
    let [first, first_inverse] = factors(matrix.view((0, 0), (half, half)), device)?;
    let corner = matrix.view((half, 0), (rest, half));
    let below = product(corner, first_inverse.transpose().as_view(), device);
    let mut last = product(below.as_view(), below.transpose().as_view(), device);
    last.zip_apply(&matrix.view((half, half), (rest, rest)), |it, whole| *it = whole - *it);
    let [last, last_inverse] = factors(last.as_view(), device)?;
    let inner = product(below.as_view(), first_inverse.as_view(), device);
    let inverse_below = -product(last_inverse.as_view(), inner.as_view(), device);
    let join = |first: &DMatrix<f64>, below: &DMatrix<f64>, last: &DMatrix<f64>| {
        let mut out = DMatrix::zeros(size, size);
        out.view_mut((0, 0), (half, half)).copy_from(first);
        out.view_mut((half, 0), (rest, half)).copy_from(below);
        out.view_mut((half, half), (rest, rest)).copy_from(last);
        out
    };
    Some([join(&first, &below, &last), join(&first_inverse, &inverse_below, &last_inverse)])
}

/// Steps of the iteration for a square root at most; each doubles the digits once it is near.
const STEPS: usize = 40;

/// `A^(1/2)` and `A^(-1/2)`, by `Y <- (Y + Z^-1) / 2`, `Z <- (Z + Y^-1) / 2` from `Y = A`, `Z = I` (Denman & Beavers
/// 1976, doi 10.1016/0096-3003(76)90020-5). `None` if `A` is not positive definite.
pub(super) fn square_roots(
    matrix: &DMatrix<f64>,
    device: &Device,
) -> Option<(DMatrix<f64>, DMatrix<f64>)> {
    let size = matrix.nrows();
    // The largest eigenvalue is at most 1 then, and the iteration starts near.
    let scale = matrix.row_iter().map(|row| row.lp_norm(1)).fold(0.0, f64::max);
    if scale.is_nan() || scale <= 0.0 {
        return None;
    }
    let (mut root, mut inverse_root) = (matrix / scale, DMatrix::identity(size, size));
    for _ in 0..STEPS {
        let next = (&root + inverse(inverse_root.as_view(), device)?) * 0.5;
        inverse_root = (&inverse_root + inverse(root.as_view(), device)?) * 0.5;
        let moved = (&next - &root).norm() / next.norm();
        root = next;
        if moved < 1e-9 {
            break;
        }
    }
    Some((root * scale.sqrt(), inverse_root / scale.sqrt()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Positive definite, with eigenvalues from about 0.1.
    fn matrix(size: usize) -> DMatrix<f64> {
        let wave = |a: usize, b: usize| ((a * 37 + b * 11) as f64 * 0.613).sin();
        let part = DMatrix::from_fn(size, size, wave);
        &part * part.transpose() / size as f64 + DMatrix::identity(size, size) * 0.1
    }

    /// [[2, 1], [1, 1]]: the determinant is 1, so the inverse is [[1, -1], [-1, 2]].
    #[test]
    fn inverse_by_hand() {
        let inverse = inverse(
            DMatrix::from_row_slice(2, 2, &[2.0, 1.0, 1.0, 1.0]).as_view(),
            &Device::flex(),
        );
        let expected = DMatrix::from_row_slice(2, 2, &[1.0, -1.0, -1.0, 2.0]);
        assert!((inverse.unwrap() - expected).norm() < 1e-14);
    }

    #[test]
    fn a_device_and_threads_multiply_alike() {
        let (a, b) = (matrix(300), matrix(300));
        let (a, b) = (a.rows(0, 210), b.columns(40, 200));
        let (threads, device) = (
            by_threads(a.as_view(), b.as_view()),
            product(a.as_view(), b.as_view(), &Device::flex()),
        );
        assert_eq!(device.shape(), (210, 200));
        assert!((device - threads).abs().max() < 1e-11);
    }

    #[test]
    fn blocks_and_threads_change_nothing() {
        for size in [1, SMALL, SMALL + 1, 333] {
            let matrix = matrix(size);
            let inverse = inverse(matrix.as_view(), &Device::flex()).unwrap();
            let identity = product(matrix.as_view(), inverse.as_view(), &Device::flex());
            let error = (identity - DMatrix::<f64>::identity(size, size)).abs().max();
            assert!(error < 1e-11, "{size}: {error}");
        }
    }

    #[test]
    fn factors_multiply_to_the_matrix_and_to_one() {
        for size in [SMALL, 250] {
            let matrix = matrix(size);
            let [factor, inverse] = factors(matrix.as_view(), &Device::flex()).unwrap();
            assert!((&factor * factor.transpose() - &matrix).abs().max() < 1e-11);
            assert!((factor * inverse - DMatrix::<f64>::identity(size, size)).abs().max() < 1e-10);
        }
    }

    #[test]
    fn roots_multiply_to_the_matrix_and_to_one() {
        let matrix = matrix(120);
        let (root, inverse_root) = square_roots(&matrix, &Device::flex()).unwrap();
        assert!((&root * &root - &matrix).abs().max() < 1e-10);
        assert!((root * inverse_root - DMatrix::<f64>::identity(120, 120)).abs().max() < 1e-10);
    }

    #[test]
    fn what_is_not_positive_definite_has_no_inverse() {
        let mut indefinite = matrix(150);
        indefinite[(140, 140)] = -1.0;
        assert!(inverse(indefinite.as_view(), &Device::flex()).is_none());
        assert!(square_roots(&DMatrix::zeros(3, 3), &Device::flex()).is_none());
    }
}
