//! A data set in its three splits, preprocessed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ae_data::{DataSet, Masked, Options, Preprocessing, Samples, Source};
use ae_train::Batches;
use burn::tensor::{Device, Tensor};

use ae_recipe::{DataRecipe, Recipe};

use crate::{Error, Listener, Result};

/// The training, validation and test set, preprocessed as fitted to the training set.
#[derive(Clone)]
pub struct Splits {
    /// The name of the data set.
    pub name: String,
    /// What it is, in a few words.
    pub description: String,
    /// The training set, without what is held out for validation.
    pub training: Samples,
    /// `None` where nothing is held out.
    pub validation: Option<Samples>,
    /// The test set.
    pub test: Samples,
}

impl Splits {
    /// Holds out the validation set. Fits the preprocessing to the training set, unless `known` gives
    /// that of a model.
    ///
    /// # Errors
    /// If there are too few samples, or the preprocessing does not suit them.
    pub fn new(set: DataSet, recipe: &DataRecipe, known: Option<Preprocessing>) -> Result<Self> {
        let (training, validation) = hold_out(set.splits.training, recipe)?;
        let preprocessing = match known {
            Some(known) => known,
            None => Preprocessing::fit(recipe.preprocess, &training)?,
        };
        Ok(Self {
            name: set.name,
            description: set.description,
            training: training.with_preprocessing(preprocessing.clone())?,
            validation: validation
                .map(|samples| samples.with_preprocessing(preprocessing.clone()))
                .transpose()?,
            test: set.splits.test.with_preprocessing(preprocessing)?,
        })
    }

    /// Writes the splits, preprocessed as for training, to NumPy files in a folder; returns the files.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn write_npy(&self, folder: &Path) -> Result<Vec<PathBuf>> {
        std::fs::create_dir_all(folder).map_err(Error::io(folder))?;
        let all = [
            ("training", Some(&self.training)),
            ("validation", self.validation.as_ref()),
            ("test", Some(&self.test)),
        ];
        let mut files = Vec::new();
        for (name, samples) in all {
            files.extend(ae_data::write::write_npy(folder, name, samples)?);
        }
        Ok(files)
    }

    /// Sizes of the training, validation and test set.
    pub fn sizes(&self) -> [usize; 3] {
        let validation = self.validation.as_ref().map_or(0, Samples::len);
        [self.training.len(), validation, self.test.len()]
    }
}

/// Splits the validation set, which chooses the best epoch, off the training samples.
pub(crate) fn hold_out(
    training: Samples,
    recipe: &DataRecipe,
) -> Result<(Samples, Option<Samples>)> {
    match recipe.validation {
        0.0 => Ok((training, None)),
        _ if training.len() < 2 => Err(Error::usage(format!(
            "{}: expected at least 2 samples to train on and to validate with, got {} (one more is \
             the test set); set --validation 0 to keep the last epoch",
            recipe.source,
            training.len()
        ))),
        share => {
            let (rest, held_out) = ae_data::split(&training, share, recipe.seed)?;
            Ok((rest, Some(held_out)))
        }
    }
}

/// `digits, ...: 18000 samples of 1x28x28 to train on, 2000 to validate, 2000 to test`
impl std::fmt::Display for Splits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{}, {}: {} samples of {} to train on, {} to validate, {} to test",
            self.name,
            self.description,
            self.training.len(),
            self.training.shape(),
            self.sizes()[1],
            self.test.len()
        )?;
        match (self.training.table(), self.training.missing()) {
            (Some(table), _) => write!(f, "\n{table}"),
            (None, 0) => Ok(()),
            (None, missing) => {
                write!(f, "\n{missing} values missing (NaN), read as the mean of their feature")
            }
        }
    }
}

/// Opens the data set of a recipe.
///
/// # Errors
/// If it is missing or malformed.
pub fn open_data(recipe: &DataRecipe, listener: &dyn Listener) -> Result<DataSet> {
    open_with(recipe, &recipe.options(), listener)
}

/// Opens the data of a recipe with other options than those of the recipe alone.
pub(crate) fn open_with(
    recipe: &DataRecipe,
    options: &Options,
    listener: &dyn Listener,
) -> Result<DataSet> {
    Ok(ae_data::open(&recipe.source, options, &mut |progress| listener.download(progress))?)
}

/// Samples in batches, for an evaluation.
///
/// # Errors
/// If the samples cannot be read.
pub fn batches(samples: &Samples, recipe: &Recipe, device: &Device) -> Result<Batches> {
    let limit = recipe.schedule().resident_limit;
    Ok(Batches::new(samples, device, limit, None)?)
}

/// Samples in batches, for an error: `is_masked` leaves missing cells out of it.
///
/// # Errors
/// If the samples cannot be read.
pub fn masked_batches(
    samples: &Samples,
    is_masked: bool,
    recipe: &Recipe,
    device: &Device,
) -> Result<Batches> {
    let limit = recipe.schedule().resident_limit;
    Ok(Batches::new(source(samples, is_masked), device, limit, None)?)
}

/// Samples, with masks if missing cells are left out of the loss.
pub(crate) fn source(samples: &Samples, is_masked: bool) -> Arc<dyn Source> {
    match is_masked {
        true => Arc::new(Masked::from(samples.clone())),
        false => Arc::new(samples.clone()),
    }
}

/// Number of [`representatives`].
const EXAMPLES: usize = 16;

/// Up to 16 samples: of each class in turn, or the first ones if there are no labels.
pub fn representatives(samples: &Samples) -> Vec<usize> {
    let Some(labels) = samples.labels() else { return (0..samples.len().min(EXAMPLES)).collect() };
    let mut of_class = vec![Vec::new(); labels.names().len()];
    for (row, class) in labels.classes().iter().enumerate() {
        of_class[*class as usize].push(row);
    }
    let max = of_class.iter().map(Vec::len).max().unwrap_or(0);
    let turns = (0..max).flat_map(|turn| of_class.iter().filter_map(move |rows| rows.get(turn)));
    turns.take(EXAMPLES).copied().collect()
}

/// The rows of a tensor, read back to the host.
pub fn to_rows(rows: Tensor<2>) -> Vec<Vec<f32>> {
    let [count, width] = rows.dims();
    let values: Vec<f32> = rows.into_data().iter().collect();
    (0..count).map(|row| values[row * width..(row + 1) * width].to_vec()).collect()
}
