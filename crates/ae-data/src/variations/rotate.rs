//! Rotation of a picture about its middle.

use crate::rng::Rng;

/// The cosine and the sine of an angle.
#[derive(Clone, Copy, Debug)]
pub(super) struct Angle {
    pub cosine: f32,
    pub sine: f32,
}

impl Angle {
    /// Uniform in \[0, 2 pi).
    pub fn sample(rng: &mut Rng) -> Self {
        let (x, y) = rng.direction();
        let (x, y) = (f64::from(x), f64::from(y));
        let length = (x * x + y * y).sqrt();
        Self { cosine: (x / length) as f32, sine: (y / length) as f32 }
    }
}

/// Rotates a grey picture counter-clockwise. Each pixel is interpolated bilinearly between the four
/// around its source; outside, the picture is black.
pub(super) fn rotate(
    picture: &[u8],
    (height, width): (usize, usize),
    angle: Angle,
    out: &mut [u8],
) {
    let middle = (0.5 * (width as f32 - 1.0), 0.5 * (height as f32 - 1.0));
    let pixel = |x: f32, y: f32| {
        let inside = x >= 0.0 && y >= 0.0 && x < width as f32 && y < height as f32;
        if inside { f32::from(picture[y as usize * width + x as usize]) } else { 0.0 }
    };
    for (at, out) in out.iter_mut().enumerate() {
        let (u, v) = ((at % width) as f32 - middle.0, (at / width) as f32 - middle.1);
        let x = angle.cosine * u - angle.sine * v + middle.0;
        let y = angle.sine * u + angle.cosine * v + middle.1;
        let (left, top) = (x.floor(), y.floor());
        let (right, down) = (x - left, y - top);
        let above = (1.0 - right) * pixel(left, top) + right * pixel(left + 1.0, top);
        let below = (1.0 - right) * pixel(left, top + 1.0) + right * pixel(left + 1.0, top + 1.0);
        *out = ((1.0 - down) * above + down * below + 0.5) as u8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;
    use proptest::prelude::*;

    fn rotated<const N: usize>(
        picture: [u8; N],
        size: (usize, usize),
        angle: (f32, f32),
    ) -> [u8; N] {
        let mut out = [0; N];
        rotate(&picture, size, Angle { cosine: angle.0, sine: angle.1 }, &mut out);
        out
    }

    #[test]
    fn rotations_by_90_degrees_by_hand() {
        let picture = [1, 2, 3, 4, 5, 6, 7, 8, 9]; // [1 2 3; 4 5 6; 7 8 9]
        assert_eq!(rotated(picture, (3, 3), (1.0, 0.0)), picture);
        assert_eq!(rotated(picture, (3, 3), (0.0, 1.0)), [3, 6, 9, 2, 5, 8, 1, 4, 7]);
        assert_eq!(rotated(picture, (3, 3), (-1.0, 0.0)), [9, 8, 7, 6, 5, 4, 3, 2, 1]);
        assert_eq!(rotated(picture, (3, 3), (0.0, -1.0)), [7, 4, 1, 8, 5, 2, 9, 6, 3]);
        // With an even side the middle is between pixels.
        assert_eq!(rotated([1, 2, 3, 4], (2, 2), (0.0, 1.0)), [2, 4, 1, 3]);
        // The ends of a row are outside a column of one pixel.
        assert_eq!(rotated([1, 2, 3], (1, 3), (0.0, 1.0)), [0, 2, 0]);
    }

    /// By 45 degrees: the corner of a 3x3 picture comes from (sqrt 2, 0) off the middle, 0.4142 outside,
    /// so it is 0.5858 of the pixel right of the middle; the pixel above the middle comes from
    /// (0.7071, -0.7071) of it, 0.7071^2 = 1/2 of the corner, 0.2929 * 0.7071 = 0.2071 of each of
    /// its two neighbours, 0.0858 of the middle.
    #[test]
    fn rotation_by_45_degrees_by_hand() {
        let half = 0.5f32.sqrt();
        let right = rotated([0, 0, 0, 0, 0, 100, 0, 0, 0], (3, 3), (half, half));
        assert_eq!(right, [0, 21, 59, 0, 0, 21, 0, 0, 0]);
        let corner = rotated([0, 0, 100, 0, 0, 0, 0, 0, 0], (3, 3), (half, half));
        assert_eq!(corner, [0, 50, 0, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn angles_are_uniform() {
        let mut quarters = [0; 4];
        for number in 0..4000 {
            let Angle { cosine, sine } = Angle::sample(&mut Rng::stream(1, number));
            assert!((cosine * cosine + sine * sine - 1.0).abs() < 1e-6);
            quarters[usize::from(cosine > 0.0) + 2 * usize::from(sine > 0.0)] += 1;
        }
        // 1,000 each, with a standard deviation of 27.
        assert!(quarters.iter().all(|count| (865..1135).contains(count)), "{quarters:?}");
    }

    proptest! {
        #[test]
        fn sum_of_a_central_disc_is_kept(seed: u64) {
            let picture: [u8; 225] = std::array::from_fn(|at| {
                let (x, y) = ((at % 15) as i32 - 7, (at / 15) as i32 - 7);
                if x * x + y * y <= 16 { 200 } else { 0 }
            });
            let mut out = [0; 225];
            rotate(&picture, (15, 15), Angle::sample(&mut Rng::stream(seed, 0)), &mut out);
            let sum = |picture: &[u8]| picture.iter().map(|&pixel| f32::from(pixel)).sum::<f32>();
            prop_assert!((sum(&out) / sum(&picture) - 1.0).abs() < 0.05);
            prop_assert_eq!(out[7 * 15 + 7], 200);
        }
    }
}
