//! Models whose kind is known only at run time.

use burn::module::{DisplaySettings, Module, ModuleDisplay};
use burn::tensor::{Device, Tensor};

use crate::{
    Activation, Conv, ConvConfig, ConvDecoder, ConvEncoder, Decoder, Dense, DenseConfig,
    DenseDecoder, DenseEncoder, Encoder, Error, Result, initial::Initial,
};

/// Everything that decides what a model computes, but for its weights.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Architecture {
    /// A [`Dense`] autoencoder.
    Dense(DenseConfig),
    /// A [`Conv`] autoencoder.
    Conv(ConvConfig),
}

impl Architecture {
    /// A model with weights drawn from `seed`.
    ///
    /// # Errors
    /// If the configuration describes no model.
    pub fn init(&self, seed: u64, device: &Device) -> Result<Model> {
        Ok(match self {
            Self::Dense(config) => Model::Dense(config.init(seed, device)?),
            Self::Conv(config) => Model::Conv(config.init(seed, device)?),
        })
    }

    /// The numbers of a part's parameters, unless they are too many to count.
    pub(crate) fn parameters(&self, part: Part) -> Option<usize> {
        match self {
            Self::Dense(config) => config.parameters(part),
            Self::Conv(config) => config.parameters(part),
        }
    }

    /// Whether it describes a model.
    pub(crate) fn check(&self) -> Result<()> {
        match self {
            Self::Dense(config) => config.check(),
            Self::Conv(config) => config.check(),
        }
    }

    /// `dense` or `conv`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Dense(_) => "dense",
            Self::Conv(_) => "conv",
        }
    }
}

/// Any autoencoder of this crate.
#[derive(Module, Debug)]
#[module(custom_display)]
#[expect(clippy::large_enum_variant, reason = "a few hundred bytes, once or twice a process")]
pub enum Model {
    /// Dense.
    Dense(Dense),
    /// Convolutional.
    Conv(Conv),
}

impl ModuleDisplay for Model {
    fn format(&self, settings: DisplaySettings) -> String {
        match self {
            Self::Dense(model) => model.format(settings),
            Self::Conv(model) => model.format(settings),
        }
    }
}

impl Encoder for Model {
    fn encode(&self, input: Tensor<2>) -> Tensor<2> {
        match self {
            Self::Dense(model) => model.encode(input),
            Self::Conv(model) => model.encode(input),
        }
    }

    fn features(&self) -> usize {
        match self {
            Self::Dense(model) => model.features(),
            Self::Conv(model) => model.features(),
        }
    }

    fn code_size(&self) -> usize {
        match self {
            Self::Dense(model) => model.code_size(),
            Self::Conv(model) => model.code_size(),
        }
    }

    fn code_activation(&self) -> Activation {
        match self {
            Self::Dense(model) => model.code_activation(),
            Self::Conv(model) => model.code_activation(),
        }
    }
}

impl Decoder for Model {
    fn decode_logits(&self, code: Tensor<2>) -> Tensor<2> {
        match self {
            Self::Dense(model) => model.decode_logits(code),
            Self::Conv(model) => model.decode_logits(code),
        }
    }

    fn output(&self) -> Activation {
        match self {
            Self::Dense(model) => model.output(),
            Self::Conv(model) => model.output(),
        }
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
}

impl Part {
    /// What names of its tensors begin with in a file.
    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Self::Whole => "",
            Self::Encoder => "encoder.",
            Self::Decoder => "decoder.",
        }
    }
}

impl Part {
    /// `an encoder`, `a decoder`
    pub(crate) fn with_article(self) -> String {
        format!("{} {self}", if self == Self::Decoder { "a" } else { "an" })
    }
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Whole => "autoencoder",
            Self::Encoder => "encoder",
            Self::Decoder => "decoder",
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
described!(DenseEncoder, Encoder, Dense, "dense", |config, device| Ok(DenseEncoder::init(
    config,
    &mut Initial::new(0, device)
)));
described!(ConvEncoder, Encoder, Conv, "conv", |config, device| Ok(ConvEncoder::init(
    config,
    &mut Initial::new(0, device)
)));
described!(DenseDecoder, Decoder, Dense, "dense", |config, device| {
    if config.tied {
        let expected = "false: a tied decoder has no weights of its own; load the whole model and \
                        take `to_decoder()`";
        return Err(Error::config("tied", expected, true));
    }
    Ok(DenseDecoder::init(config, &mut Initial::new(0, device)))
});
described!(ConvDecoder, Decoder, Conv, "conv", |config, device| Ok(ConvDecoder::init(
    config,
    &mut Initial::new(0, device)
)));

impl Described for Model {
    const PART: Part = Part::Whole;

    fn architecture(&self) -> Architecture {
        match self {
            Self::Dense(model) => model.architecture(),
            Self::Conv(model) => model.architecture(),
        }
    }

    fn from_architecture(architecture: &Architecture, device: &Device) -> Result<Self> {
        architecture.init(0, device)
    }
}
