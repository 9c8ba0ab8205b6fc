//! Arguments of the objective section.

use clap::Args;
use toml::{Table, Value};

use super::values::{corruption, corruption_weights, filled, jacobian, number, put, text, top_k};

#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Objective")]
pub struct ObjectiveArgs {
    /// Reconstruction loss: squared-error or cross-entropy [default: cross-entropy for images with a
    /// sigmoid output, else squared-error]
    #[arg(short, long, value_name = "LOSS")]
    pub loss: Option<String>,
    /// Corrupt the inputs; the model reconstructs the clean ones (denoising): none, masking:P,
    /// salt-and-pepper:P or gaussian:S [default: none]
    #[arg(long, value_name = "NOISE", value_parser = corruption)]
    pub corrupt: Option<Value>,
    /// Weights of the loss on corrupted and on other features, such as 1:0.5, for masking or
    /// salt-and-pepper [default: 1:1]
    #[arg(long, alias = "emphasis", value_name = "A:B", value_parser = corruption_weights)]
    pub corruption_weights: Option<Value>,
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
    /// Weight of the KL divergence of mean activations from a target; needs a sigmoid code [default: 0]
    #[arg(long, value_name = "WEIGHT")]
    pub kl: Option<f64>,
    /// Target mean activation for --kl [default: 0.05]
    #[arg(long, value_name = "RATE")]
    pub kl_target: Option<f64>,
    /// Decay of a running mean of activations for --kl; 0: the mean of each batch [default: 0]
    #[arg(long, value_name = "DECAY")]
    pub kl_decay: Option<f64>,
    /// Keep only the K largest units of each code in training; starts with FROM units, falling to K over
    /// EPOCHS [default: all; EPOCHS half of --epochs]
    #[arg(long, alias = "k-sparse", value_name = "K[:FROM[:EPOCHS]]", value_parser = top_k)]
    pub train_top_k: Option<Value>,
}

#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Objective, smooth encoders and small weights")]
pub struct SmoothnessArgs {
    /// Weight of the squared norm of the encoder's Jacobian (contractive) [default: 0]
    #[arg(long, value_name = "WEIGHT")]
    pub contract: Option<f64>,
    /// Weight of the squared change of the Jacobian under noise [default: 0]
    #[arg(long, value_name = "WEIGHT")]
    pub curvature: Option<f64>,
    /// Standard deviation of the noise for --curvature [default: 0.1]
    #[arg(long, value_name = "S")]
    pub curvature_noise: Option<f64>,
    /// Noise draws for --curvature per sample and step [default: 1]
    #[arg(long, value_name = "N")]
    pub curvature_draws: Option<usize>,
    /// How to compute the Jacobian norm of --contract and --curvature: exact, or probes:N, an estimate
    /// from N random projections [default: exact for an encoder with one layer, else probes:1]
    #[arg(long, alias = "contract-by", value_name = "HOW", value_parser = jacobian)]
    pub jacobian: Option<Value>,
    /// Weight of the sum of all squared weights, as a term of the loss; the decay of adam-w is separate
    /// [default: 0]
    #[arg(long, value_name = "WEIGHT")]
    pub weight_decay: Option<f64>,
    /// Dropout probability of hidden units and code units [default: 0]
    #[arg(long, value_name = "P")]
    pub dropout: Option<f64>,
}

impl ObjectiveArgs {
    /// The objective section of a recipe.
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
        put(&mut section, "emphasis", self.corruption_weights.clone());
        put(&mut section, "l1", sparsity.l1.map(Value::from));
        put(&mut section, "kl", filled(kl));
        put(&mut section, "k_sparse", sparsity.train_top_k.clone());
        put(&mut section, "contraction", filled(contraction));
        put(&mut section, "curvature", filled(curvature));
        put(&mut section, "jacobian", smoothness.jacobian.clone());
        put(&mut section, "weight_decay", smoothness.weight_decay.map(Value::from));
        put(&mut section, "dropout", smoothness.dropout.map(Value::from));
        section
    }
}
