//! `ae data`: what data there is.

use std::path::Path;

use ae_data::{Found, Options, Progress, Samples, Search, Source, catalogue};
use burn::tensor::{Device, Tensor, TensorData};
use toml::Table;

use crate::args::{DataCommand, DataDirArgs};
use crate::error::{Error, Result};
use crate::observers::count;
use crate::pictures::{self, Painter};
use crate::recipe::{DataRecipe, Recipe};
use crate::rows;
use crate::session::{Download, Prepared, open_data};

pub fn run(command: &DataCommand) -> Result<()> {
    match command {
        DataCommand::List(args) => list(args),
        DataCommand::Fetch { name } => fetch(name),
        DataCommand::Preview { data, out } => {
            let given = Table::from_iter([("data".to_owned(), data.section().into())]);
            preview(&Recipe::data(&given)?, out)
        }
        DataCommand::Export { data, out, validation } => {
            let mut section = data.section();
            section.extend(validation.map(|share| ("validation".to_owned(), share.into())));
            section.entry("validation").or_insert(0.0.into());
            let given = Table::from_iter([("data".to_owned(), section.into())]);
            println!("{}", export(&Recipe::data(&given)?, out)?);
            Ok(())
        }
    }
}

fn list(args: &DataDirArgs) -> Result<()> {
    let search = Search { data_dir: args.data_dir.clone(), ..Search::default() };
    for entry in catalogue(&search)? {
        let found = match entry.found {
            Found::BuiltIn => "built in".to_owned(),
            Found::In(folder) => folder.display().to_string(),
            Found::Nowhere => "not here".to_owned(),
        };
        println!("{:<18} {}\n{:<18}   {found}", entry.name, entry.what, "");
    }
    println!(
        "\nAlso a folder of images, of IDX files or of CIFAR-10 batches, and .csv, .tsv and .npy files."
    );
    Ok(())
}

fn fetch(name: &str) -> Result<()> {
    let known = catalogue(&Search::default())?;
    if !known.iter().any(|entry| entry.name == name) {
        let names: Vec<&str> = known.iter().map(|entry| entry.name.as_ref()).collect();
        let names = names.join(", ");
        return Err(Error::usage(format!("data set: expected one of {names}, got `{name}`")));
    }
    let mut bar = Download::default();
    let mut progress = |progress: Progress<'_>| bar.show(progress);
    let set = ae_data::open(name, &Options::default(), &mut progress)?;
    println!(
        "{name}: {} samples to train on, {} to test",
        count(set.parts.training.len() as f64),
        count(set.parts.test.len() as f64)
    );
    Ok(())
}

/// Writes the parts of a data set as they are trained on, and says which there are and where.
pub fn export(recipe: &DataRecipe, out: &Path) -> Result<String> {
    let data = Prepared::new(open_data(recipe)?, recipe, None)?;
    std::fs::create_dir_all(out).map_err(Error::io(out))?;
    let mut said = data.to_string();
    let parts = [
        ("training", Some(&data.training)),
        ("validation", data.validation.as_ref()),
        ("test", Some(&data.test)),
    ];
    for (name, samples) in parts {
        for path in rows::export(out, name, samples)? {
            said += &format!("\n{}", path.display());
        }
    }
    Ok(said)
}

const PICTURES: usize = 160;
const COLUMNS: usize = 20;

fn preview(recipe: &DataRecipe, out: &Path) -> Result<()> {
    let set = open_data(recipe)?;
    println!("{}: {}", set.name, set.what);
    for (name, samples) in [("training", &set.parts.training), ("test", &set.parts.test)] {
        describe(name, samples);
    }
    let samples = &set.parts.training;
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
    println!("the first {shown}: {}", out.display());
    Ok(())
}

fn describe(name: &str, samples: &Samples) {
    println!("{name} part: {} samples of {}", count(samples.len() as f64), samples.shape());
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
