//! From an image to its code.

use burn::module::Module;
use burn::tensor::{Tensor, module::max_pool2d, ops::MaxPoolOptions};

use super::{ConvConfig, Down, Stage, norm, shape};
use crate::layers::{Affine, Kernel, Normalization};
use crate::summary::{Summary, print_as_summary};
use crate::{Activation, Encoder, initial::Initial};

/// The encoding half of a [`Conv`](crate::Conv) autoencoder.
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct ConvEncoder {
    stages: Vec<Stage>,
    dense: Vec<Affine>,
    #[module(skip)]
    pub(super) config: ConvConfig,
}

impl ConvEncoder {
    pub(crate) fn init(config: &ConvConfig, initial: &mut Initial) -> Self {
        let gain = config.activation.gain();
        let mut stages = Vec::new();
        for pair in config.chain().windows(2) {
            let convolution = Kernel::init([pair[0], pair[1]], config.kernel, gain, initial);
            let groups = config.norm.groups();
            let norm = groups.map(|groups| Normalization::init(pair[1], groups, initial));
            stages.push(Stage { convolution, norm });
        }
        let mut dense = Vec::new();
        for (index, pair) in config.widths().windows(2).enumerate() {
            let gain = config.encoder_activation(index).gain();
            dense.push(Affine::init([pair[0], pair[1]], gain, initial));
        }
        Self { stages, dense, config: config.clone() }
    }

    /// What it was made from.
    pub fn config(&self) -> &ConvConfig {
        &self.config
    }
}

impl Encoder for ConvEncoder {
    fn encode(&self, input: Tensor<2>) -> Tensor<2> {
        let config = &self.config;
        let [batch, _] = input.dims();
        let [channels, height, width] = config.input;
        let mut map = input.reshape([batch, channels, height, width]);
        for stage in &self.stages {
            map = match config.down {
                Down::Stride => stage.finish(stage.convolution.convolve(map, 2), config.activation),
                Down::MaxPool => {
                    let map = stage.finish(stage.convolution.convolve(map, 1), config.activation);
                    let squares = MaxPoolOptions::new([2; 2]).with_stride([2; 2]);
                    max_pool2d(map, squares.with_ceil_mode(true))
                }
            };
        }
        let layers = self.dense.iter().enumerate();
        layers.fold(map.flatten(1, 3), |x, (index, layer)| {
            config.encoder_activation(index).apply(layer.forward(x))
        })
    }

    fn features(&self) -> usize {
        self.config.features()
    }

    fn code_size(&self) -> usize {
        self.config.code
    }

    fn code_activation(&self) -> Activation {
        self.config.code_activation
    }
}

print_as_summary!(ConvEncoder);

impl ConvEncoder {
    fn summary(&self) -> Summary {
        let title =
            format!("Convolutional encoder {} -> {}", shape(self.config.input), self.config.code);
        let mut summary = Summary::new(title);
        self.summarize(&mut summary);
        summary
    }

    pub(super) fn summarize(&self, summary: &mut Summary) {
        let config = &self.config;
        let (kernel, activation) = (config.kernel, config.activation);
        let (channels, sizes) = (config.chain(), config.sizes());
        let down = match config.down {
            Down::Stride => "stride 2",
            Down::MaxPool => "max-pool 2",
        };
        for (index, stage) in self.stages.iter().enumerate() {
            let [height, width] = sizes[index + 1];
            summary.row(
                "encoder",
                format!("convolution {kernel}x{kernel}, {down}, {}{activation}", norm(config)),
                shape([channels[index + 1], height, width]),
                stage.num_params(),
            );
        }
        for (index, layer) in self.dense.iter().enumerate() {
            let activation = config.encoder_activation(index);
            let width = layer.bias.dims()[0];
            summary.row(
                "encoder",
                format!("dense, {activation}"),
                width.to_string(),
                layer.num_params(),
            );
        }
    }
}
