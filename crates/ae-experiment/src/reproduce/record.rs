//! The record of an arm and seed, and the file of records, one per line.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::arm::ResolvedArm;
use super::date::now;
use super::runner::StageRun;
use crate::{Error, Result};
use ae_device::cpu_name;
use ae_run::files::read_json;

/// The results of an arm with a seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    pub experiment: String,
    pub quick: bool,
    pub arm: String,
    pub seed: u64,
    /// The arm's [`ResolvedArm::hash`].
    pub recipe: String,
    pub stages: Vec<StageRecord>,
    /// Of all stages that were trained for this arm.
    pub seconds: f64,
    pub device: String,
    /// With its instruction set, which decides much of the time.
    pub processor: String,
    pub program: String,
    /// The commit of the program, if `AE_COMMIT` was set when it was built.
    #[serde(default)]
    pub commit: Option<String>,
    /// In UTC.
    pub date: String,
}

/// The measures of a stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StageRecord {
    pub name: String,
    /// The arm whose run this is, where arms share their first stages.
    #[serde(rename = "of", default, skip_serializing_if = "Option::is_none")]
    pub shared_with: Option<String>,
    pub seconds: f64,
    /// The numbers of its `summary.json`, by path.
    pub measures: BTreeMap<String, f64>,
}

impl Record {
    /// The record of finished runs.
    pub fn new(
        experiment: &str,
        quick: bool,
        arm: &ResolvedArm,
        seed: u64,
        runs: &[StageRun],
    ) -> Result<Self> {
        let mut external = None;
        let mut devices: Vec<String> = Vec::new();
        let stages = runs.iter().map(|run| {
            let summary: Value = read_json(&run.folder.summary())?;
            let mut measures = BTreeMap::new();
            numbers(&summary, "", &mut measures);
            if let Some(program) = &arm.program {
                let name = summary["program"].as_str().unwrap_or(&program.name);
                external = Some(name.to_owned());
            }
            if let Some(device) = summary["device"].as_str()
                && devices.iter().all(|known| known != device)
            {
                devices.push(device.to_owned());
            }
            let (name, shared_with) = (run.name.clone(), run.shared_with.clone());
            Ok(StageRecord { name, shared_with, seconds: seconds(&summary), measures })
        });
        let stages = stages.collect::<Result<Vec<_>>>()?;
        let commit = option_env!("AE_COMMIT").filter(|_| external.is_none());
        Ok(Self {
            experiment: experiment.to_owned(),
            quick,
            arm: arm.name.clone(),
            seed,
            recipe: arm.hash(),
            seconds: stages.iter().filter(|it| it.shared_with.is_none()).map(|it| it.seconds).sum(),
            stages,
            device: if arm.program.is_some() { cpu_name() } else { devices.join("; ") },
            processor: processor(),
            program: external.unwrap_or_else(|| format!("ae {}", env!("CARGO_PKG_VERSION"))),
            commit: commit.map(str::to_owned),
            date: now(),
        })
    }

    /// Whether this is a record of the arm with its present settings.
    pub fn matches_arm(&self, experiment: &str, quick: bool, arm: &ResolvedArm) -> bool {
        self.experiment == experiment
            && self.quick == quick
            && self.arm == arm.name
            && self.recipe == arm.hash()
    }

    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|error| Error::usage(format!("record: {error}")))
    }
}

/// The CPU and the instruction set of the kernels: `AMD EPYC, 2 cores, avx2`.
fn processor() -> String {
    match ae_kernels::isa() {
        Ok(isa) => format!("{}, {isa}", cpu_name()),
        Err(_) => cpu_name(),
    }
}

/// Numbers by path, without those in lists, which have no name.
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

/// Wall-clock time; for a resumed run the sum over its epochs.
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

/// The records of a file, in order; empty if there is no such file.
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
            // A line cut off by a crash; the seed is recorded again when its command is repeated.
            Err(error) => tracing::warn!(
                "{}, line {}: expected a record, got something else ({error}); skipped",
                path.display(),
                number + 1
            ),
        }
    }
    Ok(records)
}

/// Appends a record to a file, in one write that is flushed to the disk.
pub fn append(path: &Path, record: &Record) -> Result<()> {
    let write = || {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut file = File::options().read(true).append(true).create(true).open(path)?;
        let mut line = String::new();
        if file.metadata()?.len() > 0 {
            // Do not append to a line that was cut off.
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
            stages: vec![StageRecord {
                name: "train".into(),
                shared_with: None,
                seconds: 1.5,
                measures,
            }],
            seconds: 1.5,
            device: "a device".into(),
            processor: "a processor".into(),
            program: "ae".into(),
            commit: None,
            date: "1970-01-01T00:00:00Z".into(),
        }
    }

    #[test]
    fn a_truncated_line_does_not_corrupt_the_next() {
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
