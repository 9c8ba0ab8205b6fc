//! Ink on paper: a pen path becomes grey pixels.

use crate::pictures::SIDE;
use crate::stroke::{self, Dab};

/// Side of the box a digit is scaled to fill, in pixels.
const BOX: usize = 20;

/// Least distance of the box from the edge of the field, in pixels.
const MARGIN: usize = 1;

/// Draws a path of any size into an empty field as MNIST's digits were: scaled to fill the box, then
/// moved by whole pixels until the centre of mass is next to the pixel (14, 14).
/// Radii are in pixels of the field.
pub(super) fn draw(path: &mut [Dab], field: &mut [u8]) {
    fit(path);
    let ink = stroke::ink::<BOX>(path);
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

/// Scales a path to fill the box, pen included, and puts it into the middle of the box.
fn fit(path: &mut [Dab]) {
    let mut low = (f32::MAX, f32::MAX);
    let mut high = (f32::MIN, f32::MIN);
    let mut pen = 0.0f32;
    for dab in path.iter() {
        low = (low.0.min(dab.x), low.1.min(dab.y));
        high = (high.0.max(dab.x), high.1.max(dab.y));
        pen = pen.max(dab.radius);
    }
    let extent = (high.0 - low.0).max(high.1 - low.1).max(1.0);
    let scale = (BOX as f32 - 2.0 * pen) / extent;
    for dab in path {
        dab.x = 0.5 * BOX as f32 + (dab.x - 0.5 * (low.0 + high.0)) * scale;
        dab.y = 0.5 * BOX as f32 + (dab.y - 0.5 * (low.1 + high.1)) * scale;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pictures::PIXELS;

    #[test]
    fn a_line_fills_the_box_and_fades_at_its_rim() {
        let dab = |y: f32, first: bool| Dab { x: 3.0, y, radius: 2.0, first };
        let mut field = [0; PIXELS];
        draw(&mut [dab(0.0, true), dab(70.0, false)], &mut field);
        let row = |y: usize| &field[y * SIDE..(y + 1) * SIDE];
        // The line is 4 pixels wide; half a pixel inside its edge is 0.5 + 0.5 / 1.35 = 0.87 across
        // the rim, half a pixel outside 0.13, and 0.87^2 (3 - 2 * 0.87) * 255 = 243. The centre of
        // mass is half way between two pixels, so either may come to lie at (14, 14).
        let left = row(14).iter().position(|&ink| ink > 0).unwrap();
        assert!((11..=12).contains(&left), "{left}");
        assert_eq!(row(14)[left..left + 7], [12, 243, 255, 255, 243, 12, 0]);
        let tall: Vec<usize> = (0..SIDE).filter(|&y| row(y)[14] > 127).collect();
        assert!((4..=5).contains(&tall[0]) && tall.len() == 20, "{tall:?}");
    }
}
