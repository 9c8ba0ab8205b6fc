//! The configuration of a convolutional autoencoder, and the sizes that follow from it.

use burn::tensor::Device;

use super::{Conv, ConvDecoder, ConvEncoder};
use crate::count::{Count, check_count};
use crate::linear_path::PathConditions;
use crate::top_k::check_top_k;
use crate::{
    Activation, Component, DenseConfig, Downsample, Error, Result, Upsample,
    initializer::Initializer,
};

/// Normalisation between a convolution and its activation, per sample.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Norm {
    /// None.
    #[default]
    None,
    /// Over all channels.
    Layer,
    /// Over each of this number of groups of channels (Wu & He 2018, arXiv 1803.08494).
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

/// The configuration of a [`Conv`] autoencoder.
///
/// | field | default | range | meaning |
/// |---|---|---|---|
/// | `input` | (required) | each from 1 | channels, height, width of an image |
/// | `code` | (required) | none, or from 1 | units of the code; with none, the flattened last map is the code |
/// | `channels` | 32, 64 | at least one, each from 1 | channels after each stage; a stage halves height and width |
/// | `kernel` | 3 | odd, from 3 | height and width of every kernel |
/// | `hidden` | none | each from 1 | widths of dense layers between the last map and the code, if `code` is set |
/// | `down` | stride | stride, max-pool | how encoder stages halve |
/// | `up` | transposed | transposed, nearest | how decoder stages double |
/// | `norm` | none | none, layer, group n (n divides all of `channels`) | between convolution and activation |
/// | `activation` | ReLU | any | activation of hidden layers |
/// | `code_activation` | identity | any | activation of the code |
/// | `output` | sigmoid | any | activation of the reconstruction |
/// | `tied` | false | | each decoder layer is the transpose of its encoder layer: it has the same kernel or matrix, and its own bias |
/// | `top_k` | none | 1 to the code's units | how many of the largest units of a code are kept; the others are 0 |
/// | `linear_path` | none | 1 to the code's units | principal components in parallel to the layers ([`with_linear_path`](Conv::with_linear_path)) |
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
    /// Units of the code. With `None` the last map is the code.
    pub code: Option<usize>,
    /// Channels after each stage.
    pub channels: Vec<usize>,
    /// Height and width of every kernel.
    pub kernel: usize,
    /// Widths of dense layers between the last map and the code.
    pub hidden: Vec<usize>,
    /// How encoder stages halve.
    pub down: Downsample,
    /// How decoder stages double.
    pub up: Upsample,
    /// The normalisation between convolution and activation.
    pub norm: Norm,
    /// Activation of hidden layers.
    pub activation: Activation,
    /// Activation of the code.
    pub code_activation: Activation,
    /// Activation of the reconstruction.
    pub output: Activation,
    /// Whether decoder weights are those of the encoder, transposed.
    #[serde(default)]
    pub tied: bool,
    /// How many of the largest units of a code are kept ([`Encoder::top_k`](crate::Encoder::top_k)).
    // Files have always said `kept`.
    #[serde(rename = "kept", alias = "top_k", default, skip_serializing_if = "Option::is_none")]
    pub top_k: Option<usize>,
    /// Principal components in parallel to the layers ([`Conv::with_linear_path`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub linear_path: Option<usize>,
}

impl ConvConfig {
    /// The peak learning rate of Adam that training uses unless it is given another. Feature maps share
    /// their weights over all positions and take larger steps than dense layers.
    pub const LEARNING_RATE: f64 = 5e-3;

    /// The defaults for images of `input` = \[channels, height, width\] and a code of `code`
    /// units.
    pub fn new(input: [usize; 3], code: usize) -> Self {
        Self {
            input,
            code: Some(code),
            channels: vec![32, 64],
            kernel: 3,
            hidden: Vec::new(),
            down: Downsample::Stride,
            up: Upsample::Transposed,
            norm: Norm::None,
            activation: Activation::Relu,
            code_activation: Activation::Identity,
            output: Activation::Sigmoid,
            tied: false,
            top_k: None,
            linear_path: None,
        }
    }

    /// The defaults without dense layers: the code is the map after the last stage. A layer of a
    /// convolutional stack is such a model with one stage.
    pub fn maps(input: [usize; 3], channels: impl Into<Vec<usize>>) -> Self {
        Self { code: None, channels: channels.into(), ..Self::new(input, 0) }
    }

    /// Builds a model with weights drawn from `seed`, the same on every device. Weights are uniform with
    /// variance `g / fan_in`, where `g` is 2 before a rectifier (He et al. 2015) and 1 elsewhere.
    /// Biases are 0.
    ///
    /// # Errors
    /// If a field is out of the range in the table above, or the image cannot be halved as often as there
    /// are stages.
    pub fn init(&self, seed: u64, device: &Device) -> Result<Conv> {
        self.check()?;
        Ok(self.build(&mut Initializer::new(seed, device)))
    }

    pub(crate) fn build(&self, initializer: &mut Initializer) -> Conv {
        let encoder = ConvEncoder::init(self, initializer);
        let decoder = ConvDecoder::init(self, initializer);
        Conv { encoder, decoder }
    }

    /// The same model as autoencoders of one layer each, from the input to the code, for a
    /// [`Stack`](crate::Stack): stages whose code is a map, then dense layers. The output of each has the
    /// activation of the code below. The decoder of a stage has no normalisation. A linear path belongs to the whole
    /// model and is left out.
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
            top_k: self.top_k.filter(|_| index == last),
            linear_path: None,
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
                top_k: self.top_k.filter(|_| layer == last),
                linear_path: None,
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
                check_count(self.parameters(Component::Whole))?;
                check_top_k(self.top_k, self.code_size())?;
                self.path_conditions().check(self.linear_path)
            }
        }
    }

    pub(super) fn path_conditions(&self) -> PathConditions {
        PathConditions {
            features: self.features(),
            code: self.code,
            tied: self.tied,
            top_k: self.top_k,
            code_activation: self.code_activation,
            output: self.output,
        }
    }

    /// The number of parameters of a component, unless it overflows.
    pub(crate) fn parameters(&self, component: Component) -> Option<usize> {
        let (chain, [height, width]) = (self.chain(), self.sizes()[self.channels.len()]);
        let innermost = Count::default().add(&[chain[chain.len() - 1], height, width]).total()?;
        let widths = self.widths_from(innermost);
        let gains = if self.norm == Norm::None { 0 } else { 2 };
        let mut all = Count::default();
        all.add(&self.input);
        let features = all.total()?;
        all.add_linear_path([features, self.linear_path.unwrap_or(0)], component);
        for (index, pair) in chain.windows(2).enumerate() {
            let kernel = [pair[0], pair[1], self.kernel, self.kernel];
            if component != Component::Decoder {
                all.add(&kernel).add(&[1 + gains, pair[1]]);
            }
            if component != Component::Encoder {
                let gains = if index == 0 { 0 } else { gains };
                if !self.tied {
                    all.add(&kernel);
                }
                all.add(&[1 + gains, pair[0]]);
            }
        }
        for pair in widths.windows(2) {
            if component != Component::Decoder {
                all.add(&[pair[0], pair[1]]).add(&[pair[1]]);
            }
            if component != Component::Encoder {
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

    /// The channels of the image and after each stage.
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

    /// The widths of the dense layers, from the flattened map to the code.
    pub(super) fn widths(&self) -> Vec<usize> {
        self.widths_from(self.innermost().iter().product())
    }

    fn widths_from(&self, innermost: usize) -> Vec<usize> {
        [&[innermost], &self.hidden[..], self.code.as_slice()].concat()
    }

    /// The number of layers between input and code: stages and dense layers.
    pub(super) fn encoder_layers(&self) -> usize {
        self.channels.len() + self.widths().len() - 1
    }

    /// The activation of an encoder layer. Stages come first.
    pub(super) fn encoder_activation(&self, layer: usize) -> Activation {
        if layer + 1 == self.encoder_layers() { self.code_activation } else { self.activation }
    }
}
