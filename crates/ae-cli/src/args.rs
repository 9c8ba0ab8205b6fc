//! The command line.

#[cfg(test)]
mod documented;
mod recipe;
mod run;
mod train;
pub mod values;

use ae_device::{DeviceRequest, NamedDevice};
use clap::{Args, CommandFactory, FromArgMatches, Parser};

use crate::Result;
use crate::commands::{self, Command};
pub use recipe::{Classifying, Data, Finetuning, RecipeArgs, Tables, Training};
pub use run::{RunArgs, open_run};
pub use train::{EndArgs, NewRunArgs, TrainArgs};

/// Trains autoencoders on any GPU or on the CPU.
///
/// Without a command, trains a convolutional autoencoder on generated digits and writes an HTML
/// report. Takes about 13 seconds on two cores with AVX-512, about 40 seconds without; downloads
/// nothing.
#[derive(Debug, Parser)]
#[command(name = "ae", version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,

    /// Print more (-v -v: also timings)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,

    /// Threads on the CPU [default: one per core, or RAYON_NUM_THREADS]
    #[arg(long, value_name = "N", global = true, help_heading = "Run")]
    pub threads: Option<std::num::NonZeroUsize>,
}

#[derive(Clone, Debug, Default, Args)]
pub struct DeviceArgs {
    /// auto, cpu, gpu, gpu:N or part of a name in `ae devices`; auto trains on the device where a few
    /// steps are fastest, and uses the CPU for everything else [default: auto]
    #[arg(long, value_name = "DEVICE", help_heading = "Run")]
    pub device: Option<DeviceRequest>,
}

impl DeviceArgs {
    /// What is asked for.
    pub fn request(&self) -> DeviceRequest {
        self.device.clone().unwrap_or_default()
    }

    /// Opens the device of a command that does not train, and prints which.
    pub fn open(&self) -> Result<NamedDevice> {
        let (device, why) = ae_device::open(&self.request())?;
        why.iter().for_each(|why| eprintln!("{why}"));
        Ok(device)
    }

    /// Chooses the device of a command that trains, and prints which, unless it has to be measured.
    pub fn choice(&self) -> Result<ae_device::Choice> {
        let (choice, why) = ae_device::choice(&self.request())?;
        why.iter().for_each(|why| eprintln!("{why}"));
        Ok(choice)
    }
}

/// The options that `-h` shows of commands with many; `--help` shows all.
const SHORT_HELP: [(&str, &[&str]); 8] = [
    ("train", &["data", "code", "epochs"]),
    ("check", &["data", "code", "json"]),
    ("pretrain", &["data", "code", "epochs"]),
    ("finetune", &["from", "head", "epochs"]),
    ("classify", &["from", "head", "predictions"]),
    ("sweep", &["data", "codes", "epochs"]),
    ("impute", &["out", "draws", "model"]),
    ("detect", &["data", "score", "false_alarms"]),
];

impl Cli {
    pub fn commands() -> clap::Command {
        let cli = commands::add_examples(Self::command(), "");
        SHORT_HELP.iter().fold(cli, |cli, (name, shown)| {
            let examples = commands::examples(name);
            cli.mut_subcommand(name, |command| {
                command
                    .mut_args(|arg| {
                        let hide = !shown.contains(&arg.get_id().as_str());
                        arg.hide_short_help(hide)
                    })
                    .after_help(format!("{examples}\n\nAll options: --help"))
                    .after_long_help(examples)
            })
        })
    }

    /// Parses the command line of this process; exits after help and on errors.
    pub fn read() -> Self {
        let read = Self::from_arg_matches(&Self::commands().get_matches());
        read.unwrap_or_else(|error| error.exit())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use toml::Table;

    #[test]
    fn the_command_line_is_valid() {
        Cli::commands().debug_assert();
    }

    #[test]
    fn options_become_a_recipe() {
        let line = "ae train --data mnist --code 16 --channels 8,16 --norm group:4 --corrupt \
                    masking:0.25 --optimizer sgd --lr 0.1 --decay step:2:0.5 --resize 64x48 --kl 3 \
                    --kl-decay 0.9 --train-top-k 5:20:3 --top-k 10 --jacobian probes:2 \
                    --corruption-weights 1:0.5 --train-samples 100 --one-class 3";
        let parse = |line: &str| match Cli::try_parse_from(line.split_whitespace()) {
            Ok(Cli { command: Some(Command::Train(args)), .. }) => args.train.settings.recipe(),
            _ => panic!("{line}"),
        };
        let expected: Table = "
            [data]\nsource = 'mnist'\nresize = [64, 48]\ntraining_samples = 100\nnormal = '3'
            [model]\ncode = 16\nchannels = [8, 16]\nnorm = { group = 4 }\nkept = 10
            [objective]\ncorruption = { masking = 0.25 }\nemphasis = [1.0, 0.5]
            kl = { weight = 3.0, decay = 0.9 }\nk_sparse = { units = 5, from = 20, epochs = 3 }
            jacobian = { probes = 2 }
            [schedule]
            optimizer = { kind = 'sgd', momentum = 0.9, nesterov = false }
            rate = { peak = 0.1, decay = { step = { epochs = 2, factor = 0.5 } } }"
            .parse()
            .unwrap();
        assert_eq!(parse(line), expected);
        // The names of earlier versions.
        let old = [
            ("--train-top-k", "--k-sparse"),
            ("--top-k", "--kept"),
            ("--jacobian", "--contract-by"),
            ("--corruption-weights", "--emphasis"),
            ("--one-class", "--normal"),
        ];
        let old_line = old.iter().fold(format!("{line} "), |line, (new, old)| {
            line.replace(&format!(" {new} "), &format!(" {old} "))
        });
        assert!(old.iter().all(|(_, old)| old_line.contains(old)), "{old_line}");
        assert_eq!(parse(&old_line), expected);
        assert_eq!(parse("ae train --code maps"), parse("ae train --code feature-map"));
        assert!(TrainArgs::default().settings.recipe().is_empty());
    }

    #[test]
    fn invalid_values_are_rejected_with_an_example() {
        for (option, value, hint) in [
            ("--corrupt", "masking", "such as masking:0.25"),
            ("--decay", "step:x:y", "such as step:10:0.5"),
            ("--resize", "64", "such as 64x48"),
            ("--norm", "group:0", "group:N"),
            ("--seed", "-1", "from 0"),
            ("--code", "few", "a number of units, or feature-map"),
            ("--corruption-weights", "1", "such as 1:0.5"),
            ("--train-top-k", "1:2:3:4", "such as 25:100:5"),
            ("--jacobian", "probes", "such as probes:4"),
            ("--activation", "swish", "expected one of identity, sigmoid"),
        ] {
            let error = Cli::try_parse_from(["ae", "train", option, value]).unwrap_err();
            assert!(error.to_string().contains(hint), "{error}");
        }
    }

    /// Lists grow where they are repeated, and keep what looks like an option out.
    #[test]
    fn repeated_empty_and_incomplete_options() {
        let parse = |line: &[&str]| Cli::try_parse_from([&["ae"], line].concat());
        let recipe = |line: &[&str]| match parse(line).unwrap().command {
            Some(Command::Train(args)) => args.train.settings.recipe(),
            _ => panic!("{line:?}"),
        };
        let expected: Table =
            "[data.table]\nignore = ['a', 'b', 'c']\nmissing_as = ['-999', '-1']\n\
                               [model]\nchannels = [8, 16]"
                .parse()
                .unwrap();
        let line = "train --ignore a,b --ignore c --missing-as -999 --missing-as -1 --channels 8 \
                    --channels 16";
        assert_eq!(recipe(&line.split_whitespace().collect::<Vec<_>>()), expected);
        for (line, part) in [
            (&["train", "--data-dir", ""][..], "expected a path"),
            (&["train", "--labels", ""], "expected a path"),
            (&["train", "--ignore", "--tied"], "a value is required"),
            (&["finetune", "run", "--label-counts", "10"], "--head <KIND>"),
            (&["train", "--samples", "9,3", "--test-samples", "3"], "cannot be used with"),
        ] {
            let error = parse(line).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }

    /// Every penalty has an option, in a group that the help has.
    #[test]
    fn every_penalty_has_its_options() {
        let options = ae_recipe::train_options();
        for kind in ae_train::PENALTIES {
            let own = options.iter().filter(|option| option.path[1] == kind.key).count();
            assert_eq!(own, 1 + kind.settings.len(), "{}", kind.key);
        }
    }

    /// `-h` shows three options, and how to see the others.
    #[test]
    fn short_help_is_short() {
        for (name, shown) in SHORT_HELP {
            let mut commands = Cli::commands();
            let command = commands.find_subcommand_mut(name).unwrap();
            let short = command.render_help().to_string();
            let options = short.lines().filter(|line| line.trim_start().starts_with('-')).count();
            // And --help.
            assert!(options <= shown.len() + 1, "{short}");
            assert!(short.contains("All options: --help"), "{short}");
            assert!(command.render_long_help().to_string().lines().count() > 60);
        }
    }
}
