//! The latent space: paths, traversals, neighbours and class means of the codes of a split.

use ae_data::Labels;
use ae_models::{Decoder, Encoder, Model, latent};
use ae_recipe::Recipe;
use ae_train::format::number;
use ae_train::{Batches, encode_dataset};
use burn::tensor::{Device, Tensor};

use crate::{Error, Result, Selection, batches, representatives, to_rows};

/// A row of samples, as the model sees them.
pub struct Row {
    /// What it shows.
    pub title: String,
    /// `[samples, features]`
    pub samples: Tensor<2>,
}

/// A split of a data set, and its codes.
pub struct EncodedSplit<'a> {
    model: &'a Model,
    inputs: Batches,
    codes: Batches,
    selection: &'a Selection,
}

impl<'a> EncodedSplit<'a> {
    /// Encodes a split.
    ///
    /// # Errors
    /// If the samples cannot be read.
    pub fn new(
        model: &'a Model,
        selection: &'a Selection,
        recipe: &Recipe,
        device: &Device,
    ) -> Result<Self> {
        let codes = encode_dataset(model, &selection.samples, recipe.schedule().batch)?;
        Ok(Self {
            model,
            inputs: batches(&selection.samples, recipe, device)?,
            codes: batches(&codes, recipe, device)?,
            selection,
        })
    }

    fn check_sample(&self, sample: usize) -> Result<usize> {
        let samples = self.inputs.len();
        match sample < samples {
            true => Ok(sample),
            false => Err(Error::usage(format!(
                "sample {sample} is out of range: {} has {samples} samples (0 to {})",
                self.selection.title(),
                samples - 1
            ))),
        }
    }

    fn labels(&self) -> Result<&Labels> {
        self.selection.samples.labels().ok_or_else(|| {
            Error::usage(format!(
                "{}: --classes and class means need labels, and these samples have none",
                self.selection.name
            ))
        })
    }

    /// The samples at both ends of each path: by their indices, by the names of their classes, or of neighbouring
    /// classes.
    ///
    /// # Errors
    /// If there is no such sample or class.
    pub fn pairs(
        &self,
        samples: Option<&[(String, String)]>,
        classes: Option<&[(String, String)]>,
    ) -> Result<Vec<[usize; 2]>> {
        if let Some(pairs) = samples {
            let sample = |text: &String| match text.parse() {
                Ok(sample) => self.check_sample(sample),
                Err(_) => Err(Error::usage(format!(
                    "--pairs: expected indices of samples, such as 0:5, got `{text}`; for classes use \
                     --classes"
                ))),
            };
            return pairs.iter().map(|(from, to)| Ok([sample(from)?, sample(to)?])).collect();
        }
        if let Some(pairs) = classes {
            let labels = self.labels()?;
            let first = |name: &String| {
                let class = labels.names().iter().position(|known| known == name);
                let found = class.and_then(|class| {
                    labels.classes().iter().position(|label| *label as usize == class)
                });
                found.ok_or_else(|| {
                    Error::usage(format!(
                        "--classes: expected classes of {} ({}), got `{name}`",
                        self.selection.title(),
                        labels.names().join(", ")
                    ))
                })
            };
            return pairs.iter().map(|(from, to)| Ok([first(from)?, first(to)?])).collect();
        }
        // One sample of each class in turn, where there are classes.
        let samples = representatives(&self.selection.samples);
        if samples.len() < 2 {
            return Err(Error::usage(format!(
                "{}: a path needs 2 samples, got {}",
                self.selection.title(),
                samples.len()
            )));
        }
        Ok(samples.windows(2).step_by(2).take(PAIRS).map(|pair| [pair[0], pair[1]]).collect())
    }

    /// A linear and a spherical path for each pair, with the samples themselves at both ends.
    ///
    /// # Errors
    /// If a sample cannot be read.
    pub fn paths(&self, pairs: &[[usize; 2]], steps: usize) -> Result<Vec<Row>> {
        let mut rows = Vec::new();
        for &[from, to] in pairs {
            let ends = [self.inputs.select(&[from])?, self.inputs.select(&[to])?];
            let codes = [self.codes.select(&[from])?, self.codes.select(&[to])?];
            for (name, path) in
                [("linear", latent::lerp as fn(_, _, _) -> _), ("spherical", latent::slerp)]
            {
                let [start, end] = codes.clone();
                let between = self.model.decode(path(start, end, steps));
                let [first, last] = ends.clone();
                rows.push(Row {
                    title: format!(
                        "{} to {}, {steps} steps, {name}",
                        self.title(from),
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
        match self.selection.samples.labels() {
            Some(labels) => {
                format!("sample {sample} ({})", labels.names()[labels.classes()[sample] as usize])
            }
            None => format!("sample {sample}"),
        }
    }

    /// One row per unit: the code of a sample, with that unit moving over its range in this split.
    ///
    /// # Errors
    /// If there is no such sample or unit.
    pub fn traverse(&self, units: &[usize], sample: usize, steps: usize) -> Result<Vec<Row>> {
        let size = self.model.code_size();
        let code = self.codes.select(&[self.check_sample(sample)?])?;
        let rows: Vec<usize> = (0..self.codes.len().min(MAX_SAMPLES)).collect();
        let codes = to_rows(self.codes.select(&rows)?);
        let row = |unit: &usize| {
            if *unit >= size {
                return Err(Error::usage(format!(
                    "--unit {unit} is out of range: the code has {size} units (0 to {})",
                    size - 1
                )));
            }
            let values = codes.iter().map(|code| code[*unit]);
            let low = values.clone().fold(f32::INFINITY, f32::min);
            let high = values.fold(f32::NEG_INFINITY, f32::max);
            let at = |step: usize| low + (high - low) * step as f32 / (steps - 1) as f32;
            let values: Vec<f32> = (0..steps).map(at).collect();
            Ok(Row {
                title: format!(
                    "unit {unit} of {} from {} to {}",
                    self.title(sample),
                    number(f64::from(low)),
                    number(f64::from(high))
                ),
                samples: self.model.decode(latent::traverse(code.clone(), *unit, &values)),
            })
        };
        units.iter().map(row).collect()
    }

    /// The decoded mean code of each class that has samples.
    ///
    /// # Errors
    /// If the samples have no labels.
    pub fn class_means(&self) -> Result<Vec<Row>> {
        let labels = self.labels()?;
        let all: Vec<usize> = (0..self.codes.len()).collect();
        let codes = self.codes.select(&all)?;
        let means = latent::class_means(codes, labels.classes(), labels.names().len());
        let has_samples = |class: &usize| labels.classes().contains(&(*class as u32));
        let present: Vec<usize> = (0..labels.names().len()).filter(has_samples).collect();
        let rows = present.iter().map(|class| means.clone().narrow(0, *class, 1)).collect();
        let names: Vec<&str> =
            present.iter().map(|class| labels.names()[*class].as_str()).collect();
        let title = format!("mean codes of {}", names.join(", "));
        Ok(vec![Row { title, samples: self.model.decode(Tensor::cat(rows, 0)) }])
    }

    /// One row per query: a sample, and the samples whose codes are nearest to its code.
    ///
    /// # Errors
    /// If there is no such sample, or there are not this many others.
    pub fn neighbors(&self, count: usize, sample: Option<usize>) -> Result<Vec<Row>> {
        let max = self.codes.len() - 1;
        if count == 0 || count > max {
            return Err(Error::usage(format!(
                "number of neighbors: expected 1 to {max}, as {} has {} samples, got {count}",
                self.selection.title(),
                self.codes.len()
            )));
        }
        let queries = match sample {
            Some(sample) => vec![self.check_sample(sample)?],
            None => representatives(&self.selection.samples).into_iter().take(QUERIES).collect(),
        };
        let all: Vec<usize> = (0..self.codes.len()).collect();
        let codes = self.codes.select(&all)?;
        let found = latent::nearest(self.codes.select(&queries)?, codes, count + 1);
        let row = |(query, found): (&usize, Vec<usize>)| {
            let others: Vec<usize> =
                found.into_iter().filter(|row| row != query).take(count).collect();
            let names: Vec<String> = others.iter().map(|row| self.title(*row)).collect();
            let title = format!("{}; nearest: {}", self.title(*query), names.join(", "));
            let samples = self.inputs.select(&[&[*query], &others[..]].concat())?;
            Ok(Row { title, samples })
        };
        queries.iter().zip(found).map(row).collect()
    }
}

/// Default number of paths.
const PAIRS: usize = 4;
/// Default number of samples whose neighbors are drawn.
const QUERIES: usize = 10;
/// Samples that decide the range of a unit.
const MAX_SAMPLES: usize = 10_000;
