//! Imputation of missing values.

mod cells;
mod check;
mod donors;
mod ensemble;
mod features;
mod file;
mod gaussian;
mod imputer;
mod knn;
mod mean;
mod measure;
mod mechanism;
mod net;
mod ridge;
mod rubin;
mod settings;
mod study;

pub use cells::{Cells, Column, Kind};
pub use check::{Check, LEVEL};
pub use imputer::Imputer;
pub use measure::Errors;
pub use mechanism::Mechanism;
pub use rubin::Pooled;
pub use settings::Settings;
pub use study::Study;
