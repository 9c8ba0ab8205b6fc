//! The decoder of a dense autoencoder.

use burn::module::Module;
use burn::tensor::Tensor;

use super::{DenseConfig, DenseEncoder};
use crate::layers::TiedLayer;
use crate::linear_path::LinearPath;
use crate::summary::{Summary, print_as_summary};
use crate::{Activation, Decoder, Pca, initializer::Initializer};

/// The decoding half of a [`Dense`](crate::Dense) autoencoder, with its own weights.
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct DenseDecoder {
    pub(super) layers: Vec<TiedLayer<2>>,
    pub(super) linear: Option<LinearPath>,
    #[module(skip)]
    pub(super) config: DenseConfig,
}

impl DenseDecoder {
    pub(crate) fn init(config: &DenseConfig, initializer: &mut Initializer) -> Self {
        let layers = config
            .decoder_layers()
            .enumerate()
            .map(|(layer, [from, to])| TiedLayer {
                weight: (!config.tied).then(|| {
                    initializer.weight([from, to], from, config.decoder_activation(layer).gain())
                }),
                bias: initializer.constant(to, 0.0),
            })
            .collect();
        let path = |count| LinearPath::init([config.features(), count], config.output, initializer);
        let linear = config.linear_path.map(path);
        Self { layers, linear, config: config.clone() }
    }

    /// The configuration of the model.
    pub fn config(&self) -> &DenseConfig {
        &self.config
    }

    pub(super) fn logits(
        &self,
        code: Tensor<2>,
        encoder: Option<&DenseEncoder>,
        hook: &mut dyn FnMut(Tensor<2>) -> Tensor<2>,
    ) -> Tensor<2> {
        let depth = self.layers.len();
        let mut x = code.clone();
        for (index, layer) in self.layers.iter().enumerate() {
            let shared = encoder.map(|encoder| encoder.layers[depth - 1 - index].weight.val());
            x = match index + 1 < depth {
                true => hook(layer.forward(x, shared, self.config.activation)),
                false => layer.forward(x, shared, Activation::Identity),
            };
        }
        match &self.linear {
            Some(linear) => linear.decode(code, x, self.config.output),
            None => x,
        }
    }

    /// The same with the components of a PCA in parallel. Its last layer is set to 0.
    pub(super) fn with_linear_path(mut self, pca: &Pca, config: &DenseConfig) -> Self {
        if let Some(last) = self.layers.last_mut() {
            self.linear = Some(LinearPath::of(pca, &last.bias.val().device().without_autodiff()));
            *last = last.at_zero();
        }
        Self { config: config.clone(), ..self }
    }
}

impl Decoder for DenseDecoder {
    fn decode_logits(&self, code: Tensor<2>) -> Tensor<2> {
        self.logits(code, None, &mut |hidden| hidden)
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
        if let Some(linear) = &self.linear {
            linear.summarize("decoder", summary);
        }
    }
}
