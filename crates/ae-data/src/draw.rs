//! Fewer samples than there are, drawn by seed.

use rand::seq::SliceRandom;

use crate::chance::Chance;
use crate::{Error, Result, Samples};

/// The first `count` samples of a random order, in the order they came in. Of the same samples and
/// seed, fewer are always among more.
///
/// ```
/// use ae_data::{digits, draw};
/// let few = draw(&digits::generate(100, 0), 10, 0)?;
/// assert_eq!(few.len(), 10);
/// # Ok::<(), ae_data::Error>(())
/// ```
///
/// # Errors
/// If `count` is 0 or more than there are.
pub fn draw(samples: &Samples, count: usize, seed: u64) -> Result<Samples> {
    if !(1..=samples.len()).contains(&count) {
        let expected = format!("1 to the {} that there are", samples.len());
        return Err(Error::invalid("samples to draw", expected, count.to_string()));
    }
    if count == samples.len() {
        return Ok(samples.clone());
    }
    let mut rows: Vec<usize> = (0..samples.len()).collect();
    // Another stream than that of `split`, so that what is held out has no say in what is drawn.
    rows.shuffle(&mut Chance::stream(seed, 1).0);
    rows.truncate(count);
    rows.sort_unstable();
    Ok(samples.subset(&rows))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Shape;
    use proptest::prelude::*;

    fn drawn(of: usize, count: usize, seed: u64) -> Vec<f32> {
        let values = (0..of).map(|value| value as f32).collect();
        let samples = Samples::from_floats(values, Shape::table(1)).unwrap();
        let few = draw(&samples, count, seed).unwrap();
        (0..few.len()).map(|row| few.row(row)[0]).collect()
    }

    proptest! {
        #[test]
        fn fewer_are_among_more_and_none_comes_twice(of in 1..100usize, seed: u64) {
            let all = drawn(of, of, seed);
            prop_assert_eq!(&all, &(0..of).map(|value| value as f32).collect::<Vec<_>>());
            let mut more = all;
            for count in (1..of).rev() {
                let fewer = drawn(of, count, seed);
                prop_assert!(fewer.len() == count && fewer.is_sorted_by(|a, b| a < b));
                prop_assert!(fewer.iter().all(|value| more.contains(value)));
                more = fewer;
            }
        }
    }

    #[test]
    fn the_seed_decides() {
        assert_eq!(drawn(100, 10, 1), drawn(100, 10, 1));
        assert_ne!(drawn(100, 10, 1), drawn(100, 10, 2));
        let samples = Samples::from_floats(vec![0.0; 5], Shape::table(1)).unwrap();
        for count in [0, 6] {
            let error = draw(&samples, count, 0).unwrap_err().to_string();
            let expected = "samples to draw: expected 1 to the 5 that there are, got";
            assert_eq!(error, format!("{expected} {count}"));
        }
    }
}
