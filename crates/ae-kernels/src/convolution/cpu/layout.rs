//! Maps lie pixel after pixel, all channels of one beside each other, so that a row of a kernel
//! meets one run of memory. What lies so comes in and goes out without a copy: a tensor of the
//! back end keeps its strides.

use burn::backend::TensorMetadata;
use burn::tensor::{Bytes, Shape};
use burn_flex::{FlexTensor, Layout};
use rayon::prelude::*;

use crate::buffer::{contiguous, tensor};
use crate::convolution::geometry::Geometry;
use crate::matrix::written;
use crate::number::Number;

/// The values of a map, pixel after pixel.
pub(super) fn channels_last<T: Number>(map: &FlexTensor) -> FlexTensor {
    let [batch, channels, height, width] = map.shape().dims();
    if lies_so::<T>(map, &last_layout([batch, channels, height, width])) {
        return map.clone();
    }
    let map = contiguous(map);
    let moved = turned::<T>(map.storage(), [channels, height * width], IMAGES);
    last(moved, batch, [channels, height, width])
}

/// The values of a map, channel after channel.
pub(crate) fn channels_first<T: Number>(map: &FlexTensor) -> FlexTensor {
    let [batch, channels, height, width] = map.shape().dims();
    if !lies_so::<T>(map, &last_layout([batch, channels, height, width])) {
        return contiguous(map);
    }
    let moved = turned::<T>(map.storage(), [height * width, channels], IMAGES);
    tensor(moved, [batch, channels, height, width])
}

/// Whether a tensor is all of a buffer, in that order.
fn lies_so<T: Number>(tensor: &FlexTensor, layout: &Layout) -> bool {
    tensor.layout().strides() == layout.strides()
        && tensor.layout().start_offset() == 0
        && tensor.bytes().len() == layout.num_elements() * size_of::<T>()
}

/// Images that a thread turns round at a time.
const IMAGES: usize = 4;

fn last_layout([batch, channels, height, width]: [usize; 4]) -> Layout {
    let [c, w] = [channels as isize, width as isize];
    let strides = vec![c * w * height as isize, 1, c * w, c];
    Layout::new(Shape::from([batch, channels, height, width]), strides, 0)
}

/// A map whose values lie pixel after pixel; its dimensions are `[batch, channels, height, width]` all
/// the same.
pub(super) fn last<T: Number>(
    values: Vec<T>,
    batch: usize,
    [channels, height, width]: [usize; 3],
) -> FlexTensor {
    let layout = last_layout([batch, channels, height, width]);
    FlexTensor::new(Bytes::from_elems(values), layout, T::dtype())
}

/// A matrix of so many rows and columns, columns first.
pub(super) fn transpose<T: Number>(values: &[T], [rows, columns]: [usize; 2], turned: &mut [T]) {
    for (column, turned) in turned.chunks_exact_mut(rows).enumerate() {
        let column = values[column..].iter().step_by(columns);
        turned.iter_mut().zip(column).for_each(|(to, from)| *to = *from);
    }
}

/// Filters that a thread turns round at a time.
const FILTERS: usize = 16;

/// The kernel as a matrix, `[filters, patch]`.
pub(super) fn flat<T: Number>(weight: &FlexTensor, geometry: &Geometry) -> Vec<T> {
    let weight = contiguous(weight);
    let shape = [geometry.large[0], geometry.kernel * geometry.kernel];
    turned(weight.storage(), shape, FILTERS)
}

/// Back from [`flat`].
pub(super) fn unflat<T: Number>(flat: &[T], geometry: &Geometry) -> FlexTensor {
    let (channels, kernel) = (geometry.large[0], geometry.kernel);
    let filters = turned(flat, [kernel * kernel, channels], FILTERS);
    tensor(filters, [geometry.filters(), channels, kernel, kernel])
}

/// Transposes every matrix of that shape, so many of them on one thread at a time.
fn turned<T: Number>(matrices: &[T], shape: [usize; 2], at_a_time: usize) -> Vec<T> {
    let size = shape[0] * shape[1];
    if shape.contains(&1) {
        return matrices.to_vec();
    }
    written(matrices.len(), |turned| {
        let matrices = turned.par_chunks_exact_mut(size).zip(matrices.par_chunks_exact(size));
        matrices
            .with_min_len(at_a_time)
            .for_each(|(turned, matrix)| transpose(matrix, shape, turned));
    })
}
