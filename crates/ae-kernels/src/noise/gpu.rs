//! ChaCha8 on a GPU: a unit computes a block of 16 words, and a workgroup passes them through shared memory, so that
//! neighbouring units write neighbouring components.

use burn::tensor::Tensor;
use burn_cubecl::cubecl;
use burn_cubecl::kernel::into_contiguous;
use cubecl::prelude::*;
use cubecl::{CubeDim, cube};

use super::Words;
use crate::gpu::{element, empty_like, from_primitive, grid, into_primitive};

/// Units of a workgroup: their blocks take 8 KiB of shared memory.
const UNITS: usize = 128;

/// Words of a block.
const BLOCK: usize = 16;

#[cube]
fn rotate(word: u32, #[comptime] by: u32) -> u32 {
    (word << by) | (word >> comptime!(32 - by))
}

#[cube]
fn quarter_round(
    state: &mut Array<u32>,
    #[comptime] a: usize,
    #[comptime] b: usize,
    #[comptime] c: usize,
    #[comptime] d: usize,
) {
    state[a] += state[b];
    state[d] = rotate(state[d] ^ state[a], 16u32);
    state[c] += state[d];
    state[b] = rotate(state[b] ^ state[c], 12u32);
    state[a] += state[b];
    state[d] = rotate(state[d] ^ state[a], 8u32);
    state[c] += state[d];
    state[b] = rotate(state[b] ^ state[c], 7u32);
}

#[cube(launch)]
fn replaced<F: Float>(
    input: &[F],
    values: &mut [F],
    marks: &mut [F],
    count: usize,
    key_0: u32,
    key_1: u32,
    key_2: u32,
    key_3: u32,
    key_4: u32,
    key_5: u32,
    key_6: u32,
    key_7: u32,
    stream_low: u32,
    stream_high: u32,
    touched: u32,
    ones: u32,
    #[comptime] touches_all: bool,
    #[define(F)] _dtype: ElemType,
) {
    let mut words = Shared::<[u32]>::new_slice(comptime!(UNITS * BLOCK));
    let unit = UNIT_POS as usize;
    let mut first = Array::<u32>::new(BLOCK);
    first[0] = 0x6170_7865u32;
    first[1] = 0x3320_646eu32;
    first[2] = 0x7962_2d32u32;
    first[3] = 0x6b20_6574u32;
    first[4] = key_0;
    first[5] = key_1;
    first[6] = key_2;
    first[7] = key_3;
    first[8] = key_4;
    first[9] = key_5;
    first[10] = key_6;
    first[11] = key_7;
    first[12] = (CUBE_POS * comptime!(UNITS) + unit) as u32;
    first[13] = 0u32;
    first[14] = stream_low;
    first[15] = stream_high;
    let mut state = Array::<u32>::new(BLOCK);
    #[unroll]
    for i in 0..BLOCK {
        state[i] = first[i];
    }
    #[unroll]
    for _round in 0..4usize {
        quarter_round(&mut state, 0usize, 4usize, 8usize, 12usize);
        quarter_round(&mut state, 1usize, 5usize, 9usize, 13usize);
        quarter_round(&mut state, 2usize, 6usize, 10usize, 14usize);
        quarter_round(&mut state, 3usize, 7usize, 11usize, 15usize);
        quarter_round(&mut state, 0usize, 5usize, 10usize, 15usize);
        quarter_round(&mut state, 1usize, 6usize, 11usize, 12usize);
        quarter_round(&mut state, 2usize, 7usize, 8usize, 13usize);
        quarter_round(&mut state, 3usize, 4usize, 9usize, 14usize);
    }
    #[unroll]
    for i in 0..BLOCK {
        words[unit * BLOCK + i] = state[i] + first[i];
    }
    sync_cube();
    let base = CUBE_POS * comptime!(UNITS * BLOCK);
    for turn in 0..BLOCK {
        let place = turn * comptime!(UNITS) + unit;
        let at = base + place;
        if at < count {
            let word = words[place];
            let mut value = input[at];
            let mut mark = F::new(0.0);
            if comptime!(touches_all) || word < touched {
                value = F::new(0.0);
                mark = F::new(1.0);
            }
            if word < ones {
                value = F::new(1.0);
            }
            values[at] = value;
            marks[at] = mark;
        }
    }
}

pub(super) fn replace(input: Tensor<2>, words: &Words, touched: u64, ones: u64) -> [Tensor<2>; 2] {
    let input = into_contiguous(into_primitive(input));
    let count = input.meta.num_elements();
    let [values, marks] = [(); 2].map(|()| empty_like(&input, input.meta.shape().clone()));
    let key: [u32; 8] = std::array::from_fn(|i| {
        u32::from_le_bytes(std::array::from_fn(|byte| words.key[4 * i + byte]))
    });
    // For a share of 1 the limit is above every word.
    let limit = |limit: u64| u32::try_from(limit).unwrap_or(u32::MAX);
    let (client, dtype) = (input.client.clone(), element(&input));
    replaced::launch(
        &client,
        grid(count.div_ceil(UNITS * BLOCK)),
        CubeDim::new_1d(UNITS as u32),
        input.into_buffer_arg(),
        values.clone().into_buffer_arg(),
        marks.clone().into_buffer_arg(),
        count,
        key[0],
        key[1],
        key[2],
        key[3],
        key[4],
        key[5],
        key[6],
        key[7],
        words.stream as u32,
        (words.stream >> 32) as u32,
        limit(touched),
        limit(ones),
        touched > u64::from(u32::MAX),
        dtype,
    );
    [values, marks].map(from_primitive)
}
