//! The decoder of a convolutional autoencoder.

use ae_kernels::{conv_transpose2d, conv2d, flatten, unflatten};
use burn::module::Module;
use burn::tensor::Tensor;

use super::{ConvConfig, ConvEncoder, norm, normalized, shape};
use crate::layers::{Normalization, TiedLayer, upsample};
use crate::linear_path::LinearPath;
use crate::summary::{Summary, print_as_summary};
use crate::{Activation, Decoder, Pca, Upsample, initializer::Initializer};

/// The decoding half of a [`Conv`](crate::Conv) autoencoder.
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct ConvDecoder {
    pub(super) dense: Vec<TiedLayer<2>>,
    pub(super) stages: Vec<DecoderStage>,
    pub(super) linear: Option<LinearPath>,
    #[module(skip)]
    pub(super) config: ConvConfig,
}

/// A convolution, which may use the kernel of its encoder stage, and its normalisation.
#[derive(Module, Debug)]
pub(super) struct DecoderStage {
    pub(super) convolution: TiedLayer<4>,
    pub(super) norm: Option<Normalization>,
}

impl ConvDecoder {
    pub(crate) fn init(config: &ConvConfig, initializer: &mut Initializer) -> Self {
        let mut dense = Vec::new();
        for pair in config.widths().windows(2).rev() {
            let gain = config.activation.gain();
            let weight =
                (!config.tied).then(|| initializer.weight([pair[1], pair[0]], pair[1], gain));
            dense.push(TiedLayer { weight, bias: initializer.constant(pair[0], 0.0) });
        }
        let mut stages = Vec::new();
        let k = config.kernel;
        for (index, pair) in config.chain().windows(2).enumerate().rev() {
            let [to, from] = [pair[0], pair[1]];
            let is_outermost = index == 0;
            let gain = if is_outermost { config.output.gain() } else { config.activation.gain() };
            let weight = (!config.tied).then(|| match config.up {
                // An output is a sum over a quarter of the kernel's entries.
                Upsample::Transposed => {
                    initializer.weight([from, to, k, k], (from * k * k).div_ceil(4), gain)
                }
                Upsample::Nearest => initializer.weight([to, from, k, k], from * k * k, gain),
            });
            let convolution = TiedLayer { weight, bias: initializer.constant(to, 0.0) };
            let groups = config.norm.groups().filter(|_| !is_outermost);
            let norm = groups.map(|groups| Normalization::init(to, groups, initializer));
            stages.push(DecoderStage { convolution, norm });
        }
        let path = |count| LinearPath::init([config.features(), count], config.output, initializer);
        let linear = config.linear_path.map(path).map(LinearPath::fixed);
        Self { dense, stages, linear, config: config.clone() }
    }

    /// The configuration of the model.
    pub fn config(&self) -> &ConvConfig {
        &self.config
    }
}

impl ConvDecoder {
    pub(super) fn logits(
        &self,
        code: Tensor<2>,
        encoder: Option<&ConvEncoder>,
        mut hook: Option<&mut dyn FnMut(Tensor<2>) -> Tensor<2>>,
    ) -> Tensor<2> {
        let config = &self.config;
        let mut x = code.clone();
        for (index, layer) in self.dense.iter().enumerate() {
            let shared = self.dense.len() - 1 - index;
            let shared = encoder.map(|encoder| encoder.dense[shared].weight.val());
            x = layer.forward(x, shared, config.activation);
            if let Some(hook) = &mut hook {
                x = hook(x);
            }
        }
        let mut map = unflatten(x, config.innermost());
        let sizes = config.sizes();
        for (index, stage) in self.stages.iter().enumerate() {
            let target = self.stages.len() - 1 - index;
            let shared = encoder.map(|encoder| encoder.stages[target].convolution.weight.val());
            let is_shared = stage.convolution.weight.is_none();
            let weight = stage.convolution.weight(shared);
            let (bias, size) = (Some(stage.convolution.bias.val()), sizes[target]);
            let activation = if target > 0 { config.activation } else { Activation::Identity };
            map = normalized(&stage.norm, activation, |after| match config.up {
                Upsample::Transposed => conv_transpose2d(map, weight, bias, 2, size, after),
                Upsample::Nearest => match (upsample(map, size), is_shared) {
                    (map, true) => conv_transpose2d(map, weight, bias, 1, size, after),
                    (map, false) => conv2d(map, weight, bias, 1, after),
                },
            });
            if let (Some(hook), true) = (&mut hook, target > 0) {
                let shape = map.dims();
                map = hook(map.flatten(1, 3)).reshape(shape);
            }
        }
        match &self.linear {
            Some(linear) => linear.decode(code, flatten(map), config.output),
            None => flatten(map),
        }
    }

    /// The same with the components of a PCA in parallel. Its last layer is set to 0.
    pub(super) fn with_linear_path(mut self, pca: &Pca, config: &ConvConfig) -> Self {
        if let Some(DecoderStage { convolution: last, .. }) = self.stages.last_mut() {
            let device = last.bias.val().device().without_autodiff();
            self.linear = Some(LinearPath::of(pca, &device).fixed());
            *last = last.at_zero();
        }
        Self { config: config.clone(), ..self }
    }
}

impl Decoder for ConvDecoder {
    fn decode_logits(&self, code: Tensor<2>) -> Tensor<2> {
        self.logits(code, None, None)
    }

    fn output(&self) -> Activation {
        self.config.output
    }
}

print_as_summary!(ConvDecoder);

impl ConvDecoder {
    fn summary(&self) -> Summary {
        let (code, input) = (self.config.code_size(), shape(self.config.input));
        let title = format!("Convolutional decoder {code} -> {input}");
        let mut summary = Summary::new(title);
        self.summarize(&mut summary);
        summary
    }

    pub(super) fn summarize(&self, summary: &mut Summary) {
        let config = &self.config;
        let tied = if config.tied { "tied, " } else { "" };
        for (index, layer) in self.dense.iter().enumerate() {
            let width = match index + 1 == self.dense.len() {
                true => shape(config.innermost()),
                false => layer.bias.dims()[0].to_string(),
            };
            summary.row(
                "decoder",
                format!("dense, {tied}{}", config.activation),
                width,
                layer.num_params(),
            );
        }
        let (kernel, channels, sizes) = (config.kernel, config.chain(), config.sizes());
        let up = match config.up {
            Upsample::Transposed => format!("transposed convolution {kernel}x{kernel}, stride 2"),
            Upsample::Nearest => format!("upsample 2, convolution {kernel}x{kernel}"),
        };
        for (index, stage) in self.stages.iter().enumerate() {
            let target = self.stages.len() - 1 - index;
            let [height, width] = sizes[target];
            let follows = match target {
                0 => config.output.to_string(),
                _ => format!("{}{}", norm(config), config.activation),
            };
            summary.row(
                "decoder",
                format!("{up}, {tied}{follows}"),
                shape([channels[target], height, width]),
                stage.num_params(),
            );
        }
        if let Some(linear) = &self.linear {
            linear.summarize("decoder", summary);
        }
    }
}
