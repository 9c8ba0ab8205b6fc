//! What an objective adds to the reconstruction term, and what it may see.

use std::collections::BTreeMap;

use burn::tensor::Tensor;

use crate::{Corrupted, Moment, Result, Touched};

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
    /// What penalties remember of the steps before, by their names.
    pub memory: Memory,
}

impl<M> Pass<'_, M> {
    /// Whether the codes are those of the inputs themselves.
    pub(crate) fn is_clean(&self) -> bool {
        matches!(self.corrupted.touched, Touched::Nothing)
    }
}

/// What penalties carry from step to step, by their names: a running mean, for instance. `fit`
/// keeps it and writes it into checkpoints.
pub type Memory = BTreeMap<String, Tensor<1>>;

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

    /// What it wants to find in [`Pass::memory`] under its name at the next step, if anything. Kept
    /// off the tape.
    fn remember(&self, _pass: &Pass<'_, M>) -> Option<Tensor<1>> {
        None
    }

    /// Whether it makes sense for a model; asked once before training.
    ///
    /// # Errors
    /// A sentence that says why not.
    fn check(&self, _model: &M) -> Result<()> {
        Ok(())
    }
}
