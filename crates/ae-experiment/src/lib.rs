#![doc = include_str!("../README.md")]

mod error;
pub mod reproduce;
pub mod sweep;

pub use error::{Error, Result};
