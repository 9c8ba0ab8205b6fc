//! Transfer: a classifier for samples without labels, from labelled samples of another kind.
//!
//! The source has labels, the target has none but looks different: reviews of books and of kitchen machines, digits of
//! two collections. Features are learned from the samples of both, and a linear classifier of the source's features is
//! used on the target's. Three methods, with the same classifier and the same choice of its cost:
//!
//! | method | features |
//! |---|---|
//! | [`Method::None`] | as they are |
//! | [`Method::Coral`] | the source's with the target's covariance ([`coral`]) |
//! | [`Method::Msda`] | as they are, and the codes of stacked [`MarginalizedDenoiser`]s of both domains |
//!
//! No label of the target is used for a choice. Where there are some, they measure the result.

mod coral;
mod denoiser;
mod domains;
mod features;
mod gram;
mod inverse;
mod logistic;
mod prepare;
mod settings;
mod study;

pub use coral::coral;
pub use denoiser::MarginalizedDenoiser;
pub use domains::Domains;
pub use prepare::{resized, standardized};
pub use settings::{Method, Settings};
pub use study::{Candidate, Predictions, Transfer};
