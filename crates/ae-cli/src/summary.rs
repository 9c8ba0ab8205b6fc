//! What came of a run, in numbers: on the test part, beside PCA and beside the mean.

use ae_data::{Samples, Source};
use ae_models::{Encoder, Model, Pca};
use ae_train::{Corruption, Denoising, EpochReport, Errors, Evaluation, denoise, evaluate};
use burn::module::Module;
use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use crate::anomaly::Anomaly;
use crate::error::{Error, Result};
use crate::jacobian::Jacobian;
use crate::observers::{count, digits, duration};
use crate::run::Trained;
use crate::session::batches;
use crate::subspace::Subspace;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Summary {
    pub program: String,
    pub device: String,
    pub data: String,
    pub samples: [usize; 3],
    pub features: usize,
    pub code: usize,
    pub parameters: usize,
    /// On the test part.
    pub test: Evaluation,
    pub pca: PcaResult,
    /// Squared error per test sample of always answering with the training part's mean.
    pub mean_error: f64,
    /// Of the encoder, where one is not too large.
    #[serde(default)]
    pub jacobian: Option<Jacobian>,
    /// How much of the recipe's noise it takes away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denoising: Option<Denoising>,
    /// Of a linear model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subspace: Option<Subspace>,
    /// Where the test part tells normal samples from others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anomaly: Option<Anomaly>,
    pub epochs: Vec<EpochReport>,
    /// Of each layer, of a model that was trained layer by layer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<Vec<EpochReport>>,
    /// Seconds from start to the last step, data and validation included, if it went in one go.
    pub seconds: Option<f64>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PcaResult {
    pub components: usize,
    /// Training samples it was fitted to.
    pub fitted_to: usize,
    /// Squared error per test sample.
    pub squared_error: f64,
}

impl Summary {
    /// The result in a sentence.
    pub fn sentence(&self) -> String {
        let mut sentence =
            format!("squared error per test sample {}; ", digits(self.test.squared_error));
        if self.leaves_something_to_pca() {
            let (components, error) = (components(self.pca.components), self.pca.squared_error);
            sentence += &format!("PCA with {components} {}, ", digits(error));
        }
        sentence += &format!("the mean {}", digits(self.mean_error));
        if let Some(cross_entropy) = self.test.cross_entropy {
            sentence += &format!(
                "; cross-entropy per feature {:.4}, of which {:.4} above the floor",
                cross_entropy.per_feature,
                cross_entropy.excess()
            );
        }
        sentence
    }

    /// Whether PCA loses anything: with as many components as features it is a turn, and says nothing.
    pub fn leaves_something_to_pca(&self) -> bool {
        self.pca.components < self.features
    }

    /// How fast training was, over all epochs; none where there were no steps.
    pub fn speed(&self) -> Option<String> {
        speed(self.epochs.iter().chain(self.layers.iter().flatten()))
    }
}

/// How fast training was; none where there were no steps.
pub fn speed<'a>(epochs: impl Iterator<Item = &'a EpochReport> + Clone) -> Option<String> {
    let seconds: f64 = epochs.clone().map(|epoch| epoch.seconds).sum();
    let samples: f64 = epochs.map(|epoch| epoch.seconds * epoch.samples_per_second).sum();
    (seconds > 0.0)
        .then(|| format!("{} in steps, {} samples/s", duration(seconds), count(samples / seconds)))
}

/// `1 component`, `2 components`
pub fn components(count: usize) -> String {
    format!("{count} component{}", if count == 1 { "" } else { "s" })
}

/// Measures a run on its test part.
pub fn summarize(
    trained: &Trained,
    epochs: &[EpochReport],
    device: &Device,
    device_name: String,
    seconds: Option<f64>,
) -> Result<(Summary, Pca)> {
    let data = &trained.data;
    let test = batches(&data.test, &trained.recipe, device)?;
    let batch = trained.recipe.schedule().batch;
    let Errors { evaluation, squared_errors } = evaluate(&trained.model, &test, batch)?;
    if !evaluation.squared_error.is_finite() {
        return Err(Error::usage(format!(
            "test part: expected values whose squares f32 can hold, got a squared error of {}; bring \
             the data into range with --preprocess standardize, or look for a broken value",
            evaluation.squared_error
        )));
    }
    let (pca, fitted_to) = match &trained.model {
        // With all the training part.
        Model::Pca(pca) => (pca.clone(), data.training.len()),
        model => fit_pca(&data.training, model.code_size(), device)?,
    };
    let noise = trained.recipe.measured_noise();
    let seed = trained.recipe.data.seed;
    let denoising = (noise != Corruption::None)
        .then(|| denoise(&trained.model, noise, &test, batch, seed))
        .transpose()?;
    let training = &data.training;
    let subspace = Subspace::measure(&trained.model, &trained.recipe, training, &pca, fitted_to)?;
    let squared_error = evaluate(&pca, &test, batch)?.evaluation.squared_error;
    let summary = Summary {
        program: format!("ae {}", env!("CARGO_PKG_VERSION")),
        device: device_name,
        data: format!("{}, {}", data.name, data.what),
        samples: data.sizes(),
        features: data.training.width(),
        code: trained.model.code_size(),
        parameters: trained.model.num_params(),
        test: evaluation,
        pca: PcaResult { components: pca.code_size(), fitted_to, squared_error },
        mean_error: mean_error(&data.training.mean(), &data.test)?,
        jacobian: Jacobian::measure(&trained.model, &test)?,
        denoising,
        subspace,
        anomaly: Anomaly::of(&squared_errors, data.test.labels()),
        epochs: epochs.to_vec(),
        layers: Vec::new(),
        seconds,
    };
    Ok((summary, pca))
}

/// Multiplications a fit of PCA may take: some ten seconds on one core.
const PCA_LIMIT: f64 = 1e12;
/// Values it may be fitted to: 1 GiB of them.
const PCA_VALUES: usize = 1 << 28;

/// PCA with as many components as the code has units, or as the data allows; with very many
/// rows of very many features it is fitted to the first of them.
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
