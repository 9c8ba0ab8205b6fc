//! Learning curves.

use ae_train::EpochReport;

use crate::Result;
use crate::charts::{Line, lines, lines_over_log};
use ae_run::ClassifierSummary;
use ae_run::RunDir;
use ae_run::{Summary, components};

/// The share of the first epoch that loss charts leave out, since it would flatten the rest.
const SKIPPED: f64 = 0.25;

/// Charts of training and validation loss: one, or one for each layer of a model trained layer by layer.
pub fn losses(folder: &RunDir, summary: &Summary) -> Result<Vec<String>> {
    if !summary.layers.is_empty() {
        let layers = summary.layers.iter().enumerate();
        return layers.map(|(index, epochs)| loss(folder, epochs, Some(index + 1))).collect();
    }
    match summary.epochs.is_empty() {
        true => Ok(Vec::new()),
        false => Ok(vec![loss(folder, &summary.epochs, None)?]),
    }
}

pub fn loss(folder: &RunDir, epochs: &[EpochReport], layer: Option<usize>) -> Result<String> {
    let steps_per_epoch = epochs.first().map_or(1.0, |epoch| epoch.done as f64);
    let text = std::fs::read_to_string(folder.metrics()).unwrap_or_default();
    let points = text.lines().filter_map(|line| {
        let event: serde_json::Value = serde_json::from_str(line).ok()?;
        let terms = event.get("terms")?.as_object()?;
        let event_layer = event.get("layer").and_then(serde_json::Value::as_u64);
        let loss: f64 = terms.values().filter_map(serde_json::Value::as_f64).sum();
        let is_of_layer = event_layer == layer.map(|layer| layer as u64);
        is_of_layer.then_some((event["step"].as_f64()? / steps_per_epoch, loss))
    });
    let points = points.filter(|(epoch, _)| *epoch >= SKIPPED);
    let training = Line { name: "training".into(), points: points.collect(), marked: false };
    let validation = epochs
        .iter()
        .filter_map(|epoch| Some((epoch.epoch as f64, epoch.validation.as_ref()?.loss())));
    let validation = Line { name: "validation".into(), points: validation.collect(), marked: true };
    lines("epoch", "loss per sample", &[training, validation])
}

/// The squared error on the validation set, with that of PCA on the test set.
pub fn errors(summary: &Summary) -> Result<Option<String>> {
    let mut errors: Vec<(f64, f64)> = summary
        .epochs
        .iter()
        .filter_map(|epoch| {
            let evaluation = epoch.validation.as_ref()?.evaluation()?;
            Some((epoch.epoch as f64, evaluation.squared_error))
        })
        .collect();
    // Where it begins with random weights it would flatten all that follows.
    let most = errors.iter().fold(0.0, |most: f64, (_, error)| most.max(*error));
    if let Some(initial) = summary.initial.as_ref().and_then(|initial| initial.evaluation())
        && initial.squared_error <= 2.0 * most
    {
        errors.insert(0, (0.0, initial.squared_error));
    }
    let (Some(first), Some(last)) = (errors.first(), errors.last()) else { return Ok(None) };
    let level = [first.0, last.0].map(|x| (x, summary.pca.squared_error)).to_vec();
    let ours = Line { name: "autoencoder (validation)".into(), points: errors, marked: true };
    let name = format!("PCA, {} (test)", components(summary.pca.components));
    let linear = Line { name, points: level, marked: false };
    let both = [ours, linear];
    let shown = if summary.pca_is_lossy() { &both[..] } else { &both[..1] };
    lines("epoch", "squared error per sample", shown).map(Some)
}

/// The classification error on the validation set, if there is one.
pub fn label_errors(summary: &ClassifierSummary) -> Result<Option<String>> {
    let errors = summary.epochs.iter().filter_map(|epoch| {
        let classification = epoch.validation.as_ref()?.classification()?;
        Some((epoch.epoch as f64, 100.0 * classification.error()))
    });
    let line = Line { name: "validation".into(), points: errors.collect(), marked: true };
    (!line.points.is_empty()).then(|| lines("epoch", "error in %", &[line])).transpose()
}

/// The test error by number of labels.
pub fn label_efficiency(summary: &ClassifierSummary) -> Result<Option<String>> {
    if summary.curve.is_empty() {
        return Ok(None);
    }
    let error = |labels: usize, accuracy: f64| (labels as f64, 100.0 * (1.0 - accuracy));
    let all = error(summary.samples[0], summary.test.accuracy());
    let ours = summary.curve.iter().map(|point| error(point.labels, point.from_run));
    let random = summary.curve.iter().map(|point| error(point.labels, point.from_random));
    let line = |name: &str, points| Line { name: name.into(), points, marked: true };
    let all_lines =
        [line("pretrained", ours.chain([all]).collect()), line("from scratch", random.collect())];
    lines_over_log("training labels", "test error in %", &all_lines).map(Some)
}
