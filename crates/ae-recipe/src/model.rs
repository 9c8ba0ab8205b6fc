//! The model section of a recipe.

use ae_data::Shape;
use ae_models::{
    Activation, Architecture, ConvConfig, DenseConfig, Downsample, Norm, PcaConfig, Upsample,
};
use serde::{Deserialize, Serialize};
use toml::Table;

use super::is_false;
use super::linear_path::LinearPath;
use crate::error::{Error, Result};
use crate::option::{Parse, RecipeOption, group, option};
use crate::parse;

/// The model section of a recipe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum ModelRecipe {
    /// A [convolutional](ae_models::Conv) model.
    Conv(ConvRecipe),
    /// A [dense](ae_models::Dense) model.
    Dense(DenseRecipe),
    /// Principal component analysis.
    Pca(PcaRecipe),
}

/// The code of a convolutional model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "code: expected a number of units, or `maps`")]
pub enum Code {
    /// A dense layer with this number of units.
    Units(usize),
    /// The last feature map.
    FeatureMap(FeatureMap),
}

/// The last feature map is the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FeatureMap {
    /// The only value.
    #[serde(rename = "maps", alias = "feature-map")]
    FeatureMap,
}

/// A convolutional model: see [`ConvConfig`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConvRecipe {
    /// Units of the code.
    pub code: Code,
    /// Channels of each layer of the encoder.
    pub channels: Vec<usize>,
    /// Width of the kernels.
    pub kernel: usize,
    /// Widths of the dense hidden layers.
    pub hidden: Vec<usize>,
    /// How layers of the encoder halve the sides.
    pub down: Downsample,
    /// How layers of the decoder double them.
    pub up: Upsample,
    /// Normalization after each convolution.
    pub norm: Norm,
    /// Activation of hidden layers.
    pub activation: Activation,
    /// Activation of the code.
    pub code_activation: Activation,
    /// Activation of the reconstruction.
    pub output: Activation,
    /// Whether the decoder has the transposed weights of the encoder.
    #[serde(default, skip_serializing_if = "is_false")]
    pub tied: bool,
    /// Units of a code that are not set to 0: the largest.
    #[serde(rename = "kept", default, skip_serializing_if = "Option::is_none")]
    pub top_k: Option<usize>,
    /// Whether principal components run parallel to the layers.
    #[serde(default)]
    pub linear_path: LinearPath,
}

/// A dense model: see [`DenseConfig`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DenseRecipe {
    /// Units of the code.
    pub code: usize,
    /// Widths of the dense hidden layers.
    pub hidden: Vec<usize>,
    /// Whether the decoder has the transposed weights of the encoder.
    pub tied: bool,
    /// Activation of hidden layers.
    pub activation: Activation,
    /// Activation of the code.
    pub code_activation: Activation,
    /// Activation of the reconstruction.
    pub output: Activation,
    /// Units of a code that are not set to 0: the largest.
    #[serde(rename = "kept", default, skip_serializing_if = "Option::is_none")]
    pub top_k: Option<usize>,
    /// Whether principal components run parallel to the layers.
    #[serde(default)]
    pub linear_path: LinearPath,
}

/// Principal component analysis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PcaRecipe {
    /// Units of the code.
    pub code: usize,
}

impl ModelRecipe {
    /// The keys of a model of this kind.
    pub fn fields(&self) -> Vec<String> {
        let mut all = self.clone();
        // Keys of settings that are off are left out of a recipe.
        all.top_k_mut().into_iter().for_each(|top_k| *top_k = Some(1));
        if let Self::Conv(recipe) = &mut all {
            recipe.tied = true;
        }
        Table::try_from(&all).map_or(Vec::new(), |table| table.keys().cloned().collect())
    }

    /// The architecture for samples of a shape.
    ///
    /// # Errors
    /// If the model needs images.
    pub fn architecture(&self, shape: &Shape) -> Result<Architecture> {
        match self {
            Self::Conv(recipe) => {
                let &Shape::Image { channels, height, width } = shape else {
                    return Err(Error::usage(format!(
                        "a convolutional model needs images, but the data is a table of {shape}; use \
                         --model dense"
                    )));
                };
                Ok(Architecture::Conv(ConvConfig {
                    input: [channels, height, width],
                    code: match recipe.code {
                        Code::Units(units) => Some(units),
                        Code::FeatureMap(_) => None,
                    },
                    channels: recipe.channels.clone(),
                    kernel: recipe.kernel,
                    hidden: recipe.hidden.clone(),
                    down: recipe.down,
                    up: recipe.up,
                    norm: recipe.norm,
                    activation: recipe.activation,
                    code_activation: recipe.code_activation,
                    output: recipe.output,
                    tied: recipe.tied,
                    top_k: recipe.top_k,
                    // Its components are not known before the data is.
                    linear_path: None,
                }))
            }
            Self::Dense(recipe) => Ok(Architecture::Dense(DenseConfig {
                widths: [&[shape.features()], &recipe.hidden[..], &[recipe.code]].concat(),
                activation: recipe.activation,
                code_activation: recipe.code_activation,
                output: recipe.output,
                tied: recipe.tied,
                top_k: recipe.top_k,
                linear_path: None,
            })),
            Self::Pca(recipe) => Ok(Architecture::Pca(PcaConfig {
                features: shape.features(),
                components: recipe.code,
            })),
        }
    }

    /// The size of the code in the name of a run.
    pub fn code(&self) -> String {
        match self {
            Self::Conv(ConvRecipe { code: Code::FeatureMap(_), .. }) => "maps".to_owned(),
            Self::Conv(ConvRecipe { code: Code::Units(code), .. })
            | Self::Dense(DenseRecipe { code, .. })
            | Self::Pca(PcaRecipe { code }) => code.to_string(),
        }
    }

    /// Its name in a recipe.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Conv(_) => "conv",
            Self::Dense(_) => "dense",
            Self::Pca(_) => "pca",
        }
    }

    /// The activation of its reconstruction.
    pub fn output(&self) -> Activation {
        match self {
            Self::Conv(recipe) => recipe.output,
            Self::Dense(recipe) => recipe.output,
            Self::Pca(_) => Activation::Identity,
        }
    }

    /// The activation of its code, if a model of this kind has the setting.
    pub fn code_activation_mut(&mut self) -> Option<&mut Activation> {
        match self {
            Self::Conv(recipe) => Some(&mut recipe.code_activation),
            Self::Dense(recipe) => Some(&mut recipe.code_activation),
            Self::Pca(_) => None,
        }
    }

    /// Whether it is a linear map that is trained, unlike PCA.
    pub fn is_linear(&self) -> bool {
        match self {
            Self::Dense(recipe) => {
                let inner = (!recipe.hidden.is_empty()).then_some(recipe.activation);
                let all = [Some(recipe.code_activation), Some(recipe.output), inner];
                recipe.top_k.is_none()
                    && all.into_iter().flatten().all(|it| it == Activation::Identity)
            }
            Self::Conv(_) | Self::Pca(_) => false,
        }
    }

    /// Layers from an input to its code.
    pub fn layers(&self) -> usize {
        match self {
            Self::Conv(recipe) => {
                let is_dense = matches!(recipe.code, Code::Units(_));
                recipe.channels.len() + recipe.hidden.len() + usize::from(is_dense)
            }
            Self::Dense(recipe) => recipe.hidden.len() + 1,
            Self::Pca(_) => 1,
        }
    }

    /// Its linear path; off where there is no such setting.
    pub fn linear_path(&self) -> LinearPath {
        match self {
            Self::Conv(recipe) => recipe.linear_path,
            Self::Dense(recipe) => recipe.linear_path,
            Self::Pca(_) => LinearPath::Off,
        }
    }

    /// Its linear path, if a model of this kind has the setting.
    pub fn linear_path_mut(&mut self) -> Option<&mut LinearPath> {
        match self {
            Self::Conv(recipe) => Some(&mut recipe.linear_path),
            Self::Dense(recipe) => Some(&mut recipe.linear_path),
            Self::Pca(_) => None,
        }
    }

    /// The setting `top_k`, if a model of this kind has it.
    pub fn top_k_mut(&mut self) -> Option<&mut Option<usize>> {
        match self {
            Self::Conv(recipe) => Some(&mut recipe.top_k),
            Self::Dense(recipe) => Some(&mut recipe.top_k),
            Self::Pca(_) => None,
        }
    }
}

/// The option of the code.
pub(crate) fn code_option() -> RecipeOption {
    option(
        "code",
        "N|feature-map",
        &["model", "code"],
        Parse::By(parse::code),
        "Size of the code (latent dimension); or `feature-map`: the last feature \
                 map of a convolutional encoder is the code [default: conv 32, dense 30, \
                 tables half the number of columns, up to 32]",
    )
    .short('c')
}

/// The other options of the section.
pub(crate) fn options() -> Vec<RecipeOption> {
    group(
        "Model",
        vec![
            option(
                "model",
                "KIND",
                &["model", "kind"],
                Parse::Text,
                "conv, dense or pca [default: conv for images, dense for tables; pretrain: \
                 dense]",
            )
            .short('m'),
            option(
                "hidden",
                "N,N,..|none",
                &["model", "hidden"],
                Parse::By(parse::widths),
                "Widths of the hidden dense layers, or none [default: conv none, dense \
                 1000,500,250, tables 4 times the number of columns, from 128 to 512]",
            ),
            option(
                "channels",
                "N,N,..",
                &["model", "channels"],
                Parse::Counts,
                "Channels after each convolution (conv) [default: 32,64]",
            ),
            option(
                "kernel",
                "N",
                &["model", "kernel"],
                Parse::Count,
                "Kernel size of the convolutions, odd (conv) [default: 3]",
            ),
            option(
                "down",
                "HOW",
                &["model", "down"],
                Parse::Text,
                "Downsampling in the encoder: stride or max-pool (conv) [default: stride]",
            ),
            option(
                "up",
                "HOW",
                &["model", "up"],
                Parse::Text,
                "Upsampling in the decoder: transposed or upsample (conv) [default: \
                 transposed]",
            ),
            option(
                "norm",
                "NORM",
                &["model", "norm"],
                Parse::By(parse::norm),
                "Normalization: none, layer or group:N (conv) [default: none]",
            ),
            option(
                "activation",
                "NAME",
                &["model", "activation"],
                Parse::By(parse::activation),
                "Activation of hidden layers: identity, sigmoid, tanh, relu, leaky-relu, \
                 gelu or silu [default: relu, tables silu; pretrain: sigmoid for dense]",
            ),
            option(
                "code-activation",
                "NAME",
                &["model", "code_activation"],
                Parse::By(parse::activation),
                "Activation of the code [default: identity; with --kl sigmoid]",
            ),
            option(
                "output",
                "NAME",
                &["model", "output"],
                Parse::By(parse::activation),
                "Activation of the output [default: sigmoid for images and after min-max, \
                 else identity]",
            ),
            option(
                "tied",
                "",
                &["model", "tied"],
                Parse::Flag,
                "Tie the decoder's weights to the encoder's, transposed (conv, dense)",
            ),
            option(
                "top-k",
                "N",
                &["model", "kept"],
                Parse::Count,
                "Keep only the N largest units of each code after training and set the \
                 others to 0 [default: all; with --train-top-k twice its K]",
            )
            .old(&["kept"]),
            option(
                "linear-path",
                "WHEN",
                &["model", "linear_path"],
                Parse::OneOf(&["auto", "on", "off"]),
                "Add the principal components to the layers, so that training starts as PCA \
                 and improves on it: auto, on or off [default: auto, on if the model can \
                 have them and nothing is penalized; with --recipe off]",
            ),
        ],
    )
}
