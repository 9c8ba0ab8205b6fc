//! The features that a linear classifier sees, and its cross-validation.

use burn::tensor::Tensor;
use nalgebra::DMatrix;
use rayon::prelude::*;

use super::gram::{row_products, values_of};
use super::inverse::factors;
use super::logistic::{Logistic, Rows, softmax};
use crate::{Error, Result};

/// What is added to the squared length of each row, in units of the mean squared length, so that rounding makes no
/// negative one.
const ROUNDING: f64 = 1e-5;

/// Rows of the labelled domain and of a set to predict, in a space to which features can be added.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "two of them exist at a time")]
pub(super) enum Features {
    /// More features than labelled rows: products with the labelled rows are all that a linear classifier with an L2
    /// penalty depends on.
    Products {
        /// Of the labelled rows with each other.
        labelled: DMatrix<f64>,
        /// Of the set to predict, a row a column.
        scored: DMatrix<f64>,
    },
    /// The features themselves.
    Rows {
        /// Of the labelled rows.
        labelled: Tensor<2>,
        /// Of the set to predict.
        scored: Tensor<2>,
    },
}

impl Features {
    pub(super) fn new(labelled: &Tensor<2>, scored: &Tensor<2>) -> Result<Self> {
        let [count, width] = labelled.dims();
        Ok(match width > count {
            true => Self::Products {
                labelled: row_products(labelled, labelled)?,
                scored: row_products(scored, labelled)?,
            },
            false => Self::Rows { labelled: labelled.clone(), scored: scored.clone() },
        })
    }

    /// Adds features of the same rows.
    pub(super) fn add(&mut self, more: &Tensor<2>, more_scored: &Tensor<2>) -> Result<()> {
        match self {
            Self::Products { labelled, scored } => {
                *labelled += row_products(more, more)?;
                *scored += row_products(more_scored, more)?;
            }
            Self::Rows { labelled, scored } => {
                let join = |rows: &Tensor<2>, more: &Tensor<2>| {
                    Tensor::cat(vec![rows.clone(), more.clone()], 1)
                };
                *labelled = join(labelled, more);
                *scored = join(scored, more_scored);
            }
        }
        Ok(())
    }

    /// The labelled rows as a classifier sees them, on a scale where their mean squared length is 1.
    pub(super) fn training(&self, like: &Tensor<2>) -> Result<Training> {
        match self {
            Self::Products { labelled, .. } => {
                let count = labelled.nrows();
                let scale = labelled.trace() / count as f64;
                let scale = if scale > 0.0 { scale } else { 1.0 };
                let mut scaled = labelled / scale;
                (0..count).for_each(|at| scaled[(at, at)] += ROUNDING);
                let [factor, inverse] =
                    factors(scaled.as_view(), &like.device()).ok_or_else(|| {
                        Error::Unsuitable(
                            "products of rows are not finite; scale the features".into(),
                        )
                    })?;
                let values = factor.transpose().iter().map(|value| *value as f32).collect();
                let rows = Rows { values, width: count };
                Ok(Training { rows, scale, inverse: Some(inverse) })
            }
            Self::Rows { labelled, .. } => {
                let count = labelled.dims()[0];
                let squares = labelled.clone().square().sum_dim(1);
                let total: f64 = values_of(squares)?.into_iter().map(f64::from).sum();
                let scale = if total > 0.0 { total / count as f64 } else { 1.0 };
                let rows = Rows::of(labelled.clone() / scale.sqrt())?;
                Ok(Training { rows, scale, inverse: None })
            }
        }
    }

    /// The probabilities of the classes for the set to predict, by row and class.
    pub(super) fn predict(&self, training: &Training, fit: &Logistic) -> Result<Vec<f64>> {
        let count = fit.biases().len();
        let mut scores = match (self, &training.inverse) {
            (Self::Products { scored, .. }, Some(inverse)) => {
                let weights = DMatrix::from_column_slice(inverse.nrows(), count, fit.weights());
                let dual = inverse.tr_mul(&weights);
                let scores = dual.transpose() * scored / training.scale;
                let mut scores = scores.as_slice().to_vec();
                for row in scores.chunks_exact_mut(count) {
                    row.iter_mut().zip(fit.biases()).for_each(|(score, bias)| *score += bias);
                }
                scores
            }
            (Self::Rows { scored, .. }, _) => {
                fit.scores(&Rows::of(scored.clone() / training.scale.sqrt())?)
            }
            (Self::Products { .. }, None) => {
                return Err(Error::Unsuitable("features without a factor".into()));
            }
        };
        scores.chunks_exact_mut(count).for_each(|row| {
            softmax(row);
        });
        Ok(scores)
    }
}

/// Labelled rows on a scale, and how weights of them become weights of products.
pub(super) struct Training {
    pub(super) rows: Rows,
    scale: f64,
    inverse: Option<DMatrix<f64>>,
}

/// How good a cost is on labelled rows that the classifier did not see.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Validated {
    pub(super) cost: f64,
    pub(super) accuracy: f64,
    pub(super) loss: f64,
    /// The standard error of the loss, by the folds.
    pub(super) error: f64,
}

/// The folds that rows are held out in: the rows of each class are dealt out one after the other, in this order.
pub(super) fn deal(labels: &[u32], order: &[usize], folds: usize) -> Vec<usize> {
    let classes = labels.iter().max().map_or(0, |largest| *largest as usize + 1);
    let mut fold = vec![0; labels.len()];
    let mut next = 0;
    for class in 0..classes {
        for row in order.iter().filter(|row| labels[**row] as usize == class) {
            fold[*row] = next % folds;
            next += 1;
        }
    }
    fold
}

impl Training {
    /// Cross-validates each cost on these folds.
    pub(super) fn validate(
        &self,
        labels: &[u32],
        count: usize,
        costs: &[f64],
        fold_of: &[usize],
        folds: usize,
    ) -> Vec<Validated> {
        let of_fold = |fold: usize| -> Vec<(usize, f64)> {
            let rows = |is_held_out: bool| -> Vec<usize> {
                (0..labels.len()).filter(|row| (fold_of[*row] == fold) == is_held_out).collect()
            };
            let (kept, held_out) = (rows(false), rows(true));
            let pick =
                |rows: &[usize]| -> Vec<u32> { rows.iter().map(|row| labels[*row]).collect() };
            let (kept_labels, held_out_labels) = (pick(&kept), pick(&held_out));
            let (kept, held_out) = (self.rows.select(&kept), self.rows.select(&held_out));
            let mut fit: Option<Logistic> = None;
            let mut results = Vec::with_capacity(costs.len());
            for cost in costs {
                let next = Logistic::fit(&kept, &kept_labels, count, *cost, fit.as_ref());
                let mut scores = next.scores(&held_out);
                let (mut right, mut loss) = (0, 0.0);
                for (row, label) in scores.chunks_exact_mut(count).zip(&held_out_labels) {
                    let own = row[*label as usize];
                    right += usize::from(largest(row) == *label as usize);
                    loss += softmax(row) - own;
                }
                results.push((right, loss));
                fit = Some(next);
            }
            results
        };
        let all: Vec<Vec<(usize, f64)>> = (0..folds).into_par_iter().map(of_fold).collect();
        let total = labels.len() as f64;
        let sizes: Vec<f64> = (0..folds)
            .map(|fold| fold_of.iter().filter(|it| **it == fold).count() as f64)
            .collect();
        let of_cost = |(at, cost): (usize, &f64)| {
            let loss = all.iter().map(|fold| fold[at].1).sum::<f64>() / total;
            let means = all.iter().zip(&sizes).filter(|(_, size)| **size > 0.0);
            let squares: f64 = means.map(|(fold, size)| (fold[at].1 / size - loss).powi(2)).sum();
            Validated {
                cost: *cost,
                accuracy: all.iter().map(|fold| fold[at].0).sum::<usize>() as f64 / total,
                loss,
                error: (squares / ((folds - 1) * folds) as f64).sqrt(),
            }
        };
        costs.iter().enumerate().map(of_cost).collect()
    }
}

/// The class with the highest score, the first among equals.
pub(super) fn largest(scores: &[f64]) -> usize {
    let mut best = 0;
    for (class, score) in scores.iter().enumerate() {
        if *score > scores[best] {
            best = class;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};

    use super::*;

    fn wave(count: usize, width: usize, speed: f32) -> Tensor<2> {
        let values = (0..count * width).map(|at| (at as f32 * speed).sin()).collect::<Vec<_>>();
        Tensor::from_data(TensorData::new(values, [count, width]), &Device::flex())
    }

    /// 12 rows of 40 features: the probabilities from products are those from the features.
    #[test]
    fn products_say_what_features_say() {
        let (labelled, other) = (wave(12, 40, 1.3), wave(5, 40, 0.77));
        let (more, more_other) = (wave(12, 7, 2.1), wave(5, 7, 3.3));
        let labels: Vec<u32> = (0..12).map(|row| row % 3).collect();
        let mut products = Features::new(&labelled, &other).unwrap();
        assert!(matches!(products, Features::Products { .. }));
        let mut rows = Features::Rows { labelled: labelled.clone(), scored: other };
        let predict = |features: &mut Features| {
            features.add(&more, &more_other).unwrap();
            let training = features.training(&labelled).unwrap();
            let fit = Logistic::fit(&training.rows, &labels, 3, 2.0, None);
            features.predict(&training, &fit).unwrap()
        };
        let (ours, expected) = (predict(&mut products), predict(&mut rows));
        assert_eq!(ours.len(), 15);
        assert!(
            ours.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 2e-3),
            "{ours:?} {expected:?}"
        );
    }

    /// Six rows of class 0 and three of class 1 in three folds: two and one in each.
    #[test]
    fn folds_have_the_shares_of_the_classes() {
        let labels = [0, 0, 1, 0, 0, 1, 0, 0, 1];
        let order: Vec<usize> = (0..9).rev().collect();
        let fold = deal(&labels, &order, 3);
        for wanted in 0..3 {
            let rows: Vec<usize> = (0..9).filter(|row| fold[*row] == wanted).collect();
            assert_eq!(rows.iter().filter(|row| labels[**row] == 0).count(), 2, "{fold:?}");
            assert_eq!(rows.len(), 3);
        }
    }

    /// Two separated groups: all held out rows are right; with labels that say nothing, about half.
    #[test]
    fn validation_sees_whether_there_is_something_to_learn() {
        let values: Vec<f32> = (0..40)
            .flat_map(|row| [(row % 2) as f32 * 2.0 - 1.0, (row as f32 * 1.9).sin()])
            .collect();
        let rows = Tensor::from_data(TensorData::new(values, [40, 2]), &Device::flex());
        let training = Features::new(&rows, &rows).unwrap().training(&rows).unwrap();
        let order: Vec<usize> = (0..40).collect();
        let accuracy = |labels: &[u32]| {
            let folds = deal(labels, &order, 4);
            training.validate(labels, 2, &[1.0], &folds, 4)[0].accuracy
        };
        let told: Vec<u32> = (0..40).map(|row| row % 2).collect();
        let untold: Vec<u32> = (0..40).map(|row| (row / 2) % 2).collect();
        assert!(accuracy(&told) == 1.0 && accuracy(&untold) < 0.7);
    }
}
