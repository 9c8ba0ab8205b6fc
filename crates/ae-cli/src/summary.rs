//! The results of an autoencoder: its errors on the test set, with those of PCA and of the mean.

use ae_data::{Samples, Source};
use ae_models::{Encoder, Model, Pca};
use ae_train::{
    Corruption, Denoising, DetailedEvaluation, EpochReport, Evaluation, Validation, denoise,
    evaluate,
};
use burn::module::Module;
use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use crate::anomaly::Anomaly;
use crate::comparison::better_baseline;
use crate::datasets::batches;
use crate::error::{Error, Result};
use crate::format::{count, duration, number};
use crate::jacobian::Jacobian;
use crate::run::TrainedRun;
use crate::subspace::Subspace;

/// The results of a run, as `summary.json` has them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Summary {
    pub program: String,
    pub device: String,
    pub data: String,
    pub samples: [usize; 3],
    pub features: usize,
    pub code: usize,
    pub parameters: usize,
    /// On the test set.
    pub test: Evaluation,
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
    pub epochs: Vec<EpochReport>,
    /// Epochs of each layer, where training went layer by layer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<Vec<EpochReport>>,
    /// Seconds from the start to the last step, including data and validation; `None` for a resumed run.
    pub seconds: Option<f64>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PcaResult {
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

/// Evaluates a run on its test set.
pub fn summarize(
    trained: &TrainedRun,
    epochs: &[EpochReport],
    device: &Device,
    device_name: String,
    seconds: Option<f64>,
) -> Result<(Summary, Pca)> {
    let splits = &trained.splits;
    let test = batches(&splits.test, &trained.recipe, device)?;
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
    let subspace = Subspace::measure(&trained.model, &trained.recipe, training, &pca, fitted_to)?;
    let squared_error = evaluate(&pca, &test, batch)?.evaluation.squared_error;
    let mut summary = Summary {
        program: format!("ae {}", env!("CARGO_PKG_VERSION")),
        device: device_name,
        data: format!("{}, {}", splits.name, splits.description),
        samples: splits.sizes(),
        features: splits.training.width(),
        code: trained.model.code_size(),
        parameters: trained.model.num_params(),
        test: evaluation,
        pca: PcaResult { components: pca.code_size(), fitted_to, squared_error },
        mean_error: mean_error(&splits.training.mean(), &splits.test)?,
        better_baseline: None,
        jacobian: Jacobian::measure(&trained.model, &test)?,
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

/// Maximum multiplications of a PCA fit: about ten seconds on one core.
const PCA_LIMIT: f64 = 1e12;
/// Maximum number of values to fit PCA to: 1 GiB.
const PCA_VALUES: usize = 1 << 28;

/// PCA with as many components as code units, or as the data allows. Large data is cut to its first rows;
/// returns their number.
pub fn fit_pca(training: &Samples, code: usize, device: &Device) -> Result<(Pca, usize)> {
    let width = training.width();
    let cost = |rows: usize| rows as f64 * width as f64 * rows.min(width) as f64;
    let mut rows = training.len();
    while rows > 1 && (cost(rows) > PCA_LIMIT || rows * width > PCA_VALUES) {
        rows = rows * 9 / 10;
    }
    let indices: Vec<usize> = (0..rows).collect();
    let mut values = vec![0.0; rows * width];
    training.read(&indices, &mut values)?;
    let components = code.min(width).min(rows);
    Ok((Pca::fit(&values, width, components, device)?, rows))
}

fn mean_error(mean: &[f32], test: &Samples) -> Result<f64> {
    let mut sum = 0.0;
    for row in 0..test.len() {
        let squares = test.row(row).into_iter().zip(mean).map(|(value, mean)| {
            let difference = f64::from(value) - f64::from(*mean);
            difference * difference
        });
        sum += squares.sum::<f64>();
    }
    Ok(sum / test.len() as f64)
}
