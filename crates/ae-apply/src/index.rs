//! Search by code: an index of codes with exact neighbours, binary codes, and duplicates of images.
//!
//! | what | here | its classical rival |
//! |---|---|---|
//! | neighbours of real-valued codes | [`nearest`], [`Index`] | the same on pixels or on the codes of [`Pca`](ae_models::Pca) |
//! | binary codes and their ranking | [`Hashed`], [`medians`] | [`Itq`] on the codes of PCA |
//! | duplicates by codes and hashes, with thresholds found from edits | [`DuplicateFinder`], [`Calibration`], [`Groups`] | [`PerceptualHash`] alone |
//!
//! Semantic hashing as published (Salakhutdinov & Hinton 2009) adds noise to the pre-activations of the code while it
//! trains. That is not here; codes of any model become bits by [`medians`] or by [`Itq`].

mod binary;
mod codes;
mod duplicates;
mod edit_metric;
mod edits;
mod exact;
mod file;
mod finder;
mod groups;
mod itq;
mod measures;
mod perceptual_hash;
mod store;

pub use binary::{BinaryCodes, Hashed, medians};
pub use codes::Codes;
pub use duplicates::{Apart, Calibration, Edited, Gallery, Means, Thresholds, Trial};
pub use edit_metric::EditMetric;
pub use edits::Edit;
pub use exact::{Metric, Neighbour, nearest, within};
pub use finder::{DuplicateFinder, Pair};
pub use groups::Groups;
pub use itq::Itq;
pub use measures::{average_precision, precision_at, recall_at};
pub use perceptual_hash::PerceptualHash;
pub use store::{Changes, Entry, Index, Origin};
