#![doc = include_str!("../README.md")]

mod data;
mod defaults;
mod deformation;
mod derive;
mod error;
mod head;
mod linear_path;
mod merge;
mod model;
mod objective;
mod option;
pub mod parse;
mod penalty;
mod recipe;
mod schedule;
mod table;
mod unused;
mod validate;

pub use data::{DataRecipe, table_options};
pub use error::{Error, Result};
pub use head::{HeadKind, HeadRecipe};
pub use linear_path::{LinearPath, off_unless_given};
pub use merge::merge;
pub use model::{Code, ConvRecipe, DenseRecipe, FeatureMap, ModelRecipe, PcaRecipe};
pub use objective::{ObjectiveRecipe, ObjectiveSettings, TopKRecipe};
pub use option::{
    Parse, RecipeOption, classify_options, data_options, finetune_options, train_options,
};
pub use penalty::PenaltyRecipe;
pub use recipe::{Command, MeasureRecipe, Recipe, data_section, read_table};
pub use unused::check_unused;

use recipe::{is_false, is_zero};
