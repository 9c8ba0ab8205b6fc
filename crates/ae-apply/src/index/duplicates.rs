//! Duplicates: the distance up to which two images are the same, and groups of such images.

use burn::tensor::Device;

use super::{Codes, Edit, Metric, nearest};
use crate::{Error, Result};

/// What the search for one edited image found.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// The edit.
    pub edit: Edit,
    /// The row of the gallery that was edited.
    pub row: usize,
    /// The distance from the image that was edited.
    pub own: f32,
    /// The distances from the nearest other images, the smallest first.
    pub others: Vec<f32>,
}

/// How far above the largest distance of an original a threshold is at most.
const MARGIN: f32 = 1.25;

/// The other images that a trial looks at.
const OTHERS: usize = 16;

impl Trial {
    /// Searches a gallery for edited images: row `i` of `edited` is the code of an edit of row `rows[i]` of the
    /// gallery. What `is_known` says of the image and another one, that they are the same, is left out of the others.
    ///
    /// # Errors
    /// If the gallery is empty, or the widths differ.
    pub fn run(
        gallery: &Codes,
        rows: &[usize],
        edit: Edit,
        edited: &Codes,
        is_known: &(dyn Fn(usize, usize) -> bool + Sync),
        device: &Device,
    ) -> Result<Vec<Self>> {
        let found = nearest(edited, gallery, OTHERS + 1, Metric::Euclidean, device)?;
        let trial = |((row, found), code): ((&usize, Vec<super::Neighbour>), &[f32])| Self {
            edit,
            row: *row,
            own: Metric::Euclidean.distance(code, gallery.row(*row)),
            others: found
                .into_iter()
                .filter(|it| it.row != *row && !is_known(*row, it.row))
                .map(|it| it.distance)
                .collect(),
        };
        Ok(rows.iter().zip(found).zip(edited.rows()).map(trial).collect())
    }

    pub(super) fn decide(&self, threshold: f32) -> Decision {
        let wrong = self.others.iter().filter(|it| **it <= threshold).count();
        Decision { edit: self.edit, is_found: self.own <= threshold, wrong }
    }
}

/// What a threshold makes of a trial.
#[derive(Clone, Copy, Debug)]
pub(super) struct Decision {
    edit: Edit,
    is_found: bool,
    /// The number of other images that are called the same.
    wrong: usize,
}

/// Precision and recall of calling images the same up to a distance.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Calibration {
    /// Images at most this far apart are the same.
    pub threshold: f32,
    /// `TP / (TP + FP)`: of the pairs of an edited image and one of the gallery that are called the same, the share
    /// of those that are.
    pub precision: f64,
    /// For each kind of edit, the share of edited images whose original is found.
    pub recall: Vec<(Edit, f64)>,
    /// The number of edited images that this was measured on.
    pub trials: usize,
}

impl Calibration {
    /// The least precision of a threshold that is chosen.
    pub const PRECISION: f64 = 0.99;

    /// Chooses the largest threshold whose precision on these trials is at least `precision`. Where it finds the
    /// original of every edited image and nothing else, it is in the middle (of the logarithms) of the largest
    /// distance of an original and the smallest of another image, but at most a quarter above the former: of 39 photographs
    /// only half are edited for the threshold, and the middle alone called two others the same.
    ///
    /// # Errors
    /// If no threshold has this precision, or there are no trials.
    pub fn choose(trials: &[Trial], precision: f64) -> Result<Self> {
        let mut events: Vec<(f32, bool)> = trials.iter().map(|trial| (trial.own, true)).collect();
        events.extend(trials.iter().flat_map(|it| it.others.iter().map(|other| (*other, false))));
        // At one distance the others come first, so that a threshold there counts them.
        events.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let (mut right, mut wrong, mut best) = (0usize, 0usize, None);
        for (at, (distance, is_own)) in events.iter().enumerate() {
            if *is_own {
                right += 1
            } else {
                wrong += 1
            }
            let next = events.get(at + 1).map(|it| it.0);
            let is_last_here = next != Some(*distance);
            if is_last_here && right as f64 >= precision * (right + wrong) as f64 && right > 0 {
                best = Some((*distance, next));
            }
        }
        let Some((distance, next)) = best else {
            let got = match trials.len() {
                0 => "no edited images".to_owned(),
                _ => "other images nearer than the edited ones; train the model longer or with a larger code".to_owned(),
            };
            let expected =
                format!("a distance up to which at least {precision} of what is found is the same");
            return Err(Error::setting("duplicates", expected, got));
        };
        let threshold = match next {
            // Between zero and a positive number there is no middle of logarithms.
            Some(next) if distance > 0.0 => (distance * next).sqrt().min(MARGIN * distance),
            Some(next) => 0.5 * next,
            None => distance,
        };
        Ok(Self::measure(trials, threshold))
    }

    /// Measures a threshold on trials. The precision of finding nothing is 1.
    pub fn measure(trials: &[Trial], threshold: f32) -> Self {
        Self::of(threshold, &trials.iter().map(|it| it.decide(threshold)).collect::<Vec<_>>())
    }

    pub(super) fn of(threshold: f32, decisions: &[Decision]) -> Self {
        let right = decisions.iter().filter(|it| it.is_found).count();
        let called = right + decisions.iter().map(|it| it.wrong).sum::<usize>();
        let recall = |edit: Edit| {
            let of_it: Vec<&Decision> = decisions.iter().filter(|it| it.edit == edit).collect();
            let found = of_it.iter().filter(|it| it.is_found).count();
            (!of_it.is_empty()).then(|| (edit, found as f64 / of_it.len() as f64))
        };
        Self {
            threshold,
            precision: if called == 0 { 1.0 } else { right as f64 / called as f64 },
            recall: Edit::ALL.into_iter().filter_map(recall).collect(),
            trials: decisions.len(),
        }
    }

    /// The mean recall of all kinds of edits.
    pub fn mean_recall(&self) -> f64 {
        let sum: f64 = self.recall.iter().map(|(_, recall)| recall).sum();
        sum / self.recall.len().max(1) as f64
    }
}

/// Groups of rows that pairs connect, each of at least two.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Groups(pub Vec<Vec<usize>>);

impl Groups {
    /// Rows are in one group if a chain of pairs leads from one to the other: two images of a group may be farther
    /// apart than the threshold. Groups are in the order of their first row.
    ///
    /// # Panics
    /// If a row is not below `count`.
    pub fn of(count: usize, pairs: impl IntoIterator<Item = [usize; 2]>) -> Self {
        let mut parent: Vec<usize> = (0..count).collect();
        fn root(parent: &mut [usize], mut row: usize) -> usize {
            while parent[row] != row {
                parent[row] = parent[parent[row]];
                row = parent[row];
            }
            row
        }
        for [a, b] in pairs {
            let (a, b) = (root(&mut parent, a), root(&mut parent, b));
            parent[a.max(b)] = a.min(b);
        }
        let mut groups: Vec<Vec<usize>> = vec![Vec::new(); count];
        for row in 0..count {
            groups[root(&mut parent, row)].push(row);
        }
        Self(groups.into_iter().filter(|group| group.len() > 1).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trial(edit: Edit, own: f32, others: &[f32]) -> Trial {
        Trial { edit, row: 0, own, others: others.to_vec() }
    }

    /// Up to 4 three of three originals and one other: 3/4. Up to 2: two of three, no other. Up to 3 (an original and
    /// an other at once): 3 right, 1 wrong.
    #[test]
    fn threshold_by_hand() {
        let trials = [
            trial(Edit::Jpeg, 1.0, &[5.0]),
            trial(Edit::Jpeg, 2.0, &[3.0]),
            trial(Edit::Crop, 3.0, &[9.0]),
        ];
        let strict = Calibration::choose(&trials, 0.99).unwrap();
        assert!((strict.threshold - 6f32.sqrt()).abs() < 1e-6, "{strict:?}");
        assert_eq!((strict.precision, strict.trials), (1.0, 3));
        assert_eq!(strict.recall, [(Edit::Jpeg, 1.0), (Edit::Crop, 0.0)]);
        assert_eq!(strict.mean_recall(), 0.5);
        let loose = Calibration::choose(&trials, 0.75).unwrap();
        assert!((loose.threshold - 3.75).abs() < 1e-6, "{loose:?}");
        assert_eq!(loose.precision, 0.75);
    }

    #[test]
    fn without_a_threshold_it_says_why() {
        let message = |trials: &[Trial]| Calibration::choose(trials, 0.99).unwrap_err().to_string();
        assert!(message(&[]).ends_with("got no edited images"), "{}", message(&[]));
        let never = [trial(Edit::Half, 2.0, &[1.0])];
        assert!(message(&never).contains("train the model longer"), "{}", message(&never));
        assert_eq!(Calibration::measure(&never, 0.5).precision, 1.0);
    }

    #[test]
    fn originals_are_found_and_known_copies_do_not_count() {
        let gallery = Codes::new(vec![0.0, 0.1, 5.0], 1).unwrap();
        let edited = Codes::new(vec![0.5, 5.5], 1).unwrap();
        let known = |a: usize, b: usize| a + b == 1;
        let trials =
            Trial::run(&gallery, &[0, 2], Edit::Half, &edited, &known, &Device::flex()).unwrap();
        let second = Trial { row: 2, ..trial(Edit::Half, 0.5, &[5.4, 5.5]) };
        assert_eq!(trials, [trial(Edit::Half, 0.5, &[4.5]), second]);
    }

    #[test]
    fn chains_are_groups() {
        let groups = Groups::of(7, [[5, 2], [2, 6], [1, 3]]);
        assert_eq!(groups.0, [vec![1, 3], vec![2, 5, 6]]);
        assert!(Groups::of(3, []).0.is_empty());
    }
}
