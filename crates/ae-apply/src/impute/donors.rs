//! What cells that were held back say about a prediction: how far off it may be, and which values are
//! found near it.

use rand::RngExt;

/// The donors of predictive mean matching (Little 1988, doi 10.1080/07350015.1988.10509663). With five, as is
/// usual, and five models, the quantiles of draws come from 25 values and were too narrow: of six tables they had
/// 84 to 94 % of the values where 90 were meant. Ten are what Morris et al. 2014 recommend (doi
/// 10.1186/1471-2288-14-75).
const NEAREST: usize = 10;

/// The share of all pairs whose errors make an interval, and their least number.
const LOCAL: f64 = 0.2;
const LEAST: usize = 60;

/// The interval that has another value of the same distribution as `sorted` with a probability of `level`: from
/// the value of rank `k = (n + 1) (1 - level) / 2` to that of rank `n + 1 - k`, counted from 1 and interpolated
/// between ranks. Another value has each of the `n + 1` ranks among the others with the same probability, so
/// `k / (n + 1)` of them are left out at each end. `None` if `k` is below 1.
pub(crate) fn central(sorted: &[f64], level: f64) -> Option<[f64; 2]> {
    let n = sorted.len();
    let k = (n + 1) as f64 * (1.0 - level) / 2.0 + 1e-9;
    if n == 0 || k < 1.0 {
        return None;
    }
    let at = |rank: f64| {
        let (whole, part) = (rank.floor(), rank.fract());
        let [low, high] = [whole, whole + 1.0].map(|it| sorted[(it as usize).clamp(1, n) - 1]);
        low + part * (high - low)
    };
    Some([at(k), at((n + 1) as f64 - k)])
}

/// Predictions of cells of one column that no model was fitted to, in ascending order, and their values, in
/// the column's units.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Donors {
    pub predictions: Vec<f64>,
    pub values: Vec<f64>,
}

impl Donors {
    /// Of pairs of predictions and values.
    pub(crate) fn of(mut pairs: Vec<(f64, f64)>) -> Self {
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let (predictions, values) = pairs.into_iter().unzip();
        Self { predictions, values }
    }

    pub(crate) fn len(&self) -> usize {
        self.predictions.len()
    }

    /// The pairs with the nearest predictions, as a range, at most `count`.
    fn nearest(&self, prediction: f64, count: usize) -> std::ops::Range<usize> {
        let at = self.predictions.partition_point(|it| *it < prediction);
        let (mut start, mut end) = (at, at);
        while end - start < count.min(self.len()) {
            let below = start.checked_sub(1).map(|it| prediction - self.predictions[it]);
            let above = self.predictions.get(end).map(|it| it - prediction);
            match (below, above) {
                (Some(below), Some(above)) if below <= above => start -= 1,
                (Some(_), None) => start -= 1,
                _ => end += 1,
            }
        }
        start..end
    }

    /// The value of one of the ten cells with the nearest predictions, or the prediction if there are none.
    pub(crate) fn draw(&self, prediction: f64, generator: &mut impl rand::Rng) -> f64 {
        let nearest = self.nearest(prediction, NEAREST);
        match nearest.is_empty() {
            true => prediction,
            false => self.values[generator.random_range(nearest)],
        }
    }

    /// An interval that has the value with a probability of `level`: the [central] one of the errors of the
    /// fifth of all pairs with the nearest predictions (60 at least), without the pair `except`. `None` if
    /// these are too few.
    pub(crate) fn interval(
        &self,
        prediction: f64,
        level: f64,
        except: Option<usize>,
    ) -> Option<[f64; 2]> {
        let count = LEAST.max((LOCAL * self.len() as f64) as usize);
        let nearest = self.nearest(prediction, count + usize::from(except.is_some()));
        let others = nearest.filter(|at| Some(*at) != except);
        let mut errors: Vec<f64> =
            others.map(|at| self.values[at] - self.predictions[at]).collect();
        errors.sort_by(f64::total_cmp);
        let [low, high] = central(&errors, level)?;
        Some([prediction + low, prediction + high])
    }

    /// How many of the values their intervals have, and how many there are.
    pub(crate) fn covered(&self, level: f64) -> (usize, usize) {
        let mut counts = (0, 0);
        for (at, (prediction, value)) in self.predictions.iter().zip(&self.values).enumerate() {
            if let Some([low, high]) = self.interval(*prediction, level, Some(at)) {
                counts.0 += usize::from((low..=high).contains(value));
                counts.1 += 1;
            }
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chacha20::ChaCha8Rng;
    use rand::SeedableRng;

    /// Predictions 0 to 18, each with an error of -9 to 9 that does not depend on it.
    fn donors() -> Donors {
        let pairs = (0..19).map(|i| (f64::from(i), f64::from(i + i * 7 % 19 - 9)));
        Donors::of(pairs.collect())
    }

    /// 20 (1 - 0.9) / 2 = 1: the smallest and the largest of the errors -9 to 9. At 0.8 the second ones, at 0.85
    /// half-way between.
    #[test]
    fn intervals_by_hand() {
        let donors = donors();
        let close = |level, [low, high]: [f64; 2]| {
            let [its_low, its_high] = donors.interval(5.0, level, None).unwrap();
            assert!((its_low - low).abs() < 1e-6 && (its_high - high).abs() < 1e-6, "{level}");
        };
        close(0.9, [-4.0, 14.0]);
        close(0.8, [-3.0, 13.0]);
        close(0.85, [-3.5, 13.5]);
        assert_eq!(donors.interval(5.0, 0.95, None), None);
        assert_eq!(Donors::default().interval(5.0, 0.5, None), None);
    }

    /// Of 1 to 100 at 90 %: k = 101 / 20 = 5.05, so from 5.05 to 95.95. Of 19 at 90 %: k = 1, from the first to
    /// the last; of 18 it is below 1.
    #[test]
    fn ranks_by_hand() {
        let values: Vec<f64> = (1..=100).map(f64::from).collect();
        let [low, high] = central(&values, 0.9).unwrap();
        assert!((low - 5.05).abs() < 1e-6 && (high - 95.95).abs() < 1e-6, "{low} {high}");
        let [low, high] = central(&values[..19], 0.9).unwrap();
        assert!((low - 1.0).abs() < 1e-6 && (high - 19.0).abs() < 1e-6, "{low} {high}");
        assert_eq!((central(&values[..18], 0.9), central(&[], 0.5)), (None, None));
    }

    #[test]
    fn a_draw_is_the_value_of_a_near_cell() {
        let donors = donors();
        assert_eq!(donors.nearest(3.2, 5), 1..6);
        assert_eq!(donors.nearest(4.9, NEAREST), 0..10);
        assert_eq!((donors.nearest(-9.0, 3), donors.nearest(99.0, 3)), (0..3, 16..19));
        assert_eq!(donors.nearest(0.0, 50), 0..19);
        let mut generator = ChaCha8Rng::seed_from_u64(1);
        let drawn: Vec<f64> = (0..200).map(|_| donors.draw(4.9, &mut generator)).collect();
        let near = &donors.values[0..10];
        assert!(drawn.iter().all(|value| near.contains(value)));
        assert!(near.iter().all(|value| drawn.contains(value)));
        assert_eq!(Donors::default().draw(3.2, &mut generator), 3.2);
    }

    /// Exchangeable errors: an interval of 90 % from 60 others has a fresh value with a probability between
    /// 0.9 and nearly so with interpolation.
    #[test]
    fn intervals_cover_what_they_say() {
        let mut generator = ChaCha8Rng::seed_from_u64(5);
        let pairs = (0..4000).map(|i| {
            let error: f64 = (0..6).map(|_| generator.random::<f64>() - 0.5).sum();
            (f64::from(i), f64::from(i) + error)
        });
        let (covered, all) = Donors::of(pairs.collect()).covered(0.9);
        assert_eq!(all, 4000);
        let rate = covered as f64 / all as f64;
        assert!((0.88..0.935).contains(&rate), "{rate}");
    }
}
