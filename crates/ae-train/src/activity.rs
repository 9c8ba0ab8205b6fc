//! The activity of the units of a code.

use ae_models::Activation;
use burn::tensor::Tensor;

/// The activity of the units of a code over a data set.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Activity {
    /// A histogram of the units by their activity in \[0, 1\], in [`BINS`](Self::BINS) bins of equal width.
    /// The activity is the mean activation for a sigmoid code, else the fraction of samples for which the
    /// unit is not 0.
    pub histogram: Vec<usize>,
    /// The mean activity over units.
    pub mean: f64,
    /// The lifetime sparseness, averaged over units that are active for some sample:
    /// `(1 - (mean |h|)^2 / mean h^2) / (1 - 1 / n)` for `n` samples. It is 0 for a unit that is always
    /// equally active, and 1 for one that is active for a single sample (Vinje & Gallant 2000, doi
    /// 10.1126/science.287.5456.1273). `None` for fewer than two samples, or if no unit is active.
    pub lifetime_sparseness: Option<f64>,
    /// The fraction of activations that are saturated, below 0.05 or above 0.95 (Rifai et al. 2011, ICML,
    /// section 5.2). `None` unless the code is a sigmoid.
    #[serde(default)]
    pub saturated: Option<f64>,
}

impl Activity {
    /// The number of bins of the histogram.
    pub const BINS: usize = 20;
}

/// Sums over samples, for each unit, on the device: `[1, units]` each.
pub(crate) struct ActivityTally {
    is_probability: bool,
    samples: usize,
    /// Sums of activities, of absolute values, of squares, and counts of saturation.
    sums: Option<[Tensor<2>; 4]>,
}

impl ActivityTally {
    pub(crate) fn new(code: Activation) -> Self {
        Self { is_probability: code.is_probability(), samples: 0, sums: None }
    }

    /// Adds codes, `[batch, units]`.
    pub(crate) fn add(&mut self, codes: Tensor<2>) {
        self.samples += codes.dims()[0];
        let sizes = codes.clone().abs();
        let activity = match self.is_probability {
            true => codes.clone(),
            false => sizes.clone().greater_elem(0.0).float(),
        };
        let from_middle = (codes.clone() - 0.5).abs();
        let saturated = from_middle.greater_elem(0.45).float();
        let new = [activity, sizes, codes.square(), saturated].map(|values| values.sum_dim(0));
        self.sums = Some(match self.sums.take() {
            Some(old) => {
                let [a, b, c, d] = old;
                let [e, f, g, h] = new;
                [a + e, b + f, c + g, d + h]
            }
            None => new,
        });
    }

    pub(crate) fn finish(self) -> Activity {
        let n = self.samples as f64;
        let sums = self.sums.expect("a data set is not empty");
        let [activities, sizes, squares, saturated] =
            sums.map(|sums| sums.into_data().iter::<f64>().map(|sum| sum / n).collect::<Vec<_>>());
        let mut histogram = vec![0; Activity::BINS];
        for activity in &activities {
            let bin = (activity * Activity::BINS as f64) as usize;
            histogram[bin.min(Activity::BINS - 1)] += 1;
        }
        let active = sizes.iter().zip(&squares).filter(|(_, square)| **square > 0.0);
        let sparseness: Vec<f64> = active
            .map(|(size, square)| (1.0 - size * size / square).max(0.0) / (1.0 - 1.0 / n))
            .collect();
        let is_known = self.samples > 1 && !sparseness.is_empty();
        Activity {
            histogram,
            mean: activities.iter().sum::<f64>() / activities.len() as f64,
            lifetime_sparseness: is_known
                .then(|| sparseness.iter().sum::<f64>() / sparseness.len() as f64),
            saturated: self
                .is_probability
                .then(|| saturated.iter().sum::<f64>() / saturated.len() as f64),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    fn activity(activation: Activation, codes: [[f32; 3]; 4]) -> Activity {
        let mut tally = ActivityTally::new(activation);
        let codes = Tensor::<2>::from_floats(codes, &Device::flex());
        tally.add(codes.clone().narrow(0, 0, 1));
        tally.add(codes.narrow(0, 1, 3));
        tally.finish()
    }

    /// Unit (2, 0, 0, 0), active once: (1 - (1/2)^2 / 1) / (3/4) = 1. Unit (1, 1, 1, 1), always active: 0.
    /// The third is never active and does not count. Activities 1/4, 1 and 0.
    #[test]
    fn activity_and_sparseness_by_hand() {
        let codes = [[2.0, -1.0, 0.0], [0.0, 1.0, 0.0], [0.0, 1.0, 0.0], [0.0, -1.0, 0.0]];
        let activity = activity(Activation::Relu, codes);
        let mut expected = vec![0; Activity::BINS];
        (expected[0], expected[5], expected[19]) = (1, 1, 1);
        assert_eq!(activity.histogram, expected);
        assert!((activity.mean - 1.25 / 3.0).abs() < 1e-6);
        assert!((activity.lifetime_sparseness.unwrap() - 0.5).abs() < 1e-6);
    }

    /// The activities of a sigmoid code are means: 0.125, 0.5, 0.
    #[test]
    fn activity_of_a_sigmoid_by_hand() {
        let codes = [[0.5, 0.5, 0.0], [0.0, 0.5, 0.0], [0.0, 0.5, 0.0], [0.0, 0.5, 0.0]];
        let activity = activity(Activation::Sigmoid, codes);
        assert_eq!(
            (activity.histogram[2], activity.histogram[10], activity.histogram[0]),
            (1, 1, 1)
        );
        assert!((activity.mean - 0.625 / 3.0).abs() < 1e-6);
    }

    /// Of 12 activations, 0.04, 0 and 0.96 are outside [0.05, 0.95].
    #[test]
    fn saturation_by_hand() {
        let codes = [[0.04, 0.5, 0.06], [0.5, 0.0, 0.94], [0.3, 0.96, 0.7], [0.5, 0.5, 0.5]];
        let saturated = activity(Activation::Sigmoid, codes).saturated.unwrap();
        assert!((saturated - 0.25).abs() < 1e-9);
        assert_eq!(activity(Activation::Relu, codes).saturated, None);
    }

    #[test]
    fn sparseness_of_inactive_codes_is_none() {
        assert_eq!(activity(Activation::Relu, [[0.0; 3]; 4]).lifetime_sparseness, None);
    }
}
