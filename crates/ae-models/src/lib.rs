#![doc = include_str!("../README.md")]

mod autoencoder;
mod conv;
mod count;
mod dense;
mod error;
mod file;
mod head;
mod initial;
mod kept;
pub mod latent;
mod layers;
mod model;
mod pca;
mod stack;
mod summary;
mod tangent;
pub mod tensors;

pub use ae_kernels::Activation;
pub use autoencoder::{Autoencoder, Decoder, Encoder, Layered};
pub use conv::{Conv, ConvConfig, ConvDecoder, ConvEncoder, Down, Norm, Up};
pub use dense::{Dense, DenseConfig, DenseDecoder, DenseEncoder};
pub use error::{Error, Result};
pub use file::{About, Description, describe, load, load_weights, save};
pub use head::{Classifier, Classify, Head, HeadConfig};
pub use kept::keep_largest;
pub use model::{Architecture, Described, Model, ModelEncoder, Part};
pub use pca::{Pca, PcaConfig};
pub use stack::Stack;
pub use tangent::{DifferentiableEncoder, basis, jacobian, singular_values};
