//! The few layers that models are made of. Their fields are named as PyTorch names them.

use ae_kernels::{Weight, linear};
use burn::module::{Module, Param};
use burn::tensor::{
    DType, Tensor,
    module::interpolate,
    ops::{InterpolateMode, InterpolateOptions},
};

use crate::Activation;
use crate::conv::Up;
use crate::initial::Initial;

/// `x W + b`, `W: [in, out]`.
#[derive(Module, Debug)]
pub(crate) struct Affine {
    pub(crate) weight: Param<Tensor<2>>,
    pub(crate) bias: Param<Tensor<1>>,
}

impl Affine {
    pub(crate) fn init([from, to]: [usize; 2], gain: f64, initial: &mut Initial) -> Self {
        Self { weight: initial.weight([from, to], from, gain), bias: initial.constant(to, 0.0) }
    }

    pub(crate) fn forward(&self, input: Tensor<2>, activation: Activation) -> Tensor<2> {
        let weight = Weight::Straight(self.weight.val());
        linear(input, weight, self.bias.val(), activation)
    }
}

/// The kernel and bias of a convolution; its user knows stride and padding.
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
        initial: &mut Initial,
    ) -> Self {
        Self {
            weight: initial.weight([to, from, kernel, kernel], from * kernel * kernel, gain),
            bias: initial.constant(to, 0.0),
        }
    }

    /// For a kernel that is used in both directions (Glorot & Bengio 2010).
    pub(crate) fn init_tied(
        [from, to]: [usize; 2],
        kernel: usize,
        up: Up,
        initial: &mut Initial,
    ) -> Self {
        let area = kernel * kernel;
        let back = match up {
            // A quarter of the kernel's entries meet in one output.
            Up::Transposed => (to * area).div_ceil(4),
            Up::Upsample => to * area,
        };
        let fans = [from * area, back];
        Self {
            weight: initial.symmetric([to, from, kernel, kernel], fans),
            bias: initial.constant(to, 0.0),
        }
    }

    /// `[batch, in, height, width] -> [batch, out, ceil(height / stride), ceil(width / stride)]`
    pub(crate) fn convolve(
        &self,
        input: Tensor<4>,
        stride: usize,
        activation: Activation,
    ) -> Tensor<4> {
        ae_kernels::convolve(input, self.weight.val(), Some(self.bias.val()), stride, activation)
    }
}

/// A decoder's layer: without a weight of its own it borrows its encoder layer's.
#[derive(Module, Debug)]
pub(crate) struct Borrowing<const D: usize> {
    pub(crate) weight: Option<Param<Tensor<D>>>,
    pub(crate) bias: Param<Tensor<1>>,
}

impl<const D: usize> Borrowing<D> {
    /// Its own weight, or the encoder's.
    pub(crate) fn weight(&self, lent: Option<Tensor<D>>) -> Tensor<D> {
        match (&self.weight, lent) {
            (Some(own), _) => own.val(),
            (None, Some(lent)) => lent,
            (None, None) => unreachable!("a decoder that stands alone has its own weights"),
        }
    }
}

impl Borrowing<2> {
    /// `s(x W + b)`, where a weight that is lent is transposed: `[out, in]`.
    pub(crate) fn forward(
        &self,
        input: Tensor<2>,
        lent: Option<Tensor<2>>,
        activation: Activation,
    ) -> Tensor<2> {
        let weight = match self.weight {
            Some(_) => Weight::Straight(self.weight(None)),
            None => Weight::Transposed(self.weight(lent)),
        };
        linear(input, weight, self.bias.val(), activation)
    }
}

/// Repeats pixels up to `size`: `[batch, channels, h, w] -> [batch, channels, height, width]`.
pub(crate) fn upsample(input: Tensor<4>, size: [usize; 2]) -> Tensor<4> {
    interpolate(input, InterpolateOptions::new(InterpolateMode::Nearest).with_output_size(size))
}

const EPSILON: f64 = 1e-5;

/// Group normalisation (Wu & He 2018, arXiv 1803.08494): each group of channels of each
/// sample to mean 0 and variance 1, then a gain and a shift per channel. One group: layer
/// normalisation. Nothing depends on the other samples of the batch.
#[derive(Module, Debug)]
pub(crate) struct Normalization {
    pub(crate) weight: Param<Tensor<1>>,
    pub(crate) bias: Param<Tensor<1>>,
    #[module(skip)]
    groups: usize,
}

impl Normalization {
    pub(crate) fn init(channels: usize, groups: usize, initial: &mut Initial) -> Self {
        Self {
            weight: initial.constant(channels, 1.0),
            bias: initial.constant(channels, 0.0),
            groups,
        }
    }

    /// In single precision at least: a sum over the members of a group may be beyond a half precision.
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

    /// In the type of what it is for.
    fn gain<const D: usize>(&self, of: &Tensor<D>) -> Tensor<4> {
        let [channels] = self.weight.dims();
        self.weight.val().cast(of.dtype()).reshape([1, channels, 1, 1])
    }

    pub(crate) fn tangent(&self, directions: Tensor<4>, slope: &NormalizationSlope) -> Tensor<4> {
        slope.project(directions) * self.gain(&slope.normal)
    }

    /// The same, transposed: the projection in between is symmetric.
    pub(crate) fn cotangent(&self, directions: Tensor<4>, slope: &NormalizationSlope) -> Tensor<4> {
        slope.project(directions * self.gain(&slope.normal))
    }
}

/// Where a normalisation stands: normal values `[batch, groups, members]` and deviations
/// `[batch, groups, 1]`.
pub(crate) struct NormalizationSlope {
    normal: Tensor<3>,
    deviation: Tensor<3>,
}

impl NormalizationSlope {
    /// `(v - mean(v) - n mean(n v)) / deviation` within each group: the derivative of the normal
    /// values `n`.
    fn project(&self, directions: Tensor<4>) -> Tensor<4> {
        let (shape, [batch, groups, members]) = (directions.dims(), self.normal.dims());
        let v = directions.reshape([shape[0] / batch, batch, groups, members]);
        let n = self.normal.clone().unsqueeze::<4>();
        let along = (v.clone() * n.clone()).mean_dim(3);
        let centred = v.clone() - v.mean_dim(3) - n * along;
        (centred / self.deviation.clone().unsqueeze::<4>()).reshape(shape)
    }
}
