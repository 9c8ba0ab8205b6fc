//! The report of a sweep.

use maud::{Markup, PreEscaped, html};

use super::page::whole;
use crate::charts::{Line, lines_over_log};
use crate::error::{Error, Result};
use crate::observers::{count, digits, duration};
use crate::session::Folder;
use crate::sweep::{Outcome, SweepSummary, write_summary};

/// Writes the summary, the chart and the page of a sweep.
pub fn write(folder: &Folder, summary: &SweepSummary, grid: &str) -> Result<()> {
    let chart = chart(summary)?;
    let figures = folder.figures();
    std::fs::create_dir_all(&figures).map_err(Error::io(&figures))?;
    ae_models::tensors::write_atomically(&figures.join("errors.svg"), chart.as_bytes())?;
    write_summary(&folder.0, summary)?;
    let lead = html! { "What " (summary.runs.len()) " runs reach, on " (summary.data) "." };
    let body = html! {
        section {
            h2 { "Error over the size of the code" }
            p.note {
                "Squared error per sample of the test part. PCA with as many components is the best that "
                "a linear map can do on the samples it was fitted to."
            }
            figure.wide { (PreEscaped(&chart)) }
        }
        (table(summary))
        @if !summary.failed.is_empty() {
            section {
                h2 { "What came to nothing" }
                dl { @for failed in &summary.failed { dt { (failed.run) } dd { (failed.why) } } }
            }
        }
        section {
            h2 { "How it was made" }
            dl { dt { "Device" } dd { (summary.device) } }
            h3 { "Grid" }
            pre { (grid) }
        }
    };
    let page = whole("Sweep", &lead, &body, &summary.program).into_string();
    Ok(ae_models::tensors::write_atomically(&folder.report(), page.as_bytes())?)
}

/// A line for all runs that differ in their code alone, and one for PCA.
fn chart(summary: &SweepSummary) -> Result<String> {
    let mut all: Vec<Line> = Vec::new();
    for run in &summary.runs {
        let name = if run.line.is_empty() { "autoencoder" } else { &run.line };
        let point = (run.code as f64, run.squared_error);
        match all.iter_mut().find(|line| line.name == name) {
            Some(line) => line.points.push(point),
            None => all.push(Line { name: name.to_owned(), points: vec![point], marked: true }),
        }
    }
    let pca = summary.runs.iter().map(|run| (run.code as f64, run.pca)).collect();
    all.push(Line { name: "PCA".to_owned(), points: pca, marked: true });
    for line in &mut all {
        line.points.sort_by(|a, b| a.0.total_cmp(&b.0));
        line.points.dedup();
    }
    lines_over_log("units of the code", "squared error per sample", &all)
}

fn table(summary: &SweepSummary) -> Markup {
    let best = summary.runs.iter().map(|run| run.squared_error).fold(f64::INFINITY, f64::min);
    html! {
        section {
            h2 { "Every run" }
            p.note { "Each has a folder of its name beside this page, with a report of its own." }
            div.scroll {
                table {
                    thead {
                        tr {
                            th { "run" } th { "code" } th { "squared error" } th { "PCA" }
                            th { "cross-entropy per feature" } th { "dead units" } th { "parameters" }
                            th { "time" }
                        }
                    }
                    tbody { @for run in &summary.runs { (row(run, run.squared_error == best)) } }
                }
            }
        }
    }
}

fn row(run: &Outcome, is_best: bool) -> Markup {
    html! {
        tr {
            td { (run.run) }
            td.num { (run.code) }
            td.num { @if is_best { b { (digits(run.squared_error)) } } @else { (digits(run.squared_error)) } }
            td.num { (digits(run.pca)) }
            td.num { @if let Some(value) = run.cross_entropy { (format!("{value:.4}")) } }
            td.num { (run.dead_units) }
            td.num { (count(run.parameters as f64)) }
            td.num { @if let Some(seconds) = run.seconds { (duration(seconds)) } }
        }
    }
}
