//! From what the network says of rows to scores, by statistics of training and scale rows.

use std::ops::Range;

use nalgebra::{DMatrix, DVector};

use super::covariance::{Whitening, squared_lengths};
use super::network::Outputs;
use super::preparation::squeeze;
use super::significance::{Significance, fisher};
use super::{DetectorSettings, ScoreKind};
use crate::{Error, Neighbours, Result};

/// Added to the variance of an error, as a share of the median over features: else a column without errors
/// would decide every score.
const FLOOR: f64 = 1e-3;

/// Features up to which the covariance of errors is used.
const MOST_FEATURES: usize = 500;

/// Scale rows per feature from which it is used.
const ROWS_PER_FEATURE: usize = 5;

/// The share of the mean variance that is added to each feature's in the covariance of errors.
const RIDGE: f64 = 1e-3;

/// The scores of rows, by kind, without the combination.
pub(crate) type KindScores = Vec<(ScoreKind, Vec<f64>)>;

/// What scores are measured by. None of it knows the calibration rows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Statistics {
    /// The mean squared residual of each feature, with a floor.
    pub(crate) error_variance: Vec<f64>,
    /// The same of hidden features.
    pub(crate) hidden_variance: Vec<f64>,
    /// By the covariance of residuals.
    pub(crate) residual: Option<Whitening>,
    /// By the covariance of codes.
    pub(crate) code: Whitening,
    /// Training and scale rows as the network sees them, `[rows, features]`.
    pub(crate) rows: Vec<f32>,
    /// Their whitened codes, and their residuals in units of half the usual one, `[rows, code + features]`.
    pub(crate) joint: Vec<f32>,
    /// The scores of the scale rows, by which kinds are combined.
    pub(crate) scale: KindScores,
    neighbours: usize,
    near_rows: Neighbours,
    codes: Vec<f32>,
    near_codes: Neighbours,
    near_joint: Neighbours,
    significances: Vec<(ScoreKind, Significance)>,
}

impl Statistics {
    /// Fits them to training rows and scale rows with their outputs.
    pub(crate) fn fit(
        training: (&[f32], &Outputs),
        scale: (&[f32], &Outputs),
        width: usize,
        settings: &DetectorSettings,
    ) -> Result<Self> {
        let (training_rows, training) = training;
        let (scale_rows, scale) = scale;
        let count = scale_rows.len() / width;
        let error_variance = mean_squares(&scale.residuals, width, |residual| residual * residual);
        let hidden_variance = mean_squares(&scale.hidden, width, |square| square);
        let residual = check_covariance(width, count)
            .is_ok()
            .then(|| Whitening::of_residuals(&scale.residuals, width, RIDGE))
            .flatten();
        let code_size = settings.code;
        let all_codes = [training.codes.as_slice(), &scale.codes].concat();
        let code = Whitening::of_rows(&all_codes, code_size).ok_or_else(collapsed)?;
        let all_residuals = [training.residuals.as_slice(), &scale.residuals].concat();
        let joint = joint(&code.apply(&all_codes), code_size, &all_residuals, &error_variance);
        let rows = [training_rows, scale_rows].concat();
        let mut statistics = Self::assemble(Fitted {
            error_variance,
            hidden_variance,
            residual,
            code,
            rows,
            joint,
            scale: vec![],
            neighbours: settings.neighbours,
            width,
            code_size,
        })?;
        // A scale row is among the rows that it is compared with, and leaves itself out.
        let mut scores = statistics.without_neighbours(scale, width);
        let all = statistics.near_rows.len();
        scores.extend(statistics.near_each_other(all - count..all, settings.neighbours));
        statistics.set_scale(scores);
        Ok(statistics)
    }

    /// From parts that were fitted, or read from a file.
    pub(crate) fn assemble(parts: Fitted) -> Result<Self> {
        let of_joint = parts.joint.chunks_exact(parts.code_size + parts.width);
        let codes: Vec<f32> = of_joint.flat_map(|row| &row[..parts.code_size]).copied().collect();
        let mut statistics = Self {
            near_rows: Neighbours::new(&parts.rows, parts.width)?,
            near_codes: Neighbours::new(&codes, parts.code_size)?,
            near_joint: Neighbours::new(&parts.joint, parts.code_size + parts.width)?,
            codes,
            error_variance: parts.error_variance,
            hidden_variance: parts.hidden_variance,
            residual: parts.residual,
            code: parts.code,
            rows: parts.rows,
            joint: parts.joint,
            scale: vec![],
            neighbours: parts.neighbours,
            significances: vec![],
        };
        statistics.set_scale(parts.scale);
        Ok(statistics)
    }

    fn set_scale(&mut self, scale: KindScores) {
        let significance =
            |(kind, scores): &(ScoreKind, Vec<f64>)| (*kind, Significance::new(scores));
        self.significances = scale.iter().map(significance).collect();
        self.scale = scale;
    }

    /// The scores of new rows, by kind.
    pub(crate) fn scores(&self, rows: &[f32], outputs: &Outputs, width: usize) -> KindScores {
        let mut scores = self.without_neighbours(outputs, width);
        let codes = self.code.apply(&outputs.codes);
        let joint = joint(&codes, self.code.mean.len(), &outputs.residuals, &self.error_variance);
        let k = self.neighbours;
        scores.extend([
            (ScoreKind::Neighbours, self.near_codes.mean_distances(&codes, k)),
            (ScoreKind::Joint, self.near_joint.mean_distances(&joint, k)),
            (ScoreKind::Rows, self.near_rows.mean_distances(rows, k)),
        ]);
        self.with_combination(scores)
    }

    /// The scores of the training rows that it was fitted to, which leave themselves out as neighbours.
    pub(crate) fn training_scores(&self, outputs: &Outputs, width: usize) -> KindScores {
        let count = outputs.residuals.len() / width;
        let mut scores = self.without_neighbours(outputs, width);
        scores.extend(self.near_each_other(0..count, self.neighbours));
        self.with_combination(scores)
    }

    /// The distances of some of the training and scale rows to their nearest others.
    fn near_each_other(&self, rows: Range<usize>, k: usize) -> [(ScoreKind, Vec<f64>); 3] {
        let near = |known: &Neighbours, values: &[f32]| {
            let width = values.len() / known.len();
            let values = &values[rows.start * width..rows.end * width];
            known.mean_distances_of_rows(values, rows.start, k)
        };
        [
            (ScoreKind::Neighbours, near(&self.near_codes, &self.codes)),
            (ScoreKind::Joint, near(&self.near_joint, &self.joint)),
            (ScoreKind::Rows, near(&self.near_rows, &self.rows)),
        ]
    }

    /// The scores of the scale rows that it was fitted to.
    pub(crate) fn scale_scores(&self) -> KindScores {
        self.with_combination(self.scale.clone())
    }

    fn without_neighbours(&self, outputs: &Outputs, width: usize) -> KindScores {
        let usual = |values: &[f32], variance: &[f64], square: fn(f64) -> f64| {
            let of_row = |row: &[f32]| {
                let terms = row.iter().zip(variance).map(|(x, v)| square(f64::from(*x)) / v);
                terms.sum::<f64>()
            };
            values.chunks_exact(width).map(of_row).collect::<Vec<_>>()
        };
        let error = usual(&outputs.residuals, &self.error_variance, |residual| residual * residual);
        let masked = usual(&outputs.hidden, &self.hidden_variance, |square| square);
        let code_size = self.code.mean.len();
        let latent = squared_lengths(&self.code.apply(&outputs.codes), code_size);
        let mut scores = vec![(ScoreKind::Error, error)];
        if let Some(whitening) = &self.residual {
            let residual = squared_lengths(&whitening.apply(&outputs.residuals), width);
            scores.push((ScoreKind::Residual, residual));
        }
        scores.extend([(ScoreKind::Latent, latent), (ScoreKind::Masked, masked)]);
        scores
    }

    fn with_combination(&self, mut scores: KindScores) -> KindScores {
        let parts: Vec<_> = ScoreKind::COMBINED
            .iter()
            .filter_map(|kind| {
                let values = &scores.iter().find(|(known, _)| known == kind)?.1;
                let significance = &self.significances.iter().find(|(known, _)| known == kind)?.1;
                Some((significance, values))
            })
            .collect();
        let count = scores.first().map_or(0, |(_, values)| values.len());
        let of_row = |row: usize| fisher(parts.iter().map(|(by, values)| by.of(values[row])));
        let all = (0..count).map(of_row).collect();
        scores.insert(0, (ScoreKind::All, all));
        scores
    }

    /// The squared error of each hidden feature in units of its usual one, times the share of the row's error that
    /// is gone when it is hidden, `[rows, features]`, by outputs that say what is left of the error.
    ///
    /// The first factor alone would also name the features that are predicted from the odd one.
    pub(crate) fn per_feature(&self, outputs: &Outputs, errors: &[f64]) -> Vec<f32> {
        let width = self.hidden_variance.len();
        let cells = outputs.hidden.iter().zip(&outputs.left).enumerate();
        let of_cell = |(at, (hidden, left)): (usize, (&f32, &f32))| {
            let error = errors[at / width];
            let gone = if error > 0.0 { 1.0 - f64::from(*left) / error } else { 0.0 };
            (f64::from(*hidden) / self.hidden_variance[at % width] * gone.max(0.0)) as f32
        };
        cells.map(of_cell).collect()
    }
}

/// Refuses the score by the covariance of errors where it is not made.
pub(crate) fn check_covariance(features: usize, scale_rows: usize) -> Result<()> {
    if features <= MOST_FEATURES && scale_rows > ROWS_PER_FEATURE * features {
        return Ok(());
    }
    let expected = format!(
        "at most {MOST_FEATURES} features, and more than {ROWS_PER_FEATURE} scale rows for each of them"
    );
    let got = format!("{features} features, {scale_rows} scale rows; take another score");
    Err(Error::setting("score residual", expected, got))
}

/// Parts of [`Statistics`].
pub(crate) struct Fitted {
    pub(crate) error_variance: Vec<f64>,
    pub(crate) hidden_variance: Vec<f64>,
    pub(crate) residual: Option<Whitening>,
    pub(crate) code: Whitening,
    pub(crate) rows: Vec<f32>,
    pub(crate) joint: Vec<f32>,
    pub(crate) scale: KindScores,
    pub(crate) neighbours: usize,
    pub(crate) width: usize,
    pub(crate) code_size: usize,
}

/// `v_j = mean of the squares of feature j, + 1e-3 times the median of these`.
fn mean_squares(values: &[f32], width: usize, square: fn(f64) -> f64) -> Vec<f64> {
    let mut sums = vec![0.0; width];
    for row in values.chunks_exact(width) {
        sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += square(f64::from(*x)));
    }
    let count = (values.len() / width).max(1) as f64;
    sums.iter_mut().for_each(|sum| *sum /= count);
    let mut sorted = sums.clone();
    sorted.sort_by(f64::total_cmp);
    let median = sorted[width / 2];
    // Where most features have no error at all, the mean is the scale that is left.
    let level = if median > 0.0 { median } else { sums.iter().sum::<f64>() / width as f64 };
    let floor = (FLOOR * level).max(f64::from(f32::MIN_POSITIVE));
    sums.iter().map(|sum| sum + floor).collect()
}

/// What a usual residual weighs beside the code.
const RESIDUAL_WEIGHT: f32 = 0.5;

/// Whitened codes followed by `0.5 r_j / sqrt(v_j)`, of which what is far out is [squeezed](squeeze).
fn joint(codes: &[f32], code_size: usize, residuals: &[f32], variance: &[f64]) -> Vec<f32> {
    let deviations: Vec<f32> = variance.iter().map(|v| v.sqrt() as f32).collect();
    let rows = codes.chunks_exact(code_size).zip(residuals.chunks_exact(variance.len()));
    let of_row = |(code, residuals): (&[f32], &[f32])| {
        let usual =
            residuals.iter().zip(&deviations).map(|(r, s)| RESIDUAL_WEIGHT * squeeze(r / s));
        code.iter().copied().chain(usual).collect::<Vec<_>>()
    };
    rows.flat_map(of_row).collect()
}

/// The error of a model that maps all rows to one code.
pub(crate) fn collapsed() -> Error {
    Error::Unsuitable(
        "the model gives every row nearly the same reconstruction (less than 1 % of the variance of the \
         data), so it learned nothing; give more rows or more --steps, or see whether the columns depend \
         on each other at all"
            .to_owned(),
    )
}

/// A matrix and a vector as they are stored.
pub(crate) fn whitening(mean: Vec<f64>, root: &[f64]) -> Whitening {
    let size = mean.len();
    Whitening { mean: DVector::from_vec(mean), root: DMatrix::from_row_slice(size, size, root) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Squares 1, 4 | 9, 0 | 0, 0 of three features and two rows: means 2.5, 4.5, 0; median 2.5.
    /// A code of 2 and residuals 3 and -1 where the usual variances are 4 and 1.
    #[test]
    fn joint_by_hand() {
        assert_eq!(joint(&[2.0], 1, &[3.0, -1.0], &[4.0, 1.0]), [2.0, 0.75, -0.5]);
    }

    #[test]
    fn variances_by_hand() {
        let values = [1.0, 3.0, 0.0, 2.0, 0.0, 0.0];
        let variances = mean_squares(&values, 3, |x| x * x);
        for (got, expected) in variances.iter().zip([2.5025, 4.5025, 0.0025]) {
            assert!((got - expected).abs() < 1e-12, "{variances:?}");
        }
        assert!(mean_squares(&[0.0; 4], 2, |x| x).iter().all(|v| *v > 0.0));
    }
}
