//! The command line.

mod data;
mod inspect;
mod model;
mod objective;
mod reproduce;
mod schedule;
mod sweep;
mod train;
pub mod values;

use std::path::PathBuf;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::device::Wanted;

pub use data::{DataArgs, DataDirArgs, DataOptions};
pub use inspect::{EncodeArgs, EvalArgs, InterpolateArgs, ReconstructArgs, ReportArgs, RunArgs};
pub use model::ModelArgs;
pub use objective::ObjectiveArgs;
pub use reproduce::ReproduceArgs;
pub use schedule::ScheduleArgs;
pub use sweep::SweepArgs;
pub use train::{ClassifyArgs, FinetuneArgs, NewRunArgs, TrainArgs};

/// Autoencoders on any GPU, or on the CPU.
///
/// Without a command, trains a convolutional autoencoder on generated digits and writes a report
/// to look at: two minutes, no download.
#[derive(Debug, Parser)]
#[command(name = "ae", version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,

    /// Say more; twice: what takes how long, too
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Train a model and write a report
    Train(Box<TrainArgs>),
    /// Train a deep model layer by layer, each on the codes of the one below
    Pretrain(Box<TrainArgs>),
    /// Train the model of a run further, all of it: as an autoencoder, or with a head for labels
    Finetune(Box<FinetuneArgs>),
    /// Tell classes apart by the codes of a run, whose encoder stays as it is
    ///
    /// The run of an autoencoder gets a head, trained on the codes of its training part, and with it
    /// becomes a new run; the run of a classifier has one already.
    Classify(Box<ClassifyArgs>),
    /// Train over a grid, and show the error over the size of the code beside PCA's
    Sweep(Box<SweepArgs>),
    /// Make published results again, and print each beside what was published
    Reproduce(ReproduceArgs),
    /// Measure a trained model on the test part
    Eval(EvalArgs),
    /// Write the codes of samples as CSV or NumPy array
    Encode(EncodeArgs),
    /// Write the reconstructions of samples as picture, CSV or NumPy array
    Reconstruct(ReconstructArgs),
    /// Draw what lies between codes, what single units do, class means and neighbours
    Interpolate(InterpolateArgs),
    /// Write the report of a run anew
    Report(ReportArgs),
    /// List the devices a model can run on, and what is known of each
    Devices,
    /// See what data there is
    #[command(subcommand)]
    Data(DataCommand),
}

#[derive(Debug, Subcommand)]
pub enum DataCommand {
    /// List the data sets known by name
    List(DataDirArgs),
    /// Download a data set to the cache
    Fetch {
        /// Its name, as `ae data list` shows it
        name: String,
    },
    /// Say what is in a data set, and draw some of it
    Preview {
        #[command(flatten)]
        data: Box<DataArgs>,
        /// Picture to write (images only)
        #[arg(long, value_name = "FILE.png", default_value = "preview.png")]
        out: PathBuf,
    },
    /// Write a data set as NumPy arrays, for other programs
    Export {
        #[command(flatten)]
        data: Box<DataArgs>,
        /// Folder for training.npy, test.npy and, where there are classes, training-labels.npy and
        /// test-labels.npy
        #[arg(short, long, value_name = "FOLDER")]
        out: PathBuf,
        /// Part of the training part to write as validation.npy
        #[arg(long, value_name = "FRACTION")]
        validation: Option<f64>,
    },
}

#[derive(Clone, Debug, Default, Args)]
pub struct DeviceArgs {
    /// auto, cpu, gpu, gpu:N or part of a name that `ae devices` shows; auto trains where a few steps are
    /// fastest, and does all else on the CPU [default: auto]
    #[arg(long, value_name = "DEVICE", help_heading = "Run")]
    pub device: Option<Wanted>,
}

/// What `-h` shows of a command with many options; `--help` shows all.
const SHORT_HELP: [(&str, &[&str]); 5] = [
    ("train", &["data", "code", "epochs"]),
    ("pretrain", &["data", "code", "epochs"]),
    ("finetune", &["from", "head", "epochs"]),
    ("classify", &["from", "head", "predictions"]),
    ("sweep", &["data", "codes", "epochs"]),
];

impl Cli {
    fn commands() -> clap::Command {
        SHORT_HELP.iter().fold(Self::command(), |cli, (name, shown)| {
            cli.mut_subcommand(name, |command| {
                command
                    .mut_args(|arg| {
                        let hide = !shown.contains(&arg.get_id().as_str());
                        arg.hide_short_help(hide)
                    })
                    .after_help("All options: --help")
                    .after_long_help("")
            })
        })
    }

    /// The command line of this process; help, and what is not understood, end it.
    pub fn read() -> Self {
        let read = Self::from_arg_matches(&Self::commands().get_matches());
        read.unwrap_or_else(|error| error.exit())
    }
}

/// A part of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartName {
    Training,
    Validation,
    Test,
    All,
}

impl std::str::FromStr for PartName {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "training" => Ok(Self::Training),
            "validation" => Ok(Self::Validation),
            "test" => Ok(Self::Test),
            "all" => Ok(Self::All),
            _ => Err("expected training, validation, test or all".into()),
        }
    }
}

impl std::fmt::Display for PartName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Training => "training",
            Self::Validation => "validation",
            Self::Test => "test",
            Self::All => "all",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use toml::Table;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::commands().debug_assert();
    }

    #[test]
    fn options_become_a_recipe() {
        let line = "ae train --data mnist --code 16 --channels 8,16 --norm group:4 --corrupt \
                    masking:0.25 --optimizer sgd --lr 0.1 --decay step:2:0.5 --resize 64x48 --kl 3 \
                    --kl-decay 0.9 --k-sparse 5:20:3 --contract-by probes:2 --emphasis 1:0.5 --train-samples 100 \
                    --normal 3";
        let Ok(Cli { command: Some(Command::Train(args)), .. }) =
            Cli::try_parse_from(line.split_whitespace())
        else {
            panic!()
        };
        let expected: Table = "
            [data]\nsource = 'mnist'\nresize = [64, 48]\ntraining_samples = 100\nnormal = 3
            [model]\ncode = 16\nchannels = [8, 16]\nnorm = { group = 4 }
            [objective]\ncorruption = { masking = 0.25 }\nemphasis = [1.0, 0.5]
            kl = { weight = 3.0, decay = 0.9 }\nk_sparse = { units = 5, from = 20, epochs = 3 }
            jacobian = { probes = 2 }
            [schedule]
            optimizer = { kind = 'sgd', momentum = 0.9, nesterov = false }
            rate = { peak = 0.1, decay = { step = { epochs = 2, factor = 0.5 } } }"
            .parse()
            .unwrap();
        assert_eq!(args.recipe(), expected);
        assert!(TrainArgs::default().recipe().is_empty());
    }

    #[test]
    fn values_that_are_none_are_refused_with_an_example() {
        for (option, value, hint) in [
            ("--corrupt", "masking", "such as masking:0.25"),
            ("--decay", "step:x:y", "such as step:10:0.5"),
            ("--resize", "64", "such as 64x48"),
            ("--norm", "group:0", "group:N"),
            ("--seed", "-1", "from 0"),
            ("--code", "few", "a number of units, or maps"),
            ("--emphasis", "1", "such as 1:0.5"),
            ("--k-sparse", "1:2:3:4", "such as 25:100:5"),
            ("--contract-by", "probes", "such as probes:4"),
            ("--activation", "swish", "expected one of identity, sigmoid"),
        ] {
            let error = Cli::try_parse_from(["ae", "train", option, value]).unwrap_err();
            assert!(error.to_string().contains(hint), "{error}");
        }
    }

    /// A newcomer is shown three options, and where the others are.
    #[test]
    fn short_help_is_short() {
        for (name, shown) in SHORT_HELP {
            let mut commands = Cli::commands();
            let command = commands.find_subcommand_mut(name).unwrap();
            let short = command.render_help().to_string();
            let options = short.lines().filter(|line| line.trim_start().starts_with('-')).count();
            // Beside those there are --verbose, which the whole has, and --help.
            assert!(options <= shown.len() + 1, "{short}");
            assert!(short.contains("All options: --help"), "{short}");
            assert!(command.render_long_help().to_string().lines().count() > 60);
        }
    }
}
