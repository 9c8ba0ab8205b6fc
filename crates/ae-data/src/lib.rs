#![doc = include_str!("../README.md")]

#[cfg(feature = "download")]
mod archive;
mod atomic;
mod catalogue;
mod chance;
pub mod cifar;
mod classes;
pub mod convex;
pub mod curves;
pub mod digits;
#[cfg(feature = "download")]
mod download;
mod draw;
mod error;
mod family;
mod generated;
pub mod idx;
#[cfg(feature = "images")]
pub mod images;
mod input;
mod kind;
mod labels;
#[cfg(feature = "download")]
mod mirror;
pub mod mnist;
pub mod npy;
mod one_class;
mod open;
mod options;
mod part;
mod pictures;
mod preprocess;
pub mod rectangles;
mod sample;
mod samples;
mod search;
mod shape;
mod source;
mod split;
mod storage;
mod stroke;
pub mod table;
pub mod variations;

pub use catalogue::{Entry, Found, catalogue, default_counts, is_published};
pub use draw::draw;
pub use error::{Error, Result};
pub use labels::Labels;
pub use one_class::one_class;
pub use open::{DataSet, Whole, open, open_whole};
pub use options::Options;
pub use preprocess::{Method, Preprocessing};
pub use sample::Sample;
pub use samples::Samples;
pub use search::{Progress, Search};
pub use shape::Shape;
pub use source::{Source, fingerprint};
pub use split::{Parts, split};
