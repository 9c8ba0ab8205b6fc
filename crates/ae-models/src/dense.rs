//! Dense autoencoders of any widths, with tied or untied weights.

mod config;
mod decoder;
mod encoder;

use burn::module::{Module, Param};
use burn::tensor::Tensor;

use crate::summary::{Summary, print_as_summary};
use crate::{Activation, Decoder, DifferentiableEncoder, Encoder, Layered, Pca, Result, Stack};

pub use config::DenseConfig;
pub use decoder::DenseDecoder;
pub use encoder::DenseEncoder;

/// A chain of dense layers to the code and back: `h_0 = x`, `h_i = s(h_{i-1} W_i + b_i)`. Each layer is
/// an affine map and an activation. The decoder mirrors the widths; with tied weights it uses `W_i^T`
/// instead of weights of its own.
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct Dense {
    encoder: DenseEncoder,
    decoder: DenseDecoder,
}

impl Dense {
    /// The configuration of the model.
    pub fn config(&self) -> &DenseConfig {
        &self.encoder.config
    }

    /// The encoding half.
    pub fn encoder(&self) -> &DenseEncoder {
        &self.encoder
    }

    /// The same with a linear path, the components of `pca`, and with the last layers of encoder and decoder at 0:
    /// with the mean `m` and the components `V`, `h = (x - m) V + f(x)` and `y = h V^T + m + g(h)`, where
    /// `f` and `g` are the layers. So it is the PCA until it is trained, and training reduces the error that
    /// the PCA leaves. Of a sigmoid output the logits are `logit(h V^T + m) + g(h)`, the reconstruction of the PCA
    /// clipped half a grey value of 255 within \[0, 1\].
    ///
    /// Encoder and decoder have a copy of `V` and `m` each, and both are trained. Those of a [`Conv`](crate::Conv) are
    /// fixed; each had the smaller validation loss.
    ///
    /// # Errors
    /// If the PCA is of other features or has more components than the code has units; if weights are tied, not all
    /// units of a code are kept, the code has an activation, or the output has one that is not a sigmoid.
    pub fn with_linear_path(self, pca: &Pca) -> Result<Self> {
        self.config().path_conditions().check_pca(pca)?;
        let linear_path = Some(pca.config().components);
        let config = DenseConfig { linear_path, ..self.config().clone() };
        config.check()?;
        let Self { encoder, decoder } = self;
        Ok(Self {
            encoder: encoder.with_linear_path(pca, &config),
            decoder: decoder.with_linear_path(pca, &config),
        })
    }

    /// The decoding half as a separate module. Tied weights are copied and transposed, and then belong to
    /// the decoder.
    pub fn to_decoder(&self) -> DenseDecoder {
        let mut decoder = self.decoder.clone();
        decoder.config.tied = false;
        let encoder_layers = self.encoder.layers.iter().rev();
        for (layer, tied) in decoder.layers.iter_mut().zip(encoder_layers) {
            if layer.weight.is_none() {
                layer.weight = Some(Param::from_tensor(tied.weight.val().transpose().detach()));
            }
        }
        decoder
    }
}

impl Stack<Dense> {
    /// The encoders of its layers, with the same weights.
    pub fn to_encoder(&self) -> Stack<DenseEncoder> {
        Stack::from_layers(self.layers().iter().map(|layer| layer.encoder().clone()).collect())
    }
}

impl Encoder for Dense {
    fn encode(&self, input: Tensor<2>) -> Tensor<2> {
        self.encoder.encode(input)
    }

    fn features(&self) -> usize {
        self.encoder.features()
    }

    fn code_size(&self) -> usize {
        self.encoder.code_size()
    }

    fn code_activation(&self) -> Activation {
        self.encoder.code_activation()
    }

    fn top_k(&self) -> Option<usize> {
        self.encoder.top_k()
    }

    fn encode_dense(&self, input: Tensor<2>) -> Tensor<2> {
        self.encoder.encode_dense(input)
    }

    fn settings(&self) -> serde_json::Value {
        crate::FromArchitecture::architecture(self).settings()
    }
}

impl DifferentiableEncoder for Dense {
    fn encode_tangent(&self, input: Tensor<2>, directions: Tensor<2>) -> [Tensor<2>; 2] {
        self.encoder.encode_tangent(input, directions)
    }

    fn encode_cotangent(&self, input: Tensor<2>, directions: Tensor<2>) -> [Tensor<2>; 2] {
        self.encoder.encode_cotangent(input, directions)
    }

    fn jacobian_norm_sq(&self, input: Tensor<2>, code: Option<Tensor<2>>) -> Option<Tensor<1>> {
        self.encoder.jacobian_norm_sq(input, code)
    }
}

impl Layered for Dense {
    fn encode_with_hook(
        &self,
        input: Tensor<2>,
        hook: &mut dyn FnMut(Tensor<2>) -> Tensor<2>,
    ) -> Tensor<2> {
        self.encoder.encode_hooked(input, hook)
    }

    fn decode_logits_with_hook(
        &self,
        code: Tensor<2>,
        hook: &mut dyn FnMut(Tensor<2>) -> Tensor<2>,
    ) -> Tensor<2> {
        self.decoder.logits(code, Some(&self.encoder), hook)
    }
}

impl Decoder for Dense {
    fn decode_logits(&self, code: Tensor<2>) -> Tensor<2> {
        self.decode_logits_with_hook(code, &mut |hidden| hidden)
    }

    fn output(&self) -> Activation {
        self.decoder.output()
    }
}

print_as_summary!(Dense);

impl Dense {
    fn summary(&self) -> Summary {
        let (features, code) = (self.features(), self.code_size());
        let mut summary =
            Summary::new(format!("Dense autoencoder {features} -> {code} -> {features}"));
        self.encoder.summarize(&mut summary);
        self.decoder.summarize(&mut summary);
        summary
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, TensorData, Tolerance};

    fn matrix<const R: usize, const C: usize>(rows: [[f32; C]; R]) -> Param<Tensor<2>> {
        Param::from_data(TensorData::from(rows), &Device::flex())
    }

    fn vector<const N: usize>(values: [f32; N]) -> Param<Tensor<1>> {
        Param::from_data(TensorData::from(values), &Device::flex())
    }

    /// x = (1, 2), W = [[1, -1], [0.5, 2]], b = (0, 1), ReLU code:
    /// x W + b = (1 + 1, -1 + 4 + 1) = (2, 4);
    /// tied decoder h W^T + c, c = (0.5, -0.5): (2 - 4 + 0.5, 1 + 8 - 0.5) = (-1.5, 8.5).
    #[test]
    fn tied_layer_by_hand() {
        let device = Device::flex();
        let config = DenseConfig {
            tied: true,
            code_activation: Activation::Relu,
            output: Activation::Identity,
            ..DenseConfig::new([2, 2])
        };
        let mut model = config.init(0, &device).unwrap();
        model.encoder.layers[0].weight = matrix([[1.0, -1.0], [0.5, 2.0]]);
        model.encoder.layers[0].bias = vector([0.0, 1.0]);
        model.decoder.layers[0].bias = vector([0.5, -0.5]);
        let code = model.encode(Tensor::from_floats([[1.0, 2.0]], &device));
        code.to_data().assert_eq(&TensorData::from([[2.0f32, 4.0]]), true);
        let decoded = model.decode(code.clone());
        decoded.to_data().assert_eq(&TensorData::from([[-1.5f32, 8.5]]), true);
        let alone = model.to_decoder().decode(code);
        alone.to_data().assert_eq(&decoded.to_data(), true);
    }

    #[test]
    fn tied_decoder_is_the_untied_one_with_transposed_weights() {
        let device = Device::flex();
        let config = DenseConfig { tied: true, ..DenseConfig::new([7, 5, 3, 2]) };
        let model = config.init(3, &device).unwrap();
        assert_eq!(model.num_params(), 7 * 5 + 5 * 3 + 3 * 2 + (5 + 3 + 2) + (3 + 5 + 7));
        let code = model.encode(Tensor::ones([4, 7], &device));
        let expected = model.to_decoder().decode(code.clone()).into_data();
        model.decode(code).into_data().assert_approx_eq::<f32>(&expected, Tolerance::default());
    }

    #[test]
    fn weights_depend_on_the_seed_alone() {
        let device = Device::flex();
        let code = |seed| {
            let model = DenseConfig::new([6, 4, 2]).init(seed, &device).unwrap();
            model.encode(Tensor::ones([1, 6], &device)).into_data()
        };
        assert_eq!(code(1), code(1));
        assert_ne!(code(1), code(2));
    }

    #[test]
    fn display_has_a_line_per_layer() {
        let config = DenseConfig { tied: true, ..DenseConfig::new([784, 500, 30]) };
        let model = config.init(0, &Device::flex()).unwrap();
        assert_eq!(
            model.to_string(),
            "Dense autoencoder 784 -> 30 -> 784, 408,814 parameters\n  \
               encoder  dense, relu           500      392,500\n  \
               encoder  dense, identity        30       15,030\n  \
               decoder  dense, tied, relu     500          500\n  \
               decoder  dense, tied, sigmoid  784          784"
        );
    }

    #[test]
    fn single_width_is_refused() {
        let error = DenseConfig::new([784]).init(0, &Device::flex()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "widths: expected at least two widths (features and code), none of them 0, got [784]"
        );
    }
}
