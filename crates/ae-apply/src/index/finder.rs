//! The search for duplicates: a distance and a threshold, both found from edits of the images themselves.

use std::collections::HashMap;

use burn::tensor::Device;

use rayon::prelude::*;

use super::{
    Apart, Calibration, Codes, EditMetric, Edited, Gallery, Means, Metric, Thresholds, Trial,
    within,
};
use crate::{Error, Result};

/// Two images of a gallery that are the same.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pair {
    /// Their rows, the smaller first.
    pub rows: [usize; 2],
    /// How far they are apart.
    pub apart: Apart,
}

/// A distance of codes, and the thresholds up to which two images are the same, by their codes or by their perceptual
/// hashes.
///
/// Half of the edited images fit the [distance](EditMetric), the other half choose the thresholds
/// ([`Calibration`]): thresholds chosen on images that the distance was fitted to would be too small for others. The
/// plain Euclidean distance is tried as well, and taken where it finds more.
///
/// The precision and recall of the [calibration](Self::calibration) are cross-validated: a fifth of the images that
/// choose is left out in turn, distance and thresholds are chosen by the others, and the images left out are counted.
#[derive(Clone, Debug)]
pub struct DuplicateFinder {
    metric: EditMetric,
    calibration: Calibration,
    alone: Vec<(Means, Calibration)>,
}

/// The smallest number of images to edit, for a metric and a threshold fitted to them.
const FEWEST: usize = 4;

impl DuplicateFinder {
    /// The number of images to edit where there are more.
    pub const EDITED: usize = 500;

    /// Finds distance and thresholds from edits of images of the gallery. `is_known` says of two rows that they are
    /// known to be the same image, such as equal files; these count neither as right nor as wrong. Copies in the gallery
    /// that it does not know count as wrong and make the thresholds smaller.
    ///
    /// # Errors
    /// If fewer than 4 images were edited, no thresholds have a precision of
    /// [0.99](Calibration::PRECISION), or rows, codes and hashes do not fit.
    pub fn calibrate(
        gallery: Gallery<'_>,
        edited: &[Edited],
        is_known: &(dyn Fn(usize, usize) -> bool + Sync),
        device: &Device,
    ) -> Result<Self> {
        let fewest = edited.iter().map(|it| it.rows.len()).min().unwrap_or(0);
        if fewest < FEWEST {
            let expected = format!("at least {FEWEST} images to edit, to find a threshold by");
            return Err(Error::setting("duplicates", expected, fewest));
        }
        let width = gallery.codes().width();
        let (mut originals, mut copies) = (Codes::new(vec![], width)?, Codes::new(vec![], width)?);
        for it in edited.iter().map(|it| part(it, 0)) {
            originals.extend(&gallery.codes().subset(&it.rows))?;
            copies.extend(&it.codes)?;
        }
        let fitted = EditMetric::fit(&originals, &copies, EditMetric::SHRINKAGE)?;
        let calibrating: Vec<Edited> = edited.iter().map(|it| part(it, 1)).collect();
        let tried = [fitted, EditMetric::identity(width)];
        let mut of_each = Vec::new();
        for metric in &tried {
            of_each.push(trials(metric, gallery, &calibrating, is_known, device)?);
        }
        let (best, chosen) = choose(&of_each, Means::Both, |_| true)?;
        let estimate = |means| estimate(&of_each, chosen.thresholds, means);
        let calibration = estimate(Means::Both);
        let alone = match gallery.hashes() {
            Some(_) => [Means::Codes, Means::Hashes].map(|means| (means, estimate(means))).into(),
            None => vec![],
        };
        let metric = tried.into_iter().nth(best).expect("one of those tried");
        Ok(Self { metric, calibration, alone })
    }

    /// What the thresholds are, and their cross-validated precision and recall.
    pub fn calibration(&self) -> &Calibration {
        &self.calibration
    }

    /// The cross-validated precision and recall of thresholds chosen for codes alone and for hashes alone; none without
    /// hashes.
    pub fn alone(&self) -> &[(Means, Calibration)] {
        &self.alone
    }

    /// Measures the thresholds on edits of other images, or other edits.
    ///
    /// # Errors
    /// If rows, codes and hashes do not fit.
    pub fn measure(
        &self,
        gallery: Gallery<'_>,
        edited: &[Edited],
        is_known: &(dyn Fn(usize, usize) -> bool + Sync),
        device: &Device,
    ) -> Result<Calibration> {
        let trials = trials(&self.metric, gallery, edited, is_known, device)?;
        Ok(Calibration::measure(&trials, self.calibration.thresholds))
    }

    /// All pairs of a gallery up to the thresholds, the nearest codes first.
    ///
    /// # Errors
    /// If there is no code, or the width is another.
    pub fn pairs(&self, gallery: Gallery<'_>, device: &Device) -> Result<Vec<Pair>> {
        let codes = self.metric.apply(gallery.codes())?;
        let Thresholds { distance, bits } = self.calibration.thresholds;
        let mut rows: Vec<[usize; 2]> = Vec::new();
        if let Some(distance) = distance {
            let found = within(&codes, &codes, distance, Metric::Euclidean, device)?;
            rows.extend(found.into_iter().enumerate().flat_map(|(row, found)| {
                found.into_iter().filter(move |it| it.row > row).map(move |it| [row, it.row])
            }));
        }
        if let Some((bits, hashes)) = bits.zip(gallery.hashes()) {
            let of_row = |row: usize| {
                let later = (row + 1)..hashes.len();
                later
                    .filter(move |other| hashes[row].distance(hashes[*other]) <= bits)
                    .map(move |other| [row, other])
            };
            rows.par_extend((0..hashes.len()).into_par_iter().flat_map_iter(of_row));
        }
        rows.sort_unstable();
        rows.dedup();
        let pair = |rows: [usize; 2]| {
            let [a, b] = rows;
            let distance = Metric::Euclidean.distance(codes.row(a), codes.row(b));
            let bits = gallery.hashes().map(|all| all[a].distance(all[b]));
            Pair { rows, apart: Apart { distance, bits } }
        };
        let mut pairs: Vec<Pair> = rows.into_iter().map(pair).collect();
        pairs.sort_by(|a, b| {
            a.apart.distance.total_cmp(&b.apart.distance).then(a.rows.cmp(&b.rows))
        });
        Ok(pairs)
    }
}

/// Every second image of an edit, from the first or the second on.
fn part(edited: &Edited, first: usize) -> Edited {
    let places: Vec<usize> = (first..edited.rows.len()).step_by(2).collect();
    let hashes = edited.hashes.as_ref();
    Edited {
        edit: edited.edit,
        rows: places.iter().map(|place| edited.rows[*place]).collect(),
        codes: edited.codes.subset(&places),
        hashes: hashes.map(|all| places.iter().map(|place| all[*place]).collect()),
    }
}

fn trials(
    metric: &EditMetric,
    gallery: Gallery<'_>,
    edited: &[Edited],
    is_known: &(dyn Fn(usize, usize) -> bool + Sync),
    device: &Device,
) -> Result<Vec<Trial>> {
    let codes = metric.apply(gallery.codes())?;
    let mut trials = Vec::new();
    for it in edited {
        let it = Edited { codes: metric.apply(&it.codes)?, ..it.clone() };
        trials.extend(Trial::run(gallery.with_codes(&codes), &it, is_known, device)?);
    }
    Ok(trials)
}

/// Parts that are left out in turn.
const FOLDS: usize = 5;

/// The distance whose thresholds find more of the trials that count, the first of equal ones, and those thresholds.
fn choose(
    of_each: &[Vec<Trial>],
    means: Means,
    counts: impl Fn(&Trial) -> bool,
) -> Result<(usize, Calibration)> {
    let chosen = of_each.iter().map(|trials| {
        let trials: Vec<Trial> = trials.iter().filter(|it| counts(it)).cloned().collect();
        Calibration::choose(&trials, Calibration::PRECISION, means)
    });
    let recall = |it: &Result<Calibration>| it.as_ref().map_or(-1.0, Calibration::mean_recall);
    let better = |best: (usize, Result<Calibration>), next: (usize, Result<Calibration>)| {
        if recall(&next.1) > recall(&best.1) { next } else { best }
    };
    let (at, best) = chosen.enumerate().reduce(better).expect("a distance at least");
    Ok((at, best?))
}

/// Precision and recall of thresholds chosen as these were, on images that did not choose them.
fn estimate(of_each: &[Vec<Trial>], thresholds: Thresholds, means: Means) -> Calibration {
    let mut rows: Vec<usize> = of_each[0].iter().map(|it| it.row).collect();
    rows.sort_unstable();
    rows.dedup();
    let fold: HashMap<usize, usize> =
        rows.iter().enumerate().map(|(at, row)| (*row, at % FOLDS)).collect();
    let mut decisions = Vec::new();
    for left_out in 0..FOLDS.min(rows.len()) {
        let is_left_out = |it: &Trial| fold[&it.row] == left_out;
        // Without thresholds, nothing is found.
        let (metric, chosen) = match choose(of_each, means, |it| !is_left_out(it)) {
            Ok((metric, chosen)) => (metric, chosen.thresholds),
            Err(_) => (0, Thresholds::default()),
        };
        let left_out = of_each[metric].iter().filter(|it| is_left_out(it));
        decisions.extend(left_out.map(|it| it.decide(chosen)));
    }
    Calibration::of(thresholds, &decisions)
}

#[cfg(test)]
mod tests {
    use super::super::duplicates::tests::trial;
    use super::super::{Edit, PerceptualHash};
    use super::*;

    /// Ten images, one other 1 away from each; nine originals are 0.1 away, that of the last is 3. All ten choose
    /// between 0.1 and 1. Without the last fold the threshold is the same; so 9 of 10 are found, and nothing else.
    /// Then one image whose other is 0.05 away, less than its own 0.1: it makes the threshold that is chosen smaller,
    /// but where it is left out it is called wrong.
    #[test]
    fn the_estimate_is_of_images_that_did_not_choose() {
        let trial = |row, own, other| Trial { row, ..trial(Edit::Jpeg, own, &[other]) };
        let mut trials: Vec<Trial> = (0..9).map(|row| trial(row, 0.1, 1.0)).collect();
        trials.push(trial(9, 3.0, 1.0));
        let estimated = estimate(&[trials.clone()], Thresholds::default(), Means::Both);
        assert_eq!((estimated.precision, estimated.trials), (1.0, 10));
        assert_eq!(estimated.recall, [(Edit::Jpeg, 0.9)]);

        trials[9] = trial(9, 0.1, 0.05);
        trials[0].own.distance = 0.01;
        let (_, chosen) = choose(&[trials.clone()], Means::Both, |_| true).unwrap();
        assert!(
            chosen.thresholds.distance.unwrap() < 0.05 && chosen.precision == 1.0,
            "{chosen:?}"
        );
        // Folds of two images: that of 4 and 9 is judged by 0.125, which calls two others right and one wrong; the
        // others are judged by less than 0.05, where there is 0.01 to choose by, which 0 itself is left out from.
        let estimated = estimate(&[trials], chosen.thresholds, Means::Both);
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
        let edited = [Edited { edit: Edit::Crop, codes: moved(&rows), rows, hashes: None }];
        let never = |_: usize, _: usize| false;
        let calibrate = |edited: &[Edited]| {
            DuplicateFinder::calibrate(Gallery::of_codes(&gallery), edited, &never, &Device::flex())
        };
        let finder = calibrate(&edited).unwrap();
        let calibration = finder.calibration();
        assert_eq!((calibration.precision, calibration.trials), (1.0, 20));
        assert_eq!(calibration.recall, [(Edit::Crop, 1.0)]);
        assert!(finder.alone().is_empty(), "without hashes there is nothing else");
        let pairs = |codes: &Codes, hashes: Option<&[PerceptualHash]>| -> Vec<[usize; 2]> {
            let gallery = match hashes {
                Some(hashes) => Gallery::new(codes, hashes).unwrap(),
                None => Gallery::of_codes(codes),
            };
            let pairs = finder.pairs(gallery, &Device::flex()).unwrap();
            pairs.into_iter().map(|pair| pair.rows).collect()
        };
        assert!(pairs(&gallery, None).is_empty());
        let twice = gallery.subset(&[0, 5, 0, 9]);
        assert_eq!(pairs(&twice, None), [[0, 2]]);
        // No bits were chosen, so equal hashes make no pair.
        assert_eq!(pairs(&twice, Some(&[PerceptualHash(7); 4])), [[0, 2]]);
        let (rows, codes) = (vec![1, 2], gallery.subset(&[1, 2]));
        let few = [Edited { edit: Edit::Crop, rows, codes, hashes: None }];
        assert_eq!(
            calibrate(&few).unwrap_err().to_string(),
            "duplicates: expected at least 4 images to edit, to find a threshold by, got 2"
        );
    }

    /// Edits throw the codes about and change one bit of the hashes.
    #[test]
    fn where_codes_say_nothing_hashes_find_the_copies() {
        let count = 40;
        let gallery = Codes::new((0..count).map(|at| at as f32).collect(), 1).unwrap();
        let hashes: Vec<PerceptualHash> =
            (0..count as u64).map(|at| PerceptualHash((at + 1) * 0x0123_4567_89ab)).collect();
        let rows: Vec<usize> = (0..count).collect();
        let codes: Vec<f32> = rows.iter().map(|row| ((row * 17 + 5) % count) as f32).collect();
        let edited = Edited {
            edit: Edit::Brighter,
            rows,
            codes: Codes::new(codes, 1).unwrap(),
            hashes: Some(hashes.iter().map(|it| PerceptualHash(it.0 ^ 1 << 60)).collect()),
        };
        let images = Gallery::new(&gallery, &hashes).unwrap();
        let never = |_: usize, _: usize| false;
        let finder =
            DuplicateFinder::calibrate(images, &[edited], &never, &Device::flex()).unwrap();
        assert_eq!(finder.calibration().recall, [(Edit::Brighter, 1.0)]);
        let alone: Vec<(Means, f64)> =
            finder.alone().iter().map(|(means, it)| (*means, it.mean_recall())).collect();
        assert_eq!(alone[1], (Means::Hashes, 1.0));
        assert!(alone[0].0 == Means::Codes && alone[0].1 < 0.5, "{alone:?}");
        let twice = [hashes[3], hashes[30], hashes[3]];
        let apart = Codes::new(vec![1.0, 200.0, 300.0], 1).unwrap();
        let pairs = finder.pairs(Gallery::new(&apart, &twice).unwrap(), &Device::flex()).unwrap();
        assert_eq!(pairs.len(), 1);
        assert_eq!((pairs[0].rows, pairs[0].apart.bits), ([0, 2], Some(0)));
    }
}
