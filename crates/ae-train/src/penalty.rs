//! The interface of penalties, the terms that an objective adds to the reconstruction.

use std::collections::BTreeMap;

use burn::tensor::Tensor;
use serde_json::Value;

use crate::{Corrupted, CorruptionMask, NoiseKey, Result};

/// One pass through a model: everything that a penalty can use.
pub struct Pass<'a, M> {
    /// The model.
    pub model: &'a M,
    /// The clean inputs, which are the targets of the reconstruction, `[batch, features]`.
    pub input: Tensor<2>,
    /// 1 where a value of the input is known and 0 where it is not, for an objective
    /// [of known values](crate::Objective::of_known), `[batch, features]`.
    pub known: Option<Tensor<2>>,
    /// The inputs after corruption.
    pub corrupted: Corrupted,
    /// The codes of the corrupted inputs, `[batch, code]`.
    pub code: Tensor<2>,
    /// The reconstructions before the output activation, `[batch, features]`.
    pub logits: Tensor<2>,
    /// The key of all random numbers of this pass.
    pub noise_key: NoiseKey,
    /// The state of penalties after the step before, by their names.
    pub penalty_state: PenaltyState,
}

impl<M> Pass<'_, M> {
    /// Whether the codes are those of the clean inputs.
    pub(crate) fn is_clean(&self) -> bool {
        matches!(self.corrupted.mask, CorruptionMask::None)
    }
}

/// The state of penalties between steps, by their names, for example a running mean. Training writes it
/// into checkpoints.
pub type PenaltyState = BTreeMap<String, Tensor<1>>;

/// A term of an objective in addition to the reconstruction.
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
    /// The name of the term in logs.
    fn name(&self) -> &str;

    /// Computes the value for a batch, without the weight of the penalty: one differentiable number,
    /// averaged over the batch so that it does not depend on the batch size.
    fn value(&self, pass: &Pass<'_, M>) -> Tensor<1>;

    /// The state of the penalty for the next step, which it will find in [`Pass::penalty_state`] under its
    /// name. It is detached from autodiff. `None` if the penalty has no state.
    fn update_state(&self, _pass: &Pass<'_, M>) -> Option<Tensor<1>> {
        None
    }

    /// Everything that determines its value, except for its name and weight. A checkpoint of other settings is
    /// refused, so a penalty with settings returns them here.
    fn settings(&self) -> Value {
        Value::Null
    }

    /// Checks that the penalty fits a model. It is called once, before training.
    ///
    /// # Errors
    /// If it does not, with the reason.
    fn check(&self, _model: &M) -> Result<()> {
        Ok(())
    }
}

impl<M> Penalty<M> for Box<dyn Penalty<M>> {
    fn name(&self) -> &str {
        (**self).name()
    }

    fn value(&self, pass: &Pass<'_, M>) -> Tensor<1> {
        (**self).value(pass)
    }

    fn update_state(&self, pass: &Pass<'_, M>) -> Option<Tensor<1>> {
        (**self).update_state(pass)
    }

    fn settings(&self) -> Value {
        (**self).settings()
    }

    fn check(&self, model: &M) -> Result<()> {
        (**self).check(model)
    }
}
