//! Models whose kind is known only at run time.

use burn::module::{DisplaySettings, Module, ModuleDisplay};
use burn::tensor::{Device, Tensor};

use crate::count::check_count;
use crate::initial::Initial;
use crate::stack::check_chain;
use crate::{
    Activation, Classifier, Classify, Conv, ConvConfig, ConvDecoder, ConvEncoder, Decoder, Dense,
    DenseConfig, DenseDecoder, DenseEncoder, Description, DifferentiableEncoder, Encoder, Error,
    HeadConfig, Layered, Pca, PcaConfig, Result, Stack,
};

/// Everything that decides what a model computes, but for its weights.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Architecture {
    /// A [`Dense`] autoencoder.
    Dense(DenseConfig),
    /// A [`Conv`] autoencoder.
    Conv(ConvConfig),
    /// A [`Pca`].
    Pca(PcaConfig),
    /// A [`Stack`].
    Stack {
        /// The layers, the one nearest to the input first.
        layers: Vec<Architecture>,
    },
}

impl Architecture {
    /// A model with weights drawn from `seed`.
    ///
    /// # Errors
    /// If the configuration describes no model.
    pub fn init(&self, seed: u64, device: &Device) -> Result<Model> {
        self.check()?;
        Ok(self.build(&mut Initial::new(seed, device)))
    }

    fn build(&self, initial: &mut Initial) -> Model {
        match self {
            Self::Dense(config) => Model::Dense(config.build(initial)),
            Self::Conv(config) => Model::Conv(config.build(initial)),
            Self::Pca(config) => Model::Pca(config.build(initial)),
            Self::Stack { layers } => {
                let layers = layers.iter().map(|layer| layer.build(initial)).collect();
                Model::Stack(Stack::from_layers(layers))
            }
        }
    }

    fn build_encoder(&self, initial: &mut Initial) -> ModelEncoder {
        match self {
            Self::Dense(config) => ModelEncoder::Dense(DenseEncoder::init(config, initial)),
            Self::Conv(config) => ModelEncoder::Conv(ConvEncoder::init(config, initial)),
            Self::Pca(config) => ModelEncoder::Pca(config.build(initial)),
            Self::Stack { layers } => {
                let layers = layers.iter().map(|layer| layer.build_encoder(initial)).collect();
                ModelEncoder::Stack(Stack::from_layers(layers))
            }
        }
    }

    /// The same chain of layers as a [`Stack`] of autoencoders with one layer each, which
    /// computes the same and can be pretrained layer by layer. A stack stays what it is.
    pub fn stacked(&self) -> Self {
        let layers = match self {
            Self::Dense(config) => config.layers().into_iter().map(Self::Dense).collect(),
            Self::Conv(config) => {
                let (stages, dense) = config.layers();
                let stages = stages.into_iter().map(Self::Conv);
                stages.chain(dense.into_iter().map(Self::Dense)).collect()
            }
            Self::Pca(_) => vec![self.clone()],
            Self::Stack { layers } => layers.clone(),
        };
        Self::Stack { layers }
    }

    /// The numbers of a part's parameters, unless they are too many to count.
    pub(crate) fn parameters(&self, part: Part) -> Option<usize> {
        // Of a classifier, those but the head's.
        let part = if part == Part::Classifier { Part::Encoder } else { part };
        match self {
            Self::Dense(config) => config.parameters(part),
            Self::Conv(config) => config.parameters(part),
            Self::Pca(config) => config.parameters(),
            Self::Stack { layers } => layers
                .iter()
                .try_fold(0usize, |sum, layer| sum.checked_add(layer.parameters(part)?)),
        }
    }

    /// Whether it describes a model.
    ///
    /// # Errors
    /// Names the first field that is out of its range.
    pub fn check(&self) -> Result<()> {
        match self {
            Self::Dense(config) => config.check(),
            Self::Conv(config) => config.check(),
            Self::Pca(config) => config.check(),
            Self::Stack { layers } => {
                layers.iter().try_for_each(Self::check)?;
                let widths = layers.iter().map(|layer| [layer.features(), layer.code_size()]);
                check_chain(&widths.collect::<Vec<_>>())?;
                check_count(self.parameters(Part::Whole))
            }
        }
    }

    /// Features of an input, of an architecture that passes [`check`](Self::check).
    pub fn features(&self) -> usize {
        match self {
            Self::Dense(config) => config.features(),
            Self::Conv(config) => config.features(),
            Self::Pca(config) => config.features,
            Self::Stack { layers } => layers.first().map_or(0, Self::features),
        }
    }

    /// Units of a code, of an architecture that passes [`check`](Self::check).
    pub fn code_size(&self) -> usize {
        match self {
            Self::Dense(config) => config.code_size(),
            Self::Conv(config) => config.code_size(),
            Self::Pca(config) => config.components,
            Self::Stack { layers } => layers.last().map_or(0, Self::code_size),
        }
    }

    /// `dense`, `conv`, `pca` or `stack`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Dense(_) => "dense",
            Self::Conv(_) => "conv",
            Self::Pca(_) => "pca",
            Self::Stack { .. } => "stack",
        }
    }

    /// The name that a tensor of a part has in a file of the whole.
    pub(crate) fn name_in_whole(&self, part: Part, name: &str) -> String {
        let in_layer = || {
            let Self::Stack { layers } = self else { return None };
            let (index, rest) = name.strip_prefix("layers.")?.split_once('.')?;
            let layer = layers.get(index.parse::<usize>().ok()?)?;
            Some(format!("layers.{index}.{}", layer.name_in_whole(part, rest)))
        };
        match self {
            _ if part == Part::Classifier => match name.strip_prefix("encoder.") {
                Some(name) => self.name_in_whole(Part::Encoder, name),
                None => name.to_owned(),
            },
            Self::Pca(_) => name.to_owned(),
            _ => in_layer().unwrap_or_else(|| format!("{}{name}", part.prefix())),
        }
    }
}

/// Any autoencoder of this crate.
#[derive(Module, Debug)]
#[module(custom_display)]
#[allow(clippy::large_enum_variant, reason = "a few hundred bytes, once or twice a process")]
pub enum Model {
    /// Dense.
    Dense(Dense),
    /// Convolutional.
    Conv(Conv),
    /// Principal components.
    Pca(Pca),
    /// Layers on top of each other.
    Stack(Stack<Model>),
}

/// The encoder of any autoencoder of this crate.
#[derive(Module, Debug)]
#[module(custom_display)]
#[allow(clippy::large_enum_variant, reason = "a few hundred bytes, once or twice a process")]
pub enum ModelEncoder {
    /// Dense.
    Dense(DenseEncoder),
    /// Convolutional.
    Conv(ConvEncoder),
    /// Principal components.
    Pca(Pca),
    /// Layers on top of each other.
    Stack(Stack<ModelEncoder>),
}

impl Model {
    /// The encoding half as a module of its own, with the same weights.
    pub fn to_encoder(&self) -> ModelEncoder {
        match self {
            Self::Dense(model) => ModelEncoder::Dense(model.encoder().clone()),
            Self::Conv(model) => ModelEncoder::Conv(model.encoder().clone()),
            Self::Pca(model) => ModelEncoder::Pca(model.clone()),
            Self::Stack(stack) => {
                let layers = stack.layers().iter().map(Self::to_encoder).collect();
                ModelEncoder::Stack(Stack::from_layers(layers))
            }
        }
    }
}

/// Calls the same method of whichever model it is.
macro_rules! each {
    ($type:ident, $self:expr, $model:ident => $call:expr) => {
        match $self {
            $type::Dense($model) => $call,
            $type::Conv($model) => $call,
            $type::Pca($model) => $call,
            $type::Stack($model) => $call,
        }
    };
}

macro_rules! encoder {
    ($type:ident) => {
        impl ModuleDisplay for $type {
            fn format(&self, settings: DisplaySettings) -> String {
                each!($type, self, model => model.format(settings))
            }
        }

        impl Encoder for $type {
            fn encode(&self, input: Tensor<2>) -> Tensor<2> {
                each!($type, self, model => model.encode(input))
            }

            fn features(&self) -> usize {
                each!($type, self, model => model.features())
            }

            fn code_size(&self) -> usize {
                each!($type, self, model => model.code_size())
            }

            fn code_activation(&self) -> Activation {
                each!($type, self, model => model.code_activation())
            }

            fn kept(&self) -> Option<usize> {
                each!($type, self, model => model.kept())
            }

            fn encode_all(&self, input: Tensor<2>) -> Tensor<2> {
                each!($type, self, model => model.encode_all(input))
            }
        }

        impl DifferentiableEncoder for $type {
            fn encode_tangent(&self, input: Tensor<2>, directions: Tensor<2>) -> [Tensor<2>; 2] {
                each!($type, self, model => model.encode_tangent(input, directions))
            }

            fn encode_cotangent(&self, input: Tensor<2>, directions: Tensor<2>) -> [Tensor<2>; 2] {
                each!($type, self, model => model.encode_cotangent(input, directions))
            }

            fn squared_jacobian(
                &self,
                input: Tensor<2>,
                code: Option<Tensor<2>>,
            ) -> Option<Tensor<1>> {
                each!($type, self, model => model.squared_jacobian(input, code))
            }
        }
    };
}

encoder!(Model);
encoder!(ModelEncoder);

impl Decoder for Model {
    fn decode_logits(&self, code: Tensor<2>) -> Tensor<2> {
        each!(Model, self, model => model.decode_logits(code))
    }

    fn output(&self) -> Activation {
        each!(Model, self, model => model.output())
    }
}

impl Layered for Model {
    fn encode_through(
        &self,
        input: Tensor<2>,
        between: &mut dyn FnMut(Tensor<2>) -> Tensor<2>,
    ) -> Tensor<2> {
        each!(Model, self, model => model.encode_through(input, between))
    }

    fn decode_logits_through(
        &self,
        code: Tensor<2>,
        between: &mut dyn FnMut(Tensor<2>) -> Tensor<2>,
    ) -> Tensor<2> {
        each!(Model, self, model => model.decode_logits_through(code, between))
    }
}

/// Which part of an autoencoder a file or a type holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// Encoder and decoder.
    Whole,
    /// The encoder alone.
    Encoder,
    /// The decoder alone.
    Decoder,
    /// The encoder and a head on its codes.
    Classifier,
}

impl Part {
    /// What names of its tensors begin with in a file.
    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Self::Whole | Self::Classifier => "",
            Self::Encoder => "encoder.",
            Self::Decoder => "decoder.",
        }
    }
}

impl Part {
    /// `an encoder`, `a decoder`
    pub(crate) fn with_article(self) -> String {
        let takes_a = matches!(self, Self::Decoder | Self::Classifier);
        format!("{} {self}", if takes_a { "a" } else { "an" })
    }

    pub(crate) fn is_half(self) -> bool {
        matches!(self, Self::Encoder | Self::Decoder)
    }
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Whole => "autoencoder",
            Self::Encoder => "encoder",
            Self::Decoder => "decoder",
            Self::Classifier => "classifier",
        })
    }
}

/// A module that can be built from its architecture, and so saved and loaded.
pub trait Described: Module {
    /// The part of an autoencoder this type is.
    const PART: Part;

    /// What it was made from.
    fn architecture(&self) -> Architecture;

    /// A module of that architecture, its weights to be replaced.
    ///
    /// # Errors
    /// If the architecture is of another kind, or describes no model.
    fn from_architecture(architecture: &Architecture, device: &Device) -> Result<Self>;

    /// What the head was made from, of a classifier.
    fn head_config(&self) -> Option<HeadConfig> {
        None
    }

    /// A module of that description, its weights to be replaced.
    ///
    /// # Errors
    /// As [`from_architecture`](Self::from_architecture).
    fn from_description(description: &Description, device: &Device) -> Result<Self> {
        Self::from_architecture(&description.architecture, device)
    }
}

impl<E: Encoder + Described> Described for Classifier<E> {
    const PART: Part = Part::Classifier;

    fn architecture(&self) -> Architecture {
        self.encoder().architecture()
    }

    fn head_config(&self) -> Option<HeadConfig> {
        Some(self.head().config().clone())
    }

    /// # Errors
    /// Always: a classifier has a head besides.
    fn from_architecture(architecture: &Architecture, _: &Device) -> Result<Self> {
        other_kind("classifier", architecture)
    }

    fn from_description(description: &Description, device: &Device) -> Result<Self> {
        let Some(head) = &description.head else {
            return Err(Error::config("head", "one, as a classifier has", "none"));
        };
        let encoder = E::from_architecture(&description.architecture, device)?;
        Self::new(encoder, head.init(device)?)
    }
}

fn other_kind<M>(expected: &str, architecture: &Architecture) -> Result<M> {
    Err(Error::Config {
        what: "kind",
        expected: expected.to_owned(),
        got: architecture.kind().to_owned(),
    })
}

macro_rules! described {
    ($type:ty, $part:ident, $kind:ident, $name:literal, |$config:ident, $device:ident| $build:expr) => {
        impl Described for $type {
            const PART: Part = Part::$part;

            fn architecture(&self) -> Architecture {
                Architecture::$kind(self.config().clone())
            }

            fn from_architecture(architecture: &Architecture, $device: &Device) -> Result<Self> {
                match architecture {
                    Architecture::$kind($config) => {
                        architecture.check()?;
                        $build
                    }
                    other => other_kind($name, other),
                }
            }
        }
    };
}

described!(Dense, Whole, Dense, "dense", |config, device| config.init(0, device));
described!(Conv, Whole, Conv, "conv", |config, device| config.init(0, device));
described!(Pca, Whole, Pca, "pca", |config, device| Ok(config.build(&mut Initial::new(0, device))));
described!(DenseEncoder, Encoder, Dense, "dense", |config, device| Ok(DenseEncoder::init(
    config,
    &mut Initial::new(0, device)
)));
described!(ConvEncoder, Encoder, Conv, "conv", |config, device| Ok(ConvEncoder::init(
    config,
    &mut Initial::new(0, device)
)));
described!(DenseDecoder, Decoder, Dense, "dense", |config, device| {
    check_untied(config.tied)?;
    Ok(DenseDecoder::init(config, &mut Initial::new(0, device)))
});
described!(ConvDecoder, Decoder, Conv, "conv", |config, device| {
    check_untied(config.tied)?;
    Ok(ConvDecoder::init(config, &mut Initial::new(0, device)))
});

fn check_untied(tied: bool) -> Result<()> {
    if tied {
        let expected = "false: a tied decoder has no weights of its own; load the whole model and \
                        take `to_decoder()`";
        return Err(Error::config("tied", expected, true));
    }
    Ok(())
}

impl Described for Model {
    const PART: Part = Part::Whole;

    fn architecture(&self) -> Architecture {
        match self {
            Self::Dense(model) => model.architecture(),
            Self::Conv(model) => model.architecture(),
            Self::Pca(model) => model.architecture(),
            Self::Stack(stack) => {
                let layers = stack.layers().iter().map(Self::architecture).collect();
                Architecture::Stack { layers }
            }
        }
    }

    fn from_architecture(architecture: &Architecture, device: &Device) -> Result<Self> {
        architecture.init(0, device)
    }
}

impl Described for ModelEncoder {
    const PART: Part = Part::Encoder;

    fn architecture(&self) -> Architecture {
        match self {
            Self::Dense(encoder) => encoder.architecture(),
            Self::Conv(encoder) => encoder.architecture(),
            Self::Pca(model) => model.architecture(),
            Self::Stack(stack) => {
                let layers = stack.layers().iter().map(Self::architecture).collect();
                Architecture::Stack { layers }
            }
        }
    }

    fn from_architecture(architecture: &Architecture, device: &Device) -> Result<Self> {
        architecture.check()?;
        Ok(architecture.build_encoder(&mut Initial::new(0, device)))
    }
}
