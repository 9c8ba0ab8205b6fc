//! Initial weights, drawn on the host from a generator of their own: the same seed gives the same model
//! on every back end.

use burn::module::Param;
use burn::tensor::{Device, Tensor, TensorData};
use chacha20::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

/// Draws the parameters of one model, in the order of the calls.
pub(crate) struct Initializer<'a> {
    generator: ChaCha8Rng,
    device: &'a Device,
}

impl<'a> Initializer<'a> {
    pub(crate) fn new(seed: u64, device: &'a Device) -> Self {
        Self { generator: ChaCha8Rng::seed_from_u64(seed), device }
    }

    /// A weight that is uniform on `+-sqrt(3 gain / fan_in)`, so its variance is `gain / fan_in`.
    pub(crate) fn weight<const D: usize>(
        &mut self,
        shape: [usize; D],
        fan_in: usize,
        gain: f64,
    ) -> Param<Tensor<D>> {
        let bound = (3.0 * gain / fan_in as f64).sqrt() as f32;
        self.uniform(shape, bound)
    }

    /// A weight for both directions, uniform on `+-sqrt(6 / (fan_in + fan_out))` (Glorot & Bengio 2010).
    pub(crate) fn symmetric_weight(&mut self, [fan_in, fan_out]: [usize; 2]) -> Param<Tensor<2>> {
        self.symmetric([fan_in, fan_out], [fan_in, fan_out])
    }

    pub(crate) fn symmetric<const D: usize>(
        &mut self,
        shape: [usize; D],
        [fan_in, fan_out]: [usize; 2],
    ) -> Param<Tensor<D>> {
        self.uniform(shape, (6.0 / (fan_in + fan_out) as f64).sqrt() as f32)
    }

    /// A vector of `value`: biases start at 0, gains at 1.
    pub(crate) fn constant(&mut self, length: usize, value: f32) -> Param<Tensor<1>> {
        Param::from_data(TensorData::new(vec![value; length], [length]), self.device)
    }

    fn uniform<const D: usize>(&mut self, shape: [usize; D], bound: f32) -> Param<Tensor<D>> {
        let values: Vec<f32> = (0..shape.iter().product())
            .map(|_| self.generator.random_range(-bound..=bound))
            .collect();
        Param::from_data(TensorData::new(values, shape), self.device)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The variance of `n` uniform numbers lies within 4.5 of its standard deviations,
    /// `2 / sqrt(5 n)` of itself; and the largest of them are near the bound, `sqrt(3)` deviations.
    fn assert_variance(weight: &Param<Tensor<2>>, expected: f64) {
        let values: Vec<f64> = weight.val().into_data().iter::<f64>().collect();
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n;
        assert!((variance / expected - 1.0).abs() < 4.5 * 2.0 / (5.0 * n).sqrt(), "{variance}");
        let largest = values.iter().fold(0.0f64, |most, value| most.max(value.abs()));
        let bound = (3.0 * expected).sqrt();
        assert!((0.99..=1.0 + 1e-6).contains(&(largest / bound)), "{largest} {bound}");
    }

    /// `gain / fan_in`, here 2 / 50; `2 / (fan_in + fan_out)`, here 2 / 250.
    #[test]
    fn weights_have_the_variance_that_is_theirs() {
        let device = Device::flex();
        let mut initializer = Initializer::new(3, &device);
        assert_variance(&initializer.weight([50, 200], 50, 2.0), 0.04);
        assert_variance(&initializer.weight([50, 200], 50, 1.0), 0.02);
        assert_variance(&initializer.symmetric_weight([50, 200]), 0.008);
    }
}
