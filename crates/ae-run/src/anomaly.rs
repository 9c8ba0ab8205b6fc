//! Anomaly detection by reconstruction error.

use ae_data::Labels;
use ae_train::{average_precision, roc_auc};
use serde::{Deserialize, Serialize};

/// How well the squared error separates anomalies from normal samples of the test set.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Anomaly {
    /// The number of anomalies.
    pub anomalous: usize,
    /// The area under the ROC curve: the share of pairs of a normal and an anomalous sample in which the
    /// anomalous one has the larger error; ties count half.
    pub auroc: f64,
    /// The [average precision](ae_train::average_precision) of the squared error; 0 in the results of earlier versions,
    /// which do not have it.
    #[serde(default)]
    pub average_precision: f64,
}

/// The class names of data with anomalies.
const CLASSES: [&str; 2] = ["normal", "anomalous"];

impl Anomaly {
    /// From the errors of labelled samples; `None` for other classes, or if one is empty.
    pub fn measure(errors: &[f32], labels: Option<&Labels>) -> Option<Self> {
        let labels = labels.filter(|labels| labels.names() == CLASSES)?;
        let is_anomalous: Vec<bool> = labels.classes().iter().map(|class| *class == 1).collect();
        let anomalous = is_anomalous.iter().filter(|it| **it).count();
        let auroc = roc_auc(errors, &is_anomalous)?;
        let average_precision = average_precision(errors, &is_anomalous)?;
        Some(Self { anomalous, auroc, average_precision })
    }
}

impl std::fmt::Display for Anomaly {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { anomalous, auroc, average_precision } = self;
        write!(
            f,
            "AUROC {auroc:.4}, average precision {average_precision:.4} ({anomalous} anomalous)"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_classes_are_not_anomalies() {
        let labels =
            |names: [&str; 2]| Labels::new(vec![0, 1], names.map(str::to_owned).to_vec()).unwrap();
        let found = Anomaly::measure(&[0.5, 1.5], Some(&labels(["normal", "anomalous"])));
        assert_eq!(found, Some(Anomaly { anomalous: 1, auroc: 1.0, average_precision: 1.0 }));
        assert_eq!(Anomaly::measure(&[0.5, 1.5], Some(&labels(["0", "1"]))), None);
        assert_eq!(Anomaly::measure(&[0.5, 1.5], None), None);
    }
}
