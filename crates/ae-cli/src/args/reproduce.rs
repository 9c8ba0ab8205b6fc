//! `ae reproduce`: published results, made again.

use std::path::PathBuf;

use clap::Args;

use super::DeviceArgs;

#[derive(Clone, Debug, Default, Args)]
pub struct ReproduceArgs {
    /// An experiment that --list shows, or a recipe of your own in a file that ends in .toml
    #[arg(value_name = "EXPERIMENT", required_unless_present_any = ["all", "list", "table"])]
    pub experiment: Option<String>,
    /// All experiments, one after the other
    #[arg(long, conflicts_with = "experiment")]
    pub all: bool,
    /// Say which experiments there are, and how long each takes
    #[arg(long, conflicts_with_all = ["experiment", "all"])]
    pub list: bool,
    /// A small version with a bar of its own, on generated data: seconds
    #[arg(long)]
    pub quick: bool,
    /// How often each arm is trained, with seeds 0, 1, .. [default: as the recipe says, mostly 3]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub seeds: Option<u64>,
    /// Train every stage for so many epochs instead; what comes of it is judged, but not recorded
    #[arg(long, value_name = "N")]
    pub epochs: Option<usize>,
    /// Folder of your own in which published data sets lie
    #[arg(long, value_name = "FOLDER")]
    pub data_dir: Option<PathBuf>,
    /// Python that has scikit-learn, for what other programs are to make of the same data; without it
    /// what is recorded of them is taken, and else nothing
    #[arg(long, value_name = "PROGRAM")]
    pub python: Option<PathBuf>,
    /// Folder of the runs; what is done or begun there is not done again [default: runs/reproduce]
    #[arg(short, long, value_name = "FOLDER")]
    pub out: Option<PathBuf>,
    /// File to which finished seeds are added, a line each [default: recipes/results.jsonl where there is
    /// such a folder, else results.jsonl beside the runs; of --quick none]
    #[arg(long, value_name = "FILE.jsonl")]
    pub results: Option<PathBuf>,
    /// Print the tables of what is recorded, of all experiments or of one, in Markdown, and train nothing
    #[arg(long, conflicts_with_all = ["all", "list", "seeds", "epochs", "quick"])]
    pub table: bool,
    /// Write the tables there instead
    #[arg(long, value_name = "FILE.md", requires = "table")]
    pub write: Option<PathBuf>,
    #[command(flatten)]
    pub device: DeviceArgs,
}
