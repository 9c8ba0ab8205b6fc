//! What brings features of two domains to one size or one scale.

use ae_data::{Samples, Shape, Source};
use burn::tensor::{Tensor, TensorData};

use super::Domains;
use super::gram::{as_row, mean_of, values_of};
use crate::{Error, Result};

/// Images of another size: each pixel is a weighted mean of those near it, with weights that fall linearly over the
/// distance of two pixels of the smaller image (bilinear, without aliasing).
///
/// # Errors
/// If the samples are no images, or the size is 0 or above 4096.
pub fn resized(samples: &Samples, width: usize, height: usize) -> Result<Samples> {
    let &Shape::Image { height: old_height, width: old_width, channels } = samples.shape() else {
        return Err(Error::Unsuitable(format!(
            "expected images to resize, got {}",
            samples.shape()
        )));
    };
    if !(1..=4096).contains(&width) || !(1..=4096).contains(&height) {
        return Err(Error::setting("size", "1 to 4096 pixels", format!("{width}x{height}")));
    }
    if (width, height) == (old_width, old_height) {
        return Ok(samples.clone());
    }
    let (across, down) = (weights(old_width, width), weights(old_height, height));
    let mut image = vec![0.0; samples.width()];
    let mut values = Vec::with_capacity(samples.len() * channels * width * height);
    for row in 0..samples.len() {
        samples.read(&[row], &mut image)?;
        for plane in image.chunks_exact(old_width * old_height) {
            let lines: Vec<f32> = plane
                .chunks_exact(old_width)
                .flat_map(|line| across.iter().map(|weights| sum(weights, |x| line[x])))
                .collect();
            for weights in &down {
                values.extend((0..width).map(|x| sum(weights, |y| lines[y * width + x])));
            }
        }
    }
    let resized = Samples::from_floats(values, Shape::image(channels, height, width))?;
    match samples.labels() {
        Some(labels) => Ok(resized.with_labels(labels.clone())?),
        None => Ok(resized),
    }
}

fn sum(weights: &[(usize, f32)], value: impl Fn(usize) -> f32) -> f32 {
    weights.iter().map(|(at, weight)| weight * value(*at)).sum()
}

/// The old pixels that each new one is a mean of.
fn weights(old: usize, new: usize) -> Vec<Vec<(usize, f32)>> {
    let scale = old as f64 / new as f64;
    let reach = scale.max(1.0);
    (0..new)
        .map(|at| {
            let centre = (at as f64 + 0.5) * scale - 0.5;
            let near: Vec<(usize, f64)> = (0..old)
                .map(|pixel| (pixel, 1.0 - (pixel as f64 - centre).abs() / reach))
                .filter(|(_, weight)| *weight > 0.0)
                .collect();
            let total: f64 = near.iter().map(|(_, weight)| weight).sum();
            near.into_iter().map(|(pixel, weight)| (pixel, (weight / total) as f32)).collect()
        })
        .collect()
}

/// Each feature less its mean and over its deviation, both of the rows of source and target together; one that never
/// varies is 0.
///
/// # Errors
/// If a value is not finite.
pub fn standardized(mut domains: Domains) -> Result<Domains> {
    let both = Tensor::cat(vec![domains.source.clone(), domains.target.clone()], 0);
    let mean = as_row(&mean_of(&both)?, &both);
    let variance = values_of((both.clone() - mean.clone()).square().mean_dim(0))?;
    let scale = variance.iter().map(|it| if *it > 0.0 { it.sqrt().recip() } else { 0.0 });
    let data = TensorData::new(scale.collect::<Vec<f32>>(), [1, variance.len()]);
    let scale: Tensor<2> = Tensor::from_data(data, &both.device());
    let change = |rows: Tensor<2>| (rows - mean.clone()) * scale.clone();
    domains.source = change(domains.source);
    domains.target = change(domains.target);
    domains.test = domains.test.map(change);
    Ok(domains)
}

#[cfg(test)]
mod tests {
    use ae_data::Labels;
    use burn::tensor::Device;

    use super::*;

    /// Four pixels to two: the centres are at 0.5 and 2.5 and reach 2 pixels, so 0 and 1 have the weight 3/4 each, 2 has
    /// 1/4: (3 a + 3 b + c) / 7.
    #[test]
    fn half_the_size_by_hand() {
        let images =
            Samples::from_floats(vec![7.0, 14.0, 0.0, 21.0], Shape::image(1, 1, 4)).unwrap();
        let small = resized(&images, 2, 1).unwrap();
        let expected = [(3.0 * 7.0 + 3.0 * 14.0) / 7.0, (14.0 + 3.0 * 21.0) / 7.0];
        assert!(small.row(0).iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-5));
        // An even picture stays even, larger and smaller.
        let even = Samples::from_floats(vec![0.5; 2 * 3 * 5 * 4], Shape::image(2, 3, 5)).unwrap();
        for (width, height) in [(2, 7), (9, 1)] {
            let other = resized(&even, width, height).unwrap();
            assert_eq!((other.len(), other.width()), (4, 2 * width * height));
            assert!((0..4).flat_map(|row| other.row(row)).all(|value| (value - 0.5).abs() < 1e-6));
        }
    }

    #[test]
    fn tables_have_no_size() {
        let table = Samples::from_floats(vec![1.0; 4], Shape::table(2)).unwrap();
        let message = resized(&table, 2, 2).unwrap_err().to_string();
        assert_eq!(message, "expected images to resize, got 2 columns");
    }

    /// Both together: the first feature has 1, 3, 5, 7, the mean 4 and the variance 5.
    #[test]
    fn features_are_scaled_by_both_domains() {
        let samples = |values: Vec<f32>| Samples::from_floats(values, Shape::table(2)).unwrap();
        let labels = Labels::new(vec![0, 1], vec!["a".into(), "b".into()]).unwrap();
        let source = samples(vec![1.0, 9.0, 3.0, 9.0]).with_labels(labels).unwrap();
        let target = samples(vec![5.0, 9.0, 7.0, 9.0]);
        let domains = Domains::new(&source, &target, Some(&target), &Device::flex()).unwrap();
        let domains = standardized(domains).unwrap();
        let got = values_of(domains.test.unwrap()).unwrap();
        let unit = 5f32.sqrt().recip();
        let expected = [unit, 0.0, 3.0 * unit, 0.0];
        assert!(got.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{got:?}");
    }
}
