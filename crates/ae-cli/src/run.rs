//! A trained run: its recipe, its model, and the data it is about.

use std::path::Path;

use ae_data::{Labels, Parts, Preprocessing, Progress, Samples, Shape, fingerprint};
use ae_models::{About, Architecture, Classifier, Described, Model, ModelEncoder, Part};
use burn::tensor::Device;
use toml::Table;

use crate::args::{DataArgs, DeviceArgs, PartName};
use crate::device::{self, Opened};
use crate::error::{Error, Result};
use crate::recipe::{DataRecipe, Recipe, merge};
use crate::session::{Download, Folder, Prepared, hold_out, open_data};

/// A trained run: what it was, and what came of it.
pub struct Trained<M = Model> {
    pub recipe: Recipe,
    pub model: M,
    pub about: About,
    pub data: Prepared,
}

/// What a run was trained to be.
pub enum Net {
    Autoencoder(Box<Model>),
    Classifier(Box<Classifier<ModelEncoder>>),
}

impl Net {
    fn load(path: &Path, device: &Device) -> Result<(Self, About)> {
        Ok(match ae_models::describe(path)?.part {
            Part::Classifier => {
                let (model, about) = ae_models::load(path, device)?;
                (Self::Classifier(Box::new(model)), about)
            }
            _ => {
                let (model, about) = ae_models::load(path, device)?;
                (Self::Autoencoder(Box::new(model)), about)
            }
        })
    }

    pub fn architecture(&self) -> Architecture {
        match self {
            Self::Autoencoder(model) => model.architecture(),
            Self::Classifier(model) => model.architecture(),
        }
    }

    pub fn encoder(&self) -> ModelEncoder {
        match self {
            Self::Autoencoder(model) => model.to_encoder(),
            Self::Classifier(model) => model.encoder().clone(),
        }
    }
}

/// A trained run without its data.
pub struct Run {
    pub folder: Folder,
    pub recipe: Recipe,
    pub net: Net,
    pub about: About,
    pub preprocessing: Preprocessing,
}

/// The samples that a command on a run is about.
pub struct Chosen {
    /// The data set.
    pub name: String,
    pub part: PartName,
    pub samples: Samples,
}

impl Run {
    /// Opens a device, says which, and loads a run there.
    pub fn open(run: &Path, device: &DeviceArgs) -> Result<(Self, Opened)> {
        let folder = Folder::existing(run)?;
        let opened = device::open(&device.device.clone().unwrap_or_default())?;
        Ok((Self::load(&folder, &opened.device)?, opened))
    }

    pub fn load(folder: &Folder, device: &Device) -> Result<Self> {
        let recipe = Recipe::read(&folder.recipe())?;
        if !folder.model().is_file() {
            return Err(Error::usage(format!(
                "{}: the run has not ended: there is no model yet; go on with `ae {} --resume {}`",
                folder.0.display(),
                recipe.command.name(),
                folder.0.display()
            )));
        }
        let (net, about) = Net::load(&folder.model(), device)?;
        let preprocessing =
            serde_json::from_value(about.preprocessing.clone()).map_err(|error| {
                Error::usage(format!("{}: preprocessing: {error}", folder.model().display()))
            })?;
        Ok(Self { folder: folder.clone(), recipe, net, about, preprocessing })
    }

    /// Data to train its model further on, its own or other, in parts, as its model sees it; says what there
    /// is.
    pub fn prepare(&self, data: &DataRecipe, is_own: bool) -> Result<Prepared> {
        let set = open_data(data)?;
        self.check(&set.name, &set.parts.training)?;
        let data = Prepared::new(set, data, Some(self.preprocessing.clone()))?;
        eprintln!("{data}");
        if is_own {
            self.warn_of_other(&data.training)?;
        }
        Ok(data)
    }

    /// The autoencoder of the run; `what` needs one.
    pub fn autoencoder(&self, what: &str) -> Result<&Model> {
        match &self.net {
            Net::Autoencoder(model) => Ok(model),
            Net::Classifier(_) => Err(Error::usage(format!(
                "{}: expected the run of an autoencoder, since {what}, got that of a classifier; take \
                 the run that it came from",
                self.folder.0.display()
            ))),
        }
    }

    /// With the data it was trained on.
    pub fn with_data(self) -> Result<Trained<Net>> {
        let Self { recipe, net, about, preprocessing, .. } = self;
        let set = open_data(&recipe.data)?;
        check_shape(&net.architecture(), &set.name, &set.parts.test)?;
        let data = Prepared::new(set, &recipe.data, Some(preprocessing))?;
        if is_other_training(&about, &data.training)? {
            return Err(Error::usage(format!(
                "{}: the data has changed since the run was trained, so the test part may hold samples \
                 that it was trained on: bring the old data back, or train anew",
                data.name
            )));
        }
        Ok(Trained { recipe, model: net, about, data })
    }

    /// What is said of the data it was trained on, or of other data.
    pub fn data(&self, other: &Table) -> Result<DataRecipe> {
        if other.is_empty() {
            return Ok(self.recipe.data.clone());
        }
        let mut given = Table::new();
        if !other.contains_key("source") {
            // The same data, but for what is said of it now.
            let own = Table::try_from(&self.recipe.data);
            given = own.map_err(|error| Error::usage(format!("recipe: {error}")))?;
        }
        merge(&mut given, other);
        Recipe::data(&Table::from_iter([("data".to_owned(), given.into())]))
    }

    /// Warns if the training part of its own data is not the one that it was trained on.
    pub fn warn_of_other(&self, training: &Samples) -> Result<()> {
        if is_other_training(&self.about, training)? {
            eprintln!(
                "warning: this is not how the data was parted when the run was trained, so its model may \
                 have seen samples of the test part"
            );
        }
        Ok(())
    }

    /// Whether samples have the features that its model sees, in their order.
    pub fn check(&self, name: &str, samples: &Samples) -> Result<()> {
        check_shape(&self.net.architecture(), name, samples)?;
        check_columns(&self.about, name, samples)
    }

    /// A part of the data it was trained on, or of other data.
    pub fn samples(&self, other: &DataArgs, part: Option<PartName>) -> Result<Chosen> {
        let recipe = self.data(&other.section())?;
        let mut bar = Download::default();
        let mut progress = |progress: Progress<'_>| bar.show(progress);
        let whole = ae_data::open_whole(&recipe.source, &recipe.options(), &mut progress)?;
        self.check(&whole.name, &whole.samples)?;
        let name = whole.name.clone();
        let part = part.unwrap_or(match other.data.is_some() && whole.test.is_none() {
            true => PartName::All,
            false => PartName::Test,
        });
        if let (PartName::All, Some(option)) = (part, other.options.of_parts()) {
            return Err(Error::usage(format!(
                "{option}: expected a part to use it on, got all of {name}; add --part test, or leave \
                 it out"
            )));
        }
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
                let (training, validation) = hold_out(training, &recipe)?;
                let training = training.with_preprocessing(self.preprocessing.clone())?;
                if other.data.is_none() && is_other_training(&self.about, &training)? {
                    eprintln!(
                        "warning: this is not how the data was parted when the run was trained, so \
                         the {part} part may hold samples that it was trained on"
                    );
                }
                match part {
                    PartName::Training => training,
                    PartName::Validation => validation.ok_or_else(|| {
                        Error::usage(format!(
                            "--part validation: expected a run that held some of {name} out, got one \
                             that did not; take training or test"
                        ))
                    })?,
                    _ => test,
                }
            }
        };
        let samples = samples.with_preprocessing(self.preprocessing.clone())?;
        Ok(Chosen { name, part, samples })
    }
}

/// Whether a run was trained on other samples than these, as far as is known.
fn is_other_training(about: &About, training: &Samples) -> Result<bool> {
    let now = fingerprint(training)?;
    Ok(about.provenance.get(TRAINING_PART).is_some_and(|known| *known != now))
}

/// What the provenance of a model calls the fingerprint of what it was trained on.
pub const TRAINING_PART: &str = "training part";
/// What it calls the names of columns, a line each.
pub const COLUMNS: &str = "columns";
/// What it calls the names of classes, a line each.
pub const CLASSES: &str = "classes";

impl Chosen {
    pub fn title(&self) -> String {
        match self.part {
            PartName::All => format!("{}, all", self.name),
            part => format!("{}, {part} part", self.name),
        }
    }
}

/// Names of classes as they are known by: each in a line.
pub fn class_names(labels: &Labels) -> Vec<String> {
    labels.names().iter().map(|name| name.replace(['\n', '\r'], " ")).collect()
}

/// Labels in the order of classes that a classifier knows.
pub fn as_known(labels: &Labels, known: &[String]) -> Result<Labels> {
    let places = class_names(labels).into_iter().map(|name| {
        let place = known.iter().position(|known| *known == name);
        place.map(|place| place as u32).ok_or(name)
    });
    let places: Vec<Result<u32, String>> = places.collect();
    let classes = labels.classes().iter().map(|class| match &places[*class as usize] {
        Ok(place) => Ok(*place),
        Err(name) => Err(Error::usage(format!(
            "class `{name}`: expected one that the classifier knows, {}",
            known.join(", ")
        ))),
    });
    Ok(Labels::new(classes.collect::<Result<_>>()?, known.to_vec())?)
}

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
            "{name}: expected samples of {expected}, as the model has, got {shape}"
        ))),
    }
}

/// Channels, height and width, where a model sees its inputs as images.
fn image_of(architecture: &Architecture) -> Option<[usize; 3]> {
    match architecture {
        Architecture::Conv(config) => Some(config.input),
        Architecture::Stack { layers } => layers.first().and_then(image_of),
        Architecture::Dense(_) | Architecture::Pca(_) => None,
    }
}
