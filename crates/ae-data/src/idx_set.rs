//! IDX images with their labels, as one set of samples.

use std::path::Path;

use crate::disk::{ArrayRows, Element};
use crate::{Error, Labels, Result, Samples, Shape, idx};

/// How a set stores its images and labels.
pub(crate) struct IdxConvention {
    /// The label of the first class.
    pub first_label: u8,
    /// The names of the classes, at least one.
    pub names: Vec<String>,
    /// Whether rows and columns of the stored images are exchanged.
    pub transposed: bool,
    /// The most bytes of pixels that are read into memory.
    pub limit: usize,
}

impl IdxConvention {
    pub(crate) fn read(&self, images: &Path, labels: Option<&Path>) -> Result<Samples> {
        let samples = self.images(images)?;
        let count = samples.len();
        let Some(path) = labels else {
            return Ok(samples);
        };
        let labels = idx::read_labels(path)?;
        if labels.len() != count {
            let images = images.file_name().unwrap_or_default().display();
            let expected = format!("{count} labels, one for each image in {images}");
            return Err(Error::malformed(path, expected, labels.len().to_string()));
        }
        let last = usize::from(self.first_label) + self.names.len() - 1;
        let allowed = usize::from(self.first_label)..=last;
        if let Some(at) = labels.iter().position(|label| !allowed.contains(&usize::from(*label))) {
            return Err(Error::malformed_at(
                path,
                format!("label {}", at + 1),
                format!("a number from {} to {last}", self.first_label),
                labels[at].to_string(),
            ));
        }
        let classes = labels.iter().map(|label| u32::from(label - self.first_label)).collect();
        samples.with_labels(Labels::new(classes, self.names.clone())?)
    }

    fn images(&self, images: &Path) -> Result<Samples> {
        let shape = |height, width| match self.transposed {
            true => Shape::image(1, width, height),
            false => Shape::image(1, height, width),
        };
        if let Some(([count, height, width], file, start)) = idx::on_disk(images, self.limit)? {
            let area = height * width;
            let place = |at: usize| (at % height * width + at / height) as u32;
            let order = self.transposed.then(|| (0..area).map(place).collect());
            let (element, far) = (Element::Pixels, vec![false; area]);
            let rows = ArrayRows {
                file,
                start,
                count,
                width: area,
                stored: area,
                element,
                order,
                far,
                missing: 0,
            };
            return Samples::on_disk(rows, shape(height, width), false);
        }
        let ([_, height, width], mut pixels) = idx::read_pixels(images)?;
        if self.transposed {
            pixels.chunks_exact_mut(height * width).for_each(|image| transpose(image, width));
        }
        Samples::from_bytes(pixels, shape(height, width))
    }

    /// Reads the test set, whose images must have the size of those in `training`.
    pub(crate) fn read_test(
        &self,
        images: &Path,
        labels: Option<&Path>,
        training: &Samples,
    ) -> Result<Samples> {
        let test = self.read(images, labels)?;
        if test.shape() == training.shape() {
            return Ok(test);
        }
        let expected = format!("images of {} as in training", training.shape());
        Err(Error::malformed(images, expected, test.shape().to_string()))
    }
}

/// Exchanges rows and columns of an image that is `width` wide.
fn transpose(image: &mut [u8], width: usize) {
    let stored = image.to_vec();
    let height = stored.len() / width;
    for (at, pixel) in image.iter_mut().enumerate() {
        *pixel = stored[at % height * width + at / height];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transpose_exchanges_rows_and_columns() {
        let mut image = [1, 2, 3, 4, 5, 6];
        transpose(&mut image, 3); // [1 2 3; 4 5 6] -> [1 4; 2 5; 3 6]
        assert_eq!(image, [1, 4, 2, 5, 3, 6]);
    }
}
