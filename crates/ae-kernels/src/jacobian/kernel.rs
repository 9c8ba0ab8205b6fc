//! The operation on back ends that have a kernel, with autodiff.

use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients as Tape;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, backend_extension};
use burn::tensor::Tensor;

use crate::Activation;
use crate::autodiff::register;

#[backend_extension(Flex, Autodiff)]
pub(crate) trait Jacobian: Backend {
    fn jacobian_norm_sq(
        output: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        activation: Activation,
    ) -> FloatTensor<Self>;
}

pub(crate) trait JacobianBackward: Jacobian {
    /// The gradients with respect to the outputs and to the weight.
    fn jacobian_norm_sq_backward(
        output: &FloatTensor<Self>,
        weight: &FloatTensor<Self>,
        activation: Activation,
        gradient: &FloatTensor<Self>,
    ) -> [FloatTensor<Self>; 2];
}

#[derive(Debug)]
struct JacobianStep;

/// Outputs, weight and activation of the layer.
type Saved<B> = (FloatTensor<B>, FloatTensor<B>, Activation);

impl<B: JacobianBackward> Backward<B, 2> for JacobianStep {
    type State = Saved<B>;

    fn backward(self, ops: Ops<Self::State, 2>, gradients: &mut Tape, _: &mut Checkpointer) {
        let gradient = gradients.consume::<B>(&ops.node);
        let (output, weight, activation) = ops.state;
        let found = B::jacobian_norm_sq_backward(&output, &weight, activation, &gradient);
        register!(B, gradients, ops.parents, found.map(Some));
    }
}

impl<B: JacobianBackward, C: CheckpointStrategy> Jacobian for Autodiff<B, C> {
    fn jacobian_norm_sq(
        output: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        activation: Activation,
    ) -> FloatTensor<Self> {
        let prepared = JacobianStep.prepare::<C>([output.node(), weight.node()]);
        let [output, weight] = [output, weight].map(|tensor| tensor.into_primitive());
        let norms = B::jacobian_norm_sq(output.clone(), weight.clone(), activation);
        match prepared.compute_bound().stateful() {
            OpsKind::Tracked(prepared) => prepared.finish((output, weight, activation), norms),
            OpsKind::UnTracked(prepared) => prepared.finish(norms),
        }
    }
}

pub(super) fn jacobian_norm_sq(
    output: Tensor<2>,
    weight: Tensor<2>,
    activation: Activation,
) -> Tensor<1> {
    Tensor::from_dispatch(<Dispatch as Jacobian>::jacobian_norm_sq(
        output.into_dispatch(),
        weight.into_dispatch(),
        activation,
    ))
}
