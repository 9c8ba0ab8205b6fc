//! How well scores separate two classes.

use std::cmp::Ordering;

/// The area under the ROC curve of scores that should be higher for positives: the fraction of pairs of a
/// negative and a positive sample in which the positive one has the higher score. Ties count half.
///
/// By ranks (Mann & Whitney 1947), in `n log n`. `None` if a class is empty.
///
/// ```
/// let area = ae_train::roc_auc(&[3.0, 1.0, 2.0, 2.0, 2.0], &[true, false, true, false, true]);
/// assert_eq!(area, Some(5.0 / 6.0)); // (2 + 1.5 + 1.5) of 6 pairs
/// ```
///
/// # Panics
/// If there is not one score per class.
pub fn roc_auc(scores: &[f32], is_positive: &[bool]) -> Option<f64> {
    let order = order(scores, is_positive, f32::total_cmp);
    let (mut rank_sum, mut below) = (0.0, 0);
    for ties in order.chunk_by(|a, b| scores[*a] == scores[*b]) {
        let rank = below as f64 + (ties.len() as f64 + 1.0) / 2.0;
        rank_sum += rank * positives(ties, is_positive);
        below += ties.len();
    }
    let positive = positives(&order, is_positive);
    let pairs = positive * (order.len() as f64 - positive);
    (pairs > 0.0).then(|| (rank_sum - positive * (positive + 1.0) / 2.0) / pairs)
}

/// Average precision of scores that should be higher for positives: `sum_n (R_n - R_{n-1}) P_n`, with the precision
/// `P_n` and the recall `R_n` at every threshold, from the highest. Samples with the same score have the same
/// threshold, as in scikit-learn's `average_precision_score`.
///
/// `None` if there is no positive.
///
/// ```
/// let average = ae_train::average_precision(&[0.1, 0.4, 0.35, 0.8], &[false, false, true, true]);
/// assert_eq!(average, Some(0.5 * 1.0 + 0.5 * 2.0 / 3.0));
/// ```
///
/// # Panics
/// If there is not one score per class.
pub fn average_precision(scores: &[f32], is_positive: &[bool]) -> Option<f64> {
    let order = order(scores, is_positive, |a, b| b.total_cmp(a));
    let positive = positives(&order, is_positive);
    let (mut found, mut seen, mut sum) = (0.0, 0.0, 0.0);
    for ties in order.chunk_by(|a, b| scores[*a] == scores[*b]) {
        let hits = positives(ties, is_positive);
        found += hits;
        seen += ties.len() as f64;
        sum += hits / positive * (found / seen);
    }
    (positive > 0.0).then_some(sum)
}

/// The samples in the order of their scores.
fn order(
    scores: &[f32],
    is_positive: &[bool],
    compare: impl Fn(&f32, &f32) -> Ordering,
) -> Vec<usize> {
    assert_eq!(scores.len(), is_positive.len(), "one score per class");
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|a, b| compare(&scores[*a], &scores[*b]));
    order
}

fn positives(samples: &[usize], is_positive: &[bool]) -> f64 {
    samples.iter().filter(|sample| is_positive[**sample]).count() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roc_auc_by_hand() {
        assert_eq!(roc_auc(&[1.0, 2.0], &[false, true]), Some(1.0));
        assert_eq!(roc_auc(&[1.0, 2.0], &[true, false]), Some(0.0));
        assert_eq!(roc_auc(&[1.0, 1.0], &[true, false]), Some(0.5));
        assert_eq!(roc_auc(&[1.0, 2.0], &[true, true]), None);
    }

    /// The threshold 2 finds both classes at once: recall 1 with precision 1/2.
    #[test]
    fn average_precision_by_hand() {
        assert_eq!(average_precision(&[1.0, 2.0], &[false, true]), Some(1.0));
        assert_eq!(average_precision(&[1.0, 2.0], &[true, false]), Some(0.5));
        assert_eq!(average_precision(&[2.0, 2.0], &[true, false]), Some(0.5));
        assert_eq!(average_precision(&[1.0, 2.0], &[false, false]), None);
    }
}
