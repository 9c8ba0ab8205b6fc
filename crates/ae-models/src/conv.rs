//! Convolutional autoencoders for images of any channels, height and width.

mod config;
mod decoder;
mod encoder;

use burn::module::{Module, Param};
use burn::tensor::Tensor;

use crate::layers::{Kernel, Normalization};
use crate::summary::{Summary, print_as_summary};
use crate::{
    Activation, Decoder, DifferentiableEncoder, Encoder, Layered, Pca, Result, Stack, Upsample,
};

pub use config::{ConvConfig, Norm};
pub use decoder::ConvDecoder;
pub use encoder::ConvEncoder;

/// A convolutional autoencoder: stages of convolutions that halve the image, dense layers to a flat
/// code, and the reverse.
///
/// Each decoder stage returns exactly the size of its encoder stage, odd or even.
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct Conv {
    encoder: ConvEncoder,
    decoder: ConvDecoder,
}

impl Conv {
    /// The configuration of the model.
    pub fn config(&self) -> &ConvConfig {
        &self.encoder.config
    }

    /// The encoding half.
    pub fn encoder(&self) -> &ConvEncoder {
        &self.encoder
    }

    /// The same with a linear path, the components of `pca`, and with the last layers of encoder and decoder at 0:
    /// it is the PCA until it is trained. As [`Dense::with_linear_path`](crate::Dense::with_linear_path),
    /// but the components and the mean are not trained.
    ///
    /// # Errors
    /// As there; and if the code is a map.
    pub fn with_linear_path(self, pca: &Pca) -> Result<Self> {
        self.config().path_conditions().check_pca(pca)?;
        let linear_path = Some(pca.config().components);
        let config = ConvConfig { linear_path, ..self.config().clone() };
        config.check()?;
        let Self { encoder, decoder } = self;
        Ok(Self {
            encoder: encoder.with_linear_path(pca, &config),
            decoder: decoder.with_linear_path(pca, &config),
        })
    }

    /// The decoding half as a separate module. Tied weights are copied and transposed, and then belong to
    /// the decoder.
    pub fn to_decoder(&self) -> ConvDecoder {
        let mut decoder = self.decoder.clone();
        decoder.config.tied = false;
        for (layer, tied) in decoder.dense.iter_mut().zip(self.encoder.dense.iter().rev()) {
            if layer.weight.is_none() {
                layer.weight = Some(Param::from_tensor(tied.weight.val().transpose().detach()));
            }
        }
        for (stage, tied) in decoder.stages.iter_mut().zip(self.encoder.stages.iter().rev()) {
            if stage.convolution.weight.is_none() {
                let kernel = tied.convolution.weight.val().detach();
                let kernel = match self.config().up {
                    Upsample::Transposed => kernel,
                    // As a convolution, the kernel is flipped.
                    Upsample::Nearest => kernel.swap_dims(0, 1).flip([2, 3]),
                };
                stage.convolution.weight = Some(Param::from_tensor(kernel));
            }
        }
        decoder
    }
}

impl Stack<Conv> {
    /// The encoders of its layers, with the same weights.
    pub fn to_encoder(&self) -> Stack<ConvEncoder> {
        Stack::from_layers(self.layers().iter().map(|layer| layer.encoder().clone()).collect())
    }
}

impl Encoder for Conv {
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

    fn learning_rate(&self) -> f64 {
        self.encoder.learning_rate()
    }

    fn encode_dense(&self, input: Tensor<2>) -> Tensor<2> {
        self.encoder.encode_dense(input)
    }

    fn settings(&self) -> serde_json::Value {
        crate::FromArchitecture::architecture(self).settings()
    }
}

impl DifferentiableEncoder for Conv {
    fn encode_tangent(&self, input: Tensor<2>, directions: Tensor<2>) -> [Tensor<2>; 2] {
        self.encoder.encode_tangent(input, directions)
    }

    fn encode_cotangent(&self, input: Tensor<2>, directions: Tensor<2>) -> [Tensor<2>; 2] {
        self.encoder.encode_cotangent(input, directions)
    }
}

impl Layered for Conv {
    fn encode_with_hook(
        &self,
        input: Tensor<2>,
        hook: &mut dyn FnMut(Tensor<2>) -> Tensor<2>,
    ) -> Tensor<2> {
        self.encoder.encode_hooked(input, Some(hook))
    }

    fn decode_logits_with_hook(
        &self,
        code: Tensor<2>,
        hook: &mut dyn FnMut(Tensor<2>) -> Tensor<2>,
    ) -> Tensor<2> {
        self.decoder.logits(code, Some(&self.encoder), Some(hook))
    }
}

impl Decoder for Conv {
    fn decode_logits(&self, code: Tensor<2>) -> Tensor<2> {
        self.decoder.logits(code, Some(&self.encoder), None)
    }

    fn output(&self) -> Activation {
        self.decoder.output()
    }
}

/// A convolution of an encoder and its normalisation.
#[derive(Module, Debug)]
pub(super) struct Stage {
    pub(super) convolution: Kernel,
    pub(super) norm: Option<Normalization>,
}

/// A convolution, an optional normalisation, and an activation. Without normalisation the convolution
/// computes the activation itself.
fn normalized(
    norm: &Option<Normalization>,
    activation: Activation,
    convolution: impl FnOnce(Activation) -> Tensor<4>,
) -> Tensor<4> {
    match norm {
        Some(norm) => activation.apply(norm.forward(convolution(Activation::Identity))),
        None => convolution(activation),
    }
}

print_as_summary!(Conv);

impl Conv {
    fn summary(&self) -> Summary {
        let image = shape(self.config().input);
        let code = self.code_size();
        let title = format!("Convolutional autoencoder {image} -> {code} -> {image}");
        let mut summary = Summary::new(title);
        self.encoder.summarize(&mut summary);
        self.decoder.summarize(&mut summary);
        summary
    }
}

fn shape([channels, height, width]: [usize; 3]) -> String {
    format!("{channels}x{height}x{width}")
}

fn norm(config: &ConvConfig) -> String {
    match config.norm {
        Norm::None => String::new(),
        Norm::Layer => "layer norm, ".into(),
        Norm::Group(groups) => format!("norm of {groups} groups, "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Autoencoder, Downsample, initializer::Initializer};
    use ae_kernels::conv_transpose2d;
    use burn::tensor::{Device, TensorData};
    use proptest::prelude::*;

    fn ramp<const D: usize>(shape: [usize; D]) -> Tensor<D> {
        let count: usize = shape.iter().product();
        let values: Vec<f32> = (0..count).map(|i| (i % 17) as f32 / 17.0).collect();
        Tensor::from_data(TensorData::new(values, shape), &Device::flex())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn reconstructions_have_the_size_of_the_input(
            channels in 1usize..4, height in 3usize..40, width in 3usize..40,
            kernel in prop::sample::select(vec![3, 5]),
            down in prop::sample::select(vec![Downsample::Stride, Downsample::MaxPool]),
            up in prop::sample::select(vec![Upsample::Transposed, Upsample::Nearest]),
            norm in prop::sample::select(vec![Norm::None, Norm::Layer, Norm::Group(2)]),
        ) {
            let config = ConvConfig {
                channels: vec![2, 4], kernel, down, up, norm, hidden: vec![5],
                ..ConvConfig::new([channels, height, width], 3)
            };
            let model = config.init(1, &Device::flex()).unwrap();
            let features = channels * height * width;
            let images = ramp([2, features]);
            let code = model.encode(images.clone());
            prop_assert_eq!(code.dims(), [2, 3]);
            prop_assert_eq!(model.decode(code).dims(), [2, features]);
            let output = model.reconstruct(images).into_data();
            prop_assert!(output.iter::<f32>().all(|value| (0.0..=1.0).contains(&value)));
        }
    }

    /// A 1x2x2 image (1, 2; 3, 4) under one 3x3 kernel of ones, stride 2, padding 1: the one
    /// output is the sum of all four pixels, 10. The transpose copies a value v to all four: (v, v; v, v).
    #[test]
    fn convolution_and_transpose_by_hand() {
        let device = Device::flex();
        let ones = Kernel {
            weight: Param::from_tensor(Tensor::ones([1, 1, 3, 3], &device)),
            bias: Param::from_tensor(Tensor::zeros([1], &device)),
        };
        let image = Tensor::from_floats([[[[1.0, 2.0], [3.0, 4.0]]]], &device);
        let map = ones.forward(image, 2, Activation::Identity);
        map.to_data().assert_eq(&TensorData::from([[[[10.0f32]]]]), true);
        let back = conv_transpose2d(map, ones.weight.val(), None, 2, [2, 2], Activation::Identity);
        back.to_data().assert_eq(&TensorData::from([[[[10.0f32, 10.0], [10.0, 10.0]]]]), true);
    }

    /// A tied decoder computes the same as one with transposed copies of the weights. With strides and
    /// transposed convolutions, decoding without biases is the adjoint of encoding: `<Ex, h> = <x, Dh>`.
    #[test]
    fn tied_convolutions_are_transposed() {
        for (down, up) in [
            (Downsample::Stride, Upsample::Transposed),
            (Downsample::MaxPool, Upsample::Nearest),
            (Downsample::Stride, Upsample::Nearest),
            (Downsample::MaxPool, Upsample::Transposed),
        ] {
            let config = ConvConfig {
                channels: vec![2, 4],
                kernel: 5,
                down,
                up,
                hidden: vec![5],
                tied: true,
                ..ConvConfig::new([2, 9, 6], 3)
            };
            let model = config.init(1, &Device::flex()).unwrap();
            let code = model.encode(ramp([2, 108]));
            let expected = model.to_decoder().decode(code.clone()).into_data();
            let tolerance = burn::tensor::Tolerance::absolute(1e-5);
            model.decode(code).into_data().assert_approx_eq::<f32>(&expected, tolerance);
        }
        let linear = ConvConfig {
            activation: Activation::Identity,
            output: Activation::Identity,
            tied: true,
            ..ConvConfig::maps([2, 9, 6], [3, 4])
        };
        let model = linear.init(1, &Device::flex()).unwrap();
        let (x, h) = (ramp([1, 108]), ramp([1, model.code_size()]) * 2.0 - 0.3);
        let left: f32 = (model.encode(x.clone()) * h.clone()).sum().into_scalar();
        let right: f32 = (x * model.decode(h)).sum().into_scalar();
        assert!((left / right - 1.0).abs() < 1e-4, "{left} {right}");
    }

    /// One group over (1, 3; 5, 7): mean 4, variance (9 + 1 + 1 + 9) / 4 = 5.
    #[test]
    fn normalization_by_hand() {
        let device = Device::flex();
        let norm = Normalization::init(2, 1, &mut Initializer::new(0, &device));
        let map = Tensor::from_floats([[[[1.0, 3.0]], [[5.0, 7.0]]]], &device);
        let expected = [-3.0f32, -1.0, 1.0, 3.0].map(|value| value / 5.00001f32.sqrt());
        norm.forward(map).into_data().assert_approx_eq::<f32>(
            &TensorData::new(expected.to_vec(), [1, 2, 1, 2]),
            burn::tensor::Tolerance::absolute(1e-6),
        );
    }

    #[test]
    fn display_has_a_line_per_layer() {
        let config = ConvConfig {
            channels: vec![8, 16],
            hidden: vec![64],
            norm: Norm::Group(4),
            ..ConvConfig::new([1, 28, 27], 32)
        };
        let model = config.init(0, &Device::flex()).unwrap();
        assert_eq!(
            model.to_string(),
            "Convolutional autoencoder 1x28x27 -> 32 -> 1x28x27, 107,937 parameters\n  \
               encoder  convolution 3x3, stride 2, norm of 4 groups, relu             8x14x14           96\n  \
               encoder  convolution 3x3, stride 2, norm of 4 groups, relu              16x7x7        1,200\n  \
               encoder  dense, relu                                                        64       50,240\n  \
               encoder  dense, identity                                                    32        2,080\n  \
               decoder  dense, relu                                                        64        2,112\n  \
               decoder  dense, relu                                                    16x7x7       50,960\n  \
               decoder  transposed convolution 3x3, stride 2, norm of 4 groups, relu  8x14x14        1,176\n  \
               decoder  transposed convolution 3x3, stride 2, sigmoid                 1x28x27           73"
        );
    }

    #[test]
    fn invalid_configurations_are_refused() {
        let device = Device::flex();
        let base = ConvConfig::new([1, 28, 28], 32);
        let message = |config: ConvConfig| config.init(0, &device).unwrap_err().to_string();
        assert_eq!(
            message(ConvConfig { kernel: 4, ..base.clone() }),
            "kernel: expected an odd number from 3, got 4"
        );
        assert_eq!(
            message(ConvConfig { channels: vec![8; 6], ..base.clone() }),
            "channels: expected at most 5 stages, which halve 28x28 to 1x1, got [8, 8, 8, 8, 8, 8]"
        );
        assert_eq!(
            message(ConvConfig { norm: Norm::Group(3), ..base.clone() }),
            "norm: expected groups that divide all of [32, 64], got Group(3)"
        );
        assert_eq!(
            message(ConvConfig { code: Some(0), ..base }),
            "code: expected a number above 0, got 0"
        );
        assert_eq!(
            message(ConvConfig::new([1, 0, 28], 32)),
            "input: expected channels, height and width above 0, got [1, 0, 28]"
        );
    }
}
