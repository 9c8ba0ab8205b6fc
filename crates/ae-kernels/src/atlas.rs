//! For benchmarks only: launches the contraction's kernel as the caller chooses, and measures the time.
//!
//! [`choices`] lists the contractions that some work launches, [`Request::variants`] the other ways to launch them.
//! [`with_variant`] launches one of those, and a [`Stopwatch`] measures the time on the device.

pub(crate) mod layer;
mod properties;
mod stopwatch;

use burn::tensor::{Device, Tensor};
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

pub use self::layer::{Direction, Layer, Sizes};
pub use self::properties::properties;
pub use self::stopwatch::{Clock, Lap, Stopwatch};
pub use crate::gpu::{
    Choice, Class, Kind, Misfit, Request, UNLIMITED, Variant, choices, with_variant,
};

#[derive(Debug)]
enum Tensors {
    Linear(crate::linear::atlas::Map),
    Convolution(crate::convolution::atlas::Map),
}

/// One pass of one layer on random numbers in (-1, 1).
#[derive(Debug)]
pub struct Work {
    tensors: Tensors,
    direction: Direction,
}

impl Work {
    /// `None` if the device is no GPU.
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

    /// Launches the pass once.
    pub fn run(&self) {
        self.outputs();
    }

    /// All results of the pass, flattened.
    pub fn results(&self) -> Tensor<1> {
        let flat = self.outputs().into_iter().map(|tensor| {
            let tensor = into_contiguous(tensor);
            let len = tensor.meta.num_elements();
            crate::gpu::from_primitive(crate::gpu::reshaped(tensor, [len]))
        });
        Tensor::cat(flat.collect(), 0)
    }
}
