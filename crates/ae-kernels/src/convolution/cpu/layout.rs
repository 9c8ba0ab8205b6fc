//! Maps lie pixel after pixel, all channels of one beside each other, so that a row of a kernel
//! meets one run of memory. What lies so comes in and goes out without a copy: a tensor of the
//! back end keeps its strides.

use burn::backend::TensorMetadata;
use burn::tensor::{Bytes, Shape};
use burn_flex::{FlexTensor, Layout};
use rayon::prelude::*;

use crate::buffer::{contiguous, tensor};
use crate::convolution::geometry::Geometry;
use crate::float::Float;
use crate::matrix::uninit_then_fill;

/// The values of a map, pixel after pixel.
pub(super) fn channels_last<T: Float>(map: &FlexTensor) -> FlexTensor {
    let [batch, channels, height, width] = map.shape().dims();
    if has_layout::<T>(map, &channels_last_layout([batch, channels, height, width])) {
        return map.clone();
    }
    let map = contiguous(map);
    let moved = transposed::<T>(map.storage(), [channels, height * width], IMAGES);
    from_channels_last(moved, batch, [channels, height, width])
}

/// The values of a map, channel after channel.
pub(crate) fn channels_first<T: Float>(map: &FlexTensor) -> FlexTensor {
    let [batch, channels, height, width] = map.shape().dims();
    if !has_layout::<T>(map, &channels_last_layout([batch, channels, height, width])) {
        return contiguous(map);
    }
    let moved = transposed::<T>(map.storage(), [height * width, channels], IMAGES);
    tensor(moved, [batch, channels, height, width])
}

/// Whether a tensor is all of a buffer, in that order.
fn has_layout<T: Float>(tensor: &FlexTensor, layout: &Layout) -> bool {
    tensor.layout().strides() == layout.strides()
        && tensor.layout().start_offset() == 0
        && tensor.bytes().len() == layout.num_elements() * size_of::<T>()
}

/// Images that a thread turns round at a time.
const IMAGES: usize = 4;

fn channels_last_layout([batch, channels, height, width]: [usize; 4]) -> Layout {
    let [c, w] = [channels as isize, width as isize];
    let strides = vec![c * w * height as isize, 1, c * w, c];
    Layout::new(Shape::from([batch, channels, height, width]), strides, 0)
}

/// A map whose values lie pixel after pixel; its dimensions are `[batch, channels, height, width]` all
/// the same.
pub(super) fn from_channels_last<T: Float>(
    values: Vec<T>,
    batch: usize,
    [channels, height, width]: [usize; 3],
) -> FlexTensor {
    let layout = channels_last_layout([batch, channels, height, width]);
    FlexTensor::new(Bytes::from_elems(values), layout, T::dtype())
}

/// A matrix of so many rows and columns, columns first.
pub(super) fn transpose<T: Float>(values: &[T], [rows, columns]: [usize; 2], transposed: &mut [T]) {
    for (column, transposed) in transposed.chunks_exact_mut(rows).enumerate() {
        let column = values[column..].iter().step_by(columns);
        transposed.iter_mut().zip(column).for_each(|(to, from)| *to = *from);
    }
}

/// Filters that a thread turns round at a time.
const FILTERS: usize = 16;

/// The kernel as a matrix, `[filters, patch]`.
pub(super) fn filter_matrix<T: Float>(weight: &FlexTensor, geometry: &Geometry) -> Vec<T> {
    let weight = contiguous(weight);
    let shape = [geometry.large[0], geometry.kernel * geometry.kernel];
    transposed(weight.storage(), shape, FILTERS)
}

/// Back from [`flat`].
pub(super) fn from_filter_matrix<T: Float>(filter_matrix: &[T], geometry: &Geometry) -> FlexTensor {
    let (channels, kernel) = (geometry.large[0], geometry.kernel);
    let filters = transposed(filter_matrix, [kernel * kernel, channels], FILTERS);
    tensor(filters, [geometry.filters(), channels, kernel, kernel])
}

/// Transposes every matrix of that shape, so many of them on one thread at a time.
fn transposed<T: Float>(matrices: &[T], shape: [usize; 2], at_a_time: usize) -> Vec<T> {
    let size = shape[0] * shape[1];
    if shape.contains(&1) {
        return matrices.to_vec();
    }
    uninit_then_fill(matrices.len(), |transposed| {
        let matrices = transposed.par_chunks_exact_mut(size).zip(matrices.par_chunks_exact(size));
        matrices
            .with_min_len(at_a_time)
            .for_each(|(transposed, matrix)| transpose(matrix, shape, transposed));
    })
}
