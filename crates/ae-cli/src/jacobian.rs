//! How much the code moves with the input, and in how many directions.

use ae_models::{DifferentiableEncoder, Encoder, Model, jacobian, singular_values};
use ae_train::Batches;
use burn::module::Module;
use serde::{Deserialize, Serialize};

use crate::error::Result;

/// The Jacobian of the encoder at some samples.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Jacobian {
    /// How many.
    pub samples: usize,
    /// The mean of `||J||_F^2`.
    pub squared_norm: f64,
    /// The mean over samples of the largest singular value, of the second, and so on; none where
    /// there are too many to compute.
    pub singular_values: Vec<f64>,
}

/// Samples looked at, where they are cheap.
const SAMPLES: usize = 64;
/// Multiplications that it may take: a second or so.
const COST: f64 = 2e10;
/// Numbers of all Jacobians together: 256 MiB of them.
const NUMBERS: usize = 1 << 26;
/// Singular values of a Jacobian.
const VALUES: usize = 256;

impl Jacobian {
    /// At the first samples; none where even one Jacobian is too large.
    pub fn measure(model: &Model, data: &Batches) -> Result<Option<Self>> {
        let (code, features) = (model.code_size(), model.features());
        let side = code.min(features);
        // Kernels are applied at many places.
        let uses = if matches!(model, Model::Dense(_) | Model::Pca(_)) { 1.0 } else { 32.0 };
        let affordable = COST / (uses * model.num_params() as f64 * side as f64);
        let samples = (affordable as usize).clamp(1, SAMPLES.min(data.len()));
        let samples = samples.min(NUMBERS / (code * features));
        if samples == 0 {
            return Ok(None);
        }
        let input = data.select(&(0..samples).collect::<Vec<_>>())?;
        let squared = model.squared_jacobian(input.clone(), None);
        if side > VALUES
            && let Some(norms) = squared
        {
            let squared_norm = norms.mean().into_scalar();
            return Ok(Some(Self { samples, squared_norm, singular_values: Vec::new() }));
        }
        let all = jacobian(model, input);
        let squared_norm = all.clone().square().sum().into_scalar::<f64>() / samples as f64;
        if side > VALUES {
            return Ok(Some(Self { samples, squared_norm, singular_values: Vec::new() }));
        }
        let mut means = vec![0.0; side];
        for values in singular_values(all) {
            means.iter_mut().zip(values).for_each(|(mean, value)| *mean += value / samples as f64);
        }
        Ok(Some(Self { samples, squared_norm, singular_values: means }))
    }
}
