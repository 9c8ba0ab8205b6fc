//! Splits that keep the shares of the classes, and cross-validation.

use chacha20::ChaCha8Rng;
use rand::{SeedableRng, seq::SliceRandom};

use crate::{Error, Result, Samples};

/// Splits samples in two as [`split`](crate::split()) does, class by class: both parts have the classes in the
/// shares that all samples have them in, up to rounding. A class of one sample stays in the first part.
///
/// ```
/// use ae_data::{digits, stratified_split};
/// let (training, validation) = stratified_split(&digits::generate(100, 0), 0.2, 0)?;
/// let mut counts = [0; 10];
/// validation.labels().unwrap().classes().iter().for_each(|class| counts[*class as usize] += 1);
/// assert_eq!((training.len(), counts), (80, [2; 10]));
/// # Ok::<(), ae_data::Error>(())
/// ```
///
/// # Errors
/// If the fraction is not above 0 and below 1, the samples have no labels, or no class has two.
pub fn stratified_split(samples: &Samples, fraction: f64, seed: u64) -> Result<(Samples, Samples)> {
    if !(fraction > 0.0 && fraction < 1.0) {
        let got = fraction.to_string();
        return Err(Error::invalid("fraction held out", "a number above 0 and below 1", got));
    }
    let (mut kept, mut held_out) = (vec![], vec![]);
    for mut rows in shuffled_by_class(samples, seed)? {
        let count = (rows.len() as f64 * fraction).round() as usize;
        let rest = rows.split_off(count.clamp(1.min(rows.len() - 1), rows.len() - 1));
        held_out.extend(rows);
        kept.extend(rest);
    }
    if held_out.is_empty() {
        return Err(Error::invalid("samples", "a class with at least 2", "none"));
    }
    kept.sort_unstable();
    held_out.sort_unstable();
    Ok((samples.subset(&kept), samples.subset(&held_out)))
}

/// The pairs of training and validation samples of a `folds`-fold cross-validation: every sample validates
/// once. The seed shuffles them.
///
/// ```
/// use ae_data::{digits, k_fold};
/// for (training, validation) in k_fold(&digits::generate(100, 0), 5, 0)? {
///     assert_eq!((training.len(), validation.len()), (80, 20));
/// }
/// # Ok::<(), ae_data::Error>(())
/// ```
///
/// # Errors
/// If there are fewer than 2 folds, or more than samples.
pub fn k_fold(
    samples: &Samples,
    folds: usize,
    seed: u64,
) -> Result<impl Iterator<Item = (Samples, Samples)>> {
    check(samples, folds)?;
    let mut rows: Vec<usize> = (0..samples.len()).collect();
    rows.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    Ok(pairs(samples.clone(), folds, rows))
}

/// As [`k_fold`], with the classes in every fold in the shares that all samples have them in, up to rounding.
///
/// # Errors
/// As [`k_fold`], and if the samples have no labels.
pub fn stratified_k_fold(
    samples: &Samples,
    folds: usize,
    seed: u64,
) -> Result<impl Iterator<Item = (Samples, Samples)>> {
    check(samples, folds)?;
    // Dealt out one after the other, class by class.
    let rows = shuffled_by_class(samples, seed)?.into_iter().flatten().collect();
    Ok(pairs(samples.clone(), folds, rows))
}

fn check(samples: &Samples, folds: usize) -> Result<()> {
    match (2..=samples.len()).contains(&folds) {
        true => Ok(()),
        false => {
            let expected = format!("2 to {}, the number of samples", samples.len());
            Err(Error::invalid("folds", expected, folds.to_string()))
        }
    }
}

/// Row `i` of the order validates in fold `i mod folds`.
fn pairs(
    samples: Samples,
    folds: usize,
    order: Vec<usize>,
) -> impl Iterator<Item = (Samples, Samples)> {
    (0..folds).map(move |fold| {
        let rows = |is_held_out: bool| {
            let rows = order.iter().enumerate();
            let rows = rows.filter(|(place, _)| (place % folds == fold) == is_held_out);
            let mut rows: Vec<usize> = rows.map(|(_, row)| *row).collect();
            rows.sort_unstable();
            samples.subset(&rows)
        };
        (rows(false), rows(true))
    })
}

/// The rows of each class that has any, shuffled.
fn shuffled_by_class(samples: &Samples, seed: u64) -> Result<Vec<Vec<usize>>> {
    let Some(labels) = samples.labels() else {
        return Err(Error::invalid("samples", "a class for each", "none"));
    };
    let mut classes = vec![vec![]; labels.names().len()];
    labels.classes().iter().enumerate().for_each(|(row, class)| classes[*class as usize].push(row));
    classes.retain(|rows| !rows.is_empty());
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    classes.iter_mut().for_each(|rows| rows.shuffle(&mut rng));
    Ok(classes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Labels, Shape};

    /// Classes of 12, 6, 1 and no samples; the value is the row.
    fn samples() -> Samples {
        let values = (0..19).map(|value| value as f32).collect();
        let classes = (0..19).map(|row| [0, 1, 0][row % 3]).map(|class| class as u32);
        let mut classes: Vec<u32> = classes.collect();
        classes[18] = 2;
        let names = ["a", "b", "c", "d"].map(str::to_owned).into();
        let samples = Samples::from_floats(values, Shape::table(1)).unwrap();
        samples.with_labels(Labels::new(classes, names).unwrap()).unwrap()
    }

    fn rows(samples: &Samples) -> Vec<usize> {
        (0..samples.len()).map(|row| samples.row(row)[0] as usize).collect()
    }

    fn counts(samples: &Samples) -> [usize; 4] {
        let mut counts = [0; 4];
        let labels = samples.labels().unwrap().classes();
        labels.iter().for_each(|class| counts[*class as usize] += 1);
        counts
    }

    /// A third of 12 and 6 is 4 and 2; the one sample of the third class is kept.
    #[test]
    fn classes_keep_their_shares() {
        assert_eq!(counts(&samples()), [12, 6, 1, 0]);
        let (kept, held_out) = stratified_split(&samples(), 1.0 / 3.0, 7).unwrap();
        assert_eq!((counts(&kept), counts(&held_out)), ([8, 4, 1, 0], [4, 2, 0, 0]));
        let mut all = [rows(&kept), rows(&held_out)].concat();
        assert!(rows(&kept).is_sorted() && rows(&held_out).is_sorted());
        all.sort_unstable();
        assert_eq!(all, (0..19).collect::<Vec<_>>());
        let other = stratified_split(&samples(), 1.0 / 3.0, 8).unwrap().1;
        assert_ne!(rows(&other), rows(&held_out));
    }

    #[test]
    fn every_sample_validates_once() {
        let folds: Vec<_> = k_fold(&samples(), 4, 0).unwrap().collect();
        let stratified: Vec<_> = stratified_k_fold(&samples(), 3, 0).unwrap().collect();
        assert_eq!(folds.iter().map(|fold| fold.1.len()).collect::<Vec<_>>(), [5, 5, 5, 4]);
        for (_, held_out) in &stratified {
            assert_eq!(counts(held_out)[..2], [4, 2]);
        }
        for folds in [folds, stratified] {
            let mut seen = vec![];
            for (training, validation) in &folds {
                assert_eq!(training.len() + validation.len(), 19);
                assert!(rows(validation).iter().all(|row| !rows(training).contains(row)));
                seen.extend(rows(validation));
            }
            seen.sort_unstable();
            assert_eq!(seen, (0..19).collect::<Vec<_>>());
        }
    }

    #[test]
    fn what_cannot_be_split_is_refused() {
        let message = |error: Option<Error>| error.unwrap().to_string();
        let unlabelled = Samples::from_floats(vec![0.0; 4], Shape::table(1)).unwrap();
        assert_eq!(
            message(stratified_split(&unlabelled, 0.5, 0).err()),
            "samples: expected a class for each, got none"
        );
        assert_eq!(
            message(stratified_split(&samples(), 0.0, 0).err()),
            "fraction held out: expected a number above 0 and below 1, got 0"
        );
        assert_eq!(
            message(stratified_split(&samples().subset(&[0, 1, 18]), 0.5, 0).err()),
            "samples: expected a class with at least 2, got none"
        );
        assert_eq!(
            message(k_fold(&samples(), 1, 0).err()),
            "folds: expected 2 to 19, the number of samples, got 1"
        );
    }
}
