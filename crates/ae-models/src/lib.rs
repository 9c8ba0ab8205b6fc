#![doc = include_str!("../README.md")]

mod activation;
mod autoencoder;
mod conv;
mod count;
mod dense;
mod error;
mod file;
mod head;
mod initial;
mod layers;
mod model;
mod pca;
mod summary;
pub mod tensors;

pub use activation::Activation;
pub use autoencoder::{Autoencoder, Decoder, Encoder};
pub use conv::{Conv, ConvConfig, ConvDecoder, ConvEncoder, Down, Norm, Up};
pub use dense::{Dense, DenseConfig, DenseDecoder, DenseEncoder};
pub use error::{Error, Result};
pub use file::{About, Description, describe, load, load_weights, save};
pub use head::{Classifier, Classify, Head, HeadConfig};
pub use model::{Architecture, Described, Model, Part};
pub use pca::Pca;
