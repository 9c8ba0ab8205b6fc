//! Random splits. The same seed gives the same split on every machine.

use chacha20::ChaCha8Rng;
use rand::{SeedableRng, seq::SliceRandom};

use crate::disk::check_rows;
use crate::{Error, Result, Samples};

/// The training set and the test set of one data set.
///
/// The test set must never choose anything. Split a validation set from `training` with
/// [`split`].
#[derive(Clone, Debug)]
pub struct Splits {
    /// To train on, and to split a validation set from.
    pub training: Samples,
    /// To measure on, once.
    pub test: Samples,
}

impl Splits {
    /// Holds out the fraction `test` of samples that are not split yet.
    ///
    /// # Errors
    /// As [`split`].
    pub fn hold_out(samples: &Samples, test: f64, seed: u64) -> Result<Self> {
        let (training, test) = split(samples, test, seed)?;
        Ok(Self { training, test })
    }
}

/// Splits `n` samples in two at random: `(1 - fraction) n` and `fraction n`, rounded, with at
/// least one in each. Both keep the order of the samples.
///
/// Papers split the 60,000 training images of MNIST into 50,000 and 10,000, a fraction of 1/6. Any
/// number from 0.16666 to 0.16667 gives exactly these counts.
///
/// # Errors
/// If the fraction is not above 0 and below 1, or there are fewer than two samples.
pub fn split(samples: &Samples, fraction: f64, seed: u64) -> Result<(Samples, Samples)> {
    check_rows(samples.len())?;
    let (kept, held_out) = halves(samples.len() as u32, fraction, seed)?;
    Ok((samples.selected(kept), samples.selected(held_out)))
}

/// The rows of the two sets that [`split`] makes of `count` samples, each in order.
///
/// # Errors
/// As [`split`].
pub fn split_rows(count: usize, fraction: f64, seed: u64) -> Result<(Vec<usize>, Vec<usize>)> {
    check_rows(count)?;
    let (kept, held_out) = halves(count as u32, fraction, seed)?;
    let wide = |rows: Vec<u32>| rows.into_iter().map(|row| row as usize).collect();
    Ok((wide(kept), wide(held_out)))
}

/// In 32 bits, since of large sources the rows alone take much memory.
fn halves(count: u32, fraction: f64, seed: u64) -> Result<(Vec<u32>, Vec<u32>)> {
    if !(fraction > 0.0 && fraction < 1.0) {
        return Err(Error::invalid(
            "fraction held out",
            "a number above 0 and below 1",
            fraction.to_string(),
        ));
    }
    if count < 2 {
        return Err(Error::invalid("samples", "at least 2 to split", count.to_string()));
    }
    let mut held_out: Vec<u32> = (0..count).collect();
    held_out.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    let wanted = (f64::from(count) * fraction).round() as usize;
    let mut kept = held_out.split_off(wanted.clamp(1, count as usize - 1));
    // What was split off still has room for all.
    held_out.shrink_to_fit();
    kept.sort_unstable();
    held_out.sort_unstable();
    Ok((kept, held_out))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Shape;
    use proptest::prelude::*;

    fn column(count: usize) -> Samples {
        let values = (0..count).map(|value| value as f32).collect();
        Samples::from_floats(values, Shape::table(1)).unwrap()
    }

    fn values(samples: &Samples) -> Vec<f32> {
        (0..samples.len()).map(|row| samples.row(row)[0]).collect()
    }

    proptest! {
        #[test]
        fn splits_are_disjoint_and_complete(count in 2usize..200, fraction in 0.01f64..0.99, seed: u64) {
            let (kept, held_out) = split(&column(count), fraction, seed).unwrap();
            prop_assert!(!kept.is_empty() && !held_out.is_empty());
            let mut all = [values(&kept), values(&held_out)].concat();
            all.sort_by(f32::total_cmp);
            prop_assert_eq!(all, values(&column(count)));
        }
    }

    #[test]
    fn split_depends_on_the_seed_alone() {
        let held_out = |seed| values(&split(&column(100), 0.1, seed).unwrap().1);
        assert_eq!(held_out(3), held_out(3));
        assert_ne!(held_out(3), held_out(4));
        assert_eq!(held_out(3).len(), 10);
    }

    #[test]
    fn a_sixth_of_mnist_is_10_000() {
        let held_out = |count, fraction| split(&column(count), fraction, 0).unwrap().1.len();
        for sixth in [1.0 / 6.0, 0.16666, 0.166_667, 0.16667] {
            let counts = [60_000, 12_000, 1_200].map(|count| held_out(count, sixth));
            assert_eq!(counts, [10_000, 2_000, 200], "{sixth}");
        }
        assert_eq!(held_out(8_000, 0.25), 2_000);
    }

    #[test]
    fn bad_fractions_and_single_samples_are_refused() {
        assert_eq!(
            split(&column(10), 1.0, 0).unwrap_err().to_string(),
            "fraction held out: expected a number above 0 and below 1, got 1"
        );
        assert_eq!(
            split(&column(1), 0.5, 0).unwrap_err().to_string(),
            "samples: expected at least 2 to split, got 1"
        );
    }
}
