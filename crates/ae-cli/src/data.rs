//! `ae data`: lists, downloads, previews and exports data sets.

use std::path::Path;

use ae_data::{DataDirs, Location, Options, Progress, Samples, Shape, Source, registry};
use burn::tensor::{Device, Tensor, TensorData};
use toml::Table;

use crate::args::{DataCommand, DataDirArgs};
use crate::datasets::{Splits, open_data};
use crate::download::DownloadBar;
use crate::error::{Error, Result};
use crate::export::write_npy;
use crate::format::count;
use crate::pictures::{self, Painter};
use crate::recipe::{DataRecipe, Recipe};

pub fn run(command: &DataCommand) -> Result<()> {
    match command {
        DataCommand::List(args) => list(args),
        DataCommand::Fetch { name } => fetch(name),
        DataCommand::Preview { data, out } => {
            let overrides = Table::from_iter([("data".to_owned(), data.section().into())]);
            preview(&Recipe::data(&overrides)?, out.as_deref())
        }
        DataCommand::Export { data, out, validation } => {
            let mut section = data.section();
            section.extend(validation.map(|share| ("validation".to_owned(), share.into())));
            section.entry("validation").or_insert(0.0.into());
            let overrides = Table::from_iter([("data".to_owned(), section.into())]);
            println!("{}", export(&Recipe::data(&overrides)?, out)?);
            Ok(())
        }
    }
}

fn list(args: &DataDirArgs) -> Result<()> {
    let search = DataDirs { data_dir: args.data_dir.clone(), ..DataDirs::default() };
    for entry in registry(&search)? {
        let found = match entry.location {
            Location::BuiltIn => "built in".to_owned(),
            Location::Folder(folder) => folder.display().to_string(),
            Location::Missing => "not downloaded".to_owned(),
        };
        println!("{:<18} {}\n{:<18}   {found}", entry.name, entry.description, "");
    }
    println!(
        "\n--data also takes a folder of images, IDX files or CIFAR-10 batches, or a .csv, .tsv or .npy file."
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
    let mut bar = DownloadBar::default();
    let mut progress = |progress: Progress<'_>| bar.show(progress);
    let set = ae_data::open(name, &Options::default(), &mut progress)?;
    println!(
        "{name}: {} samples to train on, {} to test",
        count(set.splits.training.len() as f64),
        count(set.splits.test.len() as f64)
    );
    Ok(())
}

/// Writes the splits of a data set, preprocessed as for training; returns their sizes and the files.
pub fn export(recipe: &DataRecipe, out: &Path) -> Result<String> {
    let splits = Splits::new(open_data(recipe)?, recipe, None)?;
    std::fs::create_dir_all(out).map_err(Error::io(out))?;
    let mut text = splits.to_string();
    let all = [
        ("training", Some(&splits.training)),
        ("validation", splits.validation.as_ref()),
        ("test", Some(&splits.test)),
    ];
    for (name, samples) in all {
        for path in write_npy(out, name, samples)? {
            text += &format!("\n{}", path.display());
        }
    }
    Ok(text)
}

const PICTURES: usize = 160;
const COLUMNS: usize = 20;

fn preview(recipe: &DataRecipe, out: Option<&Path>) -> Result<()> {
    let set = open_data(recipe)?;
    let shape = set.splits.training.shape();
    if let (Some(out), Shape::Table { .. }) = (out, shape) {
        return Err(Error::usage(format!(
            "{}: cannot draw tabular data ({shape}); drop --out",
            out.display()
        )));
    }
    let out = out.unwrap_or(Path::new("preview.png"));
    println!("{}: {}", set.name, set.description);
    for (name, samples) in [("training", &set.splits.training), ("test", &set.splits.test)] {
        describe(name, samples);
    }
    let samples = &set.splits.training;
    let Some(painter) = Painter::new(samples.shape(), samples.preprocessing()) else {
        return Ok(());
    };
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
    println!("the first {shown} training samples: {}", out.display());
    Ok(())
}

fn describe(name: &str, samples: &Samples) {
    println!("{name} set: {} samples of {}", count(samples.len() as f64), samples.shape());
    let (mut low, mut high, mut sum) = (f32::INFINITY, f32::NEG_INFINITY, 0.0f64);
    for row in 0..samples.len() {
        for value in samples.row(row) {
            (low, high) = (low.min(value), high.max(value));
            sum += f64::from(value);
        }
    }
    let mean = sum / (samples.len() * samples.width()) as f64;
    println!("  values from {low} to {high}, mean {mean:.4}");
    if let Some(labels) = samples.labels() {
        let mut counts = vec![0usize; labels.names().len()];
        labels.classes().iter().for_each(|class| counts[*class as usize] += 1);
        let classes: Vec<String> = labels
            .names()
            .iter()
            .zip(counts)
            .map(|(name, n)| format!("{name} ({})", count(n as f64)))
            .collect();
        println!("  classes: {}", classes.join(", "));
    }
}
