//! Between maps and rows.

#[cfg(feature = "flex")]
mod cpu;
#[cfg(feature = "flex")]
mod kernel;

use burn::tensor::Tensor;

/// A map as rows: `[batch, channels, height, width]` to `[batch, channels * height * width]`, the pixels of
/// the first channel first.
///
/// A map that comes out of a convolution lies pixel after pixel, so this moves every number; with the
/// feature `flex` on all threads.
pub fn flatten(map: Tensor<4>) -> Tensor<2> {
    #[cfg(feature = "flex")]
    if crate::target::Target::of(&map) == Some(crate::target::Target::Cpu) {
        return kernel::flatten(map);
    }
    map.flatten(1, 3)
}

/// Back from [`flatten`], to maps of `[channels, height, width]`.
pub fn unflatten(rows: Tensor<2>, [channels, height, width]: [usize; 3]) -> Tensor<4> {
    #[cfg(feature = "flex")]
    if crate::target::Target::of(&rows) == Some(crate::target::Target::Cpu) {
        return kernel::unflatten(rows, [channels, height, width]);
    }
    let batch = rows.dims()[0];
    rows.reshape([batch, channels, height, width])
}
