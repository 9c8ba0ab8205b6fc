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

    /// How many units of a code are kept: [`encode`](Self::encode) zeroes all but so many of the
    /// largest (Makhzani & Frey 2013, arXiv 1312.5663). `None`: all are.
    fn kept(&self) -> Option<usize> {
        None
    }

    /// The code before any of its units is dropped: what a training that anneals the number of
    /// units kept starts from. The same as [`encode`](Self::encode) where all are kept.
    ///
    /// # Shapes
    /// - input: `[batch, features]`
    /// - output: `[batch, code]`
    fn encode_all(&self, input: Tensor<2>) -> Tensor<2> {
        self.encode(input)
    }
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

/// An autoencoder whose hidden layers can be reached, for dropout.
///
/// `between` is applied to the output of every hidden layer, in the order of computation:
/// `[batch, units]` each, maps flattened. The code is not among them, since the encoder ends and
/// the decoder begins with it.
#[diagnostic::on_unimplemented(
    message = "the hidden layers of `{Self}` cannot be reached",
    label = "dropout needs a model with hidden layers that it can be applied to",
    note = "implement `Layered` for it, or take a model of ae-models"
)]
pub trait Layered: Encoder + Decoder {
    /// [`encode_all`](Encoder::encode_all) with `between` after every hidden layer.
    ///
    /// # Shapes
    /// - input: `[batch, features]`
    /// - output: `[batch, code]`
    fn encode_through(
        &self,
        input: Tensor<2>,
        between: &mut dyn FnMut(Tensor<2>) -> Tensor<2>,
    ) -> Tensor<2>;

    /// [`decode_logits`](Decoder::decode_logits) with `between` after every hidden layer.
    ///
    /// # Shapes
    /// - code: `[batch, code]`
    /// - output: `[batch, features]`
    fn decode_logits_through(
        &self,
        code: Tensor<2>,
        between: &mut dyn FnMut(Tensor<2>) -> Tensor<2>,
    ) -> Tensor<2>;
}
