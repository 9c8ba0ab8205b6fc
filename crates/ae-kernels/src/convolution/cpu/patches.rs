//! How a batch is cut up, and images inside of a border or unrolled into patches.

use std::ops::Range;

use crate::buffer::add_row;
use crate::convolution::geometry::{Geometry, pixels};
use crate::float::{Float, lanes, vectorized};

/// Parts of a batch, whatever the number of threads, so that sums over it do not depend on that.
const PARTS: usize = 16;

/// Rows of a product that make up for the copy of the kernel that it begins with.
const ROWS: usize = 128;

/// Bytes of unrolled patches at a time: they stay in the second-level cache.
const PATCH_BYTES: usize = 3 << 17;

/// Numbers in a row of a kernel up to which it counts as having few channels.
const FEW_IN_A_ROW: usize = 16;

impl Geometry {
    /// Whether images are met where they lie, inside of a border of zeros ([`small_channels`](super::small_channels)), and not
    /// unrolled into patches for a product. With few channels, those of pictures, products would be too
    /// narrow to be worth their copies; with many, they are at nine tenths of the processor's peak.
    pub(super) fn has_few_channels<T: Float>(&self) -> bool {
        let lanes = lanes::<T>();
        lanes > 1 && self.row() <= FEW_IN_A_ROW && self.filters().is_multiple_of(lanes)
    }

    /// Images of a part.
    pub(super) fn images_per_part<T: Float>(&self) -> usize {
        let least = match self.has_few_channels::<T>() {
            true => 1,
            false => ROWS.div_ceil(pixels(self.small).max(1)),
        };
        self.batch.div_ceil(PARTS).max(least).min(self.batch.max(1))
    }

    /// Images that are worked on together.
    pub(super) fn images_per_block<T: Float>(&self) -> usize {
        if self.has_few_channels::<T>() {
            return 1;
        }
        let image = pixels(self.small) * self.patch() * size_of::<T>();
        let images_per_part = self.images_per_part::<T>();
        let most = (PATCH_BYTES / image.max(1)).clamp(1, images_per_part);
        // As many as in every other chunk, or one less.
        images_per_part.div_ceil(images_per_part.div_ceil(most))
    }

    /// Room for the patches of images that are worked on together, or for one image and its border. It is
    /// zero, and what lies beyond the border stays so.
    pub(super) fn scratch<T: Float>(&self) -> Vec<T> {
        let len = match self.has_few_channels::<T>() {
            true => self.padded(),
            false => self.images_per_block::<T>() * pixels(self.small) * self.patch(),
        };
        vec![T::ZERO; len]
    }

    /// Numbers in a line of a large image inside of a border of half a kernel.
    pub(super) fn line(&self) -> usize {
        (self.large[2] + self.kernel - 1) * self.large[0]
    }

    /// Numbers in a large image with that border.
    fn padded(&self) -> usize {
        (self.large[1] + self.kernel - 1) * self.line()
    }

    /// Calls `visit(run of the image, run of it inside of the border)` for every line.
    fn lines(&self, mut visit: impl FnMut(Range<usize>, Range<usize>)) {
        let [channels, height, width] = self.large;
        let (border, run) = (self.kernel / 2, width * channels);
        for y in 0..height {
            let start = (y + border) * self.line() + border * channels;
            visit(y * run..(y + 1) * run, start..start + run);
        }
    }

    /// Puts an image inside of its border.
    pub(super) fn pad<T: Float>(&self, image: &[T], padded: &mut [T]) {
        self.lines(|run, inside| padded[inside].copy_from_slice(&image[run]));
    }

    /// Takes it out again.
    pub(super) fn unpad<T: Float>(&self, padded: &[T], image: &mut [T]) {
        self.lines(|run, inside| image[run].copy_from_slice(&padded[inside]));
    }

    /// Calls `visit(row of the kernel's run in a patch, pixels' run in the large map)` for every
    /// small pixel and kernel row: both as ranges of elements, of equal length, which leave out
    /// what lies beyond the border.
    #[inline(always)]
    fn runs(&self, mut visit: impl FnMut(Range<usize>, Range<usize>)) {
        let [channels, height, width] = self.large;
        let (kernel, padding) = (self.kernel, self.kernel / 2);
        let mut patch = 0;
        for small_y in 0..self.small[1] {
            for small_x in 0..self.small[2] {
                let (y, x) = (small_y * self.stride, small_x * self.stride);
                let left = padding.saturating_sub(x);
                let right = kernel.min(width + padding - x);
                for row in 0..kernel {
                    let start = patch + row * kernel * channels;
                    let run = start + left * channels..start + right * channels;
                    if (padding..height + padding).contains(&(y + row)) {
                        let line = (y + row - padding) * width;
                        let first = (line + x + left - padding) * channels;
                        visit(run.clone(), first..first + run.len());
                    }
                }
                patch += kernel * kernel * channels;
            }
        }
    }

    /// Patches of an image, `[small pixels, patch]`; what lies beyond the border is zero already.
    pub(super) fn im2col<T: Float>(&self, image: &[T], patches: &mut [T]) {
        self.runs(
            #[inline(always)]
            |patch, pixels| patches[patch].copy_from_slice(&image[pixels]),
        );
    }

    /// Adds patches to where they come from.
    pub(super) fn col2im<T: Float>(&self, patches: &[T], image: &mut [T]) {
        vectorized(
            #[inline(always)]
            || {
                self.runs(
                    #[inline(always)]
                    |patch, pixels| add_row(&mut image[pixels], &patches[patch]),
                )
            },
        );
    }
}
