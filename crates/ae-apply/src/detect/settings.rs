//! The settings of a detector.

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// What a detector scores rows by. Larger scores are more unusual.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum ScoreKind {
    /// The combination of `error` and `joint` by Fisher's method.
    #[default]
    All,
    /// The error of the reconstruction, each feature in units of its usual error.
    Error,
    /// The error of the reconstruction, by the covariance of errors.
    Residual,
    /// The Mahalanobis distance of the code.
    Latent,
    /// The distance of the whitened code to those of its nearest training rows.
    Neighbours,
    /// The distance of the whitened code and the residual to those of the nearest training rows.
    Joint,
    /// The error of predicting hidden cells from the others, each feature in units of its usual error.
    Masked,
    /// The distance of the row to its nearest training rows. It needs no autoencoder.
    Rows,
}

impl ScoreKind {
    /// All kinds, the default first.
    pub const KINDS: [Self; 8] = [
        Self::All,
        Self::Error,
        Self::Residual,
        Self::Latent,
        Self::Neighbours,
        Self::Joint,
        Self::Masked,
        Self::Rows,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Error => "error",
            Self::Residual => "residual",
            Self::Latent => "latent",
            Self::Neighbours => "neighbours",
            Self::Joint => "joint",
            Self::Masked => "masked",
            Self::Rows => "rows",
        }
    }
}

impl std::fmt::Display for ScoreKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// The settings of [`Detector::fit`](super::Detector::fit).
///
/// | field | default | range | meaning |
/// |---|---|---|---|
/// | `score` | all | | what rows are scored by, where nothing else is asked for |
/// | `scale` | 0.15 | above 0 | share of the rows that the statistics of scores are fitted to |
/// | `calibration` | 0.2 | above 0, with `scale` below 1 | share of the rows that thresholds are calibrated on |
/// | `trim` | 0 | from 0, below 0.5 | share of the training rows that is left out as too unusual |
/// | `hidden` | 128 | from 1 | units of the hidden layers |
/// | `code` | 48 | from 1 | units of the code |
/// | `hide` | 0.3 | above 0, below 1 | share of the cells that a training step hides |
/// | `steps` | 3000 | from 1 | training steps |
/// | `batch` | 64 | from 1 | rows of a step, at most a quarter of them |
/// | `rate` | 1e-3 | above 0 | largest learning rate of Adam; it falls along a cosine |
/// | `neighbours` | 3 | from 1 | nearest rows whose distance is averaged |
/// | `most_rows` | 10,000 | from 20 | training rows; of more, a random draw |
/// | `seed` | 0 | any | of the parts, the weights, the hidden cells |
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DetectorSettings {
    /// What rows are scored by.
    pub score: ScoreKind,
    /// Share of the rows that the statistics of scores are fitted to.
    pub scale: f64,
    /// Share of the rows that thresholds are calibrated on.
    pub calibration: f64,
    /// Share of the training rows that is left out as too unusual.
    pub trim: f64,
    /// Units of the hidden layers.
    pub hidden: usize,
    /// Units of the code.
    pub code: usize,
    /// Share of the cells that a training step hides.
    pub hide: f64,
    /// Training steps.
    pub steps: usize,
    /// Rows of a step.
    pub batch: usize,
    /// Largest learning rate.
    pub rate: f64,
    /// Nearest rows whose distance is averaged.
    pub neighbours: usize,
    /// Training rows at most.
    pub most_rows: usize,
    /// The seed of all that is drawn.
    pub seed: u64,
}

impl Default for DetectorSettings {
    fn default() -> Self {
        Self {
            score: ScoreKind::All,
            scale: 0.15,
            calibration: 0.2,
            trim: 0.0,
            hidden: 128,
            code: 48,
            hide: 0.3,
            steps: 3000,
            batch: 64,
            rate: 1e-3,
            neighbours: 3,
            most_rows: 10_000,
            seed: 0,
        }
    }
}

impl DetectorSettings {
    /// Checks that every setting is in its range.
    ///
    /// # Errors
    /// Names the first that is not.
    pub fn check(&self) -> Result<()> {
        let in_range = |what, value: f64, valid: bool, expected: &str| match valid {
            true => Ok(()),
            false => Err(Error::setting(what, expected, value)),
        };
        let parts = self.scale + self.calibration;
        in_range("scale", self.scale, self.scale > 0.0, "a share above 0")?;
        in_range("calibration", self.calibration, self.calibration > 0.0, "a share above 0")?;
        let expected = "less than 1 with the share of the scale rows";
        in_range("calibration", self.calibration, parts < 1.0, expected)?;
        let valid = (0.0..0.5).contains(&self.trim);
        in_range("trim", self.trim, valid, "a share from 0, below 0.5")?;
        let valid = self.hide > 0.0 && self.hide < 1.0;
        in_range("hide", self.hide, valid, "a share above 0, below 1")?;
        let valid = self.rate > 0.0 && self.rate.is_finite();
        in_range("learning rate", self.rate, valid, "a number above 0")?;
        for (what, value, least) in [
            ("hidden", self.hidden, 1),
            ("code", self.code, 1),
            ("steps", self.steps, 1),
            ("batch", self.batch, 1),
            ("neighbours", self.neighbours, 1),
            ("most_rows", self.most_rows, 20),
        ] {
            if value < least {
                return Err(Error::setting(what, format!("at least {least}"), value));
            }
        }
        Ok(())
    }
}

impl ScoreKind {
    /// The kinds that [`All`](Self::All) combines.
    pub(crate) const COMBINED: [Self; 2] = [Self::Error, Self::Joint];
}
