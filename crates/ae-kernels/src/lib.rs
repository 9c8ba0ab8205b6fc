#![cfg_attr(feature = "flex", doc = include_str!("../README.md"))]
#![cfg_attr(
    not(feature = "flex"),
    doc = "The heavy operations of training autoencoders; with the feature `flex`, each is one pass on the CPU."
)]

mod activation;
mod adam;
mod convolution;
mod flatten;
mod jacobian;
mod linear;
mod loss;
mod noise;
mod threads;

#[cfg(feature = "mimalloc")]
pub mod allocator;
#[cfg(feature = "atlas")]
pub mod atlas;
#[cfg(any(feature = "flex", feature = "gpu"))]
mod autodiff;
#[cfg(feature = "flex")]
mod buffer;
#[cfg(feature = "flex")]
mod float;
#[cfg(feature = "gpu")]
mod gpu;
#[cfg(feature = "flex")]
mod isa;
#[cfg(feature = "flex")]
mod matrix;
#[cfg(feature = "flex")]
mod narrow;
#[cfg(any(feature = "flex", feature = "gpu"))]
mod target;

pub use activation::Activation;
pub use adam::{Adam, AdamQueue, adam};
pub use convolution::{conv_transpose2d, conv2d};
pub use flatten::{flatten, unflatten};
#[cfg(feature = "gpu")]
pub use gpu::{Launched, Launches, launches};
#[cfg(feature = "flex")]
pub use isa::isa;
pub use jacobian::jacobian_norm_sq;
pub use linear::{Weight, linear};
pub use loss::{cross_entropy, log_sigmoid, squared_error};
pub use noise::{Mask, Words, replace_at_random};
pub use threads::{num_threads, run_in_pool, uses_threads, with_threads};

/// The plain formulations, for tests and comparisons.
pub mod plain {
    pub use crate::adam::plain as adam;
    pub use crate::convolution::{plain as conv2d, plain_transpose as conv_transpose2d};
    pub use crate::jacobian::plain as jacobian_norm_sq;
    pub use crate::linear::plain as linear;
    pub use crate::loss::{
        plain_cross_entropy as cross_entropy, plain_squared_error as squared_error,
    };
    pub use crate::noise::plain as replace_at_random;
}

/// The length from which a loop runs on several threads.
#[cfg(feature = "flex")]
const PARALLEL_THRESHOLD: usize = 1 << 16;

/// The number of threads for `multiply_adds` operations: waking a thread costs about ten microseconds.
#[cfg(feature = "flex")]
fn parts(multiply_adds: usize) -> usize {
    if multiply_adds < 1 << 20 { 1 } else { rayon::current_num_threads() }
}
