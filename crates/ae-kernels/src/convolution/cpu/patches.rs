//! How a batch is divided, and how images are padded or unrolled into patches.

use std::ops::Range;

use crate::buffer::add_row;
use crate::convolution::geometry::{Geometry, pixels};
use crate::float::{Float, lanes, vectorized};

/// Parts of a batch. It is constant, so that sums over the batch do not depend on the number of threads.
const PARTS: usize = 16;

/// Enough rows of a product to outweigh the copy of the kernel that it starts with.
const ROWS: usize = 128;

/// Bytes of unrolled patches at a time, which fit the second-level cache.
const PATCH_BYTES: usize = 3 << 17;

/// A kernel has few channels if its rows have at most this many numbers.
const FEW_IN_A_ROW: usize = 16;

impl Geometry {
    /// Whether images are padded and read directly ([`small_channels`](super::small_channels)), and not unrolled into
    /// patches for a product. With few channels, as pictures have, products are too narrow to be worth the copies;
    /// with many, products reach nine tenths of the processor's peak.
    pub(super) fn has_few_channels<T: Float>(&self) -> bool {
        let lanes = lanes::<T>();
        lanes > 1 && self.row() <= FEW_IN_A_ROW && self.filters().is_multiple_of(lanes)
    }

    /// The images of a part.
    pub(super) fn images_per_part<T: Float>(&self) -> usize {
        let least = match self.has_few_channels::<T>() {
            true => 1,
            false => ROWS.div_ceil(pixels(self.small).max(1)),
        };
        self.batch.div_ceil(PARTS).max(least).min(self.batch.max(1))
    }

    /// The number of images that are processed together.
    pub(super) fn images_per_block<T: Float>(&self) -> usize {
        if self.has_few_channels::<T>() {
            return 1;
        }
        let image = pixels(self.small) * self.patch() * size_of::<T>();
        let images_per_part = self.images_per_part::<T>();
        let most = (PATCH_BYTES / image.max(1)).clamp(1, images_per_part);
        // All chunks have the same size, or one image less.
        images_per_part.div_ceil(images_per_part.div_ceil(most))
    }

    /// A buffer of zeros for the patches of images that are processed together, or for one padded image. The padding
    /// stays zero.
    pub(super) fn scratch<T: Float>(&self) -> Vec<T> {
        let len = match self.has_few_channels::<T>() {
            true => self.padded(),
            false => self.images_per_block::<T>() * pixels(self.small) * self.patch(),
        };
        vec![T::ZERO; len]
    }

    /// Numbers in a line of a large image with padding of half a kernel.
    pub(super) fn line(&self) -> usize {
        (self.large[2] + self.kernel - 1) * self.large[0]
    }

    /// Numbers in a large image with that padding.
    fn padded(&self) -> usize {
        (self.large[1] + self.kernel - 1) * self.line()
    }

    /// Calls `visit(range in the image, range in the padded image)` for every line.
    fn lines(&self, mut visit: impl FnMut(Range<usize>, Range<usize>)) {
        let [channels, height, width] = self.large;
        let (border, run) = (self.kernel / 2, width * channels);
        for y in 0..height {
            let start = (y + border) * self.line() + border * channels;
            visit(y * run..(y + 1) * run, start..start + run);
        }
    }

    /// Copies an image into the padded one.
    pub(super) fn pad<T: Float>(&self, image: &[T], padded: &mut [T]) {
        self.lines(|run, inside| padded[inside].copy_from_slice(&image[run]));
    }

    /// Copies an image out of the padded one.
    pub(super) fn unpad<T: Float>(&self, padded: &[T], image: &mut [T]) {
        self.lines(|run, inside| image[run].copy_from_slice(&padded[inside]));
    }

    /// Calls `visit(range in a patch, range in the large map)` for every small pixel and every row of the kernel.
    /// Both ranges have the same length and leave out the padding.
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

    /// The patches of an image, `[small pixels, patch]`. Elements in the padding are zero already.
    pub(super) fn im2col<T: Float>(&self, image: &[T], patches: &mut [T]) {
        self.runs(
            #[inline(always)]
            |patch, pixels| patches[patch].copy_from_slice(&image[pixels]),
        );
    }

    /// Adds patches to the pixels that they were taken from.
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
