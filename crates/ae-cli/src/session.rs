//! What every command on a run needs: its recipe, its model, its data.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ae_data::{DataSet, Parts, Preprocessing, Progress, Samples, Shape};
use ae_models::{About, Encoder, Model};
use ae_train::Batches;
use burn::tensor::Device;
use indicatif::{ProgressBar, ProgressStyle};
use toml::Table;

use crate::args::{DataArgs, PartName};
use crate::error::{Error, Result};
use crate::recipe::{DataRecipe, Recipe, merge};

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
pub struct Prepared {
    pub name: String,
    pub what: String,
    pub training: Samples,
    pub validation: Samples,
    pub test: Samples,
}

impl Prepared {
    /// A number that other samples to train on hardly have.
    pub fn fingerprint(training: &Samples) -> String {
        let step = training.len().div_ceil(256).max(1);
        // FNV-1a of some rows, spread over all.
        let hash = (0..training.len())
            .step_by(step)
            .flat_map(|row| training.row(row))
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, value| {
                (hash ^ u64::from(value.to_bits())).wrapping_mul(0x0100_0000_01b3)
            });
        format!("{} samples, {hash:016x}", training.len())
    }

    /// Splits, and fits preprocessing unless the model brings its own.
    pub fn new(set: DataSet, recipe: &DataRecipe, known: Option<Preprocessing>) -> Result<Self> {
        let (training, validation) =
            ae_data::split(&set.parts.training, recipe.validation, recipe.seed)?;
        let preprocessing = match known {
            Some(known) => known,
            None => Preprocessing::fit(recipe.preprocess, &training)?,
        };
        Ok(Self {
            name: set.name,
            what: set.what,
            training: training.with_preprocessing(preprocessing.clone())?,
            validation: validation.with_preprocessing(preprocessing.clone())?,
            test: set.parts.test.with_preprocessing(preprocessing)?,
        })
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

/// A trained run: what it was, and what came of it.
pub struct Trained {
    pub recipe: Recipe,
    pub model: Model,
    pub about: About,
    pub data: Prepared,
}

/// A trained run without its data.
pub struct Run {
    pub recipe: Recipe,
    pub model: Model,
    pub about: About,
    preprocessing: Preprocessing,
}

/// The samples that a command on a run is about.
pub struct Chosen {
    /// The data set.
    pub name: String,
    pub part: PartName,
    pub samples: Samples,
}

impl Run {
    pub fn load(folder: &Folder, device: &Device) -> Result<Self> {
        let recipe = Recipe::read(&folder.recipe())?;
        if !folder.model().is_file() {
            return Err(Error::usage(format!(
                "{}: the run has not ended: there is no model yet; go on with `ae train --resume {}`",
                folder.0.display(),
                folder.0.display()
            )));
        }
        let (model, about) = ae_models::load::<Model>(&folder.model(), device)?;
        let preprocessing =
            serde_json::from_value(about.preprocessing.clone()).map_err(|error| {
                Error::usage(format!("{}: preprocessing: {error}", folder.model().display()))
            })?;
        Ok(Self { recipe, model, about, preprocessing })
    }

    /// With the data it was trained on.
    pub fn with_data(self) -> Result<Trained> {
        let Self { recipe, model, about, preprocessing } = self;
        let set = open_data(&recipe.data)?;
        check_shape(&model, &set.name, &set.parts.test)?;
        let data = Prepared::new(set, &recipe.data, Some(preprocessing))?;
        if is_other_training(&about, &data.training) {
            return Err(Error::usage(format!(
                "{}: the data has changed since the run was trained, so the test part may hold samples \
                 that it was trained on: bring the old data back, or train anew",
                data.name
            )));
        }
        Ok(Trained { recipe, model, about, data })
    }

    /// A part of the data it was trained on, or of other data.
    pub fn samples(&self, other: &DataArgs, part: Option<PartName>) -> Result<Chosen> {
        let recipe = match other.is_empty() {
            true => self.recipe.data.clone(),
            false => {
                let mut given = Table::new();
                if other.data.is_none() {
                    // The same data, but for what is said of it now.
                    let own = Table::try_from(&self.recipe.data);
                    given = own.map_err(|error| Error::usage(format!("recipe: {error}")))?;
                }
                merge(&mut given, &other.section());
                Recipe::data(&Table::from_iter([("data".to_owned(), given.into())]))?
            }
        };
        let mut bar = Download::default();
        let mut progress = |progress: Progress<'_>| bar.show(progress);
        let whole = ae_data::open_whole(&recipe.source, &recipe.options(), &mut progress)?;
        check_shape(&self.model, &whole.name, &whole.samples)?;
        check_columns(&self.about, &whole.name, &whole.samples)?;
        let name = whole.name.clone();
        let part = part.unwrap_or(match other.data.is_some() && whole.test.is_none() {
            true => PartName::All,
            false => PartName::Test,
        });
        let samples = match part {
            PartName::All if whole.test.is_some() => {
                return Err(Error::usage(format!(
                    "--part all: expected data without a test part of its own, got {name}; take \
                     training, validation or test"
                )));
            }
            PartName::All => whole.samples,
            PartName::Test if other.data.is_some() => whole.part(&recipe.options())?.parts.test,
            PartName::Test | PartName::Training | PartName::Validation => {
                let Parts { training, test } = whole.part(&recipe.options())?.parts;
                let (training, validation) =
                    ae_data::split(&training, recipe.validation, recipe.seed)?;
                let training = training.with_preprocessing(self.preprocessing.clone())?;
                if other.data.is_none() && is_other_training(&self.about, &training) {
                    eprintln!(
                        "warning: this is not how the data was parted when the run was trained, so \
                         the {part} part may hold samples that it was trained on"
                    );
                }
                match part {
                    PartName::Training => training,
                    PartName::Validation => validation,
                    _ => test,
                }
            }
        };
        let samples = samples.with_preprocessing(self.preprocessing.clone())?;
        Ok(Chosen { name, part, samples })
    }
}

/// Whether a run was trained on other samples than these, as far as is known.
fn is_other_training(about: &About, training: &Samples) -> bool {
    let known = about.provenance.get(TRAINING_PART);
    known.is_some_and(|known| *known != Prepared::fingerprint(training))
}

/// What the provenance of a model calls the fingerprint of what it was trained on.
pub const TRAINING_PART: &str = "training part";
/// What it calls the names of columns, a line each.
pub const COLUMNS: &str = "columns";

/// Whether the columns of a table stand in the order that the model knows: the same ones in another
/// order would be taken for each other.
fn check_columns(about: &About, name: &str, samples: &Samples) -> Result<()> {
    let (Some(known), Shape::Table { columns }) = (about.provenance.get(COLUMNS), samples.shape())
    else {
        return Ok(());
    };
    let known: Vec<&str> = known.lines().collect();
    let mut sorted = [known.clone(), columns.iter().map(String::as_str).collect()];
    sorted.iter_mut().for_each(|names| names.sort_unstable());
    match known != *columns && sorted[0] == sorted[1] {
        true => Err(Error::usage(format!(
            "{name}: expected the columns in the order of the run, {}; got {}",
            known.join(", "),
            columns.join(", ")
        ))),
        false => Ok(()),
    }
}

/// Whether the model was made for samples like these: images of the very same shape, where it sees
/// them as images.
fn check_shape(model: &Model, name: &str, samples: &Samples) -> Result<()> {
    let shape = samples.shape();
    let (fits, expected) = match model {
        Model::Conv(model) => {
            let [channels, height, width] = model.config().input;
            let expected = Shape::image(channels, height, width);
            (*shape == expected, expected.to_string())
        }
        Model::Dense(_) | Model::Pca(_) | Model::Stack(_) => {
            let features = model.features();
            (shape.features() == features, format!("{features} features"))
        }
    };
    match fits {
        true => Ok(()),
        false => Err(Error::usage(format!(
            "{name}: expected samples of {expected}, as the model has, got {shape}"
        ))),
    }
}

/// Samples as batches for an evaluation.
pub fn batches(samples: &Samples, recipe: &Recipe, device: &Device) -> Result<Batches> {
    let limit = recipe.schedule.resident_limit;
    Ok(Batches::new(Arc::new(samples.clone()), device, limit, None)?)
}
