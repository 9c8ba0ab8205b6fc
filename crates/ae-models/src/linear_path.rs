//! A linear path in parallel to the layers: principal components.

use ae_kernels::{Weight, linear};
use burn::module::{Module, Param};
use burn::tensor::{DType, Device, Tensor};

use crate::initializer::Initializer;
use crate::layers::{Affine, TiedLayer};
use crate::summary::Summary;
use crate::{Activation, Error, Pca, Result};

/// What an encoder or a decoder adds to what its layers give: for an input `x`
/// `h = (x - m) V + f(x)`, for a code `h` `y = h V^T + m + g(h)`, with `V: [features, components]`. Where
/// there are fewer components than units, the other units have no such path.
///
/// Of a decoder with a sigmoid output the logits are added to: `logit(clip(h V^T + m)) + g(h)`, so that
/// without `g` the output is that of PCA, clipped to what a sigmoid can give.
///
/// Dense models train `V` and `m`; convolutional ones keep them fixed. Each had the smaller validation loss so
/// (`docs/src/evidence.md`): training them brought 1 to 30 % on tables, and cost 5 to 10 % on images, where a step of Adam is
/// not small compared with the entries of a component.
#[derive(Module, Debug)]
pub(crate) struct LinearPath {
    components: Param<Tensor<2>>,
    mean: Param<Tensor<1>>,
}

/// The distance of the initial reconstruction from 0 and 1 where the output is a sigmoid: half a grey value of 255.
const MARGIN: f64 = 1.0 / 512.0;

impl LinearPath {
    /// A random path, to be replaced or trained. Its mean is the middle of the output's range.
    pub(crate) fn init(
        [features, components]: [usize; 2],
        output: Activation,
        initializer: &mut Initializer,
    ) -> Self {
        let components = initializer.symmetric_weight([features, components]);
        // Well inside of [0, 1], where nothing is clipped.
        let (scale, mean) = if output.is_probability() { (0.25, 0.5) } else { (1.0, 0.0) };
        let components = components.map(|components| components * scale);
        Self { components, mean: initializer.constant(features, mean) }
    }

    /// The components and the mean of a PCA.
    pub(crate) fn of(pca: &Pca, device: &Device) -> Self {
        Self {
            components: Param::from_tensor(pca.components().to_device(device)),
            mean: Param::from_tensor(pca.mean().to_device(device)),
        }
    }

    /// The same, not trained.
    pub(crate) fn fixed(self) -> Self {
        self.no_grad()
    }

    /// The code: the path's plus that of the layers.
    pub(crate) fn encode(&self, input: Tensor<2>, code: Tensor<2>) -> Tensor<2> {
        let mean = single(self.mean.val());
        self.tangent(input.cast(mean.dtype()) - mean.unsqueeze(), code)
    }

    /// Tangents of the codes: the path's plus those of the layers.
    pub(crate) fn tangent(&self, directions: Tensor<2>, codes: Tensor<2>) -> Tensor<2> {
        let components = single(self.components.val());
        let [[rows, units], [_, count]] = [codes.dims(), components.dims()];
        let none = Tensor::zeros([count], (&components.device(), components.dtype()));
        let projected = linear(directions, Weight::Plain(components), none, Activation::Identity);
        let projected = match units - count {
            0 => projected,
            rest => {
                let empty = Tensor::zeros([rows, rest], (&projected.device(), projected.dtype()));
                Tensor::cat(vec![projected, empty], 1)
            }
        };
        let codes = codes.cast(projected.dtype());
        projected + codes
    }

    /// Cotangents of the inputs: the path's plus those of the layers.
    pub(crate) fn cotangent(&self, directions: Tensor<2>, inputs: Tensor<2>) -> Tensor<2> {
        let back = self.back(directions, self.mean.val().zeros_like());
        let inputs = inputs.cast(back.dtype());
        back + inputs
    }

    /// The logits: the path's plus those of the layers.
    pub(crate) fn decode(
        &self,
        code: Tensor<2>,
        logits: Tensor<2>,
        output: Activation,
    ) -> Tensor<2> {
        let reconstruction = self.back(code, self.mean.val());
        let logits = logits.cast(reconstruction.dtype());
        match output {
            Activation::Sigmoid => logit(reconstruction) + logits,
            _ => reconstruction + logits,
        }
    }

    fn back(&self, codes: Tensor<2>, bias: Tensor<1>) -> Tensor<2> {
        let (components, bias) = (single(self.components.val()), single(bias));
        let [_, count] = components.dims();
        let codes = if codes.dims()[1] > count { codes.narrow(1, 0, count) } else { codes };
        linear(codes, Weight::Transposed(components), bias, Activation::Identity)
    }

    pub(crate) fn summarize(&self, part: &'static str, summary: &mut Summary) {
        let [features, count] = self.components.dims();
        let plural = if count == 1 { "" } else { "s" };
        let layer = format!("linear path from {count} principal component{plural}");
        let width = if part == "encoder" { count } else { features };
        summary.row(part, layer, width.to_string(), features * count + features);
    }
}

/// In single precision at least: the path computes in it also while layers are in a half precision, because the slope of
/// a logit, up to 500, multiplies what is rounded.
fn single<const D: usize>(tensor: Tensor<D>) -> Tensor<D> {
    if tensor.dtype().size() < 4 { tensor.cast(DType::F32) } else { tensor }
}

/// `log(p / (1 - p))` of `p` clipped to the range of a sigmoid that is at least the margin away from 0 and 1.
fn logit(p: Tensor<2>) -> Tensor<2> {
    let p = p.clamp(MARGIN, 1.0 - MARGIN);
    p.clone().log() - (-p + 1.0).log()
}

fn zeros<const D: usize>(like: &Param<Tensor<D>>) -> Param<Tensor<D>> {
    Param::from_tensor(like.val().without_autodiff().zeros_like())
}

impl Affine {
    /// The same layer with all weights 0.
    pub(crate) fn at_zero(&self) -> Self {
        Self { weight: zeros(&self.weight), bias: zeros(&self.bias) }
    }
}

impl<const D: usize> TiedLayer<D> {
    /// The same layer with all its own weights 0.
    pub(crate) fn at_zero(&self) -> Self {
        Self { weight: self.weight.as_ref().map(zeros), bias: zeros(&self.bias) }
    }
}

/// What decides whether a model can have a linear path.
pub(crate) struct PathConditions {
    pub(crate) features: usize,
    /// Units of the code; none: maps.
    pub(crate) code: Option<usize>,
    pub(crate) tied: bool,
    pub(crate) top_k: Option<usize>,
    pub(crate) code_activation: Activation,
    pub(crate) output: Activation,
}

impl PathConditions {
    /// Checks that it can have a path of so many components.
    pub(crate) fn check(&self, components: Option<usize>) -> Result<()> {
        let Some(components) = components else { return Ok(()) };
        let refuse = |expected: &str, got: String| {
            let expected = format!("{expected}; leave the path out");
            Err(Error::Config { what: "linear_path", expected, got })
        };
        let Some(code) = self.code else {
            return refuse("a code of units, as principal components give", "maps".to_owned());
        };
        if self.tied {
            let expected = "weights that are not tied, since the last layer of the decoder begins at 0 \
                            and the first of the encoder does not";
            return refuse(expected, "tied ones".to_owned());
        }
        if let Some(k) = self.top_k {
            let expected = "a code of which all units are kept, since the largest principal \
                            components by value are no better than the others";
            return refuse(expected, format!("one that keeps {k}"));
        }
        if self.code_activation != Activation::Identity {
            let expected = "a code without an activation, since principal components have none";
            return refuse(expected, self.code_activation.to_string());
        }
        if !matches!(self.output, Activation::Identity | Activation::Sigmoid) {
            let expected = "an output of identity or sigmoid";
            return refuse(expected, self.output.to_string());
        }
        let most = code.min(self.features);
        match (1..=most).contains(&components) {
            true => Ok(()),
            false => {
                let expected = format!("1 to {most} components, as code and features allow");
                Err(Error::config("linear_path", expected, components))
            }
        }
    }

    /// As [`check`](Self::check), for the components of a PCA.
    pub(crate) fn check_pca(&self, pca: &Pca) -> Result<()> {
        let (features, its) = (self.features, pca.config().features);
        if its != features {
            let expected = format!("components of {features} features");
            return Err(Error::config("linear_path", expected, its));
        }
        self.check(Some(pca.config().components))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::*;
    use burn::tensor::{Device, TensorData, Tolerance};

    /// (2, 0), (-2, 0), (0, 1), (0, -1) about the mean (1, 5): the component is (1, 0).
    fn by_hand() -> Pca {
        let values = [3.0, 5.0, -1.0, 5.0, 1.0, 6.0, 1.0, 4.0];
        Pca::fit(&values, 2, 1, &Device::flex()).unwrap()
    }

    fn dense(widths: impl Into<Vec<usize>>) -> DenseConfig {
        DenseConfig { output: Activation::Identity, ..DenseConfig::new(widths) }
    }

    fn close<const D: usize>(here: Tensor<D>, there: Tensor<D>, tolerance: f32) {
        let (here, there) = (here.into_data(), there.into_data());
        here.assert_approx_eq::<f32>(&there, Tolerance::absolute(tolerance));
    }

    /// x = (3, 6), f(x) = x (0.5; 1) + 0.25 = 7.75, the path gives (3 - 1) 1 + (6 - 5) 0 = 2: code 9.75.
    /// g(h) = h (2, -1) + (0, 0.5) = (19.5, -9.25), the path gives (1 + 9.75, 5): (30.25, -4.25).
    #[test]
    fn a_layer_and_a_component_by_hand() {
        let device = Device::flex();
        let model = dense([2, 1]).init(0, &device).unwrap().with_linear_path(&by_hand()).unwrap();
        let mut weights = tensors::collect(&model);
        for (name, values) in [
            ("encoder.layers.0.weight", TensorData::from([[0.5f32, 1.0]])),
            ("encoder.layers.0.bias", TensorData::from([0.25f32])),
            ("decoder.layers.0.weight", TensorData::from([[2.0f32], [-1.0]])),
            ("decoder.layers.0.bias", TensorData::from([0.0f32, 0.5])),
        ] {
            assert!(weights.insert(name.to_owned(), values).is_some(), "{name}");
        }
        let model = tensors::replace(model, weights).unwrap();
        let code = model.encode(Tensor::from_floats([[3.0, 6.0]], &device));
        close(code.clone(), Tensor::from_floats([[9.75]], &device), 1e-5);
        close(model.decode(code), Tensor::from_floats([[30.25, -4.25]], &device), 1e-5);
    }

    /// Rows of 63 values between 0 and 1.
    fn rows(count: usize) -> Vec<f32> {
        (0..count * 63).map(|i| ((i * i + 7 * i) % 101) as f32 / 101.0).collect()
    }

    fn conv() -> ConvConfig {
        ConvConfig { channels: vec![2, 4], hidden: vec![6], ..ConvConfig::new([1, 9, 7], 5) }
    }

    /// Before it is trained it is the PCA, also where there are fewer components than units; where the output is a
    /// sigmoid, the PCA clipped.
    #[test]
    fn it_begins_as_the_pca() {
        let device = Device::flex();
        let values = rows(40);
        let input = Tensor::<2>::from_data(TensorData::new(values.clone(), [40, 63]), &device);
        for components in [5, 3] {
            let pca = Pca::fit(&values, 63, components, &device).unwrap();
            for output in [Activation::Identity, Activation::Sigmoid] {
                for architecture in [
                    Architecture::Dense(DenseConfig { output, ..dense([63, 9, 5]) }),
                    Architecture::Conv(ConvConfig { output, ..conv() }),
                    Architecture::Conv(ConvConfig { output, up: Upsample::Nearest, ..conv() }),
                ] {
                    let model = architecture.init(1, &device).unwrap();
                    let model = model.with_linear_path(&pca).unwrap();
                    let code = model.encode(input.clone());
                    close(code.clone().narrow(1, 0, components), pca.encode(input.clone()), 1e-6);
                    let reconstruction = pca.reconstruct(input.clone());
                    let expected = match output {
                        Activation::Sigmoid => reconstruction.clamp(1.0 / 512.0, 511.0 / 512.0),
                        _ => reconstruction,
                    };
                    close(model.decode(code), expected, 1e-6);
                }
            }
        }
    }

    #[test]
    fn halves_have_it_too() {
        let device = Device::flex();
        let pca = Pca::fit(&rows(40), 63, 5, &device).unwrap();
        let input = Tensor::<2>::from_data(TensorData::new(rows(2), [2, 63]), &device);
        let model = conv().init(0, &device).unwrap().with_linear_path(&pca).unwrap();
        let code = model.encode(input.clone());
        close(model.encoder().encode(input.clone()), code.clone(), 0.0);
        close(model.to_decoder().decode(code.clone()), model.decode(code), 0.0);
        // J = V^T where f is constant: what the path alone gives.
        let of_one = jacobian(&model, input).narrow(0, 0, 1).squeeze_dim::<2>(0);
        close(of_one, pca.components().transpose(), 1e-6);
    }

    #[test]
    fn it_is_printed() {
        let model = dense([2, 1]).init(0, &Device::flex()).unwrap();
        assert_eq!(
            model.with_linear_path(&by_hand()).unwrap().to_string(),
            "Dense autoencoder 2 -> 1 -> 2, 15 parameters\n  \
               encoder  dense, identity                         1            3\n  \
               encoder  linear path from 1 principal component  1            4\n  \
               decoder  dense, identity                         2            4\n  \
               decoder  linear path from 1 principal component  2            4"
        );
    }

    #[test]
    fn where_it_makes_no_sense_it_is_refused() {
        let device = Device::flex();
        let refused = |config: DenseConfig| {
            let model = config.init(0, &device).unwrap();
            model.with_linear_path(&by_hand()).unwrap_err().to_string()
        };
        let [plain, wide] = [dense([2, 1]), dense([2, 3])];
        let tied = refused(DenseConfig { tied: true, ..plain.clone() });
        assert!(tied.starts_with("linear_path: expected weights that are not tied"), "{tied}");
        assert_eq!(
            refused(DenseConfig { code_activation: Activation::Relu, ..plain.clone() }),
            "linear_path: expected a code without an activation, since principal components have \
             none; leave the path out, got relu"
        );
        let kept = refused(DenseConfig { top_k: Some(2), ..wide });
        assert!(kept.contains("leave the path out, got one that keeps 2"), "{kept}");
        assert_eq!(
            refused(DenseConfig { output: Activation::Tanh, ..plain.clone() }),
            "linear_path: expected an output of identity or sigmoid; leave the path out, got tanh"
        );
        assert_eq!(refused(dense([3, 1])), "linear_path: expected components of 3 features, got 2");
        let two = Pca::fit(&[0.0, 1.0, 1.0, 0.0, 2.0, 5.0], 2, 2, &device).unwrap();
        let model = plain.init(0, &device).unwrap();
        assert_eq!(
            model.with_linear_path(&two).unwrap_err().to_string(),
            "linear_path: expected 1 to 1 components, as code and features allow, got 2"
        );
        let maps = ConvConfig::maps([1, 1, 2], [3]).init(0, &device).unwrap();
        let maps = maps.with_linear_path(&by_hand()).unwrap_err().to_string();
        assert!(maps.contains("expected a code of units") && maps.ends_with("got maps"), "{maps}");
        let stack = Architecture::Dense(dense([2, 1])).stacked().init(0, &device).unwrap();
        let stack = stack.with_linear_path(&by_hand()).unwrap_err().to_string();
        assert!(stack.ends_with("leave the path out, got a stack"), "{stack}");
        let pca = Model::Pca(by_hand()).with_linear_path(&by_hand()).unwrap_err().to_string();
        assert!(pca.ends_with("got a PCA"), "{pca}");
    }
}
