//! The layers and passes that the atlas measures.

use burn::backend::{BackendTensor, DispatchTensorKind};
use burn::tensor::{Device, Distribution, Tensor};
use burn_cubecl::tensor::CubeTensor;

/// Sizes of a convolution of square maps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Channels of the large side.
    pub channels: usize,
    /// Height and width of the large side.
    pub side: usize,
    /// Channels of the small side.
    pub filters: usize,
    /// Height and width of the kernel.
    pub kernel: usize,
    /// The stride.
    pub stride: usize,
}

/// A layer of a net.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// A linear map, from the first number of features to the second.
    Linear([usize; 2]),
    /// A convolution, from the large side to the small one.
    Convolution(Sizes),
    /// A transposed convolution, from the small side to the large one.
    Transposed(Sizes),
}

/// The pass of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The output, with bias and ReLU.
    Forward,
    /// The gradient of the input.
    Input,
    /// The gradients of weight and bias.
    Weight,
}

/// Random numbers on a GPU.
pub(crate) fn random<const D: usize>(shape: [usize; D], device: &Device) -> Option<CubeTensor> {
    let tensor = Tensor::<D>::random(shape, Distribution::Uniform(-1.0, 1.0), device);
    match tensor.into_dispatch().kind {
        DispatchTensorKind::Cube(BackendTensor::Float(tensor)) => Some(tensor),
        _ => None,
    }
}
