//! Models whose kind is known only at run time.

use burn::module::{DisplaySettings, Module, ModuleDisplay};
use burn::tensor::{Device, Tensor};
use serde_json::Value;

use crate::count::check_count;
use crate::initializer::Initializer;
use crate::stack::check_chain;
use crate::{
    Activation, Component, Conv, ConvConfig, ConvEncoder, Decoder, Dense, DenseConfig,
    DenseEncoder, DifferentiableEncoder, Encoder, Error, Layered, Pca, PcaConfig, Result, Stack,
};

/// Everything that determines what a model computes, except for its weights.
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
        /// The layers, from the input to the code.
        layers: Vec<Architecture>,
    },
}

impl Architecture {
    /// Builds a model with weights drawn from `seed`.
    ///
    /// # Errors
    /// If the configuration is not valid.
    pub fn init(&self, seed: u64, device: &Device) -> Result<Model> {
        self.check()?;
        Ok(self.build(&mut Initializer::new(seed, device)))
    }

    fn build(&self, initializer: &mut Initializer) -> Model {
        match self {
            Self::Dense(config) => Model::Dense(config.build(initializer)),
            Self::Conv(config) => Model::Conv(config.build(initializer)),
            Self::Pca(config) => Model::Pca(config.build(initializer)),
            Self::Stack { layers } => {
                let layers = layers.iter().map(|layer| layer.build(initializer)).collect();
                Model::Stack(Stack::from_layers(layers))
            }
        }
    }

    pub(crate) fn build_encoder(&self, initializer: &mut Initializer) -> ModelEncoder {
        match self {
            Self::Dense(config) => ModelEncoder::Dense(DenseEncoder::init(config, initializer)),
            Self::Conv(config) => ModelEncoder::Conv(ConvEncoder::init(config, initializer)),
            Self::Pca(config) => ModelEncoder::Pca(config.build(initializer)),
            Self::Stack { layers } => {
                let layers = layers.iter().map(|layer| layer.build_encoder(initializer)).collect();
                ModelEncoder::Stack(Stack::from_layers(layers))
            }
        }
    }

    /// The same layers as a [`Stack`] of autoencoders with one layer each, which computes the same and can
    /// be pretrained layer by layer. A stack is unchanged. A linear path is left out.
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

    /// The number of parameters of a component, unless it overflows.
    pub(crate) fn parameters(&self, component: Component) -> Option<usize> {
        // For a classifier, without the head.
        let component =
            if component == Component::Classifier { Component::Encoder } else { component };
        match self {
            Self::Dense(config) => config.parameters(component),
            Self::Conv(config) => config.parameters(component),
            Self::Pca(config) => config.parameters(),
            Self::Stack { layers } => layers
                .iter()
                .try_fold(0usize, |sum, layer| sum.checked_add(layer.parameters(component)?)),
        }
    }

    /// The number of parameters of a model, unless it is too large to count.
    pub fn num_params(&self) -> Option<usize> {
        self.parameters(Component::Whole)
    }

    /// Checks that all fields are valid.
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
                check_count(self.parameters(Component::Whole))
            }
        }
    }

    /// The features of an input, for an architecture that passes [`check`](Self::check).
    pub fn features(&self) -> usize {
        match self {
            Self::Dense(config) => config.features(),
            Self::Conv(config) => config.features(),
            Self::Pca(config) => config.features,
            Self::Stack { layers } => layers.first().map_or(0, Self::features),
        }
    }

    /// The units of a code, for an architecture that passes [`check`](Self::check).
    pub fn code_size(&self) -> usize {
        match self {
            Self::Dense(config) => config.code_size(),
            Self::Conv(config) => config.code_size(),
            Self::Pca(config) => config.components,
            Self::Stack { layers } => layers.last().map_or(0, Self::code_size),
        }
    }

    /// The architecture as JSON.
    pub(crate) fn settings(&self) -> Value {
        serde_json::to_value(self).expect("names and numbers")
    }

    /// The kind of the model: `dense`, `conv`, `pca` or `stack`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Dense(_) => "dense",
            Self::Conv(_) => "conv",
            Self::Pca(_) => "pca",
            Self::Stack { .. } => "stack",
        }
    }

    /// The name that a tensor of a component has in a file of the whole model.
    pub(crate) fn name_in_whole(&self, component: Component, name: &str) -> String {
        let in_layer = || {
            let Self::Stack { layers } = self else { return None };
            let (index, rest) = name.strip_prefix("layers.")?.split_once('.')?;
            let layer = layers.get(index.parse::<usize>().ok()?)?;
            Some(format!("layers.{index}.{}", layer.name_in_whole(component, rest)))
        };
        match self {
            _ if component == Component::Classifier => match name.strip_prefix("encoder.") {
                Some(name) => self.name_in_whole(Component::Encoder, name),
                None => name.to_owned(),
            },
            Self::Pca(_) => name.to_owned(),
            _ => in_layer().unwrap_or_else(|| format!("{}{name}", component.prefix())),
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
    /// The same with a linear path, the components of `pca`: it is the PCA until it is trained
    /// ([`Dense::with_linear_path`], [`Conv::with_linear_path`]).
    ///
    /// # Errors
    /// As there; and of a PCA and a stack.
    pub fn with_linear_path(self, pca: &Pca) -> Result<Self> {
        let refuse = |got: &str| {
            let expected = "a dense or a convolutional model; leave the path out";
            let (expected, got) = (expected.to_owned(), got.to_owned());
            Err(Error::Config { what: "linear_path", expected, got })
        };
        match self {
            Self::Dense(model) => Ok(Self::Dense(model.with_linear_path(pca)?)),
            Self::Conv(model) => Ok(Self::Conv(model.with_linear_path(pca)?)),
            Self::Pca(_) => refuse("a PCA"),
            Self::Stack(_) => refuse("a stack"),
        }
    }

    /// The encoding half as a separate module, with the same weights.
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

/// Calls the same method of any variant.
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

            fn top_k(&self) -> Option<usize> {
                each!($type, self, model => model.top_k())
            }

            fn learning_rate(&self) -> f64 {
                each!($type, self, model => model.learning_rate())
            }

            fn encode_dense(&self, input: Tensor<2>) -> Tensor<2> {
                each!($type, self, model => model.encode_dense(input))
            }

            fn settings(&self) -> Value {
                each!($type, self, model => model.settings())
            }
        }

        impl DifferentiableEncoder for $type {
            fn encode_tangent(&self, input: Tensor<2>, directions: Tensor<2>) -> [Tensor<2>; 2] {
                each!($type, self, model => model.encode_tangent(input, directions))
            }

            fn encode_cotangent(&self, input: Tensor<2>, directions: Tensor<2>) -> [Tensor<2>; 2] {
                each!($type, self, model => model.encode_cotangent(input, directions))
            }

            fn jacobian_norm_sq(
                &self,
                input: Tensor<2>,
                code: Option<Tensor<2>>,
            ) -> Option<Tensor<1>> {
                each!($type, self, model => model.jacobian_norm_sq(input, code))
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
    fn encode_with_hook(
        &self,
        input: Tensor<2>,
        hook: &mut dyn FnMut(Tensor<2>) -> Tensor<2>,
    ) -> Tensor<2> {
        each!(Model, self, model => model.encode_with_hook(input, hook))
    }

    fn decode_logits_with_hook(
        &self,
        code: Tensor<2>,
        hook: &mut dyn FnMut(Tensor<2>) -> Tensor<2>,
    ) -> Tensor<2> {
        each!(Model, self, model => model.decode_logits_with_hook(code, hook))
    }
}
