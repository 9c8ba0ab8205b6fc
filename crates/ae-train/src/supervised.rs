//! The loss of a classifier, with weight decay.

use ae_models::Classify;
use burn::tensor::{Tensor, TensorData, activation::log_softmax};

use crate::{Error, Losses, Result};

/// The loss of scores, given the class of each sample.
///
/// With scores `s` of a sample of class `c`, per sample:
///
/// | kind | formula | scores are |
/// |---|---|---|
/// | softmax | -log(exp(s_c) / sum_k exp(s_k)), computed from s, in nats | probabilities |
/// | squared hinge | sum_k max(0, 1 - t_k s_k)^2, t_k = 1 for k = c and -1 else | margins |
///
/// With the softmax loss, the negative log-probability of the class, a head is multinomial logistic
/// regression. With the squared hinge loss, the squared amount by which margins are below 1, and weight
/// decay, it is a linear support vector machine for each class against the rest (L2-SVM: Tang 2013, arXiv
/// 1306.0239).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HeadLoss {
    /// `-log softmax(s)_c`
    #[default]
    Softmax,
    /// `sum_k max(0, 1 - t_k s_k)^2`
    SquaredHinge,
}

impl HeadLoss {
    /// The name of the term.
    pub fn name(self) -> &'static str {
        match self {
            Self::Softmax => "softmax",
            Self::SquaredHinge => "squared-hinge",
        }
    }

    /// Computes the loss of every sample.
    ///
    /// # Shapes
    /// - scores: `[batch, classes]`; `classes` has the class of each row
    /// - output: `[batch, 1]`
    ///
    /// # Panics
    /// If there is not one class per row, each with a score.
    pub fn samples(self, scores: Tensor<2>, classes: &[u32]) -> Tensor<2> {
        let hits = one_hot(classes, &scores);
        match self {
            Self::Softmax => -(log_softmax(scores, 1) * hits).sum_dim(1),
            Self::SquaredHinge => {
                let signs = hits * 2.0 - 1.0;
                (-(signs * scores) + 1.0).clamp_min(0.0).square().sum_dim(1)
            }
        }
    }

    /// Computes the loss of a batch, averaged over samples, `[1]`.
    ///
    /// # Panics
    /// As [`samples`](Self::samples).
    pub fn loss(self, scores: Tensor<2>, classes: &[u32]) -> Tensor<1> {
        self.samples(scores, classes).mean()
    }
}

impl std::fmt::Display for HeadLoss {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

/// 1 at the class of each row and 0 elsewhere, with the shape and the device of `scores`.
fn one_hot(classes: &[u32], scores: &Tensor<2>) -> Tensor<2> {
    let [batch, count] = scores.dims();
    assert_eq!(classes.len(), batch, "one class per row of scores");
    let mut values = vec![0.0f32; batch * count];
    for (row, class) in values.chunks_exact_mut(count).zip(classes) {
        row[*class as usize] = 1.0;
    }
    Tensor::from_data(TensorData::new(values, [batch, count]), &scores.device())
}

/// The objective of training a classifier: `L(x, c) = loss(scores(x), c) + weight_decay / 2 ||W||^2`, with
/// the weights `W` of the head, without biases. It is the loss of the scores plus the squared length of the
/// weights.
///
/// ```
/// use ae_train::{HeadLoss, Supervised};
///
/// let svm = Supervised::new(HeadLoss::SquaredHinge, 0.001)?;
/// assert_eq!(svm.to_string(), "squared-hinge, 0.001 weight-decay");
/// # Ok::<(), ae_train::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize)]
pub struct Supervised {
    loss: HeadLoss,
    weight_decay: f64,
}

impl Supervised {
    /// A loss and a weight decay, 0 for none. The weight decay is a term of the loss, so it acts through the
    /// gradient, and on the head alone. That of AdamW acts on every parameter directly.
    ///
    /// # Errors
    /// If the weight decay is negative or not finite.
    pub fn new(loss: HeadLoss, weight_decay: f64) -> Result<Self> {
        if !(weight_decay.is_finite() && weight_decay >= 0.0) {
            return Err(Error::setting("weight decay", "a number from 0", weight_decay));
        }
        Ok(Self { loss, weight_decay })
    }

    /// The loss of the scores.
    pub fn loss(&self) -> HeadLoss {
        self.loss
    }

    /// The weight of `||W||^2 / 2`.
    pub fn weight_decay(&self) -> f64 {
        self.weight_decay
    }

    /// The names of the terms, in the order of [`Losses::terms`].
    pub fn names(&self) -> Vec<String> {
        let decay = self.decays().then_some("weight-decay");
        std::iter::once(self.loss.name()).chain(decay).map(str::to_owned).collect()
    }

    /// Computes the terms for a batch, `[batch, features]`, with the class of each row.
    ///
    /// # Panics
    /// If there is not one class per row, each with a score.
    pub fn losses<M: Classify>(&self, model: &M, input: Tensor<2>, classes: &[u32]) -> Losses {
        self.losses_of(model, model.scores(input), classes)
    }

    /// Computes the terms for the scores of a batch.
    pub(crate) fn losses_of<M: Classify>(
        &self,
        model: &M,
        scores: Tensor<2>,
        classes: &[u32],
    ) -> Losses {
        let loss = self.loss.loss(scores, classes);
        Losses::new(std::iter::once(loss).chain(self.decay(model)).collect())
    }

    /// `weight_decay / 2 ||W||^2`, `[1]`, if there is weight decay.
    pub(crate) fn decay<M: Classify>(&self, model: &M) -> Option<Tensor<1>> {
        let half = self.weight_decay / 2.0;
        self.decays().then(|| model.head().weight().square().sum() * half)
    }

    fn decays(&self) -> bool {
        self.weight_decay > 0.0
    }
}

impl std::fmt::Display for Supervised {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.loss)?;
        if self.decays() {
            write!(f, ", {} weight-decay", self.weight_decay)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ae_models::{Head, HeadConfig, tensors};
    use burn::tensor::{Device, Tolerance};

    fn scores<const R: usize>(rows: [[f32; 2]; R]) -> Tensor<2> {
        Tensor::from_floats(rows, &Device::flex())
    }

    /// Burn's layout of W: [[1, -1], [0.5, 2]]; b = (0, 1).
    fn head() -> Head {
        let head = HeadConfig::new(2, 2).init(&Device::flex()).unwrap();
        let weight = TensorData::from([[1.0f32, 0.5], [-1.0, 2.0]]);
        let bias = TensorData::from([0.0f32, 1.0]);
        let weights = [("weight".to_owned(), weight), ("bias".to_owned(), bias)];
        tensors::replace(head, weights.into()).unwrap()
    }

    /// (2, 0) of class 0: log(1 + e^-2) = 0.126928. (1, 3) of class 0: log(1 + e^2) = 2.126928.
    /// Mean 1.126928.
    #[test]
    fn softmax_by_hand() {
        let each = HeadLoss::Softmax.samples(scores([[2.0, 0.0], [1.0, 3.0]]), &[0, 0]);
        let expected = TensorData::from([[0.126_928f32], [2.126_928]]);
        each.into_data().assert_approx_eq::<f32>(&expected, Tolerance::absolute(1e-6));
        let mean = HeadLoss::Softmax.loss(scores([[2.0, 0.0], [1.0, 3.0]]), &[0, 0]);
        assert!((mean.into_scalar::<f32>() - 1.126_928).abs() < 1e-6);
    }

    #[test]
    fn softmax_of_large_scores_is_finite() {
        let loss = HeadLoss::Softmax.loss(scores([[1e4, -1e4]]), &[1]);
        assert_eq!(loss.into_scalar::<f32>(), 2e4);
    }

    /// (2, 0.5) of class 0: max(0, 1 - 2)^2 + max(0, 1 + 0.5)^2 = 0 + 2.25.
    /// (1, 3) of class 1: max(0, 1 + 1)^2 + max(0, 1 - 3)^2 = 4 + 0. Mean 3.125.
    #[test]
    fn squared_hinge_by_hand() {
        let each = HeadLoss::SquaredHinge.samples(scores([[2.0, 0.5], [1.0, 3.0]]), &[0, 1]);
        each.into_data().assert_eq(&TensorData::from([[2.25f32], [4.0]]), true);
        let mean = HeadLoss::SquaredHinge.loss(scores([[2.0, 0.5], [1.0, 3.0]]), &[0, 1]);
        assert_eq!(mean.into_scalar::<f32>(), 3.125);
    }

    /// ||W||^2 = 1 + 1 + 0.25 + 4 = 6.25, biases apart: 0.2 / 2 * 6.25 = 0.625.
    /// (1, 1) W + b = (1.5, 2) of class 1: (1 + 1.5)^2 + 0 = 6.25. Together 6.875.
    #[test]
    fn weight_decay_by_hand() {
        let supervised = Supervised::new(HeadLoss::SquaredHinge, 0.2).unwrap();
        let losses = supervised.losses(&head(), scores([[1.0, 1.0]]), &[1]);
        let terms: Vec<f32> = losses.terms().into_data().iter().collect();
        assert_eq!(supervised.names(), ["squared-hinge", "weight-decay"]);
        assert!((terms[0] - 6.25).abs() < 1e-6 && (terms[1] - 0.625).abs() < 1e-6, "{terms:?}");
        assert!((losses.total().into_scalar::<f32>() - 6.875).abs() < 1e-6);
        let without = Supervised::new(HeadLoss::Softmax, 0.0).unwrap();
        assert_eq!(without.names(), ["softmax"]);
        assert_eq!(without.losses(&head(), scores([[1.0, 1.0]]), &[1]).terms().dims(), [1]);
    }

    #[test]
    fn negative_weight_decay_is_refused() {
        for (decay, got) in [(-1.0, "-1"), (f64::NAN, "NaN")] {
            assert_eq!(
                Supervised::new(HeadLoss::Softmax, decay).unwrap_err().to_string(),
                format!("weight decay: expected a number from 0, got {got}")
            );
        }
    }
}
