//! Convolutions, their transposes and the gradients of both on a GPU.

use burn_cubecl::CubeBackend;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

use super::geometry::{Direction, Geometry};
use super::kernel::{Convolution, ConvolutionBackward, Form};
use crate::Activation;
use crate::autodiff::{Gradients, Pass};
use crate::gpu::{
    Contraction, Launch, Map, Operand, Order, Side, Sums, activation_backward, channels_first,
    channels_last, kernel_of_parts, reshaped, row_sums,
};

impl Geometry {
    fn map(&self) -> Map {
        let ([channels, height, width], [filters, h, w]) = (self.large, self.small);
        let (kernel, stride) = (self.kernel, self.stride);
        Map { filters, h, w, channels, height, width, kernel, stride }
    }
}

/// The fewest pixels in a part of a weight's gradient.
const PIXELS: usize = 96;

/// Up to this many columns all phases of a transposed convolution are computed together: one phase alone would leave
/// most of a tile empty.
const FEW: usize = 8;

/// The slope that a side is multiplied by in the backward pass.
pub(super) type Slope = Option<(CubeTensor, Activation)>;

fn side(values: CubeTensor, operand: Operand, slope: Slope) -> Side {
    let side = Side::of(values, operand);
    match slope {
        Some((outputs, activation)) => side.sloped(outputs, activation),
        None => side,
    }
}

/// Large to small: `[batch, h, w, filters]`.
fn down(
    large: CubeTensor,
    slope: Slope,
    weight: CubeTensor,
    bias: Option<CubeTensor>,
    geometry: &Geometry,
    activation: Activation,
) -> CubeTensor {
    let map = geometry.map();
    let left = side(large, Operand::Patches(map), slope);
    let right = Side::of(weight, Operand::Kernel(map));
    let (rows, steps) = (geometry.batch * map.pixels(), map.patch());
    let small = Contraction { left, right, rows, columns: map.filters, steps };
    reshaped(small.matrix(bias, activation), [geometry.batch, map.h, map.w, map.filters])
}

/// Small to large: `[batch, height, width, channels]`.
fn up(
    small: CubeTensor,
    slope: Slope,
    weight: CubeTensor,
    bias: Option<CubeTensor>,
    geometry: &Geometry,
    activation: Activation,
) -> CubeTensor {
    let map = geometry.map();
    let phases = map.stride * map.stride;
    let all_phases = phases > 1 && map.channels * phases <= FEW;
    let (operand, columns) = match all_phases {
        true => (Operand::KernelOfCells(map), map.channels * phases),
        false => (Operand::KernelOfPhase(map), map.channels),
    };
    let left = side(small, Operand::Cells(map), slope);
    let right = Side::of(weight, operand);
    let neighbours = map.neighbours();
    let steps = neighbours * neighbours * map.filters;
    let rows = geometry.batch * map.pixels();
    Contraction { left, right, rows, columns, steps }.cells(
        map,
        geometry.batch,
        all_phases,
        bias,
        activation,
    )
}

/// Whether there are at least as many taps from the middle one on as the stride, so that together they read each large
/// pixel once.
fn has_taps(geometry: &Geometry) -> bool {
    geometry.kernel - geometry.kernel / 2 >= geometry.stride
}

/// The gradients of weight and bias.
fn of_parameters(
    small: (CubeTensor, Slope),
    large: (CubeTensor, Slope),
    geometry: &Geometry,
    direction: Direction,
) -> [CubeTensor; 2] {
    let map = geometry.map();
    let pixels = geometry.batch * map.pixels();
    let flat = reshaped(small.0, [pixels, map.filters]);
    let left = Side::matrix(flat, 1);
    let left = match small.1 {
        Some((outputs, activation)) => left.sloped(outputs, activation),
        None => left,
    };
    let right = side(large.0, Operand::PatchesTransposed(map), large.1);
    let (rows, columns) = (map.filters, map.patch());
    let launch = Launch::split([rows, columns, pixels], PIXELS);
    let (sums, order) = match direction {
        Direction::Down => (Sums::Left, Order::Kernel(map)),
        Direction::Up if has_taps(geometry) => (Sums::Right, Order::KernelOfTransposed(map)),
        Direction::Up => (Sums::None, Order::Kernel(map)),
    };
    let whole = Contraction { left, right, rows, columns, steps: pixels };
    let (parts, count) = whole.parts(&launch, sums);
    kernel_of_parts(parts, count, order)
}

/// The gradient of the input, from that of the output, both with channels last.
pub(super) fn of_input(
    weight: CubeTensor,
    gradient: CubeTensor,
    slope: Slope,
    form: &Form,
) -> CubeTensor {
    let (weight, geometry) = (into_contiguous(weight), &form.geometry);
    let identity = Activation::Identity;
    channels_first(match form.direction {
        Direction::Down => up(gradient, slope, weight, None, geometry, identity),
        Direction::Up => down(gradient, slope, weight, None, geometry, identity),
    })
}

impl Convolution for CubeBackend {
    fn convolution(
        input: CubeTensor,
        weight: CubeTensor,
        bias: CubeTensor,
        form: Form,
    ) -> CubeTensor {
        let Form { direction, geometry, activation } = form;
        let (input, weight) = (channels_last(input), into_contiguous(weight));
        let bias = Some(into_contiguous(bias));
        channels_first(match direction {
            Direction::Down => down(input, None, weight, bias, &geometry, activation),
            Direction::Up => up(input, None, weight, bias, &geometry, activation),
        })
    }
}

impl ConvolutionBackward for CubeBackend {
    fn convolution_backward(pass: Pass<Self, Form>, gradient: CubeTensor) -> Gradients<Self> {
        let Form { direction, geometry, activation } = pass.form;
        let (gradient, output) = (channels_last(gradient), channels_last(pass.output));
        let slope = || match activation {
            Activation::Identity => None,
            _ => Some((output.clone(), activation)),
        };
        let input =
            pass.weight.map(|weight| of_input(weight, gradient.clone(), slope(), &pass.form));
        let found = pass.input.map(|input| {
            let (input, gradient) = ((channels_last(input), None), (gradient.clone(), slope()));
            match direction {
                Direction::Down => of_parameters(gradient, input, &geometry, direction),
                Direction::Up => of_parameters(input, gradient, &geometry, direction),
            }
        });
        let lacks_taps = direction == Direction::Up && !has_taps(&geometry);
        let sums = || {
            let [channels, height, width] = direction.ends(&geometry)[1];
            let pixels = geometry.batch * height * width;
            let pre_gradient = activation_backward(gradient.clone(), output.clone(), activation);
            row_sums(reshaped(pre_gradient, [pixels, channels]))
        };
        let (weight, bias) = match found {
            Some([weight, bias]) if !lacks_taps => (Some(weight), bias),
            Some([weight, _]) => (Some(weight), sums()),
            None => (None, sums()),
        };
        Gradients { input, weight, bias }
    }
}
