//! The report of a classifier.

use ae_models::{Classifier, ModelEncoder};
use maud::{Markup, PreEscaped, html};

use super::page::{made, time, whole, write_both};
use crate::error::{Error, Result};
use crate::figures::learning;
use crate::labels::LabelSummary;
use crate::observers::count;
use crate::recipe::Maker;
use crate::run::Trained;
use crate::session::Folder;
use crate::summary::speed;

type Net = Classifier<ModelEncoder>;

/// Writes the figures and the page of a classifier's run.
pub fn write(folder: &Folder, trained: &Trained<Net>, summary: &LabelSummary) -> Result<()> {
    let loss = learning::loss(folder, &summary.epochs, None)?;
    let errors = learning::label_errors(summary)?;
    let curve = learning::few_labels(summary)?;
    let figures = folder.figures();
    std::fs::create_dir_all(&figures).map_err(Error::io(&figures))?;
    let charts = [
        ("loss.svg", Some(&loss)),
        ("errors.svg", errors.as_ref()),
        ("labels.svg", curve.as_ref()),
    ];
    for (name, svg) in charts {
        if let Some(svg) = svg {
            ae_models::tensors::write_atomically(&figures.join(name), svg.as_bytes())?;
        }
    }
    let encoder = match trained.recipe.command {
        Maker::Classify => "which stayed as it was",
        _ => "which was trained along",
    };
    let lead = html! {
        (count(summary.samples[0] as f64)) " samples of " (trained.data.training.shape())
        " told apart in " b { (summary.classes.len()) } " classes by a head on an encoder of "
        (summary.code) " units, " (encoder) "."
    };
    let objective = trained.about.provenance.get("objective").cloned().unwrap_or_default();
    let body = html! {
        (headline(summary))
        @if summary.classes.len() <= MOST { (confusion(summary)) }
        section {
            h2 { "How it learned" }
            div.pair {
                figure {
                    (PreEscaped(&loss))
                    figcaption { "Loss: " (objective) "; from the first quarter epoch on." }
                }
                @if let Some(errors) = &errors {
                    figure {
                        (PreEscaped(errors))
                        figcaption { "The epoch with the fewest errors is the one kept." }
                    }
                }
            }
        }
        @if let Some(curve) = &curve { (few_labels(summary, curve)) }
        (details(trained, summary)?)
    };
    let title = format!("Classifier of {}", trained.data.name);
    let page = whole(&title, &lead, &body, &summary.program).into_string();
    write_both(folder, summary, &page)
}

fn headline(summary: &LabelSummary) -> Markup {
    let sizes = summary.test.confusion.iter().map(|row| row.iter().sum::<usize>());
    let commonest = sizes.max().unwrap_or(0) as f64 / summary.test.samples as f64;
    let bars = [
        ("this classifier", summary.test.accuracy(), "ours"),
        ("always the commonest class", commonest, ""),
    ];
    html! {
        section.headline {
            div.figure {
                span.number { (format!("{:.2} %", 100.0 * summary.test.accuracy())) }
                span.unit { "of the test samples are put into their class" }
                span.verdict { (format!("{:.2} % are not", 100.0 * summary.test.error())) }
            }
            div.bars role="img" aria-label="Shares beside each other" {
                @for (name, value, class) in &bars {
                    div.name { (name) }
                    div.bar { div class=(class) style=(format!("width:{:.2}%", 100.0 * value)) {} }
                    div.value { (format!("{:.1} %", 100.0 * value)) }
                }
            }
        }
    }
}

/// Classes of which a table is shown.
const MOST: usize = 40;

fn confusion(summary: &LabelSummary) -> Markup {
    html! {
        section {
            h2 { "What is taken for what" }
            p.note {
                "Test samples: a row is what they are, a column what they are taken for. The stronger "
                "the colour, the larger the share of its row."
            }
            div.scroll {
                table.confusion {
                    thead {
                        tr {
                            th {}
                            @for name in &summary.classes { th.num { (name) } }
                            th.num { "right" }
                        }
                    }
                    tbody {
                        @for (class, row) in summary.test.confusion.iter().enumerate() {
                            @let all = row.iter().sum::<usize>();
                            tr {
                                th { (summary.classes[class]) }
                                @for (taken, count) in row.iter().enumerate() {
                                    (cell(*count, all, class == taken))
                                }
                                td.num {
                                    @if all > 0 {
                                        (format!("{:.1} %", 100.0 * row[class] as f64 / all as f64))
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn cell(count: usize, all: usize, is_right: bool) -> Markup {
    let share = count as f64 / all.max(1) as f64;
    // A single mistake shall be seen.
    let strength = if count == 0 { 0.0 } else { 0.12 + 0.5 * share.sqrt() };
    let color = if is_right { "31,131,196" } else { "213,58,47" };
    html! {
        td.num style=(format!("background:rgba({color},{strength:.2})")) {
            @if count > 0 { (count) }
        }
    }
}

fn few_labels(summary: &LabelSummary, curve: &str) -> Markup {
    html! {
        section {
            h2 { "With fewer labels" }
            div.pair {
                figure {
                    (PreEscaped(curve))
                    figcaption {
                        "Both nets are trained in the same way; the validation part chooses the epoch, "
                        "the test part only tells."
                    }
                }
                div.scroll {
                    table {
                        thead { tr { th { "labels" } th { "from the run" } th { "from random" } } }
                        tbody {
                            @for few in &summary.curve {
                                tr {
                                    td.num { (count(few.labels as f64)) }
                                    td.num { (format!("{:.2} %", 100.0 * few.from_run)) }
                                    td.num { (format!("{:.2} %", 100.0 * few.from_random)) }
                                }
                            }
                            tr {
                                td.num { (count(summary.samples[0] as f64)) }
                                td.num { (format!("{:.2} %", 100.0 * summary.test.accuracy())) }
                                td.num {}
                            }
                        }
                    }
                }
            }
        }
    }
}

fn details(trained: &Trained<Net>, summary: &LabelSummary) -> Result<Markup> {
    let [training, validation, test] = summary.samples.map(|n| count(n as f64));
    let best = trained.about.provenance.get("epoch").cloned().unwrap_or_default();
    let from = trained.recipe.from.as_ref().map(|from| from.display().to_string());
    let facts = [
        ("Data", summary.data.clone()),
        ("Samples", format!("{training} to train on, {validation} to validate, {test} to test")),
        ("Device", summary.device.clone()),
        ("Time", time(summary.seconds, speed(summary.epochs.iter()))),
        ("Started from", from.unwrap_or_default()),
        ("Epoch kept", format!("{best} of {}", summary.epochs.len())),
        ("Parameters", count(summary.parameters as f64)),
    ];
    made(&facts, &trained.model.to_string(), &trained.recipe)
}
