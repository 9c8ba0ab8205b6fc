//! The joint on which everything stands: two deterministic maps.

use burn::module::{Module, ModuleDisplay};
use burn::tensor::Tensor;

use crate::Activation;

/// Maps inputs to codes.
///
/// Deterministic: no noise, no mode; the same input has the same code in training and in use.
pub trait Encoder: Module + ModuleDisplay {
    /// The code of each input.
    ///
    /// # Shapes
    /// - input: `[batch, features]`
    /// - output: `[batch, code]`
    fn encode(&self, input: Tensor<2>) -> Tensor<2>;

    /// Features of an input.
    fn features(&self) -> usize;

    /// Units of a code.
    fn code_size(&self) -> usize;

    /// The activation the code has passed: what range its units live in.
    fn code_activation(&self) -> Activation;
}

/// Maps codes back to inputs.
pub trait Decoder: Module + ModuleDisplay {
    /// The reconstruction before its output activation. Cross-entropy is computed from these,
    /// never from clamped probabilities.
    ///
    /// # Shapes
    /// - code: `[batch, code]`
    /// - output: `[batch, features]`
    fn decode_logits(&self, code: Tensor<2>) -> Tensor<2>;

    /// The activation that makes the logits a reconstruction.
    fn output(&self) -> Activation;

    /// The reconstruction of each code.
    ///
    /// # Shapes
    /// - code: `[batch, code]`
    /// - output: `[batch, features]`
    fn decode(&self, code: Tensor<2>) -> Tensor<2> {
        self.output().apply(self.decode_logits(code))
    }
}

/// An encoder and its decoder, `x -> decode(encode(x))`.
///
/// A model knows no loss, no data set and no optimiser; a batch is always
/// `[batch, features]`, and a convolutional model reshapes inside.
pub trait Autoencoder: Encoder + Decoder {
    /// `decode(encode(input))`.
    ///
    /// # Shapes
    /// - input and output: `[batch, features]`
    fn reconstruct(&self, input: Tensor<2>) -> Tensor<2> {
        self.decode(self.encode(input))
    }
}

impl<M: Encoder + Decoder> Autoencoder for M {}
