//! The few layers that models are made of. Their fields are named as PyTorch names them.

use burn::module::{Module, Param};
use burn::tensor::{
    Tensor,
    module::{conv_transpose2d, conv2d, interpolate, linear},
    ops::{ConvOptions, ConvTransposeOptions, InterpolateMode, InterpolateOptions},
};

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

    pub(crate) fn forward(&self, input: Tensor<2>) -> Tensor<2> {
        linear(input, self.weight.val(), Some(self.bias.val()))
    }
}

/// The kernel and bias of a convolution; its user knows stride and padding.
///
/// `weight: [out, in, kernel, kernel]`, or `[in, out, kernel, kernel]` where it is transposed.
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

    /// For [`double`](Self::double): a quarter of the kernel's entries meet in one output.
    pub(crate) fn init_transposed(
        [from, to]: [usize; 2],
        kernel: usize,
        gain: f64,
        initial: &mut Initial,
    ) -> Self {
        let fan_in = (from * kernel * kernel).div_ceil(4);
        Self {
            weight: initial.weight([from, to, kernel, kernel], fan_in, gain),
            bias: initial.constant(to, 0.0),
        }
    }

    fn size(&self) -> usize {
        self.weight.dims()[3]
    }

    /// `[batch, in, height, width] -> [batch, out, ceil(height / stride), ceil(width / stride)]`
    pub(crate) fn convolve(&self, input: Tensor<4>, stride: usize) -> Tensor<4> {
        let padding = self.size() / 2;
        let options = ConvOptions::new([stride; 2], [padding; 2], [1; 2], 1);
        conv2d(input, self.weight.val(), Some(self.bias.val()), options)
    }

    /// The transpose of a convolution with stride 2: to a map of `[height, width]`, whose
    /// halves (rounded up) the input's size must be.
    pub(crate) fn double(&self, input: Tensor<4>, [height, width]: [usize; 2]) -> Tensor<4> {
        let padding = self.size() / 2;
        // The size without output padding is 2 half - 1; what lacks is 1 for even sizes.
        let lacking = [1 - height % 2, 1 - width % 2];
        let options = ConvTransposeOptions::new([2; 2], [padding; 2], lacking, [1; 2], 1);
        conv_transpose2d(input, self.weight.val(), Some(self.bias.val()), options)
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

    pub(crate) fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        let [batch, channels, height, width] = input.dims();
        let members = channels / self.groups * height * width;
        let grouped = input.reshape([batch, self.groups, members]);
        let centred = grouped.clone() - grouped.mean_dim(2);
        let variance = centred.clone().square().mean_dim(2);
        let normal =
            (centred / (variance + EPSILON).sqrt()).reshape([batch, channels, height, width]);
        normal * self.weight.val().reshape([1, channels, 1, 1])
            + self.bias.val().reshape([1, channels, 1, 1])
    }
}
