//! What unit tests of penalties have in common.

use ae_models::{Dense, DenseConfig};
use burn::tensor::{Device, Tensor};

use crate::{Corruption, Memory, Moment, Pass};

/// A model of two features whose code has so many units.
pub(crate) fn model(units: usize) -> Dense {
    DenseConfig::new([2, units]).init(0, &Device::flex()).expect("widths above 0")
}

/// A pass that came to these codes, whatever the model: for penalties that look at nothing else.
pub(crate) fn pass(model: &Dense, code: Tensor<2>) -> Pass<'_, Dense> {
    let input = Tensor::<2>::zeros([code.dims()[0], 2], &code.device());
    let moment = Moment { seed: 0, epoch: 0, step: 0 };
    let corrupted = Corruption::None.apply(input.clone(), moment);
    let memory = Memory::new();
    Pass { model, corrupted, code, logits: input.clone(), input, moment, memory }
}
