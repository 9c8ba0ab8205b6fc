//! Each pass of a linear map alone, as training launches it.

use burn::tensor::Device;
use burn_cubecl::CubeBackend;
use burn_cubecl::tensor::CubeTensor;

use super::gpu;
use super::kernel::{Form, Linear, LinearBackward};
use crate::Activation;
use crate::atlas::layer::{Direction, random};
use crate::autodiff::Pass;

/// A linear map with the tensors that its passes need.
#[derive(Debug)]
pub(crate) struct Map {
    input: CubeTensor,
    weight: CubeTensor,
    bias: CubeTensor,
    output: CubeTensor,
    gradient: CubeTensor,
}

impl Map {
    pub(crate) fn new(device: &Device, batch: usize, [from, to]: [usize; 2]) -> Option<Self> {
        Some(Self {
            input: random([batch, from], device)?,
            weight: random([from, to], device)?,
            bias: random([to], device)?,
            output: random([batch, to], device)?,
            gradient: random([batch, to], device)?,
        })
    }

    /// The results of the pass.
    pub(crate) fn run(&self, direction: Direction) -> Vec<CubeTensor> {
        let form = Form { transposed: false, activation: Activation::Relu };
        let Self { input, weight, bias, output, gradient } = self;
        match direction {
            Direction::Forward => {
                vec![CubeBackend::linear(input.clone(), weight.clone(), bias.clone(), form)]
            }
            Direction::Input => {
                vec![gpu::of_input(weight.clone(), gradient.clone(), output.clone(), form)]
            }
            Direction::Weight => {
                let input = Some(input.clone());
                let pass = Pass { input, weight: None, output: output.clone(), form };
                let found = CubeBackend::linear_backward(pass, gradient.clone());
                found.weight.into_iter().chain([found.bias]).collect()
            }
        }
    }
}
