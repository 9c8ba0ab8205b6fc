//! What an objective adds to the reconstruction term, and what it may see.

use ae_models::Autoencoder;
use burn::tensor::Tensor;

use crate::{Corrupted, Moment, Result};

/// One pass through a model: everything that a term may see.
pub struct Pass<'a, M> {
    /// The model.
    pub model: &'a M,
    /// The inputs, and what reconstructions are held against: `[batch, features]`.
    pub input: Tensor<2>,
    /// The inputs after corruption.
    pub corrupted: Corrupted,
    /// The codes of the corrupted inputs: `[batch, code]`.
    pub code: Tensor<2>,
    /// The reconstructions before the output activation: `[batch, features]`.
    pub logits: Tensor<2>,
    /// Where training stands; randomness comes from it.
    pub moment: Moment,
}

/// A named term of an objective that is not the reconstruction.
///
/// ```
/// use ae_models::Autoencoder;
/// use ae_train::{Pass, Penalty};
/// use burn::tensor::Tensor;
///
/// /// The squared length of the code, averaged over the batch.
/// struct ShortCodes;
///
/// impl<M: Autoencoder> Penalty<M> for ShortCodes {
///     fn name(&self) -> &str {
///         "short-codes"
///     }
///
///     fn value(&self, pass: &Pass<'_, M>) -> Tensor<1> {
///         pass.code.clone().square().sum_dim(1).mean()
///     }
/// }
/// ```
pub trait Penalty<M>: Send + Sync {
    /// What it is called in logs.
    fn name(&self) -> &str;

    /// Its value for a batch, before its weight: one number, differentiable, averaged over
    /// the batch so that it does not depend on the batch's size.
    fn value(&self, pass: &Pass<'_, M>) -> Tensor<1>;

    /// Whether it makes sense for a model; asked once before training.
    ///
    /// # Errors
    /// A sentence that says why not.
    fn check(&self, _model: &M) -> Result<()> {
        Ok(())
    }
}

/// `sum_j |h_j|`, averaged over the batch: pulls units of the code to zero.
///
/// Units: the code's. Its weight usually lies between 1e-4 and 1e-1 beside a squared error
/// that is summed over pixels.
#[derive(Clone, Copy, Debug)]
pub struct L1;

impl<M: Autoencoder> Penalty<M> for L1 {
    fn name(&self) -> &str {
        "l1"
    }

    fn value(&self, pass: &Pass<'_, M>) -> Tensor<1> {
        let [batch, _] = pass.code.dims();
        pass.code.clone().abs().sum() / batch as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Corruption;
    use ae_models::DenseConfig;
    use burn::tensor::{Device, TensorData};

    /// Codes (1, -2) and (0, 3): (3 + 3) / 2 = 3.
    #[test]
    fn l1_by_hand() {
        let device = Device::flex();
        let model = DenseConfig::new([2, 2]).init(0, &device).unwrap();
        let input = Tensor::<2>::zeros([2, 2], &device);
        let moment = Moment { seed: 0, epoch: 0, step: 0 };
        let pass = Pass {
            model: &model,
            corrupted: Corruption::None.apply(input.clone(), moment),
            code: Tensor::from_floats([[1.0, -2.0], [0.0, 3.0]], &device),
            logits: input.clone(),
            input,
            moment,
        };
        L1.value(&pass).into_data().assert_eq(&TensorData::from([3.0f32]), true);
    }
}
