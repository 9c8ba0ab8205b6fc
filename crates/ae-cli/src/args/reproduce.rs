//! Arguments of `ae reproduce`.

use std::path::PathBuf;

use clap::Args;

use super::DeviceArgs;

#[derive(Clone, Debug, Default, Args)]
pub struct ReproduceArgs {
    /// An experiment of --list, or a .toml file with your own
    #[arg(value_name = "EXPERIMENT", required_unless_present_any = ["all", "list", "table"])]
    pub experiment: Option<String>,
    /// Run all experiments, one after the other
    #[arg(long, conflicts_with = "experiment")]
    pub all: bool,
    /// List the experiments and how long each takes
    #[arg(long, conflicts_with_all = ["experiment", "all"])]
    pub list: bool,
    /// Run a small version on generated data, with its own targets: seconds to a few minutes
    #[arg(long)]
    pub quick: bool,
    /// Train each arm N times, with seeds 0, 1, .. [default: as in the recipe, mostly 3]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub seeds: Option<u64>,
    /// Train every stage for N epochs instead; results are compared, but not recorded
    #[arg(long, value_name = "N")]
    pub epochs: Option<usize>,
    /// Folder with your own copies of published data sets
    #[arg(long, value_name = "FOLDER")]
    pub data_dir: Option<PathBuf>,
    /// Python interpreter with scikit-learn, used to run baselines. Without it, recorded baseline results
    /// are shown if there are any
    #[arg(long, value_name = "PROGRAM")]
    pub python: Option<PathBuf>,
    /// Folder of the runs; finished ones are reused and interrupted ones resumed [default: runs/reproduce]
    #[arg(short, long, value_name = "FOLDER")]
    pub out: Option<PathBuf>,
    /// File to append results to, one line per seed [default: recipes/results.jsonl if there is a folder
    /// recipes, else results.jsonl in the folder of the runs; none with --quick]
    #[arg(long, value_name = "FILE.jsonl")]
    pub results: Option<PathBuf>,
    /// Train nothing; print the recorded results of one or all experiments as Markdown tables
    #[arg(long, conflicts_with_all = ["all", "list", "seeds", "epochs", "quick"])]
    pub table: bool,
    /// Write the tables to a file
    #[arg(long, value_name = "FILE.md")]
    pub write: Option<PathBuf>,
    #[command(flatten)]
    pub device: DeviceArgs,
}
