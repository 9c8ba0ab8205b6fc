//! Reports: a page each that opens offline, in light and dark.

mod autoencoder;
mod classifier;
mod page;
mod sweep;

pub use autoencoder::write;
pub use classifier::write as write_classifier;
pub use sweep::write as write_sweep;
