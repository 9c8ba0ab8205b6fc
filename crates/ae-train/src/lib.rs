#![doc = include_str!("../README.md")]

mod activity;
mod adam;
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
mod kl;
mod l1;
mod labelled;
mod learning_rate;
mod noise_key;
mod objective;
mod observer;
mod optimizer;
mod penalty;
mod precision;
mod prefetch;
mod pretrain;
mod reconstruction;
mod report;
mod schedule;
mod supervised;
#[cfg(test)]
mod testing;
mod top_k_schedule;
mod weight_decay;

pub use activity::Activity;
pub use batches::{Batches, RESIDENT_LIMIT};
pub use checkpoint::Checkpoints;
pub use classification::{Classification, Predictions, classify};
pub use codes::encode_dataset;
pub use contraction::{Contraction, Curvature, jacobian_norm};
pub use corruption::{Corrupted, Corruption, CorruptionMask, Probability, StdDev};
pub use denoise::{Denoising, denoise};
pub use error::{Error, Result};
pub use evaluate::{CrossEntropy, DetailedEvaluation, Evaluation, evaluate};
pub use fit::{
    Data, End, Fitted, fit, fit_classifier, fit_classifier_with_checkpoints, fit_with_checkpoints,
};
pub use kl::KlSparsity;
pub use l1::L1;
pub use labelled::{Labelled, LabelledData};
pub use learning_rate::{Decay, LearningRate};
pub use noise_key::{NoiseKey, Phase};
pub use objective::{Losses, Objective};
pub use observer::{Event, Flow, Observer};
pub use optimizer::Optimizer;
pub use penalty::{Pass, Penalty, PenaltyState};
pub use precision::Precision;
pub use pretrain::{LayerObjective, Pretrained, pretrain, pretrain_with_checkpoints};
pub use reconstruction::{Reconstruction, entropy};
pub use report::{EpochReport, Measured, Validation, Warning};
pub use schedule::Schedule;
pub use supervised::{HeadLoss, Supervised};
pub use top_k_schedule::TopKSchedule;
pub use weight_decay::WeightDecay;
