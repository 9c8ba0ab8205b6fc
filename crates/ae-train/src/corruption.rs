//! Corruption of inputs by noise, drawn again at every step.

use ae_kernels::{Mask, replace_at_random};
use burn::tensor::{DType, Tensor, TensorData};
use rand_distr::{Distribution, StandardNormal};

use crate::{Deformation, Error, NoiseKey, Result};

/// A number in \[0, 1\].
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Probability(f64);

impl Probability {
    /// A probability of this value.
    ///
    /// # Errors
    /// If `value` is not in \[0, 1\].
    pub fn new(value: f64) -> Result<Self> {
        match (0.0..=1.0).contains(&value) {
            true => Ok(Self(value)),
            false => Err(Error::setting("probability", "a number in [0, 1]", value)),
        }
    }

    /// The value.
    pub fn value(self) -> f64 {
        self.0
    }

    /// The number that a uniform u32 is below with this probability.
    pub(crate) fn threshold(self) -> u64 {
        (self.0 * 2f64.powi(32)).round() as u64
    }
}

impl TryFrom<f64> for Probability {
    type Error = Error;

    fn try_from(value: f64) -> Result<Self> {
        Self::new(value)
    }
}

impl From<Probability> for f64 {
    fn from(probability: Probability) -> f64 {
        probability.0
    }
}

/// A standard deviation: finite and not negative.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct StdDev(f64);

impl StdDev {
    /// A standard deviation of this value.
    ///
    /// # Errors
    /// If `value` is negative or not finite.
    pub fn new(value: f64) -> Result<Self> {
        match value.is_finite() && value >= 0.0 {
            true => Ok(Self(value)),
            false => Err(Error::setting("standard deviation", "a number from 0", value)),
        }
    }

    /// The value.
    pub fn value(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for StdDev {
    type Error = Error;

    fn try_from(value: f64) -> Result<Self> {
        Self::new(value)
    }
}

impl From<StdDev> for f64 {
    fn from(deviation: StdDev) -> f64 {
        deviation.0
    }
}

/// How an objective corrupts an input before it is encoded (Vincent et al. 2010, JMLR 11:3371,
/// section 3.3). Components are corrupted independently, except by a deformation.
///
/// | kind | effect on a component |
/// |---|---|
/// | none | is unchanged |
/// | masking(p) | becomes 0 with probability p; the others are *not* rescaled, as they are by dropout |
/// | salt-and-pepper(p) | becomes 0 or 1, each with probability p / 2 |
/// | gaussian(s) | has noise from N(0, s^2) added, in units of the input |
/// | deform(s) | of an image comes from a place some pixels away, N(0, s^2) in each direction ([`Deformation`]) |
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Corruption {
    /// No corruption.
    #[default]
    None,
    /// Zeroes components.
    Masking(Probability),
    /// Sets components to 0 or 1.
    SaltAndPepper(Probability),
    /// Adds normal noise.
    Gaussian(StdDev),
    /// Moves the pixels of images.
    Deform(Deformation),
}

/// An input after corruption.
#[derive(Clone, Debug)]
pub struct Corrupted {
    /// The values, `[batch, features]`.
    pub values: Tensor<2>,
    /// Which components were corrupted.
    pub mask: CorruptionMask,
}

/// The components that were corrupted, whether or not their value changed.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "a few hundred bytes, once a step")]
pub enum CorruptionMask {
    /// No component.
    None,
    /// Every component.
    All,
    /// The components that are true, `[batch, features]`.
    Components(Mask),
}

impl Corruption {
    /// Masking noise of probability `p`.
    ///
    /// # Errors
    /// If `p` is not in \[0, 1\].
    pub fn masking(p: f64) -> Result<Self> {
        Probability::new(p).map(Self::Masking)
    }

    /// Salt-and-pepper noise of probability `p`.
    ///
    /// # Errors
    /// If `p` is not in \[0, 1\].
    pub fn salt_and_pepper(p: f64) -> Result<Self> {
        Probability::new(p).map(Self::SaltAndPepper)
    }

    /// Gaussian noise of standard deviation `s`.
    ///
    /// # Errors
    /// If `s` is negative or not finite.
    pub fn gaussian(s: f64) -> Result<Self> {
        StdDev::new(s).map(Self::Gaussian)
    }

    /// Smooth deformations of images of these channels, height and width, where a pixel's displacement has the standard
    /// deviation `pixels` in each direction.
    ///
    /// # Errors
    /// If `pixels` is negative or not finite.
    pub fn deform(pixels: f64, image: [usize; 3]) -> Result<Self> {
        Ok(Self::Deform(Deformation { pixels: StdDev::new(pixels)?, image }))
    }

    /// Corrupts a batch, `[batch, features]`, with the noise of `key`. It is the same on every device, from
    /// a counter-based generator that runs on the host or on the device.
    ///
    /// # Panics
    /// If the batch has other features than the images of a deformation.
    pub fn apply(self, input: Tensor<2>, key: NoiseKey) -> Corrupted {
        let purpose = "corruption";
        // One random word per component, which is corrupted if the word is below the threshold.
        let replace = |input: Tensor<2>, touched: u64, ones: u64| {
            let (values, mask) = replace_at_random(input, &key.words(purpose), touched, ones);
            Corrupted { values, mask: CorruptionMask::Components(mask) }
        };
        match self {
            Self::None => Corrupted { values: input, mask: CorruptionMask::None },
            Self::Deform(deformation) => {
                Corrupted { values: deformation.apply(input, key), mask: CorruptionMask::All }
            }
            Self::Masking(probability) => replace(input, probability.threshold(), 0),
            Self::SaltAndPepper(probability) => {
                let threshold = probability.threshold();
                replace(input, threshold, threshold / 2)
            }
            Self::Gaussian(deviation) => {
                let (mut generator, shape) = (key.generator(purpose), input.dims());
                let (count, device) = (shape[0] * shape[1], input.device());
                let deviation = deviation.value() as f32;
                let noise: Vec<f32> = (0..count)
                    .map(|_| {
                        deviation * Distribution::<f32>::sample(&StandardNormal, &mut generator)
                    })
                    .collect();
                let noise = TensorData::new(noise, shape);
                let dtype: DType = input.dtype();
                Corrupted {
                    values: input + Tensor::from_data(noise, (&device, dtype)),
                    mask: CorruptionMask::All,
                }
            }
        }
    }
}

impl std::fmt::Display for Corruption {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::None => write!(f, "none"),
            Self::Masking(p) => write!(f, "masking {}", p.value()),
            Self::SaltAndPepper(p) => write!(f, "salt-and-pepper {}", p.value()),
            Self::Gaussian(s) => write!(f, "gaussian {}", s.value()),
            Self::Deform(it) => write!(f, "deform {}", it.pixels.value()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Phase;
    use burn::tensor::Device;
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    const SHAPE: [usize; 2] = [50, 80];

    /// Values that occur in no corruption, so that every touch shows.
    fn input() -> (Vec<f32>, Tensor<2>) {
        let values: Vec<f32> = (0..SHAPE[0] * SHAPE[1]).map(|i| 0.1 + i as f32 / 8000.0).collect();
        let tensor = Tensor::from_data(TensorData::new(values.clone(), SHAPE), &Device::flex());
        (values, tensor)
    }

    fn apply(corruption: Corruption, seed: u64) -> (Vec<f32>, Option<Vec<bool>>) {
        let corrupted =
            corruption.apply(input().1, NoiseKey { seed, phase: Phase::Train(1), step: 2 });
        let touched = match corrupted.mask {
            CorruptionMask::Components(touched) => {
                Some(touched.into_bool().into_data().iter::<bool>().collect())
            }
            CorruptionMask::None | CorruptionMask::All => None,
        };
        (corrupted.values.into_data().iter::<f32>().collect(), touched)
    }

    /// Whether a binomial count is within 4.5 standard deviations of its mean.
    fn is_near(count: usize, p: f64) -> bool {
        let n = (SHAPE[0] * SHAPE[1]) as f64;
        (count as f64 - n * p).abs() <= 4.5 * (n * p * (1.0 - p)).sqrt() + 1e-9
    }

    /// The same cases in every run, since a few in a hundred thousand are outside.
    fn fixed() -> ProptestConfig {
        ProptestConfig { rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default() }
    }

    proptest! {
        #![proptest_config(fixed())]

        #[test]
        fn masking_zeroes_its_fraction_and_keeps_the_bits_of_the_rest(p in 0.0f64..=1.0, seed: u64) {
            let (values, touched) = apply(Corruption::masking(p).unwrap(), seed);
            let touched = touched.unwrap();
            for ((value, original), touched) in values.iter().zip(&input().0).zip(&touched) {
                let expected = if *touched { 0.0f32 } else { *original };
                prop_assert_eq!(value.to_bits(), expected.to_bits());
            }
            prop_assert!(is_near(touched.iter().filter(|t| **t).count(), p));
        }

        #[test]
        fn salt_and_pepper_sets_half_its_fraction_to_each_end(p in 0.0f64..=1.0, seed: u64) {
            let (values, touched) = apply(Corruption::salt_and_pepper(p).unwrap(), seed);
            let count = |wanted: f32| values.iter().filter(|v| **v == wanted).count();
            prop_assert!(is_near(count(0.0), p / 2.0) && is_near(count(1.0), p / 2.0));
            for ((value, original), touched) in values.iter().zip(&input().0).zip(&touched.unwrap()) {
                prop_assert!(*touched || value.to_bits() == original.to_bits());
                prop_assert!(!*touched || *value == 0.0 || *value == 1.0);
            }
        }
    }

    #[test]
    fn level_0_is_the_identity_and_probability_1_masks_all() {
        for identity in [
            Corruption::None,
            Corruption::masking(0.0).unwrap(),
            Corruption::salt_and_pepper(0.0).unwrap(),
            Corruption::gaussian(0.0).unwrap(),
            Corruption::deform(0.0, [1, 8, 10]).unwrap(),
        ] {
            assert_eq!(apply(identity, 3).0, input().0, "{identity}");
        }
        assert!(apply(Corruption::masking(1.0).unwrap(), 3).0.iter().all(|value| *value == 0.0));
    }

    #[test]
    fn gaussian_noise_has_its_mean_and_deviation() {
        let (values, _) = apply(Corruption::gaussian(0.5).unwrap(), 1);
        let noise: Vec<f64> =
            values.iter().zip(&input().0).map(|(value, x)| f64::from(value - x)).collect();
        let n = noise.len() as f64;
        let mean = noise.iter().sum::<f64>() / n;
        let variance = noise.iter().map(|e| (e - mean).powi(2)).sum::<f64>() / n;
        assert!(mean.abs() < 4.5 * 0.5 / n.sqrt(), "{mean}");
        assert!((variance / 0.25 - 1.0).abs() < 4.5 * (2.0 / n).sqrt(), "{variance}");
    }

    #[test]
    fn noise_depends_on_the_key() {
        let masking = Corruption::masking(0.5).unwrap();
        assert_eq!(apply(masking, 1), apply(masking, 1));
        assert_ne!(apply(masking, 1), apply(masking, 2));
    }

    /// Of every kind: another epoch, another step, another noise.
    #[test]
    fn no_two_epochs_and_no_two_steps_have_the_same_noise() {
        let keys = [(1, 2), (2, 2), (1, 3)].map(|(epoch, step)| NoiseKey {
            seed: 1,
            phase: Phase::Train(epoch),
            step,
        });
        for corruption in [
            Corruption::masking(0.5).unwrap(),
            Corruption::salt_and_pepper(0.5).unwrap(),
            Corruption::gaussian(0.5).unwrap(),
            Corruption::deform(0.5, [1, 8, 10]).unwrap(),
        ] {
            let [first, epoch, step] =
                keys.map(|key| corruption.apply(input().1, key).values.into_data());
            assert!(first != epoch && first != step && epoch != step, "{corruption}");
        }
    }

    #[test]
    fn levels_out_of_range_are_refused_in_calls_and_files() {
        assert_eq!(
            Corruption::masking(1.5).unwrap_err().to_string(),
            "probability: expected a number in [0, 1], got 1.5"
        );
        assert_eq!(
            Corruption::gaussian(f64::NAN).unwrap_err().to_string(),
            "standard deviation: expected a number from 0, got NaN"
        );
        let json = serde_json::to_string(&Corruption::masking(0.25).unwrap()).unwrap();
        assert_eq!(json, r#"{"masking":0.25}"#);
        assert!(serde_json::from_str::<Corruption>(r#"{"masking":1.25}"#).is_err());
    }
}
