//! Reports: one HTML file each, which opens offline, in light and dark mode.

mod autoencoder;
mod classifier;
mod page;
mod sweep;

pub use autoencoder::write;
pub use classifier::write as write_classifier;
pub use sweep::write as write_sweep;
