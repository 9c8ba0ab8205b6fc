//! Scores, thresholds and what is flagged, of ours and of the classical methods.

use ae_apply::detect::{Detector, RivalKind, ScoreKind};
use ae_data::Samples;
use ae_report::MethodRow;
use ae_train::{average_precision, roc_auc};

use super::Args;
use super::rule::{Flags, LabelledRows, PartScores, Rule, pooled};
use super::sources::Known;
use crate::Result;

/// A detector, and the rows that it scores.
pub struct Part {
    pub detector: Detector,
    pub rows: Vec<usize>,
}

/// What a method says of every scored row.
pub struct Method {
    pub name: String,
    pub scores: Vec<f64>,
    pub p: Vec<f64>,
    /// None where its scores do not allow the rule that ours are flagged by.
    pub flagged: Option<Vec<bool>>,
}

/// Everything that is printed and written.
pub struct Judged {
    /// Ours first.
    pub methods: Vec<Method>,
    /// Which rows ours flags.
    pub flagged: Vec<bool>,
    pub kind: ScoreKind,
    pub per_feature: Vec<Vec<f32>>,
    pub features: Vec<String>,
    pub calibration: Vec<f64>,
    /// One, or one for each detector.
    pub thresholds: Vec<f64>,
    pub note: String,
    pub is_anomaly: Option<Vec<bool>>,
    /// Whether the labels of the scored rows chose the threshold.
    pub is_chosen: bool,
    pub table: Vec<MethodRow>,
    pub counts: String,
    /// A warning, if the rows as a whole score otherwise than the calibration rows.
    pub shift: Option<String>,
}

impl Judged {
    pub fn new(
        args: &Args,
        parts: &[Part],
        scored: &Samples,
        known: &Known,
        is_anomaly: Option<Vec<bool>>,
    ) -> Result<Self> {
        let first = &parts[0].detector;
        let kind = args.by.unwrap_or(first.settings().score);
        let (mut ours, mut rivals) = (vec![], RivalKind::KINDS.map(|_| vec![]));
        let mut per_feature = vec![vec![]; scored.len()];
        for Part { detector, rows } in parts {
            let samples = scored.subset(rows);
            let scores = detector.score_by(kind, &samples)?;
            for (row, features) in rows.iter().zip(scores.per_feature) {
                per_feature[*row] = features;
            }
            let labelled = match known {
                Known::Other(samples, _) => Some(&**samples),
                Known::None | Known::Scored => None,
            };
            ours.push(PartScores {
                rows: rows.clone(),
                scores: scores.score,
                calibration: detector.calibration(kind)?,
                labelled: match labelled {
                    Some(samples) => detector.score_by(kind, samples)?.score,
                    None => vec![],
                },
            });
            let prepared = detector.prepare(&samples)?;
            let labelled = labelled.map(|samples| detector.prepare(samples)).transpose()?;
            for (kind, of_rival) in RivalKind::KINDS.into_iter().zip(&mut rivals) {
                let rival = detector.rival(kind)?;
                of_rival.push(PartScores {
                    rows: rows.clone(),
                    scores: rival.score(&prepared),
                    calibration: rival.calibration().clone(),
                    labelled: labelled.as_ref().map(|rows| rival.score(rows)).unwrap_or_default(),
                });
            }
        }
        let labels = match (known, &is_anomaly) {
            (Known::Other(_, labels), _) => LabelledRows::Other(labels),
            (Known::Scored, Some(labels)) => LabelledRows::Scored(labels),
            (Known::Scored | Known::None, _) => LabelledRows::None,
        };
        let rule = Rule::of(args);
        let (mut method, flags) = Method::new("ours", &ours, scored.len(), rule, labels);
        let Flags { flagged, thresholds, note } = flags?;
        method.flagged = Some(flagged.clone());
        let mut methods = vec![method];
        for (kind, parts) in RivalKind::KINDS.into_iter().zip(&rivals) {
            let (mut method, flags) = Method::new(kind.name(), parts, scored.len(), rule, labels);
            method.flagged = match (flags, rule) {
                (Ok(flags), _) => Some(flags.flagged),
                // The tail of its scores may be too heavy.
                (Err(_), Rule::Tail(_)) => None,
                (Err(error), _) => return Err(error),
            };
            methods.push(method);
        }
        let table = methods.iter().map(|method| method.row(&flagged, is_anomaly.as_deref()));
        let table = table.collect();
        let of_part = |part: &PartScores| part.common(part.calibration.scores(), ours.len());
        let calibration = ours.iter().flat_map(of_part).collect();
        Ok(Self {
            features: first.feature_names(),
            methods,
            flagged,
            kind,
            per_feature,
            calibration,
            note: described(note, &thresholds, parts.len(), rule),
            thresholds,
            is_chosen: matches!(known, Known::Scored),
            is_anomaly,
            table,
            counts: counts(parts),
            shift: shift(&ours),
        })
    }

    /// The rows from the most to the least unusual.
    pub fn order(&self) -> Vec<usize> {
        let scores = &self.methods[0].scores;
        let mut order: Vec<usize> = (0..scores.len()).collect();
        order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
        order
    }

    /// The features that make a row unusual, the first ones first.
    pub fn because(&self, row: usize, count: usize) -> Vec<(String, f64)> {
        let values = &self.per_feature[row];
        let mut order: Vec<usize> = (0..values.len()).collect();
        order.sort_by(|a, b| values[*b].total_cmp(&values[*a]));
        order.truncate(count);
        order.into_iter().map(|at| (self.features[at].clone(), f64::from(values[at]))).collect()
    }
}

impl Method {
    /// A method by its scores of the parts, before anything is flagged, and what the rule flags.
    fn new(
        name: &str,
        parts: &[PartScores],
        count: usize,
        rule: Rule,
        labels: LabelledRows<'_>,
    ) -> (Self, Result<Flags>) {
        let scores = pooled(parts, count);
        let mut p = vec![1.0; count];
        for part in parts {
            for (row, score) in part.rows.iter().zip(&part.scores) {
                p[*row] = part.calibration.p(*score);
            }
        }
        let flags = rule.apply(parts, &scores, labels);
        (Self { name: name.to_owned(), scores, p, flagged: None }, flags)
    }

    fn row(&self, ours: &[bool], is_anomaly: Option<&[bool]>) -> MethodRow {
        let count = |flagged: &Vec<bool>| flagged.iter().filter(|it| **it).count();
        let both = |flagged: &Vec<bool>| {
            flagged.iter().zip(ours).filter(|(theirs, ours)| **theirs && **ours).count()
        };
        let scores: Vec<f32> = self.scores.iter().map(|score| *score as f32).collect();
        // Of one class alone both would say nothing.
        let labels = is_anomaly.filter(|it| it.contains(&true) && it.contains(&false));
        MethodRow {
            name: self.name.clone(),
            flagged: self.flagged.as_ref().map(count),
            in_common: self.flagged.as_ref().map(both),
            auroc: labels.and_then(|labels| roc_auc(&scores, labels)),
            average_precision: labels.and_then(|labels| average_precision(&scores, labels)),
        }
    }
}

/// The sentence on the rule, with its thresholds and what else is to be known of them.
fn described(note: String, thresholds: &[f64], parts: usize, rule: Rule) -> String {
    let shown: Vec<_> = thresholds.iter().map(|score| format!("{score:.3}")).collect();
    let (scale, contaminated) = match (parts, rule) {
        (1, _) => ("", ""),
        (_, Rule::Conformal(_) | Rule::Tail(_)) => (
            " of -ln p",
            "; anomalies among these rows make it too high: see --trim and --contamination",
        ),
        _ => (" of -ln p", ""),
    };
    format!("{note}: threshold{scale} {}{contaminated}", shown.join(" and "))
}

/// What to think of scored rows that as a whole are not like the calibration rows of a detector.
fn shift(ours: &[PartScores]) -> Option<String> {
    // The halves of one source are drawn at random.
    let [part] = ours else { return None };
    let shift = part.calibration.shift(&part.scores);
    let pairs = format!(
        "in {:.0} % of pairs of a scored row and a calibration row the scored one has the larger score (50 % if they \
         are drawn alike; z = {:.1})",
        100.0 * shift.above,
        shift.z
    );
    let advice = match (shift.is_clear(), shift.above > 0.5) {
        (false, _) => return None,
        (true, true) => {
            "many are anomalies, or they are not drawn as the training rows were, and then more than the rate are \
             false alarms"
        }
        (true, false) => {
            "the detector may have been trained on some of them, and then their p-values are too large"
        }
    };
    Some(format!("{pairs}: {advice}"))
}

fn counts(parts: &[Part]) -> String {
    let counts = parts[0].detector.counts();
    format!(
        "{} training rows, {} scale rows, {} calibration rows{}{}",
        counts.training,
        counts.scale,
        counts.calibration,
        match counts.trimmed {
            0 => String::new(),
            trimmed => format!(", {trimmed} left out"),
        },
        if parts.len() > 1 { " in each of two detectors" } else { "" },
    )
}
