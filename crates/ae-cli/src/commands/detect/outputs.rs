//! The files of a detection, and what is printed.

use std::path::Path;

use ae_apply::Detector;
use ae_data::Samples;
use ae_data::write::write_cells;
use ae_report::pictures::Painter;
use ae_report::{Detection, WorstRow, write_detection};
use image::RgbaImage;
use serde_json::json;

use super::Args;
use super::judge::Judged;
use crate::Result;

/// Rows in the report.
const WORST: usize = 12;

/// Rows on the terminal.
const PRINTED: usize = 5;

/// Features named for a row.
const FEATURES: usize = 3;

/// What was read, as far as it is to be known.
pub struct Read<'a> {
    pub notes: &'a [String],
    /// Rows that were neither trained on nor scored.
    pub left_out: usize,
}

/// Writes the files and prints the result.
pub fn write(
    args: &Args,
    out: &Path,
    name: &str,
    detector: Option<&Detector>,
    judged: &Judged,
    scored: &Samples,
    read: &Read<'_>,
) -> Result<()> {
    let (order, ours) = (judged.order(), &judged.methods[0]);
    let columns = ["score", "p", "flagged", "because"].map(str::to_owned).into_iter();
    let of_rivals = judged.methods[1..].iter().map(|rival| format!("{}_p", rival.name));
    let columns: Vec<String> = columns.chain(of_rivals).collect();
    let cells = |row: &usize| {
        let because = judged.because(*row, FEATURES);
        let because: Vec<_> = because.iter().map(|(name, x)| format!("{name} {x:.1}x")).collect();
        let flagged = if judged.flagged[*row] { "yes" } else { "no" };
        let mut cells =
            vec![ours.scores[*row].to_string(), ours.p[*row].to_string(), flagged.to_owned()];
        cells.push(because.join("; "));
        cells.extend(judged.methods[1..].iter().map(|rival| rival.p[*row].to_string()));
        cells
    };
    let mut files = vec![];
    let all: Vec<usize> = (0..scored.len()).collect();
    let flagged: Vec<usize> = order.iter().copied().filter(|row| judged.flagged[*row]).collect();
    for (file, rows) in [("scores.csv", &all), ("flagged.csv", &flagged)] {
        let path = out.join(file);
        write_cells(&path, &columns, rows.iter().map(cells), &scored.subset(rows))?;
        files.push(path);
    }
    if let Some(detector) = detector {
        let path = out.join(format!("{}.detector", super::name_of(&args.data)));
        detector.save(&path)?;
        files.push(path);
    }
    let place = |row: usize| match scored.name(row) {
        Some(name) => name.to_owned(),
        None => format!("row {}", scored.place(row)),
    };
    let lead = format!("{} of {} samples flagged.", flagged.len(), scored.len());
    let page = out.join("report.html");
    let painter = Painter::new(scored.shape(), scored.preprocessing());
    let picture = |row: usize| -> Result<Option<RgbaImage>> {
        let Some(painter) = &painter else { return Ok(None) };
        Ok(Some(painter.with_heat(&scored.try_row(row)?, &judged.per_feature[row])))
    };
    let mut pictures = Vec::new();
    for row in order.iter().take(WORST) {
        pictures.push(picture(*row)?);
    }
    let worst = order.iter().take(WORST).zip(pictures).map(|(row, picture)| WorstRow {
        picture,
        name: place(*row),
        score: ours.scores[*row],
        p: ours.p[*row],
        is_flagged: judged.flagged[*row],
        features: judged.because(*row, FEATURES + 2),
    });
    let has_both = |labels: &&Vec<bool>| labels.contains(&true) && labels.contains(&false);
    let labels = judged.is_anomaly.as_ref().filter(has_both);
    let curves = labels.map(|labels| {
        let of = |method: &super::judge::Method| {
            (
                method.name.clone(),
                method.scores.iter().copied().zip(labels.iter().copied()).collect(),
            )
        };
        judged.methods.iter().map(of).collect()
    });
    let detection = Detection {
        title: name.to_owned(),
        lead: lead.clone(),
        threshold_note: judged.note.clone(),
        calibration: judged.calibration.clone(),
        scores: ours.scores.clone(),
        thresholds: judged.thresholds.clone(),
        methods: judged.table.clone(),
        labels_note: match judged.is_chosen {
            true => "The labels were not used for training, but these labels chose the threshold.",
            false => "The labels were used neither for training nor for the threshold.",
        }
        .to_owned(),
        curves: curves.unwrap_or_default(),
        worst: worst.collect(),
        facts: facts(args, judged, read),
        program: concat!("ae ", env!("CARGO_PKG_VERSION")).to_owned(),
    };
    write_detection(&page, &detection)?;
    files.push(page);
    if args.json {
        let rows: Vec<_> = flagged
            .iter()
            .map(|row| {
                let because = judged.because(*row, FEATURES);
                json!({ "sample": scored.place(*row), "file": scored.name(*row), "score": ours.scores[*row],
                    "p": ours.p[*row], "because": because })
            })
            .collect();
        let value = json!({ "scored": scored.len(), "left_out": read.left_out, "notes": read.notes, "flagged": rows, "thresholds": judged.thresholds,
            "note": judged.note, "score": judged.kind, "methods": judged.table,
            "files": files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>() });
        println!("{value:#}");
        return Ok(());
    }
    println!("{} samples, {} features; {}.", scored.len(), scored.width(), judged.counts);
    println!("{}", judged.note);
    for row in &judged.table {
        let labels = match (row.auroc, row.average_precision) {
            (Some(area), Some(precision)) => {
                format!(", AUROC {area:.3}, average precision {precision:.3}")
            }
            _ => String::new(),
        };
        let flagged = match (row.flagged, row.in_common) {
            (Some(flagged), Some(_)) if row.name == "ours" => {
                format!("{flagged} of {} flagged", scored.len())
            }
            (Some(flagged), Some(common)) => {
                format!("{flagged} of {} flagged ({common} in common)", scored.len())
            }
            _ => "its scores allow no such threshold".to_owned(),
        };
        println!("{:<5} {flagged}{labels}", row.name);
    }
    for row in flagged.iter().take(PRINTED) {
        let because: Vec<_> = judged.because(*row, FEATURES);
        let because: Vec<_> = because.iter().map(|(name, x)| format!("{name} {x:.1}x")).collect();
        println!(
            "{}  p = {:.4}  score {:.2}  because of {}",
            place(*row),
            ours.p[*row],
            ours.scores[*row],
            because.join(", ")
        );
    }
    println!(
        "{}",
        files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join("  ")
    );
    Ok(())
}

fn facts(args: &Args, judged: &Judged, read: &Read<'_>) -> Vec<(String, String)> {
    let score = match judged.counts.ends_with("two detectors") {
        true => format!("{}, as -ln p by the calibration rows of each detector", judged.kind),
        false => judged.kind.to_string(),
    };
    let trained = match &args.detector {
        Some(detector) => ("detector", detector.display().to_string()),
        None => ("trained on", args.data.clone()),
    };
    let facts = [trained, ("rows", judged.counts.clone()), ("score", score)];
    let facts = facts.into_iter().chain(read.notes.iter().map(|note| ("note", note.clone())));
    facts.map(|(name, fact)| (name.to_owned(), fact)).collect()
}
