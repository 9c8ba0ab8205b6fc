//! The search for duplicates: a distance and a threshold, both found from edits of the images themselves.

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
        let mut tried = Vec::new();
        for metric in [fitted, EditMetric::identity(gallery.width())] {
            let trials = trials(&metric, gallery, &calibrating, is_known, device)?;
            tried.push((metric, Calibration::choose(&trials, Calibration::PRECISION)));
        }
        let recall = |it: &Result<Calibration>| it.as_ref().map_or(-1.0, Calibration::mean_recall);
        let plain = tried.pop().filter(|(_, plain)| recall(plain) > recall(&tried[0].1));
        let (metric, calibration) = plain.unwrap_or_else(|| tried.swap_remove(0));
        Ok(Self { metric, calibration: calibration? })
    }

    /// What the threshold is, and its estimated precision and recall.
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

#[cfg(test)]
mod tests {
    use super::*;

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
