#![doc = include_str!("../README.md")]

mod defaults;
mod derive;
mod error;
mod linear_path;
mod merge;
mod model;
mod objective;
mod recipe;
mod table;
mod unused;
mod validate;

pub use error::{Error, Result};
pub use linear_path::{LinearPath, off_unless_given};
pub use merge::merge;
pub use model::{Code, ConvRecipe, DenseRecipe, ModelRecipe, PcaRecipe};
pub use objective::*;
pub use recipe::*;
pub use unused::check_unused;

use recipe::{is_false, is_zero};
