//! From a code back to an image.

use burn::module::Module;
use burn::tensor::Tensor;

use super::{ConvConfig, Stage, Up, norm, shape};
use crate::layers::{Affine, Kernel, Normalization, upsample};
use crate::summary::{Summary, print_as_summary};
use crate::{Activation, Decoder, initial::Initial};

/// The decoding half of a [`Conv`](crate::Conv) autoencoder.
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct ConvDecoder {
    dense: Vec<Affine>,
    stages: Vec<Stage>,
    #[module(skip)]
    config: ConvConfig,
}

impl ConvDecoder {
    pub(crate) fn init(config: &ConvConfig, initial: &mut Initial) -> Self {
        let mut dense = Vec::new();
        for pair in config.widths().windows(2).rev() {
            dense.push(Affine::init([pair[1], pair[0]], config.activation.gain(), initial));
        }
        let mut stages = Vec::new();
        for (index, pair) in config.chain().windows(2).enumerate().rev() {
            let (from_to, outermost) = ([pair[1], pair[0]], index == 0);
            let gain = if outermost { config.output.gain() } else { config.activation.gain() };
            let convolution = match config.up {
                Up::Transposed => Kernel::init_transposed(from_to, config.kernel, gain, initial),
                Up::Upsample => Kernel::init(from_to, config.kernel, gain, initial),
            };
            let groups = config.norm.groups().filter(|_| !outermost);
            let norm = groups.map(|groups| Normalization::init(pair[0], groups, initial));
            stages.push(Stage { convolution, norm });
        }
        Self { dense, stages, config: config.clone() }
    }

    /// What it was made from.
    pub fn config(&self) -> &ConvConfig {
        &self.config
    }
}

impl Decoder for ConvDecoder {
    fn decode_logits(&self, code: Tensor<2>) -> Tensor<2> {
        let config = &self.config;
        let x = self.dense.iter().fold(code, |x, layer| config.activation.apply(layer.forward(x)));
        let [batch, _] = x.dims();
        let [channels, height, width] = config.innermost();
        let mut map = x.reshape([batch, channels, height, width]);
        let sizes = config.sizes();
        for (index, stage) in self.stages.iter().enumerate() {
            let size = sizes[self.stages.len() - 1 - index];
            map = match config.up {
                Up::Transposed => stage.convolution.double(map, size),
                Up::Upsample => stage.convolution.convolve(upsample(map, size), 1),
            };
            if index + 1 < self.stages.len() {
                map = stage.finish(map, config.activation);
            }
        }
        map.flatten(1, 3)
    }

    fn output(&self) -> Activation {
        self.config.output
    }
}

print_as_summary!(ConvDecoder);

impl ConvDecoder {
    fn summary(&self) -> Summary {
        let title =
            format!("Convolutional decoder {} -> {}", self.config.code, shape(self.config.input));
        let mut summary = Summary::new(title);
        self.summarize(&mut summary);
        summary
    }

    pub(super) fn summarize(&self, summary: &mut Summary) {
        let config = &self.config;
        for (index, layer) in self.dense.iter().enumerate() {
            let width = match index + 1 == self.dense.len() {
                true => shape(config.innermost()),
                false => layer.bias.dims()[0].to_string(),
            };
            summary.row(
                "decoder",
                format!("dense, {}", config.activation),
                width,
                layer.num_params(),
            );
        }
        let (kernel, channels, sizes) = (config.kernel, config.chain(), config.sizes());
        let up = match config.up {
            Up::Transposed => format!("transposed convolution {kernel}x{kernel}, stride 2"),
            Up::Upsample => format!("upsample 2, convolution {kernel}x{kernel}"),
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
                format!("{up}, {follows}"),
                shape([channels[target], height, width]),
                stage.num_params(),
            );
        }
    }
}
