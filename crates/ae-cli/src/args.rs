//! The command line.

use std::path::PathBuf;

use ae_models::Activation;
use clap::{Args, Parser, Subcommand};
use toml::{Table, Value};

use crate::device::Wanted;

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
    /// Measure a trained model on the test part
    Eval(EvalArgs),
    /// Write the codes of samples as CSV or NumPy array
    Encode(EncodeArgs),
    /// Write the reconstructions of samples as picture, CSV or NumPy array
    Reconstruct(ReconstructArgs),
    /// Write the report of a run anew
    Report(ReportArgs),
    /// List the devices a model can run on
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
        data: DataArgs,
        /// Picture to write (images only)
        #[arg(long, value_name = "FILE.png", default_value = "preview.png")]
        out: PathBuf,
    },
}

#[derive(Debug, Args)]
pub struct DataDirArgs {
    /// Folder of your own in which published data sets lie
    #[arg(long, value_name = "FOLDER")]
    pub data_dir: Option<PathBuf>,
}

#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Data")]
pub struct DataArgs {
    /// What to take: `digits`, `mnist`, ... (see `ae data list`), a folder of images, of IDX files or
    /// of CIFAR-10 batches, or a .csv, .tsv or .npy file [default: digits, or the data of the run]
    #[arg(short, long, value_name = "NAME|PATH")]
    pub data: Option<String>,
    /// Folder of your own in which published data sets lie
    #[arg(long, value_name = "FOLDER")]
    pub data_dir: Option<PathBuf>,
    /// Bring all images of a folder to one size
    #[arg(long, value_name = "WxH", value_parser = size)]
    pub resize: Option<(usize, usize)>,
    /// Column of a table that holds the labels [default: label, class or target]
    #[arg(long, value_name = "NAME|INDEX")]
    pub label_column: Option<String>,
    /// Labels of a NumPy array
    #[arg(long, value_name = "FILE.npy")]
    pub labels: Option<PathBuf>,
    /// How many digits to generate, to train on and to test on [default: 20000,2000]
    #[arg(long, value_name = "N,N", value_parser = pair)]
    pub digits: Option<(usize, usize)>,
    /// Part to hold out for the test, where the data has no test part [default: 0.1]
    #[arg(long, value_name = "FRACTION")]
    pub test: Option<f64>,
    /// Seed of generated digits and of what is held out [default: 0]
    #[arg(long, value_name = "N", value_parser = seed)]
    pub data_seed: Option<i64>,
}

#[derive(Debug, Default, Args)]
#[command(allow_negative_numbers = true)]
pub struct TrainArgs {
    #[command(flatten)]
    pub data: DataArgs,

    /// Part of the training part by which the best epoch is chosen [default: 0.1]
    #[arg(long, value_name = "FRACTION", help_heading = "Data")]
    pub validation: Option<f64>,
    /// none, scale, min-max or standardize [default: none for images, standardize for tables]
    #[arg(long, value_name = "METHOD", help_heading = "Data")]
    pub preprocess: Option<String>,

    /// conv or dense [default: conv for images, dense for tables]
    #[arg(short, long, value_name = "KIND", help_heading = "Model")]
    pub model: Option<String>,
    /// Units of the code [default: conv 32, dense 30, tables half their columns]
    #[arg(short, long, value_name = "N", help_heading = "Model")]
    pub code: Option<usize>,
    /// Widths of hidden dense layers [default: conv none, dense 1000,500,250, tables 4 times their
    /// columns]
    #[arg(long, value_name = "N,N,..", value_delimiter = ',', help_heading = "Model")]
    pub hidden: Option<Vec<usize>>,
    /// Channels after each convolution [default: 32,64]
    #[arg(long, value_name = "N,N,..", value_delimiter = ',', help_heading = "Model")]
    pub channels: Option<Vec<usize>>,
    /// Size of convolution kernels, odd [default: 3]
    #[arg(long, value_name = "N", help_heading = "Model")]
    pub kernel: Option<usize>,
    /// How the encoder halves: stride or max-pool [default: stride]
    #[arg(long, value_name = "HOW", help_heading = "Model")]
    pub down: Option<String>,
    /// How the decoder doubles: transposed or upsample [default: transposed]
    #[arg(long, value_name = "HOW", help_heading = "Model")]
    pub up: Option<String>,
    /// none, layer or group:N [default: none]
    #[arg(long, value_name = "NORM", value_parser = norm, help_heading = "Model")]
    pub norm: Option<Value>,
    /// identity, sigmoid, tanh, relu, leaky-relu, gelu or silu [default: relu]
    #[arg(long, value_name = "NAME", help_heading = "Model")]
    pub activation: Option<Activation>,
    /// Activation of the code [default: identity]
    #[arg(long, value_name = "NAME", help_heading = "Model")]
    pub code_activation: Option<Activation>,
    /// Activation of the output [default: sigmoid for images and after min-max, else identity]
    #[arg(long, value_name = "NAME", help_heading = "Model")]
    pub output: Option<Activation>,
    /// Let the decoder use the encoder's weights, transposed (dense)
    #[arg(long, help_heading = "Model")]
    pub tied: bool,

    /// squared-error or cross-entropy [default: cross-entropy for images where the output is a sigmoid]
    #[arg(short, long, value_name = "LOSS", help_heading = "Objective")]
    pub loss: Option<String>,
    /// none, masking:P, salt-and-pepper:P or gaussian:S [default: none]
    #[arg(long, value_name = "NOISE", value_parser = corruption, help_heading = "Objective")]
    pub corrupt: Option<Value>,
    /// Weight of the L1 norm of the code [default: 0]
    #[arg(long, value_name = "WEIGHT", help_heading = "Objective")]
    pub l1: Option<f64>,

    /// Passes over the training part [default: 10, or as many as make 1000 steps]
    #[arg(short, long, value_name = "N", help_heading = "Training")]
    pub epochs: Option<usize>,
    /// Samples per step [default: 128, down to 16 where an epoch would have under 100 steps]
    #[arg(short, long, value_name = "N", help_heading = "Training")]
    pub batch: Option<usize>,
    /// adam, adam-w, sgd or rms-prop [default: adam]
    #[arg(long, value_name = "NAME", value_parser = optimizer, help_heading = "Training")]
    pub optimizer: Option<Value>,
    /// Highest learning rate [default: conv 0.005, dense 0.001]
    #[arg(long, value_name = "RATE", help_heading = "Training")]
    pub lr: Option<f64>,
    /// How the learning rate falls: constant, cosine or step:EPOCHS:FACTOR [default: cosine]
    #[arg(long, value_name = "DECAY", value_parser = decay, help_heading = "Training")]
    pub decay: Option<Value>,
    /// Epochs over which the learning rate rises, such as 0.5 [default: 0.5]
    #[arg(long, value_name = "EPOCHS", help_heading = "Training")]
    pub warm_up: Option<f64>,
    /// Clip the norm of all gradients together
    #[arg(long, value_name = "NORM", help_heading = "Training")]
    pub clip: Option<f64>,
    /// Stop after so many epochs without a better validation loss
    #[arg(long, value_name = "EPOCHS", help_heading = "Training")]
    pub patience: Option<usize>,
    /// Seed of weights, order and noise [default: 0]
    #[arg(short, long, value_name = "N", value_parser = seed, help_heading = "Training")]
    pub seed: Option<i64>,
    /// Bytes the training part may take on the device before it is streamed [default: 1073741824]
    #[arg(long, value_name = "BYTES", help_heading = "Training")]
    pub resident_limit: Option<usize>,

    #[command(flatten)]
    pub device: DeviceArgs,
    /// Take values from a recipe; options given here go before it
    #[arg(long, value_name = "FILE.toml", help_heading = "Run")]
    pub recipe: Option<PathBuf>,
    /// Folder of the run, to be made [default: runs/DATA-MODEL-CODE]
    #[arg(short, long, value_name = "FOLDER", help_heading = "Run", conflicts_with = "resume")]
    pub out: Option<PathBuf>,
    /// Go on with the run in this folder, exactly where its last checkpoint is
    #[arg(long, value_name = "FOLDER", help_heading = "Run")]
    pub resume: Option<PathBuf>,
    /// Minutes between checkpoints [default: 1]
    #[arg(long, value_name = "MINUTES", help_heading = "Run")]
    pub checkpoint_minutes: Option<f64>,
    /// Steps between checkpoints
    #[arg(long, value_name = "STEPS", help_heading = "Run")]
    pub checkpoint_steps: Option<u64>,
}

#[derive(Debug, Default, Args)]
pub struct DeviceArgs {
    /// auto, cpu, gpu, gpu:N or part of a name that `ae devices` shows [default: auto]
    #[arg(long, value_name = "DEVICE", help_heading = "Run")]
    pub device: Option<Wanted>,
}

#[derive(Debug, Args)]
pub struct RunArgs {
    /// Folder of a run
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    #[command(flatten)]
    pub device: DeviceArgs,
    #[command(flatten)]
    pub data: DataArgs,
}

#[derive(Debug, Args)]
pub struct EvalArgs {
    #[command(flatten)]
    pub run: RunArgs,
    /// training, validation, test or all: in the order of the source, which must have no test part of
    /// its own [default: test, but all of such --data]
    #[arg(long, value_name = "PART")]
    pub part: Option<PartName>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct EncodeArgs {
    #[command(flatten)]
    pub run: RunArgs,
    /// training, validation, test or all: in the order of the source, which must have no test part of
    /// its own [default: test, but all of such --data]
    #[arg(long, value_name = "PART")]
    pub part: Option<PartName>,
    /// .csv (with labels) or .npy
    #[arg(short, long, value_name = "FILE", default_value = "codes.csv")]
    pub out: PathBuf,
}

#[derive(Debug, Args)]
pub struct ReconstructArgs {
    #[command(flatten)]
    pub run: RunArgs,
    /// training, validation, test or all: in the order of the source, which must have no test part of
    /// its own [default: test, but all of such --data]
    #[arg(long, value_name = "PART")]
    pub part: Option<PartName>,
    /// .csv or .npy for all samples, .png for inputs above reconstructions (images only)
    #[arg(short, long, value_name = "FILE", default_value = "reconstructions.npy")]
    pub out: PathBuf,
    /// How many samples, from the first [default: all; of a picture 16]
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

impl DataArgs {
    /// The options as the section of a recipe.
    pub fn section(&self) -> Table {
        let mut section = Table::new();
        let path = |path: &PathBuf| Value::from(path.to_string_lossy().into_owned());
        let numbers = |(a, b): (usize, usize)| Value::Array(vec![number(a), number(b)]);
        put(&mut section, "source", self.data.clone().map(Value::from));
        put(&mut section, "data_dir", self.data_dir.as_ref().map(path));
        put(&mut section, "resize", self.resize.map(numbers));
        put(&mut section, "label_column", self.label_column.clone().map(Value::from));
        put(&mut section, "labels", self.labels.as_ref().map(path));
        put(&mut section, "digits", self.digits.map(numbers));
        put(&mut section, "test", self.test.map(Value::from));
        put(&mut section, "seed", self.data_seed.map(Value::from));
        section
    }

    pub fn is_empty(&self) -> bool {
        self.section().is_empty()
    }
}

impl TrainArgs {
    /// The options that a recipe has, as one.
    pub fn recipe(&self) -> Table {
        let text = |text: &Option<String>| text.clone().map(Value::from);
        let name = |activation: Option<Activation>| activation.map(|a| Value::from(a.name()));
        let list = |list: &Option<Vec<usize>>| {
            list.as_ref().map(|list| Value::Array(list.iter().copied().map(number).collect()))
        };
        let mut data = self.data.section();
        put(&mut data, "validation", self.validation.map(Value::from));
        put(&mut data, "preprocess", text(&self.preprocess));

        let mut model = Table::new();
        put(&mut model, "kind", text(&self.model));
        put(&mut model, "code", self.code.map(number));
        put(&mut model, "hidden", list(&self.hidden));
        put(&mut model, "channels", list(&self.channels));
        put(&mut model, "kernel", self.kernel.map(number));
        put(&mut model, "down", text(&self.down));
        put(&mut model, "up", text(&self.up));
        put(&mut model, "norm", self.norm.clone());
        put(&mut model, "activation", name(self.activation));
        put(&mut model, "code_activation", name(self.code_activation));
        put(&mut model, "output", name(self.output));
        put(&mut model, "tied", self.tied.then_some(Value::Boolean(true)));

        let mut objective = Table::new();
        put(&mut objective, "reconstruction", text(&self.loss));
        put(&mut objective, "corruption", self.corrupt.clone());
        put(&mut objective, "l1", self.l1.map(Value::from));

        let mut rate = Table::new();
        put(&mut rate, "peak", self.lr.map(Value::from));
        put(&mut rate, "warm_up", self.warm_up.map(Value::from));
        put(&mut rate, "decay", self.decay.clone());
        let mut schedule = Table::new();
        put(&mut schedule, "epochs", self.epochs.map(number));
        put(&mut schedule, "batch", self.batch.map(number));
        put(&mut schedule, "optimizer", self.optimizer.clone());
        put(&mut schedule, "rate", (!rate.is_empty()).then_some(Value::Table(rate)));
        put(&mut schedule, "clip", self.clip.map(Value::from));
        put(&mut schedule, "patience", self.patience.map(number));
        put(&mut schedule, "seed", self.seed.map(Value::from));
        put(&mut schedule, "resident_limit", self.resident_limit.map(number));

        let sections =
            [("data", data), ("model", model), ("objective", objective), ("schedule", schedule)];
        sections
            .into_iter()
            .filter(|(_, section)| !section.is_empty())
            .map(|(name, section)| (name.to_owned(), Value::Table(section)))
            .collect()
    }
}

fn put(table: &mut Table, key: &str, value: Option<Value>) {
    if let Some(value) = value {
        table.insert(key.to_owned(), value);
    }
}

/// TOML's integers are signed.
fn number(value: usize) -> Value {
    Value::Integer(i64::try_from(value).unwrap_or(i64::MAX))
}

fn seed(text: &str) -> Result<i64, String> {
    match text.parse() {
        Ok(seed) if seed >= 0 => Ok(seed),
        _ => Err("expected a whole number from 0".into()),
    }
}

fn size(text: &str) -> Result<(usize, usize), String> {
    let parts = text.split_once('x').and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)));
    parts.ok_or_else(|| "expected width and height in pixels, such as 64x48".into())
}

fn pair(text: &str) -> Result<(usize, usize), String> {
    let parts = text.split_once(',').and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
    parts.ok_or_else(|| "expected two numbers, such as 20000,2000".into())
}

fn table(key: &str, value: impl Into<Value>) -> Value {
    Value::Table(Table::from_iter([(key.to_owned(), value.into())]))
}

fn norm(text: &str) -> Result<Value, String> {
    match text.split_once(':') {
        None if matches!(text, "none" | "layer") => Ok(text.into()),
        Some(("group", groups)) if groups.parse::<u32>().is_ok_and(|groups| groups > 0) => {
            Ok(table("group", groups.parse::<i64>().map_err(|error| error.to_string())?))
        }
        _ => Err("expected none, layer or group:N, N groups of channels".into()),
    }
}

fn corruption(text: &str) -> Result<Value, String> {
    let expected =
        "expected none, masking:P, salt-and-pepper:P or gaussian:S, such as masking:0.25";
    match text.split_once(':') {
        None if text == "none" => Ok(text.into()),
        Some((kind @ ("masking" | "salt-and-pepper" | "gaussian"), level)) => {
            let level: f64 = level.parse().map_err(|_| expected.to_owned())?;
            Ok(table(kind, level))
        }
        _ => Err(expected.into()),
    }
}

fn optimizer(text: &str) -> Result<Value, String> {
    use ae_train::Optimizer;
    let optimizer = match text {
        "adam" => Optimizer::adam(),
        "adam-w" => Optimizer::adam_w(0.01),
        "sgd" => Optimizer::sgd(0.9),
        "rms-prop" => Optimizer::rms_prop(),
        _ => return Err("expected adam, adam-w, sgd (with momentum 0.9) or rms-prop".into()),
    };
    Value::try_from(optimizer).map_err(|error| error.to_string())
}

fn decay(text: &str) -> Result<Value, String> {
    let expected = "expected constant, cosine or step:EPOCHS:FACTOR, such as step:10:0.5";
    let parts: Vec<&str> = text.split(':').collect();
    match parts[..] {
        ["constant" | "cosine"] => Ok(text.into()),
        ["step", epochs, factor] => {
            let epochs: i64 = epochs.parse().map_err(|_| expected.to_owned())?;
            let factor: f64 = factor.parse().map_err(|_| expected.to_owned())?;
            let mut step = Table::new();
            step.insert("epochs".into(), epochs.into());
            step.insert("factor".into(), factor.into());
            Ok(table("step", Value::Table(step)))
        }
        _ => Err(expected.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn options_become_a_recipe() {
        let line = "ae train --data mnist --code 16 --channels 8,16 --norm group:4 --corrupt \
                    masking:0.25 --optimizer sgd --lr 0.1 --decay step:2:0.5 --resize 64x48";
        let Ok(Cli { command: Some(Command::Train(args)), .. }) =
            Cli::try_parse_from(line.split_whitespace())
        else {
            panic!()
        };
        let expected: Table = "
            [data]\nsource = 'mnist'\nresize = [64, 48]
            [model]\ncode = 16\nchannels = [8, 16]\nnorm = { group = 4 }
            [objective]\ncorruption = { masking = 0.25 }
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
            ("--activation", "swish", "expected one of identity, sigmoid"),
        ] {
            let error = Cli::try_parse_from(["ae", "train", option, value]).unwrap_err();
            assert!(error.to_string().contains(hint), "{error}");
        }
    }
}
