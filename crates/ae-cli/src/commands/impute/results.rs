//! The results of an imputation, as text and as JSON.

use std::fmt::Write as _;

use ae_apply::impute::{Cells, Check, Errors, Imputer, Pooled, Study};
use serde_json::{Value, json};

use super::outputs::Outputs;
use super::table::OpenTable;
use ae_report::{MEASURES, POOLED_LEVEL};

use crate::Result;

pub struct Results {
    rows: usize,
    pub names: Vec<String>,
    pub filled: Vec<usize>,
    pub check: Check,
    /// The column, and its pooled mean, of numbers that were missing.
    pub pooled: Vec<(usize, Pooled)>,
    /// The imputer, if it was fitted to another table.
    pub model: Option<String>,
    pub notes: Vec<String>,
    /// The pooled means and their intervals as text.
    means: Vec<[String; 3]>,
}

impl Results {
    pub fn of(
        table: &OpenTable,
        imputer: &Imputer,
        draws: &[Cells],
        model: Option<String>,
    ) -> Result<Self> {
        let filled = table.to_fill();
        let names = imputer.columns().iter().map(|column| column.name.clone()).collect();
        let mut pooled = vec![];
        // One row has no deviation.
        if draws.len() > 1 && table.cells.len() > 1 {
            for column in (0..filled.len()).filter(|at| filled[*at] > 0) {
                if imputer.columns()[column].categories().is_none() {
                    pooled.push((column, mean(column, draws)?));
                }
            }
        }
        let check = imputer.check().clone();
        let show = |(column, pooled): &(usize, Pooled)| {
            let [low, high] = pooled.interval(POOLED_LEVEL);
            [pooled.estimate, low, high].map(|value| table.show(*column, value))
        };
        let means = pooled.iter().map(show).collect();
        Ok(Self {
            means,
            rows: table.cells.len(),
            names,
            filled,
            check,
            pooled,
            model,
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
            "model": self.model,
            "check": self.check,
            "check_of": if self.model.is_some() { "the table that the model was fitted to" } else { "this table" },
            "pooled": pooled.collect::<Vec<Value>>(),
            "notes": self.notes,
            "files": outputs.all().iter().map(|path| path.to_string_lossy()).collect::<Vec<_>>(),
        })
    }
}

/// The mean of a column, pooled over draws, with the variance and the degrees of freedom of a mean of independent
/// rows.
fn mean(column: usize, draws: &[Cells]) -> Result<Pooled> {
    let of = |draw: &Cells| {
        let n = draw.len() as f64;
        let mean = draw.column(column).sum::<f64>() / n;
        let squares = draw.column(column).map(|value| (value - mean).powi(2)).sum::<f64>();
        (mean, squares / (n - 1.0).max(1.0) / n)
    };
    let (means, variances): (Vec<f64>, Vec<f64>) = draws.iter().map(of).unzip();
    let rows = draws.first().map_or(0, Cells::len) as f64;
    Ok(Pooled::of(&means, &variances)?.with_complete_degrees(rows - 1.0)?)
}

impl std::fmt::Display for Results {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let filled: usize = self.filled.iter().sum();
        let held_back = self.check.cells;
        let (by, of) = match &self.model {
            None => (String::new(), String::new()),
            Some(model) => {
                (format!(" by {model}"), " cells of the table it was fitted to".to_owned())
            }
        };
        let cells = if filled == 1 { "cell" } else { "cells" };
        if self.check.methods.iter().all(|it| MEASURES.iter().all(|(_, of)| of(it).is_none())) {
            return writeln!(
                f,
                "{filled} {cells} filled in{by}. No figures of how good that is: too few cells are known to hold \
                 some back, or no column varies"
            )
            .and_then(|()| self.write_means(f));
        }
        writeln!(f, "{filled} {cells} filled in{by}. On {held_back}{of} that were held back:")?;
        f.write_str(&table(&self.check.methods))?;
        if let Some(coverage) = self.check.coverage {
            writeln!(f, "  {:.1} % of the numbers are in their 90 % intervals", 100.0 * coverage)?;
        }
        self.write_means(f)
    }
}

impl Results {
    fn write_means(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if !self.pooled.is_empty() {
            writeln!(
                f,
                "means pooled over the draws (Rubin's rules), 95 % interval, fraction of missing information:"
            )?;
            for ((column, pooled), [mean, low, high]) in self.pooled.iter().zip(&self.means) {
                writeln!(
                    f,
                    "  {:<24} {mean}  {low} to {high}  {:.0} %",
                    self.names[*column],
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
