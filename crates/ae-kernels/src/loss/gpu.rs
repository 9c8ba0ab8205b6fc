//! Losses on a GPU: the value in two stages, the slope in one pass.

use burn::backend::TensorMetadata;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use burn_cubecl::{CubeBackend, cubecl};
use cubecl::prelude::*;
use cubecl::{CubeDim, cube};

use super::kernel::{Loss, Losses, LossesBackward};
use crate::Activation;
use crate::gpu::{UNITS, activate, element, empty_like, grid, slope};

/// The fewest numbers of a workgroup, and the most workgroups: the second stage is a single workgroup.
const SHARE: usize = 1024;
const MOST: usize = 1024;

impl Loss {
    fn is_entropy(&self) -> bool {
        matches!(self, Self::CrossEntropy)
    }

    fn output(&self) -> Activation {
        match self {
            Self::CrossEntropy => Activation::Sigmoid,
            Self::SquaredError(output) => *output,
        }
    }
}

#[cube]
fn one<F: Float>(z: F, t: F, #[comptime] is_entropy: bool, #[comptime] output: Activation) -> F {
    if comptime!(is_entropy) {
        // max(z, 0) - z t + ln(1 + exp(-|z|))
        let mut above = z;
        let mut below = z;
        if z < F::new(0.0) {
            above = F::new(0.0);
        } else {
            below = -z;
        }
        above - z * t + F::ln(F::new(1.0) + F::exp(below))
    } else {
        let difference = activate::<F>(z, output) - t;
        difference * difference
    }
}

/// The sum over a workgroup's units, in a fixed order.
#[cube]
fn whole<F: Float>(mine: F) -> F {
    let mut shared = Shared::<[F]>::new_slice(UNITS);
    let unit = UNIT_POS as usize;
    shared[unit] = mine;
    sync_cube();
    #[unroll]
    for halving in 0..8usize {
        let half = comptime!(UNITS >> (halving + 1));
        if unit < half {
            shared[unit] = shared[unit] + shared[unit + half];
        }
        sync_cube();
    }
    shared[0]
}

#[cube(launch)]
fn loss_parts<F: Float>(
    logits: &[F],
    target: &[F],
    parts: &mut [F],
    count: usize,
    per_group: usize,
    groups: usize,
    #[comptime] is_entropy: bool,
    #[comptime] output: Activation,
    #[define(F)] _dtype: ElemType,
) {
    let group = CUBE_POS;
    let mut at = group * per_group + UNIT_POS as usize;
    let end = clamp_max(group * per_group + per_group, count);
    let mut sum = F::new(0.0);
    while at < end {
        sum += one::<F>(logits[at], target[at], is_entropy, output);
        at += UNITS;
    }
    let sum = whole::<F>(sum);
    if UNIT_POS == 0 && group < groups {
        parts[group] = sum;
    }
}

#[cube(launch)]
fn loss_value<F: Float>(
    parts: &[F],
    value: &mut [F],
    count: usize,
    factor: InputScalar,
    #[define(F)] _dtype: ElemType,
) {
    let mut at = UNIT_POS as usize;
    let mut sum = F::new(0.0);
    while at < count {
        sum += parts[at];
        at += UNITS;
    }
    let sum = whole::<F>(sum);
    if UNIT_POS == 0 {
        value[0] = sum * factor.get::<F>();
    }
}

#[cube(launch)]
fn loss_slope<F: Float>(
    logits: &[F],
    target: &[F],
    gradient: &[F],
    out: &mut [F],
    factor: InputScalar,
    #[comptime] is_entropy: bool,
    #[comptime] in_target: bool,
    #[comptime] output: Activation,
    #[define(F)] _dtype: ElemType,
) {
    if ABSOLUTE_POS < out.len() {
        let scale = gradient[0] * factor.get::<F>();
        let z = logits[ABSOLUTE_POS];
        out[ABSOLUTE_POS] = if comptime!(is_entropy && in_target) {
            -z * scale
        } else {
            let y = activate::<F>(z, output);
            let difference = (y - target[ABSOLUTE_POS]) * scale;
            if comptime!(is_entropy) {
                difference
            } else if comptime!(in_target) {
                F::new(-2.0) * difference
            } else {
                slope::<F>(F::new(2.0) * difference, y, output)
            }
        };
    }
}

fn factor(logits: &CubeTensor) -> InputScalar {
    InputScalar::new(1.0 / logits.shape()[0] as f64, element(logits))
}

impl Losses for CubeBackend {
    fn loss(logits: CubeTensor, target: CubeTensor, loss: Loss) -> CubeTensor {
        let (logits, target) = (into_contiguous(logits), into_contiguous(target));
        let count = logits.meta.num_elements();
        let per_group = SHARE.max(count.div_ceil(MOST)).next_multiple_of(UNITS);
        let groups = count.div_ceil(per_group);
        let (parts, value) = (empty_like(&logits, [groups]), empty_like(&logits, [1]));
        let (client, dtype, factor) = (logits.client.clone(), element(&logits), factor(&logits));
        let dim = CubeDim::new_1d(UNITS as u32);
        loss_parts::launch(
            &client,
            grid(groups),
            dim,
            logits.into_buffer_arg(),
            target.into_buffer_arg(),
            parts.clone().into_buffer_arg(),
            count,
            per_group,
            groups,
            loss.is_entropy(),
            loss.output(),
            dtype,
        );
        loss_value::launch(
            &client,
            grid(1),
            dim,
            parts.into_buffer_arg(),
            value.clone().into_buffer_arg(),
            groups,
            factor,
            dtype,
        );
        value
    }
}

fn derivative(
    logits: &CubeTensor,
    target: &CubeTensor,
    loss: Loss,
    gradient: &CubeTensor,
    in_target: bool,
) -> CubeTensor {
    let [logits, target] = [logits, target].map(|tensor| into_contiguous(tensor.clone()));
    let out = empty_like(&logits, logits.shape());
    let (client, dtype, factor) = (logits.client.clone(), element(&logits), factor(&logits));
    loss_slope::launch(
        &client,
        grid(out.meta.num_elements().div_ceil(UNITS)),
        CubeDim::new_1d(UNITS as u32),
        logits.into_buffer_arg(),
        target.into_buffer_arg(),
        gradient.clone().into_buffer_arg(),
        out.clone().into_buffer_arg(),
        factor,
        loss.is_entropy(),
        in_target,
        loss.output(),
        dtype,
    );
    out
}

impl LossesBackward for CubeBackend {
    fn in_logits(
        logits: &CubeTensor,
        target: &CubeTensor,
        loss: Loss,
        gradient: &CubeTensor,
    ) -> CubeTensor {
        derivative(logits, target, loss, gradient, false)
    }

    fn in_target(
        logits: &CubeTensor,
        target: &CubeTensor,
        loss: Loss,
        gradient: &CubeTensor,
    ) -> CubeTensor {
        derivative(logits, target, loss, gradient, true)
    }
}
