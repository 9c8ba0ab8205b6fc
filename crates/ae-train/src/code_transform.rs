//! The interface of what happens to a code between encoder and decoder.

use ae_models::{Autoencoder, top_k};
use burn::tensor::Tensor;
use serde_json::{Value, json};

use crate::{Error, NoiseKey, Result, TopKSchedule};

/// A transformation of the code between encoder and decoder during training and validation: top-k, noise on the
/// code, sampling, quantisation. Its random numbers come from the key of the pass, so that a resumed run has the
/// same ones.
///
/// ```
/// use ae_train::{CodeTransform, NoiseKey, Objective, Reconstruction};
/// use burn::tensor::Tensor;
///
/// /// Codes of -1 and 1, with the gradient of the code that was rounded (straight through).
/// struct Signs;
///
/// impl<M> CodeTransform<M> for Signs {
///     fn name(&self) -> &str {
///         "signs"
///     }
///
///     fn apply(&self, code: Tensor<2>, _: NoiseKey) -> Tensor<2> {
///         let rounded = code.clone().sign();
///         code.clone() + (rounded - code).detach()
///     }
/// }
///
/// let objective: Objective<ae_models::Dense> =
///     Objective::new(Reconstruction::SquaredError).transform(Signs)?;
/// assert_eq!(objective.to_string(), "squared-error, signs");
/// # Ok::<(), ae_train::Error>(())
/// ```
pub trait CodeTransform<M>: Send + Sync {
    /// Its name in logs.
    fn name(&self) -> &str;

    /// The transformed code, `[batch, code]` each. A [top-k](ae_models::Encoder::top_k) of the model follows, unless a
    /// [`TopKSchedule`] takes its place.
    fn apply(&self, code: Tensor<2>, key: NoiseKey) -> Tensor<2>;

    /// Everything that determines its result, except for its name. A checkpoint of other settings is refused.
    fn settings(&self) -> Value {
        Value::Null
    }

    /// Its settings in words, after its name.
    fn words(&self) -> String {
        self.name().to_owned()
    }

    /// Checks that it fits a model. It is called once, before training.
    ///
    /// # Errors
    /// If it does not, with the reason.
    fn check(&self, _model: &M) -> Result<()> {
        Ok(())
    }
}

/// The name of top-k in checkpoints.
pub(crate) const TOP_K: &str = "top-k";

impl<M: Autoencoder> CodeTransform<M> for TopKSchedule {
    fn name(&self) -> &str {
        TOP_K
    }

    fn apply(&self, code: Tensor<2>, key: NoiseKey) -> Tensor<2> {
        top_k(code, self.at(key))
    }

    fn settings(&self) -> Value {
        json!(self)
    }

    fn words(&self) -> String {
        self.to_string()
    }

    fn check(&self, model: &M) -> Result<()> {
        let (to, from, units) = (self.to(), self.from(), model.code_size());
        if from > units {
            return Err(Error::Objective(format!(
                "k-sparse: expected at most {units}, the units of the code, got {from}"
            )));
        }
        match model.top_k() {
            Some(k) if k >= to => Ok(()),
            k => {
                let got = k.map_or("one that keeps all".into(), |k| format!("one that keeps {k}"));
                Err(Error::Objective(format!(
                    "k-sparse: expected a model that keeps {to} to {units} units of its code, got \
                     {got}; set `top_k` in its configuration"
                )))
            }
        }
    }
}
