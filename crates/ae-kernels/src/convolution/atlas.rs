//! Each pass of a convolution or of its transpose alone, as training launches it.

use burn::tensor::Device;
use burn_cubecl::CubeBackend;
use burn_cubecl::tensor::CubeTensor;

use super::geometry::{Direction, Geometry};
use super::gpu;
use super::kernel::{Convolution, ConvolutionBackward, Form};
use crate::Activation;
use crate::atlas::layer::{Direction as Which, Sizes, random};
use crate::autodiff::Pass;
use crate::gpu::{channels_first, channels_last};

/// A convolution with the tensors that its passes need.
#[derive(Debug)]
pub(crate) struct Map {
    form: Form,
    input: CubeTensor,
    weight: CubeTensor,
    bias: CubeTensor,
    output: CubeTensor,
    gradient: CubeTensor,
}

impl Map {
    pub(crate) fn new(
        device: &Device,
        batch: usize,
        sizes: Sizes,
        is_transposed: bool,
    ) -> Option<Self> {
        let Sizes { channels, side, filters, kernel, stride } = sizes;
        let half = side.div_ceil(stride);
        let (large, small) = ([channels, side, side], [filters, half, half]);
        let geometry = Geometry { batch, large, small, kernel, stride };
        let direction = if is_transposed { Direction::Up } else { Direction::Down };
        let [from, to] = direction.ends(&geometry);
        // As kernels return a map: channels last.
        let map = |[channels, height, width]: [usize; 3]| {
            random([batch, height, width, channels], device).map(channels_first)
        };
        Some(Self {
            form: Form { direction, geometry, activation: Activation::Relu },
            input: map(from)?,
            weight: random([filters, channels, kernel, kernel], device)?,
            bias: random([to[0]], device)?,
            output: map(to)?,
            gradient: map(to)?,
        })
    }

    /// The results of the pass.
    pub(crate) fn run(&self, which: Which) -> Vec<CubeTensor> {
        let Self { form, input, weight, bias, output, gradient } = self;
        match which {
            Which::Forward => {
                vec![CubeBackend::convolution(input.clone(), weight.clone(), bias.clone(), *form)]
            }
            Which::Input => {
                let slope = Some((channels_last(output.clone()), form.activation));
                let gradient = channels_last(gradient.clone());
                vec![gpu::of_input(weight.clone(), gradient, slope, form)]
            }
            Which::Weight => {
                let input = Some(input.clone());
                let pass = Pass { input, weight: None, output: output.clone(), form: *form };
                let found = CubeBackend::convolution_backward(pass, gradient.clone());
                found.weight.into_iter().chain([found.bias]).collect()
            }
        }
    }
}
