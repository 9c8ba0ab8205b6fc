//! Which rows a detector is trained on, scaled by and calibrated on.

use ae_data::Samples;
use chacha20::ChaCha8Rng;
use rand::SeedableRng;
use rand::seq::SliceRandom;

use super::DetectorSettings;
use super::statistics::check_covariance;
use super::{Counts, ScoreKind, refuse_missing};
use crate::{Error, Result};

/// Rows of each part at least: statistics of fewer mean little.
const LEAST: usize = 5;

/// Scale rows at most, unless the covariance of errors needs more.
const MOST_SCALE: usize = 1000;

/// Calibration rows at most: the rate at which rows are flagged is then known to a tenth of itself at 1 %.
const MOST_CALIBRATION: usize = 20_000;

/// The indices of the rows of each part, no row in two.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Parts {
    pub(crate) training: Vec<usize>,
    pub(crate) scale: Vec<usize>,
    pub(crate) calibration: Vec<usize>,
}

impl DetectorSettings {
    /// How many rows of samples each part will have, without a training.
    ///
    /// # Errors
    /// If a setting is out of its range, a cell is missing, there are too few rows, or too few for the score.
    pub fn counts(&self, samples: &Samples) -> Result<Counts> {
        self.check()?;
        refuse_missing(samples)?;
        let parts = Parts::draw(samples.len(), samples.width(), self)?;
        let [training, scale] = [parts.training, parts.scale].map(|rows| rows.len());
        let [kept, kept_scale] = [training, scale].map(|count| self.kept(count));
        if self.score == ScoreKind::Residual {
            check_covariance(samples.width(), kept_scale)?;
        }
        Ok(Counts {
            training: kept,
            scale: kept_scale,
            calibration: parts.calibration.len(),
            trimmed: training + scale - kept - kept_scale,
        })
    }

    /// How many of a number of rows are left when they are trimmed.
    pub(crate) fn kept(&self, count: usize) -> usize {
        ((1.0 - self.trim) * count as f64).ceil() as usize
    }
}

impl Parts {
    /// Draws the parts. Copies of a row may be in several: a new row may be a copy as well, and only a random
    /// draw makes calibration rows exchangeable with new ones.
    pub(crate) fn draw(count: usize, width: usize, settings: &DetectorSettings) -> Result<Self> {
        let share = |share: f64, most: usize| ((share * count as f64) as usize).clamp(LEAST, most);
        let scale = share(settings.scale, MOST_SCALE.max(6 * width));
        let calibration = share(settings.calibration, MOST_CALIBRATION);
        if count < scale + calibration + 2 * LEAST {
            return Err(Error::Unsuitable(format!(
                "{count} rows are too few to train on, to scale by and to calibrate on; expected at least {}",
                4 * LEAST
            )));
        }
        let mut rows: Vec<usize> = (0..count).collect();
        rows.shuffle(&mut ChaCha8Rng::seed_from_u64(settings.seed));
        let mut take = |count: usize| rows.split_off(rows.len() - count);
        let (calibration, scale) = (take(calibration), take(scale));
        rows.truncate(settings.most_rows);
        Ok(Self { training: rows, scale, calibration })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_in_one_part() {
        let settings = DetectorSettings::default();
        let parts = Parts::draw(200, 4, &settings).unwrap();
        assert_eq!(
            [&parts.training, &parts.scale, &parts.calibration].map(Vec::len),
            [130, 30, 40]
        );
        let mut all = [parts.training, parts.scale, parts.calibration].concat();
        all.sort_unstable();
        assert_eq!(all, (0..200).collect::<Vec<_>>());
    }

    #[test]
    fn few_rows_are_refused_and_many_are_drawn_from() {
        let settings = DetectorSettings::default();
        assert!(Parts::draw(20, 4, &settings).is_ok());
        let message = Parts::draw(19, 4, &settings).unwrap_err().to_string();
        let expected = "19 rows are too few to train on, to scale by and to calibrate on; expected at least 20";
        assert_eq!(message, expected);
        let parts = Parts::draw(200_000, 4, &settings).unwrap();
        let counts = [&parts.training, &parts.scale, &parts.calibration].map(Vec::len);
        assert_eq!(counts, [10_000, 1000, 20_000]);
    }
}
