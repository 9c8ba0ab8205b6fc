#![doc = include_str!("../README.md")]

pub mod detect;
mod error;
mod gamma;
pub mod impute;
pub mod index;
mod knn;
pub mod transfer;

pub use detect::{Detector, DetectorSettings, Scores};
pub use error::{Error, Result};
pub use knn::Neighbours;
