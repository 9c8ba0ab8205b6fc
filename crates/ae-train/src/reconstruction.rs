//! The reconstruction term of an objective.

use ae_kernels::{cross_entropy, log_sigmoid, squared_error};
use ae_models::Activation;
use burn::tensor::Tensor;

/// The reconstruction term of an objective: summed over features, averaged over the batch.
///
/// With logits `z` (before the output activation `s`) and target `t`, per component:
///
/// | kind | formula | unit |
/// |---|---|---|
/// | squared error | (s(z) - t)^2 | the input's, squared |
/// | cross-entropy | -t log s(z) - (1 - t) log(1 - s(z)), computed from z | nats |
///
/// The squared error measures the distance from the target. The cross-entropy measures how unlikely the
/// target is under the predicted probability. It needs a sigmoid output and targets in \[0, 1\]. For
/// targets between 0 and 1 its least value is not 0 but the entropy of the targets ([`entropy`]), so
/// evaluations also report the excess over it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reconstruction {
    /// `(s(z) - t)^2`
    #[default]
    SquaredError,
    /// `-t log s(z) - (1 - t) log(1 - s(z))`
    CrossEntropy,
}

impl Reconstruction {
    /// The name of the term.
    pub fn name(self) -> &'static str {
        match self {
            Self::SquaredError => "squared-error",
            Self::CrossEntropy => "cross-entropy",
        }
    }

    /// Computes the loss of every component.
    ///
    /// # Shapes
    /// - logits, target and output: `[batch, features]`
    pub fn elements(self, logits: Tensor<2>, output: Activation, target: Tensor<2>) -> Tensor<2> {
        match self {
            Self::SquaredError => (output.apply(logits) - target).square(),
            Self::CrossEntropy => (-target + 1.0) * logits.clone() - log_sigmoid(logits),
        }
    }

    /// Computes the loss of a batch, summed over features and averaged over samples, `[1]`.
    pub fn loss(self, logits: Tensor<2>, output: Activation, target: Tensor<2>) -> Tensor<1> {
        match self {
            Self::CrossEntropy => cross_entropy(logits, target),
            Self::SquaredError => squared_error(logits, output, target),
        }
    }
}

impl std::fmt::Display for Reconstruction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

/// A sum over `count` samples divided by their number. It is multiplied by the inverse, because in a
/// division Burn 0.22.1 rounds the divisor of the gradient to f32, also for f64.
pub(crate) fn per_sample(sum: Tensor<1>, count: usize) -> Tensor<1> {
    sum * (1.0 / count as f64)
}

/// `-t log t - (1 - t) log(1 - t)` in nats: the entropy of a target `t` in \[0, 1\], which is the least
/// cross-entropy of any prediction.
pub fn entropy(target: f64) -> f64 {
    let part = |p: f64| if p > 0.0 { -p * p.ln() } else { 0.0 };
    part(target) + part(1.0 - target)
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, TensorData, Tolerance};

    fn close(tensor: Tensor<1>, expected: f64) {
        tensor.into_data().assert_approx_eq::<f32>(
            &TensorData::from([expected as f32]),
            Tolerance::relative(1e-6),
        );
    }

    /// Logits (0, 2; -1, 0), targets (0, 1; 0.5, 1), sigmoid s(0) = 0.5, s(2) = 0.880797,
    /// s(-1) = 0.268941.
    /// Squared error: 0.25 + 0.014209 + 0.053388 + 0.25 = 0.567598, over 2 samples 0.283799.
    /// Cross-entropy: log 2 + 0.126928 + (0.5 * 1.313262 + 0.5 * 0.313262 = 0.813262) + log 2
    /// = 2.326484, over 2 samples 1.163242.
    #[test]
    fn losses_by_hand() {
        let device = Device::flex();
        let logits = || Tensor::from_floats([[0.0, 2.0], [-1.0, 0.0]], &device);
        let target = || Tensor::from_floats([[0.0, 1.0], [0.5, 1.0]], &device);
        let loss = |kind: Reconstruction| kind.loss(logits(), Activation::Sigmoid, target());
        close(loss(Reconstruction::SquaredError), 0.283_798_8);
        close(loss(Reconstruction::CrossEntropy), 1.163_242_1);
        let linear = Reconstruction::SquaredError.loss(logits(), Activation::Identity, target());
        close(linear, (0.0 + 1.0 + 2.25 + 1.0) / 2.0);
    }

    /// With logits whose probability rounds to 0 or 1, and its logarithm to -inf.
    #[test]
    fn cross_entropy_is_finite_for_large_logits() {
        let device = Device::flex();
        let logits = Tensor::from_floats([[-200.0, 200.0, 200.0, -200.0]], &device);
        let target = Tensor::from_floats([[0.0, 1.0, 0.0, 1.0]], &device);
        close(Reconstruction::CrossEntropy.loss(logits, Activation::Sigmoid, target), 400.0);
    }

    /// d/dz = s(z) - t, also at 0 and for a saturated sigmoid.
    #[test]
    fn gradient_of_cross_entropy_is_probability_minus_target() {
        let device = Device::flex().autodiff();
        let logits = Tensor::<2>::from_floats([[0.0, 3.0, -3.0, 90.0]], &device).require_grad();
        let target = Tensor::from_floats([[0.25, 1.0, 0.0, 0.5]], &device);
        let loss =
            Reconstruction::CrossEntropy.loss(logits.clone(), Activation::Sigmoid, target.clone());
        let gradient = logits.grad(&loss.backward()).unwrap();
        let expected = Activation::Sigmoid.apply(logits.inner()) - target.inner();
        gradient
            .into_data()
            .assert_approx_eq::<f32>(&expected.into_data(), Tolerance::absolute(1e-6));
    }

    #[test]
    fn least_cross_entropy_is_the_entropy_of_the_target() {
        let device = Device::flex();
        let t = 0.3f64;
        let logit = (t / (1.0 - t)).ln() as f32;
        let loss = Reconstruction::CrossEntropy.loss(
            Tensor::from_floats([[logit]], &device),
            Activation::Sigmoid,
            Tensor::from_floats([[t as f32]], &device),
        );
        close(loss, entropy(t));
        assert_eq!((entropy(0.0), entropy(1.0)), (0.0, 0.0));
        assert!((entropy(0.5) - 2f64.ln()).abs() < 1e-15);
    }
}
