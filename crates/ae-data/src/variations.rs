//! Variations of MNIST: its digits unchanged, rotated, or over noise (Larochelle et al. 2007).

mod rotate;

use rand::{Rng as _, seq::SliceRandom};

use crate::rng::Rng;
use crate::{Error, Labels, Result, Samples, Shape, Splits};

/// What is done to the digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variation {
    /// The digits are unchanged: `mnist-basic`.
    Basic,
    /// Each digit is rotated by a random angle: `mnist-rot`.
    Rotated,
    /// Each digit is drawn over random noise: `mnist-bg-rand`.
    Noise,
}

/// The paper's numbers of training digits, of which it validated on 2,000, and of test digits.
pub(crate) const COUNTS: (usize, usize) = (12_000, 50_000);

/// Draws digits without replacement from the training and test sets of MNIST (or of any grey images)
/// and varies them.
///
/// Regenerated after H. Larochelle, D. Erhan, A. Courville, J. Bergstra and Y. Bengio, "An
/// empirical evaluation of deep architectures on problems with many factors of variation" (ICML
/// 2007): these are not the published files, whose digits, angles and noise are others.
///
/// | what | how | whose choice |
/// |---|---|---|
/// | digits | `counts.0` to train on and `counts.1` to test on (12,000 and 50,000 in the paper), in random order, none twice | the paper's |
/// | choice | by the seed, the same for all three variations; the test digits do not depend on the number of training digits | ours |
/// | rotation | by an angle uniform in \[0, 2 pi) | the paper's |
/// | how | about the middle of the picture, counter-clockwise, with bilinear interpolation and black outside | ours |
/// | noise | each pixel uniform in 0 to 255 | the paper's |
/// | digit over noise | the brighter of the two | ours |
///
/// The angle and the noise of a digit depend only on `seed` and on its index in the data set. The code
/// uses only arithmetic that IEEE 754 defines to the bit, so the bytes are the same on every machine.
///
/// # Errors
/// If a count is 0, there are fewer digits, or they are not grey images of one size.
///
/// ```
/// use ae_data::{Splits, digits, variations::{self, Variation}};
/// let digits = Splits { training: digits::generate(60, 0), test: digits::generate(40, 1) };
/// let rotated = variations::generate(Variation::Rotated, &digits, (50, 30), 0)?;
/// assert_eq!((rotated.training.len(), rotated.test.len()), (50, 30));
/// # Ok::<(), ae_data::Error>(())
/// ```
pub fn generate(
    variation: Variation,
    digits: &Splits,
    counts: (usize, usize),
    seed: u64,
) -> Result<Splits> {
    let shape = digits.training.shape();
    let &Shape::Image { channels: 1, height, width } = shape else {
        return Err(Error::invalid("digits to vary", "grey images", shape.to_string()));
    };
    if digits.test.shape() != shape {
        let got = digits.test.shape().to_string();
        return Err(Error::invalid("digits to test on", format!("images of {shape}"), got));
    }
    let there = digits.training.len() + digits.test.len();
    let (training, test) = counts;
    if training == 0 || test == 0 || training.saturating_add(test) > there {
        return Err(Error::invalid(
            "training and test samples",
            format!("at least 1 each, and at most {there} together, the number of digits"),
            format!("{training} and {test}"),
        ));
    }
    let mut rows: Vec<usize> = (0..there).collect();
    rows.shuffle(&mut Rng::stream(seed, CHOICE).0);
    let vary = |rows: &[usize]| variation.all(digits, rows, (height, width), seed);
    let splits = (vary(&rows[..training])?, {
        rows.reverse();
        vary(&rows[..test])?
    });
    Ok(Splits { training: splits.0, test: splits.1 })
}

/// The random stream of the choice of digits. Digits have the streams from 0 on.
const CHOICE: u64 = u64::MAX;

impl Variation {
    pub(crate) const ALL: [Self; 3] = [Self::Basic, Self::Rotated, Self::Noise];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Basic => "mnist-basic",
            Self::Rotated => "mnist-rot",
            Self::Noise => "mnist-bg-rand",
        }
    }

    pub(crate) fn description(self) -> &'static str {
        match self {
            Self::Basic => {
                "62,000 digits of MNIST, regenerated, not the published files (Larochelle et al. 2007)"
            }
            Self::Rotated => {
                "62,000 digits of MNIST, each rotated, regenerated, not the published files \
                 (Larochelle et al. 2007)"
            }
            Self::Noise => {
                "62,000 digits of MNIST over noise, regenerated, not the published files (Larochelle \
                 et al. 2007)"
            }
        }
    }

    /// Varies the digits with these indices, which count through the training set, then the test set.
    fn all(
        self,
        digits: &Splits,
        rows: &[usize],
        size: (usize, usize),
        seed: u64,
    ) -> Result<Samples> {
        let first = digits.training.len();
        let pixels = size.0 * size.1;
        let mut raw = vec![0.0; pixels];
        let mut digit = vec![0; pixels];
        let mut varied = vec![0; rows.len() * pixels];
        for (out, &row) in varied.chunks_exact_mut(pixels).zip(rows) {
            match row.checked_sub(first) {
                None => digits.training.copy_raw_row(row, &mut raw)?,
                Some(row) => digits.test.copy_raw_row(row, &mut raw)?,
            }
            for (byte, value) in digit.iter_mut().zip(&raw) {
                *byte = (value * 255.0 + 0.5) as u8;
            }
            self.one(&digit, size, &mut Rng::stream(seed, row as u64), out);
        }
        let samples = Samples::from_bytes(varied, digits.training.shape().clone())?;
        let (Some(training), Some(test)) = (digits.training.labels(), digits.test.labels()) else {
            return Ok(samples);
        };
        let class = |&row: &usize| match row.checked_sub(first) {
            None => training.classes()[row],
            Some(row) => test.classes()[row],
        };
        let classes = rows.iter().map(class).collect();
        samples.with_labels(Labels::new(classes, training.names().to_vec())?)
    }

    fn one(self, digit: &[u8], size: (usize, usize), rng: &mut Rng, out: &mut [u8]) {
        match self {
            Self::Basic => out.copy_from_slice(digit),
            Self::Rotated => rotate::rotate(digit, size, rotate::Angle::sample(rng), out),
            Self::Noise => {
                rng.0.fill_bytes(out);
                out.iter_mut().zip(digit).for_each(|(noise, digit)| *noise = (*noise).max(*digit));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    /// Digits that all differ: two pixels encode the index, and the label follows from it.
    fn pool(training: usize, test: usize) -> Splits {
        let set = |rows: std::ops::Range<usize>| {
            let pixels = rows.clone().flat_map(|row| {
                let mut picture = [0; 25];
                picture[12] = (row % 251) as u8;
                picture[13] = (row / 251) as u8;
                picture
            });
            let classes = rows.map(|row| (row % 10) as u32).collect();
            let names = (0..10).map(|class: usize| class.to_string()).collect();
            Samples::from_bytes(pixels.collect(), Shape::image(1, 5, 5))
                .and_then(|samples| samples.with_labels(Labels::new(classes, names)?))
                .unwrap()
        };
        Splits { training: set(0..training), test: set(training..training + test) }
    }

    fn bytes(samples: &Samples, row: usize) -> Vec<u8> {
        samples.row(row).iter().map(|value| (value * 255.0).round() as u8).collect()
    }

    /// The indices of unchanged digits in the pool.
    fn indices(samples: &Samples) -> Vec<usize> {
        let rows = (0..samples.len()).map(|row| bytes(samples, row));
        rows.map(|row| usize::from(row[12]) + 251 * usize::from(row[13])).collect()
    }

    #[test]
    fn digits_are_drawn_without_replacement_and_keep_their_classes() {
        let pool = pool(600, 100);
        let made = |counts, seed| generate(Variation::Basic, &pool, counts, seed).unwrap();
        let splits = made((120, 500), 3);
        let mut all = [indices(&splits.training), indices(&splits.test)].concat();
        assert!(
            all[..120].iter().any(|row| *row >= 600) && all[120..].iter().any(|row| *row < 600)
        );
        for part in [&splits.training, &splits.test] {
            let classes: Vec<u32> = indices(part).iter().map(|row| (row % 10) as u32).collect();
            assert_eq!(part.labels().unwrap().classes(), classes);
        }
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 620);

        let fewer = made((50, 30), 3);
        assert_eq!(indices(&fewer.training), indices(&splits.training)[..50]);
        assert_eq!(indices(&fewer.test), indices(&splits.test)[..30]);
        assert_ne!(indices(&made((50, 30), 4).test), indices(&fewer.test));
        assert_eq!(made((200, 500), 3).training.len() + made((200, 500), 3).test.len(), 700);
    }

    #[test]
    fn all_variations_have_the_same_digits() {
        let digits = Splits {
            training: crate::digits::generate(150, 1),
            test: crate::digits::generate(50, 2),
        };
        let made = |variation, seed| generate(variation, &digits, (100, 60), seed).unwrap();
        let [basic, rotated, noise] = Variation::ALL.map(|variation| made(variation, 5));
        let labels = |splits: &Splits| {
            [&splits.training, &splits.test].map(|part| part.labels().unwrap().classes().to_vec())
        };
        assert_eq!(labels(&basic), labels(&rotated));
        assert_eq!(labels(&basic), labels(&noise));
        assert_ne!(basic.test.row(0), rotated.test.row(0));
        for row in 0..60 {
            let (digit, over) = (bytes(&basic.test, row), bytes(&noise.test, row));
            assert!(digit.iter().zip(&over).all(|(ink, pixel)| pixel >= ink));
            assert!(
                digit.iter().zip(&over).filter(|(ink, _)| **ink == 255).all(|(_, p)| *p == 255)
            );
        }
        assert_eq!(bytes(&noise.test, 7), bytes(&made(Variation::Noise, 5).test, 7));
        assert_ne!(bytes(&noise.test, 7), bytes(&made(Variation::Noise, 6).test, 7));
    }

    #[test]
    fn noise_is_uniform() {
        let black = Samples::from_bytes(vec![0; 40 * 784], Shape::image(1, 28, 28)).unwrap();
        let pool = Splits { training: black.clone(), test: black };
        let splits = generate(Variation::Noise, &pool, (40, 40), 1).unwrap();
        let mut counts: HashMap<u8, usize> = HashMap::new();
        for part in [&splits.training, &splits.test] {
            for row in 0..40 {
                bytes(part, row).into_iter().for_each(|byte| *counts.entry(byte).or_default() += 1);
            }
        }
        // 62,720 pixels: 245 of each value, with a standard deviation of 16.
        assert!(
            counts.len() == 256 && counts.values().all(|n| (165..325).contains(n)),
            "{counts:?}"
        );
        assert_ne!(bytes(&splits.training, 0), bytes(&splits.training, 1));
    }

    #[test]
    fn bad_counts_and_shapes_are_refused() {
        let message = |pool: &Splits, counts| {
            generate(Variation::Basic, pool, counts, 0).unwrap_err().to_string()
        };
        let expected = "training and test samples: expected at least 1 each, and at most 70 together, \
                        the number of digits, got 60 and 11";
        assert_eq!(message(&pool(60, 10), (60, 11)), expected);
        assert!(message(&pool(60, 10), (0, 5)).ends_with("got 0 and 5"));
        assert!(message(&pool(60, 10), (usize::MAX, 5)).contains("at most 70 together"));
        let table = Samples::from_floats(vec![0.0; 4], Shape::table(2)).unwrap();
        let table = Splits { training: table.clone(), test: table };
        assert_eq!(message(&table, (1, 1)), "digits to vary: expected grey images, got 2 columns");
    }
}
