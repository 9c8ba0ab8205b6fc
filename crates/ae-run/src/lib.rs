#![doc = include_str!("../README.md")]

mod anomaly;
pub mod classifier;
mod comparison;
mod error;
pub mod files;
mod finetune;
mod finished;
pub mod latent;
mod listener;
mod lock;
mod memory;
mod metrics_log;
mod new_run;
mod plan;
mod record;
mod run;
mod run_dir;
mod scores;
mod split_name;
mod splits;
mod summary;
mod train;
mod train_head;
mod train_job;

pub use anomaly::Anomaly;
pub use classifier::{ClassifierSummary, LabelEfficiency};
pub use comparison::comparison;
pub use error::{Error, Result};
pub use finetune::{derive_recipe, finetune};
pub use finished::{Finished, FinishedClassifier, FinishedRun};
pub use listener::Listener;
pub use lock::FolderLock;
pub use new_run::{
    RunOptions, choose_device, create_folder, create_numbered_folder, recipe_overrides,
};
pub use plan::{Plan, plan};
pub use record::{RunRecord, RunState, list_runs};
pub use run::{SavedModel, SavedRun, Selection, TrainedRun, class_names, reorder_labels};
pub use run_dir::RunDir;
pub use scores::SampleScore;
pub use split_name::SplitName;
pub use splits::{Splits, batches, masked_batches, open_data, representatives, to_rows};
pub use summary::{PcaResult, Summary, components, speed, summarize};
pub use train::{train, trial_job};
pub use train_head::train_head;
