//! Arguments of the commands on a trained run.

use std::path::PathBuf;

use clap::Args;

use super::{DataArgs, DeviceArgs, SplitName};

#[derive(Debug, Args)]
pub struct RunArgs {
    /// Folder of a run
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    #[command(flatten)]
    pub device: DeviceArgs,
    #[command(flatten)]
    pub data: DataArgs,
    /// training, validation, test or all; `all` keeps the order of the source and needs data without a
    /// published test set [default: test; with --data all, where possible]
    #[arg(long, alias = "part", value_name = "SPLIT")]
    pub split: Option<SplitName>,
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
    /// File to write: .csv (with labels) or .npy
    #[arg(short, long, value_name = "FILE", default_value = "codes.csv")]
    pub out: PathBuf,
}

#[derive(Debug, Args)]
pub struct ReconstructArgs {
    #[command(flatten)]
    pub run: RunArgs,
    /// File to write: .csv or .npy, or .png with inputs above reconstructions (images only)
    #[arg(short, long, value_name = "FILE", default_value = "reconstructions.npy")]
    pub out: PathBuf,
    /// Number of samples, from the first [default: all; in a .png 16]
    #[arg(short = 'n', long, value_name = "N")]
    pub count: Option<usize>,
}

#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Folder of a run
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    #[command(flatten)]
    pub device: DeviceArgs,
}
