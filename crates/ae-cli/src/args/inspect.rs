//! What can be done with a trained run.

use std::path::PathBuf;

use clap::Args;

use super::values::ends;
use super::{DataArgs, DeviceArgs, PartName};

#[derive(Debug, Args)]
pub struct RunArgs {
    /// Folder of a run
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    #[command(flatten)]
    pub device: DeviceArgs,
    #[command(flatten)]
    pub data: DataArgs,
    /// training, validation, test or all: in the order of the source, which must have no test part of
    /// its own [default: test, but all of such --data]
    #[arg(long, value_name = "PART")]
    pub part: Option<PartName>,
}

#[derive(Debug, Args)]
pub struct EvalArgs {
    #[command(flatten)]
    pub run: RunArgs,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct EncodeArgs {
    #[command(flatten)]
    pub run: RunArgs,
    /// .csv (with labels) or .npy
    #[arg(short, long, value_name = "FILE", default_value = "codes.csv")]
    pub out: PathBuf,
}

#[derive(Debug, Args)]
pub struct ReconstructArgs {
    #[command(flatten)]
    pub run: RunArgs,
    /// .csv or .npy for all samples, .png for inputs above reconstructions (images only)
    #[arg(short, long, value_name = "FILE", default_value = "reconstructions.npy")]
    pub out: PathBuf,
    /// How many samples, from the first [default: all; of a picture 16]
    #[arg(short = 'n', long, value_name = "N")]
    pub count: Option<usize>,
}

#[derive(Debug, Args)]
pub struct InterpolateArgs {
    #[command(flatten)]
    pub run: RunArgs,
    /// Samples to go between, by their place in the part, from 0: FROM:TO, several with commas
    /// [default: between neighbouring classes, or the first samples]
    #[arg(
        long,
        value_name = "FROM:TO,..",
        value_delimiter = ',',
        value_parser = ends,
        group = "what",
        help_heading = "What to draw"
    )]
    pub pairs: Option<Vec<(String, String)>>,
    /// Classes to go between, from the first sample of each, by name: FROM:TO, several with commas
    #[arg(
        long,
        value_name = "FROM:TO,..",
        value_delimiter = ',',
        value_parser = ends,
        group = "what",
        help_heading = "What to draw"
    )]
    pub classes: Option<Vec<(String, String)>>,
    /// Change single units of a code over the range they have, from 0, several with commas
    #[arg(
        long,
        value_name = "N,..",
        value_delimiter = ',',
        group = "what",
        help_heading = "What to draw"
    )]
    pub unit: Option<Vec<usize>>,
    /// The mean code of each class, decoded
    #[arg(long, group = "what", help_heading = "What to draw")]
    pub class_means: bool,
    /// So many samples whose codes are nearest to that of each of some samples
    #[arg(long, value_name = "N", group = "what", help_heading = "What to draw")]
    pub nearest: Option<usize>,
    /// The sample that --unit changes, and the only one that --nearest asks for [default: 0; with
    /// --nearest one of each class]
    #[arg(
        long,
        value_name = "N",
        conflicts_with_all = ["pairs", "classes", "class_means"],
        help_heading = "What to draw"
    )]
    pub sample: Option<usize>,
    /// Pictures from one end to the other [default: 11]
    #[arg(
        long,
        value_name = "N",
        conflicts_with_all = ["class_means", "nearest"],
        help_heading = "What to draw"
    )]
    pub steps: Option<usize>,
    /// .png (images) or .csv [default: interpolation.png, of tables interpolation.csv]
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Folder of a run
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    #[command(flatten)]
    pub device: DeviceArgs,
}
