//! Renders a path as grey pixels in the format of MNIST.

use crate::pictures::SIDE;
use crate::stroke::{self, Disc};

/// The side of the box that a digit is scaled to, in pixels.
const BOX: usize = 20;

/// The least distance of the box from the edge of the picture, in pixels.
const MARGIN: usize = 1;

/// Draws a path of any size into a black picture, by the rules of MNIST: scaled to fill the box, then
/// shifted by whole pixels so that the centre of mass is next to the pixel (14, 14). Radii are in
/// pixels of the picture.
pub(super) fn render(path: &mut [Disc], field: &mut [u8]) {
    fit(path);
    let ink = stroke::rasterize::<BOX>(path);
    let (mut mass, mut right, mut down) = (0.0, 0.0, 0.0);
    for (y, row) in ink.iter().enumerate() {
        for (x, ink) in row.iter().enumerate() {
            mass += ink;
            right += ink * x as f32;
            down += ink * y as f32;
        }
    }
    let offset = |moment: f32| {
        let centred = (SIDE / 2) as f32 - moment / mass;
        ((centred + 0.5) as usize).clamp(MARGIN, SIDE - MARGIN - BOX)
    };
    let (left, top) = (offset(right), offset(down));
    for (row, ink) in field.chunks_exact_mut(SIDE).skip(top).zip(&ink) {
        for (pixel, ink) in row[left..].iter_mut().zip(ink) {
            *pixel = (ink * 255.0 + 0.5) as u8;
        }
    }
}

/// Scales a path to fill the box, with its radius, and centres it there.
fn fit(path: &mut [Disc]) {
    let mut low = (f32::MAX, f32::MAX);
    let mut high = (f32::MIN, f32::MIN);
    let mut radius = 0.0f32;
    for disc in path.iter() {
        low = (low.0.min(disc.x), low.1.min(disc.y));
        high = (high.0.max(disc.x), high.1.max(disc.y));
        radius = radius.max(disc.radius);
    }
    let extent = (high.0 - low.0).max(high.1 - low.1).max(1.0);
    let scale = (BOX as f32 - 2.0 * radius) / extent;
    for disc in path {
        disc.x = 0.5 * BOX as f32 + (disc.x - 0.5 * (low.0 + high.0)) * scale;
        disc.y = 0.5 * BOX as f32 + (disc.y - 0.5 * (low.1 + high.1)) * scale;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pictures::PIXELS;

    #[test]
    fn line_fills_the_box_and_fades_at_its_rim() {
        let disc = |y: f32, first: bool| Disc { x: 3.0, y, radius: 2.0, first };
        let mut field = [0; PIXELS];
        render(&mut [disc(0.0, true), disc(70.0, false)], &mut field);
        let row = |y: usize| &field[y * SIDE..(y + 1) * SIDE];
        // The line is 4 pixels wide; half a pixel inside its edge is 0.5 + 0.5 / 1.35 = 0.87 across
        // the rim, half a pixel outside 0.13, and 0.87^2 (3 - 2 * 0.87) * 255 = 243. The centre of
        // mass is half way between two pixels, so either may be at (14, 14).
        let left = row(14).iter().position(|&ink| ink > 0).unwrap();
        assert!((11..=12).contains(&left), "{left}");
        assert_eq!(row(14)[left..left + 7], [12, 243, 255, 255, 243, 12, 0]);
        let tall: Vec<usize> = (0..SIDE).filter(|&y| row(y)[14] > 127).collect();
        assert!((4..=5).contains(&tall[0]) && tall.len() == 20, "{tall:?}");
    }
}
