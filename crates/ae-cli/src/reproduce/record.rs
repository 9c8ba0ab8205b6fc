//! What is recorded of a seed of an arm, and the file of all such records, a line each.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::date::now;
use super::making::Run;
use super::way::Way;
use crate::device::cpu_name;
use crate::error::{Error, Result};
use crate::inspect::read_json;

/// A seed of an arm, done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    pub experiment: String,
    pub quick: bool,
    pub arm: String,
    pub seed: u64,
    /// The arm's [`Way::hash`].
    pub recipe: String,
    pub stages: Vec<StageRecord>,
    /// Of all stages that were made for it.
    pub seconds: f64,
    pub device: String,
    pub processor: String,
    pub program: String,
    /// Of the program's source, where whoever built it said so.
    #[serde(default)]
    pub commit: Option<String>,
    /// When it was done, in UTC.
    pub date: String,
}

/// A run in numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StageRecord {
    pub name: String,
    /// The arm that it was made for, if that is another, which begins alike.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    pub seconds: f64,
    /// Every single number of its `summary.json`, by its path.
    pub measures: BTreeMap<String, f64>,
}

impl Record {
    /// Of the runs of an arm.
    pub fn new(experiment: &str, quick: bool, way: &Way, seed: u64, runs: &[Run]) -> Result<Self> {
        let mut outside = None;
        let mut devices: Vec<String> = Vec::new();
        let stages = runs.iter().map(|run| {
            let summary: Value = read_json(&run.folder.summary())?;
            let mut measures = BTreeMap::new();
            numbers(&summary, "", &mut measures);
            if let Some(program) = &way.program {
                let name = summary["program"].as_str().unwrap_or(&program.name);
                outside = Some(name.to_owned());
            }
            if let Some(device) = summary["device"].as_str()
                && devices.iter().all(|known| known != device)
            {
                devices.push(device.to_owned());
            }
            let (name, of) = (run.name.clone(), run.of.clone());
            Ok(StageRecord { name, of, seconds: seconds(&summary), measures })
        });
        let stages = stages.collect::<Result<Vec<_>>>()?;
        let commit = option_env!("AE_COMMIT").filter(|_| outside.is_none());
        Ok(Self {
            experiment: experiment.to_owned(),
            quick,
            arm: way.name.clone(),
            seed,
            recipe: way.hash(),
            seconds: stages.iter().filter(|it| it.of.is_none()).map(|it| it.seconds).sum(),
            stages,
            device: if way.program.is_some() { cpu_name() } else { devices.join("; ") },
            processor: cpu_name(),
            program: outside.unwrap_or_else(|| format!("ae {}", env!("CARGO_PKG_VERSION"))),
            commit: commit.map(str::to_owned),
            date: now(),
        })
    }

    /// Whether it is of an arm as it is now.
    pub fn is_of(&self, experiment: &str, quick: bool, way: &Way) -> bool {
        self.experiment == experiment
            && self.quick == quick
            && self.arm == way.name
            && self.recipe == way.hash()
    }

    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|error| Error::usage(format!("record: {error}")))
    }
}

/// Numbers that stand alone, by their paths: those in lists have no names.
fn numbers(value: &Value, path: &str, found: &mut BTreeMap<String, f64>) {
    match value {
        Value::Number(number) => {
            found.extend(number.as_f64().map(|number| (path.to_owned(), number)));
        }
        Value::Object(fields) => {
            for (key, value) in fields {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                numbers(value, &path, found);
            }
        }
        _ => {}
    }
}

/// From start to end; of a run that was interrupted, those of its epochs.
fn seconds(summary: &Value) -> f64 {
    if let Some(seconds) = summary["seconds"].as_f64() {
        return seconds;
    }
    let of = |epochs: &Value| -> f64 {
        let epochs = epochs.as_array().into_iter().flatten();
        epochs.filter_map(|epoch| epoch["seconds"].as_f64()).sum()
    };
    let layers = summary["layers"].as_array().into_iter().flatten();
    of(&summary["epochs"]) + layers.map(of).sum::<f64>()
}

/// The records of a file, in order; none if there is no such file.
pub fn read(path: &Path) -> Result<Vec<Record>> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::io(path)(error)),
    };
    let mut records = Vec::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        match serde_json::from_str(line) {
            Ok(record) => records.push(record),
            // What a power cut left behind; its seed is recorded again when its command is.
            Err(error) => eprintln!(
                "warning: {}, line {}: expected a result, which it is not ({error}); left out",
                path.display(),
                number + 1
            ),
        }
    }
    Ok(records)
}

/// Adds a record to a file, in one write that is on the disk when this returns.
pub fn append(path: &Path, record: &Record) -> Result<()> {
    let write = || {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut file = File::options().read(true).append(true).create(true).open(path)?;
        let mut line = String::new();
        if file.metadata()?.len() > 0 {
            // A line that was cut off must not take this one with it.
            let mut last = [0];
            file.seek(SeekFrom::End(-1))?;
            file.read_exact(&mut last)?;
            line.extend((last != *b"\n").then_some('\n'));
        }
        line += &record.to_json().map_err(std::io::Error::other)?;
        line.push('\n');
        file.write_all(line.as_bytes())?;
        file.sync_data()
    };
    write().map_err(Error::io(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(seed: u64) -> Record {
        let measures = BTreeMap::from([("test.squared_error".to_owned(), 0.1 + 0.2)]);
        Record {
            experiment: "it".into(),
            quick: false,
            arm: "a".into(),
            seed,
            recipe: "0".into(),
            stages: vec![StageRecord { name: "train".into(), of: None, seconds: 1.5, measures }],
            seconds: 1.5,
            device: "a device".into(),
            processor: "a processor".into(),
            program: "ae".into(),
            commit: None,
            date: "1970-01-01T00:00:00Z".into(),
        }
    }

    #[test]
    fn a_line_that_was_cut_off_takes_no_other_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/results.jsonl");
        assert_eq!(read(&path).unwrap(), []);
        append(&path, &record(0)).unwrap();
        let whole = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, format!("{whole}{}", &whole[..40])).unwrap();
        append(&path, &record(1)).unwrap();
        assert_eq!(read(&path).unwrap(), [record(0), record(1)]);
    }

    #[test]
    fn numbers_and_seconds_of_a_summary() {
        let summary = serde_json::json!({
            "device": "x", "samples": [1, 2, 3], "test": { "error": 0.25, "none": null },
            "seconds": null, "epochs": [{ "seconds": 1.0 }, { "seconds": 2.0 }],
            "layers": [[{ "seconds": 4.0 }], [{ "seconds": 8.0 }]],
        });
        let mut found = BTreeMap::new();
        numbers(&summary, "", &mut found);
        assert_eq!(found, BTreeMap::from([("test.error".to_owned(), 0.25)]));
        assert_eq!(seconds(&summary), 15.0);
        assert_eq!(seconds(&serde_json::json!({ "seconds": 7.5, "epochs": [] })), 7.5);
    }
}
