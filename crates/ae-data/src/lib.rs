#![doc = include_str!("../README.md")]

#[cfg(feature = "download")]
mod archive;
#[cfg(feature = "ndarray")]
mod arrays;
#[cfg(feature = "download")]
mod cache;
pub mod cifar;
mod classes;
#[cfg(feature = "arrow")]
mod columnar;
pub mod convex;
pub mod curves;
mod data_dirs;
pub mod digits;
mod disk;
#[cfg(feature = "download")]
mod download;
mod error;
mod file_reader;
mod folds;
pub mod idx;
mod idx_set;
#[cfg(feature = "images")]
pub mod images;
mod labels;
mod masked;
pub mod mnist;
mod mnist_like;
pub mod npy;
mod one_class;
mod open;
mod options;
mod pictures;
mod preprocess;
pub mod rectangles;
mod registry;
mod rng;
mod sample;
mod samples;
mod shape;
mod source;
mod source_kind;
mod split;
mod storage;
mod stroke;
mod subsample;
pub mod svmlight;
mod synthetic;
pub mod table;
pub mod variations;
pub mod write;

pub use data_dirs::{DataDirs, Progress};
pub use error::{Error, Result};
pub use folds::{k_fold, stratified_k_fold, stratified_split};
pub use labels::Labels;
pub use masked::Masked;
pub use one_class::one_class;
pub use open::{DataSet, Unsplit, open, open_unsplit};
pub use options::Options;
pub use preprocess::{Method, Preprocessing};
pub use registry::{Entry, Location, default_counts, registry};
pub use sample::Sample;
pub use samples::Samples;
pub use shape::Shape;
pub use source::{Source, Subset, fingerprint, fnv1a};
pub use source_kind::is_published;
pub use split::{Splits, split, split_rows};
pub use subsample::subsample;
