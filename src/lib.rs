//! Autoencoders in Rust on [Burn](https://burn.dev): models, objectives, training and data.
//!
//! Three crates under one name, each usable alone:
//!
//! - [`data`]: samples from files, folders, tables, published data sets, and generated digits;
//! - [`models`]: dense and convolutional encoders and decoders, PCA, and their files;
//! - [`train`]: corruptions, objectives, training, checkpoints and evaluation.
//!
//! [`burn`] is the version they are built with. The features of this crate choose its back ends:
//! `flex` (the default: the CPU), `gpu` (any GPU), `vulkan`, `metal`, `cuda`, `rocm`.
//!
//! ```
//! use autoencoders::burn::tensor::Device;
//! use autoencoders::data::digits;
//! use autoencoders::models::ConvConfig;
//! use autoencoders::train::{Corruption, Objective, Reconstruction, Training};
//!
//! let device = Device::flex(); // or Device::wgpu(..): devices are passed, never assumed
//! let model = ConvConfig { channels: vec![8], ..ConvConfig::new([1, 28, 28], 16) }.init(0, &device)?;
//! let objective = Objective::new(Reconstruction::CrossEntropy).corrupt(Corruption::masking(0.25)?);
//! let fitted = Training::new(model, &objective).epochs(1).fit(digits::generate(512, 0))?;
//!
//! let unseen = digits::generate(64, 1);
//! let codes = fitted.encode(&unseen)?; // 64 rows of 16 numbers
//! let clean = fitted.reconstruct(&unseen)?;
//! println!("squared error per image: {:.1}", fitted.evaluate(&unseen)?.squared_error);
//! # assert_eq!((codes.width(), clean.width()), (16, 784));
//! # Ok::<(), autoencoders::train::Error>(())
//! ```

pub use ae_data as data;
pub use ae_models as models;
pub use ae_train as train;
pub use burn;

/// Compiles and runs the programs in the documents.
#[cfg(doctest)]
mod documents {
    #[doc = include_str!("../README.md")]
    mod readme {}
    #[doc = include_str!("../benches/README.md")]
    mod benches {}
    #[doc = include_str!("../docs/src/detecting-anomalies.md")]
    mod detecting_anomalies {}
    #[doc = include_str!("../docs/src/from-pytorch-and-scikit-learn.md")]
    mod from_pytorch_and_scikit_learn {}
    #[doc = include_str!("../docs/src/your-own-data-source.md")]
    mod your_own_data_source {}
    #[doc = include_str!("../docs/src/your-own-model.md")]
    mod your_own_model {}
    #[doc = include_str!("../docs/src/your-own-penalty.md")]
    mod your_own_penalty {}
}
