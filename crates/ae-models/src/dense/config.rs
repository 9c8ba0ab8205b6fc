//! The configuration of a dense autoencoder.

use burn::tensor::Device;

use super::{Dense, DenseDecoder, DenseEncoder};
use crate::count::{Count, check_count};
use crate::linear_path::PathConditions;
use crate::top_k::check_top_k;
use crate::{Activation, Component, Error, Result, initializer::Initializer};

/// The configuration of a [`Dense`] autoencoder.
///
/// | field | default | range | meaning |
/// |---|---|---|---|
/// | `widths` | (required) | at least two, each from 1 | units from the input to the code, e.g. 784, 1000, 500, 250, 30; the decoder mirrors them |
/// | `activation` | ReLU | any | activation of hidden layers, in encoder and decoder |
/// | `code_activation` | identity | any | activation of the code |
/// | `output` | sigmoid | any | activation of the reconstruction |
/// | `tied` | false | | each decoder layer uses the transpose of its encoder layer's weight |
/// | `top_k` | none | 1 to the code's units | how many of the largest units of a code are kept; the others are 0 |
/// | `linear_path` | none | 1 to the code's units | principal components in parallel to the layers ([`with_linear_path`](Dense::with_linear_path)) |
///
/// ```
/// use ae_models::{Activation, DenseConfig, Encoder};
/// use burn::tensor::{Device, Tensor};
///
/// let device = Device::flex();
/// let config = DenseConfig { tied: true, ..DenseConfig::new([784, 500, 30]) };
/// let model = config.init(0, &device)?;
/// let code = model.encode(Tensor::zeros([2, 784], &device));
/// assert_eq!(code.dims(), [2, 30]);
/// # Ok::<(), ae_models::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DenseConfig {
    /// Units from the input to the code.
    pub widths: Vec<usize>,
    /// Activation of hidden layers.
    pub activation: Activation,
    /// Activation of the code.
    pub code_activation: Activation,
    /// Activation of the reconstruction.
    pub output: Activation,
    /// Whether decoder weights are those of the encoder, transposed.
    pub tied: bool,
    /// How many of the largest units of a code are kept ([`Encoder::top_k`](crate::Encoder::top_k)).
    // Files have always said `kept`.
    #[serde(rename = "kept", alias = "top_k", default, skip_serializing_if = "Option::is_none")]
    pub top_k: Option<usize>,
    /// Principal components in parallel to the layers ([`Dense::with_linear_path`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub linear_path: Option<usize>,
}

impl DenseConfig {
    /// The peak learning rate of Adam that training uses unless it is given another.
    pub const LEARNING_RATE: f64 = 1e-3;

    /// The defaults for these widths, from the input to the code.
    pub fn new(widths: impl Into<Vec<usize>>) -> Self {
        Self {
            widths: widths.into(),
            activation: Activation::Relu,
            code_activation: Activation::Identity,
            output: Activation::Sigmoid,
            tied: false,
            top_k: None,
            linear_path: None,
        }
    }

    /// Builds a model with weights drawn from `seed`, the same on every device.
    ///
    /// Untied weights are uniform with variance `g / fan_in`, where `g` is 2 before a rectifier (He et
    /// al. 2015) and 1 elsewhere. Tied weights are uniform on `+-sqrt(6 / (fan_in + fan_out))` (Glorot &
    /// Bengio 2010). Biases are 0.
    ///
    /// # Errors
    /// If there are fewer than two widths or one is 0.
    pub fn init(&self, seed: u64, device: &Device) -> Result<Dense> {
        self.check()?;
        Ok(self.build(&mut Initializer::new(seed, device)))
    }

    pub(crate) fn build(&self, initializer: &mut Initializer) -> Dense {
        let encoder = DenseEncoder::init(self, initializer);
        let decoder = DenseDecoder::init(self, initializer);
        Dense { encoder, decoder }
    }

    /// The same model as autoencoders of one layer each, from the input to the code, for a
    /// [`Stack`](crate::Stack). The output of each has the activation of the code below. A linear
    /// path belongs to the whole model and is left out.
    pub fn layers(&self) -> Vec<Self> {
        let layer = |(index, pair): (usize, &[usize])| Self {
            widths: pair.to_vec(),
            activation: self.activation,
            code_activation: self.encoder_activation(index),
            output: if index == 0 { self.output } else { self.activation },
            tied: self.tied,
            top_k: self.top_k.filter(|_| index + 1 == self.depth()),
            linear_path: None,
        };
        self.widths.windows(2).enumerate().map(layer).collect()
    }

    pub(crate) fn check(&self) -> Result<()> {
        if self.widths.len() < 2 || self.widths.contains(&0) {
            let expected = "at least two widths (features and code), none of them 0";
            return Err(Error::config("widths", expected, &self.widths));
        }
        check_top_k(self.top_k, self.code_size())?;
        self.path_conditions().check(self.linear_path)?;
        check_count(self.parameters(Component::Whole))
    }

    pub(super) fn path_conditions(&self) -> PathConditions {
        PathConditions {
            features: self.features(),
            code: Some(self.code_size()),
            tied: self.tied,
            top_k: self.top_k,
            code_activation: self.code_activation,
            output: self.output,
        }
    }

    /// The number of parameters of a component, unless it overflows.
    pub(crate) fn parameters(&self, component: Component) -> Option<usize> {
        let mut all = Count::default();
        all.add_linear_path([self.features(), self.linear_path.unwrap_or(0)], component);
        if component != Component::Decoder {
            for [from, to] in self.encoder_layers() {
                all.add(&[from, to]).add(&[to]);
            }
        }
        if component != Component::Encoder {
            for [from, to] in self.decoder_layers() {
                all.add(&[to]);
                if !self.tied {
                    all.add(&[from, to]);
                }
            }
        }
        all.total()
    }

    pub(crate) fn features(&self) -> usize {
        self.widths[0]
    }

    pub(crate) fn code_size(&self) -> usize {
        self.widths[self.widths.len() - 1]
    }

    pub(super) fn depth(&self) -> usize {
        self.widths.len() - 1
    }

    /// `[in, out]` of each encoder layer.
    pub(super) fn encoder_layers(&self) -> impl Iterator<Item = [usize; 2]> {
        self.widths.windows(2).map(|pair| [pair[0], pair[1]])
    }

    /// `[in, out]` of each decoder layer.
    pub(super) fn decoder_layers(&self) -> impl Iterator<Item = [usize; 2]> {
        self.widths.windows(2).rev().map(|pair| [pair[1], pair[0]])
    }

    pub(super) fn encoder_activation(&self, layer: usize) -> Activation {
        if layer + 1 == self.depth() { self.code_activation } else { self.activation }
    }

    pub(super) fn decoder_activation(&self, layer: usize) -> Activation {
        if layer + 1 == self.depth() { self.output } else { self.activation }
    }
}
