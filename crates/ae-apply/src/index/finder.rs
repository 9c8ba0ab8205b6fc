//! The search for duplicates: a distance and a threshold, both found from edits of the images themselves.

use std::collections::HashMap;

use burn::tensor::Device;

use super::{Calibration, Codes, Edit, EditMetric, Metric, Trial, within};
use crate::{Error, Result};

/// The codes of images after an edit.
#[derive(Clone, Debug, PartialEq)]
pub struct Edited {
    /// The edit.
    pub edit: Edit,
    /// The rows of the gallery that were edited.
    pub rows: Vec<usize>,
    /// The code of each after the edit.
    pub codes: Codes,
}

/// Two codes of a gallery that are the same image.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Pair {
    /// Their rows, the smaller first.
    pub rows: [usize; 2],
    /// Their distance.
    pub distance: f32,
}

/// A distance, and the threshold up to which two images are the same.
///
/// Half of the edited images fit the [distance](EditMetric), the other half choose the threshold
/// ([`Calibration`]): a threshold chosen on images that the distance was fitted to would be too small for others. The
/// plain Euclidean distance is tried as well, and taken where it finds more.
///
/// The precision and recall of the [calibration](Self::calibration) are cross-validated: a fifth of the images that
/// choose is left out in turn, distance and threshold are chosen by the others, and the images left out are counted.
#[derive(Clone, Debug)]
pub struct DuplicateFinder {
    metric: EditMetric,
    calibration: Calibration,
}

/// The smallest number of images to edit, for a metric and a threshold fitted to them.
const FEWEST: usize = 4;

impl DuplicateFinder {
    /// The number of images to edit where there are more.
    pub const EDITED: usize = 500;

    /// Finds distance and threshold from edits of images of the gallery. `is_known` says of two rows that they are
    /// known to be the same image, such as equal files; these count neither as right nor as wrong. Copies in the gallery
    /// that it does not know count as wrong and make the threshold smaller.
    ///
    /// # Errors
    /// If fewer than 4 images were edited, no threshold has a precision of
    /// [0.99](Calibration::PRECISION), or rows and codes do not fit.
    pub fn calibrate(
        gallery: &Codes,
        edited: &[Edited],
        is_known: &(dyn Fn(usize, usize) -> bool + Sync),
        device: &Device,
    ) -> Result<Self> {
        let fewest = edited.iter().map(|it| it.rows.len()).min().unwrap_or(0);
        if fewest < FEWEST {
            let expected = format!("at least {FEWEST} images to edit, to find a threshold by");
            return Err(Error::setting("duplicates", expected, fewest));
        }
        let part = |it: &Edited, odd: usize| -> Edited {
            let places: Vec<usize> = (odd..it.rows.len()).step_by(2).collect();
            let rows = places.iter().map(|place| it.rows[*place]).collect();
            Edited { edit: it.edit, rows, codes: it.codes.subset(&places) }
        };
        let (mut originals, mut copies) =
            (Codes::new(vec![], gallery.width())?, Codes::new(vec![], gallery.width())?);
        for it in edited.iter().map(|it| part(it, 0)) {
            originals.extend(&gallery.subset(&it.rows))?;
            copies.extend(&it.codes)?;
        }
        let fitted = EditMetric::fit(&originals, &copies, EditMetric::SHRINKAGE)?;
        let calibrating: Vec<Edited> = edited.iter().map(|it| part(it, 1)).collect();
        let tried = [fitted, EditMetric::identity(gallery.width())];
        let mut of_each = Vec::new();
        for metric in &tried {
            of_each.push(trials(metric, gallery, &calibrating, is_known, device)?);
        }
        let (best, chosen) = choose(&of_each, |_| true)?;
        let calibration = estimate(&of_each, chosen.threshold);
        let metric = tried.into_iter().nth(best).expect("one of those tried");
        Ok(Self { metric, calibration })
    }

    /// What the threshold is, and its cross-validated precision and recall.
    pub fn calibration(&self) -> &Calibration {
        &self.calibration
    }

    /// Measures the threshold on edits of other images, or other edits.
    ///
    /// # Errors
    /// If rows and codes do not fit.
    pub fn measure(
        &self,
        gallery: &Codes,
        edited: &[Edited],
        is_known: &(dyn Fn(usize, usize) -> bool + Sync),
        device: &Device,
    ) -> Result<Calibration> {
        let trials = trials(&self.metric, gallery, edited, is_known, device)?;
        Ok(Calibration::measure(&trials, self.calibration.threshold))
    }

    /// All pairs of a gallery up to the threshold, the nearest first.
    ///
    /// # Errors
    /// If there is no code, or the width is another.
    pub fn pairs(&self, gallery: &Codes, device: &Device) -> Result<Vec<Pair>> {
        let codes = self.metric.apply(gallery)?;
        let found = within(&codes, &codes, self.calibration.threshold, Metric::Euclidean, device)?;
        let pairs = found.into_iter().enumerate().flat_map(|(row, found)| {
            let later = found.into_iter().filter(move |it| it.row > row);
            later.map(move |it| Pair { rows: [row, it.row], distance: it.distance })
        });
        let mut pairs: Vec<Pair> = pairs.collect();
        pairs.sort_by(|a, b| a.distance.total_cmp(&b.distance).then(a.rows.cmp(&b.rows)));
        Ok(pairs)
    }
}

fn trials(
    metric: &EditMetric,
    gallery: &Codes,
    edited: &[Edited],
    is_known: &(dyn Fn(usize, usize) -> bool + Sync),
    device: &Device,
) -> Result<Vec<Trial>> {
    let gallery = metric.apply(gallery)?;
    let mut trials = Vec::new();
    for it in edited {
        let codes = metric.apply(&it.codes)?;
        trials.extend(Trial::run(&gallery, &it.rows, it.edit, &codes, is_known, device)?);
    }
    Ok(trials)
}

/// Parts that are left out in turn.
const FOLDS: usize = 5;

/// The distance whose threshold finds more of the trials that count, the first of equal ones, and that threshold.
fn choose(of_each: &[Vec<Trial>], counts: impl Fn(&Trial) -> bool) -> Result<(usize, Calibration)> {
    let chosen = of_each.iter().map(|trials| {
        let trials: Vec<Trial> = trials.iter().filter(|it| counts(it)).cloned().collect();
        Calibration::choose(&trials, Calibration::PRECISION)
    });
    let recall = |it: &Result<Calibration>| it.as_ref().map_or(-1.0, Calibration::mean_recall);
    let better = |best: (usize, Result<Calibration>), next: (usize, Result<Calibration>)| {
        if recall(&next.1) > recall(&best.1) { next } else { best }
    };
    let (at, best) = chosen.enumerate().reduce(better).expect("a distance at least");
    Ok((at, best?))
}

/// Precision and recall of a threshold chosen as this one was, on images that did not choose it.
fn estimate(of_each: &[Vec<Trial>], threshold: f32) -> Calibration {
    let mut rows: Vec<usize> = of_each[0].iter().map(|it| it.row).collect();
    rows.sort_unstable();
    rows.dedup();
    let fold: HashMap<usize, usize> =
        rows.iter().enumerate().map(|(at, row)| (*row, at % FOLDS)).collect();
    let mut decisions = Vec::new();
    for left_out in 0..FOLDS.min(rows.len()) {
        let is_left_out = |it: &Trial| fold[&it.row] == left_out;
        // Without a threshold, nothing is found.
        let (metric, threshold) = match choose(of_each, |it| !is_left_out(it)) {
            Ok((metric, chosen)) => (metric, chosen.threshold),
            Err(_) => (0, -1.0),
        };
        let left_out = of_each[metric].iter().filter(|it| is_left_out(it));
        decisions.extend(left_out.map(|it| it.decide(threshold)));
    }
    Calibration::of(threshold, &decisions)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten images, one other 1 away from each; nine originals are 0.1 away, that of the last is 3. All ten choose
    /// between 0.1 and 1. Without the last fold the threshold is the same; so 9 of 10 are found, and nothing else.
    /// Then one image whose other is 0.05 away, less than its own 0.1: it makes the threshold that is chosen smaller,
    /// but where it is left out it is called wrong.
    #[test]
    fn the_estimate_is_of_images_that_did_not_choose() {
        let trial = |row: usize, own: f32, other: f32| Trial {
            edit: Edit::Jpeg,
            row,
            own,
            others: vec![other],
        };
        let mut trials: Vec<Trial> = (0..9).map(|row| trial(row, 0.1, 1.0)).collect();
        trials.push(trial(9, 3.0, 1.0));
        let estimated = estimate(&[trials.clone()], 0.5);
        assert_eq!((estimated.precision, estimated.trials), (1.0, 10));
        assert_eq!(estimated.recall, [(Edit::Jpeg, 0.9)]);

        trials[9] = trial(9, 0.1, 0.05);
        trials[0].own = 0.01;
        let (_, chosen) = choose(&[trials.clone()], |_| true).unwrap();
        assert!(chosen.threshold < 0.05 && chosen.precision == 1.0, "{chosen:?}");
        // Folds of two images: that of 4 and 9 is judged by 0.125, which calls two others right and one wrong; the
        // others are judged by less than 0.05, where there is 0.01 to choose by, which 0 itself is left out from.
        let estimated = estimate(&[trials], chosen.threshold);
        assert_eq!(estimated.precision, 2.0 / 3.0);
        assert_eq!(estimated.recall, [(Edit::Jpeg, 0.2)]);
    }

    /// Codes (i, 0) at distance 1; an edit moves the second number by up to 2, and the first by 0.1. The Euclidean
    /// distance cannot tell an edit of 2 from the neighbour; the fitted one can.
    #[test]
    fn a_direction_that_edits_change_counts_little() {
        let count = 40;
        let gallery: Vec<f32> = (0..count).flat_map(|at| [at as f32, (at % 3) as f32]).collect();
        let gallery = Codes::new(gallery, 2).unwrap();
        let moved = |rows: &[usize]| {
            let values = rows.iter().flat_map(|row| {
                let by = if row / 2 % 2 == 0 { 2.0 } else { -2.0 };
                [gallery.row(*row)[0] + 0.1, gallery.row(*row)[1] + by]
            });
            Codes::new(values.collect(), 2).unwrap()
        };
        let rows: Vec<usize> = (0..count).collect();
        let edited = [Edited { edit: Edit::Crop, codes: moved(&rows), rows }];
        let never = |_: usize, _: usize| false;
        let finder =
            DuplicateFinder::calibrate(&gallery, &edited, &never, &Device::flex()).unwrap();
        let calibration = finder.calibration();
        assert_eq!((calibration.precision, calibration.trials), (1.0, 20));
        assert_eq!(calibration.recall, [(Edit::Crop, 1.0)]);
        assert!(finder.pairs(&gallery, &Device::flex()).unwrap().is_empty());
        let twice = gallery.subset(&[0, 5, 0, 9]);
        let pairs = finder.pairs(&twice, &Device::flex()).unwrap();
        assert_eq!(pairs, [Pair { rows: [0, 2], distance: 0.0 }]);
        let few = [Edited { edit: Edit::Crop, rows: vec![1, 2], codes: gallery.subset(&[1, 2]) }];
        let message =
            DuplicateFinder::calibrate(&gallery, &few, &never, &Device::flex()).unwrap_err();
        assert_eq!(
            message.to_string(),
            "duplicates: expected at least 4 images to edit, to find a threshold by, got 2"
        );
    }
}
