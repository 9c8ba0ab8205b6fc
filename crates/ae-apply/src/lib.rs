#![doc = include_str!("../README.md")]

mod error;
pub mod impute;

pub use error::{Error, Result};
