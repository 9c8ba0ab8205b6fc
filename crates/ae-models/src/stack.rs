//! Stacks of autoencoders, each on the codes of the one below.

use burn::module::{DisplaySettings, Module, ModuleDisplay};
use burn::tensor::Tensor;
use serde_json::Value;

use crate::{Activation, Decoder, DifferentiableEncoder, Encoder, Error, Layered, Result};

/// Autoencoders on top of each other: each encodes the code of the one below (Hinton & Salakhutdinov
/// 2006, doi 10.1126/science.1127647; Vincent et al. 2010, JMLR 11:3371).
///
/// A stack is itself an autoencoder. It is pretrained layer by layer, then trained as a whole, without
/// copies of weights. A stack of encoders is an encoder, a stack of decoders is a decoder.
///
/// ```
/// use ae_models::{DenseConfig, Encoder, Stack};
/// use burn::tensor::{Device, Tensor};
///
/// let device = Device::flex();
/// let layers = [[784, 500], [500, 30]].map(|widths| DenseConfig::new(widths).init(0, &device));
/// let stack = Stack::new(layers.into_iter().collect::<Result<_, _>>()?)?;
/// assert_eq!(stack.encode(Tensor::zeros([2, 784], &device)).dims(), [2, 30]);
/// # Ok::<(), ae_models::Error>(())
/// ```
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct Stack<A: Module> {
    layers: Vec<A>,
}

impl<A: Encoder> Stack<A> {
    /// Stacks layers, from the input to the code.
    ///
    /// # Errors
    /// If there are none, or the features of one are not the units of the code below.
    pub fn new(layers: Vec<A>) -> Result<Self> {
        let widths: Vec<_> =
            layers.iter().map(|layer| [layer.features(), layer.code_size()]).collect();
        check_chain(&widths)?;
        Ok(Self { layers })
    }
}

/// Checks that layers of `[features, units of the code]` fit on top of each other.
pub(crate) fn check_chain(widths: &[[usize; 2]]) -> Result<()> {
    if widths.is_empty() {
        return Err(Error::config("layers", "at least one", 0));
    }
    match widths.windows(2).position(|pair| pair[0][1] != pair[1][0]) {
        None => Ok(()),
        Some(below) => Err(Error::Config {
            what: "layers",
            expected: format!(
                "layer {} of {} features, the units of the code below",
                below + 2,
                widths[below][1]
            ),
            got: widths[below + 1][0].to_string(),
        }),
    }
}

impl<A: Module> Stack<A> {
    pub(crate) fn from_layers(layers: Vec<A>) -> Self {
        Self { layers }
    }

    /// The layers, from the input to the code.
    pub fn layers(&self) -> &[A] {
        &self.layers
    }

    /// Replaces layer `index`, from 0, by `change` of it.
    ///
    /// # Errors
    /// The error of `change`.
    ///
    /// # Panics
    /// If there is no such layer, or the new one has other widths.
    pub fn replace<E>(
        mut self,
        index: usize,
        change: impl FnOnce(A) -> Result<A, E>,
    ) -> Result<Self, E>
    where
        A: Encoder,
    {
        let layer = self.layers.remove(index);
        let widths = [layer.features(), layer.code_size()];
        let layer = change(layer)?;
        assert_eq!(widths, [layer.features(), layer.code_size()], "widths of layer {index}");
        self.layers.insert(index, layer);
        Ok(self)
    }

    fn top(&self) -> (&A, &[A]) {
        self.layers.split_last().expect("a stack has layers")
    }
}

impl<A: Encoder> Encoder for Stack<A> {
    fn encode(&self, input: Tensor<2>) -> Tensor<2> {
        self.layers.iter().fold(input, |x, layer| layer.encode(x))
    }

    fn encode_dense(&self, input: Tensor<2>) -> Tensor<2> {
        let (top, below) = self.top();
        top.encode_dense(below.iter().fold(input, |x, layer| layer.encode(x)))
    }

    fn top_k(&self) -> Option<usize> {
        self.top().0.top_k()
    }

    fn learning_rate(&self) -> f64 {
        self.layers[0].learning_rate()
    }

    fn features(&self) -> usize {
        self.layers[0].features()
    }

    fn code_size(&self) -> usize {
        self.top().0.code_size()
    }

    fn code_activation(&self) -> Activation {
        self.top().0.code_activation()
    }

    fn settings(&self) -> Value {
        self.layers.iter().map(Encoder::settings).collect()
    }
}

impl<A: Decoder> Decoder for Stack<A> {
    fn decode_logits(&self, code: Tensor<2>) -> Tensor<2> {
        let (lowest, above) = self.layers.split_first().expect("a stack has layers");
        lowest.decode_logits(above.iter().rev().fold(code, |code, layer| layer.decode(code)))
    }

    fn output(&self) -> Activation {
        self.layers[0].output()
    }
}

impl<A: DifferentiableEncoder> DifferentiableEncoder for Stack<A> {
    fn encode_tangent(&self, input: Tensor<2>, directions: Tensor<2>) -> [Tensor<2>; 2] {
        let layers = self.layers.iter();
        layers.fold([input, directions], |[x, v], layer| layer.encode_tangent(x, v))
    }

    fn encode_cotangent(&self, input: Tensor<2>, directions: Tensor<2>) -> [Tensor<2>; 2] {
        let mut inputs = vec![input];
        for layer in self.top().1 {
            inputs.push(layer.encode(inputs[inputs.len() - 1].clone()));
        }
        let (mut code, mut u) = (None, directions);
        for (layer, input) in self.layers.iter().zip(inputs).rev() {
            let [output, below] = layer.encode_cotangent(input, u);
            code.get_or_insert(output);
            u = below;
        }
        [code.expect("a stack has layers"), u]
    }

    fn jacobian_norm_sq(&self, input: Tensor<2>, code: Option<Tensor<2>>) -> Option<Tensor<1>> {
        match &self.layers[..] {
            [layer] => layer.jacobian_norm_sq(input, code),
            _ => None,
        }
    }
}

impl<A: Layered> Layered for Stack<A> {
    fn encode_with_hook(
        &self,
        input: Tensor<2>,
        hook: &mut dyn FnMut(Tensor<2>) -> Tensor<2>,
    ) -> Tensor<2> {
        let (top, below) = self.top();
        let x = below.iter().fold(input, |x, layer| {
            let code = layer.encode_with_hook(x, hook);
            hook(crate::top_k::apply_top_k(code, layer.top_k()))
        });
        top.encode_with_hook(x, hook)
    }

    fn decode_logits_with_hook(
        &self,
        code: Tensor<2>,
        hook: &mut dyn FnMut(Tensor<2>) -> Tensor<2>,
    ) -> Tensor<2> {
        let (lowest, above) = self.layers.split_first().expect("a stack has layers");
        let code = above.iter().rev().fold(code, |code, layer| {
            let logits = layer.decode_logits_with_hook(code, hook);
            hook(layer.output().apply(logits))
        });
        lowest.decode_logits_with_hook(code, hook)
    }
}

impl<A: Module + ModuleDisplay> ModuleDisplay for Stack<A> {
    fn format(&self, settings: DisplaySettings) -> String {
        let layers = self.layers.iter().map(|layer| layer.format(settings.clone()));
        let layers: Vec<String> = layers.map(|text| text.replace('\n', "\n  ")).collect();
        let count = layers.len();
        let title = format!("Stack of {count} layer{}", if count == 1 { "" } else { "s" });
        format!("{title}\n  {}", layers.join("\n  "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Architecture, Autoencoder, ConvConfig, DenseConfig, Downsample, tensors};
    use burn::tensor::{Device, TensorData, Tolerance};

    fn input(features: usize) -> Tensor<2> {
        let values: Vec<f32> = (0..3 * features).map(|i| (i % 7) as f32 / 7.0).collect();
        Tensor::from_data(TensorData::new(values, [3, features]), &Device::flex())
    }

    fn assert_same(left: &impl Autoencoder, right: &impl Autoencoder) {
        let input = input(left.features());
        let same = |left: Tensor<2>, right: Tensor<2>| {
            let (left, right) = (left.into_data(), right.into_data());
            left.assert_approx_eq::<f32>(&right, Tolerance::absolute(1e-6));
        };
        same(left.encode(input.clone()), right.encode(input.clone()));
        same(left.reconstruct(input.clone()), right.reconstruct(input));
    }

    #[test]
    fn stack_of_one_layer_computes_the_same_as_the_layer() {
        let model = DenseConfig::new([7, 5, 3]).init(2, &Device::flex()).unwrap();
        let stack = Stack::new(vec![model.clone()]).unwrap();
        assert_same(&stack, &model);
        let as_stack = Architecture::Stack { layers: vec![Architecture::Conv(conv())] };
        let (stack, alone) = (as_stack.init(5, &Device::flex()), conv().init(5, &Device::flex()));
        assert_same(&stack.unwrap(), &alone.unwrap());
    }

    fn conv() -> ConvConfig {
        ConvConfig { channels: vec![2, 3], hidden: vec![6], ..ConvConfig::new([1, 9, 7], 4) }
    }

    /// As a stack, a model has other names of weights, but computes the same.
    #[test]
    fn dense_model_and_its_stack_compute_the_same() {
        let device = Device::flex();
        let dense = DenseConfig { activation: Activation::Tanh, ..DenseConfig::new([9, 6, 4, 2]) };
        for config in [dense.clone(), DenseConfig { tied: true, top_k: Some(1), ..dense }] {
            let stack = Architecture::Dense(config.clone()).stacked();
            let stack = stack.init(4, &device).unwrap();
            let renamed = tensors::collect(&stack).into_iter().map(|(name, data)| {
                let parts: Vec<&str> = name.split('.').collect();
                let layer: usize = parts[1].parse().unwrap();
                let position = if parts[2] == "encoder" { layer } else { 2 - layer };
                (format!("{}.layers.{position}.{}", parts[2], parts[5]), data)
            });
            let dense = config.init(0, &device).unwrap();
            assert_same(&stack, &tensors::replace(dense, renamed.collect()).unwrap());
        }
    }

    #[test]
    fn convolutional_models_are_stacked_as_stages_and_dense_layers() {
        for down in [Downsample::Stride, Downsample::MaxPool] {
            let architecture = Architecture::Conv(ConvConfig { down, ..conv() }).stacked();
            let Architecture::Stack { layers } = &architecture else { panic!("a stack") };
            assert_eq!(
                layers.iter().map(Architecture::kind).collect::<Vec<_>>(),
                ["conv", "conv", "dense", "dense"]
            );
            let stack = architecture.init(1, &Device::flex()).unwrap();
            let code = stack.encode(input(63));
            assert_eq!((code.dims(), stack.decode(code).dims()), ([3, 4], [3, 63]));
        }
    }

    #[test]
    fn layers_that_do_not_fit_are_refused() {
        let device = Device::flex();
        let layer = |widths: [usize; 2]| DenseConfig::new(widths).init(0, &device).unwrap();
        assert_eq!(
            Stack::new(vec![layer([7, 5]), layer([4, 3])]).unwrap_err().to_string(),
            "layers: expected layer 2 of 5 features, the units of the code below, got 4"
        );
        let none: Vec<crate::Dense> = Vec::new();
        assert_eq!(
            Stack::new(none).unwrap_err().to_string(),
            "layers: expected at least one, got 0"
        );
    }

    #[test]
    fn display_has_all_layers() {
        let layer = |widths: [usize; 2]| DenseConfig::new(widths).init(0, &Device::flex()).unwrap();
        let text = Stack::new(vec![layer([7, 5]), layer([5, 3])]).unwrap().to_string();
        assert!(text.starts_with("Stack of 2 layers\n  Dense autoencoder 7 -> 5 -> 7"), "{text}");
    }
}
