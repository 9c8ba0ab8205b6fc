//! The model of an imputation: a normal distribution, and layers that learn what it leaves.

use ae_models::{Activation, Decoder, Dense, DenseConfig, Encoder, tensors};
use burn::module::{Module, ModuleDisplay, Param};
use burn::tensor::{Device, Tensor, TensorData};
use rayon::prelude::*;
use serde_json::{Value, json};

use super::features::Layout;
use super::gaussian::Gaussian;
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
        let each = |(row, out): (&[f64], &mut [f64])| expectation(row, &mean, &precision, out);
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

/// The features of a row `[x, v]`, with those that are not visible expected from the others: `mu_M - P_MM^-1
/// P_MO (x_O - mu_O)`, by a Cholesky factor of `P_MM`.
pub(crate) fn expectation(row: &[f64], mean: &[f64], precision: &[f64], out: &mut [f64]) {
    let d = mean.len();
    let (values, visible) = row.split_at(d);
    let missing: Vec<usize> = (0..d).filter(|at| visible[*at] < 0.5).collect();
    // Differences from the mean; 0 where they are to be found.
    for at in 0..d {
        out[at] = if visible[at] < 0.5 { 0.0 } else { values[at] - mean[at] };
    }
    let m = missing.len();
    let mut right: Vec<f64> = missing
        .iter()
        .map(|at| {
            let row = &precision[at * d..][..d];
            -dot(row, out)
        })
        .collect();
    let mut factor = vec![0.0; m * m];
    for i in 0..m {
        for j in 0..=i {
            let products = dot(&factor[j * m..][..j], &factor[i * m..][..j]);
            let rest = precision[missing[i] * d + missing[j]] - products;
            factor[i * m + j] = match i == j {
                true => rest.max(1e-12).sqrt(),
                false => rest / factor[j * m + j],
            };
        }
        right[i] = (right[i] - dot(&factor[i * m..][..i], &right[..i])) / factor[i * m + i];
    }
    for i in (0..m).rev() {
        let products: f64 = (i + 1..m).map(|j| factor[j * m + i] * right[j]).sum();
        right[i] = (right[i] - products) / factor[i * m + i];
    }
    missing.iter().zip(right).for_each(|(at, value)| out[*at] = value);
    out.iter_mut().zip(mean).for_each(|(x, mean)| *x += mean);
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

/// A sum of products in eight parts, so that the compiler can use vectors.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    let (a, b) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f64 = a.remainder().iter().zip(b.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in a.zip(b) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    rest + sums.iter().sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::impute::cells::tests::numbers;
    use ae_models::Autoencoder;

    /// Precision (2, -1; -1, 2) / 3 and means (1, 0): x_1 = 5 gives x_2 = 0 + (1/3) (5 - 1) / (2/3) = 2, and
    /// x_2 = 3 gives x_1 = 1 + 3 / 2 = 2.5; without any the means.
    #[test]
    fn expectations_by_hand() {
        let (mean, precision) = ([1.0, 0.0], [2.0, -1.0, -1.0, 2.0].map(|it| it / 3.0));
        let of = |row: [f64; 4]| {
            let mut out = [0.0; 2];
            expectation(&row, &mean, &precision, &mut out);
            out
        };
        let close = |found: [f64; 2], expected: [f64; 2]| {
            assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{found:?}");
        };
        close(of([5.0, 0.0, 1.0, 0.0]), [5.0, 2.0]);
        close(of([0.0, 3.0, 0.0, 1.0]), [2.5, 3.0]);
        close(of([0.0, 0.0, 0.0, 0.0]), [1.0, 0.0]);
        close(of([5.0, 3.0, 1.0, 1.0]), [5.0, 3.0]);
    }

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
