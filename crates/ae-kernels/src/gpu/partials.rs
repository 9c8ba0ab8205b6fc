//! The second stage of split sums: adds their parts in a fixed order.

use burn_cubecl::cubecl;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;
use cubecl::{CubeDim, cube};

use super::{Map, activate, element, empty_like, grid};
use crate::Activation;

/// The results of a workgroup, and the units that share the parts of each result.
const RESULTS: usize = 32;
const SHARES: usize = 8;

/// The order of results in a part.
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq)]
pub(crate) enum Order {
    /// As they are written, followed by the sums of an operand.
    Same,
    /// `[filter, (tap, channel)]`, written as `[filter, channel, tap]`, followed by a sum for each filter: the bias of a
    /// convolution.
    Kernel(Map),
    /// The same, followed by sums of the large side for each (tap, channel). Some of them together are the bias of a
    /// transposed convolution.
    KernelOfTransposed(Map),
}

impl Order {
    fn map(&self) -> Map {
        match self {
            Self::Same => unreachable!("results as they are have no map"),
            Self::Kernel(map) | Self::KernelOfTransposed(map) => *map,
        }
    }

    fn is_same(&self) -> bool {
        *self == Self::Same
    }

    fn is_transposed(&self) -> bool {
        matches!(self, Self::KernelOfTransposed(_))
    }
}

/// A unit's share of the sum of all parts of one result.
#[cube]
fn share<F: Float>(parts: &[F], at: usize, share: usize, count: usize, size: usize) -> F {
    let mut sum = F::new(0.0);
    let mut part = share;
    while part < count {
        sum += parts[part * size + at];
        part += comptime!(SHARES);
    }
    sum
}

#[cube(launch)]
fn added<F: Float>(
    parts: &[F],
    bias: &[F],
    out: &mut [F],
    sums: &mut [F],
    count: usize,
    size: usize,
    results: usize,
    all: usize,
    columns: usize,
    #[comptime] has_bias: bool,
    #[comptime] order: Order,
    #[comptime] activation: Activation,
    #[define(F)] _dtype: ElemType,
) {
    let mut shared = Shared::<[F]>::new_slice(comptime!(RESULTS * SHARES));
    let unit = UNIT_POS as usize;
    let mine = unit / comptime!(RESULTS);
    let at = CUBE_POS * comptime!(RESULTS) + unit % comptime!(RESULTS);
    let mut sum = F::new(0.0);
    if at < all {
        if comptime!(order.is_same()) {
            sum = share::<F>(parts, at, mine, count, size);
        } else {
            let m = comptime!(order.map());
            let patch = comptime!(m.patch());
            let square = comptime!(m.kernel * m.kernel);
            if at < results {
                let filter = at / patch;
                let channel = at % patch / square;
                let tap = at % square;
                let source = filter * patch + tap * m.channels + channel;
                sum = share::<F>(parts, source, mine, count, size);
            } else if comptime!(order.is_transposed()) {
                // The taps from the middle one on, a stride of them in each dimension, read each pixel of the large side
                // once.
                let channel = at - results;
                let first = comptime!(m.kernel / 2);
                #[unroll]
                for y in 0..m.stride {
                    #[unroll]
                    for x in 0..m.stride {
                        let tap = comptime!((first + y) * m.kernel + first + x);
                        sum += share::<F>(
                            parts,
                            results + tap * m.channels + channel,
                            mine,
                            count,
                            size,
                        );
                    }
                }
            } else {
                sum = share::<F>(parts, at, mine, count, size);
            }
        }
    }
    shared[unit] = sum;
    sync_cube();
    if mine == 0 && at < all {
        let mut total = F::new(0.0);
        #[unroll]
        for s in 0..SHARES {
            total += shared[s * comptime!(RESULTS) + unit];
        }
        if at < results {
            if has_bias {
                total += bias[at % columns];
            }
            out[at] = activate::<F>(total, activation);
        } else {
            sums[at - results] = total;
        }
    }
}

struct Stage {
    count: usize,
    results: usize,
    sums: usize,
    columns: usize,
    order: Order,
    activation: Activation,
}

fn launch(
    parts: CubeTensor,
    bias: Option<CubeTensor>,
    out: &CubeTensor,
    found: &CubeTensor,
    stage: &Stage,
) {
    let size = parts.meta.shape()[1];
    let has_bias = bias.is_some();
    let all = stage.results + stage.sums;
    let client = out.client.clone();
    let bias = bias.unwrap_or_else(|| parts.clone());
    added::launch(
        &client,
        grid(all.div_ceil(RESULTS)),
        CubeDim::new_1d((RESULTS * SHARES) as u32),
        parts.into_buffer_arg(),
        bias.into_buffer_arg(),
        out.clone().into_buffer_arg(),
        found.clone().into_buffer_arg(),
        stage.count,
        size,
        stage.results,
        all,
        stage.columns,
        has_bias,
        stage.order,
        stage.activation,
        element(out),
    );
}

/// `s(sum of the parts + bias)`: `[rows, columns]`.
pub(super) fn matrix(
    parts: CubeTensor,
    count: usize,
    [rows, columns]: [usize; 2],
    bias: Option<CubeTensor>,
    activation: Activation,
) -> CubeTensor {
    let out = empty_like(&parts, [rows, columns]);
    let order = Order::Same;
    let stage = Stage { count, results: rows * columns, sums: 0, columns, order, activation };
    launch(parts, bias, &out, &out, &stage);
    out
}

/// The sums of the parts, followed by the sums of an operand.
pub(super) fn with_sums(
    parts: CubeTensor,
    count: usize,
    [rows, columns]: [usize; 2],
    sums: usize,
) -> [CubeTensor; 2] {
    let (out, found) = (empty_like(&parts, [rows, columns]), empty_like(&parts, [sums]));
    let (order, activation) = (Order::Same, Activation::Identity);
    let stage = Stage { count, results: rows * columns, sums, columns, order, activation };
    launch(parts, None, &out, &found, &stage);
    [out, found]
}

/// The gradients of a kernel `[filters, channels, kernel, kernel]` and of its bias.
pub(crate) fn kernel(parts: CubeTensor, count: usize, order: Order) -> [CubeTensor; 2] {
    let map = order.map();
    let results = map.filters * map.patch();
    // The sums of an operand may be missing.
    let has_sums = parts.meta.shape()[1] > results;
    let most = if order.is_transposed() { map.channels } else { map.filters };
    let out = empty_like(&parts, [map.filters, map.channels, map.kernel, map.kernel]);
    let found = empty_like(&parts, [most]);
    let (sums, columns) = (if has_sums { most } else { 0 }, 1);
    let stage = Stage { count, results, sums, columns, order, activation: Activation::Identity };
    launch(parts, None, &out, &found, &stage);
    [out, found]
}
