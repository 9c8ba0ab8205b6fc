//! What cells that were held back say about a prediction: how far off it may be, and which values are
//! found near it.

use ae_data::fnv1a;
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

/// As [`central`], of values that count by weights: item `i` has the rank `m (W_i - w_i / 2) / W + 1/2`, where `W_i` is the sum
/// of the weights up to it, `W` that of all, and `m = W^2 / sum w^2` the number of values with equal weights that would say as
/// much (Kish). With equal weights the rank of item `i` is `i`.
fn central_of(sorted: &[(f64, f64)], level: f64) -> Option<[f64; 2]> {
    let total: f64 = sorted.iter().map(|(_, weight)| weight).sum();
    let squares: f64 = sorted.iter().map(|(_, weight)| weight * weight).sum();
    let m = total * total / squares;
    let k = (m + 1.0) * (1.0 - level) / 2.0 + 1e-9;
    if sorted.is_empty() || k.is_nan() || k < 1.0 {
        return None;
    }
    let mut sum = 0.0;
    let ranks: Vec<f64> = sorted
        .iter()
        .map(|(_, weight)| {
            sum += weight;
            m * (sum - weight / 2.0) / total + 0.5
        })
        .collect();
    let at = |rank: f64| match ranks.partition_point(|it| *it <= rank) {
        0 => sorted[0].0,
        above if above == sorted.len() => sorted[above - 1].0,
        above => {
            let [low, high] = [above - 1, above].map(|it| sorted[it].0);
            low + (rank - ranks[above - 1]) / (ranks[above] - ranks[above - 1]) * (high - low)
        }
    };
    Some([at(k), at(m + 1.0 - k)])
}

/// Predictions of cells of one column that no model was fitted to, in ascending order, and their values, in
/// the column's units.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Donors {
    pub predictions: Vec<f64>,
    pub values: Vec<f64>,
    /// How much each counts; none: all alike.
    weights: Option<Vec<f64>>,
}

impl Donors {
    /// Of pairs of predictions and values, which count by `e^(tilt x)` of their values in deviations, `x`.
    pub(crate) fn of(mut pairs: Vec<(f64, f64)>, tilt: f64) -> Self {
        // Among equal predictions the nearest ones are any, and must not be those with the least values.
        let mixed = |value: f64| fnv1a([value.to_bits()]);
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0).then(mixed(a.1).cmp(&mixed(b.1))));
        let (predictions, values): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
        let n = values.len().max(1) as f64;
        let mean = values.iter().sum::<f64>() / n;
        let deviation = (values.iter().map(|it| (it - mean).powi(2)).sum::<f64>() / n).sqrt();
        let weights = (tilt != 0.0 && deviation > 0.0).then(|| {
            // A far outlier counts no more than one at four deviations.
            let weight = |it: &f64| (tilt * ((it - mean) / deviation).clamp(-4.0, 4.0)).exp();
            values.iter().map(weight).collect()
        });
        Self { predictions, values, weights }
    }

    fn weight(&self, at: usize) -> f64 {
        self.weights.as_ref().map_or(1.0, |weights| weights[at])
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

    /// The value of one of the ten cells with the nearest predictions, by their weights, or the prediction if there are
    /// none.
    pub(crate) fn draw(&self, prediction: f64, generator: &mut impl rand::Rng) -> f64 {
        let nearest = self.nearest(prediction, NEAREST);
        match &self.weights {
            _ if nearest.is_empty() => prediction,
            None => self.values[generator.random_range(nearest)],
            Some(weights) => {
                let total: f64 = weights[nearest.clone()].iter().sum();
                let mut left = generator.random::<f64>() * total;
                let last = nearest.end - 1;
                let drawn = nearest.into_iter().find(|at| {
                    left -= weights[*at];
                    left < 0.0
                });
                self.values[drawn.unwrap_or(last)]
            }
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
        let error = |at: usize| self.values[at] - self.predictions[at];
        let [low, high] = match &self.weights {
            None => {
                let mut errors: Vec<f64> = others.map(error).collect();
                errors.sort_by(f64::total_cmp);
                central(&errors, level)?
            }
            Some(weights) => {
                let mut errors: Vec<(f64, f64)> =
                    others.map(|at| (error(at), weights[at])).collect();
                errors.sort_by(|a, b| a.0.total_cmp(&b.0));
                central_of(&errors, level)?
            }
        };
        Some([prediction + low, prediction + high])
    }

    /// What the weights change in the mean of the errors that [`interval`](Self::interval) is made from.
    pub(crate) fn shift(&self, prediction: f64) -> f64 {
        let count = LEAST.max((LOCAL * self.len() as f64) as usize);
        let nearest = self.nearest(prediction, count);
        let (mut sum, mut weighted, mut total) = (0.0, 0.0, 0.0);
        for at in nearest.clone() {
            let (error, weight) = (self.values[at] - self.predictions[at], self.weight(at));
            sum += error;
            weighted += weight * error;
            total += weight;
        }
        match nearest.len() {
            0 => 0.0,
            n => weighted / total - sum / n as f64,
        }
    }

    /// The weight of the values that their intervals have, and that of all.
    pub(crate) fn covered(&self, level: f64) -> (f64, f64) {
        let mut sums = (0.0, 0.0);
        for (at, (prediction, value)) in self.predictions.iter().zip(&self.values).enumerate() {
            if let Some([low, high]) = self.interval(*prediction, level, Some(at)) {
                let weight = self.weight(at);
                sums.0 += if (low..=high).contains(value) { weight } else { 0.0 };
                sums.1 += weight;
            }
        }
        sums
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
        Donors::of(pairs.collect(), 0.0)
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

    /// Equal weights give the ranks of [`central`]. Of the values 1, 2, 3 with the weights 1, 1, 2: m = 16 / 6 = 8/3, ranks
    /// 8/3 * 0.5/4 + 0.5 = 0.8333, 1.5 and 2.5. At level 0.4: k = 11/3 * 0.3 = 1.1, so 1 + (1.1 - 0.8333) / 0.6667 = 1.4; and
    /// m + 1 - k = 2.5667 is above the last rank, so 3.
    #[test]
    fn weighted_ranks_by_hand() {
        let equal: Vec<(f64, f64)> = (1..=100).map(|it| (f64::from(it), 0.3)).collect();
        let values: Vec<f64> = equal.iter().map(|it| it.0).collect();
        let (found, expected) = (central_of(&equal, 0.9), central(&values, 0.9));
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-6, "{a} {b}");
        found.unwrap().into_iter().zip(expected.unwrap()).for_each(|(a, b)| close(a, b));
        let [low, high] = central_of(&[(1.0, 1.0), (2.0, 1.0), (3.0, 2.0)], 0.4).unwrap();
        close(low, 1.4);
        close(high, 3.0);
        assert_eq!((central_of(&equal[..18], 0.9), central_of(&[], 0.5)), (None, None));
    }

    /// All predictions are equal, as those of a column that nothing tells: an interval is that of all values.
    #[test]
    fn equal_predictions_have_the_intervals_of_all_values() {
        let pairs = (0..5000).map(|i| (1.0, f64::from(i) / 5000.0));
        let [low, high] = Donors::of(pairs.collect(), 0.0).interval(1.0, 0.9, None).unwrap();
        assert!((low - 0.05).abs() < 0.03 && (high - 0.95).abs() < 0.03, "{low} {high}");
    }

    /// Values that are missing with odds that grow with them: those that stay are too small, and so are intervals from them;
    /// with the tilt of the odds they have nine tenths of the missing ones again.
    #[test]
    fn a_tilt_is_that_of_what_is_missing() {
        let mut generator = ChaCha8Rng::seed_from_u64(6);
        let (mut known, mut missing) = (vec![], vec![]);
        for _ in 0..20_000 {
            let x: f64 = (0..12).map(|_| generator.random::<f64>()).sum::<f64>() - 6.0;
            let is_missing = generator.random::<f64>() < 1.0 / (1.0 + (1.0 - x).exp());
            if is_missing { missing.push(x) } else { known.push((0.0, x)) }
        }
        let share = |tilt: f64| {
            let [low, high] = Donors::of(known.clone(), tilt).interval(0.0, 0.9, None).unwrap();
            let inside = missing.iter().filter(|it| (low..=high).contains(*it)).count();
            inside as f64 / missing.len() as f64
        };
        let mean = missing.iter().sum::<f64>() / missing.len() as f64;
        let of_known = known.iter().map(|it| it.1).sum::<f64>() / known.len() as f64;
        let shift = Donors::of(known.clone(), 1.0).shift(0.0);
        assert!((of_known + shift - mean).abs() < 0.15, "{of_known} {shift} {mean}");
        let (plain, tilted) = (share(0.0), share(1.0));
        assert!(plain < 0.86 && (0.88..0.92).contains(&tilted), "{plain} {tilted}");
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
        let (covered, all) = Donors::of(pairs.collect(), 0.0).covered(0.9);
        assert_eq!(all, 4000.0);
        let rate = covered / all;
        assert!((0.88..0.935).contains(&rate), "{rate}");
    }
}
