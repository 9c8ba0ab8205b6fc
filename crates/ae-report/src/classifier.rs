//! The report of a classifier.

use ae_models::{Classifier, ModelEncoder};
use maud::{Markup, PreEscaped, html};

use crate::figures::learning;
use crate::page::{details_section, device, document, time};
use crate::{Error, Result};
use ae_recipe::Command;
use ae_run::ClassifierSummary;
use ae_run::speed;
use ae_run::{FinishedClassifier, TrainedRun, files};
use ae_train::format::count;

type Net = Classifier<ModelEncoder>;

/// Writes the figures and the page of a classifier's run.
///
/// # Errors
/// If a file cannot be written.
pub fn write_classifier(finished: &FinishedClassifier) -> Result<()> {
    let FinishedClassifier { folder, trained, summary } = finished;
    let loss = learning::loss(folder, &summary.epochs, None)?;
    let errors = learning::label_errors(summary)?;
    let curve = learning::label_efficiency(summary)?;
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
        Command::Classify => "with fixed weights",
        _ => "trained together",
    };
    let lead = html! {
        (count(summary.samples[0] as f64)) " training samples of " (trained.splits.training.shape())
        " in " b { (summary.classes.len()) } " classes; a head on an encoder with " (summary.code)
        " code units, " (encoder) "."
    };
    let objective = trained.about.provenance.get("objective").cloned().unwrap_or_default();
    let body = html! {
        (headline(summary))
        @if summary.classes.len() <= MAX_CLASSES { (confusion(summary)) }
        section {
            h2 { "Training" }
            div.pair {
                figure {
                    (PreEscaped(&loss))
                    figcaption { "Loss: " (objective) ". The first quarter epoch is not shown." }
                }
                @if let Some(errors) = &errors {
                    figure {
                        (PreEscaped(errors))
                        figcaption { "The model is that of the epoch with the lowest validation error." }
                    }
                }
            }
        }
        @if let Some(curve) = &curve { (label_efficiency(summary, curve)) }
        (details(trained, summary)?)
    };
    let title = format!("Classifier of {}", trained.splits.name);
    let page = document(&title, &lead, &body, &summary.program).into_string();
    Ok(files::write(&folder.report(), &page)?)
}

fn headline(summary: &ClassifierSummary) -> Markup {
    let sizes = summary.test.confusion.iter().map(|row| row.iter().sum::<usize>());
    let most_frequent = sizes.max().unwrap_or(0) as f64 / summary.test.samples as f64;
    let bars = [
        ("this classifier", summary.test.accuracy(), "ours"),
        ("always the most frequent class", most_frequent, ""),
    ];
    html! {
        section.headline {
            div.figure {
                span.number { (format!("{:.2} %", 100.0 * summary.test.accuracy())) }
                span.unit { "accuracy on the test set" }
                span.verdict { (format!("{:.2} % error", 100.0 * summary.test.error())) }
            }
            div.bars role="img" aria-label="Accuracies compared" {
                @for (name, value, class) in &bars {
                    div.name { (name) }
                    div.bar { div class=(class) style=(format!("width:{:.2}%", 100.0 * value)) {} }
                    div.value { (format!("{:.1} %", 100.0 * value)) }
                }
            }
        }
    }
}

/// More classes than this do not fit a confusion matrix.
const MAX_CLASSES: usize = 40;

fn confusion(summary: &ClassifierSummary) -> Markup {
    html! {
        section {
            h2 { "Confusion matrix" }
            p.note {
                "Test samples: rows are true classes, columns predicted ones. A stronger colour is a larger "
                "share of the row."
            }
            div.scroll {
                table.confusion {
                    thead {
                        tr {
                            th {}
                            @for name in &summary.classes { th.num { (name) } }
                            th.num { "correct" }
                        }
                    }
                    tbody {
                        @for (class, row) in summary.test.confusion.iter().enumerate() {
                            @let all = row.iter().sum::<usize>();
                            tr {
                                th { (summary.classes[class]) }
                                @for (predicted, count) in row.iter().enumerate() {
                                    (cell(*count, all, class == predicted))
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

fn cell(count: usize, all: usize, is_correct: bool) -> Markup {
    let share = count as f64 / all.max(1) as f64;
    // Even a single mistake is visible.
    let strength = if count == 0 { 0.0 } else { 0.12 + 0.5 * share.sqrt() };
    let color = if is_correct { "31,131,196" } else { "213,58,47" };
    html! {
        td.num style=(format!("background:rgba({color},{strength:.2})")) {
            @if count > 0 { (count) }
        }
    }
}

fn label_efficiency(summary: &ClassifierSummary, curve: &str) -> Markup {
    html! {
        section {
            h2 { "Label efficiency" }
            div.pair {
                figure {
                    (PreEscaped(curve))
                    figcaption {
                        "Both networks are trained in the same way. The validation set chooses the epoch; "
                        "the test set only measures."
                    }
                }
                div.scroll {
                    table {
                        thead { tr { th { "labels" } th { "pretrained" } th { "from scratch" } } }
                        tbody {
                            @for point in &summary.curve {
                                tr {
                                    td.num { (count(point.labels as f64)) }
                                    td.num { (format!("{:.2} %", 100.0 * point.from_run)) }
                                    td.num { (format!("{:.2} %", 100.0 * point.from_random)) }
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

fn details(trained: &TrainedRun<Net>, summary: &ClassifierSummary) -> Result<Markup> {
    let [training, validation, test] = summary.samples.map(|n| count(n as f64));
    let best = trained.about.provenance.get("epoch").cloned().unwrap_or_default();
    let from = trained.recipe.from.as_ref().map(|from| from.display().to_string());
    let facts = [
        ("Data", summary.data.clone()),
        ("Samples", format!("{training} to train on, {validation} to validate, {test} to test")),
        ("Device", device(&summary.device, summary.threads)),
        ("Time", time(summary.seconds, speed(summary.epochs.iter()))),
        ("Started from", from.unwrap_or_default()),
        ("Best epoch", format!("{best} of {}", summary.epochs.len())),
        ("Parameters", count(summary.parameters as f64)),
    ];
    details_section(&facts, &trained.model.to_string(), &trained.recipe)
}
