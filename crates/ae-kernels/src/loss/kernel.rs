//! The losses on back ends that have a kernel, with autodiff.

use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients as Tape;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, backend_extension};
use burn::tensor::Tensor;

use crate::Activation;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Loss {
    CrossEntropy,
    SquaredError(Activation),
}

#[backend_extension(Flex: cfg(feature = "flex"), Cube: cfg(feature = "gpu"), Autodiff)]
pub(crate) trait Losses: Backend {
    fn loss(logits: FloatTensor<Self>, target: FloatTensor<Self>, loss: Loss) -> FloatTensor<Self>;
}

/// Derivatives times the gradient of the loss.
pub(crate) trait LossesBackward: Losses {
    fn in_logits(
        logits: &FloatTensor<Self>,
        target: &FloatTensor<Self>,
        loss: Loss,
        gradient: &FloatTensor<Self>,
    ) -> FloatTensor<Self>;

    fn in_target(
        logits: &FloatTensor<Self>,
        target: &FloatTensor<Self>,
        loss: Loss,
        gradient: &FloatTensor<Self>,
    ) -> FloatTensor<Self>;
}

#[derive(Debug)]
struct LossStep;

/// Logits, target and the loss.
type Saved<B> = (FloatTensor<B>, FloatTensor<B>, Loss);

impl<B: LossesBackward> Backward<B, 2> for LossStep {
    type State = Saved<B>;

    fn backward(self, ops: Ops<Self::State, 2>, gradients: &mut Tape, _: &mut Checkpointer) {
        let gradient = gradients.consume::<B>(&ops.node);
        let (logits, target, loss) = ops.state;
        let [to_logits, to_target] = ops.parents;
        if let Some(node) = to_logits {
            let found = B::in_logits(&logits, &target, loss, &gradient);
            gradients.register::<B>(node.id, found);
        }
        if let Some(node) = to_target {
            let found = B::in_target(&logits, &target, loss, &gradient);
            gradients.register::<B>(node.id, found);
        }
    }
}

impl<B: LossesBackward, C: CheckpointStrategy> Losses for Autodiff<B, C> {
    fn loss(logits: FloatTensor<Self>, target: FloatTensor<Self>, loss: Loss) -> FloatTensor<Self> {
        let prepared = LossStep.prepare::<C>([logits.node(), target.node()]);
        let [logits, target] = [logits, target].map(|tensor| tensor.into_primitive());
        let output = B::loss(logits.clone(), target.clone(), loss);
        match prepared.compute_bound().stateful() {
            OpsKind::Tracked(prepared) => prepared.finish((logits, target, loss), output),
            OpsKind::UnTracked(prepared) => prepared.finish(output),
        }
    }
}

pub(super) fn loss(logits: Tensor<2>, target: Tensor<2>, loss: Loss) -> Tensor<1> {
    Tensor::from_dispatch(<Dispatch as Losses>::loss(
        logits.into_dispatch(),
        target.into_dispatch(),
        loss,
    ))
}
