//! What a convolutional autoencoder is made of, and the sizes that follow from it.

use burn::tensor::Device;

use super::{Conv, ConvDecoder, ConvEncoder};
use crate::count::{Count, check_count};
use crate::kept::check_kept;
use crate::{Activation, DenseConfig, Error, Part, Result, initial::Initial};

/// How an encoder stage halves its map (odd sizes round up).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Down {
    /// A convolution with stride 2.
    #[default]
    Stride,
    /// A convolution with stride 1, then the maximum of each 2x2 square.
    MaxPool,
}

/// How a decoder stage doubles its map, back to the very size its encoder stage had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Up {
    /// A transposed convolution with stride 2.
    #[default]
    Transposed,
    /// Nearest-neighbour upsampling, then a convolution with stride 1: no checkerboard
    /// (Odena et al. 2016, doi 10.23915/distill.00003), for more arithmetic.
    Upsample,
}

/// Normalisation between a convolution and its activation, per sample.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Norm {
    /// None.
    #[default]
    None,
    /// Over all channels together.
    Layer,
    /// Over each of so many groups of channels (Wu & He 2018, arXiv 1803.08494).
    Group(usize),
}

impl Norm {
    pub(super) fn groups(self) -> Option<usize> {
        match self {
            Self::None => None,
            Self::Layer => Some(1),
            Self::Group(groups) => Some(groups),
        }
    }
}

/// What a [`Conv`] autoencoder is made of.
///
/// | field | default | range | meaning |
/// |---|---|---|---|
/// | `input` | (asked for) | none 0 | channels, height, width of an image |
/// | `code` | (asked for) | none, or above 0 | units of the code; none: the last map, flattened, is the code |
/// | `channels` | 32, 64 | at least one, none 0 | channels after each stage; a stage halves height and width |
/// | `kernel` | 3 | odd, from 3 | height and width of every kernel |
/// | `hidden` | none | none 0 | widths of dense layers between the last map and the code, if that has units of its own |
/// | `down` | stride | stride, max-pool | how stages halve |
/// | `up` | transposed | transposed, upsample | how stages double |
/// | `norm` | none | none, layer, group n (n divides all of `channels`) | between convolution and activation |
/// | `activation` | ReLU | any | inside |
/// | `code_activation` | identity | any | of the code |
/// | `output` | sigmoid | any | of the reconstruction |
/// | `tied` | false | | each decoder layer is the transpose of its encoder layer: the same kernel or matrix, a bias of its own |
/// | `kept` | all | 1 to the code's units | units of a code that are kept, the largest; the others are 0 |
///
/// ```
/// use ae_models::{Autoencoder, ConvConfig};
/// use burn::tensor::{Device, Tensor};
///
/// let device = Device::flex();
/// let model = ConvConfig::new([3, 37, 53], 16).init(0, &device)?;
/// let images = Tensor::zeros([2, 3 * 37 * 53], &device);
/// assert_eq!(model.reconstruct(images).dims(), [2, 3 * 37 * 53]);
/// # Ok::<(), ae_models::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConvConfig {
    /// Channels, height and width of an image.
    pub input: [usize; 3],
    /// Units of the code; `None`: the last map is the code.
    pub code: Option<usize>,
    /// Channels after each stage.
    pub channels: Vec<usize>,
    /// Height and width of every kernel.
    pub kernel: usize,
    /// Widths of dense layers between the last map and the code.
    pub hidden: Vec<usize>,
    /// How stages halve.
    pub down: Down,
    /// How stages double.
    pub up: Up,
    /// Between convolution and activation.
    pub norm: Norm,
    /// Inside.
    pub activation: Activation,
    /// Of the code.
    pub code_activation: Activation,
    /// Of the reconstruction.
    pub output: Activation,
    /// Whether decoder weights are the encoder's, transposed.
    #[serde(default)]
    pub tied: bool,
    /// How many units of a code are kept ([`Encoder::kept`](crate::Encoder::kept)).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<usize>,
}

impl ConvConfig {
    /// The defaults for images of `input` = \[channels, height, width\] and a code of `code`
    /// units.
    pub fn new(input: [usize; 3], code: usize) -> Self {
        Self {
            input,
            code: Some(code),
            channels: vec![32, 64],
            kernel: 3,
            hidden: Vec::new(),
            down: Down::Stride,
            up: Up::Transposed,
            norm: Norm::None,
            activation: Activation::Relu,
            code_activation: Activation::Identity,
            output: Activation::Sigmoid,
            tied: false,
            kept: None,
        }
    }

    /// No dense layers: the code is the map after the last of the stages, which have so many
    /// `channels`. What a layer of a convolutional stack is.
    pub fn maps(input: [usize; 3], channels: impl Into<Vec<usize>>) -> Self {
        Self { code: None, channels: channels.into(), ..Self::new(input, 0) }
    }

    /// A model with weights drawn from `seed`: the same on every device. Weights are uniform
    /// with variance `g / fan_in`, `g` being 2 before a rectifier (He et al. 2015) and 1
    /// elsewhere; biases are 0.
    ///
    /// # Errors
    /// If a field is out of the range in the table above, or there are more stages than the
    /// image can be halved.
    pub fn init(&self, seed: u64, device: &Device) -> Result<Conv> {
        self.check()?;
        Ok(self.build(&mut Initial::new(seed, device)))
    }

    pub(crate) fn build(&self, initial: &mut Initial) -> Conv {
        let encoder = ConvEncoder::init(self, initial);
        let decoder = ConvDecoder::init(self, initial);
        Conv { encoder, decoder }
    }

    /// The same chain as autoencoders of one layer each, the one nearest to the input first: stages
    /// whose code is a map, then dense layers. What a [`Stack`](crate::Stack) is made of. The output
    /// of each has the activation of the code below; a stage's decoder has no normalisation.
    pub fn layers(&self) -> (Vec<Self>, Vec<DenseConfig>) {
        let output = |layer| if layer == 0 { self.output } else { self.activation };
        let last = self.encoder_layers() - 1;
        let (chain, sizes) = (self.chain(), self.sizes());
        let stages = (0..self.channels.len()).map(|index| Self {
            input: [chain[index], sizes[index][0], sizes[index][1]],
            code: None,
            channels: vec![chain[index + 1]],
            hidden: Vec::new(),
            code_activation: self.encoder_activation(index),
            output: output(index),
            kept: self.kept.filter(|_| index == last),
            ..self.clone()
        });
        let stages: Vec<Self> = stages.collect();
        let widths = self.widths();
        let dense = widths.windows(2).enumerate().map(|(index, pair)| {
            let layer = stages.len() + index;
            DenseConfig {
                widths: pair.to_vec(),
                activation: self.activation,
                code_activation: self.encoder_activation(layer),
                output: output(layer),
                tied: self.tied,
                kept: self.kept.filter(|_| layer == last),
            }
        });
        let dense = dense.collect();
        (stages, dense)
    }

    pub(crate) fn check(&self) -> Result<()> {
        if self.input.contains(&0) {
            return Err(Error::config("input", "channels, height and width above 0", self.input));
        }
        if self.code == Some(0) {
            return Err(Error::config("code", "a number above 0", 0));
        }
        if self.channels.is_empty() || self.channels.contains(&0) {
            return Err(Error::config("channels", "at least one stage, none of 0", &self.channels));
        }
        if self.kernel.is_multiple_of(2) || self.kernel < 3 {
            return Err(Error::config("kernel", "an odd number from 3", self.kernel));
        }
        if self.hidden.contains(&0) {
            return Err(Error::config("hidden", "widths above 0", &self.hidden));
        }
        if self.code.is_none() && !self.hidden.is_empty() {
            let expected = "none, since the last map is the code";
            return Err(Error::config("hidden", expected, &self.hidden));
        }
        let [_, height, width] = self.input;
        let halvings = usize::BITS - (height.max(width) - 1).leading_zeros();
        if self.channels.len() > halvings as usize {
            let expected =
                format!("at most {halvings} stages, which halve {height}x{width} to 1x1");
            return Err(Error::config("channels", expected, &self.channels));
        }
        match self.norm.groups() {
            Some(groups)
                if groups == 0 || self.channels.iter().any(|c| !c.is_multiple_of(groups)) =>
            {
                let expected = format!("groups that divide all of {:?}", self.channels);
                Err(Error::config("norm", expected, self.norm))
            }
            _ => {
                check_count(self.parameters(Part::Whole))?;
                check_kept(self.kept, self.code_size())
            }
        }
    }

    /// The numbers of a part's parameters, unless they are too many to count.
    pub(crate) fn parameters(&self, part: Part) -> Option<usize> {
        let (chain, [height, width]) = (self.chain(), self.sizes()[self.channels.len()]);
        let innermost = Count::default().add(&[chain[chain.len() - 1], height, width]).total()?;
        let widths = self.widths_from(innermost);
        let gains = if self.norm == Norm::None { 0 } else { 2 };
        let mut all = Count::default();
        all.add(&self.input);
        let features = all.total()?;
        for (index, pair) in chain.windows(2).enumerate() {
            let kernel = [pair[0], pair[1], self.kernel, self.kernel];
            if part != Part::Decoder {
                all.add(&kernel).add(&[1 + gains, pair[1]]);
            }
            if part != Part::Encoder {
                let gains = if index == 0 { 0 } else { gains };
                if !self.tied {
                    all.add(&kernel);
                }
                all.add(&[1 + gains, pair[0]]);
            }
        }
        for pair in widths.windows(2) {
            if part != Part::Decoder {
                all.add(&[pair[0], pair[1]]).add(&[pair[1]]);
            }
            if part != Part::Encoder {
                if !self.tied {
                    all.add(&[pair[0], pair[1]]);
                }
                all.add(&[pair[0]]);
            }
        }
        Some(all.total()? - features)
    }

    pub(crate) fn features(&self) -> usize {
        self.input.iter().product()
    }

    /// Channels of the image and after each stage.
    pub(super) fn chain(&self) -> Vec<usize> {
        [&self.input[..1], &self.channels].concat()
    }

    /// `[height, width]` of the image and after each stage.
    pub(super) fn sizes(&self) -> Vec<[usize; 2]> {
        let halve = |[height, width]: &[usize; 2]| Some([height.div_ceil(2), width.div_ceil(2)]);
        let image = [self.input[1], self.input[2]];
        std::iter::successors(Some(image), halve).take(self.channels.len() + 1).collect()
    }

    /// `[channels, height, width]` after the last stage.
    pub(super) fn innermost(&self) -> [usize; 3] {
        let [height, width] = self.sizes()[self.channels.len()];
        [self.channels[self.channels.len() - 1], height, width]
    }

    pub(crate) fn code_size(&self) -> usize {
        self.code.unwrap_or_else(|| self.innermost().iter().product())
    }

    /// Widths of the dense layers, from the flattened map to the code.
    pub(super) fn widths(&self) -> Vec<usize> {
        self.widths_from(self.innermost().iter().product())
    }

    fn widths_from(&self, innermost: usize) -> Vec<usize> {
        [&[innermost], &self.hidden[..], self.code.as_slice()].concat()
    }

    /// Layers between the input and the code: stages, then dense ones.
    pub(super) fn encoder_layers(&self) -> usize {
        self.channels.len() + self.widths().len() - 1
    }

    /// Of an encoder layer; stages come first.
    pub(super) fn encoder_activation(&self, layer: usize) -> Activation {
        if layer + 1 == self.encoder_layers() { self.code_activation } else { self.activation }
    }
}
