//! The model of an imputation: a normal distribution, and layers that learn what it leaves.

use ae_models::{Activation, Decoder, Dense, DenseConfig, Encoder, tensors};
use burn::module::{Module, ModuleDisplay, Param};
use burn::tensor::{Device, Tensor, TensorData};
use rayon::prelude::*;
use serde_json::{Value, json};

use super::features::Layout;
use super::gaussian::{Gaussian, expectation};
use crate::Result;

/// The least probability that the linear part gives to a category.
const RARE: f64 = 0.02;

/// Completes rows of features: `z = x^ + g(f(x^, v))`, where `x^` are the visible features and the
/// expectations of the others under a normal distribution, `v` marks what is visible, and `f` and `g` are
/// layers. The last layer begins at 0, so before it is trained the model is the regression of every
/// missing feature on all visible ones, and training reduces the error that this leaves. In place of
/// the expectation `p` of a category's features their logits are `log p`, with `p` of at least 0.02.
///
/// Rows are `[x, v]`, `2 d` numbers; so are reconstructions, whose marks are those of the input.
#[derive(Module, Debug)]
#[module(custom_display)]
pub(crate) struct Completion {
    dense: Dense,
    mean: Param<Tensor<1>>,
    precision: Param<Tensor<2>>,
    /// 1 for the features of categories.
    categories: Param<Tensor<1>>,
}

impl Completion {
    /// A model before training, with hidden layers of `width` units.
    pub(crate) fn new(
        layout: &Layout,
        gaussian: Option<&Gaussian>,
        width: usize,
        seed: u64,
        device: &Device,
    ) -> Result<Self> {
        let d = layout.width();
        let config = DenseConfig {
            activation: Activation::Silu,
            code_activation: Activation::Silu,
            output: Activation::Identity,
            ..DenseConfig::new([2 * d, width, width])
        };
        let dense = config.init(seed, device)?;
        let mut weights = tensors::collect(&dense);
        for name in ["decoder.layers.1.weight", "decoder.layers.1.bias"] {
            if let Some(values) = weights.get_mut(name) {
                *values = TensorData::zeros::<f32, _>(values.shape().clone());
            }
        }
        let dense = tensors::replace(dense, weights)?;
        let mut categories = vec![0.0f32; d];
        layout.blocks().for_each(|block| categories[block].fill(1.0));
        let single = |values: &[f64]| values.iter().map(|it| *it as f32).collect::<Vec<f32>>();
        let (mean, precision) = match gaussian {
            Some(gaussian) => (single(&gaussian.mean), single(&gaussian.precision)),
            None => (vec![0.0; d], vec![0.0; d * d]),
        };
        let vector =
            |values: Vec<f32>| Param::from_data(TensorData::new(values, [d]), device).no_grad();
        Ok(Self {
            dense,
            mean: vector(mean),
            precision: Param::from_data(TensorData::new(precision, [d, d]), device).no_grad(),
            categories: vector(categories),
        })
    }

    fn d(&self) -> usize {
        self.mean.val().dims()[0]
    }

    /// The visible features of rows and the expectations of the others, and the marks, `[batch, d]` each.
    ///
    /// The expectations are exact, row by row on the host, and constants to autodiff: a row has other equations
    /// than the next. Conjugate gradients on the device, all rows at once, took ten times as long on a CPU.
    fn expect(&self, input: Tensor<2>) -> [Tensor<2>; 2] {
        let ([batch, _], d) = (input.dims(), self.d());
        let visible = input.clone().narrow(1, d, d);
        let host = |tensor: TensorData| tensor.iter::<f64>().collect::<Vec<f64>>();
        let rows = host(input.clone().into_data());
        let mean = host(self.mean.val().into_data());
        let precision = host(self.precision.val().into_data());
        let mut expected = vec![0.0; batch * d];
        let each = |(row, out): (&[f64], &mut [f64])| {
            expectation(row, &mean, &precision, out);
        };
        match batch * d < 2048 {
            true => rows.chunks_exact(2 * d).zip(expected.chunks_exact_mut(d)).for_each(each),
            false => {
                rows.par_chunks_exact(2 * d).zip(expected.par_chunks_exact_mut(d)).for_each(each)
            }
        }
        let data = TensorData::new(expected, [batch, d]);
        let expected = Tensor::from_data(data.convert_dtype(input.dtype()), &input.device());
        [expected, visible]
    }

    fn join(&self, code: Tensor<2>, expected: Tensor<2>, visible: Tensor<2>) -> Tensor<2> {
        Tensor::cat(vec![code, expected, visible], 1)
    }

    fn split(&self, code: Tensor<2>) -> [Tensor<2>; 3] {
        let (d, units) = (self.d(), self.dense.code_size());
        [
            code.clone().narrow(1, 0, units),
            code.clone().narrow(1, units, d),
            code.narrow(1, units + d, d),
        ]
    }

    /// Logits and marks from what the layers give and the expectations.
    fn add(&self, layers: Tensor<2>, expected: Tensor<2>, visible: Tensor<2>) -> Tensor<2> {
        let categories: Tensor<2> = self.categories.val().unsqueeze();
        let logs = expected.clone().clamp(RARE, 1.0).log();
        let linear = expected.clone() + (logs - expected) * categories;
        Tensor::cat(vec![linear + layers.narrow(1, 0, self.d()), visible], 1)
    }
}

impl Encoder for Completion {
    fn encode(&self, input: Tensor<2>) -> Tensor<2> {
        let [expected, visible] = self.expect(input);
        let code = self.dense.encode(Tensor::cat(vec![expected.clone(), visible.clone()], 1));
        self.join(code, expected, visible)
    }

    fn features(&self) -> usize {
        2 * self.d()
    }

    fn code_size(&self) -> usize {
        self.dense.code_size() + 2 * self.d()
    }

    fn code_activation(&self) -> Activation {
        Activation::Identity
    }

    fn settings(&self) -> Value {
        json!({ "kind": "completion", "dense": self.dense.settings() })
    }
}

impl Decoder for Completion {
    fn decode_logits(&self, code: Tensor<2>) -> Tensor<2> {
        let [code, expected, visible] = self.split(code);
        self.add(self.dense.decode_logits(code), expected, visible)
    }

    fn output(&self) -> Activation {
        Activation::Identity
    }
}

impl ModuleDisplay for Completion {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::impute::cells::tests::numbers;
    use ae_models::Autoencoder;

    /// Before it is trained it is the normal distribution, and its marks are those of the input.
    #[test]
    fn it_begins_as_the_normal_distribution() {
        let cells = numbers(2, &[1.0, 0.0, 2.0, 3.0]);
        let gaussian = Gaussian {
            mean: vec![1.0, 0.0],
            precision: [2.0, -1.0, -1.0, 2.0].map(|it| it / 3.0).to_vec(),
        };
        let device = Device::flex();
        let layout = Layout::of(&cells);
        let model = Completion::new(&layout, Some(&gaussian), 8, 0, &device).unwrap();
        let input = Tensor::from_floats([[5.0, 0.0, 1.0, 0.0], [0.0, 3.0, 0.0, 1.0]], &device);
        let output: Vec<f32> = model.reconstruct(input).into_data().iter().collect();
        let expected = [5.0, 2.0, 1.0, 0.0, 2.5, 3.0, 0.0, 1.0];
        assert!(output.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-5), "{output:?}");
    }
}
