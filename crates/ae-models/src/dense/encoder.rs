//! From an input to its code.

use burn::module::Module;
use burn::tensor::Tensor;

use super::DenseConfig;
use crate::summary::{Summary, print_as_summary};
use crate::{Activation, Encoder, initial::Initial, layers::Affine};

/// The encoding half of a [`Dense`](crate::Dense) autoencoder.
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct DenseEncoder {
    pub(super) layers: Vec<Affine>,
    #[module(skip)]
    pub(super) config: DenseConfig,
}

impl DenseEncoder {
    pub(crate) fn init(config: &DenseConfig, initial: &mut Initial) -> Self {
        let layers = config
            .encoder_layers()
            .enumerate()
            .map(|(layer, [from, to])| {
                let weight = match config.tied {
                    true => initial.symmetric_weight([from, to]),
                    false => {
                        initial.weight([from, to], from, config.encoder_activation(layer).gain())
                    }
                };
                Affine { weight, bias: initial.constant(to, 0.0) }
            })
            .collect();
        Self { layers, config: config.clone() }
    }

    /// What it was made from.
    pub fn config(&self) -> &DenseConfig {
        &self.config
    }
}

impl Encoder for DenseEncoder {
    fn encode(&self, input: Tensor<2>) -> Tensor<2> {
        let layers = self.layers.iter().enumerate();
        layers.fold(input, |x, (index, layer)| {
            self.config.encoder_activation(index).apply(layer.forward(x))
        })
    }

    fn features(&self) -> usize {
        self.config.features()
    }

    fn code_size(&self) -> usize {
        self.config.code_size()
    }

    fn code_activation(&self) -> Activation {
        self.config.code_activation
    }
}

print_as_summary!(DenseEncoder);

impl DenseEncoder {
    fn summary(&self) -> Summary {
        let config = &self.config;
        let mut summary =
            Summary::new(format!("Dense encoder {} -> {}", config.features(), config.code_size()));
        self.summarize(&mut summary);
        summary
    }

    pub(super) fn summarize(&self, summary: &mut Summary) {
        for (index, [from, to]) in self.config.encoder_layers().enumerate() {
            let activation = self.config.encoder_activation(index);
            summary.row("encoder", format!("dense, {activation}"), to.to_string(), from * to + to);
        }
    }
}
