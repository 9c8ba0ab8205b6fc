//! Thresholds beyond the largest calibration score, by a model of the tail.

use crate::{Error, Result};

/// The excesses that a tail is fitted to at least.
const LEAST: usize = 30;

/// The quantile of the scores above which the tail begins, where that leaves enough of them.
const QUANTILE: f64 = 0.98;

/// The shape from which the tail is refused. The estimate is below 1 for any scores, and far too small where
/// the true one is above 1/2.
const HEAVIEST: f64 = 0.9;

/// Where the tail begins at the lowest.
const LOWEST_QUANTILE: f64 = 0.9;

/// The largest scores as a generalised Pareto distribution (peaks over threshold; Pickands 1975,
/// doi 10.1214/aos/1176343003).
///
/// The excesses `y = s - u` over a high quantile `u` have `P(Y > y) = (1 + xi y / sigma)^(-1 / xi)`, with `xi`
/// and `sigma` by probability-weighted moments (Hosking & Wallis 1987, doi 10.1080/00401706.1987.10488243):
/// with `a0 = mean(y)` and `a1 = sum_i (N - i) y_(i) / (N (N - 1))` over the ascending excesses,
/// `xi = 2 - a0 / (a0 - 2 a1)` and `sigma = 2 a0 a1 / (a0 - 2 a1)`.
///
/// The rate is as good as this model of the tail; nothing as general as for [`Conformal`](super::Conformal) is
/// known of it.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Tail {
    /// Where the tail begins, `u`.
    pub start: f64,
    /// The shape, `xi`: 0 for an exponential tail, above 0 for a heavy one.
    pub shape: f64,
    /// The scale, `sigma`.
    pub scale: f64,
    /// The scores in the tail, `N_u`.
    pub excesses: usize,
    /// All scores, `n`.
    pub scores: usize,
}

impl Tail {
    /// Fits the tail of scores. It begins at their 98 % quantile, or at a lower one down to 90 %, such that at
    /// least 30 scores are in it.
    ///
    /// # Errors
    /// If fewer than 30 scores are in the tail, or it is too heavy (`xi >= 0.9`).
    pub fn fit(scores: &[f64]) -> Result<Self> {
        let mut sorted = scores.to_vec();
        sorted.sort_by(f64::total_cmp);
        let n = sorted.len();
        let count = Self::excesses(n)?;
        let start = sorted[n - count - 1];
        let excesses: Vec<f64> = sorted[n - count..].iter().map(|score| score - start).collect();
        let (shape, scale) = pareto(&excesses);
        if !(shape < HEAVIEST && scale > 0.0 && scale.is_finite()) {
            let expected = "a tail with a mean (xi below 0.9) and a scale above 0";
            let got = format!("xi = {shape:.2}, sigma = {scale:.3}; take the conformal threshold");
            return Err(Error::setting("tail", expected, got));
        }
        Ok(Self { start, shape, scale, excesses: count, scores: n })
    }

    /// Checks that the tail of the scores of `rows` calibration rows has a threshold for a rate, unless it is too
    /// heavy.
    ///
    /// # Errors
    /// If there are too few rows, or the rate is not above 0 and at most that of the tail.
    pub fn check(rows: usize, rate: f64) -> Result<()> {
        share_of_tail(rate, Self::excesses(rows)?, rows).map(|_| ())
    }

    /// The number of excesses in the tail of `n` scores.
    fn excesses(n: usize) -> Result<usize> {
        let by_quantile = |q: f64| ((1.0 - q) * n as f64 + 1e-9).floor() as usize;
        let count = by_quantile(QUANTILE).max(LEAST).min(by_quantile(LOWEST_QUANTILE));
        if count < LEAST {
            let needed = (LEAST as f64 / (1.0 - LOWEST_QUANTILE)).round();
            let expected =
                format!("at least {needed} calibration rows, {LEAST} of them in the tail");
            return Err(Error::setting(
                "tail",
                expected,
                format!("{n} rows; give more normal rows"),
            ));
        }
        Ok(count)
    }

    /// The threshold that a share `rate` of normal rows is above: `u + (sigma / xi) ((q n / N_u)^-xi - 1)`, for
    /// `xi` near 0 `u - sigma ln(q n / N_u)`.
    ///
    /// # Errors
    /// If the rate is not above 0 and at most that of the tail, `N_u / n`.
    pub fn threshold(&self, rate: f64) -> Result<f64> {
        let share = share_of_tail(rate, self.excesses, self.scores)?;
        let excess = match self.shape.abs() < 1e-6 {
            true => -self.scale * share.ln(),
            false => self.scale / self.shape * (share.powf(-self.shape) - 1.0),
        };
        Ok(self.start + excess)
    }
}

/// The share of the tail that is above the threshold for a rate.
fn share_of_tail(rate: f64, excesses: usize, scores: usize) -> Result<f64> {
    let of_tail = excesses as f64 / scores as f64;
    if rate > 0.0 && rate <= of_tail {
        return Ok(rate / of_tail);
    }
    let expected = format!("a number above 0 and at most {of_tail:.4}, the share of the tail");
    let got = format!("{rate}; take the conformal threshold for larger rates");
    Err(Error::setting("rate of false alarms", expected, got))
}

/// Shape and scale of a generalised Pareto distribution, from ascending excesses.
fn pareto(excesses: &[f64]) -> (f64, f64) {
    let n = excesses.len() as f64;
    let mean = excesses.iter().sum::<f64>() / n;
    let weighted = excesses.iter().enumerate().map(|(at, y)| (n - 1.0 - at as f64) * y);
    let a1 = weighted.sum::<f64>() / (n * (n - 1.0));
    let spread = mean - 2.0 * a1;
    (2.0 - mean / spread, 2.0 * mean * a1 / spread)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chacha20::ChaCha8Rng;
    use rand::{RngExt, SeedableRng};

    /// Excesses 1, 2, 6: a0 = 3, a1 = (2 * 1 + 1 * 2) / 6 = 2/3, a0 - 2 a1 = 5/3,
    /// xi = 2 - 9/5 = 1/5, sigma = 4 / (5/3) = 12/5.
    #[test]
    fn moments_by_hand() {
        let (shape, scale) = pareto(&[1.0, 2.0, 6.0]);
        assert!((shape - 0.2).abs() < 1e-12 && (scale - 2.4).abs() < 1e-12, "{shape} {scale}");
    }

    /// u = 5, sigma = 2, 40 of 400: at q = 0.001, q n / N_u = 0.01. xi = 1/2: 5 + 4 (10 - 1) = 41;
    /// xi = 0: 5 + 2 ln 100.
    #[test]
    fn thresholds_by_hand() {
        let tail = |shape| Tail { start: 5.0, shape, scale: 2.0, excesses: 40, scores: 400 };
        assert!((tail(0.5).threshold(0.001).unwrap() - 41.0).abs() < 1e-9);
        assert!((tail(0.0).threshold(0.001).unwrap() - 5.0 - 2.0 * 100f64.ln()).abs() < 1e-9);
        assert_eq!(tail(0.5).threshold(0.1).unwrap(), 5.0);
        assert!(tail(0.5).threshold(0.2).is_err());
        assert!(tail(0.5).threshold(0.0).is_err());
    }

    /// 20,000 exponential scores: above ln(1000) are 1 in 1000.
    #[test]
    fn finds_an_exponential_tail() {
        let mut generator = ChaCha8Rng::seed_from_u64(2);
        let mut score = || -generator.random_range(f64::EPSILON..1.0).ln();
        let scores: Vec<f64> = (0..20_000).map(|_| score()).collect();
        let tail = Tail::fit(&scores).unwrap();
        assert_eq!((tail.excesses, tail.scores), (400, 20_000));
        assert!(tail.shape.abs() < 0.2, "{tail:?}");
        assert!((tail.threshold(0.001).unwrap() - 1000f64.ln()).abs() < 0.3, "{tail:?}");
    }

    #[test]
    fn few_rows_and_heavy_tails_are_refused() {
        let few = Tail::fit(&vec![1.0; 299]).unwrap_err().to_string();
        let expected = "tail: expected at least 300 calibration rows, 30 of them in the tail, got 299 rows; \
                        give more normal rows";
        assert_eq!(few, expected);
        let heavy: Vec<f64> = (1..=400).map(|i| (f64::from(i) / 400.0).powi(-8)).collect();
        let message = Tail::fit(&heavy).unwrap_err().to_string();
        assert!(message.starts_with("tail: expected a tail with a mean"), "{message}");
        assert!(Tail::fit(&vec![1.0; 400]).is_err());
    }
}
