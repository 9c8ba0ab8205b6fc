//! From a code back to an input.

use burn::module::{Module, Param};
use burn::tensor::{Tensor, module::linear};

use super::{DenseConfig, DenseEncoder};
use crate::summary::{Summary, print_as_summary};
use crate::{Activation, Decoder, initial::Initial};

/// One layer of a decoder; without a weight of its own it borrows its encoder layer's.
#[derive(Module, Debug)]
pub(super) struct DecoderLayer {
    pub(super) weight: Option<Param<Tensor<2>>>,
    pub(super) bias: Param<Tensor<1>>,
}

/// The decoding half of a [`Dense`](crate::Dense) autoencoder, with weights of its own.
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct DenseDecoder {
    pub(super) layers: Vec<DecoderLayer>,
    #[module(skip)]
    pub(super) config: DenseConfig,
}

impl DenseDecoder {
    pub(crate) fn init(config: &DenseConfig, initial: &mut Initial) -> Self {
        let layers = config
            .decoder_layers()
            .enumerate()
            .map(|(layer, [from, to])| DecoderLayer {
                weight: (!config.tied).then(|| {
                    initial.weight([from, to], from, config.decoder_activation(layer).gain())
                }),
                bias: initial.constant(to, 0.0),
            })
            .collect();
        Self { layers, config: config.clone() }
    }

    /// What it was made from.
    pub fn config(&self) -> &DenseConfig {
        &self.config
    }

    pub(super) fn logits(&self, code: Tensor<2>, encoder: Option<&DenseEncoder>) -> Tensor<2> {
        let depth = self.layers.len();
        let mut x = code;
        for (index, layer) in self.layers.iter().enumerate() {
            if index > 0 {
                x = self.config.activation.apply(x);
            }
            let weight = match (&layer.weight, encoder) {
                (Some(weight), _) => weight.val(),
                (None, Some(encoder)) => encoder.layers[depth - 1 - index].weight.val().transpose(),
                (None, None) => unreachable!("a decoder that stands alone has its own weights"),
            };
            x = linear(x, weight, Some(layer.bias.val()));
        }
        x
    }
}

impl Decoder for DenseDecoder {
    fn decode_logits(&self, code: Tensor<2>) -> Tensor<2> {
        self.logits(code, None)
    }

    fn output(&self) -> Activation {
        self.config.output
    }
}

print_as_summary!(DenseDecoder);

impl DenseDecoder {
    fn summary(&self) -> Summary {
        let config = &self.config;
        let mut summary =
            Summary::new(format!("Dense decoder {} -> {}", config.code_size(), config.features()));
        self.summarize(&mut summary);
        summary
    }

    pub(super) fn summarize(&self, summary: &mut Summary) {
        let tied = self.config.tied;
        for (index, [from, to]) in self.config.decoder_layers().enumerate() {
            let activation = self.config.decoder_activation(index);
            let (layer, weights) = match tied {
                true => (format!("dense, tied, {activation}"), 0),
                false => (format!("dense, {activation}"), from * to),
            };
            summary.row("decoder", layer, to.to_string(), weights + to);
        }
    }
}
