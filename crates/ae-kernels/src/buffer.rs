//! From tensors of the CPU back end to slices and back.

use burn::tensor::{Bytes, Shape};
use burn_flex::{FlexTensor, Layout};

use crate::float::Float;

/// The same values in row-major order, in a buffer of exactly their size. No copy if they already are.
pub(crate) fn contiguous(tensor: &FlexTensor) -> FlexTensor {
    let tensor = tensor.to_contiguous();
    let covers = tensor.bytes().len() == tensor.layout().num_elements() * tensor.dtype().size();
    if covers { tensor } else { FlexTensor::from_data(tensor.into_data()) }
}

/// The same values without strides below 1, as [`Matrix`](crate::matrix::Matrix) needs them. Only flipped or
/// broadcast tensors are copied.
pub(crate) fn forward(tensor: &FlexTensor) -> FlexTensor {
    let is_forward = tensor.layout().strides().iter().all(|stride| *stride > 0);
    if is_forward { tensor.clone() } else { contiguous(tensor) }
}

/// A tensor of values in row-major order.
pub(crate) fn tensor<T: Float, const D: usize>(values: Vec<T>, shape: [usize; D]) -> FlexTensor {
    FlexTensor::new(Bytes::from_elems(values), Layout::contiguous(Shape::from(shape)), T::dtype())
}

/// `sum += row`
#[inline(always)]
pub(crate) fn add_row<T: Float>(sum: &mut [T], row: &[T]) {
    sum.iter_mut().zip(row).for_each(|(sum, x)| *sum += *x);
}
