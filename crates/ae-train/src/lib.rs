#![doc = include_str!("../README.md")]

mod batches;
mod checkpoint;
mod corruption;
mod error;
mod evaluate;
mod fit;
mod moment;
mod objective;
mod observer;
mod optimizer;
mod penalty;
mod rate;
mod reconstruction;
mod report;
mod schedule;

pub use batches::{Batches, RESIDENT_LIMIT};
pub use checkpoint::Checkpoints;
pub use corruption::{Corrupted, Corruption, Deviation, Probability, Touched};
pub use error::{Error, Result};
pub use evaluate::{CrossEntropy, Errors, Evaluation, evaluate};
pub use fit::{Data, End, Fitted, fit, fit_with_checkpoints};
pub use moment::Moment;
pub use objective::{Losses, Objective};
pub use observer::{Event, Flow, Observer};
pub use optimizer::Optimizer;
pub use penalty::{L1, Pass, Penalty};
pub use rate::{Decay, Rate};
pub use reconstruction::{Reconstruction, entropy};
pub use report::{EpochReport, Validation, Warning};
pub use schedule::Schedule;
