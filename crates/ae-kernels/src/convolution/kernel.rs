//! The operation on back ends that have a kernel, with autodiff.

use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients as Tape;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, backend_extension};
use burn::tensor::Tensor;

use super::geometry::{Direction, Geometry};
use crate::Activation;
use crate::autodiff::{Gradients, Pass, record, register};

/// A convolution or its transpose.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Form {
    pub(crate) direction: Direction,
    pub(crate) geometry: Geometry,
    pub(crate) activation: Activation,
}

#[backend_extension(Flex: cfg(feature = "flex"), Cube: cfg(feature = "gpu"), Autodiff)]
pub(crate) trait Convolution: Backend {
    fn convolution(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        form: Form,
    ) -> FloatTensor<Self>;
}

pub(crate) trait ConvolutionBackward: Convolution {
    fn convolution_backward(pass: Pass<Self, Form>, gradient: FloatTensor<Self>)
    -> Gradients<Self>;
}

#[derive(Debug)]
struct ConvolutionStep;

impl<B: ConvolutionBackward> Backward<B, 3> for ConvolutionStep {
    type State = Pass<B, Form>;

    fn backward(self, ops: Ops<Self::State, 3>, gradients: &mut Tape, _: &mut Checkpointer) {
        let gradient = gradients.consume::<B>(&ops.node);
        let found = B::convolution_backward(ops.state, gradient);
        register!(B, gradients, ops.parents, [found.input, found.weight, Some(found.bias)]);
    }
}

impl<B: ConvolutionBackward, C: CheckpointStrategy> Convolution for Autodiff<B, C> {
    fn convolution(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        form: Form,
    ) -> FloatTensor<Self> {
        record!(ConvolutionStep, C, [input, weight, bias], form, B::convolution)
    }
}

pub(super) fn conv2d(
    input: Tensor<4>,
    weight: Tensor<4>,
    bias: Tensor<1>,
    stride: usize,
    activation: Activation,
) -> Tensor<4> {
    let ([batch, channels, height, width], [filters, in_channels, _, kernel]) =
        (input.dims(), weight.dims());
    assert_eq!(channels, in_channels, "channels of a map and of a kernel");
    let small = [filters, height.div_ceil(stride), width.div_ceil(stride)];
    let geometry = Geometry { batch, large: [channels, height, width], small, kernel, stride };
    map(input, weight, bias, Form { direction: Direction::Down, geometry, activation })
}

pub(super) fn conv_transpose2d(
    input: Tensor<4>,
    weight: Tensor<4>,
    bias: Tensor<1>,
    stride: usize,
    [height, width]: [usize; 2],
    activation: Activation,
) -> Tensor<4> {
    let ([batch, filters, h, w], [in_filters, channels, _, kernel]) = (input.dims(), weight.dims());
    assert_eq!(filters, in_filters, "channels of a map and of a kernel");
    assert_eq!([h, w], [height.div_ceil(stride), width.div_ceil(stride)], "sizes of maps");
    let large = [channels, height, width];
    let geometry = Geometry { batch, large, small: [filters, h, w], kernel, stride };
    map(input, weight, bias, Form { direction: Direction::Up, geometry, activation })
}

fn map(input: Tensor<4>, weight: Tensor<4>, bias: Tensor<1>, form: Form) -> Tensor<4> {
    Tensor::from_dispatch(<Dispatch as Convolution>::convolution(
        input.into_dispatch(),
        weight.into_dispatch(),
        bias.into_dispatch(),
        form,
    ))
}
