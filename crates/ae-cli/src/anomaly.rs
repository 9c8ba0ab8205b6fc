//! Anomaly detection by reconstruction error.

use ae_data::Labels;
use serde::{Deserialize, Serialize};

/// How well the squared error separates anomalies from normal samples of the test set.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Anomaly {
    /// The number of anomalies.
    pub anomalous: usize,
    /// The area under the ROC curve: the share of pairs of a normal and an anomalous sample in which the
    /// anomalous one has the larger error; ties count half.
    pub auroc: f64,
}

/// The class names of data with anomalies.
const CLASSES: [&str; 2] = ["normal", "anomalous"];

impl Anomaly {
    /// From the errors of labelled samples; `None` for other classes, or if one is empty.
    pub fn measure(errors: &[f32], labels: Option<&Labels>) -> Option<Self> {
        let labels = labels.filter(|labels| labels.names() == CLASSES)?;
        let is_anomalous: Vec<bool> = labels.classes().iter().map(|class| *class == 1).collect();
        let anomalous = is_anomalous.iter().filter(|it| **it).count();
        Some(Self { anomalous, auroc: auroc(errors, &is_anomalous)? })
    }
}

/// By ranks (Mann & Whitney 1947); ties share their mean rank.
fn auroc(scores: &[f32], is_positive: &[bool]) -> Option<f64> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|a, b| scores[*a].total_cmp(&scores[*b]));
    let mut rank_sum = 0.0;
    let mut below = 0;
    for ties in order.chunk_by(|a, b| scores[*a] == scores[*b]) {
        let rank = below as f64 + (ties.len() as f64 + 1.0) / 2.0;
        rank_sum += rank * ties.iter().filter(|row| is_positive[**row]).count() as f64;
        below += ties.len();
    }
    let positives = is_positive.iter().filter(|it| **it).count() as f64;
    let negatives = is_positive.len() as f64 - positives;
    let pairs = positives * negatives;
    (pairs > 0.0).then(|| (rank_sum - positives * (positives + 1.0) / 2.0) / pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Anomalous: 3, 2, 2; normal: 1, 2. Pairs: 3 above both; each 2 above 1 and equal to 2:
    /// (2 + 1.5 + 1.5) / 6.
    #[test]
    fn auroc_by_hand() {
        let scores = [3.0, 1.0, 2.0, 2.0, 2.0];
        let area = auroc(&scores, &[true, false, true, false, true]).unwrap();
        assert!((area - 5.0 / 6.0).abs() < 1e-12);
        assert_eq!(auroc(&[1.0, 2.0], &[false, true]), Some(1.0));
        assert_eq!(auroc(&[1.0, 2.0], &[true, false]), Some(0.0));
        assert_eq!(auroc(&[1.0, 1.0], &[true, false]), Some(0.5));
        assert_eq!(auroc(&[1.0, 2.0], &[true, true]), None);
    }

    #[test]
    fn other_classes_are_not_anomalies() {
        let labels =
            |names: [&str; 2]| Labels::new(vec![0, 1], names.map(str::to_owned).to_vec()).unwrap();
        let found = Anomaly::measure(&[0.5, 1.5], Some(&labels(["normal", "anomalous"])));
        assert_eq!(found, Some(Anomaly { anomalous: 1, auroc: 1.0 }));
        assert_eq!(Anomaly::measure(&[0.5, 1.5], Some(&labels(["0", "1"]))), None);
        assert_eq!(Anomaly::measure(&[0.5, 1.5], None), None);
    }
}
