#![doc = include_str!("../README.md")]

#[cfg(feature = "download")]
mod archive;
mod atomic;
mod catalogue;
pub mod cifar;
mod classes;
pub mod digits;
#[cfg(feature = "download")]
mod download;
mod error;
mod family;
pub mod idx;
#[cfg(feature = "images")]
pub mod images;
mod input;
mod kind;
#[cfg(feature = "download")]
mod mirror;
pub mod mnist;
pub mod npy;
mod open;
mod part;
mod preprocess;
mod samples;
mod search;
mod split;
pub mod table;

pub use catalogue::{Entry, Found, catalogue};
pub use error::{Error, Result};
pub use open::{DataSet, Options, open};
pub use preprocess::{Method, Preprocessing};
pub use samples::{Labels, Sample, Samples, Shape, Source};
pub use search::{Progress, Search};
pub use split::{Parts, split};
