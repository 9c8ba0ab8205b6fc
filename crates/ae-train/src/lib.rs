#![doc = include_str!("../README.md")]

mod activity;
mod adam;
mod ahead;
mod batches;
mod checkpoint;
mod classification;
mod codes;
mod contraction;
mod corruption;
mod denoise;
mod dropout;
mod error;
mod evaluate;
mod fit;
mod k_sparse;
mod kl;
mod l1;
mod labelled;
mod moment;
mod objective;
mod observer;
mod optimizer;
mod penalty;
mod precision;
mod pretrain;
mod rate;
mod reconstruction;
mod report;
mod schedule;
mod supervised;
#[cfg(test)]
mod testing;
mod weight_decay;

pub use activity::Activity;
pub use batches::{Batches, RESIDENT_LIMIT};
pub use checkpoint::Checkpoints;
pub use classification::{Classification, Predictions, classify};
pub use codes::encode_all;
pub use contraction::{Contraction, Curvature, jacobian_norm};
pub use corruption::{Corrupted, Corruption, Deviation, Probability, Touched};
pub use denoise::{Denoising, denoise};
pub use error::{Error, Result};
pub use evaluate::{CrossEntropy, Errors, Evaluation, evaluate};
pub use fit::{
    Data, End, Fitted, fit, fit_classifier, fit_classifier_with_checkpoints, fit_with_checkpoints,
};
pub use k_sparse::KSparse;
pub use kl::KlSparsity;
pub use l1::L1;
pub use labelled::{Labelled, LabelledData};
pub use moment::Moment;
pub use objective::{Losses, Objective};
pub use observer::{Event, Flow, Observer};
pub use optimizer::Optimizer;
pub use penalty::{Memory, Pass, Penalty};
pub use precision::Precision;
pub use pretrain::{LayerObjective, Pretrained, pretrain, pretrain_with_checkpoints};
pub use rate::{Decay, Rate};
pub use reconstruction::{Reconstruction, entropy};
pub use report::{EpochReport, Measured, Validation, Warning};
pub use schedule::Schedule;
pub use supervised::{HeadLoss, Supervised};
pub use weight_decay::WeightDecay;
