//! Kernels for GPUs, in CubeCL: one tiled contraction for products and convolutions, and its helpers.
//!
//! Sums are added in a fixed order, without atomics and subgroup operations, so that results are reproducible on a
//! device. Maps are stored channels last. Nothing is tuned at run time: [`Tile`] is a function of the shapes.

#![allow(clippy::collapsible_if, reason = "a condition of compiling around one of running")]

mod class;
mod contraction;
mod elementwise;
mod launches;
mod operand;
mod partials;
mod request;
mod tile;
#[cfg(feature = "atlas")]
mod variant;

use burn::backend::cubecl::dtype_to_storage_type;
use burn::backend::ops::FloatTensorOps;
use burn::backend::{
    BackendTensor, DispatchAutodiffContext, DispatchTensor, DispatchTensorKind, TensorMetadata,
};
use burn::tensor::{Shape, Tensor};
use burn_cubecl::CubeBackend;
use burn_cubecl::cubecl::CubeCount;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::ops::numeric::empty_device_contiguous_dtype;
use burn_cubecl::ops::{permute_nchw_to_nhwc, permute_nhwc_to_nchw};
use burn_cubecl::tensor::CubeTensor;

#[cfg(feature = "atlas")]
pub use self::class::{Class, UNLIMITED};
pub(crate) use self::contraction::{Contraction, Side, Sums};
pub(crate) use self::elementwise::{activate, activation_backward, slope};
pub(crate) use self::launches::note;
pub use self::launches::{Launched, Launches, launches};
use self::operand::Read;
pub(crate) use self::operand::{Map, Operand};
pub(crate) use self::partials::{Order, kernel as kernel_of_parts};
#[cfg(feature = "atlas")]
pub use self::request::{Kind, Request};
pub(crate) use self::tile::Launch;
use self::tile::Tile;
#[cfg(feature = "atlas")]
pub use self::variant::{Choice, Misfit, Variant, choices, with_variant};

/// Units of a workgroup.
pub(crate) const UNITS: usize = 256;

/// The most workgroups in a dimension of a grid that every device supports.
const WIDEST: usize = 65_535;

/// A grid of at least `groups` workgroups. Kernels use the index over the whole grid, `CUBE_POS`.
pub(crate) fn grid(groups: usize) -> CubeCount {
    let height = groups.div_ceil(WIDEST).max(1);
    CubeCount::Static(groups.div_ceil(height) as u32, height as u32, 1)
}

/// An uninitialised tensor on the same device and of the same type.
pub(crate) fn empty_like(tensor: &CubeTensor, shape: impl Into<Shape>) -> CubeTensor {
    let (client, device) = (tensor.client.clone(), tensor.device.clone());
    empty_device_contiguous_dtype(client, device, shape.into(), tensor.dtype)
}

/// `[batch, channels, height, width]` to `[batch, height, width, channels]`, contiguous. The output of a
/// convolution is not copied.
pub(crate) fn channels_last(map: CubeTensor) -> CubeTensor {
    into_contiguous(permute_nchw_to_nhwc(map))
}

/// The inverse of [`channels_last`], without a copy.
pub(crate) fn channels_first(map: CubeTensor) -> CubeTensor {
    let [batch, height, width, channels] = map.shape().dims();
    match channels {
        // With a single channel Burn takes the permuted tensor for another layout and copies it.
        1 => reshaped(map, [batch, 1, height, width]),
        _ => permute_nhwc_to_nchw(map),
    }
}

/// The type of a tensor's elements, as a kernel takes it.
pub(crate) fn element(tensor: &CubeTensor) -> burn_cubecl::cubecl::ir::ElemType {
    dtype_to_storage_type(tensor.dtype)
}

/// The same numbers of a contiguous tensor in another shape.
pub(crate) fn reshaped<const D: usize>(tensor: CubeTensor, shape: [usize; D]) -> CubeTensor {
    let CubeTensor { client, handle, device, dtype, .. } = tensor;
    CubeTensor::new_contiguous(client, device, shape.into(), handle, dtype)
}

/// The sum of all rows of `[rows, columns]`: `[columns]`.
pub(crate) fn row_sums(rows: CubeTensor) -> CubeTensor {
    let columns = rows.meta.shape()[1];
    reshaped(CubeBackend::float_sum_dim(rows, 0), [columns])
}

/// The buffer of a tensor on a GPU that has no autodiff graph.
pub(crate) fn into_primitive<const D: usize>(tensor: Tensor<D>) -> CubeTensor {
    match tensor.into_dispatch().kind {
        DispatchTensorKind::Cube(BackendTensor::Float(tensor)) => tensor,
        _ => unreachable!("a tensor on a GPU without an autodiff graph"),
    }
}

/// The inverse of [`into_primitive`].
pub(crate) fn from_primitive<const D: usize>(tensor: CubeTensor) -> Tensor<D> {
    let kind = DispatchTensorKind::Cube(BackendTensor::Float(tensor));
    Tensor::from_dispatch(DispatchTensor { kind, autodiff: DispatchAutodiffContext::default() })
}
