//! How the model is trained.

use clap::Args;
use toml::{Table, Value};

use super::values::{decay, filled, number, optimizer, precision, put, seed};

#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Training")]
pub struct ScheduleArgs {
    /// Samples per step [default: 128, down to 16 where an epoch would have under 100 steps]
    #[arg(short, long, value_name = "N")]
    pub batch: Option<usize>,
    /// adam, adam-w, sgd or rms-prop [default: adam]
    #[arg(long, value_name = "NAME", value_parser = optimizer)]
    pub optimizer: Option<Value>,
    /// Highest learning rate [default: conv 0.005, dense 0.001, a head alone 0.01; finetune: that of
    /// the run, with --head at most 0.001]
    #[arg(long, value_name = "RATE")]
    pub lr: Option<f64>,
    /// How the learning rate falls: constant, cosine or step:EPOCHS:FACTOR [default: cosine]
    #[arg(long, value_name = "DECAY", value_parser = decay)]
    pub decay: Option<Value>,
    /// Epochs over which the learning rate rises, such as 0.5 [default: 0.5]
    #[arg(long, value_name = "EPOCHS")]
    pub warm_up: Option<f64>,
    /// The type that layers compute in: full, f16 or bf16; weights stay f32 [default: full]
    #[arg(long, value_name = "TYPE", value_parser = precision)]
    pub precision: Option<Value>,
    /// Clip the norm of all gradients together
    #[arg(long, value_name = "NORM")]
    pub clip: Option<f64>,
    /// Stop after so many epochs without a better validation loss
    #[arg(long, value_name = "EPOCHS")]
    pub patience: Option<usize>,
    /// Seed of weights, order and noise [default: 0]
    #[arg(short, long, value_name = "N", value_parser = seed)]
    pub seed: Option<i64>,
    /// Bytes the training part may take on the device before it is streamed [default: 1073741824]
    #[arg(long, value_name = "BYTES")]
    pub resident_limit: Option<usize>,
}

impl ScheduleArgs {
    /// The options as the section of a recipe, with so many epochs.
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
