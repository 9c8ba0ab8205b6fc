//! The page of an anomaly detection.

use std::path::Path;

use image::RgbaImage;
use maud::{Markup, PreEscaped, html};

use crate::charts::{self, Line};
use crate::{Result, page};

/// Bins of the histogram.
const BINS: usize = 40;

/// What the page shows.
pub struct Detection {
    /// The name of the data.
    pub title: String,
    /// What was found, in a sentence.
    pub lead: String,
    /// What is known of the threshold.
    pub threshold_note: String,
    /// The scores of calibration rows.
    pub calibration: Vec<f64>,
    /// The scores of the scored rows.
    pub scores: Vec<f64>,
    /// What is above it is flagged, for each detector.
    pub thresholds: Vec<f64>,
    /// For each method its name, the rows it flags, those that it flags with ours, and with labels its area under
    /// the ROC curve and its average precision.
    pub methods: Vec<MethodRow>,
    /// What the labels were used for.
    pub labels_note: String,
    /// For each method with labels: its name, and its scores with whether the row is an anomaly.
    pub curves: Vec<(String, Vec<(f64, bool)>)>,
    /// The most unusual rows.
    pub worst: Vec<WorstRow>,
    /// Facts for the end of the page.
    pub facts: Vec<(String, String)>,
    /// The version of the program.
    pub program: String,
}

/// A line of the table of methods.
#[derive(Clone, Debug, serde::Serialize)]
pub struct MethodRow {
    /// Its name.
    pub name: String,
    /// How many rows it flags by the same rule as ours, if its scores allow that rule.
    pub flagged: Option<usize>,
    /// How many of them ours flags too.
    pub in_common: Option<usize>,
    /// The area under the ROC curve, where there are labels.
    pub auroc: Option<f64>,
    /// The average precision, where there are labels.
    pub average_precision: Option<f64>,
}

/// An unusual row.
pub struct WorstRow {
    /// Its place or file.
    pub name: String,
    /// Its score.
    pub score: f64,
    /// Its p-value.
    pub p: f64,
    /// Whether it is flagged.
    pub is_flagged: bool,
    /// The features that make it so, with how many times the usual error they have.
    pub features: Vec<(String, f64)>,
    /// Of an image: [itself and where it is unusual](crate::pictures::Painter::with_heat).
    pub picture: Option<RgbaImage>,
}

/// Writes the page.
///
/// # Errors
/// If a chart cannot be drawn, or the file cannot be written.
pub fn write_detection(path: &Path, detection: &Detection) -> Result<()> {
    let title = format!("Anomalies in {}", detection.title);
    let lead = html! { (detection.lead) };
    let page = page::document(&title, &lead, &body(detection)?, &detection.program);
    Ok(ae_run::files::write(path, &page.into_string())?)
}

fn body(detection: &Detection) -> Result<Markup> {
    let histogram = histogram(detection)?;
    Ok(html! {
        section {
            h2 { "Scores" }
            p.note { (detection.threshold_note) }
            div style="max-width:640px" { (PreEscaped(histogram)) }
        }
        section {
            h2 { "Beside the classical methods" }
            (methods(&detection.methods))
        }
        @if !detection.curves.is_empty() {
            section {
                h2 { "With the labels" }
                p.note { (detection.labels_note) }
                div.pair {
                    figure { (PreEscaped(roc(&detection.curves)?)) figcaption { "ROC" } }
                    figure { (PreEscaped(precision_recall(&detection.curves)?)) figcaption { "Precision and recall" } }
                }
            }
        }
        section {
            h2 { "The most unusual rows" }
            p.note {
                @if detection.worst.iter().any(|row| row.picture.is_some()) {
                    "Each image, and where it is unusual: black for the usual, white for its most unusual place."
                } @else {
                    "For each row the features that stand out when they are predicted from the others: the squared \
                     error in units of the usual one, times the share of the row's error that is gone without the feature."
                }
            }
            (worst(&detection.worst)?)
        }
        section {
            h2 { "Details" }
            dl { @for (name, fact) in &detection.facts { dt { (name) } dd { (fact) } } }
        }
    })
}

fn methods(rows: &[MethodRow]) -> Markup {
    let has_labels = rows.iter().any(|row| row.auroc.is_some());
    let count = |value: Option<usize>| value.map_or("-".to_owned(), |value| value.to_string());
    let number = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.3}"));
    html! {
        div.scroll { table {
            tr {
                th { "method" } th { "flagged" } th { "in common with ours" }
                @if has_labels { th { "AUROC" } th { "average precision" } }
            }
            @for row in rows {
                tr {
                    td { (row.name) } td.num { (count(row.flagged)) } td.num { (count(row.in_common)) }
                    @if has_labels {
                        td.num { (number(row.auroc)) } td.num { (number(row.average_precision)) }
                    }
                }
            }
        } }
    }
}

fn worst(rows: &[WorstRow]) -> Result<Markup> {
    let most = rows.iter().flat_map(|row| &row.features).fold(1.0f64, |most, (_, x)| most.max(*x));
    let width =
        |value: f64| format!("width:{:.1}%", 100.0 * (1.0 + value).ln() / (1.0 + most).ln());
    Ok(html! {
        @for row in rows {
            h3 {
                (row.name) " · score " (format!("{:.2}", row.score)) " · p = " (format!("{:.4}", row.p))
                @if !row.is_flagged { " · not flagged" }
            }
            @if let Some(picture) = &row.picture {
                div style="max-width:320px;margin-bottom:8px" {
                    (page::picture(picture, &format!("{} and where it is unusual", row.name), "wide")?)
                }
            } @else {
                div.bars {
                    @for (name, value) in &row.features {
                        span.name { (name) }
                        div.bar { div.ours style=(width(*value)) {} }
                        span.value { (format!("{value:.1}x")) }
                    }
                }
            }
        }
    })
}

/// Shares of calibration and scored rows by score, and the threshold.
fn histogram(detection: &Detection) -> Result<String> {
    let thresholds = || detection.thresholds.iter().copied();
    let all = || detection.calibration.iter().chain(&detection.scores).copied();
    let low = thresholds().chain(all()).fold(f64::INFINITY, f64::min);
    let high = thresholds().chain(all()).fold(f64::NEG_INFINITY, f64::max);
    let width = ((high - low) / BINS as f64).max(f64::MIN_POSITIVE);
    let share = |scores: &[f64]| {
        let mut counts = [0.0; BINS];
        for score in scores {
            let bin = (((score - low) / width) as usize).min(BINS - 1);
            counts[bin] += 1.0 / scores.len().max(1) as f64;
        }
        counts
    };
    let [calibration, scored] =
        [&detection.calibration, &detection.scores].map(|scores| share(scores));
    let top = calibration.iter().chain(&scored).fold(0.0f64, |most, x| most.max(*x));
    let steps = |name: &str, counts: &[f64; BINS]| {
        let edge = |bin: usize| low + width * bin as f64;
        let points = counts.iter().enumerate();
        let points = points.flat_map(|(bin, x)| [(edge(bin), *x), (edge(bin + 1), *x)]).collect();
        Line { name: name.to_owned(), points, marked: false }
    };
    let mut lines = vec![steps("calibration rows", &calibration), steps("scored rows", &scored)];
    for (at, score) in thresholds().enumerate() {
        let name = match detection.thresholds.len() {
            1 => "threshold".to_owned(),
            _ => format!("threshold, half {}", at + 1),
        };
        lines.push(Line { name, points: vec![(score, 0.0), (score, top)], marked: false });
    }
    charts::lines("score", "share of rows", &lines)
}

/// Rows from the highest score, in groups of ties: how many are anomalies, and how many there are.
fn counts(scores: &[(f64, bool)]) -> Vec<(f64, f64)> {
    let mut sorted = scores.to_vec();
    sorted.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut found, mut seen, mut points) = (0.0, 0.0, vec![]);
    for ties in sorted.chunk_by(|a, b| a.0 == b.0) {
        found += ties.iter().filter(|(_, is_anomaly)| *is_anomaly).count() as f64;
        seen += ties.len() as f64;
        points.push((found, seen));
    }
    points
}

fn roc(curves: &[(String, Vec<(f64, bool)>)]) -> Result<String> {
    let line = |(name, scores): &(String, Vec<(f64, bool)>)| {
        let anomalies = scores.iter().filter(|(_, it)| *it).count() as f64;
        let normal = scores.len() as f64 - anomalies;
        let of = |(found, seen): (f64, f64)| ((seen - found) / normal, found / anomalies);
        let points = std::iter::once((0.0, 0.0)).chain(counts(scores).into_iter().map(of));
        Line { name: name.clone(), points: points.collect(), marked: false }
    };
    let lines: Vec<Line> = curves.iter().map(line).collect();
    charts::lines("false alarms", "anomalies found", &lines)
}

fn precision_recall(curves: &[(String, Vec<(f64, bool)>)]) -> Result<String> {
    let line = |(name, scores): &(String, Vec<(f64, bool)>)| {
        let anomalies = scores.iter().filter(|(_, it)| *it).count() as f64;
        let of = |(found, seen): (f64, f64)| (found / anomalies, found / seen);
        let mut points: Vec<(f64, f64)> = counts(scores).into_iter().map(of).collect();
        // From recall 0 at the precision of the first group, so that axes agree.
        points.insert(0, (0.0, points.first().map_or(1.0, |point| point.1)));
        Line { name: name.clone(), points, marked: false }
    };
    let mut lines: Vec<Line> = curves.iter().map(line).collect();
    if let Some((_, scores)) = curves.first() {
        let anomalies = scores.iter().filter(|(_, it)| *it).count();
        let share = anomalies as f64 / scores.len() as f64;
        let points = vec![(0.0, share), (1.0, share)];
        lines.push(Line { name: "chance".to_owned(), points, marked: false });
    }
    charts::lines("recall", "precision", &lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scores 3 (an anomaly), 2 and 2 (one of them), 1: after the first 1 of 1, then 2 of 3, 2 of 4.
    #[test]
    fn counts_by_hand() {
        let scores = [(2.0, true), (1.0, false), (3.0, true), (2.0, false)];
        assert_eq!(counts(&scores), [(1.0, 1.0), (2.0, 3.0), (2.0, 4.0)]);
    }
}
