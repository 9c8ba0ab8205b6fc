//! Strided convolutions with their nonlinearity, and their transposes.

use burn::tensor::{
    Tensor,
    module::{conv_transpose2d, conv2d},
    ops::{ConvOptions, ConvTransposeOptions},
};

use crate::Nonlinearity;

/// `s(x * W + b)`, with a kernel of odd size, padded by half of it: a stride of 1 keeps the size, a
/// stride of 2 halves it, rounding up.
///
/// # Shapes
/// - input: `[batch, in, height, width]`, weight: `[out, in, kernel, kernel]`, bias: `[out]`
/// - output: `[batch, out, ceil(height / stride), ceil(width / stride)]`
pub fn convolve(
    input: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    stride: usize,
    after: Nonlinearity,
) -> Tensor<4> {
    #[cfg(feature = "flex")]
    if crate::is_ours(&input) {
        let bias = bias.unwrap_or_else(|| zeros(&input, weight.dims()[0]));
        return crate::backend::convolve(input, weight, bias, stride, after);
    }
    plain(input, weight, bias, stride, after)
}

/// The transpose of [`convolve`] and a nonlinearity: to a map of `[height, width]`, which a
/// convolution of that stride would bring to the input's size.
///
/// # Shapes
/// - input: `[batch, out, ceil(height / stride), ceil(width / stride)]`
/// - weight: `[out, in, kernel, kernel]`, bias: `[in]`, output: `[batch, in, height, width]`
pub fn convolve_back(
    input: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    stride: usize,
    size: [usize; 2],
    after: Nonlinearity,
) -> Tensor<4> {
    #[cfg(feature = "flex")]
    if crate::is_ours(&input) {
        let bias = bias.unwrap_or_else(|| zeros(&input, weight.dims()[1]));
        return crate::backend::convolve_back(input, weight, bias, stride, size, after);
    }
    plain_back(input, weight, bias, stride, size, after)
}

#[cfg(feature = "flex")]
fn zeros(like: &Tensor<4>, len: usize) -> Tensor<1> {
    Tensor::zeros([len], (&like.device(), like.dtype()))
}

/// As [`convolve`], in Burn's operations.
pub fn plain(
    input: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    stride: usize,
    after: Nonlinearity,
) -> Tensor<4> {
    let padding = weight.dims()[3] / 2;
    let options = ConvOptions::new([stride; 2], [padding; 2], [1; 2], 1);
    after.apply(conv2d(input, weight, bias, options))
}

/// As [`convolve_back`], in Burn's operations.
pub fn plain_back(
    input: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    stride: usize,
    [height, width]: [usize; 2],
    after: Nonlinearity,
) -> Tensor<4> {
    let padding = weight.dims()[3] / 2;
    // The size without output padding is stride (half - 1) + 1.
    let lacking = [(height - 1) % stride, (width - 1) % stride];
    let options = ConvTransposeOptions::new([stride; 2], [padding; 2], lacking, [1; 2], 1);
    after.apply(conv_transpose2d(input, weight, bias, options))
}

/// Maps lie pixel after pixel, all channels of one beside each other, so that a row of a kernel
/// meets one run of memory. What lies so comes in and goes out without a copy: a tensor of the
/// back end keeps its strides.
#[cfg(feature = "flex")]
pub(crate) mod kernel {
    use std::ops::Range;

    use burn::backend::TensorMetadata;
    use burn::tensor::{Bytes, Shape};
    use burn_flex::{FlexTensor, Layout};
    use rayon::prelude::*;

    use crate::Nonlinearity;
    use crate::buffer::{Gradients, contiguous, sink, tensor};
    use crate::matrix::{Matrix, MatrixMut, multiply, written};
    use crate::nonlinearity::{Finish, Start};
    use crate::number::{Number, vectorized};

    /// Sizes of the large side (in front of a convolution) and of the small one (behind it).
    #[derive(Clone, Copy, Debug)]
    pub(crate) struct Geometry {
        pub(crate) batch: usize,
        /// Channels, height, width of the large side.
        pub(crate) large: [usize; 3],
        /// Those of the small side.
        pub(crate) small: [usize; 3],
        pub(crate) kernel: usize,
        pub(crate) stride: usize,
    }

    /// Parts of a batch, whatever the number of threads, so that sums over it do not depend on that.
    const PARTS: usize = 16;

    /// Rows of a product that make up for the copy of the kernel that it begins with.
    const ROWS: usize = 128;

    /// Bytes of unrolled patches at a time: they stay in the second-level cache.
    const PATCH_BYTES: usize = 3 << 17;

    impl Geometry {
        fn pixels([_, height, width]: [usize; 3]) -> usize {
            height * width
        }

        fn size([channels, height, width]: [usize; 3]) -> usize {
            channels * height * width
        }

        /// Entries of a patch: rows and columns of the kernel, channels of the large side.
        fn patch(&self) -> usize {
            self.kernel * self.kernel * self.large[0]
        }

        /// Images of a part.
        fn share(&self) -> usize {
            let rows = ROWS.div_ceil(Self::pixels(self.small).max(1));
            self.batch.div_ceil(PARTS).max(rows).min(self.batch.max(1))
        }

        /// Images whose patches are unrolled together.
        fn together<T>(&self) -> usize {
            let image = Self::pixels(self.small) * self.patch() * size_of::<T>();
            let share = self.share();
            let most = (PATCH_BYTES / image.max(1)).clamp(1, share);
            // As many as in every other chunk, or one less.
            share.div_ceil(share.div_ceil(most))
        }

        /// Calls `visit(row of the kernel's run in a patch, pixels' run in the large map)` for every
        /// small pixel and kernel row: both as ranges of elements, of equal length, which leave out
        /// what lies beyond the border.
        #[inline(always)]
        fn runs(&self, mut visit: impl FnMut(Range<usize>, Range<usize>)) {
            let [channels, height, width] = self.large;
            let (kernel, padding) = (self.kernel, self.kernel / 2);
            let mut patch = 0;
            for small_y in 0..self.small[1] {
                for small_x in 0..self.small[2] {
                    let (y, x) = (small_y * self.stride, small_x * self.stride);
                    let left = padding.saturating_sub(x);
                    let right = kernel.min(width + padding - x);
                    for row in 0..kernel {
                        let start = patch + row * kernel * channels;
                        let run = start + left * channels..start + right * channels;
                        if (padding..height + padding).contains(&(y + row)) {
                            let line = (y + row - padding) * width;
                            let first = (line + x + left - padding) * channels;
                            visit(run.clone(), first..first + run.len());
                        }
                    }
                    patch += kernel * kernel * channels;
                }
            }
        }

        /// Patches of an image, `[small pixels, patch]`; what lies beyond the border is zero already.
        fn unroll<T: Number>(&self, image: &[T], patches: &mut [T]) {
            self.runs(
                #[inline(always)]
                |patch, pixels| patches[patch].copy_from_slice(&image[pixels]),
            );
        }

        /// Adds patches to where they come from.
        fn roll<T: Number>(&self, patches: &[T], image: &mut [T]) {
            vectorized(
                #[inline(always)]
                || {
                    self.runs(
                        #[inline(always)]
                        |patch, pixels| sink(&mut image[pixels], &patches[patch]),
                    )
                },
            );
        }
    }

    /// The values of a map, pixel after pixel.
    fn channels_last<T: Number>(map: &FlexTensor) -> FlexTensor {
        let [batch, channels, height, width] = map.shape().dims();
        let size = channels * height * width;
        let (layout, wanted) = (map.layout(), last_layout([batch, channels, height, width]));
        if layout.strides() == wanted.strides()
            && layout.start_offset() == 0
            && map.bytes().len() == batch * size * size_of::<T>()
        {
            return map.clone();
        }
        let map = contiguous(map);
        if channels == 1 || height * width == 1 {
            return map.with_layout(wanted);
        }
        let values: &[T] = map.storage();
        let pixels = height * width;
        let moved = written(values.len(), |moved| {
            let images = moved.par_chunks_exact_mut(size).zip(values.par_chunks_exact(size));
            images.with_min_len(4).for_each(|(moved, image)| {
                for (pixel, moved) in moved.chunks_exact_mut(channels).enumerate() {
                    let channels = image[pixel..].iter().step_by(pixels);
                    moved.iter_mut().zip(channels).for_each(|(to, from)| *to = *from);
                }
            });
        });
        last(moved, batch, [channels, height, width])
    }

    fn last_layout([batch, channels, height, width]: [usize; 4]) -> Layout {
        let [c, w] = [channels as isize, width as isize];
        let strides = vec![c * w * height as isize, 1, c * w, c];
        Layout::new(Shape::from([batch, channels, height, width]), strides, 0)
    }

    /// A map whose values lie pixel after pixel; its dimensions are `[batch, channels, height, width]` all
    /// the same.
    fn last<T: Number>(
        values: Vec<T>,
        batch: usize,
        [channels, height, width]: [usize; 3],
    ) -> FlexTensor {
        let layout = last_layout([batch, channels, height, width]);
        FlexTensor::new(Bytes::from_elems(values), layout, T::dtype())
    }

    /// The kernel as a matrix, `[small channels, patch]`.
    fn flat<T: Number>(weight: &FlexTensor, geometry: &Geometry) -> Vec<T> {
        let weight = contiguous(weight);
        let (area, channels) = (geometry.kernel * geometry.kernel, geometry.large[0]);
        let filters: &[T] = weight.storage();
        let mut flat = Vec::with_capacity(filters.len());
        for filter in filters.chunks_exact(area * channels) {
            for tap in 0..area {
                flat.extend(filter[tap..].iter().step_by(area));
            }
        }
        flat
    }

    /// Back from [`flat`].
    fn unflat<T: Number>(flat: &[T], geometry: &Geometry) -> FlexTensor {
        let (area, channels) = (geometry.kernel * geometry.kernel, geometry.large[0]);
        let mut filters: Vec<T> = Vec::with_capacity(flat.len());
        for filter in flat.chunks_exact(area * channels) {
            for channel in 0..channels {
                filters.extend(filter[channel..].iter().step_by(channels));
            }
        }
        tensor(filters, [geometry.small[0], channels, geometry.kernel, geometry.kernel])
    }

    /// The same values over and over, one for each channel of a line of pixels: a loop over a line is
    /// worth its vectors also where there is one channel.
    fn along_line<T: Number>(values: &[T], width: usize) -> Vec<T> {
        values.repeat(width)
    }

    /// `s(values + bias)` for each pixel.
    fn finish<T: Number>(values: &mut [T], line: &[T], after: Nonlinearity) {
        vectorized(
            #[inline(always)]
            || {
                for row in values.chunks_exact_mut(line.len()) {
                    after.with(Finish { row, bias: line });
                }
            },
        );
    }

    /// The gradient before the nonlinearity, and its sum over lines.
    fn start<T: Number>(
        gradient: &mut [T],
        output_gradient: &[T],
        output: &[T],
        sum: &mut [T],
        after: Nonlinearity,
    ) {
        let len = sum.len();
        vectorized(
            #[inline(always)]
            || {
                let given = output_gradient.chunks_exact(len).zip(output.chunks_exact(len));
                for (gradient, (output_gradient, output)) in
                    gradient.chunks_exact_mut(len).zip(given)
                {
                    after.with(Start { gradient, output_gradient, output, sum: &mut *sum });
                }
            },
        );
    }

    /// Large to small, without nonlinearity: one chunk of images.
    fn shrink<T: Number>(
        geometry: &Geometry,
        flat: &[T],
        large: &[T],
        patches: &mut [T],
        small: &mut [T],
    ) {
        let pixels = unroll_all(geometry, large, patches);
        let (patch, filters) = (geometry.patch(), geometry.small[0]);
        let patches = Matrix::new(&patches[..pixels * patch], pixels, patch);
        let flat = Matrix::new(flat, filters, patch).transpose();
        multiply(&mut MatrixMut::new(small, pixels, filters), false, patches, flat);
    }

    fn unroll_all<T: Number>(geometry: &Geometry, large: &[T], patches: &mut [T]) -> usize {
        let pixels = Geometry::pixels(geometry.small);
        let images = large.chunks_exact(Geometry::size(geometry.large));
        let count = images.len();
        let patches = patches.chunks_exact_mut(pixels * geometry.patch());
        images.zip(patches).for_each(|(image, patches)| geometry.unroll(image, patches));
        count * pixels
    }

    /// Small to large, without nonlinearity: one chunk of images.
    fn spread<T: Number>(
        geometry: &Geometry,
        flat: &[T],
        small: &[T],
        patches: &mut [T],
        large: &mut [T],
    ) {
        let (patch, filters) = (geometry.patch(), geometry.small[0]);
        let pixels = small.len() / filters;
        let patches = &mut patches[..pixels * patch];
        multiply(
            &mut MatrixMut::new(patches, pixels, patch),
            false,
            Matrix::new(small, pixels, filters),
            Matrix::new(flat, filters, patch),
        );
        large.fill(T::ZERO);
        let images = large.chunks_exact_mut(Geometry::size(geometry.large));
        let patches = patches.chunks_exact(Geometry::pixels(geometry.small) * patch);
        images.zip(patches).for_each(|(image, patches)| geometry.roll(patches, image));
    }

    /// Room for the patches of a chunk. They are zero, and what lies beyond the border stays so.
    fn room<T: Number>(geometry: &Geometry) -> Vec<T> {
        let pixels = geometry.together::<T>() * Geometry::pixels(geometry.small);
        vec![T::ZERO; pixels * geometry.patch()]
    }

    /// From the large side to the small one.
    pub(crate) fn forward<T: Number>(
        large: &FlexTensor,
        weight: &FlexTensor,
        bias: &FlexTensor,
        geometry: &Geometry,
        after: Nonlinearity,
    ) -> FlexTensor {
        let (large, bias) = (channels_last::<T>(large), contiguous(bias));
        let (flat, line) =
            (flat::<T>(weight, geometry), along_line::<T>(bias.storage(), geometry.small[2]));
        let large: &[T] = large.storage();
        let [from, to] = [geometry.large, geometry.small].map(Geometry::size);
        let values = written(geometry.batch * to, |small| {
            let (share, together) = (geometry.share(), geometry.together::<T>());
            let parts = small.par_chunks_mut(share * to).zip(large.par_chunks(share * from));
            parts.for_each_init(
                || room(geometry),
                |patches, (small, large)| {
                    let chunks = small.chunks_mut(together * to).zip(large.chunks(together * from));
                    for (small, large) in chunks {
                        shrink(geometry, &flat, large, patches, small);
                        finish(small, &line, after);
                    }
                },
            );
        });
        last(values, geometry.batch, geometry.small)
    }

    /// From the small side to the large one.
    pub(crate) fn forward_back<T: Number>(
        small: &FlexTensor,
        weight: &FlexTensor,
        bias: &FlexTensor,
        geometry: &Geometry,
        after: Nonlinearity,
    ) -> FlexTensor {
        let (small, bias) = (channels_last::<T>(small), contiguous(bias));
        let (flat, line) =
            (flat::<T>(weight, geometry), along_line::<T>(bias.storage(), geometry.large[2]));
        let small: &[T] = small.storage();
        let [to, from] = [geometry.large, geometry.small].map(Geometry::size);
        let values = written(geometry.batch * to, |large| {
            let (share, together) = (geometry.share(), geometry.together::<T>());
            let parts = large.par_chunks_mut(share * to).zip(small.par_chunks(share * from));
            parts.for_each_init(
                || room(geometry),
                |patches, (large, small)| {
                    let chunks = large.chunks_mut(together * to).zip(small.chunks(together * from));
                    for (large, small) in chunks {
                        spread(geometry, &flat, small, patches, large);
                        finish(large, &line, after);
                    }
                },
            );
        });
        last(values, geometry.batch, geometry.large)
    }

    /// What a thread works in on the way back.
    struct Room<T> {
        patches: Vec<T>,
        rolled: Vec<T>,
        through: Vec<T>,
    }

    /// What a forward pass was given and what came out, and which gradients are wanted: that of the weight
    /// needs the input, that of the input the weight.
    pub(crate) struct Pass<'a> {
        pub(crate) input: Option<&'a FlexTensor>,
        pub(crate) weight: Option<&'a FlexTensor>,
        pub(crate) output: &'a FlexTensor,
        pub(crate) geometry: Geometry,
        pub(crate) after: Nonlinearity,
    }

    /// Which way a pass went.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub(crate) enum Way {
        /// As a convolution: large to small.
        Down,
        /// As its transpose: small to large.
        Up,
    }

    pub(crate) fn backward<T: Number>(
        way: Way,
        pass: &Pass<'_>,
        gradient: &FlexTensor,
    ) -> Gradients {
        let geometry = &pass.geometry;
        let ends = [geometry.large, geometry.small];
        let [from, to] = match way {
            Way::Down => ends,
            Way::Up => [ends[1], ends[0]],
        };
        let [from_size, to_size] = [from, to].map(Geometry::size);
        let [gradient, output] = [gradient, pass.output].map(channels_last::<T>);
        let [gradient, output]: [&[T]; 2] = [gradient.storage(), output.storage()];
        let input = pass.input.map(channels_last::<T>);
        let input: Option<&[T]> = input.as_ref().map(FlexTensor::storage);
        let flat = pass.weight.map(|weight| flat::<T>(weight, geometry));
        let (share, together) = (geometry.share(), geometry.together::<T>());
        let (filters, patch) = (geometry.small[0], geometry.patch());

        let one = |room: &mut Room<T>, part: usize, mut to_input: Option<&mut [T]>| {
            let Room { patches, rolled, through } = room;
            let images = part * share..geometry.batch.min((part + 1) * share);
            let mut to_weight = vec![T::ZERO; if input.is_some() { filters * patch } else { 0 }];
            let mut sum = vec![T::ZERO; to[0] * to[2]];
            for first in images.clone().step_by(together) {
                let count = together.min(images.end - first);
                let at = |size: usize| first * size..(first + count) * size;
                let g = &mut through[..count * to_size];
                start(g, &gradient[at(to_size)], &output[at(to_size)], &mut sum, pass.after);
                let g = &*g;
                let here = (first - images.start) * from_size;
                let to_input =
                    to_input.as_mut().map(|all| &mut all[here..here + count * from_size]);
                let pixels = count * Geometry::pixels(geometry.small);
                // The small side of the pass, whose product with the patches is the weight's gradient.
                let small = match way {
                    Way::Down => {
                        if let (Some(flat), Some(to_input)) = (&flat, to_input) {
                            spread(geometry, flat, g, rolled, to_input);
                        }
                        if let Some(input) = input {
                            unroll_all(geometry, &input[at(from_size)], patches);
                        }
                        Some(g)
                    }
                    Way::Up => {
                        match (&flat, to_input) {
                            (Some(flat), Some(to_input)) => {
                                shrink(geometry, flat, g, patches, to_input);
                            }
                            _ => {
                                unroll_all(geometry, g, patches);
                            }
                        }
                        input.map(|input| &input[at(from_size)])
                    }
                };
                if let (Some(_), Some(small)) = (input, small) {
                    multiply(
                        &mut MatrixMut::new(&mut to_weight, filters, patch),
                        true,
                        Matrix::new(small, pixels, filters).transpose(),
                        Matrix::new(&patches[..pixels * patch], pixels, patch),
                    );
                }
            }
            (to_weight, sum)
        };

        let rooms = || Room {
            patches: room::<T>(geometry),
            rolled: match (way, &flat) {
                (Way::Down, Some(_)) => room::<T>(geometry),
                _ => Vec::new(),
            },
            through: vec![T::ZERO; together * to_size],
        };
        let count = geometry.batch.div_ceil(share);
        let mut partial: Vec<(Vec<T>, Vec<T>)> = Vec::new();
        let to_input = match flat {
            Some(_) => {
                let values = written(geometry.batch * from_size, |values| {
                    let parts = values.par_chunks_mut(share * from_size).enumerate();
                    partial = parts
                        .map_init(rooms, |room, (part, values)| one(room, part, Some(values)))
                        .collect();
                });
                Some(last(values, geometry.batch, from))
            }
            None => {
                let parts = (0..count).into_par_iter();
                partial = parts.map_init(rooms, |room, part| one(room, part, None)).collect();
                None
            }
        };
        let mut parts = partial.into_iter();
        let (mut to_weight, mut lines) = parts.next().expect("at least one image");
        for (weight, sum) in parts {
            sink(&mut to_weight, &weight);
            sink(&mut lines, &sum);
        }
        let mut bias = vec![T::ZERO; to[0]];
        lines.chunks_exact(to[0]).for_each(|pixel| sink(&mut bias, pixel));
        Gradients {
            input: to_input,
            weight: input.map(|_| unflat(&to_weight, geometry)),
            bias: tensor(bias, [to[0]]),
        }
    }
}
