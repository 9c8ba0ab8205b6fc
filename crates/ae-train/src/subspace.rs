//! Compares a linear autoencoder with principal component analysis.

use ae_models::{Autoencoder, Pca, singular_values};
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::{Batches, Result};

/// The subspace of a linear autoencoder, compared with that of PCA.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Subspace {
    /// The largest principal angle, in degrees.
    pub largest_angle: f64,
    /// The smallest absolute cosine between loadings. Those of the autoencoder are
    /// eigenvectors of the covariance of its reconstructions (Plaut 2018, arXiv 1804.10253).
    pub least_cosine: f64,
}

impl Subspace {
    /// Measures a linear model by its reconstructions of these training samples, to which PCA was
    /// [fitted](crate::pca_rows), in batches of `batch`.
    ///
    /// # Errors
    /// If the samples cannot be read, or PCA cannot be fitted to the reconstructions.
    pub fn measure(
        model: &impl Autoencoder,
        training: &Batches,
        batch: usize,
        pca: &Pca,
        rows: &[usize],
    ) -> Result<Self> {
        let device = pca.components().device();
        let mut values = Vec::with_capacity(rows.len() * model.features());
        for rows in rows.chunks(batch) {
            values.extend(model.reconstruct(training.select(rows)?).into_data().iter::<f32>());
        }
        let components = pca.components().dims()[1];
        let found = Pca::fit(&values, model.features(), components, &device)?;
        Ok(Self::between(pca.components(), found.components()))
    }

    /// Compares orthonormal bases, `[features, components]` each.
    pub fn between(truth: Tensor<2>, found: Tensor<2>) -> Self {
        let cosines = truth.clone().transpose().matmul(found.clone()); // [components, components]
        let least_cosine = {
            let all: Vec<f64> = cosines.to_data().iter().collect();
            let diagonal = all.iter().step_by(cosines.dims()[1] + 1);
            diagonal.map(|cosine| cosine.abs()).fold(1.0, f64::min)
        };
        // Singular values of the part outside are the sines of the angles, accurate for small ones.
        let outside = found - truth.matmul(cosines);
        let sines = singular_values(outside.unsqueeze_dim(0));
        let largest = sines.into_iter().flatten().fold(0.0, f64::max);
        Self { largest_angle: largest.min(1.0).asin().to_degrees(), least_cosine }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    /// The second basis vector is rotated by 30 degrees out of the plane, with sine 1/2; the first has the
    /// opposite sign.
    #[test]
    fn angles_by_hand() {
        let device = Device::flex();
        let truth = Tensor::<2>::from_floats([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]], &device);
        let c = 0.75f32.sqrt();
        let found = Tensor::<2>::from_floats([[-1.0, 0.0], [0.0, c], [0.0, 0.5]], &device);
        let it = Subspace::between(truth.clone(), found);
        assert!((it.largest_angle - 30.0).abs() < 1e-4, "{it:?}");
        assert!((it.least_cosine - f64::from(c)).abs() < 1e-6, "{it:?}");
        // The same plane, with the loadings in the other order.
        let swapped = Tensor::<2>::from_floats([[0.0, 1.0], [1.0, 0.0], [0.0, 0.0]], &device);
        let it = Subspace::between(truth, swapped);
        assert_eq!((it.largest_angle, it.least_cosine), (0.0, 0.0));
    }
}
