//! Arguments of `ae latent`, and of `ae interpolate`, its old form.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::RunArgs;
use super::values::ends;

#[derive(Debug, Subcommand)]
pub enum LatentCommand {
    /// Decode the codes on a path between two samples, linear and spherical
    Path(LatentPathArgs),
    /// Vary single units of a code over their range
    Traverse(TraverseArgs),
    /// Show the samples with the nearest codes
    Neighbors(NeighborsArgs),
    /// Decode the mean code of each class
    Means(MeansArgs),
}

#[derive(Debug, Args)]
pub struct OutputArgs {
    /// File to write: .png (images) or .csv [default: latent.png, for tables latent.csv]
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct LatentPathArgs {
    #[command(flatten)]
    pub run: RunArgs,
    #[command(flatten)]
    pub path: PathArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Path")]
pub struct PathArgs {
    /// Samples at both ends, by their index in the split, from 0: FROM:TO, several with commas
    /// [default: samples of neighboring classes, or the first samples]
    #[arg(long, value_name = "FROM:TO,..", value_delimiter = ',', value_parser = ends)]
    pub pairs: Option<Vec<(String, String)>>,
    /// Classes at both ends, by name, each with its first sample: FROM:TO, several with commas
    #[arg(
        long,
        value_name = "FROM:TO,..",
        value_delimiter = ',',
        value_parser = ends,
        conflicts_with = "pairs"
    )]
    pub classes: Option<Vec<(String, String)>>,
    /// Number of decoded codes, both ends included [default: 11]
    #[arg(long, value_name = "N")]
    pub steps: Option<usize>,
}

#[derive(Debug, Args)]
pub struct TraverseArgs {
    #[command(flatten)]
    pub run: RunArgs,
    /// Units to vary, from 0, several with commas
    #[arg(
        long,
        value_name = "N,..",
        value_delimiter = ',',
        default_value = "0",
        help_heading = "Traverse"
    )]
    pub unit: Vec<usize>,
    /// Sample whose code is varied [default: 0]
    #[arg(long, value_name = "N", help_heading = "Traverse")]
    pub sample: Option<usize>,
    /// Number of values of each unit [default: 11]
    #[arg(long, value_name = "N", help_heading = "Traverse")]
    pub steps: Option<usize>,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(Debug, Args)]
pub struct NeighborsArgs {
    #[command(flatten)]
    pub run: RunArgs,
    /// Number of neighbors of each sample
    #[arg(short = 'n', long, value_name = "N", default_value_t = 8, help_heading = "Neighbors")]
    pub count: usize,
    /// Sample whose neighbors are shown [default: one of each class, or the first ones]
    #[arg(long, value_name = "N", help_heading = "Neighbors")]
    pub sample: Option<usize>,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(Debug, Args)]
pub struct MeansArgs {
    #[command(flatten)]
    pub run: RunArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// The options of all `ae latent` commands in one.
#[derive(Debug, Args)]
pub struct InterpolateArgs {
    #[command(flatten)]
    pub run: RunArgs,
    /// See `ae latent path`
    #[arg(
        long,
        value_name = "FROM:TO,..",
        value_delimiter = ',',
        value_parser = ends,
        group = "what"
    )]
    pub pairs: Option<Vec<(String, String)>>,
    /// See `ae latent path`
    #[arg(
        long,
        value_name = "FROM:TO,..",
        value_delimiter = ',',
        value_parser = ends,
        group = "what"
    )]
    pub classes: Option<Vec<(String, String)>>,
    /// See `ae latent traverse`
    #[arg(long, value_name = "N,..", value_delimiter = ',', group = "what")]
    pub unit: Option<Vec<usize>>,
    /// See `ae latent means`
    #[arg(long, group = "what")]
    pub class_means: bool,
    /// See `ae latent neighbors`
    #[arg(long, value_name = "N", group = "what")]
    pub nearest: Option<usize>,
    /// See `ae latent traverse` and `ae latent neighbors`
    #[arg(long, value_name = "N", conflicts_with_all = ["pairs", "classes", "class_means"])]
    pub sample: Option<usize>,
    /// See `ae latent path` and `ae latent traverse`
    #[arg(long, value_name = "N", conflicts_with_all = ["class_means", "nearest"])]
    pub steps: Option<usize>,
    /// .png (images) or .csv [default: interpolation.png, for tables interpolation.csv]
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}
