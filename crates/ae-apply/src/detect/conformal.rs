//! P-values and thresholds whose rate of false alarms is known.

use super::significance::Significance;
use crate::gamma::ln_gamma;
use crate::{Error, Result};

/// The scores of normal rows that nothing was fitted to, by which new scores are judged.
///
/// For a new row that is exchangeable with these `n` rows, the p-value of its score `s`,
/// `p = (1 + #{i: s_i >= s}) / (n + 1)`, is at most `a` with a probability of at most `a`, whatever the score
/// is (Vovk, Gammerman & Shafer 2005, doi 10.1007/b106715). The probability is over calibration rows and new row
/// together: given the calibration rows at hand, the rate of false alarms is above `a` for some draws of them and
/// below it for others ([`ConformalThreshold::interval`]). Nor is it the share of flagged rows that are false
/// alarms; the procedure of Benjamini and Hochberg on these p-values bounds the mean of that share (Bates et al.
/// 2023, doi 10.1214/22-AOS2244).
///
/// ```
/// use ae_apply::detect::Conformal;
/// let conformal = Conformal::new((1..=19).map(f64::from).collect())?;
/// assert_eq!(conformal.p(19.5), 1.0 / 20.0);
/// assert_eq!(conformal.threshold(0.05)?.score, 19.0);
/// # Ok::<(), ae_apply::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Conformal {
    /// Ascending.
    scores: Vec<f64>,
}

/// A threshold: what is above it is flagged.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct ConformalThreshold {
    /// The largest score that is not flagged.
    pub score: f64,
    /// The rate of false alarms asked for.
    pub rate: f64,
    /// The number of calibration rows, `n`.
    pub rows: usize,
    /// The place of the threshold among their scores, from 1.
    pub rank: usize,
}

impl Conformal {
    /// Calibrated on these scores.
    ///
    /// # Errors
    /// If there are none, or one is not a number.
    pub fn new(mut scores: Vec<f64>) -> Result<Self> {
        if scores.is_empty() || scores.iter().any(|score| score.is_nan()) {
            let got = if scores.is_empty() { "none" } else { "NaN" };
            return Err(Error::setting("calibration scores", "numbers, at least one", got));
        }
        scores.sort_by(f64::total_cmp);
        Ok(Self { scores })
    }

    /// The scores, ascending.
    pub fn scores(&self) -> &[f64] {
        &self.scores
    }

    /// The p-value of a score, `(1 + #{i: s_i >= s}) / (n + 1)`.
    pub fn p(&self, score: f64) -> f64 {
        let below = self.scores.partition_point(|known| *known < score);
        (1 + self.scores.len() - below) as f64 / (self.scores.len() + 1) as f64
    }

    /// The smallest rate that a threshold can have, `1 / (n + 1)`.
    pub fn smallest_rate(&self) -> f64 {
        1.0 / (self.scores.len() + 1) as f64
    }

    /// The threshold for a rate of false alarms of at most `rate`: the score of this [rank](Self::rank).
    ///
    /// # Errors
    /// As [`rank`](Self::rank).
    pub fn threshold(&self, rate: f64) -> Result<ConformalThreshold> {
        let rows = self.scores.len();
        let rank = Self::rank(rows, rate)?;
        Ok(ConformalThreshold { score: self.scores[rank - 1], rate, rows, rank })
    }

    /// How unusual scores are, as `-ln p`, where `p` falls with every growth of the score. Scores of different
    /// detectors cannot be compared, these can; and the p-values of all scores above the largest calibration
    /// score are equal, these are not.
    ///
    /// Between calibration scores it is interpolated. Above the largest fifth of them it is a Pareto tail,
    /// `-ln p = ln((n + 1) / (k + 1)) + ln(s / u) / xi`, with `u` the largest score below the `k` largest and `xi`
    /// the mean of `ln(s_i / u)` over these (Hill 1975, doi 10.1214/aos/1176343247). It orders
    /// scores, and need not be a valid p-value as [`p`](Self::p) is. Scores have to be above 0.
    pub fn significances(&self, scores: &[f64]) -> Vec<f64> {
        let scale = Significance::new(&self.scores);
        scores.iter().map(|score| scale.of(*score)).collect()
    }

    /// The rank, from 1, of the threshold among the scores of `rows` calibration rows:
    /// `ceil((rows + 1)(1 - rate))`.
    ///
    /// # Errors
    /// If the rate is not above 0 and below 1, or there are too few rows for it.
    pub fn rank(rows: usize, rate: f64) -> Result<usize> {
        if !(rate > 0.0 && rate < 1.0) {
            return Err(Error::setting(
                "rate of false alarms",
                "a number above 0 and below 1",
                rate,
            ));
        }
        // (1 - 0.05) 20 is 19, though not in floating point.
        let rank = ((rows + 1) as f64 * (1.0 - rate) - 1e-9).ceil().max(1.0) as usize;
        if rank > rows {
            let needed = (1.0 / rate - 1e-9).ceil() as usize - 1;
            return Err(Error::TooFewToCalibrate { one_in: 1.0 / rate, needed, rows });
        }
        Ok(rank)
    }
}

impl ConformalThreshold {
    /// The rates between which the rate of false alarms of this threshold is for 95 % of draws of the calibration
    /// rows, where scores have no ties: the quantiles 0.025 and 0.975 of `Beta(n + 1 - k, k)`, `k` the rank.
    pub fn interval(&self) -> [f64; 2] {
        let a = self.rows + 1 - self.rank;
        [0.025, 0.975].map(|level| beta_quantile(level, a, self.rank))
    }

    /// The numbers of false alarms between which 95 % of draws of calibration rows and of `fresh` normal rows
    /// lie: quantiles of the beta-binomial distribution.
    pub fn alarms(&self, fresh: usize) -> [usize; 2] {
        let a = (self.rows + 1 - self.rank) as f64;
        let b = self.rank as f64;
        let (m, mut sum) = (fresh as f64, 0.0);
        let mut bounds = [fresh; 2];
        let mut is_open = [true; 2];
        for count in 0..=fresh {
            let x = count as f64;
            sum += (ln_choose(m, x) + ln_beta(x + a, m - x + b) - ln_beta(a, b)).exp();
            for (at, level) in [0.025, 0.975].into_iter().enumerate() {
                if is_open[at] && sum >= level {
                    bounds[at] = count;
                    is_open[at] = false;
                }
            }
        }
        bounds
    }
}

/// The quantile of a beta distribution with whole parameters, by bisection.
fn beta_quantile(level: f64, a: usize, b: usize) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if beta_cdf(middle, a, b) < level { low = middle } else { high = middle }
    }
    (low + high) / 2.0
}

/// `P(X <= x)` is the probability of at least `a` successes in `a + b - 1` trials of probability `x`.
fn beta_cdf(x: f64, a: usize, b: usize) -> f64 {
    let trials = (a + b - 1) as f64;
    let probability = |k: usize| {
        let k = k as f64;
        (ln_choose(trials, k) + k * x.ln() + (trials - k) * (-x).ln_1p()).exp()
    };
    1.0 - (0..a).map(probability).sum::<f64>()
}

fn ln_beta(a: f64, b: f64) -> f64 {
    ln_gamma(a) + ln_gamma(b) - ln_gamma(a + b)
}

fn ln_choose(n: f64, k: f64) -> f64 {
    ln_gamma(n + 1.0) - ln_gamma(k + 1.0) - ln_gamma(n - k + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chacha20::ChaCha8Rng;
    use rand::{RngExt, SeedableRng};

    /// Scores 1 to 4: s = 3 has 2 at or above it, p = 3/5; s = 5 has p = 1/5.
    /// At a = 0.4, k = ceil(5 * 0.6) = 3: what is above 3 is flagged.
    #[test]
    fn p_and_threshold_by_hand() {
        let conformal = Conformal::new(vec![3.0, 1.0, 4.0, 2.0]).unwrap();
        assert_eq!([3.0, 5.0, 0.0].map(|s| conformal.p(s)), [0.6, 0.2, 1.0]);
        let threshold = conformal.threshold(0.4).unwrap();
        assert_eq!((threshold.score, threshold.rank), (3.0, 3));
        // A row is flagged exactly if its p-value is at most the rate.
        for score in [0.5, 1.0, 2.5, 3.0, 3.5, 4.0, 9.0] {
            assert_eq!(score > threshold.score, conformal.p(score) <= 0.4, "{score}");
        }
    }

    #[test]
    fn too_few_rows_are_refused_with_what_is_possible() {
        let conformal = Conformal::new(vec![1.0; 400]).unwrap();
        let message = conformal.threshold(0.001).unwrap_err().to_string();
        assert_eq!(
            message,
            "1 false alarm in 1000 needs 999 normal rows to calibrate on, got 400; the smallest possible \
             rate is 1 in 401 (0.00249); ask for it, give more normal rows, or take --tail"
        );
        assert!(conformal.threshold(1.0 / 401.0).is_ok());
        assert!(Conformal::new(vec![1.0; 19]).unwrap().threshold(0.05).is_ok());
        assert!(Conformal::new(vec![1.0; 99]).unwrap().threshold(0.01).is_ok());
        assert!(Conformal::new(vec![1.0; 98]).unwrap().threshold(0.01).is_err());
        for rate in [0.0, 1.0, f64::NAN] {
            assert!(conformal.threshold(rate).is_err());
        }
        assert!(Conformal::new(vec![]).is_err());
        assert!(Conformal::new(vec![f64::NAN]).is_err());
    }

    /// n = 1, k = 1: Beta(1, 1) is uniform. n = 2, k = 2: Beta(1, 2), P(X <= x) = 1 - (1 - x)^2.
    /// Of 2 fresh rows and n = 1, k = 1, each count has the probability 1/3.
    #[test]
    fn interval_by_hand() {
        let of = |rows, rank| ConformalThreshold { score: 0.0, rate: 0.5, rows, rank };
        let near = |got: f64, expected: f64| assert!((got - expected).abs() < 1e-9, "{got}");
        let [low, high] = of(1, 1).interval();
        near(low, 0.025);
        near(high, 0.975);
        let [low, high] = of(2, 2).interval();
        near(low, 1.0 - 0.975f64.sqrt());
        near(high, 1.0 - 0.025f64.sqrt());
        assert_eq!(of(1, 1).alarms(2), [0, 2]);
    }

    /// 4,000 draws of 99 calibration scores and 20 fresh ones, heavy-tailed. The mean rate of false alarms is
    /// 5 % with a standard error of 0.1 %, and 95 % of realised counts are within the interval.
    #[test]
    fn the_rate_of_false_alarms_is_kept() {
        let mut generator = ChaCha8Rng::seed_from_u64(4);
        let mut score = || 1.0 / generator.random_range(f64::EPSILON..1.0);
        let (mut alarms, mut inside) = (0, 0);
        let draws = 4000;
        for _ in 0..draws {
            let conformal = Conformal::new((0..99).map(|_| score()).collect()).unwrap();
            let threshold = conformal.threshold(0.05).unwrap();
            let count = (0..20).filter(|_| score() > threshold.score).count();
            let [low, high] = threshold.alarms(20);
            alarms += count;
            inside += usize::from((low..=high).contains(&count));
        }
        let rate = alarms as f64 / (20 * draws) as f64;
        // A count has the variance m p (1 - p)(n + 1 + m) / (n + 2).
        let deviation = (0.05 * 0.95 * 120.0 / 101.0 / 20.0 / draws as f64).sqrt();
        assert!((rate - 0.05).abs() < 4.0 * deviation, "{rate}");
        assert!(inside as f64 >= 0.95 * draws as f64 - 60.0, "{inside}");
    }
}
