//! `ae interpolate`: what lies between codes, what single units do, class means and neighbours.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ae_data::{Labels, Shape};
use ae_models::{Decoder, Encoder, Model, latent};
use ae_train::{Batches, encode_all};
use burn::tensor::Tensor;

use crate::args::InterpolateArgs;
use crate::error::{Error, Result};
use crate::figures;
use crate::observers::digits;
use crate::pictures::{self, Painter};
use crate::rows::quoted;
use crate::run::{Chosen, Run};
use crate::session::batches;
use crate::start;

pub fn interpolate(args: &InterpolateArgs) -> Result<()> {
    let (run, opened) = Run::open(&args.run.run, &args.run.device)?;
    let model = run.autoencoder("what lies between codes has to be decoded")?;
    let chosen = run.samples(&args.run.data, args.run.part)?;
    let out = out(args, &chosen)?;
    let batch = run.recipe.schedule().batch;
    let codes = encode_all(model, Arc::new(chosen.samples.clone()), batch)?;
    let space = Space {
        model,
        inputs: batches(&chosen.samples, &run.recipe, &opened.device)?,
        codes: batches(&codes, &run.recipe, &opened.device)?,
        chosen: &chosen,
    };
    let rows = if let Some(units) = &args.unit {
        space.units(units, args.sample.unwrap_or(0), steps(args)?)?
    } else if args.class_means {
        space.class_means()?
    } else if let Some(count) = args.nearest {
        space.nearest(count, args.sample)?
    } else {
        if args.sample.is_some() {
            return Err(Error::usage(
                "--sample: expected --unit or --nearest beside it, got none; say between which samples \
                 to go with --pairs",
            ));
        }
        space.ways(&space.pairs(args)?, steps(args)?)?
    };
    write(&out, &rows, &chosen)?;
    for (number, row) in rows.iter().enumerate() {
        println!("row {}: {}", number + 1, row.name);
    }
    println!("{}", out.display());
    Ok(())
}

/// Samples beside each other, as the model sees them.
struct Row {
    name: String,
    samples: Tensor<2>,
}

/// A part of a data set and its codes.
struct Space<'a> {
    model: &'a Model,
    inputs: Batches,
    codes: Batches,
    chosen: &'a Chosen,
}

impl Space<'_> {
    fn check_sample(&self, sample: usize) -> Result<usize> {
        match sample < self.inputs.len() {
            true => Ok(sample),
            false => Err(Error::usage(format!(
                "sample: expected a number below {}, as {} has so many, got {sample}",
                self.inputs.len(),
                self.chosen.title()
            ))),
        }
    }

    fn labels(&self) -> Result<&Labels> {
        self.chosen.samples.labels().ok_or_else(|| {
            Error::usage(format!(
                "{}: expected samples with a class each, got none; take --pairs, --unit or --nearest",
                self.chosen.name
            ))
        })
    }

    /// Samples to go between.
    fn pairs(&self, args: &InterpolateArgs) -> Result<Vec<[usize; 2]>> {
        if let Some(pairs) = &args.pairs {
            let sample = |text: &String| match text.parse() {
                Ok(sample) => self.check_sample(sample),
                Err(_) => Err(Error::usage(format!(
                    "--pairs: expected numbers of samples, such as 0:5, got `{text}`; classes go with \
                     --classes"
                ))),
            };
            return pairs.iter().map(|(from, to)| Ok([sample(from)?, sample(to)?])).collect();
        }
        if let Some(pairs) = &args.classes {
            let labels = self.labels()?;
            let first = |name: &String| {
                let class = labels.names().iter().position(|known| known == name);
                let found = class.and_then(|class| {
                    labels.classes().iter().position(|its| *its as usize == class)
                });
                found.ok_or_else(|| {
                    Error::usage(format!(
                        "--classes: expected classes that {} has, {}; got `{name}`",
                        self.chosen.title(),
                        labels.names().join(", ")
                    ))
                })
            };
            return pairs.iter().map(|(from, to)| Ok([first(from)?, first(to)?])).collect();
        }
        // One of each class in turn, where there are classes.
        let some = figures::chosen(&self.chosen.samples);
        if some.len() < 2 {
            return Err(Error::usage(format!(
                "{}: expected at least 2 samples to go between, got {}",
                self.chosen.title(),
                some.len()
            )));
        }
        Ok(some.windows(2).step_by(2).take(PAIRS).map(|pair| [pair[0], pair[1]]).collect())
    }

    /// Straight and spherical ways, with the samples themselves at their ends.
    fn ways(&self, pairs: &[[usize; 2]], steps: usize) -> Result<Vec<Row>> {
        let mut rows = Vec::new();
        for &[from, to] in pairs {
            let ends = [self.inputs.select(&[from])?, self.inputs.select(&[to])?];
            let codes = [self.codes.select(&[from])?, self.codes.select(&[to])?];
            for (name, way) in [
                ("straight", latent::straight as fn(_, _, _) -> _),
                ("spherical", latent::spherical),
            ] {
                let [start, end] = codes.clone();
                let between = self.model.decode(way(start, end, steps));
                let [first, last] = ends.clone();
                rows.push(Row {
                    name: format!(
                        "{}, {} steps, {}, {name}",
                        self.title(from),
                        steps,
                        self.title(to)
                    ),
                    samples: Tensor::cat(vec![first, between, last], 0),
                });
            }
        }
        Ok(rows)
    }

    /// `sample 3 (seven)`
    fn title(&self, sample: usize) -> String {
        match self.chosen.samples.labels() {
            Some(labels) => {
                format!("sample {sample} ({})", labels.names()[labels.classes()[sample] as usize])
            }
            None => format!("sample {sample}"),
        }
    }

    /// A code of which single units go through all that they are in this part.
    fn units(&self, units: &[usize], sample: usize, steps: usize) -> Result<Vec<Row>> {
        let size = self.model.code_size();
        let code = self.codes.select(&[self.check_sample(sample)?])?;
        let rows: Vec<usize> = (0..self.codes.len().min(LOOKED_AT)).collect();
        let some = pictures::samples(self.codes.select(&rows)?);
        let row = |unit: &usize| {
            if *unit >= size {
                return Err(Error::usage(format!(
                    "--unit: expected numbers below {size}, as the code has units, got {unit}"
                )));
            }
            let values = some.iter().map(|code| code[*unit]);
            let low = values.clone().fold(f32::INFINITY, f32::min);
            let high = values.fold(f32::NEG_INFINITY, f32::max);
            let at = |step: usize| low + (high - low) * step as f32 / (steps - 1) as f32;
            let values: Vec<f32> = (0..steps).map(at).collect();
            Ok(Row {
                name: format!(
                    "unit {unit} of {} from {} to {}",
                    self.title(sample),
                    digits(f64::from(low)),
                    digits(f64::from(high))
                ),
                samples: self.model.decode(latent::traverse(code.clone(), *unit, &values)),
            })
        };
        units.iter().map(row).collect()
    }

    /// The mean code of each class that has samples, decoded.
    fn class_means(&self) -> Result<Vec<Row>> {
        let labels = self.labels()?;
        let all: Vec<usize> = (0..self.codes.len()).collect();
        let codes = self.codes.select(&all)?;
        let means = latent::class_means(codes, labels.classes(), labels.names().len());
        let has_samples = |class: &usize| labels.classes().contains(&(*class as u32));
        let present: Vec<usize> = (0..labels.names().len()).filter(has_samples).collect();
        let rows = present.iter().map(|class| means.clone().narrow(0, *class, 1)).collect();
        let names: Vec<&str> =
            present.iter().map(|class| labels.names()[*class].as_str()).collect();
        let name = format!("means of the codes of {}", names.join(", "));
        Ok(vec![Row { name, samples: self.model.decode(Tensor::cat(rows, 0)) }])
    }

    /// Samples, each before those whose codes are nearest to its own.
    fn nearest(&self, count: usize, sample: Option<usize>) -> Result<Vec<Row>> {
        let most = self.codes.len() - 1;
        if count == 0 || count > most {
            return Err(Error::usage(format!(
                "--nearest: expected 1 to {most}, as {} has other samples, got {count}",
                self.chosen.title()
            )));
        }
        let queries = match sample {
            Some(sample) => vec![self.check_sample(sample)?],
            None => figures::chosen(&self.chosen.samples).into_iter().take(QUERIES).collect(),
        };
        let all: Vec<usize> = (0..self.codes.len()).collect();
        let gallery = self.codes.select(&all)?;
        let found = latent::nearest(self.codes.select(&queries)?, gallery, count + 1);
        let row = |(query, found): (&usize, Vec<usize>)| {
            let others: Vec<usize> =
                found.into_iter().filter(|row| row != query).take(count).collect();
            let names: Vec<String> = others.iter().map(|row| self.title(*row)).collect();
            let name = format!("{}, near it {}", self.title(*query), names.join(", "));
            let samples = self.inputs.select(&[&[*query], &others[..]].concat())?;
            Ok(Row { name, samples })
        };
        queries.iter().zip(found).map(row).collect()
    }
}

/// Ways drawn where nobody says which.
const PAIRS: usize = 4;
/// Samples whose neighbours are drawn where nobody says which.
const QUERIES: usize = 10;
/// Codes whose range a unit goes through.
const LOOKED_AT: usize = 10_000;

fn steps(args: &InterpolateArgs) -> Result<usize> {
    match args.steps.unwrap_or(11) {
        steps if steps < 2 => {
            Err(Error::usage(format!("--steps: expected at least 2, for both ends, got {steps}")))
        }
        steps => Ok(steps),
    }
}

/// The file to write, of an ending that suits the samples.
fn out(args: &InterpolateArgs, chosen: &Chosen) -> Result<PathBuf> {
    let samples = &chosen.samples;
    let is_image = Painter::new(samples.shape(), samples.preprocessing()).is_some();
    let Some(out) = args.out.clone() else {
        let end = if is_image { "png" } else { "csv" };
        return Ok(PathBuf::from(format!("interpolation.{end}")));
    };
    let end = out.extension().map(|end| end.to_string_lossy().to_lowercase());
    match end.as_deref() {
        Some("csv") => Ok(out),
        Some("png") if is_image => Ok(out),
        Some("png") => Err(Error::usage(format!(
            "{}: expected .csv, since {} is no image",
            out.display(),
            samples.shape()
        ))),
        _ => Err(Error::usage(format!(
            "{}: expected a file that ends in .csv, or of images in .png",
            out.display()
        ))),
    }
}

fn write(out: &Path, rows: &[Row], chosen: &Chosen) -> Result<()> {
    let samples = &chosen.samples;
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
    for (number, row) in rows.iter().enumerate() {
        for (place, mut values) in pictures::samples(row.samples.clone()).into_iter().enumerate() {
            samples.preprocessing().invert(&mut values);
            let values: Vec<String> = values.iter().map(f32::to_string).collect();
            // Writing to a string does not fail.
            let _ = writeln!(text, "{},{place},{}", number + 1, values.join(","));
        }
    }
    start::write(out, &text)
}
