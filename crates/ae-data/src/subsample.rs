//! Random subsets of samples.

use rand::seq::SliceRandom;

use crate::rng::Rng;
use crate::{Error, Result, Samples};

/// `count` random samples, in their original order. With the same seed, a smaller subset is always
/// contained in a larger one.
///
/// ```
/// use ae_data::{digits, subsample};
/// let few = subsample(&digits::generate(100, 0), 10, 0)?;
/// assert_eq!(few.len(), 10);
/// # Ok::<(), ae_data::Error>(())
/// ```
///
/// # Errors
/// If `count` is 0 or larger than the number of samples.
pub fn subsample(samples: &Samples, count: usize, seed: u64) -> Result<Samples> {
    if !(1..=samples.len()).contains(&count) {
        let expected = format!("1 to {}, the number of samples", samples.len());
        return Err(Error::invalid("samples to draw", expected, count.to_string()));
    }
    if count == samples.len() {
        return Ok(samples.clone());
    }
    let mut rows: Vec<usize> = (0..samples.len()).collect();
    // Another stream than that of `split`, so that the two draws are independent.
    rows.shuffle(&mut Rng::stream(seed, 1).0);
    rows.truncate(count);
    rows.sort_unstable();
    Ok(samples.subset(&rows))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Shape;
    use proptest::prelude::*;

    fn subsampled(of: usize, count: usize, seed: u64) -> Vec<f32> {
        let values = (0..of).map(|value| value as f32).collect();
        let samples = Samples::from_floats(values, Shape::table(1)).unwrap();
        let few = subsample(&samples, count, seed).unwrap();
        (0..few.len()).map(|row| few.row(row)[0]).collect()
    }

    proptest! {
        #[test]
        fn smaller_subsets_are_contained_in_larger_ones(of in 1..100usize, seed: u64) {
            let all = subsampled(of, of, seed);
            prop_assert_eq!(&all, &(0..of).map(|value| value as f32).collect::<Vec<_>>());
            let mut more = all;
            for count in (1..of).rev() {
                let fewer = subsampled(of, count, seed);
                prop_assert!(fewer.len() == count && fewer.is_sorted_by(|a, b| a < b));
                prop_assert!(fewer.iter().all(|value| more.contains(value)));
                more = fewer;
            }
        }
    }

    #[test]
    fn subset_depends_on_the_seed_alone() {
        assert_eq!(subsampled(100, 10, 1), subsampled(100, 10, 1));
        assert_ne!(subsampled(100, 10, 1), subsampled(100, 10, 2));
        let samples = Samples::from_floats(vec![0.0; 5], Shape::table(1)).unwrap();
        for count in [0, 6] {
            let error = subsample(&samples, count, 0).unwrap_err().to_string();
            let expected = "samples to draw: expected 1 to 5, the number of samples, got";
            assert_eq!(error, format!("{expected} {count}"));
        }
    }
}
