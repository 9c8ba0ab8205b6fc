//! Variations of MNIST: its digits as they are, turned, or over noise (Larochelle et al. 2007).

mod turn;

use rand::{Rng, seq::SliceRandom};

use crate::chance::Chance;
use crate::{Error, Labels, Parts, Result, Samples, Shape};

/// What is done to the digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variation {
    /// Nothing: `mnist-basic`.
    Basic,
    /// Each is turned by an angle of its own: `mnist-rot`.
    Turned,
    /// Each lies over noise of its own: `mnist-bg-rand`.
    Noise,
}

/// Digits to train on, of which the paper kept 2,000 to choose by, and digits to test on.
pub(crate) const COUNTS: (usize, usize) = (12_000, 50_000);

/// Digits drawn without replacement from both parts of MNIST (or of any grey images), varied.
///
/// Regenerated after H. Larochelle, D. Erhan, A. Courville, J. Bergstra and Y. Bengio, "An
/// empirical evaluation of deep architectures on problems with many factors of variation" (ICML
/// 2007): these are not the published files, whose digits, angles and noise are others.
///
/// | what | how | whose choice |
/// |---|---|---|
/// | digits | `counts.0` to train and `counts.1` to test on (12,000 and 50,000 in the paper), in random order, none of them twice | the paper's |
/// | which | decided by the seed; the same ones for all three variations; which are tested on does not depend on how many there are to train on | ours |
/// | turn | an angle uniform in \[0, 2 pi) | the paper's |
/// | about | the middle of the picture, counter-clockwise, each pixel by bilinear interpolation, black from outside | ours |
/// | noise | each pixel uniform in 0 to 255 | the paper's |
/// | digit over noise | the brighter of the two | ours |
///
/// The angle and the noise of a digit depend on `seed` and on its place in the data set only. The
/// arithmetic is that which IEEE 754 fixes to the bit, so the bytes are the same on every machine.
///
/// # Errors
/// If a count is 0, there are not as many digits, or they are not grey images of one size.
///
/// ```
/// use ae_data::{Parts, digits, variations::{self, Variation}};
/// let digits = Parts { training: digits::generate(60, 0), test: digits::generate(40, 1) };
/// let turned = variations::make(Variation::Turned, &digits, (50, 30), 0)?;
/// assert_eq!((turned.training.len(), turned.test.len()), (50, 30));
/// # Ok::<(), ae_data::Error>(())
/// ```
pub fn make(
    variation: Variation,
    digits: &Parts,
    counts: (usize, usize),
    seed: u64,
) -> Result<Parts> {
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
            format!("at least 1 each, and no more than the {there} digits that there are together"),
            format!("{training} and {test}"),
        ));
    }
    let mut rows: Vec<usize> = (0..there).collect();
    rows.shuffle(&mut Chance::stream(seed, WHICH).0);
    let vary = |rows: &[usize]| variation.all(digits, rows, (height, width), seed);
    let parts = (vary(&rows[..training])?, {
        rows.reverse();
        vary(&rows[..test])?
    });
    Ok(Parts { training: parts.0, test: parts.1 })
}

/// The stream that decides which digits are taken; the digits count theirs from 0.
const WHICH: u64 = u64::MAX;

impl Variation {
    pub(crate) const ALL: [Self; 3] = [Self::Basic, Self::Turned, Self::Noise];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Basic => "mnist-basic",
            Self::Turned => "mnist-rot",
            Self::Noise => "mnist-bg-rand",
        }
    }

    pub(crate) fn what(self) -> &'static str {
        match self {
            Self::Basic => {
                "62,000 digits of MNIST, regenerated, not the published files (Larochelle et al. 2007)"
            }
            Self::Turned => {
                "62,000 digits of MNIST, each turned, regenerated, not the published files \
                 (Larochelle et al. 2007)"
            }
            Self::Noise => {
                "62,000 digits of MNIST over noise, regenerated, not the published files (Larochelle \
                 et al. 2007)"
            }
        }
    }

    /// Digits by their places in both parts, varied.
    fn all(
        self,
        digits: &Parts,
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
                None => digits.training.copy_raw_row(row, &mut raw),
                Some(row) => digits.test.copy_raw_row(row, &mut raw),
            }
            for (byte, value) in digit.iter_mut().zip(&raw) {
                *byte = (value * 255.0 + 0.5) as u8;
            }
            self.one(&digit, size, &mut Chance::stream(seed, row as u64), out);
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

    fn one(self, digit: &[u8], size: (usize, usize), chance: &mut Chance, out: &mut [u8]) {
        match self {
            Self::Basic => out.copy_from_slice(digit),
            Self::Turned => turn::turn(digit, size, turn::Angle::pick(chance), out),
            Self::Noise => {
                chance.0.fill_bytes(out);
                out.iter_mut().zip(digit).for_each(|(noise, ink)| *noise = (*noise).max(*ink));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    /// A pool in which every digit is another picture: two pixels say which, one its class.
    fn pool(training: usize, test: usize) -> Parts {
        let part = |rows: std::ops::Range<usize>| {
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
        Parts { training: part(0..training), test: part(training..training + test) }
    }

    fn bytes(samples: &Samples, row: usize) -> Vec<u8> {
        samples.row(row).iter().map(|value| (value * 255.0).round() as u8).collect()
    }

    /// Which digits of the pool samples are, where nothing was done to them.
    fn which(samples: &Samples) -> Vec<usize> {
        let rows = (0..samples.len()).map(|row| bytes(samples, row));
        rows.map(|row| usize::from(row[12]) + 251 * usize::from(row[13])).collect()
    }

    #[test]
    fn no_digit_is_drawn_twice_and_each_keeps_its_class() {
        let pool = pool(600, 100);
        let made = |counts, seed| make(Variation::Basic, &pool, counts, seed).unwrap();
        let parts = made((120, 500), 3);
        let mut all = [which(&parts.training), which(&parts.test)].concat();
        assert!(
            all[..120].iter().any(|row| *row >= 600) && all[120..].iter().any(|row| *row < 600)
        );
        for part in [&parts.training, &parts.test] {
            let classes: Vec<u32> = which(part).iter().map(|row| (row % 10) as u32).collect();
            assert_eq!(part.labels().unwrap().classes(), classes);
        }
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 620);

        let fewer = made((50, 30), 3);
        assert_eq!(which(&fewer.training), which(&parts.training)[..50]);
        assert_eq!(which(&fewer.test), which(&parts.test)[..30]);
        assert_ne!(which(&made((50, 30), 4).test), which(&fewer.test));
        assert_eq!(made((200, 500), 3).training.len() + made((200, 500), 3).test.len(), 700);
    }

    #[test]
    fn the_variations_are_of_the_same_digits() {
        let digits = Parts {
            training: crate::digits::generate(150, 1),
            test: crate::digits::generate(50, 2),
        };
        let made = |variation, seed| make(variation, &digits, (100, 60), seed).unwrap();
        let [basic, turned, noise] = Variation::ALL.map(|variation| made(variation, 5));
        let labels = |parts: &Parts| {
            [&parts.training, &parts.test].map(|part| part.labels().unwrap().classes().to_vec())
        };
        assert_eq!(labels(&basic), labels(&turned));
        assert_eq!(labels(&basic), labels(&noise));
        assert_ne!(basic.test.row(0), turned.test.row(0));
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
        let pool = Parts { training: black.clone(), test: black };
        let parts = make(Variation::Noise, &pool, (40, 40), 1).unwrap();
        let mut counts: HashMap<u8, usize> = HashMap::new();
        for part in [&parts.training, &parts.test] {
            for row in 0..40 {
                bytes(part, row).into_iter().for_each(|byte| *counts.entry(byte).or_default() += 1);
            }
        }
        // 62,720 pixels: 245 of each value, with a deviation of 16.
        assert!(
            counts.len() == 256 && counts.values().all(|n| (165..325).contains(n)),
            "{counts:?}"
        );
        assert_ne!(bytes(&parts.training, 0), bytes(&parts.training, 1));
    }

    #[test]
    fn what_cannot_be_made_is_refused() {
        let message =
            |pool: &Parts, counts| make(Variation::Basic, pool, counts, 0).unwrap_err().to_string();
        let expected = "training and test samples: expected at least 1 each, and no more than the 70 \
                        digits that there are together, got 60 and 11";
        assert_eq!(message(&pool(60, 10), (60, 11)), expected);
        assert!(message(&pool(60, 10), (0, 5)).ends_with("got 0 and 5"));
        assert!(message(&pool(60, 10), (usize::MAX, 5)).contains("no more than the 70"));
        let table = Samples::from_floats(vec![0.0; 4], Shape::table(2)).unwrap();
        let table = Parts { training: table.clone(), test: table };
        assert_eq!(message(&table, (1, 1)), "digits to vary: expected grey images, got 2 columns");
    }
}
