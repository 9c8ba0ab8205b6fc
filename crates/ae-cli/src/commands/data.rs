//! `ae data`.

use std::path::{Path, PathBuf};

use ae_data::{DataDirs, Location, Options, Progress, Samples, Shape, Source, registry};
use ae_recipe::{DataRecipe, Recipe};
use ae_report::pictures::{self, Painter};
use ae_run::{Splits, open_data};
use ae_train::format::count;
use burn::tensor::{Device, Tensor, TensorData};
use clap::Subcommand;
use serde_json::json;
use toml::Table;

use super::{Examples, print_json};
use crate::args::{Data, RecipeArgs};
use crate::console::Console;
use crate::outputs::{check_file, check_folder};
use crate::{Error, Result};

/// List, download, preview and export data sets
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Args)]
struct ListArgs {
    /// Folder with your own copies of published data sets
    #[arg(long, value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List the data sets known by name
    List(ListArgs),
    /// Download a data set to the cache
    Fetch {
        /// Its name in `ae data list`
        name: String,
    },
    /// Describe a data set, and draw its first samples
    Preview {
        #[command(flatten)]
        data: Box<RecipeArgs<Data>>,
        /// Picture to write (images only) [default: preview.png]
        #[arg(long, value_name = "FILE.png")]
        out: Option<PathBuf>,
        /// Replace a file that exists
        #[arg(long)]
        force: bool,
        /// Print JSON, and write a picture only with --out
        #[arg(long)]
        json: bool,
    },
    /// Write a data set to NumPy files
    Export {
        #[command(flatten)]
        data: Box<RecipeArgs<Data>>,
        /// Folder for training.npy, test.npy and, if there are labels, training-labels.npy and
        /// test-labels.npy
        #[arg(short, long, value_name = "FOLDER")]
        out: PathBuf,
        /// Fraction of the training samples to write to validation.npy instead
        #[arg(long, value_name = "FRACTION")]
        validation: Option<f64>,
        /// Write into a folder with files; replaces those of an earlier export
        #[arg(long)]
        force: bool,
    },
}

/// Examples for its help.
pub const EXAMPLES: Examples = &[
    (
        "data",
        ["ae data list", "ae data fetch mnist", "ae data preview --data photos/ --resize 64x64"],
    ),
    (
        "data list",
        ["ae data list", "ae data list --data-dir ~/mnist", "ae train --data fashion-mnist"],
    ),
    ("data fetch", ["ae data fetch mnist", "ae data fetch cifar10", "ae data fetch fashion-mnist"]),
    (
        "data preview",
        [
            "ae data preview",
            "ae data preview --data mnist-rot --out sheet.png",
            "ae data preview --data table.csv",
        ],
    ),
    (
        "data export",
        [
            "ae data export --data mnist-rot --out mnist-rot",
            "ae data export --data convex --validation 0.25 --out convex",
            "ae data export --samples 1000,200 --out digits",
        ],
    ),
];

impl Args {
    pub fn run(&self) -> Result<()> {
        match &self.what {
            What::List(args) => list(args),
            What::Fetch { name } => fetch(name),
            What::Preview { data, out, force, json } => {
                let overrides =
                    Table::from_iter([("data".to_owned(), data.section("data").into())]);
                preview(&Recipe::data(&overrides)?, out.as_deref(), *force, *json)
            }
            What::Export { data, out, validation, force } => {
                let mut section = data.section("data");
                section.extend(validation.map(|share| ("validation".to_owned(), share.into())));
                section.entry("validation").or_insert(0.0.into());
                let overrides = Table::from_iter([("data".to_owned(), section.into())]);
                export(&Recipe::data(&overrides)?, out, *force)
            }
        }
    }
}

fn list(args: &ListArgs) -> Result<()> {
    let search = DataDirs { data_dir: args.data_dir.clone(), ..DataDirs::default() };
    let entries = registry(&search)?;
    if args.json {
        let entry = |entry: &ae_data::Entry| {
            let folder = match &entry.location {
                Location::Folder(folder) => Some(folder.clone()),
                _ => None,
            };
            let is_there = !matches!(entry.location, Location::Missing);
            json!({
                "name": entry.name,
                "description": entry.description,
                "is_there": is_there,
                "folder": folder,
            })
        };
        return print_json(&entries.iter().map(entry).collect::<Vec<_>>());
    }
    for entry in entries {
        let found = match entry.location {
            Location::BuiltIn => "built in".to_owned(),
            Location::Folder(folder) => folder.display().to_string(),
            Location::Missing => "not downloaded".to_owned(),
        };
        println!("{:<18} {}\n{:<18}   {found}", entry.name, entry.description, "");
    }
    println!(
        "\n--data also takes a folder of images, IDX files or CIFAR-10 batches, or a .csv, .tsv, .npy, .npz, \
         .safetensors, .svmlight or image file; built with the feature `arrow`, also .parquet and .arrow."
    );
    Ok(())
}

fn fetch(name: &str) -> Result<()> {
    let known = registry(&DataDirs::default())?;
    if !known.iter().any(|entry| entry.name == name) {
        let names: Vec<&str> = known.iter().map(|entry| entry.name.as_ref()).collect();
        let names = names.join(", ");
        return Err(Error::usage(format!("data set: expected one of {names}, got `{name}`")));
    }
    let console = Console::single();
    let mut progress = |progress: Progress<'_>| console.download(progress);
    let set = ae_data::open(name, &Options::default(), &mut progress)?;
    println!(
        "{name}: {} samples to train on, {} to test",
        count(set.splits.training.len() as f64),
        count(set.splits.test.len() as f64)
    );
    Ok(())
}

/// Writes the splits of a data set, preprocessed as for training, and prints their sizes and the files.
fn export(recipe: &DataRecipe, out: &Path, force: bool) -> Result<()> {
    check_folder(out, force, recipe.paths().iter().map(PathBuf::as_path))?;
    let splits = Splits::new(open_data(recipe, &*Console::single())?, recipe, None)?;
    println!("{splits}");
    for path in splits.write_npy(out)? {
        println!("{}", path.display());
    }
    Ok(())
}

const PICTURES: usize = 160;
const COLUMNS: usize = 20;
/// The samples that are read at a time.
const AT_ONCE: usize = 64;

fn preview(recipe: &DataRecipe, out: Option<&Path>, force: bool, as_json: bool) -> Result<()> {
    if let Some(out) = out {
        check_picture(recipe, out, force)?;
    }
    let set = open_data(recipe, &*Console::single())?;
    let shape = set.splits.training.shape();
    if let (Some(out), Shape::Table { .. }) = (out, shape) {
        return Err(Error::usage(format!(
            "{}: cannot draw tabular data ({shape}); drop --out",
            out.display()
        )));
    }
    let splits = [("training", &set.splits.training), ("test", &set.splits.test)];
    let splits = splits.into_iter().map(|(name, samples)| Described::new(name, samples));
    let splits = splits.collect::<Result<Vec<_>>>()?;
    match as_json {
        true => print_json(&json!({
            "name": set.name,
            "description": set.description,
            "splits": splits,
        }))?,
        false => {
            println!("{}: {}", set.name, set.description);
            splits.iter().for_each(|it| print!("{it}"));
        }
    }
    let samples = &set.splits.training;
    let Some(painter) = Painter::new(samples.shape(), samples.preprocessing()) else {
        return Ok(());
    };
    let out = match (out, as_json) {
        (Some(out), _) => out,
        (None, true) => return Ok(()),
        (None, false) => Path::new("preview.png"),
    };
    check_picture(recipe, out, force)?;
    let shown = samples.len().min(PICTURES);
    let rows: Vec<Tensor<2>> = (0..shown)
        .collect::<Vec<_>>()
        .chunks(COLUMNS)
        .map(|row| {
            let mut values = vec![0.0; row.len() * samples.width()];
            samples.read(row, &mut values)?;
            let data = TensorData::new(values, [row.len(), samples.width()]);
            Ok(Tensor::from_data(data, &Device::flex()))
        })
        .collect::<Result<_>>()?;
    pictures::write_png(out, &painter.grid(&rows))?;
    if !as_json {
        println!("the first {shown} training samples: {}", out.display());
    }
    Ok(())
}

fn check_picture(recipe: &DataRecipe, out: &Path, force: bool) -> Result<()> {
    check_file(out, force, recipe.paths().iter().map(PathBuf::as_path))
}

/// A split, in numbers.
#[derive(serde::Serialize)]
struct Described {
    name: &'static str,
    samples: usize,
    shape: String,
    min: f32,
    max: f32,
    mean: f64,
    /// Names of classes, with the number of samples of each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    classes: Vec<(String, usize)>,
}

impl Described {
    fn new(name: &'static str, samples: &Samples) -> Result<Self> {
        let (mut min, mut max, mut sum) = (f32::INFINITY, f32::NEG_INFINITY, 0.0f64);
        let rows: Vec<usize> = (0..samples.len()).collect();
        let mut values = vec![0.0; AT_ONCE.min(rows.len()) * samples.width()];
        for rows in rows.chunks(AT_ONCE) {
            let values = &mut values[..rows.len() * samples.width()];
            samples.read(rows, values)?;
            for value in values {
                (min, max) = (min.min(*value), max.max(*value));
                sum += f64::from(*value);
            }
        }
        let mean = sum / (samples.len() * samples.width()) as f64;
        let classes = samples.labels().map_or_else(Vec::new, |labels| {
            let mut counts = vec![0usize; labels.names().len()];
            labels.classes().iter().for_each(|class| counts[*class as usize] += 1);
            labels.names().iter().cloned().zip(counts).collect()
        });
        let shape = samples.shape().to_string();
        Ok(Self { name, samples: samples.len(), shape, min, max, mean, classes })
    }
}

impl std::fmt::Display for Described {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { name, samples, shape, min, max, mean, classes } = self;
        writeln!(f, "{name} set: {} samples of {shape}", count(*samples as f64))?;
        writeln!(f, "  values from {min} to {max}, mean {mean:.4}")?;
        if classes.is_empty() {
            return Ok(());
        }
        let classes = classes.iter().map(|(name, n)| format!("{name} ({})", count(*n as f64)));
        writeln!(f, "  classes: {}", classes.collect::<Vec<_>>().join(", "))
    }
}
