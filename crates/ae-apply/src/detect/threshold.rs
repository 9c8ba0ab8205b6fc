//! Thresholds by a share that is flagged, or by labels.

use crate::{Error, Result};

/// The score that a share of the scored rows themselves is above: the `contamination` of PyOD and
/// scikit-learn. With `n` rows it is the `ceil(n (1 - share))`-th of the ascending scores.
///
/// ```
/// assert_eq!(ae_apply::detect::contamination(&[1.0, 5.0, 2.0, 9.0], 0.25)?, 5.0);
/// # Ok::<(), ae_apply::Error>(())
/// ```
///
/// # Errors
/// If the share is not above 0 and below 1, or there are no scores.
pub fn contamination(scores: &[f64], share: f64) -> Result<f64> {
    if !(share > 0.0 && share < 1.0) {
        return Err(Error::setting("contamination", "a share above 0 and below 1", share));
    }
    let mut sorted = scores.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (scores.len() as f64 * (1.0 - share) - 1e-9).ceil().max(1.0) as usize;
    let score = sorted.get(rank - 1).copied();
    score.ok_or_else(|| Error::setting("scores", "at least one", "none"))
}

/// What a threshold by labels is chosen for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Goal {
    /// The best F1, `2 precision recall / (precision + recall)`.
    F1,
    /// The fewest false alarms at which at least this share of the anomalies is flagged.
    Recall(f64),
}

/// A threshold by labelled validation rows, and how it does on them. They should not be those that the result
/// is tested on.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Labelled {
    /// The largest score that is not flagged.
    pub score: f64,
    /// The share of the flagged rows that are anomalies.
    pub precision: f64,
    /// The share of the anomalies that are flagged.
    pub recall: f64,
}

impl Labelled {
    /// The threshold for a goal, half way between two scores.
    ///
    /// # Errors
    /// If there is not one label for each score, a class is absent, or the wished recall is not above 0 and at
    /// most 1.
    pub fn choose(scores: &[f64], is_anomaly: &[bool], goal: Goal) -> Result<Self> {
        let anomalies = is_anomaly.iter().filter(|it| **it).count();
        if scores.len() != is_anomaly.len() || anomalies == 0 || anomalies == is_anomaly.len() {
            let expected = "one for each score, normal rows and anomalies among them";
            let got =
                format!("{} for {} scores, {anomalies} anomalies", is_anomaly.len(), scores.len());
            return Err(Error::setting("labels", expected, got));
        }
        if let Goal::Recall(recall) = goal
            && !(recall > 0.0 && recall <= 1.0)
        {
            return Err(Error::setting("recall", "a number above 0 and at most 1", recall));
        }
        let mut order: Vec<usize> = (0..scores.len()).collect();
        order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
        let (mut found, mut flagged) = (0usize, 0usize);
        let mut best: Option<(f64, Self)> = None;
        for ties in order.chunk_by(|a, b| scores[*a] == scores[*b]) {
            flagged += ties.len();
            found += ties.iter().filter(|row| is_anomaly[**row]).count();
            let lowest = scores[ties[0]];
            let next = order.get(flagged).map(|row| scores[*row]);
            let score = next.map_or(lowest.next_down(), |next| between(next, lowest));
            let precision = found as f64 / flagged as f64;
            let recall = found as f64 / anomalies as f64;
            let value = match goal {
                Goal::F1 => 2.0 * found as f64 / (flagged + anomalies) as f64,
                Goal::Recall(wished) if recall >= wished - 1e-12 => -(flagged as f64),
                Goal::Recall(_) => continue,
            };
            if best.as_ref().is_none_or(|(most, _)| value > *most) {
                best = Some((value, Self { score, precision, recall }));
            }
        }
        let (_, best) = best.ok_or_else(|| Error::setting("labels", "anomalies", "none"))?;
        Ok(best)
    }
}

/// The middle, which is below `high` also where the two are neighbouring numbers.
fn between(low: f64, high: f64) -> f64 {
    let middle = low + (high - low) / 2.0;
    if middle < high { middle } else { low }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scores 5 4 3 2 1, anomalies 5, 3, 1. Flagging one: F1 = 2/4; two: 2/5; three: 4/6; four: 4/7; five: 6/8.
    /// A recall of 2/3 needs three flagged: above 2.5.
    #[test]
    fn goals_by_hand() {
        let scores = [1.0, 2.0, 3.0, 4.0, 5.0];
        let labels = [true, false, true, false, true];
        let best = Labelled::choose(&scores, &labels, Goal::F1).unwrap();
        assert_eq!((best.precision, best.recall), (0.6, 1.0));
        assert!(best.score < 1.0);
        let wished = Labelled::choose(&scores, &labels, Goal::Recall(2.0 / 3.0)).unwrap();
        assert_eq!((wished.score, wished.precision, wished.recall), (2.5, 2.0 / 3.0, 2.0 / 3.0));
        let first = Labelled::choose(&scores, &labels, Goal::Recall(0.1)).unwrap();
        assert_eq!((first.score, first.precision), (4.5, 1.0));
    }

    #[test]
    fn one_class_and_impossible_shares_are_refused() {
        assert!(Labelled::choose(&[1.0, 2.0], &[true, true], Goal::F1).is_err());
        assert!(Labelled::choose(&[1.0, 2.0], &[false, false], Goal::F1).is_err());
        assert!(Labelled::choose(&[1.0], &[false, true], Goal::F1).is_err());
        assert!(Labelled::choose(&[1.0, 2.0], &[false, true], Goal::Recall(0.0)).is_err());
        assert!(contamination(&[1.0], 0.0).is_err() && contamination(&[], 0.5).is_err());
        // 10 % of 20 rows: 2 above the 18th.
        let scores: Vec<f64> = (1..=20).map(f64::from).collect();
        assert_eq!(contamination(&scores, 0.1).unwrap(), 18.0);
    }
}
