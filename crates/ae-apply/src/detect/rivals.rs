//! The classical methods that a detector is compared with.

use ae_models::{Autoencoder, Pca};
use burn::tensor::{Device, Tensor, TensorData};

use super::Conformal;
use super::isolation_forest::IsolationForest;
use crate::knn::check_rows;
use crate::{Neighbours, Result};

/// The share of the variance that the components of PCA hold.
const EXPLAINED: f64 = 0.9;

/// Rows that PCA sees at a time.
const BATCH: usize = 4096;

/// A classical method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RivalKind {
    /// The mean distance of a row to its nearest training rows.
    NearestNeighbours,
    /// The squared error of the projection on the principal components that hold 90 % of the variance.
    Pca,
    /// How early random trees isolate a row (Liu, Ting & Zhou 2008).
    IsolationForest,
}

impl RivalKind {
    /// All of them.
    pub const KINDS: [Self; 3] = [Self::NearestNeighbours, Self::Pca, Self::IsolationForest];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::NearestNeighbours => "kNN",
            Self::Pca => "PCA",
            Self::IsolationForest => "IForest",
        }
    }
}

/// A classical method that was fitted and calibrated.
#[derive(Clone, Debug)]
pub struct Rival {
    kind: RivalKind,
    method: Method,
    calibration: Conformal,
}

#[derive(Clone, Debug)]
enum Method {
    NearestNeighbours(Neighbours, usize),
    Pca(Box<Pca>, usize),
    IsolationForest(IsolationForest),
}

impl Rival {
    /// Fits it to prepared rows of `width` features and calibrates it on other such rows.
    ///
    /// # Errors
    /// If the rows are no whole rows, or there are none.
    pub fn fit(
        kind: RivalKind,
        rows: &[f32],
        calibration: &[f32],
        width: usize,
        neighbours: usize,
        device: &Device,
    ) -> Result<Self> {
        let method = match kind {
            RivalKind::NearestNeighbours => {
                Method::NearestNeighbours(Neighbours::new(rows, width)?, neighbours)
            }
            RivalKind::Pca => Method::Pca(Box::new(pca(rows, width, device)?), width),
            RivalKind::IsolationForest => {
                check_rows(rows, width)?;
                Method::IsolationForest(IsolationForest::fit(rows, width))
            }
        };
        let calibration = Conformal::new(method.score(calibration))?;
        Ok(Self { kind, method, calibration })
    }

    /// Which one it is.
    pub fn kind(&self) -> RivalKind {
        self.kind
    }

    /// The scores of prepared rows.
    pub fn score(&self, rows: &[f32]) -> Vec<f64> {
        self.method.score(rows)
    }

    /// The scores of its calibration rows.
    pub fn calibration(&self) -> &Conformal {
        &self.calibration
    }
}

impl Method {
    fn score(&self, rows: &[f32]) -> Vec<f64> {
        match self {
            Self::NearestNeighbours(known, k) => known.mean_distances(rows, *k),
            Self::IsolationForest(forest) => forest.score(rows),
            Self::Pca(pca, width) => {
                let chunks = rows.chunks(BATCH * width);
                chunks.flat_map(|chunk| squared_errors(pca, chunk, *width)).collect()
            }
        }
    }
}

fn squared_errors(pca: &Pca, rows: &[f32], width: usize) -> Vec<f64> {
    let data = TensorData::new(rows.to_vec(), [rows.len() / width, width]);
    let rows = Tensor::<2>::from_data(data, &pca.mean().device());
    let errors = (pca.reconstruct(rows.clone()) - rows).square().sum_dim(1);
    errors.into_data().iter::<f64>().collect()
}

/// As few components as hold 90 % of the variance.
fn pca(rows: &[f32], width: usize, device: &Device) -> Result<Pca> {
    let most = (rows.len() / width).min(width);
    let all = Pca::fit(rows, width, most, device)?;
    // The variance that k components hold is the fall of the error.
    let data = TensorData::new(rows.to_vec(), [rows.len() / width, width]);
    let centred = Tensor::<2>::from_data(data, device) - all.mean().unsqueeze();
    let held = centred.matmul(all.components()).square().sum_dim(0);
    let held: Vec<f64> = held.into_data().iter::<f64>().collect();
    let total: f64 = held.iter().sum();
    let mut sum = 0.0;
    let count = held.iter().take_while(|variance| {
        let is_needed = sum < EXPLAINED * total;
        sum += **variance;
        is_needed
    });
    let count = count.count().max(1);
    Ok(if count == most { all } else { Pca::fit(rows, width, count, device)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Variances 9 and 1 about 0: the first component holds 90 % and the error of (5, 2) is 2^2. The mean
    /// distance of (3, 0) to its two nearest rows, (3, 0) and (0, 1) or (0, -1), is sqrt(10) / 2.
    #[test]
    fn scores_by_hand() {
        let device = Device::flex();
        let rows = [3.0, 0.0, -3.0, 0.0, 0.0, 1.0, 0.0, -1.0];
        let pca = Rival::fit(RivalKind::Pca, &rows, &[0.0, 0.5], 2, 2, &device).unwrap();
        assert!((pca.score(&[5.0, 2.0])[0] - 4.0).abs() < 1e-4);
        assert!((pca.calibration().scores()[0] - 0.25).abs() < 1e-5);
        let kind = RivalKind::NearestNeighbours;
        let near = Rival::fit(kind, &rows, &[0.0, 0.0], 2, 2, &device).unwrap();
        assert!((near.score(&[3.0, 0.0])[0] - 10f64.sqrt() / 2.0).abs() < 1e-6);
    }
}
