//! `ae runs`.

use std::cmp::Ordering;
use std::path::PathBuf;

use ae_run::{RunRecord, RunState, list_runs};
use ae_train::format::{count, duration, number};
use clap::ValueEnum;

use super::{Examples, aligned, print_json};
use crate::{Error, Result};

/// List the runs of a folder, with their results
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder with runs, also in the folders in it
    #[arg(value_name = "FOLDER", default_value = "runs")]
    folder: PathBuf,
    /// What to sort by; the smallest, or the newest, is first
    #[arg(long, value_name = "KEY", default_value = "name")]
    sort: Key,
    /// Only runs on data whose name has this part
    #[arg(long, value_name = "PART")]
    data: Option<String>,
    /// Only models of this kind, such as conv, dense, pca or softmax
    #[arg(long, value_name = "KIND")]
    model: Option<String>,
    /// Print JSON, with all settings
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
enum Key {
    Name,
    /// Squared error; of classifiers the share that is misclassified
    Error,
    /// Squared error over that of PCA
    Ratio,
    /// Units of the code
    Code,
    /// Seconds of training
    Seconds,
    /// The last change of its recipe or results
    Newest,
}

/// Examples for its help.
pub const EXAMPLES: Examples = &[(
    "runs",
    ["ae runs", "ae runs --data mnist --model conv --sort error", "ae runs sweeps/ --json"],
)];

impl Args {
    pub fn run(&self) -> Result<()> {
        let (mut records, broken) = list_runs(&self.folder)?;
        let has = |part: &Option<String>, text: &str| {
            part.as_ref().is_none_or(|part| text.to_lowercase().contains(&part.to_lowercase()))
        };
        records.retain(|it| has(&self.data, &it.data) && has(&self.model, &it.model));
        records.sort_by(|a, b| self.order(a, b));
        broken.iter().for_each(|error| eprintln!("warning: {error}"));
        if self.json {
            return print_json(&records);
        }
        if records.is_empty() {
            return Err(Error::usage(format!(
                "{}: expected at least one run, got none{}",
                self.folder.display(),
                match self.data.is_some() || self.model.is_some() {
                    true => " with these names; drop --data or --model",
                    false => "; `ae train` makes one",
                }
            )));
        }
        let header =
            ["run", "data", "model", "code", "parameters", "error", "PCA", "time", "state"];
        let mut rows = vec![header.map(str::to_owned)];
        rows.extend(records.iter().map(row));
        print!("{}", aligned(&rows));
        Ok(())
    }

    fn order(&self, a: &RunRecord, b: &RunRecord) -> Ordering {
        // Runs without a value are last.
        let value = |it: &RunRecord| -> f64 {
            let value = match self.sort {
                Key::Name => None,
                Key::Error => it.error(),
                Key::Ratio => it.ratio(),
                Key::Code => it.code.map(|code| code as f64),
                Key::Seconds => it.seconds,
                Key::Newest => changed(it).map(|seconds| -seconds),
            };
            value.unwrap_or(f64::INFINITY)
        };
        value(a).total_cmp(&value(b)).then_with(|| a.run.cmp(&b.run))
    }
}

/// Seconds since 1970 of the last change.
fn changed(record: &RunRecord) -> Option<f64> {
    let run = ae_run::RunDir(record.run.clone());
    let times = [run.recipe(), run.metrics(), run.summary()].into_iter().filter_map(|path| {
        let modified = std::fs::metadata(path).ok()?.modified().ok()?;
        modified.duration_since(std::time::UNIX_EPOCH).ok()
    });
    times.max().map(|time| time.as_secs_f64())
}

fn row(record: &RunRecord) -> [String; 9] {
    let text = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
    let data = record.data.rsplit(['/', '\\']).find(|part| !part.is_empty());
    let error = match record.misclassified {
        Some(share) => Some(format!("{:.2} % wrong", 100.0 * share)),
        None => record.squared_error.map(number),
    };
    [
        record.run.display().to_string(),
        data.unwrap_or(&record.data).to_owned(),
        record.model.clone(),
        text(record.code.map(|code| code.to_string())),
        text(record.parameters.map(|it| count(it as f64))),
        text(error),
        text(record.pca.map(number)),
        text(record.seconds.map(duration)),
        match &record.state {
            RunState::Finished => String::new(),
            state => state.to_string(),
        },
    ]
}
