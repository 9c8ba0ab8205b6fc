//! Duplicates: the distance of codes and the differing bits of hashes up to which two images are the same.

use burn::tensor::Device;
use rayon::prelude::*;

use super::{Codes, Edit, Metric, PerceptualHash, nearest};
use crate::{Error, Result};

/// The images that duplicates are looked for among: their codes, and their hashes if they have some.
#[derive(Clone, Copy, Debug)]
pub struct Gallery<'a> {
    codes: &'a Codes,
    hashes: Option<&'a [PerceptualHash]>,
}

impl<'a> Gallery<'a> {
    /// Images by their codes alone.
    pub fn of_codes(codes: &'a Codes) -> Self {
        Self { codes, hashes: None }
    }

    /// Images by their codes and their hashes.
    ///
    /// # Errors
    /// If there are not as many hashes as codes.
    pub fn new(codes: &'a Codes, hashes: &'a [PerceptualHash]) -> Result<Self> {
        match codes.len() == hashes.len() {
            true => Ok(Self { codes, hashes: Some(hashes) }),
            false => {
                let expected = format!("{}, one for each code", codes.len());
                Err(Error::setting("hashes", expected, hashes.len()))
            }
        }
    }

    /// The codes.
    pub fn codes(self) -> &'a Codes {
        self.codes
    }

    /// The hashes, if there are some.
    pub fn hashes(self) -> Option<&'a [PerceptualHash]> {
        self.hashes
    }

    pub(super) fn with_codes(self, codes: &'a Codes) -> Self {
        Self { codes, ..self }
    }
}

/// Images after an edit.
#[derive(Clone, Debug, PartialEq)]
pub struct Edited {
    /// The edit.
    pub edit: Edit,
    /// The rows of the gallery that were edited.
    pub rows: Vec<usize>,
    /// The code of each after the edit.
    pub codes: Codes,
    /// The hash of each after the edit, where the gallery has hashes.
    pub hashes: Option<Vec<PerceptualHash>>,
}

/// How far two images are apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Apart {
    /// The distance of their codes.
    pub distance: f32,
    /// The differing bits of their hashes.
    pub bits: Option<u32>,
}

/// What the search for one edited image found.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// The edit.
    pub edit: Edit,
    /// The row of the gallery that was edited.
    pub row: usize,
    /// The image that was edited.
    pub own: Apart,
    /// The other images that are nearest by code, and those whose hash differs by few bits, in the order of rows.
    pub others: Vec<Apart>,
}

/// The other images that a trial looks at by their codes.
const OTHERS: usize = 16;

impl Trial {
    /// Searches a gallery for edited images. What `is_known` says of the image and another one, that they are the same,
    /// is left out of the others.
    ///
    /// # Errors
    /// If the gallery is empty, or widths or numbers differ.
    pub fn run(
        gallery: Gallery<'_>,
        edited: &Edited,
        is_known: &(dyn Fn(usize, usize) -> bool + Sync),
        device: &Device,
    ) -> Result<Vec<Self>> {
        let hashes = gallery.hashes.zip(edited.hashes.as_deref());
        let has_all = |len| len == edited.rows.len();
        if !has_all(edited.codes.len()) || !hashes.is_none_or(|(_, edited)| has_all(edited.len())) {
            let expected = format!("a code and a hash for each of {} rows", edited.rows.len());
            return Err(Error::setting("edited images", expected, edited.codes.len()));
        }
        let found = nearest(&edited.codes, gallery.codes, OTHERS + 1, Metric::Euclidean, device)?;
        let trial = |(at, found): (usize, Vec<super::Neighbour>)| {
            let (row, code) = (edited.rows[at], edited.codes.row(at));
            let bits = |other: usize| hashes.map(|(all, own)| own[at].distance(all[other]));
            let apart = |other: usize| Apart {
                distance: Metric::Euclidean.distance(code, gallery.codes.row(other)),
                bits: bits(other),
            };
            let mut others: Vec<usize> = found.into_iter().map(|it| it.row).collect();
            if hashes.is_some() {
                let is_near = |other: &usize| bits(*other) <= Some(PerceptualHash::USUAL);
                others.extend((0..gallery.codes.len()).filter(is_near));
            }
            others.sort_unstable();
            others.dedup();
            others.retain(|other| *other != row && !is_known(row, *other));
            Self {
                edit: edited.edit,
                row,
                own: apart(row),
                others: others.into_iter().map(apart).collect(),
            }
        };
        Ok(found.into_par_iter().enumerate().map(trial).collect())
    }

    pub(super) fn decide(&self, thresholds: Thresholds) -> Decision {
        let wrong = self.others.iter().filter(|it| thresholds.are_same(it)).count();
        Decision { edit: self.edit, is_found: thresholds.are_same(&self.own), wrong }
    }
}

/// Two images are the same if their codes or their hashes are near enough.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Thresholds {
    /// Images whose codes are at most this far apart are the same.
    pub distance: Option<f32>,
    /// Images whose hashes differ by at most this number of bits are the same.
    pub bits: Option<u32>,
}

impl Thresholds {
    /// Whether two images are the same.
    pub fn are_same(self, apart: &Apart) -> bool {
        let near = self.distance.is_some_and(|distance| apart.distance <= distance);
        near || self.bits.is_some_and(|bits| apart.bits.is_some_and(|it| it <= bits))
    }
}

/// What thresholds make of a trial.
#[derive(Clone, Copy, Debug)]
pub(super) struct Decision {
    edit: Edit,
    is_found: bool,
    /// The number of other images that are called the same.
    wrong: usize,
}

/// By what images are called the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Means {
    /// By their codes.
    Codes,
    /// By their perceptual hashes.
    Hashes,
    /// By either.
    Both,
}

/// Precision and recall of calling images the same.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Calibration {
    /// Up to which distances images are the same.
    pub thresholds: Thresholds,
    /// `TP / (TP + FP)`: of the pairs of an edited image and one of the gallery that are called the same, the share
    /// of those that are.
    pub precision: f64,
    /// For each kind of edit, the share of edited images whose original is found.
    pub recall: Vec<(Edit, f64)>,
    /// The number of edited images that this was measured on.
    pub trials: usize,
}

/// How far above the largest distance of an original a threshold is at most.
const MARGIN: f32 = 1.25;

impl Calibration {
    /// The least precision of thresholds that are chosen.
    pub const PRECISION: f64 = 0.99;

    /// Chooses the thresholds with the largest mean recall of those whose precision on these trials is at least
    /// `precision`: for each number of bits from none to the [usual](PerceptualHash::USUAL) the largest distance, and
    /// of numbers with equal recall the smallest. Where the distance finds the original of every edited image and
    /// nothing else, it is in the middle (of the logarithms) of the largest distance of an original and the smallest of
    /// another image, but at most a quarter above the former: of 39 photographs only half are edited for the
    /// threshold, and the middle alone called two others the same.
    ///
    /// # Errors
    /// If no thresholds have this precision, or there are no trials.
    pub fn choose(trials: &[Trial], precision: f64, means: Means) -> Result<Self> {
        let has_hashes = trials.iter().any(|it| it.own.bits.is_some());
        let most = (has_hashes && means != Means::Codes).then_some(PerceptualHash::USUAL);
        let bits = std::iter::once(None).chain((0..=most.unwrap_or(0)).map(Some));
        let bits = bits.take(most.map_or(1, |most| most as usize + 2));
        let best = bits
            .map(|bits| {
                let distance = match means {
                    Means::Hashes => None,
                    Means::Codes | Means::Both => distance(trials, bits, precision),
                };
                Self::measure(trials, Thresholds { distance, bits })
            })
            .filter(|it| it.precision >= precision && it.mean_recall() > 0.0)
            .reduce(|best, next| if next.mean_recall() > best.mean_recall() { next } else { best });
        best.ok_or_else(|| {
            let got = match trials.len() {
                0 => "no edited images".to_owned(),
                _ => "other images nearer than the edited ones; train the model longer or with a larger code".to_owned(),
            };
            let expected =
                format!("a distance up to which at least {precision} of what is found is the same");
            Error::setting("duplicates", expected, got)
        })
    }

    /// Measures thresholds on trials. The precision of finding nothing is 1.
    pub fn measure(trials: &[Trial], thresholds: Thresholds) -> Self {
        Self::of(thresholds, &trials.iter().map(|it| it.decide(thresholds)).collect::<Vec<_>>())
    }

    pub(super) fn of(thresholds: Thresholds, decisions: &[Decision]) -> Self {
        let right = decisions.iter().filter(|it| it.is_found).count();
        let called = right + decisions.iter().map(|it| it.wrong).sum::<usize>();
        let recall = |edit: Edit| {
            let of_it: Vec<&Decision> = decisions.iter().filter(|it| it.edit == edit).collect();
            let found = of_it.iter().filter(|it| it.is_found).count();
            (!of_it.is_empty()).then(|| (edit, found as f64 / of_it.len() as f64))
        };
        Self {
            thresholds,
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

/// The largest distance up to which what is found by it or by the bits has this precision.
fn distance(trials: &[Trial], bits: Option<u32>, precision: f64) -> Option<f32> {
    let by_bits = Thresholds { distance: None, bits };
    let mut events: Vec<(f32, bool)> = Vec::new();
    let (mut right, mut wrong, mut best) = (0usize, 0usize, None);
    for trial in trials {
        let own = std::iter::once((&trial.own, true));
        for (apart, is_own) in own.chain(trial.others.iter().map(|it| (it, false))) {
            match (by_bits.are_same(apart), is_own) {
                (false, _) => events.push((apart.distance, is_own)),
                (true, true) => right += 1,
                (true, false) => wrong += 1,
            }
        }
    }
    events.sort_by(|a, b| a.0.total_cmp(&b.0));
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
    best.map(|(distance, next)| match next {
        // Between zero and a positive number there is no middle of logarithms.
        Some(next) if distance > 0.0 => (distance * next).sqrt().min(MARGIN * distance),
        Some(next) => 0.5 * next,
        None => distance,
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    fn apart(distance: f32) -> Apart {
        Apart { distance, bits: None }
    }

    pub fn trial(edit: Edit, own: f32, others: &[f32]) -> Trial {
        Trial {
            edit,
            row: 0,
            own: apart(own),
            others: others.iter().map(|it| apart(*it)).collect(),
        }
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
        let strict = Calibration::choose(&trials, 0.99, Means::Both).unwrap();
        let distance = strict.thresholds.distance.unwrap();
        assert!((distance - 6f32.sqrt()).abs() < 1e-6, "{strict:?}");
        assert_eq!((strict.precision, strict.trials), (1.0, 3));
        assert_eq!(strict.recall, [(Edit::Jpeg, 1.0), (Edit::Crop, 0.0)]);
        assert_eq!(strict.mean_recall(), 0.5);
        let loose = Calibration::choose(&trials, 0.75, Means::Codes).unwrap();
        assert!((loose.thresholds.distance.unwrap() - 3.75).abs() < 1e-6, "{loose:?}");
        assert_eq!(loose.precision, 0.75);
        assert!(Calibration::choose(&trials, 0.75, Means::Hashes).is_err(), "no hashes");
    }

    /// The code finds the JPEG, 1 away where the nearest other is 4 away; the hash finds the crop, 3 bits apart where
    /// others have 9. With both, all are found. With 9 bits an other would be called the same.
    #[test]
    fn what_one_misses_the_other_finds() {
        let with = |edit, own: (f32, u32), other: (f32, u32)| {
            let apart = |(distance, bits)| Apart { distance, bits: Some(bits) };
            Trial { edit, row: 0, own: apart(own), others: vec![apart(other)] }
        };
        let trials = [with(Edit::Jpeg, (1.0, 10), (4.0, 9)), with(Edit::Crop, (8.0, 3), (5.0, 12))];
        let recall = |means| {
            let chosen = Calibration::choose(&trials, 0.99, means).unwrap();
            assert_eq!(chosen.precision, 1.0);
            (chosen.recall.iter().map(|(_, recall)| *recall).collect::<Vec<_>>(), chosen.thresholds)
        };
        let codes = Thresholds { distance: Some(1.25), bits: None };
        assert_eq!(recall(Means::Codes), (vec![1.0, 0.0], codes));
        assert_eq!(
            recall(Means::Hashes),
            (vec![0.0, 1.0], Thresholds { distance: None, bits: Some(3) })
        );
        assert_eq!(recall(Means::Both), (vec![1.0, 1.0], Thresholds { bits: Some(3), ..codes }));
    }

    #[test]
    fn without_a_threshold_it_says_why() {
        let message = |trials: &[Trial]| {
            Calibration::choose(trials, 0.99, Means::Both).unwrap_err().to_string()
        };
        assert!(message(&[]).ends_with("got no edited images"), "{}", message(&[]));
        let never = [trial(Edit::Half, 2.0, &[1.0])];
        assert!(message(&never).contains("train the model longer"), "{}", message(&never));
        let near = Thresholds { distance: Some(0.5), bits: None };
        assert_eq!(Calibration::measure(&never, near).precision, 1.0);
    }

    #[test]
    fn originals_are_found_and_known_copies_do_not_count() {
        let gallery = Codes::new(vec![0.0, 0.1, 5.0], 1).unwrap();
        let hashes = [0b0, 0b1, u64::MAX].map(PerceptualHash);
        let edited = Edited {
            edit: Edit::Half,
            rows: vec![0, 2],
            codes: Codes::new(vec![0.5, 5.5], 1).unwrap(),
            hashes: None,
        };
        let known = |a: usize, b: usize| a + b == 1;
        let run = |gallery: Gallery<'_>, edited: &Edited| {
            Trial::run(gallery, edited, &known, &Device::flex())
        };
        let trials = run(Gallery::of_codes(&gallery), &edited).unwrap();
        let second = Trial { row: 2, ..trial(Edit::Half, 0.5, &[5.5, 5.4]) };
        assert_eq!(trials, [trial(Edit::Half, 0.5, &[4.5]), second]);
        let hashed = Gallery::new(&gallery, &hashes).unwrap();
        let with_hashes = Edited { hashes: Some(vec![hashes[1], hashes[1]]), ..edited.clone() };
        let trials = run(hashed, &with_hashes).unwrap();
        let bits = |trial: &Trial| -> Vec<Option<u32>> {
            std::iter::once(&trial.own).chain(&trial.others).map(|it| it.bits).collect()
        };
        assert_eq!(bits(&trials[0]), [Some(1), Some(63)]);
        assert_eq!(bits(&trials[1]), [Some(63), Some(1), Some(0)]);
        let short = Edited { hashes: Some(vec![hashes[0]]), ..edited };
        assert!(run(hashed, &short).is_err());
        assert!(Gallery::new(&gallery, &hashes[..2]).is_err());
    }
}
