//! Kernels as operations of the CPU back end, and their steps back for autodiff.

use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, TensorMetadata, backend_extension};
use burn::tensor::{DType, Tensor};
use burn_flex::FlexTensor;

use crate::convolution::kernel::{self as maps, Geometry, Way};
use crate::flatten::kernel as between;
use crate::jacobian::kernel as norms;
use crate::linear::kernel as rows;
use crate::number::Number;
use crate::reconstruction::{Loss, kernel as losses};
use crate::{Nonlinearity, Weight};

/// The operations, on backends.
#[backend_extension(Flex, Autodiff)]
pub(crate) trait Kernels: Backend {
    fn linear(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        transposed: bool,
        after: Nonlinearity,
    ) -> FloatTensor<Self>;

    fn map(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        form: MapForm,
    ) -> FloatTensor<Self>;

    fn flatten(map: FloatTensor<Self>) -> FloatTensor<Self>;

    fn unflatten(rows: FloatTensor<Self>, size: [usize; 3]) -> FloatTensor<Self>;

    fn loss(logits: FloatTensor<Self>, target: FloatTensor<Self>, loss: Loss) -> FloatTensor<Self>;

    fn squared_jacobian(
        output: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        after: Nonlinearity,
    ) -> FloatTensor<Self>;
}

/// A convolution or its transpose.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MapForm {
    way: Way,
    geometry: Geometry,
    after: Nonlinearity,
}

/// Calls a function that is generic over the type of numbers by that of a tensor.
macro_rules! by_type {
    ($tensor:expr, $($function:tt)::+ ( $($argument:expr),* $(,)? )) => {
        match $tensor.dtype() {
            DType::F64 => $($function)::+::<f64>($($argument),*),
            _ => $($function)::+::<f32>($($argument),*),
        }
    };
}

/// Gives each parent that wants one its gradient. (A macro, since Burn does not name the type of a parent.)
macro_rules! register {
    ($parents:expr, $found:expr, $gradients:expr) => {
        for (node, gradient) in $parents.into_iter().zip($found) {
            if let (Some(node), Some(gradient)) = (node, gradient) {
                $gradients.register::<Flex>(node.id, gradient);
            }
        }
    };
}

impl Kernels for Flex {
    fn linear(
        input: FlexTensor,
        weight: FlexTensor,
        bias: FlexTensor,
        transposed: bool,
        after: Nonlinearity,
    ) -> FlexTensor {
        by_type!(input, rows::forward(&input, &weight, transposed, &bias, after))
    }

    fn map(input: FlexTensor, weight: FlexTensor, bias: FlexTensor, form: MapForm) -> FlexTensor {
        let MapForm { way, geometry, after } = form;
        by_type!(input, maps::forward(way, &input, &weight, &bias, &geometry, after))
    }

    fn flatten(map: FlexTensor) -> FlexTensor {
        by_type!(map, between::flatten(&map))
    }

    fn unflatten(rows: FlexTensor, size: [usize; 3]) -> FlexTensor {
        between::unflatten(&rows, size)
    }

    fn loss(logits: FlexTensor, target: FlexTensor, loss: Loss) -> FlexTensor {
        by_type!(logits, losses::value(&logits, &target, loss))
    }

    fn squared_jacobian(output: FlexTensor, weight: FlexTensor, after: Nonlinearity) -> FlexTensor {
        fn value<T: Number>(
            output: &FlexTensor,
            weight: &FlexTensor,
            after: Nonlinearity,
        ) -> FlexTensor {
            norms::value::<T>(output, &norms::lengths(weight), after)
        }
        by_type!(output, value(&output, &weight, after))
    }
}

/// What an operation with a weight keeps for its step back: input and weight only if the gradient of
/// the other is wanted.
#[derive(Clone, Debug)]
struct Kept<F> {
    input: Option<FlexTensor>,
    weight: Option<FlexTensor>,
    output: FlexTensor,
    form: F,
}

#[derive(Debug)]
struct LinearBack;

impl Backward<Flex, 3> for LinearBack {
    type State = Kept<(bool, Nonlinearity)>;

    fn backward(self, ops: Ops<Self::State, 3>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let gradient = gradients.consume::<Flex>(&ops.node);
        let Ops { parents, state: kept, .. } = ops;
        let (transposed, after) = kept.form;
        let (input, weight) = (kept.input.as_ref(), kept.weight.as_ref());
        let pass = rows::Pass { input, weight, transposed, output: &kept.output, after };
        let found = by_type!(kept.output, rows::backward(&pass, gradient));
        register!(parents, [found.input, found.weight, Some(found.bias)], gradients);
    }
}

#[derive(Debug)]
struct MapBack;

impl Backward<Flex, 3> for MapBack {
    type State = Kept<MapForm>;

    fn backward(self, ops: Ops<Self::State, 3>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let gradient = gradients.consume::<Flex>(&ops.node);
        let Ops { parents, state: kept, .. } = ops;
        let MapForm { way, geometry, after } = kept.form;
        let (input, weight) = (kept.input.as_ref(), kept.weight.as_ref());
        let pass = maps::Pass { input, weight, output: &kept.output, geometry, after };
        let found = by_type!(kept.output, maps::backward(way, &pass, &gradient));
        register!(parents, [found.input, found.weight, Some(found.bias)], gradients);
    }
}

#[derive(Debug)]
struct FlattenBack;

impl Backward<Flex, 1> for FlattenBack {
    type State = [usize; 3];

    fn backward(self, ops: Ops<Self::State, 1>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let gradient = gradients.consume::<Flex>(&ops.node);
        let found = between::unflatten(&gradient, ops.state);
        register!(ops.parents, [Some(found)], gradients);
    }
}

#[derive(Debug)]
struct UnflattenBack;

impl Backward<Flex, 1> for UnflattenBack {
    type State = ();

    fn backward(self, ops: Ops<Self::State, 1>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let gradient = gradients.consume::<Flex>(&ops.node);
        let found = by_type!(gradient, between::flatten(&gradient));
        register!(ops.parents, [Some(found)], gradients);
    }
}

#[derive(Debug)]
struct LossBack;

impl Backward<Flex, 2> for LossBack {
    type State = (FlexTensor, FlexTensor, Loss);

    fn backward(self, ops: Ops<Self::State, 2>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let gradient = gradients.consume::<Flex>(&ops.node);
        let (logits, target, loss) = ops.state;
        let [to_logits, to_target] = ops.parents;
        if let Some(node) = to_logits {
            let found = by_type!(logits, losses::to_logits(&logits, &target, loss, &gradient));
            gradients.register::<Flex>(node.id, found);
        }
        if let Some(node) = to_target {
            let found = by_type!(logits, losses::to_target(&logits, &target, loss, &gradient));
            gradients.register::<Flex>(node.id, found);
        }
    }
}

#[derive(Debug)]
struct SquaredJacobianBack;

impl Backward<Flex, 2> for SquaredJacobianBack {
    type State = (FlexTensor, FlexTensor, Nonlinearity);

    fn backward(self, ops: Ops<Self::State, 2>, gradients: &mut Gradients, _: &mut Checkpointer) {
        fn back<T: Number>(
            (output, weight, after): &(FlexTensor, FlexTensor, Nonlinearity),
            gradient: &FlexTensor,
        ) -> [FlexTensor; 2] {
            norms::backward::<T>(output, weight, &norms::lengths(weight), *after, gradient)
        }
        let gradient = gradients.consume::<Flex>(&ops.node);
        let Ops { parents, state, .. } = ops;
        let found = by_type!(gradient, back(&state, &gradient));
        register!(parents, found.map(Some), gradients);
    }
}

impl<C: CheckpointStrategy> Kernels for Autodiff<Flex, C> {
    fn linear(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        transposed: bool,
        after: Nonlinearity,
    ) -> FloatTensor<Self> {
        let prepared = LinearBack.prepare::<C>([input.node(), weight.node(), bias.node()]);
        let wanted = [weight.is_tracked(), input.is_tracked()];
        let [input, weight, bias] = [input, weight, bias].map(|tensor| tensor.into_primitive());
        let output =
            <Flex as Kernels>::linear(input.clone(), weight.clone(), bias, transposed, after);
        match prepared.compute_bound().stateful() {
            OpsKind::Tracked(prepared) => {
                let (input, weight) = (wanted[0].then_some(input), wanted[1].then_some(weight));
                let form = (transposed, after);
                prepared.finish(Kept { input, weight, output: output.clone(), form }, output)
            }
            OpsKind::UnTracked(prepared) => prepared.finish(output),
        }
    }

    fn map(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        form: MapForm,
    ) -> FloatTensor<Self> {
        let prepared = MapBack.prepare::<C>([input.node(), weight.node(), bias.node()]);
        let wanted = [weight.is_tracked(), input.is_tracked()];
        let [input, weight, bias] = [input, weight, bias].map(|tensor| tensor.into_primitive());
        let output = <Flex as Kernels>::map(input.clone(), weight.clone(), bias, form);
        match prepared.compute_bound().stateful() {
            OpsKind::Tracked(prepared) => {
                let (input, weight) = (wanted[0].then_some(input), wanted[1].then_some(weight));
                prepared.finish(Kept { input, weight, output: output.clone(), form }, output)
            }
            OpsKind::UnTracked(prepared) => prepared.finish(output),
        }
    }

    fn flatten(map: FloatTensor<Self>) -> FloatTensor<Self> {
        let prepared = FlattenBack.prepare::<C>([map.node()]);
        let map = map.into_primitive();
        let [_, channels, height, width] = map.shape().dims();
        let rows = <Flex as Kernels>::flatten(map);
        match prepared.compute_bound().stateful() {
            OpsKind::Tracked(prepared) => prepared.finish([channels, height, width], rows),
            OpsKind::UnTracked(prepared) => prepared.finish(rows),
        }
    }

    fn unflatten(rows: FloatTensor<Self>, size: [usize; 3]) -> FloatTensor<Self> {
        let prepared = UnflattenBack.prepare::<C>([rows.node()]);
        let map = <Flex as Kernels>::unflatten(rows.into_primitive(), size);
        match prepared.compute_bound().stateful() {
            OpsKind::Tracked(prepared) => prepared.finish((), map),
            OpsKind::UnTracked(prepared) => prepared.finish(map),
        }
    }

    fn loss(logits: FloatTensor<Self>, target: FloatTensor<Self>, loss: Loss) -> FloatTensor<Self> {
        let prepared = LossBack.prepare::<C>([logits.node(), target.node()]);
        let [logits, target] = [logits, target].map(|tensor| tensor.into_primitive());
        let output = <Flex as Kernels>::loss(logits.clone(), target.clone(), loss);
        match prepared.compute_bound().stateful() {
            OpsKind::Tracked(prepared) => prepared.finish((logits, target, loss), output),
            OpsKind::UnTracked(prepared) => prepared.finish(output),
        }
    }

    fn squared_jacobian(
        output: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        after: Nonlinearity,
    ) -> FloatTensor<Self> {
        let prepared = SquaredJacobianBack.prepare::<C>([output.node(), weight.node()]);
        let [output, weight] = [output, weight].map(|tensor| tensor.into_primitive());
        let norms = <Flex as Kernels>::squared_jacobian(output.clone(), weight.clone(), after);
        match prepared.compute_bound().stateful() {
            OpsKind::Tracked(prepared) => prepared.finish((output, weight, after), norms),
            OpsKind::UnTracked(prepared) => prepared.finish(norms),
        }
    }
}

pub(crate) fn linear(
    input: Tensor<2>,
    weight: Weight,
    bias: Tensor<1>,
    after: Nonlinearity,
) -> Tensor<2> {
    let (weight, transposed) = match weight {
        Weight::Straight(weight) => (weight, false),
        Weight::Transposed(weight) => (weight, true),
    };
    Tensor::from_dispatch(<Dispatch as Kernels>::linear(
        input.into_dispatch(),
        weight.into_dispatch(),
        bias.into_dispatch(),
        transposed,
        after,
    ))
}

pub(crate) fn convolve(
    input: Tensor<4>,
    weight: Tensor<4>,
    bias: Tensor<1>,
    stride: usize,
    after: Nonlinearity,
) -> Tensor<4> {
    let ([batch, channels, height, width], [filters, in_channels, _, kernel]) =
        (input.dims(), weight.dims());
    assert_eq!(channels, in_channels, "channels of a map and of a kernel");
    let small = [filters, height.div_ceil(stride), width.div_ceil(stride)];
    let geometry = Geometry { batch, large: [channels, height, width], small, kernel, stride };
    map(input, weight, bias, MapForm { way: Way::Down, geometry, after })
}

pub(crate) fn convolve_back(
    input: Tensor<4>,
    weight: Tensor<4>,
    bias: Tensor<1>,
    stride: usize,
    [height, width]: [usize; 2],
    after: Nonlinearity,
) -> Tensor<4> {
    let ([batch, filters, h, w], [in_filters, channels, _, kernel]) = (input.dims(), weight.dims());
    assert_eq!(filters, in_filters, "channels of a map and of a kernel");
    assert_eq!([h, w], [height.div_ceil(stride), width.div_ceil(stride)], "sizes of maps");
    let large = [channels, height, width];
    let geometry = Geometry { batch, large, small: [filters, h, w], kernel, stride };
    map(input, weight, bias, MapForm { way: Way::Up, geometry, after })
}

fn map(input: Tensor<4>, weight: Tensor<4>, bias: Tensor<1>, form: MapForm) -> Tensor<4> {
    Tensor::from_dispatch(<Dispatch as Kernels>::map(
        input.into_dispatch(),
        weight.into_dispatch(),
        bias.into_dispatch(),
        form,
    ))
}

pub(crate) fn flatten(map: Tensor<4>) -> Tensor<2> {
    Tensor::from_dispatch(<Dispatch as Kernels>::flatten(map.into_dispatch()))
}

pub(crate) fn unflatten(rows: Tensor<2>, size: [usize; 3]) -> Tensor<4> {
    assert_eq!(rows.dims()[1], size.iter().product::<usize>(), "numbers of a map");
    Tensor::from_dispatch(<Dispatch as Kernels>::unflatten(rows.into_dispatch(), size))
}

pub(crate) fn loss(logits: Tensor<2>, target: Tensor<2>, loss: Loss) -> Tensor<1> {
    Tensor::from_dispatch(<Dispatch as Kernels>::loss(
        logits.into_dispatch(),
        target.into_dispatch(),
        loss,
    ))
}

pub(crate) fn squared_jacobian(
    output: Tensor<2>,
    weight: Tensor<2>,
    after: Nonlinearity,
) -> Tensor<1> {
    Tensor::from_dispatch(<Dispatch as Kernels>::squared_jacobian(
        output.into_dispatch(),
        weight.into_dispatch(),
        after,
    ))
}
