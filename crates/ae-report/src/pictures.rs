//! Samples as pictures.

use std::io::Cursor;
use std::path::Path;

use ae_data::{Preprocessing, Shape};
use burn::tensor::Tensor;
use image::{ImageFormat, Rgba, RgbaImage};

use ae_run::to_rows;

use crate::{Error, Result};

/// Turns features into pixels: knows the image shape, and inverts the preprocessing.
pub struct Painter<'a> {
    /// 1 or 3.
    pub channels: usize,
    /// In pixels.
    pub height: usize,
    /// In pixels.
    pub width: usize,
    preprocessing: &'a Preprocessing,
}

impl<'a> Painter<'a> {
    /// `None` for samples that are not images.
    pub fn new(shape: &Shape, preprocessing: &'a Preprocessing) -> Option<Self> {
        match *shape {
            Shape::Image { channels: channels @ (1 | 3), height, width } => {
                Some(Self { channels, height, width, preprocessing })
            }
            _ => None,
        }
    }

    /// One picture of rows of samples, `[count, features]` each, with a gap between tiles.
    pub fn grid(&self, rows: &[Tensor<2>]) -> RgbaImage {
        let rows: Vec<Vec<Vec<f32>>> = rows.iter().map(|row| to_rows(row.clone())).collect();
        let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
        let mut grid = blank(columns, rows.len(), self.width, self.height);
        for (y, row) in rows.iter().enumerate() {
            for (x, sample) in row.iter().enumerate() {
                let mut pixels = sample.clone();
                self.preprocessing.invert(&mut pixels);
                self.tile(&mut grid, [x, y], &pixels);
            }
        }
        grid
    }

    /// One sample.
    pub fn picture(&self, sample: &[f32]) -> RgbaImage {
        let mut picture = blank(1, 1, self.width, self.height);
        let mut pixels = sample.to_vec();
        self.preprocessing.invert(&mut pixels);
        self.tile(&mut picture, [0, 0], &pixels);
        picture
    }

    /// A sample, and on its right how large a value of each feature is: from black for 0 over red and yellow to white
    /// for the largest, by the square root of the sum over channels.
    pub fn with_heat(&self, sample: &[f32], values: &[f32]) -> RgbaImage {
        let mut grid = blank(2, 1, self.width, self.height);
        let mut pixels = sample.to_vec();
        self.preprocessing.invert(&mut pixels);
        self.tile(&mut grid, [0, 0], &pixels);
        let plane = self.height * self.width;
        let sum = |at: usize| values[at..].iter().step_by(plane).map(|it| it.max(0.0)).sum();
        let roots: Vec<f32> = (0..plane).map(|at| f32::sqrt(sum(at))).collect();
        let most = roots.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
        for (at, root) in roots.iter().enumerate() {
            let (x, y) = (self.width + GAP + at % self.width, at / self.width);
            grid.put_pixel(x as u32, y as u32, hot(root / most));
        }
        grid
    }

    /// Draws features in \[0, 1\] as a tile of a grid.
    fn tile(&self, grid: &mut RgbaImage, [x, y]: [usize; 2], pixels: &[f32]) {
        let plane = self.height * self.width;
        for row in 0..self.height {
            for column in 0..self.width {
                let channel = |channel: usize| {
                    let channel = channel.min(self.channels - 1);
                    byte(pixels[channel * plane + row * self.width + column])
                };
                let color = Rgba([channel(0), channel(1), channel(2), 255]);
                let left = x * (self.width + GAP) + column;
                let top = y * (self.height + GAP) + row;
                grid.put_pixel(left as u32, top as u32, color);
            }
        }
    }
}

/// Black, red, yellow, white, as values rise from 0 to 1.
fn hot(value: f32) -> Rgba<u8> {
    let part = |from: f32| byte(3.0 * value - from);
    Rgba([part(0.0), part(1.0), part(2.0), 255])
}

/// Transparent pixels between tiles.
const GAP: usize = 2;

fn blank(columns: usize, rows: usize, width: usize, height: usize) -> RgbaImage {
    let size = |count: usize, side: usize| (count * (side + GAP)).saturating_sub(GAP).max(1) as u32;
    RgbaImage::new(size(columns, width), size(rows, height))
}

fn byte(value: f32) -> u8 {
    (value.clamp(0.0, 1.0) * 255.0).round() as u8
}

/// Minimum side of a filter's tile in pixels, so that it is large compared with the gap.
const FILTER_SIDE: usize = 18;

/// Filters as tiles: zero is grey, the largest weight of each filter black or white.
///
/// Each filter has `channels * height * width` weights.
pub fn filters(filters: &[Vec<f32>], [channels, height, width]: [usize; 3]) -> RgbaImage {
    let columns = (filters.len() as f64).sqrt().ceil() as usize;
    // Wider than high.
    let columns = (columns * 2).min(filters.len()).max(1);
    let scale = FILTER_SIDE.div_ceil(height.max(width));
    let (high, wide) = (height * scale, width * scale);
    let mut grid = blank(columns, filters.len().div_ceil(columns), wide, high);
    let none = Preprocessing::none();
    let painter = Painter { channels, height: high, width: wide, preprocessing: &none };
    for (index, filter) in filters.iter().enumerate() {
        let largest = filter.iter().fold(1e-12f32, |max, weight| max.max(weight.abs()));
        let mut tile = Vec::with_capacity(channels * high * wide);
        for row in 0..channels * high {
            let start = row / scale * width;
            let weights = filter[start..start + width].iter();
            let grey = weights.map(|weight| 0.5 + 0.5 * weight / largest);
            tile.extend(grey.flat_map(|grey| std::iter::repeat_n(grey, scale)));
        }
        painter.tile(&mut grid, [index % columns, index / columns], &tile);
    }
    grid
}

/// Encodes a picture as PNG.
///
/// # Errors
/// If it has no pixels.
pub fn png(picture: &RgbaImage) -> Result<Vec<u8>> {
    let mut bytes = Cursor::new(Vec::new());
    picture
        .write_to(&mut bytes, ImageFormat::Png)
        .map_err(|error| Error::usage(format!("cannot encode a picture as PNG: {error}")))?;
    Ok(bytes.into_inner())
}

/// Writes a picture as PNG.
///
/// # Errors
/// If it has no pixels, or the file cannot be written.
pub fn write_png(path: &Path, picture: &RgbaImage) -> Result<()> {
    Ok(ae_models::tensors::write_atomically(path, &png(picture)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    /// Sums over channels 4, 1 and 0, so roots of 1, 1/2 and 0 of the largest: white, half of the way from red to
    /// yellow, black.
    #[test]
    fn heat_is_hottest_where_values_are_largest() {
        let none = Preprocessing::none();
        let painter = Painter::new(&Shape::image(3, 1, 3), &none).unwrap();
        let values = [1.0, 0.5, 0.0, 3.0, 0.5, 0.0, 0.0, -1.0, 0.0];
        let picture = painter.with_heat(&[1.0; 9], &values);
        assert_eq!(picture.dimensions(), (8, 1));
        let pixel = |x| picture.get_pixel(x, 0).0;
        assert_eq!(pixel(0), [255; 4], "the sample");
        assert_eq!(pixel(5), [255; 4]);
        assert_eq!(pixel(6), [255, 128, 0, 255]);
        assert_eq!(pixel(7), [0, 0, 0, 255]);
        let all_usual = painter.with_heat(&[1.0; 9], &[0.0; 9]);
        assert_eq!(all_usual.get_pixel(5, 0).0, [0, 0, 0, 255]);
    }

    #[test]
    fn tiles_are_placed_in_a_grid() {
        let none = Preprocessing::none();
        let painter = Painter::new(&Shape::image(1, 1, 2), &none).unwrap();
        let row = |values| Tensor::<2>::from_floats(values, &Device::flex());
        let grid = painter.grid(&[row([[0.0, 1.0], [0.5, 2.0]]), row([[0.2, -1.0], [1.0, 0.0]])]);
        assert_eq!(grid.dimensions(), (6, 4));
        let grey = |x, y| grid.get_pixel(x, y).0;
        assert_eq!(grey(0, 0), [0, 0, 0, 255]);
        assert_eq!(grey(1, 0), [255, 255, 255, 255]);
        assert_eq!(grey(2, 0)[3], 0, "the gap is transparent");
        assert_eq!(grey(4, 0), [128, 128, 128, 255]);
        assert_eq!(grey(0, 3), [51, 51, 51, 255]);
        assert!(Painter::new(&Shape::table(2), &none).is_none());
    }

    #[test]
    fn filters_are_scaled_up() {
        let grid = filters(&[vec![0.0, -2.0, 1.0, 2.0]], [1, 2, 2]);
        assert_eq!(grid.dimensions(), (18, 18));
        let grey = |x, y| grid.get_pixel(x, y).0[0];
        assert_eq!([grey(0, 0), grey(17, 0), grey(8, 17), grey(9, 9)], [128, 0, 191, 255]);
    }
}
