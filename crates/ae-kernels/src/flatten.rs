//! Between maps and rows.

use burn::tensor::Tensor;

/// A map as rows: `[batch, channels, height, width]` to `[batch, channels * height * width]`, the pixels of
/// the first channel first.
///
/// A map that comes out of a convolution lies pixel after pixel, so this moves every number; with the
/// feature `flex` on all threads.
pub fn flatten(map: Tensor<4>) -> Tensor<2> {
    #[cfg(feature = "flex")]
    if crate::is_ours(&map) {
        return crate::backend::flatten(map);
    }
    map.flatten(1, 3)
}

/// Back from [`flatten`], to maps of `[channels, height, width]`.
pub fn unflatten(rows: Tensor<2>, [channels, height, width]: [usize; 3]) -> Tensor<4> {
    #[cfg(feature = "flex")]
    if crate::is_ours(&rows) {
        return crate::backend::unflatten(rows, [channels, height, width]);
    }
    let batch = rows.dims()[0];
    rows.reshape([batch, channels, height, width])
}

#[cfg(feature = "flex")]
pub(crate) mod kernel {
    use burn::backend::TensorMetadata;
    use burn::tensor::Shape;
    use burn_flex::{FlexTensor, Layout};

    use crate::buffer::contiguous;
    use crate::convolution::layout::channels_first;
    use crate::number::Number;

    pub(crate) fn flatten<T: Number>(map: &FlexTensor) -> FlexTensor {
        let [batch, channels, height, width] = map.shape().dims();
        let rows = Shape::from([batch, channels * height * width]);
        channels_first::<T>(map).with_layout(Layout::contiguous(rows))
    }

    pub(crate) fn unflatten(rows: &FlexTensor, size: [usize; 3]) -> FlexTensor {
        let shape = Shape::from([rows.shape()[0], size[0], size[1], size[2]]);
        contiguous(rows).with_layout(Layout::contiguous(shape))
    }
}
