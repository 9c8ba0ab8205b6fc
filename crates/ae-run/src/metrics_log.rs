//! The metrics log: a JSON file with one training event per line.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;

use ae_train::{Event, Flow, Observer};
use serde_json::json;

/// Writes the metrics log.
pub struct MetricsLog {
    path: PathBuf,
    file: Option<File>,
    /// The layer in training, from 1, where training goes layer by layer.
    layer: Option<u64>,
}

impl MetricsLog {
    /// A log in this file, which is opened when training starts.
    pub fn new(path: PathBuf) -> Self {
        Self { path, file: None, layer: None }
    }

    /// Opens the file, and drops events after the last checkpoint, which a resumed run writes again.
    fn open(&mut self, done: u64) -> std::io::Result<()> {
        let lines = match File::open(&self.path) {
            Ok(file) => BufReader::new(file)
                .lines()
                .map_while(Result::ok)
                .filter(|line| position(line).is_some_and(|at| at <= (self.layer, done)))
                .map(|line| line + "\n")
                .collect(),
            Err(_) => String::new(),
        };
        let temporary = self.path.with_extension("jsonl.new");
        std::fs::write(&temporary, lines)?;
        std::fs::rename(&temporary, &self.path)?;
        self.file = Some(File::options().append(true).open(&self.path)?);
        Ok(())
    }

    fn write(&mut self, mut line: serde_json::Value) {
        if let Some(layer) = self.layer {
            line["layer"] = layer.into();
        }
        let written = match &mut self.file {
            Some(file) => writeln!(file, "{line}"),
            None => Ok(()),
        };
        if let Err(error) = written {
            tracing::warn!("{}: {error}; no more metrics are written", self.path.display());
            self.file = None;
        }
    }
}

/// The layer, if there are several, and the step of an event.
fn position(line: &str) -> Option<(Option<u64>, u64)> {
    let line: serde_json::Value = serde_json::from_str(line).ok()?;
    let layer = line.get("layer").and_then(serde_json::Value::as_u64);
    Some((layer, line.get("step")?.as_u64()?))
}

impl Observer for MetricsLog {
    fn observe(&mut self, event: &Event<'_>) -> Flow {
        match event {
            Event::Layer { number, .. } => self.layer = Some(*number as u64),
            Event::Start { done, .. } => {
                if let Err(error) = self.open(*done) {
                    tracing::warn!("{}: {error}; no metrics are written", self.path.display());
                }
            }
            Event::Initial(validation) => {
                self.write(json!({ "event": "initial", "step": 0, "validation": validation }));
            }
            Event::Losses { done, epoch, terms, rate } => {
                let terms: serde_json::Map<_, _> =
                    terms.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
                self.write(json!({
                    "event": "steps", "step": done, "epoch": epoch, "terms": terms, "rate": rate,
                }));
            }
            Event::Epoch(report) => {
                self.write(json!({ "event": "epoch", "step": report.done, "report": report }));
            }
            _ => {}
        }
        Flow::Continue
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_after_the_checkpoint_are_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        let read = |done| Event::Losses { done, epoch: 1, terms: &[], rate: 0.1 };
        let mut metrics = MetricsLog::new(path.clone());
        let start =
            |done| Event::Start { done, steps: 9, steps_per_epoch: 9, batch: 1, resident: true };
        metrics.observe(&start(0));
        for done in [1, 2, 3] {
            metrics.observe(&read(done));
        }
        std::fs::write(&path, std::fs::read_to_string(&path).unwrap() + "{\"event\":\"st").unwrap();
        let mut again = MetricsLog::new(path.clone());
        again.observe(&start(2));
        again.observe(&read(3));
        let text = std::fs::read_to_string(&path).unwrap();
        let steps: Vec<_> = text.lines().filter_map(position).collect();
        assert_eq!(steps, [(None, 1), (None, 2), (None, 3)]);
    }

    #[test]
    fn events_of_earlier_layers_stay() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        let mut metrics = MetricsLog::new(path.clone());
        for number in [1, 2] {
            metrics.observe(&Event::Layer { number, of: 2 });
            metrics.observe(&Event::Start {
                done: 0,
                steps: 9,
                steps_per_epoch: 9,
                batch: 1,
                resident: true,
            });
            metrics.observe(&Event::Losses { done: 5, epoch: 1, terms: &[], rate: 0.1 });
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let positions: Vec<_> = text.lines().filter_map(position).collect();
        assert_eq!(positions, [(Some(1), 5), (Some(2), 5)]);
    }
}
