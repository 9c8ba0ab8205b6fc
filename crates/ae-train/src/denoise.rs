//! How much of a corruption a model takes away.

use ae_models::Autoencoder;
use burn::tensor::Tensor;

use crate::evaluate::{first, for_each_batch};
use crate::{Batches, Corruption, Moment, Result};

/// Squared errors against the clean input, per sample: summed over features, averaged over samples.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Denoising {
    /// Of the corrupted input: what there is to take away.
    pub corrupted_error: f64,
    /// Of the reconstruction of the corrupted input.
    pub squared_error: f64,
}

/// Corrupts a data set and holds what a model makes of it against what it was, `batch` samples at a
/// time. The noise is a function of the seed: the same for every model.
///
/// # Errors
/// If the data cannot be read.
///
/// # Panics
/// If the data has another width than the model, or `batch` is 0.
pub fn denoise<M: Autoencoder>(
    model: &M,
    corruption: Corruption,
    data: &Batches,
    batch: usize,
    seed: u64,
) -> Result<Denoising> {
    let (mut corrupted_error, mut squared_error) = (0.0, 0.0);
    let mut moment = Moment::validation(seed);
    for_each_batch(data, batch, |input, count| {
        let corrupted = corruption.apply(input.clone(), moment).values;
        moment.step += 1;
        let output = model.reconstruct(corrupted.clone());
        let error = |values: Tensor<2>| {
            let rows = first((input.clone() - values).square().sum_dim(1), count);
            rows.into_data().iter::<f64>().sum::<f64>()
        };
        corrupted_error += error(corrupted);
        squared_error += error(output);
    })?;
    let samples = data.len() as f64;
    let [corrupted_error, squared_error] = [corrupted_error, squared_error].map(|it| it / samples);
    Ok(Denoising { corrupted_error, squared_error })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RESIDENT_LIMIT;
    use ae_data::{Samples, Shape};
    use ae_models::{Activation, DenseConfig, tensors};
    use burn::tensor::{Device, TensorData};
    use std::sync::Arc;

    /// A model that answers (1, 1) to everything. Everything is masked: of (1, 3) is lost 1 + 9 and of
    /// (0, 2) 4, on average 7; the answers are off by 4 and by 1 + 1, on average 3.
    #[test]
    fn errors_by_hand() {
        let config = DenseConfig { output: Activation::Identity, ..DenseConfig::new([2, 1]) };
        let model = config.init(0, &Device::flex()).unwrap();
        let mut weights = tensors::collect(&model);
        weights.insert("decoder.layers.0.weight".into(), TensorData::from([[0.0f32], [0.0]]));
        weights.insert("decoder.layers.0.bias".into(), TensorData::from([1.0f32, 1.0]));
        let model = tensors::replace(model, weights).unwrap();
        let samples = Samples::from_floats(vec![1.0, 3.0, 0.0, 2.0], Shape::table(2)).unwrap();
        let samples = Arc::new(samples);
        let data = Batches::new(samples, &Device::flex(), RESIDENT_LIMIT, None).unwrap();
        for batch in [1, 2, 3] {
            let all = Corruption::masking(1.0).unwrap();
            let found = denoise(&model, all, &data, batch, 0).unwrap();
            assert_eq!(found, Denoising { corrupted_error: 7.0, squared_error: 3.0 });
        }
        let found = denoise(&model, Corruption::None, &data, 2, 0).unwrap();
        assert_eq!(found, Denoising { corrupted_error: 0.0, squared_error: 3.0 });
    }

    /// Noise of deviation s adds 2 s^2 to two features, and every batch gets its own.
    #[test]
    fn noise_is_as_large_as_it_says() {
        let model = DenseConfig::new([2, 1]).init(0, &Device::flex()).unwrap();
        let samples = Samples::from_floats(vec![0.5; 2 * 5000], Shape::table(2)).unwrap();
        let samples = Arc::new(samples);
        let data = Batches::new(samples, &Device::flex(), RESIDENT_LIMIT, None).unwrap();
        let noise = Corruption::gaussian(0.5).unwrap();
        let found = denoise(&model, noise, &data, 10, 0).unwrap();
        assert!((found.corrupted_error - 0.5).abs() < 0.02, "{found:?}");
        assert_eq!(denoise(&model, noise, &data, 10, 0).unwrap(), found);
        assert_ne!(denoise(&model, noise, &data, 10, 1).unwrap(), found);
    }
}
