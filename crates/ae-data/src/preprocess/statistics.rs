//! The statistics that preprocessing is fitted to: moments, extremes and quartiles.

use super::{Method, quantiles};
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
        samples.each_raw_row(|_, row| {
            for (values, statistics) in row.chunks_exact(row.len() / groups).zip(&mut statistics) {
                let there = values.iter().filter(|value| !value.is_nan());
                there.for_each(|value| statistics.add(*value));
            }
        })?;
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

/// The most values that are sorted at a time.
const SORTED: usize = 1 << 23;

/// Median and interquartile range of each group of adjacent features, interpolated linearly as by
/// NumPy's `quantile`. Samples are read as often as it takes to sort a part of the groups at a time, or to
/// count the values of a group that has too many.
pub(super) fn quartiles(samples: &Samples, groups: usize) -> Result<Vec<(f64, f64)>> {
    let deviations = Statistics::of(samples, groups)?;
    let neighbours = samples.width() / groups;
    let of_group = samples.len() * neighbours;
    let quartile = |(found, deviation): (Option<[f64; 6]>, &Statistics)| {
        quartile(found, deviation, samples.is_exact())
    };
    if of_group > SORTED {
        let counts: Vec<usize> = deviations.iter().map(|group| group.count as usize).collect();
        let found = quantiles::at_ranks(samples, &counts)?;
        return Ok(found.into_iter().zip(&deviations).map(quartile).collect());
    }
    let at_once = (SORTED / of_group.max(1)).clamp(1, groups);
    let mut pairs = vec![];
    for first in (0..groups).step_by(at_once) {
        let mut of_groups = vec![vec![]; at_once.min(groups - first)];
        samples.each_raw_row(|_, row| {
            let parts = row[first * neighbours..].chunks_exact(neighbours);
            for (values, part) in of_groups.iter_mut().zip(parts) {
                values.extend(part.iter().filter(|value| !value.is_nan()));
            }
        })?;
        let found = of_groups.into_iter().map(|mut values: Vec<f64>| {
            values.sort_by(f64::total_cmp);
            (!values.is_empty()).then(|| quantiles::ranks(values.len()).map(|rank| values[rank]))
        });
        pairs.extend(found.zip(&deviations[first..]).map(quartile));
    }
    Ok(pairs)
}

/// Median and interquartile range of one group, from the values at its [`quantiles::ranks`].
fn quartile(found: Option<[f64; 6]>, deviation: &Statistics, exact: bool) -> (f64, f64) {
    let Some(found) = found else { return (0.0, 1.0) };
    let at = |quarter: usize| {
        let place = 0.25 * quarter as f64 * (deviation.count - 1.0);
        let (below, above) = (found[2 * quarter - 2], found[2 * quarter - 1]);
        below + (above - below) * place.fract()
    };
    let (median, range) = (at(2), at(3) - at(1));
    let scale = match is_constant(range, median, exact) {
        true => deviation.offset_and_scale(Method::Standardize, exact).1,
        false => range,
    };
    (median, scale)
}
