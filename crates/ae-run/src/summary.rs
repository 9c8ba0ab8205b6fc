//! The results of an autoencoder: its errors on the test set, with those of PCA and of the mean.

use ae_device::NamedDevice;
use ae_models::{Encoder, Model, Pca};
use ae_train::format::{count, duration, number};
use ae_train::{
    Corruption, Denoising, DetailedEvaluation, EpochReport, Evaluation, Jacobian, Subspace,
    Validation, denoise, evaluate, fit_pca, mean_error, pca_rows,
};
use burn::module::Module;
use serde::{Deserialize, Serialize};

use crate::comparison::better_baseline;
use crate::new_run::threads;
use crate::splits::source;
use crate::{Anomaly, Error, Result, TrainedRun, batches, masked_batches};

/// The results of a run, as `summary.json` has them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Summary {
    /// The program and its version.
    pub program: String,
    /// The device that it was trained on.
    pub device: String,
    /// Its threads, which decide the last digits; `None` of a GPU, and of runs of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threads: Option<usize>,
    /// The name and the description of the data set.
    pub data: String,
    /// Training, validation and test samples.
    pub samples: [usize; 3],
    /// Features of a sample.
    pub features: usize,
    /// Units of the code.
    pub code: usize,
    /// Parameters of the model.
    pub parameters: usize,
    /// On the test set.
    pub test: Evaluation,
    /// Of principal component analysis with as many components as the code has units.
    pub pca: PcaResult,
    /// Squared error per test sample of predicting the mean of the training set.
    pub mean_error: f64,
    /// A baseline with a smaller error, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub better_baseline: Option<String>,
    /// Of the encoder, unless it is too large.
    #[serde(default)]
    pub jacobian: Option<Jacobian>,
    /// How well the model removes the noise of the recipe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denoising: Option<Denoising>,
    /// Of a linear model, compared with PCA.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subspace: Option<Subspace>,
    /// For test sets with normal and anomalous samples.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anomaly: Option<Anomaly>,
    /// Of the model as it began, on the validation part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initial: Option<Validation>,
    /// Every epoch.
    pub epochs: Vec<EpochReport>,
    /// Epochs of each layer, where training went layer by layer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<Vec<EpochReport>>,
    /// Seconds from the start to the last step, including data and validation; `None` for a resumed run.
    pub seconds: Option<f64>,
}

/// The errors of principal component analysis.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PcaResult {
    /// Their number: that of the code units, or fewer where the data has no more.
    pub components: usize,
    /// The number of training samples it was fitted to.
    pub fitted_to: usize,
    /// Squared error per test sample.
    pub squared_error: f64,
}

impl Summary {
    /// The result in a sentence.
    pub fn sentence(&self) -> String {
        let mut sentence =
            format!("squared error per test sample {}; ", number(self.test.squared_error));
        if self.pca_is_lossy() {
            let (components, error) = (components(self.pca.components), self.pca.squared_error);
            sentence += &format!("PCA with {components} {}, ", number(error));
        }
        sentence += &format!("the mean {}", number(self.mean_error));
        if let Some(cross_entropy) = self.test.cross_entropy {
            sentence += &format!(
                "; cross-entropy per feature {:.4}, {:.4} above the entropy floor",
                cross_entropy.per_feature,
                cross_entropy.excess()
            );
        }
        if let Some(Denoising { corrupted_error, squared_error }) = &self.denoising {
            let (before, after) = (number(*corrupted_error), number(*squared_error));
            sentence += &format!(
                "\ndenoising: squared error per test sample {before} before, {after} after"
            );
        }
        if let Some(anomaly) = &self.anomaly {
            sentence += &format!("\nanomalies by the squared error: {anomaly}");
        }
        if let Some(baseline) = &self.better_baseline {
            sentence += &format!("\n{baseline}");
        }
        sentence
    }

    /// Whether PCA has an error: with as many components as features it is a rotation.
    pub fn pca_is_lossy(&self) -> bool {
        self.pca.components < self.features
    }

    /// The training speed over all epochs; `None` without steps.
    pub fn speed(&self) -> Option<String> {
        speed(self.epochs.iter().chain(self.layers.iter().flatten()))
    }
}

/// The training speed; `None` without steps.
pub fn speed<'a>(epochs: impl Iterator<Item = &'a EpochReport> + Clone) -> Option<String> {
    let seconds: f64 = epochs.clone().map(|epoch| epoch.seconds).sum();
    let samples: f64 = epochs.map(|epoch| epoch.seconds * epoch.samples_per_second).sum();
    (seconds > 0.0).then(|| {
        format!("{} in training steps, {} samples/s", duration(seconds), count(samples / seconds))
    })
}

/// `1 component`, `2 components`
pub fn components(count: usize) -> String {
    format!("{count} component{}", if count == 1 { "" } else { "s" })
}

/// Evaluates a run on its test set; also returns the principal components it is compared with.
///
/// # Errors
/// If an error is not finite, or the data cannot be read.
pub fn summarize(
    trained: &TrainedRun,
    epochs: &[EpochReport],
    device: &NamedDevice,
    seconds: Option<f64>,
) -> Result<(Summary, Pca)> {
    let splits = &trained.splits;
    let NamedDevice { handle: device, name } = device;
    let is_masked = trained.recipe.data.is_masked();
    let test = masked_batches(&splits.test, is_masked, &trained.recipe, device)?;
    let batch = trained.recipe.schedule().batch;
    let DetailedEvaluation { evaluation, squared_errors } = evaluate(&trained.model, &test, batch)?;
    if !evaluation.squared_error.is_finite() {
        return Err(Error::usage(format!(
            "test set: the squared error is {}, beyond the range of f32; scale the data with --preprocess \
             standardize, or look for an invalid value",
            evaluation.squared_error
        )));
    }
    let (pca, fitted_to) = match &trained.model {
        // Fitted to the whole training set.
        Model::Pca(pca) => (pca.clone(), splits.training.len()),
        model => fit_pca(&splits.training, model.code_size(), device)?,
    };
    let noise = trained.recipe.test_corruption();
    let seed = trained.recipe.data.seed;
    let denoising = (noise != Corruption::None)
        .then(|| denoise(&trained.model, noise, &test, batch, seed))
        .transpose()?;
    let training = &splits.training;
    let subspace = match trained.recipe.model.is_linear() {
        true => {
            let rows = pca_rows(training);
            let training = batches(training, &trained.recipe, &pca.components().device())?;
            Some(Subspace::measure(&trained.model, &training, batch, &pca, &rows)?)
        }
        false => None,
    };
    let squared_error = evaluate(&pca, &test, batch)?.evaluation.squared_error;
    let mut summary = Summary {
        program: format!("ae {}", env!("CARGO_PKG_VERSION")),
        device: name.clone(),
        threads: threads(device),
        data: format!("{}, {}", splits.name, splits.description),
        samples: splits.sizes(),
        features: splits.training.width(),
        code: trained.model.code_size(),
        parameters: trained.model.num_params(),
        test: evaluation,
        pca: PcaResult { components: pca.code_size(), fitted_to, squared_error },
        mean_error: mean_error(&splits.training.try_mean()?, &*source(&splits.test, is_masked))?,
        better_baseline: None,
        jacobian: Jacobian::measure(
            &trained.model,
            &batches(&splits.test, &trained.recipe, device)?,
        )?,
        denoising,
        subspace,
        anomaly: Anomaly::measure(&squared_errors, splits.test.labels()),
        initial: None,
        epochs: epochs.to_vec(),
        layers: Vec::new(),
        seconds,
    };
    summary.better_baseline = better_baseline(trained, &summary);
    Ok((summary, pca))
}
