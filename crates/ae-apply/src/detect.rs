//! Anomaly detection: how unlike the training rows a row is, its p-value, and which features make it so.

mod conformal;
mod covariance;
mod file;
mod isolation_forest;
mod network;
mod parts;
mod preparation;
mod rivals;
mod settings;
mod shift;
mod significance;
mod statistics;
mod tail;
mod threshold;

use ae_data::table::Schema;
use ae_data::{Samples, Shape};
use ae_train::{MaskedTable, Observer};
use burn::tensor::Device;

use crate::{Error, Result};
pub use conformal::{Conformal, ConformalThreshold};
use network::Network;
use parts::Parts;
use preparation::Preparation;
pub use rivals::{Rival, RivalKind};
pub use settings::{DetectorSettings, ScoreKind};
pub use shift::Shift;
use statistics::{KindScores, Statistics, collapsed};
pub use tail::Tail;
pub use threshold::{Goal, Labelled, contamination};

/// Trainings after the first when rows are trimmed: each leaves out rows by what the one before learned.
const TRIM_ROUNDS: usize = 3;

/// The share of the data's variance that reconstructions have at least.
const LEAST_VARIANCE: f64 = 0.01;

/// A trained anomaly detector.
///
/// An autoencoder learns to predict hidden cells of a row from the others. What it makes of a row gives
/// several scores. With the residual `r = x - decode(encode(x))` and the code `z`:
///
/// | score | equation | fitted to |
/// |---|---|---|
/// | error | `sum_j r_j^2 / v_j`, `v_j` the mean of `r_j^2` plus a floor | scale rows |
/// | residual | `r^T (S_r + l I)^-1 r`, if there are at most 500 features and 5 scale rows for each | scale rows |
/// | latent | `(z - m)^T S^-1 (z - m)`, `S` shrunk (Ledoit & Wolf 2004) | training and scale rows |
/// | neighbours | mean distance of `S^(-1/2) z` to its nearest training and scale rows | these |
/// | joint | mean distance of `[S^(-1/2) z, r_j / (2 sqrt(v_j))]` to its nearest | training and scale rows |
/// | masked | as error, with the residual of each feature when it is hidden | scale rows |
/// | rows | mean distance of `x` to its nearest training and scale rows | these |
/// | all | `-2 sum_m ln p_m` over error and joint (Fisher 1932) | scale rows |
///
/// A third part, the calibration rows, is used by none of these. By their scores a score becomes a p-value, which
/// bounds the rate of false alarms ([`Conformal`]).
///
/// ```
/// use ae_apply::detect::{Detector, DetectorSettings};
/// use ae_data::{Samples, Shape};
/// use burn::tensor::Device;
///
/// // The second column is the square of the first.
/// let pair = |i: usize| [i as f32 / 100.0, (i as f32 / 100.0).powi(2)];
/// let normal = Samples::from_floats((0..300).flat_map(pair).collect(), Shape::table(2))?;
/// let settings = DetectorSettings { steps: 300, ..DetectorSettings::default() };
/// let detector = Detector::fit(&settings, &normal, &Device::flex())?;
/// let scores = detector.score(&Samples::from_floats(vec![1.0, 1.0, 1.0, 8.0], Shape::table(2))?)?;
/// assert!(scores.score[1] > scores.score[0] && scores.p[1] < 0.05);
/// # Ok::<(), ae_apply::Error>(())
/// ```
#[derive(Clone)]
pub struct Detector {
    settings: DetectorSettings,
    columns: Columns,
    preparation: Preparation,
    network: Network,
    statistics: Statistics,
    /// The scores of the calibration rows, by kind.
    calibration: KindScores,
    /// The calibration rows, by which rivals are calibrated.
    calibration_rows: Vec<f32>,
    counts: Counts,
    device: Device,
}

/// How many rows each part had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Counts {
    /// Rows that the model was trained on, after trimming.
    pub training: usize,
    /// Rows that the statistics of scores were fitted to, after trimming.
    pub scale: usize,
    /// Rows that thresholds are calibrated on.
    pub calibration: usize,
    /// Rows left out by trimming.
    pub trimmed: usize,
}

/// What the features are.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Columns {
    shape: Shape,
    schema: Option<Schema>,
}

/// The scores of rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Scores {
    /// What they are scores of.
    pub kind: ScoreKind,
    /// One for each row; larger is more unusual.
    pub score: Vec<f64>,
    /// The [conformal p-value](Conformal) of each: the share of the calibration rows and the row itself that score
    /// at least as high.
    pub p: Vec<f64>,
    /// What each feature has to do with it: its squared error when it is predicted from the others, in units of
    /// the usual one, times the share of the row's error that is gone when it is hidden.
    pub per_feature: Vec<Vec<f32>>,
    /// The scores of every kind, the asked one among them.
    pub kinds: Vec<(ScoreKind, Vec<f64>)>,
}

impl Detector {
    /// Fits a detector to samples that are normal, or nearly all normal.
    ///
    /// # Errors
    /// As [`DetectorSettings::counts`], and if no column varies or the model learns nothing.
    pub fn fit(settings: &DetectorSettings, samples: &Samples, device: &Device) -> Result<Self> {
        Self::fit_observed(settings, samples, device, &mut ())
    }

    /// As [`fit`](Self::fit), with an observer of the trainings, which can stop them.
    ///
    /// # Errors
    /// As there, and if the observer stops.
    pub fn fit_observed(
        settings: &DetectorSettings,
        samples: &Samples,
        device: &Device,
        observer: &mut dyn Observer,
    ) -> Result<Self> {
        settings.counts(samples)?;
        let columns = Columns::of(samples);
        let parts = Parts::draw(samples.len(), samples.width(), settings)?;
        let preparation = Preparation::fit(&samples.subset(&parts.training))?;
        let rows = |rows: &[usize]| preparation.rows(&samples.subset(rows));
        let [mut training, mut scale, calibration_rows] =
            [rows(&parts.training)?, rows(&parts.scale)?, rows(&parts.calibration)?];
        let width = samples.width();
        if total_variance(&training, width) == 0.0 {
            return Err(Error::Unsuitable(
                "no column varies in the training rows, so every other row is unusual; expected at least one \
                 column with different values"
                    .to_owned(),
            ));
        }
        let table = MaskedTable::of(samples, settings.hide)?;
        let mut network = Network::new(table, settings, device)?;
        let rounds = if settings.trim > 0.0 { TRIM_ROUNDS + 1 } else { 1 };
        let (all_training, all_scale) = (training.clone(), scale.clone());
        for round in 0..rounds {
            let seed = settings.seed.wrapping_add(round as u64);
            let settings = DetectorSettings { seed, ..settings.clone() };
            let steps = settings.steps.div_ceil(rounds);
            network = network.train(training.clone(), steps, &settings, observer)?;
            if settings.trim > 0.0 {
                [training, scale] =
                    trim(&network, [&all_training, &all_scale], width, &settings, device)?;
            }
        }
        let outputs = [&training, &scale].map(|rows| network.outputs(rows, None, device));
        refuse_collapsed(&training, &outputs[0].residuals, width)?;
        let counts = Counts {
            training: training.len() / width,
            scale: scale.len() / width,
            calibration: parts.calibration.len(),
            trimmed: (all_training.len() + all_scale.len() - training.len() - scale.len()) / width,
        };
        let statistics =
            Statistics::fit((&training, &outputs[0]), (&scale, &outputs[1]), width, settings)?;
        let outputs = network.outputs(&calibration_rows, None, device);
        let calibration = statistics.scores(&calibration_rows, &outputs, width);
        Ok(Self {
            settings: settings.clone(),
            columns,
            preparation,
            network,
            statistics,
            calibration,
            calibration_rows,
            counts,
            device: device.clone(),
        })
    }

    /// Scores samples by the score of the settings.
    ///
    /// # Errors
    /// If their columns are not those of the training, or a cell is missing.
    pub fn score(&self, samples: &Samples) -> Result<Scores> {
        self.score_by(self.settings.score, samples)
    }

    /// Scores samples by one kind of score.
    ///
    /// # Errors
    /// As [`score`](Self::score), and if the detector has no such score.
    pub fn score_by(&self, kind: ScoreKind, samples: &Samples) -> Result<Scores> {
        self.check(samples)?;
        let conformal = self.calibration(kind)?;
        let (rows, width) = (self.preparation.rows(samples)?, samples.width());
        let variance = Some(self.statistics.error_variance.as_slice());
        let outputs = self.network.outputs(&rows, variance, &self.device);
        let kinds = self.statistics.scores(&rows, &outputs, width);
        let score = of_kind(&kinds, kind)?.clone();
        if let Some(row) = score.iter().position(|score| !score.is_finite()) {
            return Err(Error::Unsuitable(format!("row {row}: its score is not a finite number")));
        }
        let p = score.iter().map(|score| conformal.p(*score)).collect();
        let per_feature = self.statistics.per_feature(&outputs, of_kind(&kinds, ScoreKind::Error)?);
        let per_feature = per_feature.chunks_exact(width).map(<[f32]>::to_vec).collect();
        Ok(Scores { kind, score, p, per_feature, kinds })
    }

    /// The scores of the calibration rows, which give thresholds.
    ///
    /// # Errors
    /// If the detector has no score of this kind: `residual` needs enough rows.
    pub fn calibration(&self, kind: ScoreKind) -> Result<Conformal> {
        Conformal::new(of_kind(&self.calibration, kind)?.clone())
    }

    /// A classical method fitted to the same rows, calibrated on the same rows.
    ///
    /// # Errors
    /// If it cannot be fitted.
    pub fn rival(&self, kind: RivalKind) -> Result<Rival> {
        let width = self.columns.shape.features();
        Rival::fit(
            kind,
            &self.statistics.rows,
            &self.calibration_rows,
            width,
            self.settings.neighbours,
            &self.device,
        )
    }

    /// Samples as a rival sees them, one row after another.
    ///
    /// # Errors
    /// As [`score`](Self::score).
    pub fn prepare(&self, samples: &Samples) -> Result<Vec<f32>> {
        self.check(samples)?;
        self.preparation.rows(samples)
    }

    /// Checks that samples can be scored: their columns are those of the training, and no cell is missing.
    ///
    /// # Errors
    /// Says which columns differ, or where a cell is missing.
    pub fn check(&self, samples: &Samples) -> Result<()> {
        self.columns.check(samples)?;
        refuse_missing(samples)
    }

    /// The settings that it was fitted with.
    pub fn settings(&self) -> &DetectorSettings {
        &self.settings
    }

    /// How many rows each part had.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// The schema of the table that it was fitted to, by which other tables are to be read.
    pub fn schema(&self) -> Option<&Schema> {
        self.columns.schema.as_ref()
    }

    /// What a sample is.
    pub fn shape(&self) -> &Shape {
        &self.columns.shape
    }

    /// The names of the features: `column`, `column=category`, the place of a pixel such as `row 13 column 4`, or the
    /// number of the feature.
    pub fn feature_names(&self) -> Vec<String> {
        match &self.columns.schema {
            Some(schema) => schema.feature_names(),
            None => self.columns.shape.feature_names(),
        }
    }
}

impl std::fmt::Debug for Detector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Detector")
            .field("settings", &self.settings)
            .field("shape", &self.columns.shape)
            .field("counts", &self.counts)
            .finish_non_exhaustive()
    }
}

/// Checks, before a training, that a detector of `training` could score `samples`.
///
/// # Errors
/// As [`Detector::check`].
pub fn check_alike(training: &Samples, samples: &Samples) -> Result<()> {
    Columns::of(training).check(samples)?;
    refuse_missing(samples)
}

impl Columns {
    fn of(samples: &Samples) -> Self {
        let schema = samples.table().map(|table| table.schema.clone());
        Self { shape: samples.shape().clone(), schema }
    }

    fn check(&self, samples: &Samples) -> Result<()> {
        let names = |schema: &Schema| {
            schema.column_names().into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        let schema = samples.table().map(|table| &table.schema);
        if let (Some(ours), Some(theirs)) = (&self.schema, schema) {
            let (ours, theirs) = (names(ours), names(theirs));
            let lacks = |these: &[String], those: &[String]| {
                let absent = those.iter().filter(|name| !these.contains(name));
                absent.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
            };
            if ours != theirs {
                let (missing, extra) = (lacks(&theirs, &ours), lacks(&ours, &theirs));
                let problem = match (missing.is_empty(), extra.is_empty()) {
                    (false, true) => format!("without {missing}"),
                    (true, false) => format!("with {extra} as well"),
                    (false, false) => format!("without {missing}, with {extra}"),
                    (true, true) => "the same ones in another order".to_owned(),
                };
                return Err(Error::Unsuitable(format!(
                    "columns: expected those that the detector was trained on ({}), got {problem}",
                    ours.join(", ")
                )));
            }
        }
        if samples.shape() != &self.shape {
            return Err(Error::Unsuitable(format!(
                "expected samples of {}, as the detector was trained on, got {}",
                self.shape,
                samples.shape()
            )));
        }
        Ok(())
    }
}

fn refuse_missing(samples: &Samples) -> Result<()> {
    let count = samples.try_missing()?;
    if count == 0 {
        return Ok(());
    }
    let (mut row, mut feature) = (0, 0);
    for at in 0..samples.len() {
        if let Some(first) = samples.try_missing_in(at)?.iter().position(|is_missing| *is_missing) {
            (row, feature) = (at, first);
            break;
        }
    }
    let names = samples.table().map(|table| table.schema.feature_names());
    let name = names.and_then(|names| names.get(feature).cloned());
    let name = name.unwrap_or_else(|| feature.to_string());
    let place = samples.place(row);
    let cells = if count == 1 { "1 cell is".to_owned() } else { format!("{count} cells are") };
    Err(Error::Unsuitable(format!(
        "{cells} missing (the first is `{name}` of row {place}), and anomaly detection needs all; fill them with \
         `ae impute`"
    )))
}

fn of_kind(scores: &KindScores, kind: ScoreKind) -> Result<&Vec<f64>> {
    let found = scores.iter().find(|(known, _)| *known == kind).map(|(_, scores)| scores);
    found.ok_or_else(|| {
        let names: Vec<_> = scores.iter().map(|(kind, _)| kind.name()).collect();
        let expected = format!("one of {}, which this detector has", names.join(", "));
        Error::setting("score", expected, kind)
    })
}

/// Refuses a model whose reconstructions hardly vary.
fn refuse_collapsed(rows: &[f32], residuals: &[f32], width: usize) -> Result<()> {
    let reconstructions: Vec<f32> = rows.iter().zip(residuals).map(|(x, r)| x - r).collect();
    let variance = total_variance(&reconstructions, width);
    match variance >= LEAST_VARIANCE * total_variance(rows, width) {
        true => Ok(()),
        false => Err(collapsed()),
    }
}

/// The sum of the variances of all features.
fn total_variance(rows: &[f32], width: usize) -> f64 {
    let count = (rows.len() / width).max(1) as f64;
    let of_feature = |feature: usize| {
        let values = || rows.iter().skip(feature).step_by(width).map(|x| f64::from(*x));
        let mean = values().sum::<f64>() / count;
        values().map(|x| (x - mean).powi(2)).sum::<f64>() / count
    };
    (0..width).map(of_feature).sum()
}

/// Training and scale rows without the share of each that is most unusual.
fn trim(
    network: &Network,
    [training, scale]: [&[f32]; 2],
    width: usize,
    settings: &DetectorSettings,
    device: &Device,
) -> Result<[Vec<f32>; 2]> {
    let outputs = [training, scale].map(|rows| network.outputs(rows, None, device));
    let statistics =
        Statistics::fit((training, &outputs[0]), (scale, &outputs[1]), width, settings)?;
    let of_training = statistics.training_scores(&outputs[0], width);
    let of_scale = statistics.scale_scores();
    let kept = |rows: &[f32], scores: &KindScores| -> Result<Vec<f32>> {
        let scores = of_kind(scores, ScoreKind::All)?;
        let mut order: Vec<usize> = (0..scores.len()).collect();
        order.sort_by(|a, b| scores[*a].total_cmp(&scores[*b]));
        order.truncate(settings.kept(scores.len()));
        order.sort_unstable();
        Ok(order.iter().flat_map(|row| &rows[row * width..(row + 1) * width]).copied().collect())
    };
    Ok([kept(training, &of_training)?, kept(scale, &of_scale)?])
}

#[cfg(test)]
mod tests;
