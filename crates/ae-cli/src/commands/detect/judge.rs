//! Scores, thresholds and what is flagged, of ours and of the classical methods.

use ae_apply::detect::{Detector, Goal, Labelled, RivalKind, ScoreKind, Tail, contamination};
use ae_data::Samples;
use ae_report::MethodRow;
use ae_train::{average_precision, roc_auc};

use super::Args;
use crate::{Error, Result};

/// The rate of false alarms where nothing is said.
const RATE: f64 = 0.01;

/// Labels that mean an anomaly.
const ANOMALIES: [&str; 6] = ["1", "true", "yes", "anomaly", "anomalous", "outlier"];

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
    pub flagged: Vec<bool>,
}

/// Everything that is printed and written.
pub struct Judged {
    /// Ours first.
    pub methods: Vec<Method>,
    pub kind: ScoreKind,
    pub per_feature: Vec<Vec<f32>>,
    pub features: Vec<String>,
    pub calibration: Vec<f64>,
    /// One for each detector.
    pub thresholds: Vec<f64>,
    pub note: String,
    pub is_anomaly: Option<Vec<bool>>,
    pub table: Vec<MethodRow>,
    pub counts: String,
}

/// A threshold for the rows of one part.
enum Rule {
    Conformal(f64),
    Score(f64),
}

impl Judged {
    pub fn new(
        args: &Args,
        parts: &[Part],
        scored: &Samples,
        labelled: Option<&Samples>,
    ) -> Result<Self> {
        let first = &parts[0].detector;
        let kind = args.by.unwrap_or(first.settings().score);
        let count = scored.len();
        let mut ours = Method::empty("ours", count);
        let mut rivals: Vec<Method> =
            RivalKind::KINDS.iter().map(|kind| Method::empty(kind.name(), count)).collect();
        let (mut per_feature, mut calibration) = (vec![vec![]; count], vec![]);
        for Part { detector, rows } in parts {
            let samples = scored.subset(rows);
            let scores = detector.score_by(kind, &samples)?;
            ours.put(rows, &scores.score, &scores.p);
            for (row, features) in rows.iter().zip(scores.per_feature) {
                per_feature[*row] = features;
            }
            calibration.extend_from_slice(detector.calibration(kind)?.scores());
            let prepared = detector.prepare(&samples)?;
            for (kind, method) in RivalKind::KINDS.into_iter().zip(&mut rivals) {
                let rival = detector.rival(kind)?;
                let scores = rival.score(&prepared);
                let p: Vec<f64> =
                    scores.iter().map(|score| rival.calibration().p(*score)).collect();
                method.put(rows, &scores, &p);
            }
        }
        let (rules, mut thresholds, note) = rules(args, parts, kind, &ours.scores, labelled)?;
        for (rule, part) in rules.iter().zip(parts) {
            for row in &part.rows {
                ours.flagged[*row] = match rule {
                    Rule::Conformal(rate) => ours.p[*row] <= rate + 1e-12,
                    Rule::Score(threshold) => ours.scores[*row] > *threshold,
                };
            }
        }
        thresholds.dedup();
        // The rivals flag by the same rate, or else as many rows as ours.
        let rate = match rules.first() {
            Some(Rule::Conformal(rate)) => *rate,
            _ => ours.flagged.iter().filter(|it| **it).count() as f64 / count.max(1) as f64,
        };
        for method in &mut rivals {
            method.flagged = method.p.iter().map(|p| *p <= rate + 1e-12).collect();
        }
        let is_anomaly = anomalies(args, scored)?;
        let methods: Vec<Method> = std::iter::once(ours).chain(rivals).collect();
        let table = methods.iter().map(|method| method.row(&methods[0], is_anomaly.as_deref()));
        let table = table.collect();
        let counts = first.counts();
        let counts = format!(
            "{} training rows, {} scale rows, {} calibration rows{}{}",
            counts.training,
            counts.scale,
            counts.calibration,
            if counts.trimmed > 0 {
                format!(", {} left out", counts.trimmed)
            } else {
                String::new()
            },
            if parts.len() > 1 { " in each of two detectors" } else { "" },
        );
        Ok(Self {
            features: first.feature_names(),
            methods,
            kind,
            per_feature,
            calibration,
            thresholds,
            note,
            is_anomaly,
            table,
            counts,
        })
    }

    /// The rows from the most to the least unusual.
    pub fn order(&self) -> Vec<usize> {
        let ours = &self.methods[0];
        let mut order: Vec<usize> = (0..ours.scores.len()).collect();
        order.sort_by(|a, b| {
            let by_p = ours.p[*a].total_cmp(&ours.p[*b]);
            by_p.then(ours.scores[*b].total_cmp(&ours.scores[*a]))
        });
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
    fn empty(name: &str, count: usize) -> Self {
        let [scores, p] = [vec![0.0; count], vec![1.0; count]];
        Self { name: name.to_owned(), scores, p, flagged: vec![false; count] }
    }

    fn put(&mut self, rows: &[usize], scores: &[f64], p: &[f64]) {
        for (at, row) in rows.iter().enumerate() {
            (self.scores[*row], self.p[*row]) = (scores[at], p[at]);
        }
    }

    pub fn count(&self) -> usize {
        self.flagged.iter().filter(|it| **it).count()
    }

    fn row(&self, ours: &Self, is_anomaly: Option<&[bool]>) -> MethodRow {
        let both = self.flagged.iter().zip(&ours.flagged).filter(|(a, b)| **a && **b).count();
        let scores: Vec<f32> = self.scores.iter().map(|score| *score as f32).collect();
        MethodRow {
            name: self.name.clone(),
            flagged: self.count(),
            in_common: both,
            auroc: is_anomaly.and_then(|labels| roc_auc(&scores, labels)),
            average_precision: is_anomaly.and_then(|labels| average_precision(&scores, labels)),
        }
    }
}

/// The rule of each part, a threshold for the chart, and a sentence.
fn rules(
    args: &Args,
    parts: &[Part],
    kind: ScoreKind,
    scores: &[f64],
    labelled: Option<&Samples>,
) -> Result<(Vec<Rule>, Vec<f64>, String)> {
    let everywhere = |score: f64, note: String| {
        Ok((parts.iter().map(|_| Rule::Score(score)).collect(), vec![score], note))
    };
    if let Some(share) = args.contamination {
        let score = contamination(scores, share)?;
        return everywhere(
            score,
            format!("the {share} of the scored rows with the largest scores are flagged"),
        );
    }
    if let Some(samples) = labelled {
        let labels = anomalies(args, samples)?.ok_or_else(|| {
            Error::usage("--labels: expected samples with labels, got none; name their column with --label-column")
        })?;
        let scores = parts[0].detector.score_by(kind, samples)?.score;
        let goal = args.recall.map_or(Goal::F1, Goal::Recall);
        let chosen = Labelled::choose(&scores, &labels, goal)?;
        let note = format!(
            "threshold {:.3} by {} labelled rows, of which it has precision {:.3} and recall {:.3}",
            chosen.score,
            labels.len(),
            chosen.precision,
            chosen.recall
        );
        return everywhere(chosen.score, note);
    }
    let smallest = parts.iter().map(|part| Ok(part.detector.calibration(kind)?.smallest_rate()));
    let smallest = smallest.collect::<Result<Vec<f64>>>()?.into_iter().fold(0.0, f64::max);
    if args.tail {
        let rate = args.false_alarms.unwrap_or(RATE);
        let mut rules = vec![];
        let (mut note, mut shown) = (String::new(), vec![]);
        for part in parts {
            let tail = Tail::fit(part.detector.calibration(kind)?.scores())?;
            let score = tail.threshold(rate)?;
            if rules.is_empty() {
                note = format!(
                    "false alarms in {rate} of normal rows by a model of the {} largest calibration scores \
                     (generalised Pareto, xi {:.2}), not guaranteed: threshold {score:.3}",
                    tail.excesses, tail.shape
                );
            }
            rules.push(Rule::Score(score));
            shown.push(score);
        }
        return Ok((rules, shown, note));
    }
    let rate = args.false_alarms.unwrap_or(RATE.max(smallest));
    let (mut first, mut shown) = (None, vec![]);
    for part in parts {
        let threshold = part.detector.calibration(kind)?.threshold(rate)?;
        shown.push(threshold.score);
        first.get_or_insert(threshold);
    }
    let first = first.ok_or_else(|| Error::usage("nothing to score"))?;
    let [low, high] = first.interval();
    let note = format!(
        "false alarms in at most {:.2} % of normal rows (conformal, {} calibration rows{}; 95 % of such \
         samplings give {:.2} to {:.2} %): threshold {}{}",
        100.0 * rate,
        first.rows,
        if args.false_alarms.is_none() && rate > RATE { ", too few for 1 %" } else { "" },
        100.0 * low,
        100.0 * high,
        shown.iter().map(|score| format!("{score:.3}")).collect::<Vec<_>>().join(" and "),
        if parts.len() > 1 {
            "; anomalies among these rows make it too high: see --trim and --contamination"
        } else {
            ""
        }
    );
    Ok((parts.iter().map(|_| Rule::Conformal(rate)).collect(), shown, note))
}

/// Which samples are anomalies by their labels, if they have such labels.
fn anomalies(args: &Args, samples: &Samples) -> Result<Option<Vec<bool>>> {
    let Some(labels) = samples.labels() else { return Ok(None) };
    let names = labels.names();
    let means_anomaly = |name: &String| match &args.anomaly {
        Some(wanted) => name == wanted,
        None => ANOMALIES.contains(&name.to_lowercase().as_str()),
    };
    let Some(class) =
        names.iter().position(means_anomaly).filter(|_| args.anomaly.is_some() || names.len() == 2)
    else {
        return match &args.anomaly {
            Some(wanted) => Err(Error::usage(format!(
                "--anomaly: expected one of the labels ({}), got {wanted}",
                names.join(", ")
            ))),
            None => Ok(None),
        };
    };
    Ok(Some(labels.classes().iter().map(|label| *label as usize == class).collect()))
}
