//! Baselines without training: principal components, and the mean.

use ae_data::{Samples, Source};
use ae_models::Pca;
use burn::tensor::Device;

use crate::Result;

/// Maximum multiplications of a PCA fit: about ten seconds on one core.
const PCA_LIMIT: f64 = 1e12;
/// Maximum number of values to fit PCA to: 1 GiB.
const PCA_VALUES: usize = 1 << 28;
/// The same for data that stays on the disk: 16 MiB. The fit takes about ten times as much.
const PCA_VALUES_ON_DISK: usize = 1 << 22;

/// The samples that PCA is fitted to: of large data the first ones, or evenly spaced ones if it is on the disk.
pub fn pca_rows(training: &Samples) -> Vec<usize> {
    let width = training.width();
    let cost = |rows: usize| rows as f64 * width as f64 * rows.min(width) as f64;
    let (step, values) = match training.is_on_disk() {
        true => {
            let step = (training.len() * width).div_ceil(PCA_VALUES_ON_DISK).max(1);
            (step, PCA_VALUES_ON_DISK)
        }
        false => (1, PCA_VALUES),
    };
    let mut rows = training.len().div_ceil(step);
    while rows > 1 && (cost(rows) > PCA_LIMIT || rows * width > values) {
        rows = rows * 9 / 10;
    }
    (0..rows).map(|row| row * step).collect()
}

/// PCA with as many components as code units, or as the data allows, and the number of samples that it was fitted to:
/// [`pca_rows`].
///
/// # Errors
/// If the samples cannot be read or are not finite.
pub fn fit_pca(training: &Samples, code: usize, device: &Device) -> Result<(Pca, usize)> {
    let (width, rows) = (training.width(), pca_rows(training));
    let mut values = vec![0.0; rows.len() * width];
    training.read(&rows, &mut values)?;
    let components = code.min(width).min(rows.len());
    Ok((Pca::fit(&values, width, components, device)?, rows.len()))
}

/// The squared error per sample of predicting `mean` for every one; of [`Masked`](ae_data::Masked) samples that of the known
/// values.
///
/// # Errors
/// If the samples cannot be read.
///
/// # Panics
/// If `mean` has more values than a row.
pub fn mean_error(mean: &[f32], test: &dyn Source) -> Result<f64> {
    let (d, mut row) = (mean.len(), vec![0.0; test.width()]);
    let mut sum = 0.0;
    for index in 0..test.len() {
        test.read(&[index], &mut row)?;
        let (values, known) = row.split_at(d);
        let is_known = |at: usize| known.get(at).is_none_or(|known| *known == 1.0);
        let squares = values.iter().zip(mean).enumerate().filter(|(at, _)| is_known(*at));
        sum += squares
            .map(|(_, (value, mean))| (f64::from(*value) - f64::from(*mean)).powi(2))
            .sum::<f64>();
    }
    Ok(sum / test.len() as f64)
}
