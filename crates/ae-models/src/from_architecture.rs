//! Modules that are built from their architecture.

use burn::module::Module;
use burn::tensor::Device;

use crate::header::Header;
use crate::initializer::Initializer;
use crate::{
    Architecture, Classifier, Classify, Component, Conv, ConvDecoder, ConvEncoder, Dense,
    DenseDecoder, DenseEncoder, Encoder, Error, HeadConfig, Model, ModelEncoder, Pca, Result,
};

/// A module that can be built from its architecture, and therefore saved and loaded.
pub trait FromArchitecture: Module {
    /// The component that this type is.
    const COMPONENT: Component;

    /// The architecture of this module.
    fn architecture(&self) -> Architecture;

    /// A module with this architecture, whose weights are to be replaced.
    ///
    /// # Errors
    /// If the architecture is of another kind, or not valid.
    fn from_architecture(architecture: &Architecture, device: &Device) -> Result<Self>;

    /// The configuration of the head, for a classifier.
    fn head_config(&self) -> Option<HeadConfig> {
        None
    }

    /// A module with this header, whose weights are to be replaced.
    ///
    /// # Errors
    /// As [`from_architecture`](Self::from_architecture).
    fn from_header(header: &Header, device: &Device) -> Result<Self> {
        Self::from_architecture(&header.architecture, device)
    }
}

impl<E: Encoder + FromArchitecture> FromArchitecture for Classifier<E> {
    const COMPONENT: Component = Component::Classifier;

    fn architecture(&self) -> Architecture {
        self.encoder().architecture()
    }

    fn head_config(&self) -> Option<HeadConfig> {
        Some(self.head().config().clone())
    }

    /// # Errors
    /// Always, because a classifier also has a head.
    fn from_architecture(architecture: &Architecture, _: &Device) -> Result<Self> {
        other_kind("classifier", architecture)
    }

    fn from_header(header: &Header, device: &Device) -> Result<Self> {
        let Some(head) = &header.head else {
            return Err(Error::config("head", "the configuration of a classifier's head", "none"));
        };
        let encoder = E::from_architecture(&header.architecture, device)?;
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

macro_rules! from_architecture {
    ($type:ty, $component:ident, $kind:ident, $name:literal, |$config:ident, $device:ident| $build:expr) => {
        impl FromArchitecture for $type {
            const COMPONENT: Component = Component::$component;

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

from_architecture!(Dense, Whole, Dense, "dense", |config, device| config.init(0, device));
from_architecture!(Conv, Whole, Conv, "conv", |config, device| config.init(0, device));
from_architecture!(Pca, Whole, Pca, "pca", |config, device| Ok(
    config.build(&mut Initializer::new(0, device))
));
from_architecture!(DenseEncoder, Encoder, Dense, "dense", |config, device| Ok(DenseEncoder::init(
    config,
    &mut Initializer::new(0, device)
)));
from_architecture!(ConvEncoder, Encoder, Conv, "conv", |config, device| Ok(ConvEncoder::init(
    config,
    &mut Initializer::new(0, device)
)));
from_architecture!(DenseDecoder, Decoder, Dense, "dense", |config, device| {
    check_untied(config.tied)?;
    Ok(DenseDecoder::init(config, &mut Initializer::new(0, device)))
});
from_architecture!(ConvDecoder, Decoder, Conv, "conv", |config, device| {
    check_untied(config.tied)?;
    Ok(ConvDecoder::init(config, &mut Initializer::new(0, device)))
});

fn check_untied(tied: bool) -> Result<()> {
    if tied {
        let expected = "false, because a tied decoder has no weights of its own; load the whole \
                        model and call `to_decoder()`";
        return Err(Error::config("tied", expected, true));
    }
    Ok(())
}

impl FromArchitecture for Model {
    const COMPONENT: Component = Component::Whole;

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

impl FromArchitecture for ModelEncoder {
    const COMPONENT: Component = Component::Encoder;

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
        Ok(architecture.build_encoder(&mut Initializer::new(0, device)))
    }
}
