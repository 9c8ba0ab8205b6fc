//! The layers of the models. Their fields have the names of PyTorch.

use ae_kernels::{Weight, linear};
use burn::module::{Module, Param};
use burn::tensor::{
    DType, Tensor,
    module::interpolate,
    ops::{InterpolateMode, InterpolateOptions},
};

use crate::Activation;
use crate::initializer::Initializer;
use crate::resampling::Upsample;

/// `x W + b`, `W: [in, out]`.
#[derive(Module, Debug)]
pub(crate) struct Affine {
    pub(crate) weight: Param<Tensor<2>>,
    pub(crate) bias: Param<Tensor<1>>,
}

impl Affine {
    pub(crate) fn init([from, to]: [usize; 2], gain: f64, initializer: &mut Initializer) -> Self {
        Self {
            weight: initializer.weight([from, to], from, gain),
            bias: initializer.constant(to, 0.0),
        }
    }

    pub(crate) fn forward(&self, input: Tensor<2>, activation: Activation) -> Tensor<2> {
        let weight = Weight::Plain(self.weight.val());
        linear(input, weight, self.bias.val(), activation)
    }
}

/// The kernel and bias of a convolution. The caller decides stride and padding.
///
/// `weight: [out, in, kernel, kernel]`.
#[derive(Module, Debug)]
pub(crate) struct Kernel {
    pub(crate) weight: Param<Tensor<4>>,
    pub(crate) bias: Param<Tensor<1>>,
}

impl Kernel {
    /// `kernel` is odd and padded by `kernel / 2`, so a stride of 1 keeps the size and a
    /// stride of 2 halves it, rounding up.
    pub(crate) fn init(
        [from, to]: [usize; 2],
        kernel: usize,
        gain: f64,
        initializer: &mut Initializer,
    ) -> Self {
        Self {
            weight: initializer.weight([to, from, kernel, kernel], from * kernel * kernel, gain),
            bias: initializer.constant(to, 0.0),
        }
    }

    /// Initialises a kernel that is used in both directions (Glorot & Bengio 2010).
    pub(crate) fn init_tied(
        [from, to]: [usize; 2],
        kernel: usize,
        up: Upsample,
        initializer: &mut Initializer,
    ) -> Self {
        let area = kernel * kernel;
        let back = match up {
            // An output is a sum over a quarter of the kernel's entries.
            Upsample::Transposed => (to * area).div_ceil(4),
            Upsample::Nearest => to * area,
        };
        let fans = [from * area, back];
        Self {
            weight: initializer.symmetric([to, from, kernel, kernel], fans),
            bias: initializer.constant(to, 0.0),
        }
    }

    /// `[batch, in, height, width] -> [batch, out, ceil(height / stride), ceil(width / stride)]`
    pub(crate) fn forward(
        &self,
        input: Tensor<4>,
        stride: usize,
        activation: Activation,
    ) -> Tensor<4> {
        ae_kernels::conv2d(input, self.weight.val(), Some(self.bias.val()), stride, activation)
    }
}

/// A layer of a decoder. Without a weight of its own it uses that of its encoder layer.
#[derive(Module, Debug)]
pub(crate) struct TiedLayer<const D: usize> {
    pub(crate) weight: Option<Param<Tensor<D>>>,
    pub(crate) bias: Param<Tensor<1>>,
}

impl<const D: usize> TiedLayer<D> {
    /// Its own weight, or `shared`, that of the encoder.
    pub(crate) fn weight(&self, shared: Option<Tensor<D>>) -> Tensor<D> {
        match (&self.weight, shared) {
            (Some(own), _) => own.val(),
            (None, Some(shared)) => shared,
            (None, None) => unreachable!("a decoder without an encoder has its own weights"),
        }
    }
}

impl TiedLayer<2> {
    /// `s(x W + b)`: an affine map and its activation. A shared weight is `[out, in]` and used
    /// transposed.
    pub(crate) fn forward(
        &self,
        input: Tensor<2>,
        shared: Option<Tensor<2>>,
        activation: Activation,
    ) -> Tensor<2> {
        let weight = match self.weight {
            Some(_) => Weight::Plain(self.weight(None)),
            None => Weight::Transposed(self.weight(shared)),
        };
        linear(input, weight, self.bias.val(), activation)
    }
}

/// Repeats pixels to reach `size`: `[batch, channels, h, w] -> [batch, channels, height, width]`.
pub(crate) fn upsample(input: Tensor<4>, size: [usize; 2]) -> Tensor<4> {
    interpolate(input, InterpolateOptions::new(InterpolateMode::Nearest).with_output_size(size))
}

const EPSILON: f64 = 1e-5;

/// Group normalisation (Wu & He 2018, arXiv 1803.08494): each group of channels of each sample is
/// shifted and scaled to mean 0 and variance 1, then each channel has a gain and a shift. With one
/// group it is layer normalisation. The other samples of the batch have no effect.
#[derive(Module, Debug)]
pub(crate) struct Normalization {
    pub(crate) weight: Param<Tensor<1>>,
    pub(crate) bias: Param<Tensor<1>>,
    #[module(skip)]
    groups: usize,
}

impl Normalization {
    pub(crate) fn init(channels: usize, groups: usize, initializer: &mut Initializer) -> Self {
        Self {
            weight: initializer.constant(channels, 1.0),
            bias: initializer.constant(channels, 0.0),
            groups,
        }
    }

    /// Computes in f32 at least, because a sum over a group may overflow f16.
    pub(crate) fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        let given = input.dtype();
        let at_least_single = if given.size() < 4 { DType::F32 } else { given };
        self.forward_with_slope(input.cast(at_least_single)).0.cast(given)
    }

    /// The output, and what [`tangent`](Self::tangent) and [`cotangent`](Self::cotangent) need.
    pub(crate) fn forward_with_slope(&self, input: Tensor<4>) -> (Tensor<4>, NormalizationSlope) {
        let [batch, channels, height, width] = input.dims();
        let members = channels / self.groups * height * width;
        let grouped = input.reshape([batch, self.groups, members]);
        let centred = grouped.clone() - grouped.mean_dim(2);
        let variance = centred.clone().square().mean_dim(2);
        let deviation = (variance + EPSILON).sqrt();
        let normal = centred / deviation.clone();
        let bias = self.bias.val().cast(normal.dtype()).reshape([1, channels, 1, 1]);
        let output =
            normal.clone().reshape([batch, channels, height, width]) * self.gain(&normal) + bias;
        (output, NormalizationSlope { normal, deviation })
    }

    /// The gain in the type of `of`.
    fn gain<const D: usize>(&self, of: &Tensor<D>) -> Tensor<4> {
        let [channels] = self.weight.dims();
        self.weight.val().cast(of.dtype()).reshape([1, channels, 1, 1])
    }

    pub(crate) fn tangent(&self, directions: Tensor<4>, slope: &NormalizationSlope) -> Tensor<4> {
        slope.project(directions) * self.gain(&slope.normal)
    }

    /// The transpose of [`tangent`](Self::tangent). The projection in it is symmetric.
    pub(crate) fn cotangent(&self, directions: Tensor<4>, slope: &NormalizationSlope) -> Tensor<4> {
        slope.project(directions * self.gain(&slope.normal))
    }
}

/// What the derivative of a normalisation needs: normal values `[batch, groups, members]` and standard
/// deviations `[batch, groups, 1]`.
pub(crate) struct NormalizationSlope {
    normal: Tensor<3>,
    deviation: Tensor<3>,
}

impl NormalizationSlope {
    /// `(v - mean(v) - n mean(n v)) / deviation` within each group: the derivative of the normal values
    /// `n` in the direction `v`.
    fn project(&self, directions: Tensor<4>) -> Tensor<4> {
        let (shape, [batch, groups, members]) = (directions.dims(), self.normal.dims());
        let v = directions.reshape([shape[0] / batch, batch, groups, members]);
        let n = self.normal.clone().unsqueeze::<4>();
        let along = (v.clone() * n.clone()).mean_dim(3);
        let centred = v.clone() - v.mean_dim(3) - n * along;
        (centred / self.deviation.clone().unsqueeze::<4>()).reshape(shape)
    }
}
