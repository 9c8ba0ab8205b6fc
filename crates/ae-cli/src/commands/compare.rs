//! `ae compare`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use ae_run::{RunDir, RunRecord};
use ae_train::format::{count, duration, number};

use super::{Examples, aligned, print_json};
use crate::{Error, Result};

/// Compare runs: the settings in which they differ, and their results
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folders of two or more runs
    #[arg(value_name = "RUN", required = true, num_args = 2..)]
    runs: Vec<PathBuf>,
    /// Also settings that are the same
    #[arg(long)]
    all: bool,
    /// Print JSON, with all settings
    #[arg(long)]
    json: bool,
}

/// Examples for its help.
pub const EXAMPLES: Examples = &[(
    "compare",
    [
        "ae compare runs/mnist-conv-32 runs/mnist-conv-32-2",
        "ae compare runs/mnist-conv-16 runs/mnist-conv-32 --all",
        "ae compare runs/mnist-conv-16 runs/mnist-conv-32 --json",
    ],
)];

impl Args {
    pub fn run(&self) -> Result<()> {
        if self.runs.len() < 2 {
            return Err(Error::usage("expected two or more runs, got one"));
        }
        let read = |run: &PathBuf| RunRecord::read(&RunDir(run.clone()));
        let records = self.runs.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        if self.json {
            return print_json(&records);
        }
        let names = records.iter().map(|it| it.run.display().to_string());
        let mut rows = vec![line("", names)];
        let keys: BTreeSet<&String> = records.iter().flat_map(|it| it.settings.keys()).collect();
        let first = &records[0].settings;
        for key in keys {
            let is_same = records.iter().all(|it| it.settings.get(key) == first.get(key));
            if !is_same || self.all {
                rows.push(line(key, records.iter().map(|it| text(it.settings.get(key).cloned()))));
            }
        }
        if rows.len() == 1 {
            eprintln!("all settings are the same");
        }
        rows.extend(results(&records));
        print!("{}", aligned(&rows));
        let data: BTreeSet<&String> = records.iter().map(|it| &it.data).collect();
        if data.len() > 1 {
            eprintln!("note: the errors are of different data");
        }
        Ok(())
    }
}

/// The results that at least one run has.
fn results(records: &[RunRecord]) -> Vec<Vec<String>> {
    type Value = fn(&RunRecord) -> Option<String>;
    let all: [(&str, Value); 8] = [
        ("code units", |it| it.code.map(|it| it.to_string())),
        ("parameters", |it| it.parameters.map(|it| count(it as f64))),
        ("squared error per test sample", |it| it.squared_error.map(number)),
        ("PCA", |it| it.pca.map(number)),
        ("the mean", |it| it.mean.map(number)),
        ("misclassified", |it| it.misclassified.map(|it| format!("{:.2} %", 100.0 * it))),
        ("time", |it| it.seconds.map(duration)),
        ("device", |it| it.device.clone()),
    ];
    let mut rows: Vec<Vec<String>> = Vec::new();
    for (name, value) in all {
        if records.iter().any(|it| value(it).is_some()) {
            rows.push(line(name, records.iter().map(|it| text(value(it)))));
        }
    }
    rows.push(line("state", records.iter().map(|it| it.state.to_string())));
    rows
}

fn line(name: &str, values: impl Iterator<Item = String>) -> Vec<String> {
    std::iter::once(name.to_owned()).chain(values).collect()
}

fn text(value: Option<String>) -> String {
    value.unwrap_or_else(|| "-".to_owned())
}
