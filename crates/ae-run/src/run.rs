//! A trained run: its recipe, its model and its data.

use std::path::Path;

use ae_data::{Labels, Options, Preprocessing, Progress, Samples, Shape, fingerprint};
use ae_models::{
    Architecture, Classifier, Component, FromArchitecture, Metadata, Model, ModelEncoder,
};
use ae_recipe::{DataRecipe, Recipe, merge};
use ae_train::Checkpoints;
use burn::tensor::Device;
use toml::Table;

use crate::splits::{hold_out, open_data, open_with};
use crate::{Error, Listener, Result, RunDir, SplitName, Splits};

/// A trained run with its data.
pub struct TrainedRun<M = Model> {
    /// What decides its results.
    pub recipe: Recipe,
    /// Its trained model.
    pub model: M,
    /// What is saved with the model.
    pub about: Metadata,
    /// The data it was trained on.
    pub splits: Splits,
}

/// The model of a run.
pub enum SavedModel {
    /// An autoencoder.
    Autoencoder(Box<Model>),
    /// An encoder with a head.
    Classifier(Box<Classifier<ModelEncoder>>),
}

impl SavedModel {
    fn load(path: &Path, device: &Device) -> Result<(Self, Metadata)> {
        Ok(match ae_models::read_header(path)?.component {
            Component::Classifier => {
                let (model, about) = ae_models::load(path, device)?;
                (Self::Classifier(Box::new(model)), about)
            }
            _ => {
                let (model, about) = ae_models::load(path, device)?;
                (Self::Autoencoder(Box::new(model)), about)
            }
        })
    }

    /// Its architecture.
    pub fn architecture(&self) -> Architecture {
        match self {
            Self::Autoencoder(model) => model.architecture(),
            Self::Classifier(model) => model.architecture(),
        }
    }

    /// Its encoder, a copy.
    pub fn encoder(&self) -> ModelEncoder {
        match self {
            Self::Autoencoder(model) => model.to_encoder(),
            Self::Classifier(model) => model.encoder().clone(),
        }
    }
}

/// A trained run, without its data.
pub struct SavedRun {
    /// Its folder.
    pub folder: RunDir,
    /// What decides its results.
    pub recipe: Recipe,
    /// Its trained model.
    pub model: SavedModel,
    /// What is saved with the model.
    pub about: Metadata,
    /// How samples are preprocessed for the model.
    pub preprocessing: Preprocessing,
    /// The steps of a run that has not ended: the model has the best weights up to there.
    pub stopped_after: Option<u64>,
}

/// The samples that a command runs on.
pub struct Selection {
    /// The name of the data set.
    pub name: String,
    /// Its split.
    pub split: SplitName,
    /// The samples, preprocessed.
    pub samples: Samples,
    /// Whether missing cells are left out of errors.
    pub is_masked: bool,
}

impl SavedRun {
    /// Loads a run onto a device: its model, or where it has none yet, the best weights of its newest checkpoint.
    ///
    /// # Errors
    /// If the run has no model and no checkpoint of an autoencoder, or a file is malformed.
    pub fn load(folder: &RunDir, device: &Device) -> Result<Self> {
        let recipe = Recipe::read(&folder.recipe())?;
        let (model, about, stopped_after) = match folder.model().is_file() {
            true => {
                let (model, about) = SavedModel::load(&folder.model(), device)?;
                (model, about, None)
            }
            false => Self::load_stopped(folder, &recipe, device)?,
        };
        let preprocessing =
            serde_json::from_value(about.preprocessing.clone()).map_err(|error| {
                Error::usage(format!("{}: preprocessing: {error}", folder.model().display()))
            })?;
        Ok(Self { folder: folder.clone(), recipe, model, about, preprocessing, stopped_after })
    }

    fn load_stopped(
        folder: &RunDir,
        recipe: &Recipe,
        device: &Device,
    ) -> Result<(SavedModel, Metadata, Option<u64>)> {
        let best = match folder.initial_model().is_file() {
            true => Checkpoints::new(folder.checkpoints()).best_weights()?,
            false => None,
        };
        let Some(best) = best else {
            return Err(Error::usage(format!(
                "{}: the run is not finished and has no model; resume it with `ae {} --resume {}`",
                folder.0.display(),
                recipe.command.name(),
                ae_files::quoted(&folder.0)
            )));
        };
        let (model, mut about): (Model, Metadata) =
            ae_models::load(&folder.initial_model(), device)?;
        let model = ae_models::tensors::replace(model, best.tensors)?;
        let epoch = best.epoch.map_or_else(|| "last".to_owned(), |epoch| epoch.to_string());
        about.provenance.insert("epoch".to_owned(), epoch);
        Ok((SavedModel::Autoencoder(Box::new(model)), about, Some(best.done)))
    }

    /// Opens data to train the model further on, preprocessed as the model expects, and tells its sizes.
    /// `is_own`: it is the data of the run.
    pub(crate) fn prepare(
        &self,
        data: &DataRecipe,
        is_own: bool,
        listener: &dyn Listener,
    ) -> Result<Splits> {
        let set = match is_own {
            true => open_data(data, listener)?,
            false => open_with(data, &self.options(data)?, listener)?,
        };
        self.check(&set.name, &set.splits.training)?;
        let splits = Splits::new(set, data, Some(self.preprocessing.clone()))?;
        listener.notice(&splits);
        if is_own {
            self.warn_if_changed(&splits.training)?;
        }
        Ok(splits)
    }

    /// The autoencoder of the run, for a task, which an error names.
    ///
    /// # Errors
    /// If it is a classifier.
    pub fn autoencoder(&self, task: &str) -> Result<&Model> {
        match &self.model {
            SavedModel::Autoencoder(model) => Ok(model),
            SavedModel::Classifier(_) => Err(Error::usage(format!(
                "{}: {task} needs an autoencoder, but this run is a classifier; use the run it was trained \
                 from",
                self.folder.0.display()
            ))),
        }
    }

    /// Adds the data that the run was trained on.
    ///
    /// # Errors
    /// If it is missing, or has changed since.
    pub fn with_data(self, listener: &dyn Listener) -> Result<TrainedRun<SavedModel>> {
        let Self { recipe, model, about, preprocessing, .. } = self;
        let set = open_data(&recipe.data, listener)?;
        check_shape(&model.architecture(), &set.name, &set.splits.test)?;
        let splits = Splits::new(set, &recipe.data, Some(preprocessing))?;
        if is_changed(&about, &splits.training)? {
            return Err(Error::usage(format!(
                "{}: the data has changed since the run was trained, so the test set may contain \
                 training samples; restore the old data, or train a new run",
                splits.name
            )));
        }
        Ok(TrainedRun { recipe, model, about, splits })
    }

    /// The data section of the run, with other values over it, or that of other data.
    ///
    /// # Errors
    /// If a value is malformed.
    pub fn data(&self, other: &Table) -> Result<DataRecipe> {
        if other.is_empty() {
            return Ok(self.recipe.data.clone());
        }
        let mut overrides = Table::new();
        if !other.contains_key("source") {
            // The same data, with some values changed.
            let own = Table::try_from(&self.recipe.data);
            overrides = own.map_err(|error| Error::usage(format!("recipe: {error}")))?;
        }
        merge(&mut overrides, other);
        let mut data = Recipe::data(&Table::from_iter([("data".to_owned(), overrides.into())]))?;
        data.resident_limit = self.recipe.data.resident_limit;
        Ok(data)
    }

    /// The options to read data with that the model was not trained on: columns of a table are matched by
    /// name.
    fn options(&self, data: &DataRecipe) -> Result<Options> {
        let mut options = data.options();
        if let Some(schema) = self.about.provenance.get(SCHEMA) {
            let schema = serde_json::from_str(schema).map_err(|error| {
                Error::usage(format!("{}: columns: {error}", self.folder.model().display()))
            })?;
            options.table.schema = Some(schema);
        }
        Ok(options)
    }

    /// Warns if the training set of the run's data is not the one it was trained on.
    fn warn_if_changed(&self, training: &Samples) -> Result<()> {
        if is_changed(&self.about, training)? {
            tracing::warn!(
                "the data is split differently than when the run was trained, so the test set may contain \
                 training samples"
            );
        }
        Ok(())
    }

    /// Checks that samples have the features of the model, in the same order.
    ///
    /// # Errors
    /// If they do not; `name` is what the error calls them.
    pub fn check(&self, name: &str, samples: &Samples) -> Result<()> {
        check_shape(&self.model.architecture(), name, samples)?;
        check_columns(&self.about, name, samples)
    }

    /// A split of the data the run was trained on, or of other data: `other` is a data section, which may be
    /// empty. The default split is the test set; of other data without one all samples.
    ///
    /// # Errors
    /// If the data cannot be read, does not fit the model or has no such split, or a value of `other` does not
    /// apply to the split.
    pub fn samples(
        &self,
        other: &Table,
        split: Option<SplitName>,
        listener: &dyn Listener,
    ) -> Result<Selection> {
        let recipe = self.data(other)?;
        let is_other = other.contains_key("source");
        let options = if is_other { self.options(&recipe)? } else { recipe.options() };
        let mut progress = |progress: Progress<'_>| listener.download(progress);
        let whole = ae_data::open_unsplit(&recipe.source, &options, &mut progress)?;
        self.check(&whole.name, &whole.samples)?;
        let name = whole.name.clone();
        let split = split.unwrap_or(match is_other && whole.test.is_none() {
            true => SplitName::All,
            false => SplitName::Test,
        });
        split.check_options(other, &name)?;
        let samples = match split {
            SplitName::All if whole.test.is_some() => {
                return Err(Error::usage(format!(
                    "--split all needs data without a published test set, which {name} has; use training, \
                     validation or test"
                )));
            }
            SplitName::All => whole.samples,
            SplitName::Test if is_other => whole.split(&options)?.splits.test,
            SplitName::Test | SplitName::Training | SplitName::Validation => {
                let ae_data::Splits { training, test } = whole.split(&options)?.splits;
                let (training, validation) = hold_out(training, &recipe)?;
                let training = training.with_preprocessing(self.preprocessing.clone())?;
                if !is_other && is_changed(&self.about, &training)? {
                    tracing::warn!(
                        "the data is split differently than when the run was trained, so the {split} set \
                         may contain training samples"
                    );
                }
                match split {
                    SplitName::Training => training,
                    SplitName::Validation => validation.ok_or_else(|| {
                        Error::usage(format!(
                            "--split validation: the run has no validation set of {name}; use training \
                             or test"
                        ))
                    })?,
                    _ => test,
                }
            }
        };
        let samples = samples.with_preprocessing(self.preprocessing.clone())?;
        Ok(Selection { name, split, samples, is_masked: recipe.is_masked() })
    }
}

/// Whether the recorded fingerprint of the training set differs from that of these samples.
fn is_changed(about: &Metadata, training: &Samples) -> Result<bool> {
    let now = fingerprint(training)?;
    Ok(about.provenance.get(TRAINING_SET).is_some_and(|known| *known != now))
}

/// The provenance key of the training set's fingerprint.
pub const TRAINING_SET: &str = "training part";
/// The provenance key of the names of columns, one per line.
pub const COLUMNS: &str = "columns";
/// The provenance key of the columns of a table and their roles, as JSON.
pub const SCHEMA: &str = "schema";
/// The provenance key of the names of classes, one per line.
pub const CLASSES: &str = "classes";

impl Selection {
    /// The data set and the split.
    pub fn title(&self) -> String {
        match self.split {
            SplitName::All => format!("{}, all samples", self.name),
            split => format!("{}, {split} set", self.name),
        }
    }
}

/// Names of classes, each as a single line.
pub fn class_names(labels: &Labels) -> Vec<String> {
    labels.names().iter().map(|name| name.replace(['\n', '\r'], " ")).collect()
}

/// Labels in the class order of a classifier.
///
/// # Errors
/// If a class is not one of the classifier.
pub fn reorder_labels(labels: &Labels, known: &[String]) -> Result<Labels> {
    let indices = class_names(labels).into_iter().map(|name| {
        let index = known.iter().position(|known| *known == name);
        index.map(|index| index as u32).ok_or(name)
    });
    let indices: Vec<Result<u32, String>> = indices.collect();
    let classes = labels.classes().iter().map(|class| match &indices[*class as usize] {
        Ok(index) => Ok(*index),
        Err(name) => Err(Error::usage(format!(
            "class `{name}`: expected a class of the classifier ({})",
            known.join(", ")
        ))),
    });
    Ok(Labels::new(classes.collect::<Result<_>>()?, known.to_vec())?)
}

/// Checks that a table has its columns in the model's order: in another order they would be confused.
fn check_columns(about: &Metadata, name: &str, samples: &Samples) -> Result<()> {
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

/// Checks that samples have the shape of the model: as many features or, for convolutional models, the same
/// image shape.
fn check_shape(architecture: &Architecture, name: &str, samples: &Samples) -> Result<()> {
    let shape = samples.shape();
    let (fits, expected) = match image_of(architecture) {
        Some([channels, height, width]) => {
            let expected = Shape::image(channels, height, width);
            (*shape == expected, expected.to_string())
        }
        None => {
            let features = architecture.features();
            (shape.features() == features, format!("{features} features"))
        }
    };
    match fits {
        true => Ok(()),
        false => Err(Error::usage(format!(
            "{name}: expected samples of {expected}, as the model was trained on, got {shape}"
        ))),
    }
}

/// Channels, height and width of a convolutional model's inputs.
fn image_of(architecture: &Architecture) -> Option<[usize; 3]> {
    match architecture {
        Architecture::Conv(config) => Some(config.input),
        Architecture::Stack { layers } => layers.first().and_then(image_of),
        Architecture::Dense(_) | Architecture::Pca(_) => None,
    }
}
