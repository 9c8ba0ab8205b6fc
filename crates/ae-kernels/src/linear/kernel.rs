//! The operation on back ends that have a kernel, with autodiff.

use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients as Tape;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, backend_extension};
use burn::tensor::Tensor;

use super::Weight;
use crate::Activation;
use crate::autodiff::{Gradients, Pass, record, register};

#[derive(Clone, Copy, Debug)]
pub(crate) struct Form {
    /// Whether the weight is `[out, in]`.
    pub(crate) transposed: bool,
    pub(crate) activation: Activation,
}

#[backend_extension(Flex: cfg(feature = "flex"), Cube: cfg(feature = "gpu"), Autodiff)]
pub(crate) trait Linear: Backend {
    fn linear(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        form: Form,
    ) -> FloatTensor<Self>;
}

pub(crate) trait LinearBackward: Linear {
    fn linear_backward(pass: Pass<Self, Form>, gradient: FloatTensor<Self>) -> Gradients<Self>;
}

#[derive(Debug)]
struct LinearStep;

impl<B: LinearBackward> Backward<B, 3> for LinearStep {
    type State = Pass<B, Form>;

    fn backward(self, ops: Ops<Self::State, 3>, gradients: &mut Tape, _: &mut Checkpointer) {
        let gradient = gradients.consume::<B>(&ops.node);
        let found = B::linear_backward(ops.state, gradient);
        register!(B, gradients, ops.parents, [found.input, found.weight, Some(found.bias)]);
    }
}

impl<B: LinearBackward, C: CheckpointStrategy> Linear for Autodiff<B, C> {
    fn linear(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        form: Form,
    ) -> FloatTensor<Self> {
        record!(LinearStep, C, [input, weight, bias], form, <B as Linear>::linear)
    }
}

pub(super) fn linear(
    input: Tensor<2>,
    weight: Weight,
    bias: Tensor<1>,
    activation: Activation,
) -> Tensor<2> {
    let (weight, transposed) = match weight {
        Weight::Plain(weight) => (weight, false),
        Weight::Transposed(weight) => (weight, true),
    };
    Tensor::from_dispatch(<Dispatch as Linear>::linear(
        input.into_dispatch(),
        weight.into_dispatch(),
        bias.into_dispatch(),
        Form { transposed, activation },
    ))
}
