#![cfg_attr(feature = "flex", doc = include_str!("../README.md"))]
#![cfg_attr(
    not(feature = "flex"),
    doc = "The heavy operations of training autoencoders; the feature `flex` has them as one pass each."
)]

mod adam;
mod convolution;
mod flatten;
mod jacobian;
mod linear;
mod nonlinearity;
mod reconstruction;
mod workers;

#[cfg(feature = "mimalloc")]
pub mod allocator;
#[cfg(feature = "flex")]
mod backend;
#[cfg(feature = "flex")]
mod buffer;
#[cfg(feature = "flex")]
mod isa;
#[cfg(feature = "flex")]
mod matrix;
#[cfg(feature = "flex")]
mod narrow;
#[cfg(feature = "flex")]
mod number;

pub use adam::{Adam, adam};
pub use convolution::{convolve, convolve_back};
pub use flatten::{flatten, unflatten};
#[cfg(feature = "flex")]
pub use isa::isa;
pub use jacobian::squared_jacobian;
pub use linear::{Weight, linear};
pub use nonlinearity::Nonlinearity;
pub use reconstruction::{cross_entropy, log_sigmoid, squared_error};
pub use workers::{among_workers, with_workers, workers};

/// The plain formulations, for tests and comparisons.
pub mod plain {
    pub use crate::adam::plain as adam;
    pub use crate::convolution::{plain as convolve, plain_back as convolve_back};
    pub use crate::jacobian::plain as squared_jacobian;
    pub use crate::linear::plain as linear;
    pub use crate::reconstruction::{
        plain_cross_entropy as cross_entropy, plain_squared_error as squared_error,
    };
}

/// Whether a tensor lies where our kernels run, in a type that they compute in.
#[cfg(feature = "flex")]
fn is_ours<const D: usize>(tensor: &burn::tensor::Tensor<D>) -> bool {
    use burn::tensor::DType;
    matches!(tensor.dtype(), DType::F32 | DType::F64) && serves(&tensor.device())
}

/// Whether tensors on a device are computed by our kernels.
pub fn serves(device: &burn::tensor::Device) -> bool {
    #[cfg(feature = "flex")]
    return *device == burn::tensor::Device::flex();
    #[cfg(not(feature = "flex"))]
    {
        let _ = device;
        false
    }
}

/// Numbers of which a loop over them is worth several threads.
#[cfg(feature = "flex")]
const MANY: usize = 1 << 16;

/// Threads that so many multiply-adds are worth: waking one costs some ten microseconds.
#[cfg(feature = "flex")]
fn parts(multiply_adds: usize) -> usize {
    if multiply_adds < 1 << 20 { 1 } else { rayon::current_num_threads() }
}
