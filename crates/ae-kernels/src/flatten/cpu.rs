//! Maps to rows and back on all threads of the CPU.

use burn::backend::{Flex, TensorMetadata};
use burn::tensor::{DType, Shape};
use burn_flex::{FlexTensor, Layout};

use super::kernel::Flatten;
use crate::autodiff::by_dtype;
use crate::buffer::contiguous;
use crate::convolution::cpu::layout::channels_first;
use crate::float::Float;

impl Flatten for Flex {
    fn flatten(map: FlexTensor) -> FlexTensor {
        by_dtype!(map, rows(&map))
    }

    fn unflatten(rows: FlexTensor, size: [usize; 3]) -> FlexTensor {
        let shape = Shape::from([rows.shape()[0], size[0], size[1], size[2]]);
        contiguous(&rows).with_layout(Layout::contiguous(shape))
    }
}

fn rows<T: Float>(map: &FlexTensor) -> FlexTensor {
    let [batch, channels, height, width] = map.shape().dims();
    let rows = Shape::from([batch, channels * height * width]);
    channels_first::<T>(map).with_layout(Layout::contiguous(rows))
}
