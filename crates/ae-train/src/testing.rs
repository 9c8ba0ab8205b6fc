//! Helpers for unit tests of penalties.

use ae_models::{Dense, DenseConfig};
use burn::tensor::{Device, Tensor};

use crate::{Corruption, NoiseKey, Pass, PenaltyState, Phase};

/// A model of two features, with a code of `units` units.
pub(crate) fn model(units: usize) -> Dense {
    DenseConfig::new([2, units]).init(0, &Device::flex()).expect("widths above 0")
}

/// A pass with these codes, for penalties that use nothing else.
pub(crate) fn pass(model: &Dense, code: Tensor<2>) -> Pass<'_, Dense> {
    let input = Tensor::<2>::zeros([code.dims()[0], 2], &code.device());
    let key = NoiseKey { seed: 0, phase: Phase::Train(0), step: 0 };
    let corrupted = Corruption::None.apply(input.clone(), key);
    let penalty_state = PenaltyState::new();
    Pass {
        model,
        corrupted,
        code,
        logits: input.clone(),
        input,
        known: None,
        noise_key: key,
        penalty_state,
    }
}
