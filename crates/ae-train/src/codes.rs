//! Computes the codes of a whole data set.

use std::sync::Arc;

use ae_data::{Samples, Shape, Source};
use ae_models::Encoder;

use crate::evaluate::{first, for_each_batch};
use crate::{Batches, Error, Labelled, Result};

/// Computes the codes of all rows of `source` on the device of the encoder, `batch` rows at a time, and
/// collects them on the host, with the labels of the source.
///
/// ```
/// use ae_data::digits;
/// use ae_models::{DenseConfig, Encoder};
/// use ae_train::encode_dataset;
/// use burn::tensor::Device;
///
/// let encoder = DenseConfig::new([784, 30]).init(0, &Device::flex())?;
/// let codes = encode_dataset(&encoder, digits::generate(100, 0), 64)?;
/// assert_eq!((codes.len(), codes.width()), (100, 30));
/// # Ok::<(), ae_train::Error>(())
/// ```
///
/// # Errors
/// If the rows cannot be read, have another width than the encoder, or a code is not finite.
///
/// # Panics
/// If `batch` is 0.
pub fn encode_dataset<E: Encoder>(
    encoder: &E,
    source: impl Into<Arc<dyn Source>>,
    batch: usize,
) -> Result<Samples> {
    let source = source.into();
    if source.width() != encoder.features() {
        return Err(Error::other_width(encoder.features(), source.width()));
    }
    let device = encoder.devices().first().cloned().ok_or_else(Error::no_parameters)?;
    let encoder = encoder.valid();
    let mut codes = Vec::with_capacity(source.len() * encoder.code_size());
    let labels = source.labels().cloned();
    let rows = Batches::new(source, &device, 0, None)?;
    for_each_batch(&rows, batch, |input, count| {
        codes.extend(first(encoder.encode(input), count).into_data().iter::<f32>());
    })?;
    let codes = Samples::from_floats(codes, Shape::table(encoder.code_size()))?;
    Ok(match labels {
        Some(labels) => codes.with_labels(labels)?,
        None => codes,
    })
}

impl Labelled {
    /// Computes the [codes](encode_dataset) of the rows, with the same labels.
    ///
    /// # Errors
    /// As [`encode_dataset`].
    ///
    /// # Panics
    /// If `batch` is 0.
    pub fn encode<E: Encoder>(&self, encoder: &E, batch: usize) -> Result<Self> {
        let codes = encode_dataset(encoder, self.samples().clone(), batch)?;
        Self::new(Arc::new(codes), self.labels().clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RESIDENT_LIMIT;
    use ae_data::digits;
    use ae_models::DenseConfig;
    use burn::module::Module;
    use burn::tensor::Device;

    #[test]
    fn codes_are_those_of_the_encoder_for_every_batch_size() {
        let device = Device::flex();
        let model = DenseConfig::new([784, 12, 5]).init(0, &device).unwrap();
        let digits = digits::generate(7, 0);
        let data = Labelled::from_samples(digits.clone()).unwrap();
        let all = Batches::new(digits, &device, RESIDENT_LIMIT, None).unwrap();
        let expected = model.encode(all.select(&[0, 1, 2, 3, 4, 5, 6]).unwrap()).into_data();
        for batch in [1, 3, 7, 100] {
            // A model in training gives the same codes.
            let codes = data.encode(&model.clone().train(), batch).unwrap();
            let mut values = vec![0.0f32; 7 * 5];
            codes.samples().read(&[0, 1, 2, 3, 4, 5, 6], &mut values).unwrap();
            for (value, expected) in values.iter().zip(expected.iter::<f32>()) {
                assert!((value - expected).abs() < 1e-5, "{value} {expected}");
            }
            assert_eq!(codes.labels(), data.labels());
        }
        let narrow = DenseConfig::new([10, 2]).init(0, &device).unwrap();
        assert_eq!(
            data.encode(&narrow, 4).err().unwrap().to_string(),
            "samples: expected 10 features, as the model has, got 784"
        );
    }
}
