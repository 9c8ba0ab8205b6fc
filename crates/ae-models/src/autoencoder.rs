//! The traits of all models: an encoder and a decoder, both deterministic maps.

use burn::module::{Module, ModuleDisplay};
use burn::tensor::Tensor;
use serde_json::Value;

use crate::Activation;

/// Maps inputs to codes.
///
/// An encoder is deterministic: it has no noise and no training mode, so the same input always has the
/// same code.
pub trait Encoder: Module + ModuleDisplay {
    /// Computes the code of each input.
    ///
    /// # Shapes
    /// - input: `[batch, features]`
    /// - output: `[batch, code]`
    fn encode(&self, input: Tensor<2>) -> Tensor<2>;

    /// The number of features of an input.
    fn features(&self) -> usize;

    /// The number of units of a code.
    fn code_size(&self) -> usize;

    /// The activation of the code, which determines the range of its units.
    fn code_activation(&self) -> Activation;

    /// The peak learning rate of Adam that training uses unless it is given another: 1e-3.
    fn learning_rate(&self) -> f64 {
        crate::DenseConfig::LEARNING_RATE
    }

    /// The number of units of a code that [`encode`](Self::encode) keeps, the largest ones; the others
    /// are 0 (Makhzani & Frey 2013, arXiv 1312.5663). `None` if it keeps all.
    fn top_k(&self) -> Option<usize> {
        None
    }

    /// Computes the code with all its units, before [`top_k`](Self::top_k) sets any to 0. Training that
    /// anneals the number of kept units starts from it.
    ///
    /// # Shapes
    /// - input: `[batch, features]`
    /// - output: `[batch, code]`
    fn encode_dense(&self, input: Tensor<2>) -> Tensor<2> {
        self.encode(input)
    }

    /// Everything that determines what the model computes, except for its parameters; of this crate's models
    /// their [`Architecture`](crate::Architecture), which includes the decoder. A checkpoint of other settings
    /// is refused, so a model with settings other than widths and activations returns them here.
    fn settings(&self) -> Value {
        Value::Null
    }
}

/// Maps codes back to inputs.
pub trait Decoder: Module + ModuleDisplay {
    /// Computes the reconstruction before its output activation. Cross-entropy is computed from these
    /// logits, never from clamped probabilities.
    ///
    /// # Shapes
    /// - code: `[batch, code]`
    /// - output: `[batch, features]`
    fn decode_logits(&self, code: Tensor<2>) -> Tensor<2>;

    /// The activation that turns logits into a reconstruction.
    fn output(&self) -> Activation;

    /// Computes the reconstruction of each code.
    ///
    /// # Shapes
    /// - code: `[batch, code]`
    /// - output: `[batch, features]`
    fn decode(&self, code: Tensor<2>) -> Tensor<2> {
        self.output().apply(self.decode_logits(code))
    }
}

/// An encoder and its decoder, `x -> decode(encode(x))`: the reconstruction of an input is the decoded
/// code of it.
///
/// A model has no loss, data set or optimiser. A batch is always `[batch, features]`; a convolutional
/// model reshapes it.
pub trait Autoencoder: Encoder + Decoder {
    /// Computes `decode(encode(input))`, the reconstruction of each input.
    ///
    /// # Shapes
    /// - input and output: `[batch, features]`
    fn reconstruct(&self, input: Tensor<2>) -> Tensor<2> {
        self.decode(self.encode(input))
    }
}

impl<M: Encoder + Decoder> Autoencoder for M {}

/// An autoencoder with a hook on its hidden layers, for dropout.
///
/// The hook is applied to the output of every hidden layer, in the order of computation, as
/// `[batch, units]` with flattened maps. It is not applied to the code, with which the encoder ends and
/// the decoder begins.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no hook on its hidden layers",
    label = "dropout needs a hook on the hidden layers",
    note = "implement `Layered` for it, or use a model of ae-models"
)]
pub trait Layered: Encoder + Decoder {
    /// [`encode_dense`](Encoder::encode_dense) with `hook` after every hidden layer.
    ///
    /// # Shapes
    /// - input: `[batch, features]`
    /// - output: `[batch, code]`
    fn encode_with_hook(
        &self,
        input: Tensor<2>,
        hook: &mut dyn FnMut(Tensor<2>) -> Tensor<2>,
    ) -> Tensor<2>;

    /// [`decode_logits`](Decoder::decode_logits) with `hook` after every hidden layer.
    ///
    /// # Shapes
    /// - code: `[batch, code]`
    /// - output: `[batch, features]`
    fn decode_logits_with_hook(
        &self,
        code: Tensor<2>,
        hook: &mut dyn FnMut(Tensor<2>) -> Tensor<2>,
    ) -> Tensor<2>;
}
