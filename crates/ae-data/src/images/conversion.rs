//! Conversion of images to 8-bit RGB, and counts of what it changed.

use image::{DynamicImage, GenericImageView, Rgb, RgbImage};

/// Counts of images that lost something in the conversion.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Conversions {
    /// Images of more than 8 bits per colour.
    deep: usize,
    /// The largest value in those, as a fraction of the possible maximum.
    brightest: f32,
    /// Images with transparency.
    transparent: usize,
    /// Images of one colour whose shape is in the transparency.
    shapes: usize,
}

impl Conversions {
    /// Converts an image to 8-bit RGB.
    pub(super) fn flatten(&mut self, image: DynamicImage) -> RgbImage {
        let colour = image.color();
        if colour.bytes_per_pixel() > colour.channel_count() {
            self.deep += 1;
            self.brightest = self.brightest.max(brightest(&image));
        }
        if !colour.has_alpha() || image.pixels().all(|(_, _, pixel)| pixel.0[3] == 255) {
            return image.into_rgb8();
        }
        self.transparent += 1;
        let first = image.get_pixel(0, 0).0;
        let same = image.pixels().all(|(_, _, pixel)| pixel.0[..3] == first[..3]);
        let varies = image.pixels().any(|(_, _, pixel)| pixel.0[3] != first[3]);
        if !(same && varies) {
            return image.into_rgb8();
        }
        self.shapes += 1;
        let light = first[..3].iter().map(|part| u32::from(*part)).sum::<u32>() >= 3 * 128;
        let behind = if light { 0u32 } else { 255 };
        RgbImage::from_fn(image.width(), image.height(), |x, y| {
            let [red, green, blue, alpha] = image.get_pixel(x, y).0.map(u32::from);
            let over = |part: u32| ((part * alpha + behind * (255 - alpha) + 127) / 255) as u8;
            Rgb([over(red), over(green), over(blue)])
        })
    }

    /// Adds the counts of other images.
    pub(super) fn add(&mut self, other: &Self) {
        self.deep += other.deep;
        self.brightest = self.brightest.max(other.brightest);
        self.transparent += other.transparent;
        self.shapes += other.shapes;
    }

    /// Warnings for the user, without a full stop.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes = vec![];
        let images = |count: usize| match count {
            1 => "1 image has".to_owned(),
            count => format!("{count} images have"),
        };
        if self.deep > 0 {
            let mut note =
                format!("{} more than 8 bits per colour, rounded to 8", images(self.deep));
            if self.brightest < 0.5 {
                let percent = 100.0 * self.brightest;
                note += &format!(
                    "; their brightest value is {percent:.1} % of the maximum, so {:.0} of 256 levels \
                     are left: save them with values up to the maximum",
                    (255.0 * self.brightest).ceil() + 1.0
                );
            }
            notes.push(note);
        }
        let plain = self.transparent - self.shapes;
        if plain > 0 {
            notes.push(format!("{} transparency, which is dropped", images(plain)));
        }
        if self.shapes > 0 {
            notes.push(format!(
                "{} one colour, with the shape in the transparency: drawn over white or black",
                images(self.shapes)
            ));
        }
        notes
    }
}

/// The largest value of an image of more than 8 bits, as a fraction of the possible maximum.
fn brightest(image: &DynamicImage) -> f32 {
    let largest = |values: &[u16]| f32::from(values.iter().copied().max().unwrap_or(0)) / 65535.0;
    let without_alpha = |values: &[u16], channels: usize| {
        let colours = values.chunks(channels).flat_map(|pixel| &pixel[..channels - 1]);
        f32::from(colours.copied().max().unwrap_or(0)) / 65535.0
    };
    match image {
        DynamicImage::ImageLuma16(image) => largest(image),
        DynamicImage::ImageRgb16(image) => largest(image),
        DynamicImage::ImageLumaA16(image) => without_alpha(image, 2),
        DynamicImage::ImageRgba16(image) => without_alpha(image, 4),
        _ => 1.0,
    }
}
