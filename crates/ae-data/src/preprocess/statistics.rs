//! The statistics that preprocessing is fitted to: moments, extremes and quartiles.

use super::Method;
use crate::Samples;

/// Running mean and variance (Welford 1962), minimum and maximum.
#[derive(Clone)]
pub(super) struct Statistics {
    count: f64,
    mean: f64,
    squares: f64,
    minimum: f64,
    maximum: f64,
}

impl Default for Statistics {
    fn default() -> Self {
        Self {
            count: 0.0,
            mean: 0.0,
            squares: 0.0,
            minimum: f64::INFINITY,
            maximum: f64::NEG_INFINITY,
        }
    }
}

impl Statistics {
    /// The statistics of each group of adjacent features, without missing values.
    pub(super) fn of(samples: &Samples, groups: usize) -> Vec<Self> {
        let mut statistics = vec![Self::default(); groups];
        let mut row = vec![0.0; samples.width()];
        for index in 0..samples.len() {
            samples.copy_raw_row(index, &mut row);
            for (values, statistics) in row.chunks_exact(row.len() / groups).zip(&mut statistics) {
                let there = values.iter().filter(|value| !value.is_nan());
                there.for_each(|value| statistics.add(*value));
            }
        }
        statistics
    }

    fn add(&mut self, value: f64) {
        self.count += 1.0;
        let delta = value - self.mean;
        self.mean += delta / self.count;
        self.squares += delta * (value - self.mean);
        self.minimum = self.minimum.min(value);
        self.maximum = self.maximum.max(value);
    }

    /// Offset and scale by `method`. `exact`: values are as the file has them, so only a spread of the
    /// size of f64 rounding counts as none.
    pub(super) fn offset_and_scale(&self, method: Method, exact: bool) -> (f64, f64) {
        if self.count == 0.0 {
            return (0.0, 1.0);
        }
        let (offset, scale) = match method {
            Method::None | Method::Robust => (0.0, 1.0),
            Method::Scale => (0.0, self.maximum.abs().max(self.minimum.abs())),
            Method::MinMax => (self.minimum, self.maximum - self.minimum),
            Method::Standardize => (self.mean, (self.squares / self.count).sqrt()),
        };
        (offset, if is_constant(scale, self.mean, exact) { 1.0 } else { scale })
    }
}

/// Whether a spread is only rounding error of the mean.
fn is_constant(spread: f64, mean: f64, exact: bool) -> bool {
    let rounding = if exact { 4.0 * f64::EPSILON } else { 1e-7 };
    spread <= mean.abs() * rounding || (spread as f32) < f32::MIN_POSITIVE
}

/// Median and interquartile range of each group of adjacent features, interpolated linearly as by
/// NumPy's `quantile`.
pub(super) fn quartiles(samples: &Samples, groups: usize) -> Vec<(f64, f64)> {
    let deviations = Statistics::of(samples, groups);
    let neighbours = samples.width() / groups;
    let mut pairs = vec![];
    for (group, deviation) in deviations.iter().enumerate() {
        let mut values = vec![];
        for row in 0..samples.len() {
            let group = group * neighbours..(group + 1) * neighbours;
            let there = group.map(|feature| samples.raw_value(row, feature));
            values.extend(there.filter(|value| !value.is_nan()));
        }
        if values.is_empty() {
            pairs.push((0.0, 1.0));
            continue;
        }
        values.sort_by(f64::total_cmp);
        let at = |fraction: f64| {
            let place = fraction * (values.len() - 1) as f64;
            let (below, above) = (values[place.floor() as usize], values[place.ceil() as usize]);
            below + (above - below) * place.fract()
        };
        let (median, range) = (at(0.5), at(0.75) - at(0.25));
        let exact = samples.is_exact();
        let scale = match is_constant(range, median, exact) {
            true => deviation.offset_and_scale(Method::Standardize, exact).1,
            false => range,
        };
        pairs.push((median, scale));
    }
    pairs
}
