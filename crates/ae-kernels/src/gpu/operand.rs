//! Where a contraction reads its numbers.

use burn_cubecl::cubecl;
use cubecl::cube;
use cubecl::prelude::*;

use super::slope;
use crate::Activation;

/// Both sides of a strided convolution, without the batch: `small[y, x, filter]` is a sum over taps
/// `large[y stride + ky - padding, x stride + kx - padding, channel]`.
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq)]
pub(crate) struct Map {
    pub(crate) filters: usize,
    pub(crate) h: usize,
    pub(crate) w: usize,
    pub(crate) channels: usize,
    pub(crate) height: usize,
    pub(crate) width: usize,
    pub(crate) kernel: usize,
    pub(crate) stride: usize,
}

impl Map {
    pub(crate) fn padding(&self) -> usize {
        self.kernel / 2
    }

    /// The number of terms in the sum for a small pixel.
    pub(crate) fn patch(&self) -> usize {
        self.kernel * self.kernel * self.channels
    }

    /// The small pixels of an image.
    pub(crate) fn pixels(&self) -> usize {
        self.h * self.w
    }

    /// How far before and after `q` the small pixels are that contribute to a large pixel `stride q + phase`, over all
    /// phases.
    fn reaches(&self) -> [usize; 2] {
        let mut reaches = [0, 0];
        for (phase, tap) in (0..self.stride).flat_map(|p| (0..self.kernel).map(move |tap| (p, tap)))
        {
            let (here, there) = (phase + self.padding(), tap);
            if here % self.stride == there % self.stride {
                reaches[0] = reaches[0].max(there.saturating_sub(here) / self.stride);
                reaches[1] = reaches[1].max(here.saturating_sub(there) / self.stride);
            }
        }
        reaches
    }

    /// The first small pixel that contributes to a large pixel `stride q + phase` is `q - before`.
    pub(crate) fn before(&self) -> usize {
        self.reaches()[0]
    }

    /// The `n`-th of them contributes by the tap `base + phase - stride n`, if there is such a tap.
    pub(crate) fn base(&self) -> usize {
        self.padding() + self.stride * self.before()
    }

    /// The small pixels in one dimension that contribute, for all phases together.
    pub(crate) fn neighbours(&self) -> usize {
        self.reaches().iter().sum::<usize>() + 1
    }

    /// The first neighbour of a phase, and the number of its neighbours.
    pub(crate) fn reach(&self, phase: usize) -> [usize; 2] {
        // 0 <= base + phase - stride n < kernel
        let reach = self.base() + phase;
        let first = (reach + 1).saturating_sub(self.kernel).div_ceil(self.stride);
        [first, (reach / self.stride + 1).saturating_sub(first)]
    }
}

/// An operand: a number for each (index along the output, index along the sum).
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq)]
pub(crate) enum Operand {
    /// A matrix with strides.
    Matrix,
    /// (small pixel, tap and channel) of the large side.
    Patches(Map),
    /// (tap and channel, small pixel) of the large side.
    PatchesTransposed(Map),
    /// (filter, tap and channel) of a kernel `[filters, channels, kernel, kernel]`.
    Kernel(Map),
    /// (cell, neighbour and filter) of the small side: a cell is `stride x stride` large pixels.
    Cells(Map),
    /// (channel, neighbour and filter) of a kernel, in one phase of the cells.
    KernelOfPhase(Map),
    /// (phase and channel, neighbour and filter) of a kernel, all phases together.
    KernelOfCells(Map),
}

/// How an operand is read.
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq)]
pub(crate) struct Read {
    pub(crate) operand: Operand,
    /// Whether consecutive steps of the sum are contiguous in memory.
    pub(crate) along_sum: bool,
    /// The slope that each number is multiplied by, taken from a buffer of outputs of the same layout.
    pub(crate) slope: Activation,
}

impl Read {
    fn map(&self) -> Map {
        match self.operand {
            Operand::Matrix => unreachable!("a matrix has no map"),
            Operand::Patches(map)
            | Operand::PatchesTransposed(map)
            | Operand::Kernel(map)
            | Operand::Cells(map)
            | Operand::KernelOfPhase(map)
            | Operand::KernelOfCells(map) => map,
        }
    }

    fn is_matrix(&self) -> bool {
        self.operand == Operand::Matrix
    }

    fn is_patches(&self) -> bool {
        matches!(self.operand, Operand::Patches(_) | Operand::PatchesTransposed(_))
    }

    fn is_transposed(&self) -> bool {
        matches!(self.operand, Operand::PatchesTransposed(_))
    }

    fn is_kernel(&self) -> bool {
        matches!(self.operand, Operand::Kernel(_))
    }

    fn is_cells(&self) -> bool {
        matches!(self.operand, Operand::Cells(_))
    }

    fn is_of_cells(&self) -> bool {
        matches!(self.operand, Operand::KernelOfCells(_))
    }
}

/// The phase that a workgroup computes and its neighbours, in each dimension.
#[derive(CubeType, Clone, Copy)]
pub(crate) struct Phase {
    pub(crate) y: usize,
    pub(crate) x: usize,
    pub(crate) first_y: usize,
    pub(crate) first_x: usize,
    pub(crate) count_x: usize,
}

#[cube]
fn number<F: Float>(
    values: &[F],
    outputs: &[F],
    at: usize,
    #[comptime] activation: Activation,
) -> F {
    let mut value = values[at];
    if comptime!(activation != Activation::Identity) {
        value = slope::<F>(value, outputs[at], activation);
    }
    value
}

/// The number at `(index, k)`.
#[cube]
pub(crate) fn read<F: Float>(
    values: &[F],
    outputs: &[F],
    index: usize,
    k: usize,
    index_stride: usize,
    k_stride: usize,
    phase: &Phase,
    #[comptime] r: Read,
) -> F {
    let mut value = F::new(0.0);
    if comptime!(r.is_matrix()) {
        value = number::<F>(values, outputs, index * index_stride + k * k_stride, r.slope);
    } else {
        let m = comptime!(r.map());
        let padding = comptime!(m.padding());
        let square = comptime!(m.kernel * m.kernel);
        if comptime!(r.is_patches()) {
            let mut pixel = index;
            let mut place = k;
            if comptime!(r.is_transposed()) {
                pixel = k;
                place = index;
            }
            let channel = place % m.channels;
            let tap = place / m.channels;
            let image = pixel / comptime!(m.h * m.w);
            let rest = pixel % comptime!(m.h * m.w);
            let y = (rest / m.w) * m.stride + tap / m.kernel;
            let x = (rest % m.w) * m.stride + tap % m.kernel;
            if y >= padding
                && y < comptime!(m.height + m.padding())
                && x >= padding
                && x < comptime!(m.width + m.padding())
            {
                let line = image * m.height + (y - padding);
                let at = (line * m.width + (x - padding)) * m.channels + channel;
                value = number::<F>(values, outputs, at, r.slope);
            }
        } else if comptime!(r.is_kernel()) {
            let channel = k % m.channels;
            let tap = k / m.channels;
            value = values[(index * m.channels + channel) * square + tap];
        } else {
            let filter = k % m.filters;
            let neighbour = k / m.filters;
            let near_y = phase.first_y + neighbour / phase.count_x;
            let near_x = phase.first_x + neighbour % phase.count_x;
            if comptime!(r.is_cells()) {
                let image = index / comptime!(m.h * m.w);
                let rest = index % comptime!(m.h * m.w);
                let y = rest / m.w + near_y;
                let x = rest % m.w + near_x;
                let before = comptime!(m.before());
                if y >= before
                    && y < comptime!(m.h + m.before())
                    && x >= before
                    && x < comptime!(m.w + m.before())
                {
                    let line = image * m.h + (y - before);
                    let at = (line * m.w + (x - before)) * m.filters + filter;
                    value = number::<F>(values, outputs, at, r.slope);
                }
            } else {
                let mut channel = index;
                let mut phase_y = phase.y;
                let mut phase_x = phase.x;
                if comptime!(r.is_of_cells()) {
                    channel = index % m.channels;
                    let cell = index / m.channels;
                    phase_y = cell / m.stride;
                    phase_x = cell % m.stride;
                }
                let ky = phase_y + comptime!(m.base());
                let kx = phase_x + comptime!(m.base());
                let down = near_y * m.stride;
                let across = near_x * m.stride;
                if ky >= down && ky - down < m.kernel && kx >= across && kx - across < m.kernel {
                    let tap = (ky - down) * m.kernel + (kx - across);
                    value = values[(filter * m.channels + channel) * square + tap];
                }
            }
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::Map;

    /// 3x3 with stride 2 and padding 1: an even pixel has one neighbour, by the middle tap; an odd pixel has two.
    /// 5x5: three neighbours by the even taps, two by the odd ones.
    #[test]
    fn phases_meet_their_neighbours() {
        let map = |kernel, stride| Map {
            filters: 1,
            h: 4,
            w: 4,
            channels: 1,
            height: 8,
            width: 8,
            kernel,
            stride,
        };
        let three = map(3, 2);
        assert_eq!((three.before(), three.base(), three.neighbours()), (0, 1, 2));
        assert_eq!([0, 1].map(|phase| three.reach(phase)), [[0, 1], [0, 2]]);
        let five = map(5, 2);
        assert_eq!((five.before(), five.base(), five.neighbours()), (1, 4, 3));
        assert_eq!([0, 1].map(|phase| five.reach(phase)), [[0, 3], [1, 2]]);
        // Every tap belongs to one phase, whatever the sizes.
        for kernel in [1, 3, 5, 7] {
            for stride in 1..5 {
                let map = map(kernel, stride);
                let met: usize = (0..stride).map(|phase| map.reach(phase)[1]).sum();
                assert_eq!(met, kernel, "kernel {kernel}, stride {stride}");
            }
        }
    }
}
