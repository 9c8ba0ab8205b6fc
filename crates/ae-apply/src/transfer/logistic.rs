//! Multinomial logistic regression with an L2 penalty.

use std::collections::VecDeque;

use burn::tensor::Tensor;
use rayon::prelude::*;

use super::gram::values_of;
use crate::Result;

/// Rows of features on the host.
#[derive(Clone, Debug)]
pub(super) struct Rows {
    pub(super) values: Vec<f32>,
    pub(super) width: usize,
}

/// Rows that a thread takes at a time: sums over all rows have the same order with any number of threads.
const BLOCK: usize = 256;

impl Rows {
    pub(super) fn of(rows: Tensor<2>) -> Result<Self> {
        let width = rows.dims()[1];
        Ok(Self { values: values_of(rows)?, width })
    }

    pub(super) fn select(&self, rows: &[usize]) -> Self {
        let row = |row: &usize| &self.values[row * self.width..(row + 1) * self.width];
        Self { values: rows.iter().flat_map(row).copied().collect(), width: self.width }
    }

    fn len(&self) -> usize {
        self.values.len() / self.width
    }

    /// `X w_j` for the vectors `w_j`, one after the other, by row and vector. A product of matrices would copy all rows
    /// into its tiles first, for a few vectors.
    fn times(&self, vectors: &[f32]) -> Vec<f64> {
        let count = vectors.len() / self.width;
        let mut out = vec![0.0; self.len() * count];
        let rows = self.values.par_chunks(BLOCK * self.width);
        out.par_chunks_mut(BLOCK * count).zip(rows).for_each(|(out, rows)| {
            for (out, row) in out.chunks_exact_mut(count).zip(rows.chunks_exact(self.width)) {
                for (out, vector) in out.iter_mut().zip(vectors.chunks_exact(self.width)) {
                    *out = f64::from(inner(row, vector));
                }
            }
        });
        out
    }

    /// `X^T r_j`, for residuals by row and vector: the vectors one after the other.
    fn transposed_times(&self, residuals: &[f32], count: usize) -> Vec<f64> {
        let residuals = residuals.par_chunks(BLOCK * count);
        let parts = self.values.par_chunks(BLOCK * self.width).zip(residuals);
        let parts: Vec<Vec<f32>> = parts
            .map(|(rows, residuals)| {
                let mut sums = vec![0.0; self.width * count];
                let rows = rows.chunks_exact(self.width).zip(residuals.chunks_exact(count));
                for (row, residuals) in rows {
                    for (sums, residual) in sums.chunks_exact_mut(self.width).zip(residuals) {
                        sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += residual * value);
                    }
                }
                sums
            })
            .collect();
        let mut out = vec![0.0; self.width * count];
        for part in parts {
            out.iter_mut().zip(&part).for_each(|(out, value)| *out += f64::from(*value));
        }
        out
    }
}

/// A product in sums of every sixteenth value, which are one register.
fn inner(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0f32; 16];
    let (a_parts, b_parts) = (a.chunks_exact(16), b.chunks_exact(16));
    let rest: f32 = a_parts.remainder().iter().zip(b_parts.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in a_parts.zip(b_parts) {
        for lane in 0..16 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    sums.iter().sum::<f32>() + rest
}

/// Iterations at most.
const STEPS: usize = 300;

/// The gradient is this small a part of that at 0 when it is done.
const TOLERANCE: f64 = 1e-3;

/// Pairs of steps and gradients that the next direction is computed from.
const MEMORY: usize = 10;

/// Weights and a bias for each class, which minimise
/// `C sum_i -ln softmax(W^T x_i + b)_(y_i) + |W|^2 / 2`: the classifier of the source. For two classes this is
/// binary logistic regression with the difference of the columns as its weight.
///
/// By L-BFGS (Liu & Nocedal 1989, doi 10.1007/BF01589116) from 0 or from another fit, with Newton's method along each
/// direction, until the gradient is a thousandth of that at 0. Nothing is drawn, so equal rows give equal weights.
#[derive(Clone, Debug)]
pub(super) struct Logistic {
    /// Weights by class and feature, then the biases.
    values: Vec<f64>,
    classes: usize,
}

impl Logistic {
    /// Fits it to rows of these classes below `count`.
    pub(super) fn fit(
        rows: &Rows,
        labels: &[u32],
        count: usize,
        cost: f64,
        start: Option<&Self>,
    ) -> Self {
        let (samples, features) = (rows.len(), rows.width);
        let problem = Problem { rows, labels, count, cost };
        let zero = vec![0.0; (features + 1) * count];
        let uniform = vec![0.0; samples * count];
        let at_zero = problem.gradient(&zero, &uniform);
        let goal = TOLERANCE * norm(&at_zero);
        let mut at = start.map_or(zero, |start| start.values.clone());
        let mut scores = problem.scores(&at);
        let mut gradient = problem.gradient(&at, &scores);
        let mut past: VecDeque<(Vec<f64>, Vec<f64>)> = VecDeque::new();
        for _ in 0..STEPS {
            if norm(&gradient) <= goal {
                break;
            }
            let direction = direction(&gradient, &past);
            let change = problem.scores(&direction);
            let length = problem.length(&at, &direction, &scores, &change);
            // No shorter way down than rounding.
            if length <= 0.0 {
                break;
            }
            let step: Vec<f64> = direction.iter().map(|value| length * value).collect();
            add(&mut at, &step, 1.0);
            add(&mut scores, &change, length);
            let next = problem.gradient(&at, &scores);
            let turned = next.iter().zip(&gradient).map(|(a, b)| a - b).collect();
            if past.len() == MEMORY {
                past.pop_front();
            }
            past.push_back((step, turned));
            gradient = next;
        }
        Self { values: at, classes: count }
    }

    /// The weights by class and feature.
    pub(super) fn weights(&self) -> &[f64] {
        &self.values[..self.values.len() - self.classes]
    }

    /// The bias of each class.
    pub(super) fn biases(&self) -> &[f64] {
        &self.values[self.values.len() - self.classes..]
    }

    /// The scores of rows, by row and class.
    pub(super) fn scores(&self, rows: &Rows) -> Vec<f64> {
        scores(rows, &self.values, self.classes)
    }
}

/// `X W + b`, by row and class.
fn scores(rows: &Rows, values: &[f64], count: usize) -> Vec<f64> {
    let (weights, biases) = values.split_at(values.len() - count);
    let weights: Vec<f32> = weights.iter().map(|value| *value as f32).collect();
    let mut scores = rows.times(&weights);
    scores.chunks_exact_mut(count).for_each(|row| add(row, biases, 1.0));
    scores
}

/// The softmax of scores, in place; returns `ln sum exp`.
pub(super) fn softmax(scores: &mut [f64]) -> f64 {
    let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    scores.iter_mut().for_each(|score| *score = (*score - largest).exp());
    let sum: f64 = scores.iter().sum();
    scores.iter_mut().for_each(|score| *score /= sum);
    largest + sum.ln()
}

struct Problem<'a> {
    rows: &'a Rows,
    labels: &'a [u32],
    count: usize,
    cost: f64,
}

impl Problem<'_> {
    fn scores(&self, values: &[f64]) -> Vec<f64> {
        scores(self.rows, values, self.count)
    }

    fn gradient(&self, at: &[f64], scores: &[f64]) -> Vec<f64> {
        let mut biases = vec![0.0; self.count];
        let mut residuals = Vec::with_capacity(scores.len());
        let mut row = vec![0.0; self.count];
        for (scores, label) in scores.chunks_exact(self.count).zip(self.labels) {
            row.copy_from_slice(scores);
            softmax(&mut row);
            row[*label as usize] -= 1.0;
            add(&mut biases, &row, self.cost);
            residuals.extend(row.iter().map(|value| *value as f32));
        }
        let products = self.rows.transposed_times(&residuals, self.count);
        let weights = products.iter().zip(at);
        let mut gradient: Vec<f64> =
            weights.map(|(product, weight)| self.cost * product + weight).collect();
        gradient.extend(biases);
        gradient
    }

    /// The length along a direction at which the objective is least, by Newton's method.
    fn length(&self, at: &[f64], direction: &[f64], scores: &[f64], change: &[f64]) -> f64 {
        let weights = at.len() - self.count;
        let across = dot(&at[..weights], &direction[..weights]);
        let curved = dot(&direction[..weights], &direction[..weights]);
        let mut row = vec![0.0; self.count];
        // The objective without a constant, its slope and its curvature.
        let mut look = |length: f64| {
            let (mut loss, mut slope, mut curvature) = (0.0, 0.0, 0.0);
            let rows = scores.chunks_exact(self.count).zip(change.chunks_exact(self.count));
            for ((scores, change), label) in rows.zip(self.labels) {
                row.copy_from_slice(scores);
                add(&mut row, change, length);
                let label = *label as usize;
                let own = row[label];
                loss += softmax(&mut row) - own;
                let mean = dot(&row, change);
                slope += mean - change[label];
                let squares: f64 = row.iter().zip(change).map(|(p, d)| p * d * d).sum();
                curvature += (squares - mean * mean).max(0.0);
            }
            let penalty = length * across + 0.5 * length * length * curved;
            let slope = self.cost * slope + across + length * curved;
            (self.cost * loss + penalty, slope, self.cost * curvature + curved)
        };
        let is_higher = |there: f64, here: f64| there.is_nan() || there > here;
        let (mut length, mut here) = (0.0, look(0.0));
        for _ in 0..6 {
            let mut step = -here.1 / here.2.max(f64::MIN_POSITIVE);
            let mut there = look(length + step);
            let mut halved = 0;
            while is_higher(there.0, here.0) && halved < 30 {
                step *= 0.5;
                halved += 1;
                there = look(length + step);
            }
            if is_higher(there.0, here.0) {
                break;
            }
            length += step;
            let is_near = step.abs() < 1e-2 * length.abs();
            here = there;
            if is_near {
                break;
            }
        }
        length
    }
}

/// Two loops over the past, without a matrix.
fn direction(gradient: &[f64], past: &VecDeque<(Vec<f64>, Vec<f64>)>) -> Vec<f64> {
    let mut out: Vec<f64> = gradient.iter().map(|value| -value).collect();
    let mut shares = Vec::with_capacity(past.len());
    for (step, turned) in past.iter().rev() {
        let share = dot(step, &out) / dot(step, turned).max(f64::MIN_POSITIVE);
        add(&mut out, turned, -share);
        shares.push(share);
    }
    if let Some((step, turned)) = past.back() {
        let scale = dot(step, turned) / dot(turned, turned).max(f64::MIN_POSITIVE);
        out.iter_mut().for_each(|value| *value *= scale);
    }
    for ((step, turned), share) in past.iter().zip(shares.into_iter().rev()) {
        let other = dot(turned, &out) / dot(step, turned).max(f64::MIN_POSITIVE);
        add(&mut out, step, share - other);
    }
    out
}

fn add(to: &mut [f64], from: &[f64], times: f64) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to += times * from);
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn norm(values: &[f64]) -> f64 {
    dot(values, values).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(values: Vec<f32>, width: usize) -> Rows {
        Rows { values, width }
    }

    /// Two rows of 17 values, so that one is beyond the register: 0 + 1 + ... + 16 = 136.
    #[test]
    fn products_by_hand() {
        let values = (0..34).map(|at| (at % 17) as f32 * if at < 17 { 1.0 } else { -2.0 });
        let rows = rows(values.collect(), 17);
        let mut vectors = vec![1.0; 34];
        vectors[17..33].fill(0.0);
        assert_eq!(rows.times(&vectors), [136.0, 16.0, -272.0, -32.0]);
        let back = rows.transposed_times(&[1.0, 0.0, 1.0, 3.0], 2);
        assert_eq!((back[2], back[17 + 2]), (2.0 - 4.0, -12.0));
    }

    /// Rows 1 and -1 of two classes: with the columns -w/2 and w/2 the objective is 2 C ln(1 + e^-w) + w^2 / 4, whose
    /// slope is 0 where w = 4 C / (1 + e^w). At C = (1 + e) / 4 that is w = 1.
    #[test]
    fn two_points_by_hand() {
        let cost = (1.0 + 1f64.exp()) / 4.0;
        let fit = Logistic::fit(&rows(vec![1.0, -1.0], 1), &[1, 0], 2, cost, None);
        let weights = fit.weights();
        assert!((weights[1] - weights[0] - 1.0).abs() < 2e-3, "{weights:?}");
        assert!((weights[1] + weights[0]).abs() < 1e-3, "{weights:?}");
        assert!(fit.biases().iter().all(|bias| bias.abs() < 1e-3));
    }

    /// Three classes in three directions, of which one is far more frequent.
    #[test]
    fn the_gradient_vanishes_where_it_ends_from_any_start() {
        let angle = |row: usize| 2.1 * (row % 3) as f32 + 0.7 * (row as f32 * 12.9).sin();
        let values = (0..90).flat_map(|row| [angle(row).cos(), angle(row).sin(), 1.0]).collect();
        let labels: Vec<u32> = (0..90).map(|row| (row % 3) as u32).collect();
        let rows = rows(values, 3);
        let first = Logistic::fit(&rows, &labels, 3, 3.0, None);
        let other = Logistic::fit(&rows, &labels, 3, 0.1, None);
        let again = Logistic::fit(&rows, &labels, 3, 3.0, Some(&other));
        let difference: Vec<f64> =
            first.weights().iter().zip(again.weights()).map(|(a, b)| a - b).collect();
        assert!(norm(&difference) < 0.01 * norm(first.weights()), "{difference:?}");
        assert!(norm(other.weights()) < norm(first.weights()));
        let scores = first.scores(&rows);
        let right = scores.chunks_exact(3).zip(&labels).filter(|(scores, label)| {
            scores.iter().all(|score| *score <= scores[**label as usize])
        });
        assert_eq!(right.count(), 90);
    }
}
