//! Activations, elementwise.

#[cfg(feature = "flex")]
pub(crate) mod cpu;

use std::f64::consts::{PI, SQRT_2};

use burn::tensor::{Tensor, activation};

/// An elementwise nonlinearity `s`.
///
/// | name | s(a) | range |
/// |---|---|---|
/// | `identity` | a | all numbers |
/// | `sigmoid` | 1 / (1 + exp(-a)) | (0, 1) |
/// | `tanh` | tanh(a) | (-1, 1) |
/// | `relu` | max(a, 0) | \[0, inf) |
/// | `leaky-relu` | a where a > 0, 0.01 a elsewhere (Maas et al. 2013) | all numbers |
/// | `gelu` | a Phi(a), Phi the normal distribution function (arXiv 1606.08415) | above -0.17 |
/// | `silu` | a sigmoid(a) (arXiv 1702.03118) | above -0.28 |
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    /// `a`
    #[default]
    Identity,
    /// `1 / (1 + exp(-a))`
    Sigmoid,
    /// `tanh(a)`
    Tanh,
    /// `max(a, 0)`
    Relu,
    /// `a` above 0, `0.01 a` below
    LeakyRelu,
    /// `a Phi(a)`
    Gelu,
    /// `a sigmoid(a)`
    Silu,
}

const LEAK: f64 = 0.01;

impl Activation {
    /// All activations.
    pub const ALL: [Self; 7] = [
        Self::Identity,
        Self::Sigmoid,
        Self::Tanh,
        Self::Relu,
        Self::LeakyRelu,
        Self::Gelu,
        Self::Silu,
    ];

    /// `s(a)` for every element of a tensor of any rank.
    pub fn apply<const D: usize>(self, a: Tensor<D>) -> Tensor<D> {
        match self {
            Self::Identity => a,
            Self::Sigmoid => activation::sigmoid(a),
            Self::Tanh => activation::tanh(a),
            Self::Relu => activation::relu(a),
            Self::LeakyRelu => activation::leaky_relu(a, LEAK),
            // Burn's GELU differentiates an approximation on most back ends: its error is up to 9e-4.
            Self::Gelu => a.clone() * ((a / SQRT_2).erf() + 1.0) * 0.5,
            Self::Silu => activation::silu(a),
        }
    }

    /// Whether `s'(a)` follows from `s(a)` alone: true for all but GELU and SiLU. An operation can then apply `s` in
    /// the same pass and keep only the output for its backward pass.
    pub fn slope_follows_from_value(self) -> bool {
        !matches!(self, Self::Gelu | Self::Silu)
    }

    /// Applies `s` to the output of `operation`. The operation gets `s` and applies it itself where the slope follows
    /// from the value; otherwise it gets the identity.
    pub fn after<const D: usize>(self, operation: impl FnOnce(Self) -> Tensor<D>) -> Tensor<D> {
        match self.slope_follows_from_value() {
            true => operation(self),
            false => self.apply(operation(Self::Identity)),
        }
    }

    /// The slope of a rectifier below 0.
    pub(crate) fn leak(self) -> f64 {
        if self == Self::LeakyRelu { LEAK } else { 0.0 }
    }

    /// `s(a)` and its derivative `s'(a)`, both differentiable. A tangent or a cotangent is multiplied by
    /// the derivative when it passes the activation. At the kink of a rectifier the derivative is that of
    /// the left side.
    pub fn with_slope<const D: usize>(self, a: Tensor<D>) -> [Tensor<D>; 2] {
        let above_zero = |a: &Tensor<D>| a.clone().greater_elem(0.0).float();
        match self {
            Self::Identity => [a.clone(), a.ones_like()],
            Self::Sigmoid => {
                let value = activation::sigmoid(a);
                [value.clone(), value.clone() * (-value + 1.0)]
            }
            Self::Tanh => {
                let value = activation::tanh(a);
                [value.clone(), -value.square() + 1.0]
            }
            Self::Relu => [self.apply(a.clone()), above_zero(&a)],
            Self::LeakyRelu => [self.apply(a.clone()), above_zero(&a) * (1.0 - LEAK) + LEAK],
            Self::Gelu => {
                let below = ((a.clone() / SQRT_2).erf() + 1.0) * 0.5;
                let density = (a.clone().square() * -0.5).exp() / (2.0 * PI).sqrt();
                [a.clone() * below.clone(), below + a * density]
            }
            Self::Silu => {
                let gate = activation::sigmoid(a.clone());
                [a.clone() * gate.clone(), gate.clone() * (a * (-gate + 1.0) + 1.0)]
            }
        }
    }

    /// Whether all values lie in \[0, 1\], as cross-entropy and the KL penalty need.
    pub fn is_probability(self) -> bool {
        self == Self::Sigmoid
    }

    /// The name in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Sigmoid => "sigmoid",
            Self::Tanh => "tanh",
            Self::Relu => "relu",
            Self::LeakyRelu => "leaky-relu",
            Self::Gelu => "gelu",
            Self::Silu => "silu",
        }
    }

    /// Variance of initial weights times fan-in that keeps the scale of a signal from layer
    /// to layer: 2 for the rectifier family (He et al. 2015, arXiv 1502.01852), 1 otherwise
    /// (Glorot & Bengio 2010; LeCun et al. 1998).
    pub fn gain(self) -> f64 {
        match self {
            Self::Identity | Self::Sigmoid | Self::Tanh => 1.0,
            Self::Relu | Self::Gelu | Self::Silu => 2.0,
            Self::LeakyRelu => 2.0 / (1.0 + LEAK * LEAK),
        }
    }
}

impl std::fmt::Display for Activation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

impl std::str::FromStr for Activation {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|activation| activation.name() == name).ok_or_else(|| {
            format!("expected one of {}, got `{name}`", Self::ALL.map(Self::name).join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, Tolerance};

    /// Values at -1, 0 and 2, from the definitions: sigmoid(2) = 0.880797, tanh(2) = 0.964028,
    /// Phi(2) = 0.977250 so gelu(2) = 1.954500, Phi(-1) = 0.158655, silu(-1) = -0.268941.
    #[test]
    fn values_follow_the_definitions() {
        let device = Device::flex();
        for (activation, expected) in [
            (Activation::Identity, [-1.0, 0.0, 2.0]),
            (Activation::Sigmoid, [0.268_941_4, 0.5, 0.880_797]),
            (Activation::Tanh, [-0.761_594_2, 0.0, 0.964_027_6]),
            (Activation::Relu, [0.0, 0.0, 2.0]),
            (Activation::LeakyRelu, [-0.01, 0.0, 2.0]),
            (Activation::Gelu, [-0.158_655_3, 0.0, 1.954_499_7]),
            (Activation::Silu, [-0.268_941_4, 0.0, 1.761_594_2]),
        ] {
            let values = Tensor::<1>::from_floats([-1.0, 0.0, 2.0], &device);
            activation.apply(values).into_data().assert_approx_eq::<f32>(
                &burn::tensor::TensorData::from(expected.map(|value| value as f32)),
                Tolerance::absolute(1e-6),
            );
        }
    }

    /// Slopes against central differences, at points off the kinks: f32, so to 1e-3.
    #[test]
    fn slopes_are_derivatives() {
        let at = |shift: f32| {
            let points = [-2.0, -0.7, 0.3, 1.6].map(|point: f32| point + shift);
            Tensor::<1>::from_floats(points, &Device::flex())
        };
        for activation in Activation::ALL {
            let [value, slope] = activation.with_slope(at(0.0));
            value.into_data().assert_approx_eq::<f32>(
                &activation.apply(at(0.0)).into_data(),
                Tolerance::absolute(1e-6),
            );
            let numeric = (activation.apply(at(0.01)) - activation.apply(at(-0.01))) / 0.02;
            slope
                .into_data()
                .assert_approx_eq::<f32>(&numeric.into_data(), Tolerance::absolute(1e-3));
        }
    }

    #[test]
    fn names_are_read_back() {
        for activation in Activation::ALL {
            assert_eq!(activation.to_string().parse(), Ok(activation));
            let json = serde_json::to_string(&activation).unwrap();
            assert_eq!(json, format!("\"{activation}\""));
        }
        assert_eq!(
            "relu6".parse::<Activation>().unwrap_err(),
            "expected one of identity, sigmoid, tanh, relu, leaky-relu, gelu, silu, got `relu6`"
        );
    }
}
