//! Random numbers for tests, and the difference of two tensors.

use burn::tensor::{DType, Device, Tensor, TensorData};

/// Pseudorandom numbers in (-1, 1). None is within 1e-3 of 0, where rounding may put two implementations on different
/// sides of a rectifier's kink.
pub fn numbers<const D: usize>(
    shape: [usize; D],
    seed: u64,
    dtype: DType,
    device: &Device,
) -> Tensor<D> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let values: Vec<f64> = (0..shape.iter().product())
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let value = (state >> 11) as f64 / (1u64 << 52) as f64 - 1.0;
            value + 1e-3 * value.signum()
        })
        .collect();
    let data = TensorData::new(values, shape).convert_dtype(dtype);
    Tensor::from_data(data, (device, dtype))
}

/// The largest difference, relative to the largest value or to 1; infinite if a value is NaN.
#[allow(dead_code, reason = "only some tests use it")]
pub fn difference(ours: Tensor<1>, theirs: Tensor<1>) -> f64 {
    assert_eq!(ours.dims(), theirs.dims());
    let [ours, theirs] =
        [ours, theirs].map(|tensor| tensor.into_data().iter::<f64>().collect::<Vec<_>>());
    let scale = theirs.iter().fold(1.0f64, |most, value| most.max(value.abs()));
    let differences = ours.iter().zip(&theirs).map(|(ours, theirs)| (ours - theirs).abs() / scale);
    differences.fold(0.0, |most, it| if it.is_nan() { f64::INFINITY } else { most.max(it) })
}
