//! What is made of measurements: medians, and straight lines.

#![allow(dead_code, reason = "each benchmark takes of it what it needs")]

/// The middle value, or the mean of both.
pub fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len().is_multiple_of(2) {
        (values[middle - 1] + values[middle]) / 2.0
    } else {
        values[middle]
    }
}

/// `[a, b]` of the line `y = a + b x` with the least sum of `weight (y - a - b x)^2`.
pub fn line(points: &[(f64, f64)], weight: impl Fn(f64) -> f64) -> [f64; 2] {
    let total = |value: &dyn Fn(f64, f64) -> f64| -> f64 {
        points.iter().map(|&(x, y)| weight(y) * value(x, y)).sum()
    };
    let count = total(&|_, _| 1.0);
    let (mean_x, mean_y) = (total(&|x, _| x) / count, total(&|_, y| y) / count);
    let slope = total(&|x, y| (x - mean_x) * (y - mean_y)) / total(&|x, _| (x - mean_x).powi(2));
    [mean_y - slope * mean_x, slope]
}
