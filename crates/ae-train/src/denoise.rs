//! Measures how much of a corruption a model removes.

use ae_models::Autoencoder;
use burn::tensor::Tensor;

use crate::evaluate::{first, for_each_batch};
use crate::{Batches, Corruption, NoiseKey, Result};

/// Squared errors from the clean input, summed over features and averaged over samples.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Denoising {
    /// The squared error of the corrupted input.
    pub corrupted_error: f64,
    /// The squared error of the reconstruction of the corrupted input.
    pub squared_error: f64,
}

/// Corrupts a data set, and compares its reconstruction by a model with the clean inputs, `batch` samples
/// at a time. The noise depends on the seed and `batch`, so it is the same for every model. Of
/// [`Masked`](ae_data::Masked) samples the errors are those of the known values.
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
    let mut key = NoiseKey::validation(seed);
    for_each_batch(data, batch, |rows, count| {
        let (input, known) = data.parts(rows);
        let corrupted = corruption.apply(input.clone(), key).values;
        key.step += 1;
        let output = model.reconstruct(corrupted.clone());
        let error = |values: Tensor<2>| {
            let errors = (input.clone() - values).square();
            let errors = known.clone().map_or(errors.clone(), |known| errors * known);
            let rows = first(errors.sum_dim(1), count);
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

    /// The model reconstructs everything as (1, 1), and all is masked. The inputs (1, 3) and (0, 2) have
    /// the errors 1 + 9 and 4, mean 7; the reconstructions 4 and 1 + 1, mean 3.
    #[test]
    fn errors_by_hand() {
        let config = DenseConfig { output: Activation::Identity, ..DenseConfig::new([2, 1]) };
        let model = config.init(0, &Device::flex()).unwrap();
        let mut weights = tensors::collect(&model);
        weights.insert("decoder.layers.0.weight".into(), TensorData::from([[0.0f32], [0.0]]));
        weights.insert("decoder.layers.0.bias".into(), TensorData::from([1.0f32, 1.0]));
        let model = tensors::replace(model, weights).unwrap();
        let samples = Samples::from_floats(vec![1.0, 3.0, 0.0, 2.0], Shape::table(2)).unwrap();
        let data = Batches::new(samples, &Device::flex(), RESIDENT_LIMIT, None).unwrap();
        for batch in [1, 2, 3] {
            let all = Corruption::masking(1.0).unwrap();
            let found = denoise(&model, all, &data, batch, 0).unwrap();
            assert_eq!(found, Denoising { corrupted_error: 7.0, squared_error: 3.0 });
        }
        let found = denoise(&model, Corruption::None, &data, 2, 0).unwrap();
        assert_eq!(found, Denoising { corrupted_error: 0.0, squared_error: 3.0 });
    }

    /// Noise of standard deviation s adds 2 s^2 for two features, and every batch has other noise.
    #[test]
    fn noise_has_its_standard_deviation() {
        let model = DenseConfig::new([2, 1]).init(0, &Device::flex()).unwrap();
        let samples = Samples::from_floats(vec![0.5; 2 * 5000], Shape::table(2)).unwrap();
        let data = Batches::new(samples, &Device::flex(), RESIDENT_LIMIT, None).unwrap();
        let noise = Corruption::gaussian(0.5).unwrap();
        let found = denoise(&model, noise, &data, 10, 0).unwrap();
        assert!((found.corrupted_error - 0.5).abs() < 0.02, "{found:?}");
        assert_eq!(denoise(&model, noise, &data, 10, 0).unwrap(), found);
        assert_ne!(denoise(&model, noise, &data, 10, 1).unwrap(), found);
    }
}
