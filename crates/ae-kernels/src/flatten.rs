//! Between maps and rows.

#[cfg(feature = "flex")]
mod cpu;
#[cfg(feature = "flex")]
mod kernel;

use burn::tensor::Tensor;

/// Flattens feature maps to rows: `[batch, channels, height, width]` to `[batch, channels * height * width]`, the
/// pixels of the first channel first.
///
/// The convolutions of this crate return maps with channels last, so this moves every number. With the feature
/// `flex` it uses all threads.
pub fn flatten(map: Tensor<4>) -> Tensor<2> {
    #[cfg(feature = "flex")]
    if crate::target::Target::of(&map) == Some(crate::target::Target::Cpu) {
        return kernel::flatten(map);
    }
    map.flatten(1, 3)
}

/// The inverse of [`flatten`]: rows to maps of `[channels, height, width]`.
pub fn unflatten(rows: Tensor<2>, [channels, height, width]: [usize; 3]) -> Tensor<4> {
    #[cfg(feature = "flex")]
    if crate::target::Target::of(&rows) == Some(crate::target::Target::Cpu) {
        return kernel::unflatten(rows, [channels, height, width]);
    }
    let batch = rows.dims()[0];
    rows.reshape([batch, channels, height, width])
}
