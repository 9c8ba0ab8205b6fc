//! What is flagged: the same rule for ours and for the classical methods.

use ae_apply::detect::{Conformal, Goal, Labelled, Tail, contamination};

use super::Args;
use crate::{Error, Result};

/// The rate of false alarms where nothing is said.
const RATE: f64 = 0.01;

/// The scores of the rows of one part by a method, whose detector has not seen them.
pub struct PartScores {
    pub rows: Vec<usize>,
    pub scores: Vec<f64>,
    pub calibration: Conformal,
    /// The scores of the labelled rows of another source.
    pub labelled: Vec<f64>,
}

/// How rows are flagged.
#[derive(Clone, Copy, Debug)]
pub enum Rule {
    /// By p-values, with this rate of false alarms or else the default.
    Conformal(Option<f64>),
    /// By a model of the tail of the calibration scores.
    Tail(f64),
    /// This share of the scored rows.
    Share(f64),
    /// By labelled rows.
    Labels(Goal),
}

/// Labelled rows that a threshold is chosen by.
#[derive(Clone, Copy)]
pub enum LabelledRows<'a> {
    None,
    /// The scored rows.
    Scored(&'a [bool]),
    /// Rows whose scores each part has.
    Other(&'a [bool]),
}

/// What a rule does.
pub struct Flags {
    pub flagged: Vec<bool>,
    /// The threshold, or that of each part, on the scale of the pooled scores.
    pub thresholds: Vec<f64>,
    /// How it was found, in a sentence.
    pub note: String,
}

impl Rule {
    pub fn of(args: &Args) -> Self {
        match (args.contamination, &args.labels) {
            (Some(share), _) => Self::Share(share),
            (None, Some(_)) => Self::Labels(args.recall.map_or(Goal::F1, Goal::Recall)),
            (None, None) if args.tail => Self::Tail(args.false_alarms.unwrap_or(RATE)),
            (None, None) => Self::Conformal(args.false_alarms),
        }
    }

    /// Refuses, before a training, what this number of calibration rows does not allow.
    pub fn check(self, calibration: usize) -> Result<()> {
        match self {
            Self::Conformal(None) => {}
            Self::Conformal(Some(rate)) => {
                Conformal::rank(calibration, rate)?;
            }
            Self::Tail(rate) => Tail::check(calibration, rate)?,
            Self::Share(share) => {
                contamination(&[0.0], share)?;
            }
            Self::Labels(goal) => {
                Labelled::choose(&[0.0, 1.0], &[false, true], goal)?;
            }
        }
        Ok(())
    }

    /// Flags rows by the scores of the parts, which `pooled` has on one scale.
    pub fn apply(
        self,
        parts: &[PartScores],
        pooled: &[f64],
        labels: LabelledRows<'_>,
    ) -> Result<Flags> {
        match self {
            Self::Conformal(rate) => conformal(rate, parts, pooled.len()),
            Self::Tail(rate) => tail(rate, parts, pooled.len()),
            Self::Share(share) => {
                let threshold = contamination(pooled, share)?;
                let note = format!(
                    "the {} % of the scored rows with the largest scores are flagged",
                    100.0 * share
                );
                Ok(above(threshold, pooled, note))
            }
            Self::Labels(goal) => by_labels(goal, parts, pooled, labels),
        }
    }
}

impl PartScores {
    /// Scores of one of some parts on the scale of the pooled scores: as they are if it is the only one, else
    /// `-ln p`, since scores of two detectors cannot be compared.
    pub fn common(&self, scores: &[f64], parts: usize) -> Vec<f64> {
        if parts == 1 { scores.to_vec() } else { self.calibration.significances(scores) }
    }
}

/// The scores of all rows, on one scale.
pub fn pooled(parts: &[PartScores], count: usize) -> Vec<f64> {
    let mut pooled = vec![0.0; count];
    for part in parts {
        let scores = part.common(&part.scores, parts.len());
        part.rows.iter().zip(scores).for_each(|(row, score)| pooled[*row] = score);
    }
    pooled
}

/// The rows above a threshold of pooled scores.
fn above(threshold: f64, pooled: &[f64], note: String) -> Flags {
    let flagged = pooled.iter().map(|score| *score > threshold).collect();
    Flags { flagged, thresholds: vec![threshold], note }
}

/// The rows above the threshold of each part, in its own scores.
fn above_each(thresholds: &[f64], parts: &[PartScores], count: usize, note: String) -> Flags {
    let mut flagged = vec![false; count];
    for (part, threshold) in parts.iter().zip(thresholds) {
        for (row, score) in part.rows.iter().zip(&part.scores) {
            flagged[*row] = score > threshold;
        }
    }
    let shown = parts.iter().zip(thresholds);
    let shown = shown.flat_map(|(part, score)| part.common(&[*score], parts.len()));
    Flags { flagged, thresholds: shown.collect(), note }
}

fn conformal(rate: Option<f64>, parts: &[PartScores], count: usize) -> Result<Flags> {
    let smallest = parts.iter().map(|part| part.calibration.smallest_rate()).fold(0.0, f64::max);
    let chosen = rate.unwrap_or(RATE.max(smallest));
    let thresholds = parts.iter().map(|part| part.calibration.threshold(chosen));
    let thresholds = thresholds.collect::<ae_apply::Result<Vec<_>>>()?;
    let first = thresholds.first().ok_or_else(|| Error::usage("nothing to score"))?;
    let [low, high] = first.interval();
    let few = if rate.is_none() && chosen > RATE { ", too few for 1 %" } else { "" };
    let note = format!(
        "false alarms in at most {:.2} % of normal rows on average (conformal, {} calibration rows{few}; {:.2} to \
         {:.2} % with 95 % of draws of them)",
        100.0 * chosen,
        first.rows,
        100.0 * low,
        100.0 * high,
    );
    let scores: Vec<f64> = thresholds.iter().map(|threshold| threshold.score).collect();
    Ok(above_each(&scores, parts, count, note))
}

fn tail(rate: f64, parts: &[PartScores], count: usize) -> Result<Flags> {
    let tails = parts.iter().map(|part| Tail::fit(part.calibration.scores()));
    let tails = tails.collect::<ae_apply::Result<Vec<_>>>()?;
    let thresholds = tails.iter().map(|tail| tail.threshold(rate));
    let thresholds = thresholds.collect::<ae_apply::Result<Vec<_>>>()?;
    let first = tails.first().ok_or_else(|| Error::usage("nothing to score"))?;
    let shapes: Vec<_> = tails.iter().map(|tail| format!("{:.2}", tail.shape)).collect();
    let note = format!(
        "false alarms in {} % of normal rows, as far as a model of the {} largest calibration scores holds \
         (generalised Pareto, xi {})",
        100.0 * rate,
        first.excesses,
        shapes.join(" and ")
    );
    Ok(above_each(&thresholds, parts, count, note))
}

fn by_labels(
    goal: Goal,
    parts: &[PartScores],
    pooled: &[f64],
    labels: LabelledRows<'_>,
) -> Result<Flags> {
    let (labels, chosen, is_scored) = match labels {
        LabelledRows::None => {
            return Err(Error::usage("--labels: expected labelled rows, got none"));
        }
        LabelledRows::Scored(labels) => {
            (labels, vec![Labelled::choose(pooled, labels, goal)?], true)
        }
        LabelledRows::Other(labels) => {
            let of_part = |part: &PartScores| Labelled::choose(&part.labelled, labels, goal);
            (labels, parts.iter().map(of_part).collect::<ae_apply::Result<Vec<_>>>()?, false)
        }
    };
    let of = |value: fn(&Labelled) -> f64| {
        let values: Vec<_> = chosen.iter().map(|it| format!("{:.3}", value(it))).collect();
        values.join(" and ")
    };
    let note = format!(
        "chosen by {} labelled rows{}, with precision {} and recall {} on these",
        labels.len(),
        if is_scored { ", which are the scored ones" } else { "" },
        of(|it| it.precision),
        of(|it| it.recall)
    );
    let thresholds: Vec<f64> = chosen.iter().map(|it| it.score).collect();
    Ok(match is_scored {
        true => above(thresholds[0], pooled, note),
        false => above_each(&thresholds, parts, pooled.len(), note),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two parts whose detectors score on scales of 1 and of 1000: 99 calibration rows, and 20 rows of which the
    /// last two are unusual.
    fn parts() -> Vec<PartScores> {
        let part = |at: usize, scale: f64| PartScores {
            rows: (0..20).map(|row| 2 * row + at).collect(),
            scores: (0..20)
                .map(|row| {
                    scale
                        * if row < 18 { 3.0 + 4.5 * f64::from(row) } else { 400.0 + f64::from(row) }
                })
                .collect(),
            calibration: Conformal::new((1..100).map(|row| scale * f64::from(row)).collect())
                .unwrap(),
            labelled: (0..10).map(|row| scale * f64::from(row) * 20.0).collect(),
        };
        vec![part(0, 1.0), part(1, 1000.0)]
    }

    fn flagged(rule: Rule, labels: LabelledRows<'_>) -> Vec<usize> {
        let parts = parts();
        let pooled = pooled(&parts, 40);
        let flags = rule.apply(&parts, &pooled, labels).unwrap();
        assert!(flags.thresholds.iter().all(|score| *score < 10.0), "{:?}", flags.thresholds);
        (0..40).filter(|row| flags.flagged[*row]).collect()
    }

    /// The unusual rows are 36 to 39, in both parts. By the scores themselves a share of a tenth would be rows of
    /// the second part alone: 33, 35, 37 and 39.
    #[test]
    fn every_rule_flags_the_unusual_rows_of_both_parts() {
        let unusual: Vec<usize> = (36..40).collect();
        assert_eq!(flagged(Rule::Share(0.1), LabelledRows::None), unusual);
        assert_eq!(flagged(Rule::Conformal(Some(0.01)), LabelledRows::None), unusual);
        assert_eq!(flagged(Rule::Conformal(None), LabelledRows::None), unusual);
        let labels: Vec<bool> = (0..40).map(|row| row >= 36).collect();
        assert_eq!(flagged(Rule::Labels(Goal::F1), LabelledRows::Scored(&labels)), unusual);
        // Labelled rows 0, 20, .. 180, of which those from 100 are anomalies: the threshold is 90 or 90,000.
        let labels: Vec<bool> = (0..10).map(|row| row >= 5).collect();
        assert_eq!(flagged(Rule::Labels(Goal::F1), LabelledRows::Other(&labels)), unusual);
    }

    #[test]
    fn impossible_rules_are_refused_before_a_training() {
        let refused = |rule: Rule, rows: usize| rule.check(rows).unwrap_err().to_string();
        assert!(refused(Rule::Conformal(Some(0.01)), 98).contains("needs 99 normal rows"));
        assert!(Rule::Conformal(Some(0.01)).check(99).is_ok());
        assert!(Rule::Conformal(None).check(5).is_ok());
        for rate in [0.0, 1.0, f64::NAN, -1.0] {
            assert!(refused(Rule::Conformal(Some(rate)), 999).starts_with("rate of false alarms"));
            assert!(refused(Rule::Share(rate), 999).starts_with("contamination"));
        }
        assert!(refused(Rule::Tail(0.01), 299).starts_with("tail: expected at least 300"));
        assert!(refused(Rule::Tail(0.5), 300).starts_with("rate of false alarms"));
        assert!(Rule::Tail(0.01).check(300).is_ok());
        assert!(refused(Rule::Labels(Goal::Recall(1.1)), 999).starts_with("recall"));
        assert!(Rule::Labels(Goal::Recall(1.0)).check(1).is_ok());
    }
}
