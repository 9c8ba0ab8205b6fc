//! What every command needs: the files of a run, and data in its parts.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ae_data::{DataSet, Preprocessing, Progress, Samples};
use ae_train::Batches;
use burn::tensor::Device;
use indicatif::{ProgressBar, ProgressStyle};

use crate::error::{Error, Result};
use crate::recipe::{DataRecipe, Recipe};

/// The files of a run.
#[derive(Clone, Debug)]
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn recipe(&self) -> PathBuf {
        self.0.join("recipe.toml")
    }

    pub fn model(&self) -> PathBuf {
        self.0.join("model.safetensors")
    }

    pub fn checkpoints(&self) -> PathBuf {
        self.0.join("checkpoints")
    }

    pub fn metrics(&self) -> PathBuf {
        self.0.join("metrics.jsonl")
    }

    pub fn summary(&self) -> PathBuf {
        self.0.join("summary.json")
    }

    /// The name of the device that it is trained on.
    pub fn device(&self) -> PathBuf {
        self.0.join("device.txt")
    }

    /// What came of few labels, of a classifier.
    pub fn curve(&self) -> PathBuf {
        self.0.join("labels.json")
    }

    pub fn figures(&self) -> PathBuf {
        self.0.join("figures")
    }

    pub fn report(&self) -> PathBuf {
        self.0.join("report.html")
    }

    /// A folder that holds a run.
    pub fn existing(path: &Path) -> Result<Self> {
        let folder = Self(path.to_owned());
        match folder.recipe().is_file() {
            true => Ok(folder),
            false => Err(Error::usage(format!(
                "{}: expected the folder of a run, got one without recipe.toml",
                path.display()
            ))),
        }
    }
}

/// A data set in its three parts, all read through preprocessing fitted to the first.
#[derive(Clone)]
pub struct Prepared {
    pub name: String,
    pub what: String,
    pub training: Samples,
    /// None where nothing is held out.
    pub validation: Option<Samples>,
    pub test: Samples,
}

impl Prepared {
    /// Splits, and fits preprocessing unless the model brings its own.
    pub fn new(set: DataSet, recipe: &DataRecipe, known: Option<Preprocessing>) -> Result<Self> {
        let (training, validation) = hold_out(set.parts.training, recipe)?;
        let preprocessing = match known {
            Some(known) => known,
            None => Preprocessing::fit(recipe.preprocess, &training)?,
        };
        Ok(Self {
            name: set.name,
            what: set.what,
            training: training.with_preprocessing(preprocessing.clone())?,
            validation: validation
                .map(|part| part.with_preprocessing(preprocessing.clone()))
                .transpose()?,
            test: set.parts.test.with_preprocessing(preprocessing)?,
        })
    }
}

/// What is trained on, and what is held out of it to choose the best epoch by.
pub fn hold_out(training: Samples, recipe: &DataRecipe) -> Result<(Samples, Option<Samples>)> {
    match recipe.validation {
        0.0 => Ok((training, None)),
        share => {
            let (kept, held_out) = ae_data::split(&training, share, recipe.seed)?;
            Ok((kept, Some(held_out)))
        }
    }
}

impl Prepared {
    /// Samples to train on, to validate and to test.
    pub fn sizes(&self) -> [usize; 3] {
        let validation = self.validation.as_ref().map_or(0, Samples::len);
        [self.training.len(), validation, self.test.len()]
    }
}

/// What there is.
impl std::fmt::Display for Prepared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{}, {}: {} samples of {} to train on, {} to validate, {} to test",
            self.name,
            self.what,
            self.training.len(),
            self.training.shape(),
            self.sizes()[1],
            self.test.len()
        )
    }
}

/// Opens a data set, with a progress bar should it be downloaded.
pub fn open_data(recipe: &DataRecipe) -> Result<DataSet> {
    let mut bar = Download::default();
    Ok(ae_data::open(&recipe.source, &recipe.options(), &mut |progress| bar.show(progress))?)
}

/// The progress of a download on the terminal.
#[derive(Default)]
pub struct Download {
    bar: Option<ProgressBar>,
    address: String,
}

impl Download {
    pub fn show(&mut self, progress: Progress<'_>) {
        if self.address != progress.address {
            self.address = progress.address.to_owned();
            let bar = ProgressBar::new(progress.total.unwrap_or(0));
            let style = "{msg}\n{bar:40} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left";
            bar.set_style(
                ProgressStyle::with_template(style)
                    .unwrap_or_else(|_| ProgressStyle::default_bar()),
            );
            bar.set_message(self.address.clone());
            self.bar = Some(bar);
        }
        if let Some(bar) = &self.bar {
            bar.set_position(progress.received);
            if progress.total == Some(progress.received) {
                bar.finish();
            }
        }
    }
}

/// Samples as batches for an evaluation.
pub fn batches(samples: &Samples, recipe: &Recipe, device: &Device) -> Result<Batches> {
    let limit = recipe.schedule().resident_limit;
    Ok(Batches::new(Arc::new(samples.clone()), device, limit, None)?)
}
