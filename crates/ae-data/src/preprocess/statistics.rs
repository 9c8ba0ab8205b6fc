//! The statistics that preprocessing is fitted to: moments, extremes and quartiles.

use super::Method;
use crate::{Result, Samples};

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
    pub(super) fn of(samples: &Samples, groups: usize) -> Result<Vec<Self>> {
        let mut statistics = vec![Self::default(); groups];
        let mut row = vec![0.0; samples.width()];
        for index in 0..samples.len() {
            samples.copy_raw_row(index, &mut row)?;
            for (values, statistics) in row.chunks_exact(row.len() / groups).zip(&mut statistics) {
                let there = values.iter().filter(|value| !value.is_nan());
                there.for_each(|value| statistics.add(*value));
            }
        }
        Ok(statistics)
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

/// The most values that are sorted at a time, unless one group has more.
const SORTED: usize = 1 << 23;

/// Median and interquartile range of each group of adjacent features, interpolated linearly as by
/// NumPy's `quantile`. Samples are read as often as it takes to sort a part of the groups at a time.
pub(super) fn quartiles(samples: &Samples, groups: usize) -> Result<Vec<(f64, f64)>> {
    let deviations = Statistics::of(samples, groups)?;
    let neighbours = samples.width() / groups;
    let at_once = (SORTED / (samples.len() * neighbours).max(1)).clamp(1, groups);
    let mut row = vec![0.0; samples.width()];
    let mut pairs = vec![];
    for first in (0..groups).step_by(at_once) {
        let mut of_groups = vec![vec![]; at_once.min(groups - first)];
        for index in 0..samples.len() {
            samples.copy_raw_row(index, &mut row)?;
            let parts = row[first * neighbours..].chunks_exact(neighbours);
            for (values, part) in of_groups.iter_mut().zip(parts) {
                values.extend(part.iter().filter(|value| !value.is_nan()));
            }
        }
        for (values, deviation) in of_groups.into_iter().zip(&deviations[first..]) {
            pairs.push(quartile(values, deviation, samples.is_exact()));
        }
    }
    Ok(pairs)
}

/// Median and interquartile range of one group.
fn quartile(mut values: Vec<f64>, deviation: &Statistics, exact: bool) -> (f64, f64) {
    if values.is_empty() {
        return (0.0, 1.0);
    }
    values.sort_by(f64::total_cmp);
    let at = |fraction: f64| {
        let place = fraction * (values.len() - 1) as f64;
        let (below, above) = (values[place.floor() as usize], values[place.ceil() as usize]);
        below + (above - below) * place.fract()
    };
    let (median, range) = (at(0.5), at(0.75) - at(0.25));
    let scale = match is_constant(range, median, exact) {
        true => deviation.offset_and_scale(Method::Standardize, exact).1,
        false => range,
    };
    (median, scale)
}
