//! The operations on back ends that have a kernel, with autodiff: each is the other's backward pass.

use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients as Tape;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, TensorMetadata, backend_extension};
use burn::tensor::Tensor;

use crate::autodiff::register;

#[backend_extension(Flex, Autodiff)]
pub(crate) trait Flatten: Backend {
    fn flatten(map: FloatTensor<Self>) -> FloatTensor<Self>;

    fn unflatten(rows: FloatTensor<Self>, size: [usize; 3]) -> FloatTensor<Self>;
}

#[derive(Debug)]
struct FlattenStep;

impl<B: Flatten> Backward<B, 1> for FlattenStep {
    type State = [usize; 3];

    fn backward(self, ops: Ops<Self::State, 1>, gradients: &mut Tape, _: &mut Checkpointer) {
        let gradient = gradients.consume::<B>(&ops.node);
        register!(B, gradients, ops.parents, [Some(B::unflatten(gradient, ops.state))]);
    }
}

#[derive(Debug)]
struct UnflattenStep;

impl<B: Flatten> Backward<B, 1> for UnflattenStep {
    type State = ();

    fn backward(self, ops: Ops<Self::State, 1>, gradients: &mut Tape, _: &mut Checkpointer) {
        let gradient = gradients.consume::<B>(&ops.node);
        register!(B, gradients, ops.parents, [Some(B::flatten(gradient))]);
    }
}

impl<B: Flatten, C: CheckpointStrategy> Flatten for Autodiff<B, C> {
    fn flatten(map: FloatTensor<Self>) -> FloatTensor<Self> {
        let prepared = FlattenStep.prepare::<C>([map.node()]);
        let map = map.into_primitive();
        let [_, channels, height, width] = map.shape().dims();
        let rows = B::flatten(map);
        match prepared.compute_bound().stateful() {
            OpsKind::Tracked(prepared) => prepared.finish([channels, height, width], rows),
            OpsKind::UnTracked(prepared) => prepared.finish(rows),
        }
    }

    fn unflatten(rows: FloatTensor<Self>, size: [usize; 3]) -> FloatTensor<Self> {
        let prepared = UnflattenStep.prepare::<C>([rows.node()]);
        let map = B::unflatten(rows.into_primitive(), size);
        match prepared.compute_bound().stateful() {
            OpsKind::Tracked(prepared) => prepared.finish((), map),
            OpsKind::UnTracked(prepared) => prepared.finish(map),
        }
    }
}

pub(super) fn flatten(map: Tensor<4>) -> Tensor<2> {
    Tensor::from_dispatch(<Dispatch as Flatten>::flatten(map.into_dispatch()))
}

pub(super) fn unflatten(rows: Tensor<2>, size: [usize; 3]) -> Tensor<4> {
    assert_eq!(rows.dims()[1], size.iter().product::<usize>(), "numbers of a map");
    Tensor::from_dispatch(<Dispatch as Flatten>::unflatten(rows.into_dispatch(), size))
}
