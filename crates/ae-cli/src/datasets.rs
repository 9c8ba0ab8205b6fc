//! A data set in its three splits, preprocessed.

use ae_data::{DataSet, Options, Preprocessing, Samples};
use ae_train::Batches;
use burn::tensor::Device;

use crate::download::DownloadBar;
use crate::error::Result;
use crate::recipe::{DataRecipe, Recipe};

/// The training, validation and test set, preprocessed as fitted to the training set.
#[derive(Clone)]
pub struct Splits {
    pub name: String,
    pub description: String,
    pub training: Samples,
    /// `None` where nothing is held out.
    pub validation: Option<Samples>,
    pub test: Samples,
}

impl Splits {
    /// Holds out the validation set. Fits the preprocessing to the training set, unless `known` gives
    /// that of a model.
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

    /// Sizes of the training, validation and test set.
    pub fn sizes(&self) -> [usize; 3] {
        let validation = self.validation.as_ref().map_or(0, Samples::len);
        [self.training.len(), validation, self.test.len()]
    }
}

/// Splits the validation set, which chooses the best epoch, off the training samples.
pub fn hold_out(training: Samples, recipe: &DataRecipe) -> Result<(Samples, Option<Samples>)> {
    match recipe.validation {
        0.0 => Ok((training, None)),
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

/// Opens a data set, with a progress bar if it has to be downloaded.
pub fn open_data(recipe: &DataRecipe) -> Result<DataSet> {
    open_with(recipe, &recipe.options())
}

/// Opens the data of a recipe with other options than those of the recipe alone.
pub fn open_with(recipe: &DataRecipe, options: &Options) -> Result<DataSet> {
    let mut bar = DownloadBar::default();
    Ok(ae_data::open(&recipe.source, options, &mut |progress| bar.show(progress))?)
}

/// Samples in batches, for an evaluation.
pub fn batches(samples: &Samples, recipe: &Recipe, device: &Device) -> Result<Batches> {
    let limit = recipe.schedule().resident_limit;
    Ok(Batches::new(samples, device, limit, None)?)
}
