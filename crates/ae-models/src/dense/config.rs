//! What a dense autoencoder is made of.

use burn::tensor::Device;

use super::{Dense, DenseDecoder, DenseEncoder};
use crate::count::{Count, check_count};
use crate::kept::check_kept;
use crate::{Activation, Error, Part, Result, initial::Initial};

/// What a [`Dense`] autoencoder is made of.
///
/// | field | default | range | meaning |
/// |---|---|---|---|
/// | `widths` | (asked for) | at least two, none 0 | units from the input to the code, e.g. 784, 1000, 500, 250, 30; the decoder mirrors them |
/// | `activation` | ReLU | any | of hidden layers, in encoder and decoder |
/// | `code_activation` | identity | any | of the code |
/// | `output` | sigmoid | any | of the reconstruction |
/// | `tied` | false | | each decoder layer multiplies by the transpose of its encoder layer's weight |
/// | `kept` | all | 1 to the code's units | units of a code that are kept, the largest; the others are 0 |
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
    /// Of hidden layers.
    pub activation: Activation,
    /// Of the code.
    pub code_activation: Activation,
    /// Of the reconstruction.
    pub output: Activation,
    /// Whether decoder weights are the encoder's, transposed.
    pub tied: bool,
    /// How many units of a code are kept ([`Encoder::kept`](crate::Encoder::kept)).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<usize>,
}

impl DenseConfig {
    /// The defaults for a chain of widths from the input to the code.
    pub fn new(widths: impl Into<Vec<usize>>) -> Self {
        Self {
            widths: widths.into(),
            activation: Activation::Relu,
            code_activation: Activation::Identity,
            output: Activation::Sigmoid,
            tied: false,
            kept: None,
        }
    }

    /// A model with weights drawn from `seed`: the same on every device.
    ///
    /// Untied weights are uniform with variance `g / fan_in`, `g` being 2 before a rectifier
    /// (He et al. 2015) and 1 elsewhere; tied ones `6 / (fan_in + fan_out)` as bound (Glorot
    /// & Bengio 2010). Biases are 0.
    ///
    /// # Errors
    /// If there are fewer than two widths or one is 0.
    pub fn init(&self, seed: u64, device: &Device) -> Result<Dense> {
        self.check()?;
        Ok(self.build(&mut Initial::new(seed, device)))
    }

    pub(crate) fn build(&self, initial: &mut Initial) -> Dense {
        let encoder = DenseEncoder::init(self, initial);
        let decoder = DenseDecoder::init(self, initial);
        Dense { encoder, decoder }
    }

    /// The same chain as autoencoders of one layer each, the one nearest to the input first: what
    /// a [`Stack`](crate::Stack) is made of. The output of each has the activation of the code
    /// below.
    pub fn layers(&self) -> Vec<Self> {
        let layer = |(index, pair): (usize, &[usize])| Self {
            widths: pair.to_vec(),
            activation: self.activation,
            code_activation: self.encoder_activation(index),
            output: if index == 0 { self.output } else { self.activation },
            tied: self.tied,
            kept: self.kept.filter(|_| index + 1 == self.depth()),
        };
        self.widths.windows(2).enumerate().map(layer).collect()
    }

    pub(crate) fn check(&self) -> Result<()> {
        if self.widths.len() < 2 || self.widths.contains(&0) {
            let expected = "at least two widths (features and code), none of them 0";
            return Err(Error::config("widths", expected, &self.widths));
        }
        check_kept(self.kept, self.code_size())?;
        check_count(self.parameters(Part::Whole))
    }

    /// The numbers of a part's parameters, unless they are too many to count.
    pub(crate) fn parameters(&self, part: Part) -> Option<usize> {
        let mut all = Count::default();
        if part != Part::Decoder {
            for [from, to] in self.encoder_layers() {
                all.add(&[from, to]).add(&[to]);
            }
        }
        if part != Part::Encoder {
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
