//! For benchmarks alone: how the contraction's kernel is launched, left to the caller, and the time that it takes.
//!
//! [`choices`] tells what some work launches, [`Request::variants`] how else that could be launched,
//! [`with_variant`] does so, and a [`Stopwatch`] says how long the device was at it.

mod properties;
mod stopwatch;

use burn::backend::{BackendTensor, DispatchTensorKind};
use burn::tensor::{Device, Distribution, Tensor};
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

pub use self::properties::properties;
pub use self::stopwatch::{Clock, Lap, Stopwatch};
pub use crate::gpu::{
    Choice, Class, Kind, Misfit, Request, UNLIMITED, Variant, choices, with_variant,
};

/// Sizes of a convolution of square maps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Channels of the large side.
    pub channels: usize,
    /// Its height and its width.
    pub side: usize,
    /// Channels of the small side.
    pub filters: usize,
    /// Height and width of the kernel.
    pub kernel: usize,
    /// Large pixels between two small ones.
    pub stride: usize,
}

/// A layer of a net.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// From as many numbers to as many.
    Linear([usize; 2]),
    /// From the large side to the small one.
    Convolution(Sizes),
    /// From the small side to the large one.
    Transposed(Sizes),
}

/// What is computed of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Its output, with a bias and a rectifier.
    Forward,
    /// The gradient of its input.
    Input,
    /// The gradients of its weight and of its bias.
    Weight,
}

#[derive(Debug)]
enum Tensors {
    Linear(crate::linear::atlas::Map),
    Convolution(crate::convolution::atlas::Map),
}

/// One pass of one layer, on random numbers in (-1, 1).
#[derive(Debug)]
pub struct Work {
    tensors: Tensors,
    direction: Direction,
}

impl Work {
    /// `None` where the device is no GPU.
    pub fn new(device: &Device, layer: Layer, direction: Direction, batch: usize) -> Option<Self> {
        let tensors = match layer {
            Layer::Linear(ends) => {
                Tensors::Linear(crate::linear::atlas::Map::new(device, batch, ends)?)
            }
            Layer::Convolution(sizes) | Layer::Transposed(sizes) => {
                let is_transposed = matches!(layer, Layer::Transposed(_));
                let map = crate::convolution::atlas::Map::new(device, batch, sizes, is_transposed);
                Tensors::Convolution(map?)
            }
        };
        Some(Self { tensors, direction })
    }

    fn outputs(&self) -> Vec<CubeTensor> {
        match &self.tensors {
            Tensors::Linear(map) => map.run(self.direction),
            Tensors::Convolution(map) => map.run(self.direction),
        }
    }

    /// Launches it once.
    pub fn run(&self) {
        self.outputs();
    }

    /// All numbers that it gives.
    pub fn results(&self) -> Tensor<1> {
        let flat = self.outputs().into_iter().map(|tensor| {
            let tensor = into_contiguous(tensor);
            let len = tensor.meta.num_elements();
            crate::gpu::from_primitive(crate::gpu::reshaped(tensor, [len]))
        });
        Tensor::cat(flat.collect(), 0)
    }
}

/// Random numbers on a GPU.
pub(crate) fn random<const D: usize>(shape: [usize; D], device: &Device) -> Option<CubeTensor> {
    let tensor = Tensor::<D>::random(shape, Distribution::Uniform(-1.0, 1.0), device);
    match tensor.into_dispatch().kind {
        DispatchTensorKind::Cube(BackendTensor::Float(tensor)) => Some(tensor),
        _ => None,
    }
}
