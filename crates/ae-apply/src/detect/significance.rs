//! Scores of different kinds on one scale.

/// How unusual a score is, as `-ln p`, by the scores of the scale rows.
///
/// Between their scores it is `-ln` of the empirical share above, interpolated in the logarithm of the score.
/// Above the largest fifth, where that share would be 0 for most anomalies and rank none of them, it is a
/// Pareto tail: `-ln p = ln((n + 1) / (k + 1)) + ln(s / u) / xi`, with `u` the largest score below the `k`
/// largest and `xi` the mean of `ln(s_i / u)` over these (Hill 1975, doi 10.1214/aos/1176343247). It need not be
/// a true p-value: the sum is calibrated as any score.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Significance {
    /// Logarithms of the scores, ascending.
    logs: Vec<f64>,
    /// The number of scores in the tail, `k`.
    tail: usize,
    /// The logarithm of `u`.
    start: f64,
    /// The shape, `xi`.
    shape: f64,
}

/// The share of the scores that is the tail.
const TAIL: f64 = 0.2;

/// The smallest shape: many equal scores would have none.
const SMALLEST_SHAPE: f64 = 1e-3;

/// The smallest score, whose logarithm is finite.
const SMALLEST: f64 = 1e-30;

impl Significance {
    /// By the scores of at least two rows.
    pub(crate) fn new(scores: &[f64]) -> Self {
        let mut logs: Vec<f64> = scores.iter().map(|score| log(*score)).collect();
        logs.sort_by(f64::total_cmp);
        let n = logs.len();
        let tail = ((TAIL * n as f64) as usize).max(3).min(n.saturating_sub(1)).max(1);
        let start = logs[n.saturating_sub(tail + 1)];
        let excess: f64 = logs[n - tail..].iter().map(|log| log - start).sum();
        Self { tail, start, shape: (excess / tail as f64).max(SMALLEST_SHAPE), logs }
    }

    /// `-ln p` of a score.
    pub(crate) fn of(&self, score: f64) -> f64 {
        let (log, n) = (log(score), self.logs.len());
        let of_share = |below: f64| ((n + 1) as f64 / ((n + 1) as f64 - below)).ln();
        if log > self.start {
            return of_share((n - self.tail) as f64) + (log - self.start) / self.shape;
        }
        let below = self.logs.partition_point(|known| *known <= log);
        let Some(next) = self.logs.get(below) else { return of_share(below as f64) };
        let fraction = match below.checked_sub(1).map(|at| self.logs[at]) {
            Some(previous) if *next > previous => (log - previous) / (next - previous),
            _ => 0.0,
        };
        of_share(below as f64 + fraction)
    }
}

fn log(score: f64) -> f64 {
    score.max(SMALLEST).ln()
}

/// Fisher's combination of p-values, `-2 sum_m ln p_m` (Fisher 1932), from `-ln p_m`.
pub(crate) fn fisher(significances: impl Iterator<Item = f64>) -> f64 {
    2.0 * significances.sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Scores e^0 to e^4, n = 5: the tail has k = 3 of them, above u = e. xi = (1 + 2 + 3) / 3 = 2.
    /// e^0 has 1 of 5 at or below it: -ln(5/6). e^(1/2) is half way to the second: -ln(4.5/6).
    /// e^5 is in the tail: -ln(4/6) + 4 / 2.
    #[test]
    fn significance_by_hand() {
        let scores: Vec<f64> = (0..5).map(|i| f64::from(i).exp()).collect();
        let significance = Significance::new(&scores);
        let near = |score: f64, expected: f64| {
            let got = significance.of(score);
            assert!((got - expected).abs() < 1e-12, "{score}: {got} {expected}");
        };
        near(1.0, (6.0f64 / 5.0).ln());
        near(0.5f64.exp(), (6.0f64 / 4.5).ln());
        near(5f64.exp(), 1.5f64.ln() + 2.0);
        near(0.0, 0.0);
        assert_eq!(fisher([1.0, 2.5].into_iter()), 7.0);
    }

    proptest! {
        /// A larger score is never less unusual, also across the start of the tail and among ties.
        #[test]
        fn grows_with_the_score(
            scores in prop::collection::vec(0u8..20, 1..40),
            mut asked in prop::collection::vec(0.0f64..30.0, 2),
        ) {
            let scores: Vec<f64> = scores.into_iter().map(f64::from).collect();
            let significance = Significance::new(&scores);
            asked.sort_by(f64::total_cmp);
            prop_assert!(significance.of(asked[0]) <= significance.of(asked[1]) + 1e-12);
            prop_assert!(significance.of(asked[1]).is_finite());
        }
    }
}
