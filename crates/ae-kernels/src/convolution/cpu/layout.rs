//! Memory layout of maps and kernels. Maps are stored channels last, so that a row of a kernel reads one contiguous
//! range. Such maps are taken and returned without a copy, since a tensor of the back end keeps its strides.

use burn::backend::TensorMetadata;
use burn::tensor::{Bytes, Shape};
use burn_flex::{FlexTensor, Layout};
use rayon::prelude::*;

use crate::buffer::{contiguous, tensor};
use crate::convolution::geometry::Geometry;
use crate::float::Float;
use crate::matrix::uninit_then_fill;

/// The values of a map, channels last.
pub(super) fn channels_last<T: Float>(map: &FlexTensor) -> FlexTensor {
    let [batch, channels, height, width] = map.shape().dims();
    if has_layout::<T>(map, &channels_last_layout([batch, channels, height, width])) {
        return map.clone();
    }
    let map = contiguous(map);
    let moved = transposed::<T>(map.storage(), [channels, height * width], IMAGES);
    from_channels_last(moved, batch, [channels, height, width])
}

/// The values of a map, channels first.
pub(crate) fn channels_first<T: Float>(map: &FlexTensor) -> FlexTensor {
    let [batch, channels, height, width] = map.shape().dims();
    if !has_layout::<T>(map, &channels_last_layout([batch, channels, height, width])) {
        return contiguous(map);
    }
    let moved = transposed::<T>(map.storage(), [height * width, channels], IMAGES);
    tensor(moved, [batch, channels, height, width])
}

/// Whether a tensor covers its whole buffer, in that order of dimensions.
fn has_layout<T: Float>(tensor: &FlexTensor, layout: &Layout) -> bool {
    tensor.layout().strides() == layout.strides()
        && tensor.layout().start_offset() == 0
        && tensor.bytes().len() == layout.num_elements() * size_of::<T>()
}

/// Images that a thread transposes at a time.
const IMAGES: usize = 4;

fn channels_last_layout([batch, channels, height, width]: [usize; 4]) -> Layout {
    let [c, w] = [channels as isize, width as isize];
    let strides = vec![c * w * height as isize, 1, c * w, c];
    Layout::new(Shape::from([batch, channels, height, width]), strides, 0)
}

/// A map from values that are stored channels last; its dimensions are still `[batch, channels, height, width]`.
pub(super) fn from_channels_last<T: Float>(
    values: Vec<T>,
    batch: usize,
    [channels, height, width]: [usize; 3],
) -> FlexTensor {
    let layout = channels_last_layout([batch, channels, height, width]);
    FlexTensor::new(Bytes::from_elems(values), layout, T::dtype())
}

/// The transpose of a matrix of `rows` and `columns`.
pub(super) fn transpose<T: Float>(values: &[T], [rows, columns]: [usize; 2], transposed: &mut [T]) {
    for (column, transposed) in transposed.chunks_exact_mut(rows).enumerate() {
        let column = values[column..].iter().step_by(columns);
        transposed.iter_mut().zip(column).for_each(|(to, from)| *to = *from);
    }
}

/// Filters that a thread transposes at a time.
const FILTERS: usize = 16;

/// The kernel as a matrix, `[filters, patch]`.
pub(super) fn filter_matrix<T: Float>(weight: &FlexTensor, geometry: &Geometry) -> Vec<T> {
    let weight = contiguous(weight);
    let shape = [geometry.large[0], geometry.kernel * geometry.kernel];
    transposed(weight.storage(), shape, FILTERS)
}

/// The inverse of [`filter_matrix`].
pub(super) fn from_filter_matrix<T: Float>(filter_matrix: &[T], geometry: &Geometry) -> FlexTensor {
    let (channels, kernel) = (geometry.large[0], geometry.kernel);
    let filters = transposed(filter_matrix, [kernel * kernel, channels], FILTERS);
    tensor(filters, [geometry.filters(), channels, kernel, kernel])
}

/// Transposes every matrix of that shape, `at_a_time` of them on one thread at a time.
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
