//! What is wanted of the model.

use clap::Args;
use toml::{Table, Value};

use super::values::{corruption, emphasis, filled, jacobian, k_sparse, number, put, text};

#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Objective")]
pub struct ObjectiveArgs {
    /// squared-error or cross-entropy [default: cross-entropy for images where the output is a sigmoid]
    #[arg(short, long, value_name = "LOSS")]
    pub loss: Option<String>,
    /// Noise on the inputs, whose clean selves are to come back: none, masking:P, salt-and-pepper:P or
    /// gaussian:S [default: none]
    #[arg(long, value_name = "NOISE", value_parser = corruption)]
    pub corrupt: Option<Value>,
    /// Weights of the loss of corrupted and of other components, such as 1:0.5; with masking or
    /// salt-and-pepper [default: 1:1]
    #[arg(long, value_name = "A:B", value_parser = emphasis)]
    pub emphasis: Option<Value>,
    #[command(flatten)]
    pub sparsity: SparsityArgs,
    #[command(flatten)]
    pub smoothness: SmoothnessArgs,
}

#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Objective, sparse codes")]
pub struct SparsityArgs {
    /// Weight of the L1 norm of the code [default: 0]
    #[arg(long, value_name = "WEIGHT")]
    pub l1: Option<f64>,
    /// Weight of the divergence of mean activations from a target; a code of sigmoids [default: 0]
    #[arg(long, value_name = "WEIGHT")]
    pub kl: Option<f64>,
    /// The mean activation that --kl pulls towards [default: 0.05]
    #[arg(long, value_name = "RATE")]
    pub kl_target: Option<f64>,
    /// Take the mean of --kl over many batches, of which this share stays at each step [default: of
    /// each batch alone]
    #[arg(long, value_name = "SHARE")]
    pub kl_decay: Option<f64>,
    /// Train with the K largest units of each code alone; at first with FROM, falling over EPOCHS
    /// [default: all; EPOCHS half of --epochs]
    #[arg(long, value_name = "K[:FROM[:EPOCHS]]", value_parser = k_sparse)]
    pub k_sparse: Option<Value>,
}

#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Objective, smooth maps and weights")]
pub struct SmoothnessArgs {
    /// Weight of the squared norm of the encoder's Jacobian [default: 0]
    #[arg(long, value_name = "WEIGHT")]
    pub contract: Option<f64>,
    /// Weight of the squared change of the Jacobian under noise [default: 0]
    #[arg(long, value_name = "WEIGHT")]
    pub curvature: Option<f64>,
    /// Standard deviation of the noise of --curvature [default: 0.1]
    #[arg(long, value_name = "S")]
    pub curvature_noise: Option<f64>,
    /// Draws of the noise of --curvature for each sample and step [default: 1]
    #[arg(long, value_name = "N")]
    pub curvature_draws: Option<usize>,
    /// How --contract and --curvature come by the norm: exact, or probes:N, an estimate from N random
    /// directions [default: exact for an encoder of one layer, else probes:1]
    #[arg(long, value_name = "HOW", value_parser = jacobian)]
    pub contract_by: Option<Value>,
    /// Weight of the sum of all squared weights, as a term of the loss (adam-w's own decay is another)
    /// [default: 0]
    #[arg(long, value_name = "WEIGHT")]
    pub weight_decay: Option<f64>,
    /// Probability with which hidden units, the code's included, are zeroed in training [default: 0]
    #[arg(long, value_name = "P")]
    pub dropout: Option<f64>,
}

impl ObjectiveArgs {
    /// The options as the section of a recipe.
    pub fn section(&self) -> Table {
        let Self { sparsity, smoothness, .. } = self;
        let mut kl = Table::new();
        put(&mut kl, "weight", sparsity.kl.map(Value::from));
        put(&mut kl, "target", sparsity.kl_target.map(Value::from));
        put(&mut kl, "decay", sparsity.kl_decay.map(Value::from));
        let mut contraction = Table::new();
        put(&mut contraction, "weight", smoothness.contract.map(Value::from));
        let mut curvature = Table::new();
        put(&mut curvature, "weight", smoothness.curvature.map(Value::from));
        put(&mut curvature, "noise", smoothness.curvature_noise.map(Value::from));
        put(&mut curvature, "draws", smoothness.curvature_draws.map(number));

        let mut section = Table::new();
        put(&mut section, "reconstruction", text(&self.loss));
        put(&mut section, "corruption", self.corrupt.clone());
        put(&mut section, "emphasis", self.emphasis.clone());
        put(&mut section, "l1", sparsity.l1.map(Value::from));
        put(&mut section, "kl", filled(kl));
        put(&mut section, "k_sparse", sparsity.k_sparse.clone());
        put(&mut section, "contraction", filled(contraction));
        put(&mut section, "curvature", filled(curvature));
        put(&mut section, "jacobian", smoothness.contract_by.clone());
        put(&mut section, "weight_decay", smoothness.weight_decay.map(Value::from));
        put(&mut section, "dropout", smoothness.dropout.map(Value::from));
        section
    }
}
