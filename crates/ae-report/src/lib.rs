#![doc = include_str!("../README.md")]

mod autoencoder;
pub mod charts;
mod classifier;
mod detection;
mod error;
mod figures;
mod imputation;
pub mod page;
pub mod pictures;
pub mod search;

pub use autoencoder::write_autoencoder;
pub use classifier::write_classifier;
pub use detection::{Detection, MethodRow, WorstRow, write_detection};
pub use error::{Error, Result};
pub use imputation::{Imputation, MEASURES, POOLED_LEVEL, imputation_page, short};

use ae_run::FinishedRun;

/// Writes the figures and the page of a run.
///
/// # Errors
/// If the data cannot be read, or a file cannot be written.
pub fn write(run: &FinishedRun) -> Result<()> {
    match run {
        FinishedRun::Autoencoder(finished) => write_autoencoder(finished),
        FinishedRun::Classifier(finished) => write_classifier(finished),
    }
}
