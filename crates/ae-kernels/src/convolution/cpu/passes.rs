//! From one side of a convolution to the other, several images at a time: by products with unrolled patches, or
//! directly if the kernel has few channels.

use burn_flex::FlexTensor;

use super::layout::{filter_matrix, from_filter_matrix, transpose};
use super::small_channels;
use crate::convolution::geometry::{Direction, Geometry, pixels, size};
use crate::float::Float;
use crate::matrix::{Matrix, MatrixMut, multiply, uninit_then_fill};

/// The kernel in the layout that a direction reads.
pub(super) struct Weights<T>(Vec<T>);

impl<T: Float> Weights<T> {
    pub(super) fn new(weight: &FlexTensor, geometry: &Geometry, direction: Direction) -> Self {
        let filter_matrix = filter_matrix::<T>(weight, geometry);
        Self(match (geometry.has_few_channels::<T>(), direction) {
            (false, _) => filter_matrix,
            (true, Direction::Down) => {
                transposed(&filter_matrix, [geometry.filters(), geometry.patch()])
            }
            (true, Direction::Up) => small_channels::padded_filters(&filter_matrix, geometry),
        })
    }
}

fn transposed<T: Float>(values: &[T], shape: [usize; 2]) -> Vec<T> {
    uninit_then_fill(values.len(), |transposed| transpose(values, shape, transposed))
}

/// Prepares the large side for [`large_to_small`] and [`add_weight_gradient`].
pub(super) fn im2col<T: Float>(geometry: &Geometry, large: &[T], patches: &mut [T]) {
    let images = large.chunks_exact(size(geometry.large));
    if geometry.has_few_channels::<T>() {
        images.for_each(|image| geometry.pad(image, patches));
        return;
    }
    let patches = patches.chunks_exact_mut(pixels(geometry.small) * geometry.patch());
    images.zip(patches).for_each(|(image, patches)| geometry.im2col(image, patches));
}

/// Large to small.
pub(super) fn large_to_small<T: Float>(
    geometry: &Geometry,
    weights: &Weights<T>,
    large: &[T],
    patches: &mut [T],
    small: &mut [T],
) {
    im2col(geometry, large, patches);
    if geometry.has_few_channels::<T>() {
        return small_channels::large_to_small(geometry, &weights.0, patches, small);
    }
    let (patch, filters) = (geometry.patch(), geometry.filters());
    let pixels = small.len() / filters;
    let patches = Matrix::new(&patches[..pixels * patch], pixels, patch);
    let filter_matrix = Matrix::new(&weights.0, filters, patch).transpose();
    multiply(&mut MatrixMut::new(small, pixels, filters), false, patches, filter_matrix);
}

/// Small to large.
pub(super) fn small_to_large<T: Float>(
    geometry: &Geometry,
    weights: &Weights<T>,
    small: &[T],
    patches: &mut [T],
    large: &mut [T],
) {
    if geometry.has_few_channels::<T>() {
        patches.fill(T::ZERO);
        small_channels::small_to_large(geometry, &weights.0, small, patches);
        return geometry.unpad(patches, large);
    }
    let (patch, filters) = (geometry.patch(), geometry.filters());
    let rows = small.len() / filters;
    let patches = &mut patches[..rows * patch];
    multiply(
        &mut MatrixMut::new(patches, rows, patch),
        false,
        Matrix::new(small, rows, filters),
        Matrix::new(&weights.0, filters, patch),
    );
    large.fill(T::ZERO);
    let images = large.chunks_exact_mut(size(geometry.large));
    let patches = patches.chunks_exact(pixels(geometry.small) * patch);
    images.zip(patches).for_each(|(image, patches)| geometry.col2im(patches, image));
}

/// Adds to the weight's gradient the contribution of the prepared large side and the small side.
pub(super) fn add_weight_gradient<T: Float>(
    geometry: &Geometry,
    patches: &[T],
    small: &[T],
    to_weight: &mut [T],
) {
    if geometry.has_few_channels::<T>() {
        return small_channels::add_weight_gradient(geometry, patches, small, to_weight);
    }
    let (patch, filters) = (geometry.patch(), geometry.filters());
    let pixels = small.len() / filters;
    multiply(
        &mut MatrixMut::new(to_weight, filters, patch),
        true,
        Matrix::new(small, pixels, filters).transpose(),
        Matrix::new(&patches[..pixels * patch], pixels, patch),
    );
}

/// The sum of [`add_weight_gradient`], in the shape of the weight.
pub(super) fn weight_gradient<T: Float>(geometry: &Geometry, to_weight: &[T]) -> FlexTensor {
    match geometry.has_few_channels::<T>() {
        true => from_filter_matrix(
            &transposed(to_weight, [geometry.patch(), geometry.filters()]),
            geometry,
        ),
        false => from_filter_matrix(to_weight, geometry),
    }
}
