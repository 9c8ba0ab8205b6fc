//! From one side of a convolution to the other, some images at a time: by products with unrolled
//! patches, or where the kernel is thin from images as they lie.

use burn_flex::FlexTensor;

use super::layout::{flat, transpose, unflat};
use super::thin;
use crate::convolution::geometry::{Direction, Geometry, pixels, size};
use crate::matrix::{Matrix, MatrixMut, multiply, written};
use crate::number::Number;

/// The kernel in the order that a direction reads it in.
pub(super) struct Weights<T>(Vec<T>);

impl<T: Number> Weights<T> {
    pub(super) fn new(weight: &FlexTensor, geometry: &Geometry, direction: Direction) -> Self {
        let flat = flat::<T>(weight, geometry);
        Self(match (geometry.is_thin::<T>(), direction) {
            (false, _) => flat,
            (true, Direction::Down) => turned(&flat, [geometry.filters(), geometry.patch()]),
            (true, Direction::Up) => thin::whole(&flat, geometry),
        })
    }
}

fn turned<T: Number>(values: &[T], shape: [usize; 2]) -> Vec<T> {
    written(values.len(), |turned| transpose(values, shape, turned))
}

/// Makes the large side ready for [`shrink`] and [`gather`].
pub(super) fn unroll<T: Number>(geometry: &Geometry, large: &[T], patches: &mut [T]) {
    let images = large.chunks_exact(size(geometry.large));
    if geometry.is_thin::<T>() {
        images.for_each(|image| geometry.put(image, patches));
        return;
    }
    let patches = patches.chunks_exact_mut(pixels(geometry.small) * geometry.patch());
    images.zip(patches).for_each(|(image, patches)| geometry.unroll(image, patches));
}

/// Large to small.
pub(super) fn shrink<T: Number>(
    geometry: &Geometry,
    weights: &Weights<T>,
    large: &[T],
    patches: &mut [T],
    small: &mut [T],
) {
    unroll(geometry, large, patches);
    if geometry.is_thin::<T>() {
        return thin::shrink(geometry, &weights.0, patches, small);
    }
    let (patch, filters) = (geometry.patch(), geometry.filters());
    let pixels = small.len() / filters;
    let patches = Matrix::new(&patches[..pixels * patch], pixels, patch);
    let flat = Matrix::new(&weights.0, filters, patch).transpose();
    multiply(&mut MatrixMut::new(small, pixels, filters), false, patches, flat);
}

/// Small to large.
pub(super) fn spread<T: Number>(
    geometry: &Geometry,
    weights: &Weights<T>,
    small: &[T],
    patches: &mut [T],
    large: &mut [T],
) {
    if geometry.is_thin::<T>() {
        patches.fill(T::ZERO);
        thin::spread(geometry, &weights.0, small, patches);
        return geometry.take(patches, large);
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
    images.zip(patches).for_each(|(image, patches)| geometry.roll(patches, image));
}

/// Adds to the weight's gradient what comes of the large side, unrolled, and the small one.
pub(super) fn gather<T: Number>(
    geometry: &Geometry,
    patches: &[T],
    small: &[T],
    to_weight: &mut [T],
) {
    if geometry.is_thin::<T>() {
        return thin::gather(geometry, patches, small, to_weight);
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

/// The weight's gradient, as [`gather`] leaves it, in the shape of the weight.
pub(super) fn gathered<T: Number>(geometry: &Geometry, to_weight: &[T]) -> FlexTensor {
    match geometry.is_thin::<T>() {
        true => unflat(&turned(to_weight, [geometry.patch(), geometry.filters()]), geometry),
        false => unflat(to_weight, geometry),
    }
}
