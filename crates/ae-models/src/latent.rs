//! Operations on codes: interpolation, traversal, nearest neighbours, means of classes.

use burn::tensor::{Tensor, TensorData};

/// Linear interpolation from one code to another, both included: `a + t (b - a)` for `t` from 0 to 1 in
/// equal steps, a straight line from `a` to `b`.
///
/// # Shapes
/// - from, to: `[1, code]`
/// - output: `[steps, code]`
///
/// # Panics
/// If `steps` is below 2.
pub fn lerp(from: Tensor<2>, to: Tensor<2>, steps: usize) -> Tensor<2> {
    let t = fractions(steps, &from);
    from.clone() + t.matmul(to - from)
}

/// Spherical interpolation from one code to another, both included: along a great circle, with the
/// direction turning and the length changing at constant rates (Shoemake 1985, doi
/// 10.1145/325165.325242; for codes White 2016, arXiv 1609.04468). Between codes of a normal prior,
/// [`lerp`] passes through lengths that hardly any code has. If the codes have the same or opposite
/// directions, or one is 0, no great circle is defined, and the result is that of [`lerp`].
///
/// # Shapes
/// - from, to: `[1, code]`
/// - output: `[steps, code]`
///
/// # Panics
/// If `steps` is below 2.
pub fn slerp(from: Tensor<2>, to: Tensor<2>, steps: usize) -> Tensor<2> {
    let length = |code: &Tensor<2>| code.clone().square().sum().into_scalar::<f64>().sqrt();
    let (from_length, to_length) = (length(&from), length(&to));
    let product: f64 = (from.clone() * to.clone()).sum().into_scalar();
    let angle = (product / (from_length * to_length)).clamp(-1.0, 1.0).acos();
    if !(angle > 1e-3 && angle < std::f64::consts::PI - 1e-3) {
        return lerp(from, to, steps);
    }
    let weights = (0..steps).flat_map(|step| {
        let t = step as f64 / (steps - 1) as f64;
        let length = from_length + t * (to_length - from_length);
        let weight = |t: f64, of: f64| ((t * angle).sin() / angle.sin() * length / of) as f32;
        [weight(1.0 - t, from_length), weight(t, to_length)]
    });
    let weights = TensorData::new(weights.collect::<Vec<f32>>(), [steps, 2]);
    let weights = Tensor::<2>::from_data(weights, (&from.device(), from.dtype()));
    weights.matmul(Tensor::cat(vec![from, to], 0))
}

/// Copies of a code with one unit set to each of `values`.
///
/// # Shapes
/// - code: `[1, code]`
/// - output: `[values, code]`
///
/// # Panics
/// If the code has no such unit.
pub fn traverse(code: Tensor<2>, unit: usize, values: &[f32]) -> Tensor<2> {
    let [_, units] = code.dims();
    assert!(unit < units, "unit {unit} of {units}");
    let column = TensorData::new(values.to_vec(), [values.len(), 1]);
    let column = Tensor::<2>::from_data(column, (&code.device(), code.dtype()));
    code.repeat(&[values.len(), 1]).slice_assign([0..values.len(), unit..unit + 1], column)
}

/// The number of distances that are computed at once.
const DISTANCES: usize = 1 << 24;

/// For each query, the rows of the `count` nearest codes of a gallery by Euclidean distance, the nearest
/// first. Memory is bounded for any number of queries.
///
/// # Shapes
/// - queries: `[queries, code]`
/// - gallery: `[gallery, code]`
///
/// # Panics
/// If `count` is 0 or larger than the gallery.
pub fn nearest(queries: Tensor<2>, gallery: Tensor<2>, count: usize) -> Vec<Vec<usize>> {
    let ([all, _], [size, _]) = (queries.dims(), gallery.dims());
    assert!(count > 0 && count <= size, "{count} neighbours of {size}");
    let lengths = gallery.clone().square().sum_dim(1).transpose();
    let gallery = gallery.transpose();
    let at_once = (DISTANCES / size).max(1);
    let mut found = Vec::with_capacity(all);
    for start in (0..all).step_by(at_once) {
        let queries = queries.clone().narrow(0, start, at_once.min(all - start));
        // The first term of |q|^2 - 2 q g + |g|^2 does not change the order.
        let closeness = queries.matmul(gallery.clone()) * 2.0 - lengths.clone();
        let (_, rows) = closeness.topk_with_indices(count, 1);
        let rows: Vec<usize> = rows.into_data().iter::<i64>().map(|row| row as usize).collect();
        found.extend(rows.chunks_exact(count).map(<[usize]>::to_vec));
    }
    found
}

/// The mean code of each class, 0 for a class without samples.
///
/// # Shapes
/// - codes: `[samples, code]`
/// - output: `[count, code]`
///
/// # Panics
/// If the numbers of classes and codes differ, or a class is not below `count`.
pub fn class_means(codes: Tensor<2>, classes: &[u32], count: usize) -> Tensor<2> {
    let [samples, _] = codes.dims();
    assert_eq!(samples, classes.len(), "a class for each code");
    let mut sizes = vec![0usize; count];
    classes.iter().for_each(|class| sizes[*class as usize] += 1);
    let mut weights = vec![0.0f32; count * samples];
    for (sample, class) in classes.iter().enumerate() {
        weights[*class as usize * samples + sample] = 1.0 / sizes[*class as usize] as f32;
    }
    let weights = TensorData::new(weights, [count, samples]);
    Tensor::<2>::from_data(weights, (&codes.device(), codes.dtype())).matmul(codes)
}

/// `[steps, 1]` from 0 to 1.
fn fractions(steps: usize, like: &Tensor<2>) -> Tensor<2> {
    assert!(steps >= 2, "at least 2 steps, for both ends");
    let fractions = (0..steps).map(|step| step as f32 / (steps - 1) as f32).collect::<Vec<f32>>();
    Tensor::from_data(TensorData::new(fractions, [steps, 1]), (&like.device(), like.dtype()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, Tolerance};

    fn code(values: [f32; 2]) -> Tensor<2> {
        Tensor::from_floats([values], &Device::flex())
    }

    fn assert_close<const R: usize>(found: Tensor<2>, expected: [[f32; 2]; R]) {
        let tolerance = Tolerance::absolute(1e-6);
        found.into_data().assert_approx_eq::<f32>(&TensorData::from(expected), tolerance);
    }

    #[test]
    fn lerp_by_hand() {
        let line = lerp(code([0.0, 2.0]), code([4.0, 0.0]), 3);
        assert_close(line, [[0.0, 2.0], [2.0, 1.0], [4.0, 0.0]]);
    }

    /// From (1, 0) to (0, 3): in the middle at 45 degrees with length 2, so (sqrt 2, sqrt 2).
    #[test]
    fn slerp_by_hand() {
        let arc = slerp(code([1.0, 0.0]), code([0.0, 3.0]), 3);
        assert_close(arc, [[1.0, 0.0], [2f32.sqrt(), 2f32.sqrt()], [0.0, 3.0]]);
        let same_direction = slerp(code([1.0, 0.0]), code([3.0, 0.0]), 3);
        assert_close(same_direction, [[1.0, 0.0], [2.0, 0.0], [3.0, 0.0]]);
        let from_zero = slerp(code([0.0, 0.0]), code([3.0, 0.0]), 2);
        assert_close(from_zero, [[0.0, 0.0], [3.0, 0.0]]);
    }

    #[test]
    fn traversal_changes_one_unit() {
        assert_close(traverse(code([5.0, 7.0]), 1, &[-1.0, 0.5]), [[5.0, -1.0], [5.0, 0.5]]);
    }

    #[test]
    fn neighbours_and_means_by_hand() {
        let points = [[0.0, 0.0], [3.0, 0.0], [0.0, 2.0], [9.0, 9.0]];
        let gallery = Tensor::from_floats(points, &Device::flex());
        assert_eq!(nearest(code([0.0, 0.5]), gallery.clone(), 3), [[0, 2, 1]]);
        let both = Tensor::from_floats([[8.0, 9.0], [2.0, 0.0]], &Device::flex());
        assert_eq!(nearest(both, gallery.clone(), 1), [[3], [1]]);
        assert_close(
            class_means(gallery, &[0, 0, 0, 2], 3),
            [[1.0, 2.0 / 3.0], [0.0, 0.0], [9.0, 9.0]],
        );
    }
}
