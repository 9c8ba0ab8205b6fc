//! `ae latent`.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use ae_data::Shape;
use ae_data::write::quoted;
use ae_report::pictures::{self, Painter};
use ae_run::latent::{EncodedSplit, Row};
use ae_run::{Selection, files, to_rows};
use burn::tensor::Tensor;
use clap::Subcommand;

use super::Examples;
use crate::args::values::ends;
use crate::args::{RunArgs, open_run};
use crate::{Error, Result};

/// Explore the latent space: paths, traversals, neighbors and class means
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Decode the codes on a path between two samples, linear and spherical
    Path(LatentPathArgs),
    /// Vary single units of a code over their range
    Traverse(TraverseArgs),
    /// Show the samples with the nearest codes
    Neighbors(NeighborsArgs),
    /// Decode the mean code of each class
    Means(MeansArgs),
}

#[derive(Debug, clap::Args)]
pub struct OutputArgs {
    /// File to write: .png (images) or .csv [default: latent.png, for tables latent.csv]
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Replace a file that exists
    #[arg(long)]
    pub force: bool,
}

#[derive(Debug, clap::Args)]
pub struct LatentPathArgs {
    #[command(flatten)]
    pub run: RunArgs,
    #[command(flatten)]
    pub path: PathArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(Clone, Debug, clap::Args)]
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

#[derive(Debug, clap::Args)]
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

#[derive(Debug, clap::Args)]
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

#[derive(Debug, clap::Args)]
pub struct MeansArgs {
    #[command(flatten)]
    pub run: RunArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Examples for its help.
pub const EXAMPLES: Examples = &[
    (
        "latent",
        [
            "ae latent path runs/digits-conv-32               # from one class to the next",
            "ae latent traverse runs/digits-conv-32 --unit 0,3",
            "ae latent neighbors runs/digits-conv-32 --count 8",
        ],
    ),
    (
        "latent path",
        [
            "ae latent path runs/digits-conv-32",
            "ae latent path runs/digits-conv-32 --classes 3:8,1:7",
            "ae latent path runs/digits-conv-32 --pairs 0:5 --steps 15 --out path.png",
        ],
    ),
    (
        "latent traverse",
        [
            "ae latent traverse runs/digits-conv-32",
            "ae latent traverse runs/digits-conv-32 --unit 0,3 --sample 7",
            "ae latent traverse runs/table-dense-3 --unit 1 --steps 5 --out units.csv",
        ],
    ),
    (
        "latent neighbors",
        [
            "ae latent neighbors runs/digits-conv-32",
            "ae latent neighbors runs/digits-conv-32 --sample 7 --count 12",
            "ae latent neighbors runs/digits-conv-32 --split training --out neighbors.png",
        ],
    ),
    (
        "latent means",
        [
            "ae latent means runs/digits-conv-32",
            "ae latent means runs/digits-conv-32 --split training",
            "ae latent means runs/table-dense-3 --out means.csv",
        ],
    ),
];

impl Args {
    pub fn run(&self) -> Result<()> {
        let (run, output, task) = match &self.what {
            What::Path(args) => (&args.run, &args.output, Task::Path(&args.path)),
            What::Traverse(args) => {
                let (units, sample, steps) = (&args.unit, args.sample, args.steps);
                (&args.run, &args.output, Task::Traverse { units, sample, steps })
            }
            What::Neighbors(args) => {
                let task = Task::Neighbors { count: args.count, sample: args.sample };
                (&args.run, &args.output, task)
            }
            What::Means(args) => (&args.run, &args.output, Task::Means),
        };
        draw(run, output, "latent", &task)
    }
}

/// What to decode.
pub(super) enum Task<'a> {
    Path(&'a PathArgs),
    Traverse { units: &'a [usize], sample: Option<usize>, steps: Option<usize> },
    Neighbors { count: usize, sample: Option<usize> },
    Means,
}

/// Decodes, and writes the result to `out`, or to a file called `name` in the current folder.
pub(super) fn draw(args: &RunArgs, output: &OutputArgs, name: &str, task: &Task<'_>) -> Result<()> {
    if let Some(out) = &output.out {
        args.check_out(out, output.force)?;
    }
    let (run, device) = open_run(&args.run, &args.device)?;
    let model = run.autoencoder("decoding codes")?;
    let selection = args.data.samples(&run, args.split)?;
    let out = out_file(output.out.as_deref(), name, &selection)?;
    args.check_out(&out, output.force)?;
    let split = EncodedSplit::new(model, &selection, &run.recipe, &device.handle)?;
    let rows = match task {
        Task::Path(args) => split.paths(
            &split.pairs(args.pairs.as_deref(), args.classes.as_deref())?,
            checked_steps(args.steps)?,
        )?,
        Task::Traverse { units, sample, steps } => {
            split.traverse(units, sample.unwrap_or(0), checked_steps(*steps)?)?
        }
        Task::Neighbors { count, sample } => split.neighbors(*count, *sample)?,
        Task::Means => split.class_means()?,
    };
    write(&out, &rows, &selection)?;
    for (index, row) in rows.iter().enumerate() {
        println!("row {}: {}", index + 1, row.title);
    }
    println!("{}", out.display());
    Ok(())
}

/// The most pictures in a row.
const MOST_STEPS: usize = 1000;

fn checked_steps(steps: Option<usize>) -> Result<usize> {
    match steps.unwrap_or(11) {
        steps if steps < 2 => {
            Err(Error::usage(format!("--steps: expected at least 2 (both ends), got {steps}")))
        }
        steps if steps > MOST_STEPS => {
            Err(Error::usage(format!("--steps: expected at most {MOST_STEPS}, got {steps}")))
        }
        steps => Ok(steps),
    }
}

/// The file to write; its extension has to suit the samples.
fn out_file(out: Option<&Path>, name: &str, selection: &Selection) -> Result<PathBuf> {
    let samples = &selection.samples;
    let is_image = Painter::new(samples.shape(), samples.preprocessing()).is_some();
    let Some(out) = out else {
        let extension = if is_image { "png" } else { "csv" };
        return Ok(PathBuf::from(format!("{name}.{extension}")));
    };
    let extension = out.extension().map(|end| end.to_string_lossy().to_lowercase());
    match extension.as_deref() {
        Some("csv") => Ok(out.to_owned()),
        Some("png") if is_image => Ok(out.to_owned()),
        Some("png") => Err(Error::usage(format!(
            "{}: cannot write tabular data ({}) as PNG; use .csv",
            out.display(),
            samples.shape()
        ))),
        _ => Err(Error::usage(format!(
            "{}: expected a .csv file, or .png for images",
            out.display()
        ))),
    }
}

fn write(out: &Path, rows: &[Row], selection: &Selection) -> Result<()> {
    let samples = &selection.samples;
    let is_png = out.extension().is_some_and(|end| end.eq_ignore_ascii_case("png"));
    if let (true, Some(painter)) = (is_png, Painter::new(samples.shape(), samples.preprocessing()))
    {
        let tensors: Vec<Tensor<2>> = rows.iter().map(|row| row.samples.clone()).collect();
        return Ok(pictures::write_png(out, &painter.grid(&tensors))?);
    }
    let columns: Vec<String> = match samples.shape() {
        Shape::Table { columns } => columns.iter().map(|name| quoted(name)).collect(),
        image => (0..image.features()).map(|feature| format!("feature_{feature}")).collect(),
    };
    let mut text = format!("row,place,{}\n", columns.join(","));
    for (index, row) in rows.iter().enumerate() {
        for (place, mut values) in to_rows(row.samples.clone()).into_iter().enumerate() {
            samples.preprocessing().invert(&mut values);
            let values: Vec<String> = values.iter().map(f32::to_string).collect();
            // Writing to a string does not fail.
            let _ = writeln!(text, "{},{place},{}", index + 1, values.join(","));
        }
    }
    Ok(files::write(out, &text)?)
}
