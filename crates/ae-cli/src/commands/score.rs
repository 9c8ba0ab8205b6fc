//! `ae score`.

use std::path::PathBuf;

use ae_data::write::write_cells;
use ae_run::{Anomaly, SampleScore};
use ae_train::format::{count, number};
use serde_json::json;

use super::{Examples, aligned, print_json};
use crate::args::RunArgs;
use crate::{Error, Result};

/// List samples by how badly they are reconstructed, with the columns or pixels that contribute most
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    run: RunArgs,
    /// Write the scores of all samples, in their order
    #[arg(short, long, value_name = "FILE.csv")]
    out: Option<PathBuf>,
    /// Replace a file that exists
    #[arg(long)]
    force: bool,
    /// Samples to print, those with the largest error first
    #[arg(short = 'n', long, value_name = "N", default_value_t = 10)]
    count: usize,
    /// Print JSON, of all samples, in their order
    #[arg(long, conflicts_with = "count")]
    json: bool,
}

/// Examples for its help.
pub const EXAMPLES: Examples = &[(
    "score",
    [
        "ae score runs/table-dense-3 -n 20",
        "ae score runs/table-dense-3 --data new.csv --out scores.csv",
        "ae score runs/photos-conv-32 --split all --json > scores.json",
    ],
)];

/// Columns or pixels that are named for a sample.
const NAMED: usize = 3;

impl Args {
    pub fn run(&self) -> Result<()> {
        if let Some(out) = &self.out {
            if out.extension().is_none_or(|end| !end.eq_ignore_ascii_case("csv")) {
                return Err(Error::usage(format!("{}: expected a .csv file", out.display())));
            }
            self.run.check_out(out, self.force)?;
        }
        let (run, selection, device) = self.run.open()?;
        let samples = &selection.samples;
        let scores = run.score(run.autoencoder("scores")?, &selection, &device.handle, NAMED)?;
        let errors: Vec<f32> = scores.iter().map(|score| score.squared_error).collect();
        let anomaly = Anomaly::measure(&errors, samples.labels());
        if let Some(out) = &self.out {
            let columns = ["squared_error", "contributes_most"].map(str::to_owned);
            let cells = scores.iter().map(|it| vec![it.squared_error.to_string(), because(it)]);
            write_cells(out, &columns, cells, samples)?;
        }
        let label = |row: usize| {
            samples.labels().map(|labels| &*labels.names()[labels.classes()[row] as usize])
        };
        if self.json {
            let rows = scores.iter().enumerate().map(|(row, score)| {
                let largest = score.largest.iter();
                let largest = largest.map(|(name, share)| json!({"name": name, "share": share}));
                json!({
                    "sample": samples.place(row),
                    "file": samples.name(row),
                    "label": label(row),
                    "squared_error": score.squared_error,
                    "contributes_most": largest.collect::<Vec<_>>(),
                })
            });
            return print_json(&json!({
                "data": selection.name,
                "split": selection.split.to_string(),
                "anomaly": anomaly,
                "samples": rows.collect::<Vec<_>>(),
            }));
        }
        let mean = errors.iter().map(|error| f64::from(*error)).sum::<f64>() / errors.len() as f64;
        println!(
            "{}: {} samples, squared error {} in the mean",
            selection.title(),
            count(errors.len() as f64),
            number(mean)
        );
        if let Some(anomaly) = anomaly {
            println!("anomalies by the squared error: {anomaly}");
        }
        let mut order: Vec<usize> = (0..errors.len()).collect();
        order.sort_by(|a, b| errors[*b].total_cmp(&errors[*a]));
        let rows = order.iter().take(self.count).map(|row| {
            let name = samples.name(*row).map_or_else(
                || format!("sample {}", samples.place(*row)),
                |name| format!("sample {}, {name}", samples.place(*row)),
            );
            let error = number(f64::from(errors[*row]));
            let label = label(*row).map(str::to_owned);
            [name, error].into_iter().chain(label).chain([because(&scores[*row])]).collect()
        });
        print!("{}", aligned(&rows.collect::<Vec<Vec<String>>>()));
        if let Some(out) = &self.out {
            println!("{} scores: {}", count(errors.len() as f64), out.display());
        }
        Ok(())
    }
}

/// `size 61 %; colour 20 %`
fn because(score: &SampleScore) -> String {
    let largest = score.largest.iter();
    let largest = largest.map(|(name, share)| format!("{name} {:.0} %", 100.0 * share));
    largest.collect::<Vec<_>>().join("; ")
}
