//! Inside the code: ways between codes, single units, neighbours, means of classes.

use burn::tensor::{Tensor, TensorData};

/// Codes on the straight line from one code to another, both included: `a + t (b - a)` for `t` from 0
/// to 1 in equal steps.
///
/// # Shapes
/// - from, to: `[1, code]`
/// - output: `[steps, code]`
///
/// # Panics
/// If `steps` is below 2.
pub fn straight(from: Tensor<2>, to: Tensor<2>, steps: usize) -> Tensor<2> {
    let t = times(steps, &from);
    from.clone() + t.matmul(to - from)
}

/// Codes on the great circle from one code to another, both included: the direction turns at a
/// constant rate, and the length changes at one (Shoemake 1985, doi 10.1145/325165.325242; for codes
/// White 2016, arXiv 1609.04468). Between codes of a normal prior a straight line passes through
/// lengths that hardly any code has. Where the two point the same way, opposite ways, or one is 0,
/// no great circle is told from another, and the line is straight.
///
/// # Shapes
/// - from, to: `[1, code]`
/// - output: `[steps, code]`
///
/// # Panics
/// If `steps` is below 2.
pub fn spherical(from: Tensor<2>, to: Tensor<2>, steps: usize) -> Tensor<2> {
    let length = |code: &Tensor<2>| code.clone().square().sum().into_scalar::<f64>().sqrt();
    let (from_length, to_length) = (length(&from), length(&to));
    let product: f64 = (from.clone() * to.clone()).sum().into_scalar();
    let angle = (product / (from_length * to_length)).clamp(-1.0, 1.0).acos();
    if !(angle > 1e-3 && angle < std::f64::consts::PI - 1e-3) {
        return straight(from, to, steps);
    }
    let weights = (0..steps).flat_map(|step| {
        let t = step as f64 / (steps - 1) as f64;
        let length = from_length + t * (to_length - from_length);
        let part = |t: f64, own: f64| ((t * angle).sin() / angle.sin() * length / own) as f32;
        [part(1.0 - t, from_length), part(t, to_length)]
    });
    let weights = TensorData::new(weights.collect::<Vec<f32>>(), [steps, 2]);
    let weights = Tensor::<2>::from_data(weights, (&from.device(), from.dtype()));
    weights.matmul(Tensor::cat(vec![from, to], 0))
}

/// A code with one unit set to each of some values.
///
/// # Shapes
/// - code: `[1, code]`
/// - output: `[values, code]`
///
/// # Panics
/// If there is no such unit.
pub fn traverse(code: Tensor<2>, unit: usize, values: &[f32]) -> Tensor<2> {
    let [_, units] = code.dims();
    assert!(unit < units, "unit {unit} of {units}");
    let column = TensorData::new(values.to_vec(), [values.len(), 1]);
    let column = Tensor::<2>::from_data(column, (&code.device(), code.dtype()));
    code.repeat(&[values.len(), 1]).slice_assign([0..values.len(), unit..unit + 1], column)
}

/// Distances computed at a time.
const DISTANCES: usize = 1 << 24;

/// For each query the rows of the `count` nearest codes of a gallery by Euclidean distance, the nearest
/// first. Memory stays bounded whatever the number of queries.
///
/// # Shapes
/// - queries: `[queries, code]`
/// - gallery: `[gallery, code]`
///
/// # Panics
/// If `count` is 0 or more than the gallery has.
pub fn nearest(queries: Tensor<2>, gallery: Tensor<2>, count: usize) -> Vec<Vec<usize>> {
    let ([all, _], [size, _]) = (queries.dims(), gallery.dims());
    assert!(count > 0 && count <= size, "{count} neighbours of {size}");
    let lengths = gallery.clone().square().sum_dim(1).transpose();
    let gallery = gallery.transpose();
    let at_once = (DISTANCES / size).max(1);
    let mut found = Vec::with_capacity(all);
    for start in (0..all).step_by(at_once) {
        let queries = queries.clone().narrow(0, start, at_once.min(all - start));
        // Of |q|^2 - 2 q g + |g|^2 the first changes no order.
        let closeness = queries.matmul(gallery.clone()) * 2.0 - lengths.clone();
        let (_, rows) = closeness.topk_with_indices(count, 1);
        let rows: Vec<usize> = rows.into_data().iter::<i64>().map(|row| row as usize).collect();
        found.extend(rows.chunks_exact(count).map(<[usize]>::to_vec));
    }
    found
}

/// The mean code of each class; 0 where a class has no sample.
///
/// # Shapes
/// - codes: `[samples, code]`
/// - output: `[count, code]`
///
/// # Panics
/// If there are not as many classes as codes, or one is not below `count`.
pub fn class_means(codes: Tensor<2>, classes: &[u32], count: usize) -> Tensor<2> {
    let [samples, _] = codes.dims();
    assert_eq!(samples, classes.len(), "a class for each code");
    let mut sizes = vec![0usize; count];
    classes.iter().for_each(|class| sizes[*class as usize] += 1);
    let mut shares = vec![0.0f32; count * samples];
    for (sample, class) in classes.iter().enumerate() {
        shares[*class as usize * samples + sample] = 1.0 / sizes[*class as usize] as f32;
    }
    let shares = TensorData::new(shares, [count, samples]);
    Tensor::<2>::from_data(shares, (&codes.device(), codes.dtype())).matmul(codes)
}

/// `[steps, 1]` from 0 to 1.
fn times(steps: usize, like: &Tensor<2>) -> Tensor<2> {
    assert!(steps >= 2, "steps from 2, for both ends");
    let times = (0..steps).map(|step| step as f32 / (steps - 1) as f32).collect::<Vec<f32>>();
    Tensor::from_data(TensorData::new(times, [steps, 1]), (&like.device(), like.dtype()))
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
    fn straight_by_hand() {
        let line = straight(code([0.0, 2.0]), code([4.0, 0.0]), 3);
        assert_close(line, [[0.0, 2.0], [2.0, 1.0], [4.0, 0.0]]);
    }

    /// From (1, 0) to (0, 3): in the middle at 45 degrees with length 2, so (sqrt 2, sqrt 2).
    #[test]
    fn spherical_by_hand() {
        let arc = spherical(code([1.0, 0.0]), code([0.0, 3.0]), 3);
        assert_close(arc, [[1.0, 0.0], [2f32.sqrt(), 2f32.sqrt()], [0.0, 3.0]]);
        let same_way = spherical(code([1.0, 0.0]), code([3.0, 0.0]), 3);
        assert_close(same_way, [[1.0, 0.0], [2.0, 0.0], [3.0, 0.0]]);
        let from_nothing = spherical(code([0.0, 0.0]), code([3.0, 0.0]), 2);
        assert_close(from_nothing, [[0.0, 0.0], [3.0, 0.0]]);
    }

    #[test]
    fn a_traversal_changes_one_unit() {
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
