//! Learning curves.

use ae_train::EpochReport;

use crate::charts::{Line, lines, lines_over_log};
use crate::error::Result;
use crate::labels::LabelSummary;
use crate::session::Folder;
use crate::summary::{Summary, components};

/// Part of the first epoch that the loss chart leaves out: it would flatten all that follows.
const FALL: f64 = 0.25;

/// Losses as they were read back during training, and at the end of each epoch; a chart for each
/// layer of a model that was trained layer by layer.
pub fn losses(folder: &Folder, summary: &Summary) -> Result<Vec<String>> {
    if !summary.layers.is_empty() {
        let layers = summary.layers.iter().enumerate();
        return layers.map(|(index, epochs)| loss(folder, epochs, Some(index + 1))).collect();
    }
    match summary.epochs.is_empty() {
        true => Ok(Vec::new()),
        false => Ok(vec![loss(folder, &summary.epochs, None)?]),
    }
}

pub fn loss(folder: &Folder, epochs: &[EpochReport], layer: Option<usize>) -> Result<String> {
    let steps_per_epoch = epochs.first().map_or(1.0, |epoch| epoch.done as f64);
    let text = std::fs::read_to_string(folder.metrics()).unwrap_or_default();
    let points = text.lines().filter_map(|line| {
        let event: serde_json::Value = serde_json::from_str(line).ok()?;
        let terms = event.get("terms")?.as_object()?;
        let its = event.get("layer").and_then(serde_json::Value::as_u64);
        let loss: f64 = terms.values().filter_map(serde_json::Value::as_f64).sum();
        let is_its = its == layer.map(|layer| layer as u64);
        is_its.then_some((event["step"].as_f64()? / steps_per_epoch, loss))
    });
    let points = points.filter(|(epoch, _)| *epoch >= FALL);
    let training = Line { name: "training".into(), points: points.collect(), marked: false };
    let validation = epochs
        .iter()
        .filter_map(|epoch| Some((epoch.epoch as f64, epoch.validation.as_ref()?.loss())));
    let validation = Line { name: "validation".into(), points: validation.collect(), marked: true };
    lines("epoch", "loss per sample", &[training, validation])
}

/// The squared error on the validation part, beside that of PCA on the test part.
pub fn errors(summary: &Summary) -> Result<Option<String>> {
    let errors: Vec<(f64, f64)> = summary
        .epochs
        .iter()
        .filter_map(|epoch| {
            let evaluation = epoch.validation.as_ref()?.evaluation()?;
            Some((epoch.epoch as f64, evaluation.squared_error))
        })
        .collect();
    let (Some(first), Some(last)) = (errors.first(), errors.last()) else { return Ok(None) };
    let level = [first.0, last.0].map(|x| (x, summary.pca.squared_error)).to_vec();
    let ours = Line { name: "autoencoder (validation)".into(), points: errors, marked: true };
    let name = format!("PCA, {} (test)", components(summary.pca.components));
    let linear = Line { name, points: level, marked: false };
    let both = [ours, linear];
    let shown = if summary.leaves_something_to_pca() { &both[..] } else { &both[..1] };
    lines("epoch", "squared error per sample", shown).map(Some)
}

/// The error on the validation part over epochs, where there is one.
pub fn label_errors(summary: &LabelSummary) -> Result<Option<String>> {
    let errors = summary.epochs.iter().filter_map(|epoch| {
        let classification = epoch.validation.as_ref()?.classification()?;
        Some((epoch.epoch as f64, 100.0 * classification.error()))
    });
    let line = Line { name: "validation".into(), points: errors.collect(), marked: true };
    (!line.points.is_empty()).then(|| lines("epoch", "wrong, in %", &[line])).transpose()
}

/// The error on the test part over the number of labels.
pub fn few_labels(summary: &LabelSummary) -> Result<Option<String>> {
    if summary.curve.is_empty() {
        return Ok(None);
    }
    let wrong = |labels: usize, right: f64| (labels as f64, 100.0 * (1.0 - right));
    let all = wrong(summary.samples[0], summary.test.accuracy());
    let ours = summary.curve.iter().map(|few| wrong(few.labels, few.from_run));
    let random = summary.curve.iter().map(|few| wrong(few.labels, few.from_random));
    let line = |name: &str, points| Line { name: name.into(), points, marked: true };
    let all_lines = [
        line("from the run's encoder", ours.chain([all]).collect()),
        line("from random weights", random.collect()),
    ];
    lines_over_log("labels to train on", "wrong, in % of the test part", &all_lines).map(Some)
}
