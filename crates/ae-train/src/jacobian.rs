//! The Jacobian of the encoder: how much the code moves with the input, and in how many directions.

use ae_models::{DifferentiableEncoder, Encoder, Model, jacobian, singular_values};
use burn::module::Module;
use serde::{Deserialize, Serialize};

use crate::{Batches, Result};

/// The Jacobian of the encoder at some samples.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Jacobian {
    /// The number of samples.
    pub samples: usize,
    /// The mean of `||J||_F^2`.
    pub squared_norm: f64,
    /// The number of samples, from the first, whose singular values are computed.
    #[serde(default)]
    pub spectra: usize,
    /// Singular values by size, averaged over these samples; empty if there are too many to compute.
    pub singular_values: Vec<f64>,
}

/// Maximum number of samples.
const SAMPLES: usize = 64;
/// Maximum multiplications: about a second.
const COST: f64 = 2e10;
/// Maximum number of Jacobian entries: 256 MiB.
const NUMBERS: usize = 1 << 26;
/// Maximum sum of the cubes of the shorter side, over samples with singular values: a side of 784 takes about a
/// second.
const CUBES: f64 = 2e9;

impl Jacobian {
    /// Measures at the first samples, at most 64; `None` if even one Jacobian is too large.
    ///
    /// # Errors
    /// If the samples cannot be read.
    pub fn measure(model: &Model, data: &Batches) -> Result<Option<Self>> {
        let (code, features) = (model.code_size(), model.features());
        let side = code.min(features);
        let affordable = COST / (uses(model) * model.num_params() as f64 * side as f64);
        let samples = (affordable as usize).clamp(1, SAMPLES.min(data.len()));
        let samples = samples.min(NUMBERS / (code * features));
        if samples == 0 {
            return Ok(None);
        }
        let input = data.select(&(0..samples).collect::<Vec<_>>())?;
        let spectra = ((CUBES / (side as f64).powi(3)) as usize).min(samples);
        let squared = model.jacobian_norm_sq(input.clone(), None);
        if spectra == 0
            && let Some(norms) = squared
        {
            let squared_norm = norms.mean().into_scalar();
            return Ok(Some(Self { samples, squared_norm, spectra, singular_values: Vec::new() }));
        }
        let all = jacobian(model, input);
        let squared_norm = all.clone().square().sum().into_scalar::<f64>() / samples as f64;
        if spectra == 0 {
            return Ok(Some(Self { samples, squared_norm, spectra, singular_values: Vec::new() }));
        }
        let mut means = vec![0.0; side];
        for values in singular_values(all.narrow(0, 0, spectra)) {
            means.iter_mut().zip(values).for_each(|(mean, value)| *mean += value / spectra as f64);
        }
        Ok(Some(Self { samples, squared_norm, spectra, singular_values: means }))
    }
}

/// An estimate of how often a weight is used per sample: convolutions use kernels at many places.
fn uses(model: &Model) -> f64 {
    match model {
        Model::Dense(_) | Model::Pca(_) => 1.0,
        Model::Conv(_) => 32.0,
        Model::Stack(stack) => stack.layers().iter().map(uses).fold(1.0, f64::max),
    }
}
