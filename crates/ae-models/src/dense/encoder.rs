//! The encoder of a dense autoencoder.

use ae_kernels::jacobian_norm_sq;
use burn::module::Module;
use burn::tensor::Tensor;

use super::DenseConfig;
use crate::linear_path::LinearPath;
use crate::summary::{Summary, print_as_summary};
use crate::tangent::scale;
use crate::top_k::{apply_top_k, dropped_units};
use crate::{
    Activation, DifferentiableEncoder, Encoder, Pca, initializer::Initializer, layers::Affine,
};

/// The encoding half of a [`Dense`](crate::Dense) autoencoder.
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct DenseEncoder {
    pub(super) layers: Vec<Affine>,
    pub(super) linear: Option<LinearPath>,
    #[module(skip)]
    pub(super) config: DenseConfig,
}

impl DenseEncoder {
    pub(crate) fn init(config: &DenseConfig, initializer: &mut Initializer) -> Self {
        let layers = config
            .encoder_layers()
            .enumerate()
            .map(|(layer, [from, to])| {
                let weight = match config.tied {
                    true => initializer.symmetric_weight([from, to]),
                    false => initializer.weight(
                        [from, to],
                        from,
                        config.encoder_activation(layer).gain(),
                    ),
                };
                Affine { weight, bias: initializer.constant(to, 0.0) }
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
}

impl DenseEncoder {
    pub(super) fn encode_hooked(
        &self,
        input: Tensor<2>,
        hook: &mut dyn FnMut(Tensor<2>) -> Tensor<2>,
    ) -> Tensor<2> {
        let last = self.layers.len() - 1;
        let code = self.layers.iter().enumerate().fold(input.clone(), |x, (index, layer)| {
            let y = layer.forward(x, self.config.encoder_activation(index));
            if index < last { hook(y) } else { y }
        });
        match &self.linear {
            Some(linear) => linear.encode(input, code),
            None => code,
        }
    }

    /// The same with the components of a PCA in parallel. Its last layer is set to 0.
    pub(super) fn with_linear_path(mut self, pca: &Pca, config: &DenseConfig) -> Self {
        if let Some(last) = self.layers.last_mut() {
            self.linear = Some(LinearPath::of(pca, &last.weight.val().device().without_autodiff()));
            *last = last.at_zero();
        }
        Self { config: config.clone(), ..self }
    }

    /// The code, and the slope of every layer's activation: `[batch, units]` each.
    fn slopes(&self, input: Tensor<2>) -> (Tensor<2>, Vec<Tensor<2>>) {
        let mut slopes = Vec::with_capacity(self.layers.len());
        let mut x = input.clone();
        for (index, layer) in self.layers.iter().enumerate() {
            let activation = self.config.encoder_activation(index);
            let [value, slope] = activation.with_slope(layer.forward(x, Activation::Identity));
            slopes.push(slope);
            x = value;
        }
        if let Some(dropped) = self.config.top_k.and_then(|k| dropped_units(x.clone(), k)) {
            x = x.mask_fill(dropped.clone(), 0.0);
            let last = slopes.pop().expect("at least one layer");
            slopes.push(last.mask_fill(dropped, 0.0));
        }
        if let Some(linear) = &self.linear {
            x = linear.encode(input, x);
        }
        (x, slopes)
    }
}

impl Encoder for DenseEncoder {
    fn encode(&self, input: Tensor<2>) -> Tensor<2> {
        apply_top_k(self.encode_dense(input), self.config.top_k)
    }

    fn encode_dense(&self, input: Tensor<2>) -> Tensor<2> {
        self.encode_hooked(input, &mut |hidden| hidden)
    }

    fn top_k(&self) -> Option<usize> {
        self.config.top_k
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

    fn settings(&self) -> serde_json::Value {
        crate::FromArchitecture::architecture(self).settings()
    }
}

impl DifferentiableEncoder for DenseEncoder {
    fn encode_tangent(&self, input: Tensor<2>, directions: Tensor<2>) -> [Tensor<2>; 2] {
        let (code, slopes) = self.slopes(input);
        let layers = self.layers.iter().zip(slopes);
        let tangent = layers.fold(directions.clone(), |v, (layer, slope)| {
            scale(v.matmul(layer.weight.val()), slope)
        });
        match &self.linear {
            Some(linear) => [code, linear.tangent(directions, tangent)],
            None => [code, tangent],
        }
    }

    fn encode_cotangent(&self, input: Tensor<2>, directions: Tensor<2>) -> [Tensor<2>; 2] {
        let (code, slopes) = self.slopes(input);
        let layers = self.layers.iter().zip(slopes).rev();
        let cotangent = layers.fold(directions.clone(), |u, (layer, slope)| {
            scale(u, slope).matmul(layer.weight.val().transpose())
        });
        match &self.linear {
            Some(linear) => [code, linear.cotangent(directions, cotangent)],
            None => [code, cotangent],
        }
    }

    /// `sum_j s'(a_j)^2 sum_i W_ij^2` (Rifai et al. 2011, ICML, equation 5): for each unit, its squared
    /// slope times the squared length of its weights. None with a linear path.
    fn jacobian_norm_sq(&self, input: Tensor<2>, code: Option<Tensor<2>>) -> Option<Tensor<1>> {
        let ([layer], None) = (&self.layers[..], &self.linear) else { return None };
        let activation = self.config.code_activation;
        if self.config.top_k.is_none() && activation.slope_follows_from_value() {
            let code = code.unwrap_or_else(|| self.encode(input));
            return Some(jacobian_norm_sq(code, layer.weight.val(), activation));
        }
        let (_, slopes) = self.slopes(input);
        let lengths = layer.weight.val().square().sum_dim(0); // [1, code]
        Some((slopes[0].clone().square() * lengths).sum_dim(1).squeeze_dim(1))
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
        if let Some(linear) = &self.linear {
            linear.summarize("encoder", summary);
        }
    }
}
