//! The results of an imputation, as text and as JSON.

use std::fmt::Write as _;

use ae_apply::impute::{Cells, Check, Errors, Imputer, Pooled, Study};
use serde_json::{Value, json};

use super::outputs::Outputs;
use super::table::OpenTable;
use ae_report::{MEASURES, POOLED_LEVEL, short};

use crate::Result;

pub struct Results {
    rows: usize,
    pub names: Vec<String>,
    pub filled: Vec<usize>,
    pub check: Check,
    /// The column, and its pooled mean, of numbers that were missing.
    pub pooled: Vec<(usize, Pooled)>,
    notes: Vec<String>,
}

impl Results {
    pub fn of(table: &OpenTable, imputer: &Imputer, draws: &[Cells]) -> Result<Self> {
        let filled = table.to_fill();
        let names = imputer.columns().iter().map(|column| column.name.clone()).collect();
        let mut pooled = vec![];
        if draws.len() > 1 {
            for column in (0..filled.len()).filter(|at| filled[*at] > 0) {
                if imputer.columns()[column].categories().is_none() {
                    pooled.push((column, mean(column, draws)?));
                }
            }
        }
        let check = imputer.check().clone();
        Ok(Self {
            rows: table.cells.len(),
            names,
            filled,
            check,
            pooled,
            notes: table.notes.clone(),
        })
    }

    pub fn json(&self, outputs: &Outputs) -> Value {
        let columns = self.names.iter().zip(&self.filled);
        let columns = columns.map(|(name, filled)| json!({ "name": name, "filled": filled }));
        let pooled = self.pooled.iter().map(|(column, pooled)| {
            json!({ "column": self.names[*column], "mean": pooled, "interval": pooled.interval(POOLED_LEVEL) })
        });
        json!({
            "rows": self.rows,
            "columns": columns.collect::<Vec<Value>>(),
            "filled": self.filled.iter().sum::<usize>(),
            "check": self.check,
            "pooled": pooled.collect::<Vec<Value>>(),
            "notes": self.notes,
            "files": outputs.all(),
        })
    }
}

/// The mean of a column, pooled over draws, with the variance of a mean of independent rows.
fn mean(column: usize, draws: &[Cells]) -> Result<Pooled> {
    let of = |draw: &Cells| {
        let n = draw.len() as f64;
        let mean = draw.column(column).sum::<f64>() / n;
        let squares = draw.column(column).map(|value| (value - mean).powi(2)).sum::<f64>();
        (mean, squares / (n - 1.0).max(1.0) / n)
    };
    let (means, variances): (Vec<f64>, Vec<f64>) = draws.iter().map(of).unzip();
    Ok(Pooled::of(&means, &variances)?)
}

impl std::fmt::Display for Results {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let filled: usize = self.filled.iter().sum();
        writeln!(f, "{filled} cells filled in. On {} that were held back:", self.check.cells)?;
        f.write_str(&table(&self.check.methods))?;
        if let Some(coverage) = self.check.coverage {
            writeln!(f, "  {:.1} % of the numbers are in their 90 % intervals", 100.0 * coverage)?;
        }
        if !self.pooled.is_empty() {
            writeln!(
                f,
                "means pooled over the draws (Rubin's rules), 95 % interval, missing information:"
            )?;
            for (column, pooled) in &self.pooled {
                let [low, high] = pooled.interval(POOLED_LEVEL);
                writeln!(
                    f,
                    "  {:<24} {}  {} to {}  {:.0} %",
                    self.names[*column],
                    short(pooled.estimate),
                    short(low),
                    short(high),
                    100.0 * pooled.missing_information
                )?;
            }
        }
        Ok(())
    }
}

/// A study as text.
pub struct StudyText<'a>(pub &'a Study);

impl std::fmt::Display for StudyText<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let study = self.0;
        let mechanism = format!("{:?}", study.mechanism).to_uppercase();
        let percent = 100.0 * study.share;
        writeln!(f, "{} cells hidden, {percent:.0} % of a column ({mechanism}):", study.cells)?;
        f.write_str(&table(&study.methods))?;
        if let Some(coverage) = study.coverage {
            writeln!(f, "  {:.1} % of the numbers are in their 90 % intervals", 100.0 * coverage)?;
        }
        if let Some(coverage) = study.draws_coverage {
            writeln!(
                f,
                "  {:.1} % between the 5 % and the 95 % quantile of 100 draws",
                100.0 * coverage
            )?;
        }
        Ok(())
    }
}

/// A line for each measure, a column for each method.
fn table(methods: &[Errors]) -> String {
    let mut text = format!("  {:<24}", "");
    for errors in methods {
        let _ = write!(text, "{:>15}", errors.method);
    }
    text.push('\n');
    for (name, measure) in MEASURES {
        let values: Vec<Option<f64>> = methods.iter().map(measure).collect();
        if values.iter().all(Option::is_none) {
            continue;
        }
        let _ = write!(text, "  {name:<24}");
        for value in values {
            let value = value.map_or("-".to_owned(), |value| format!("{value:.4}"));
            let _ = write!(text, "{value:>15}");
        }
        text.push('\n');
    }
    text
}
