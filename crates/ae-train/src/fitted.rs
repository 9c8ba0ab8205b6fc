//! What a fitted autoencoder does to samples.

use std::sync::Arc;

use ae_data::{Samples, Source};
use ae_models::Autoencoder;

use crate::evaluate::{first, for_each_batch};
use crate::{Batches, Error, Evaluation, Fitted, RESIDENT_LIMIT, Result, encode_dataset, evaluate};

/// Samples of a batch, where the batch decides no numbers but the rounding.
const BATCH: usize = 128;

impl<M: Autoencoder> Fitted<M> {
    /// The codes of samples, one row each, with their labels.
    ///
    /// # Errors
    /// If the samples cannot be read, have another width than the model, or a code is not finite.
    pub fn encode(&self, samples: impl Into<Arc<dyn Source>>) -> Result<Samples> {
        encode_dataset(&self.model, samples, BATCH)
    }

    /// The reconstructions of samples, of the same shape, as the model gives them: to come back to the
    /// units of a file, [`invert`](ae_data::Preprocessing::invert) the preprocessing.
    ///
    /// # Errors
    /// If the samples have another width than the model, or a reconstruction is not finite.
    pub fn reconstruct(&self, samples: &Samples) -> Result<Samples> {
        let mut rows = Vec::with_capacity(samples.len() * samples.width());
        for_each_batch(&self.batches(samples)?, BATCH, |input, count| {
            let output = first(self.model.reconstruct(input), count);
            rows.extend(output.into_data().iter::<f32>());
        })?;
        Ok(Samples::from_floats(rows, samples.shape().clone())?)
    }

    /// How good the model is on samples.
    ///
    /// # Errors
    /// If the samples cannot be read, or have another width than the model.
    pub fn evaluate(&self, samples: impl Into<Arc<dyn Source>>) -> Result<Evaluation> {
        Ok(evaluate(&self.model, &self.batches(samples)?, BATCH)?.evaluation)
    }

    /// The squared error of every sample, summed over its features: how unlike the training samples it
    /// is.
    ///
    /// # Errors
    /// As [`evaluate`](Self::evaluate).
    pub fn squared_errors(&self, samples: impl Into<Arc<dyn Source>>) -> Result<Vec<f32>> {
        Ok(evaluate(&self.model, &self.batches(samples)?, BATCH)?.squared_errors)
    }

    fn batches(&self, samples: impl Into<Arc<dyn Source>>) -> Result<Batches> {
        let samples = samples.into();
        if samples.width() != self.model.features() {
            return Err(Error::other_width(self.model.features(), samples.width()));
        }
        let device = self.model.devices().first().cloned().ok_or_else(Error::no_parameters)?;
        Batches::new(samples, &device, RESIDENT_LIMIT, None)
    }
}
