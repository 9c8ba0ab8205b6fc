//! Arguments of the schedule section.

use clap::Args;
use toml::{Table, Value};

use super::values::{decay, filled, number, optimizer, precision, put, seed};

#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Training")]
pub struct ScheduleArgs {
    /// Batch size [default: 128, less (down to 16) if an epoch would have under 100 steps]
    #[arg(short, long, value_name = "N")]
    pub batch: Option<usize>,
    /// adam, adam-w, sgd or rms-prop [default: adam]
    #[arg(long, value_name = "NAME", value_parser = optimizer)]
    pub optimizer: Option<Value>,
    /// Peak learning rate [default: conv and tables 0.005, dense 0.001, classify 0.01; finetune: that of the run,
    /// with --head at most 0.001]
    #[arg(long, value_name = "RATE")]
    pub lr: Option<f64>,
    /// Decay of the learning rate: constant, cosine or step:EPOCHS:FACTOR [default: cosine]
    #[arg(long, value_name = "DECAY", value_parser = decay)]
    pub decay: Option<Value>,
    /// Epochs of learning rate warm-up, such as 0.5 [default: 0.5, or 20 steps]
    #[arg(long, value_name = "EPOCHS")]
    pub warm_up: Option<f64>,
    /// Floating-point type of the layers: full, f16 or bf16; weights stay f32 [default: full]
    #[arg(long, value_name = "TYPE", value_parser = precision)]
    pub precision: Option<Value>,
    /// Clip the norm of all gradients to this value [default: no clipping; tables 2]
    #[arg(long, value_name = "NORM")]
    pub clip: Option<f64>,
    /// Stop after this many epochs without a better validation loss [default: never]
    #[arg(long, value_name = "EPOCHS")]
    pub patience: Option<usize>,
    /// Seed of initial weights, order of samples and noise [default: 0]
    #[arg(short, long, value_name = "N", value_parser = seed)]
    pub seed: Option<i64>,
    /// Largest training set, in bytes, to keep on the device; a larger one is streamed [default:
    /// 1073741824]
    #[arg(long, value_name = "BYTES")]
    pub resident_limit: Option<usize>,
}

impl ScheduleArgs {
    /// The schedule section of a recipe, with these epochs.
    pub fn section(&self, epochs: Option<usize>) -> Table {
        let mut rate = Table::new();
        put(&mut rate, "peak", self.lr.map(Value::from));
        put(&mut rate, "warm_up", self.warm_up.map(Value::from));
        put(&mut rate, "decay", self.decay.clone());
        let mut section = Table::new();
        put(&mut section, "epochs", epochs.map(number));
        put(&mut section, "batch", self.batch.map(number));
        put(&mut section, "optimizer", self.optimizer.clone());
        put(&mut section, "rate", filled(rate));
        put(&mut section, "precision", self.precision.clone());
        put(&mut section, "clip", self.clip.map(Value::from));
        put(&mut section, "patience", self.patience.map(number));
        put(&mut section, "seed", self.seed.map(Value::from));
        put(&mut section, "resident_limit", self.resident_limit.map(number));
        section
    }
}
