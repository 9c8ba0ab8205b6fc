//! The report of a sweep.

use maud::{Markup, PreEscaped, html};

use super::{RunResult, SweepSummary, write_summary};
use crate::{Error, Result};
use ae_report::charts::{Line, lines_over_log};
use ae_report::page::document;
use ae_run::RunDir;
use ae_train::format::{count, duration, number};

/// Writes the summary, the chart and the page of a sweep.
pub(super) fn write(folder: &RunDir, summary: &SweepSummary, grid: &str) -> Result<()> {
    let chart = chart(summary)?;
    let figures = folder.figures();
    std::fs::create_dir_all(&figures).map_err(Error::io(&figures))?;
    ae_models::tensors::write_atomically(&figures.join("errors.svg"), chart.as_bytes())?;
    write_summary(&folder.0, summary)?;
    let lead = html! { (summary.runs.len()) " runs on " (summary.data) "." };
    let body = html! {
        section {
            h2 { "Error by code size" }
            p.note {
                "Squared error per test sample. PCA with as many components has the smallest error that a "
                "linear map can have on the samples it was fitted to."
            }
            figure.wide { (PreEscaped(&chart)) }
        }
        (table(summary))
        @if !summary.failed.is_empty() {
            section {
                h2 { "Failed runs" }
                dl { @for failed in &summary.failed { dt { (failed.run) } dd { (failed.reason) } } }
            }
        }
        section {
            h2 { "Details" }
            dl { dt { "Device" } dd { (summary.device) } }
            h3 { "Grid" }
            pre { (grid) }
        }
    };
    let page = document("Sweep", &lead, &body, &summary.program).into_string();
    Ok(ae_models::tensors::write_atomically(&folder.report(), page.as_bytes())?)
}

/// A line through runs that differ only in code size, and one for PCA.
fn chart(summary: &SweepSummary) -> Result<String> {
    let mut all: Vec<Line> = Vec::new();
    for run in &summary.runs {
        let name = if run.settings.is_empty() { "autoencoder" } else { &run.settings };
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
    Ok(lines_over_log("code size", "squared error per sample", &all)?)
}

fn table(summary: &SweepSummary) -> Markup {
    let best = summary.runs.iter().map(|run| run.squared_error).fold(f64::INFINITY, f64::min);
    html! {
        section {
            h2 { "Runs" }
            p.note { "Each run has a folder with its name next to this page, with its own report." }
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

fn row(run: &RunResult, is_best: bool) -> Markup {
    html! {
        tr {
            td { (run.run) }
            td.num { (run.code) }
            td.num { @if is_best { b { (number(run.squared_error)) } } @else { (number(run.squared_error)) } }
            td.num { (number(run.pca)) }
            td.num { @if let Some(value) = run.cross_entropy { (format!("{value:.4}")) } }
            td.num { (run.dead_units) }
            td.num { (count(run.parameters as f64)) }
            td.num { @if let Some(seconds) = run.seconds { (duration(seconds)) } }
        }
    }
}
