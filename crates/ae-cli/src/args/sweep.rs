//! Arguments of `ae sweep`.

use clap::Args;
use toml::Value;

use super::TrainArgs;
use super::values::{code, corruption, weights};

#[derive(Clone, Debug, Default, Args)]
pub struct SweepArgs {
    /// Code sizes, such as 2,4,8
    #[arg(
        long,
        value_name = "N,N,..",
        value_delimiter = ',',
        value_parser = code,
        conflicts_with = "code",
        help_heading = "Grid"
    )]
    pub codes: Option<Vec<Value>>,
    /// Corruptions, such as none,masking:0.25
    #[arg(
        long,
        value_name = "NOISE,..",
        value_delimiter = ',',
        value_parser = corruption,
        conflicts_with = "corrupt",
        help_heading = "Grid"
    )]
    pub corruptions: Option<Vec<Value>>,
    /// Weights of a penalty (l1, kl, contract, curvature or weight-decay), such as l1:0,0.001
    #[arg(long, value_name = "PENALTY:W,W,..", value_parser = weights, help_heading = "Grid")]
    pub weights: Option<(String, Vec<f64>)>,
    #[command(flatten)]
    pub train: TrainArgs,
}
