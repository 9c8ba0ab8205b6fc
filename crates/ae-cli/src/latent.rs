//! `ae latent`: decoded paths between codes, traversals of single units, class means and neighbors.

mod encoded_split;

use std::fmt::Write;
use std::path::{Path, PathBuf};

use ae_data::Shape;
use burn::tensor::Tensor;

use crate::args::{InterpolateArgs, LatentCommand, PathArgs, RunArgs};
use crate::error::{Error, Result};
use crate::export::quoted;
use crate::files;
use crate::pictures::{self, Painter};
use crate::run::{SavedRun, Selection};
use encoded_split::{EncodedSplit, Row};

/// What to decode.
enum Task<'a> {
    Path(&'a PathArgs),
    Traverse { units: &'a [usize], sample: Option<usize>, steps: Option<usize> },
    Neighbors { count: usize, sample: Option<usize> },
    Means,
}

pub fn latent(command: &LatentCommand) -> Result<()> {
    let (run, output, task) = match command {
        LatentCommand::Path(args) => (&args.run, &args.output.out, Task::Path(&args.path)),
        LatentCommand::Traverse(args) => {
            let (units, sample, steps) = (&args.unit, args.sample, args.steps);
            (&args.run, &args.output.out, Task::Traverse { units, sample, steps })
        }
        LatentCommand::Neighbors(args) => {
            let task = Task::Neighbors { count: args.count, sample: args.sample };
            (&args.run, &args.output.out, task)
        }
        LatentCommand::Means(args) => (&args.run, &args.output.out, Task::Means),
    };
    draw(run, output.as_deref(), "latent", &task)
}

/// The old command line of [`latent`].
pub fn interpolate(args: &InterpolateArgs) -> Result<()> {
    let path =
        PathArgs { pairs: args.pairs.clone(), classes: args.classes.clone(), steps: args.steps };
    let task = if let Some(units) = &args.unit {
        Task::Traverse { units, sample: args.sample, steps: args.steps }
    } else if args.class_means {
        Task::Means
    } else if let Some(count) = args.nearest {
        Task::Neighbors { count, sample: args.sample }
    } else if args.sample.is_some() {
        return Err(Error::usage(
            "--sample needs --unit or --nearest; to choose the ends of paths use --pairs",
        ));
    } else {
        Task::Path(&path)
    };
    draw(&args.run, args.out.as_deref(), "interpolation", &task)
}

/// Decodes, and writes the result to `out`, or to a file called `name` in the current folder.
fn draw(args: &RunArgs, out: Option<&Path>, name: &str, task: &Task<'_>) -> Result<()> {
    let (run, device) = SavedRun::open(&args.run, &args.device)?;
    let model = run.autoencoder("decoding codes")?;
    let selection = run.samples(&args.data, args.split)?;
    let out = output(out, name, &selection)?;
    let split = EncodedSplit::new(model, &selection, &run.recipe, &device.handle)?;
    let rows = match task {
        Task::Path(args) => split.paths(&split.pairs(args)?, checked_steps(args.steps)?)?,
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
fn output(out: Option<&Path>, name: &str, selection: &Selection) -> Result<PathBuf> {
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
        return pictures::write_png(out, &painter.grid(&tensors));
    }
    let columns: Vec<String> = match samples.shape() {
        Shape::Table { columns } => columns.iter().map(|name| quoted(name)).collect(),
        image => (0..image.features()).map(|feature| format!("feature_{feature}")).collect(),
    };
    let mut text = format!("row,place,{}\n", columns.join(","));
    for (index, row) in rows.iter().enumerate() {
        for (place, mut values) in pictures::samples(row.samples.clone()).into_iter().enumerate() {
            samples.preprocessing().invert(&mut values);
            let values: Vec<String> = values.iter().map(f32::to_string).collect();
            // Writing to a string does not fail.
            let _ = writeln!(text, "{},{place},{}", index + 1, values.join(","));
        }
    }
    files::write(out, &text)
}
