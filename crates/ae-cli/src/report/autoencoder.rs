//! The report of an autoencoder.

use ae_data::{Method, Samples};
use ae_models::{Encoder, Model, Pca};
use ae_train::Corruption;
use burn::tensor::Device;
use maud::{Markup, PreEscaped, html};

use super::page::{made, picture, picture_rows, time, whole, write_both};
use crate::charts::{COLORS, hex};
use crate::error::Result;
use crate::figures::{Column, Figures, POINTS};
use crate::observers::{count, digits};
use crate::run::Trained;
use crate::session::Folder;
use crate::summary::{Summary, components};

/// Writes the figures and the page of a run.
pub fn write(
    folder: &Folder,
    trained: &Trained,
    summary: &Summary,
    pca: &Pca,
    device: &Device,
) -> Result<()> {
    let figures = Figures::make(folder, trained, summary, pca, device)?;
    figures.write(&folder.figures())?;
    let page = page(trained, summary, &figures)?.into_string();
    write_both(folder, summary, &page)
}

fn page(trained: &Trained, summary: &Summary, figures: &Figures) -> Result<Markup> {
    let code = summary.code;
    let is_pca = matches!(trained.model, Model::Pca(_));
    let what = if is_pca { "PCA" } else { "Autoencoder" };
    let title = format!("{what} of {}", trained.data.name);
    let lead = html! {
        (count(summary.samples[0] as f64)) " samples of "
        (trained.data.training.shape())
        (if code < summary.features { " squeezed into " } else { " turned into " }) b { (code) }
        (if code == 1 { " number" } else { " numbers" }) " each, and back."
    };
    let body = html! {
        (headline(trained, summary))
        @if let Some(rows) = &figures.rows {
            section {
                h2 { "What goes in and what comes out" }
                p.note { "Samples of the test part, which training never saw." }
                (picture_rows(&rows.names, &rows.picture)?)
            }
        }
        @if let Some(columns) = &figures.columns { (column_table(columns)) }
        (learned(trained, summary, figures))
        section {
            h2 { "Where samples lie in the code" }
            div.pair {
                figure { (PreEscaped(&figures.codes)) }
                (legend(&trained.data.test))
            }
        }
        (code_section(trained, summary, figures))
        @if let Some(worst) = &figures.worst {
            section {
                h2 { "Where it fails" }
                p.note { "The test samples with the largest squared error." }
                (picture_rows(&["input".into(), trained.name()], worst)?)
            }
        }
        @if let Some(filters) = &figures.filters {
            section {
                h2 { "What its first layer looks for" }
                p.note {
                    @if is_pca { "Components by the variance that they hold; grey is zero." }
                    @else { "Weights of the strongest filters; grey is zero." }
                }
                (picture(filters, "First-layer filters", "filters")?)
            }
        }
        (details(trained, summary)?)
    };
    Ok(whole(&title, &lead, &body, &summary.program))
}

/// How it learned, if it did so in steps.
fn learned(trained: &Trained, summary: &Summary, figures: &Figures) -> Markup {
    html! {
        @if !summary.layers.is_empty() {
            section {
                h2 { "How each layer learned" }
                p.note {
                    "Each is an autoencoder of the codes of the layer below. " (trained.recipe_line())
                }
                div.pair {
                    @for (index, chart) in figures.losses.iter().enumerate() {
                        figure {
                            (PreEscaped(chart))
                            figcaption { "Layer " (index + 1) ", from the input" }
                        }
                    }
                }
            }
        } @else if let Some(loss) = figures.losses.first() {
            section {
                h2 { "How it learned" }
                div.pair {
                    figure {
                        (PreEscaped(loss))
                        figcaption { (trained.recipe_line()) }
                    }
                    @if let Some(errors) = &figures.errors {
                        figure {
                            (PreEscaped(errors))
                            figcaption { "The epoch with the best validation loss is the one kept." }
                        }
                    }
                }
            }
        }
    }
}

/// How the code is used, and how it moves.
fn code_section(trained: &Trained, summary: &Summary, figures: &Figures) -> Markup {
    let activity = &summary.test.activity;
    let is_probability = trained.model.code_activation().is_probability();
    html! {
        section {
            h2 { "How the code is used" }
            div.pair {
                figure {
                    @if let Some(activity) = &figures.activity { (PreEscaped(activity)) }
                    figcaption {
                        @if is_probability { "Units by their mean activation on the test part: " }
                        @else { "Units by the share of test samples for which they are not 0: " }
                        b { (digits(activity.mean)) } " on average"
                        @if let Some(sparseness) = activity.lifetime_sparseness {
                            "; lifetime sparseness " b { (format!("{sparseness:.3}")) }
                            ", from 0 for a unit that is always equally active to 1 for one that a "
                            "single sample excites"
                        }
                        "."
                    }
                }
                @if let Some(jacobian) = &summary.jacobian {
                    figure {
                        @if let Some(spectrum) = &figures.spectrum { (PreEscaped(spectrum)) }
                        figcaption {
                            "How much the code moves with the input: the squared norm of the encoder's "
                            "Jacobian is " b { (digits(jacobian.squared_norm)) }
                            @match jacobian.samples {
                                1 => " at a test sample",
                                n => { ", the mean over " (count(n as f64)) " test samples" }
                            }
                            @if figures.spectrum.is_some() {
                                "; its singular values"
                                @if jacobian.spectra < jacobian.samples && jacobian.spectra > 0 {
                                    ", of the first " (jacobian.spectra) ","
                                }
                                " say in how many directions"
                            }
                            "."
                        }
                    }
                }
            }
        }
    }
}

impl Trained {
    fn recipe_line(&self) -> String {
        let objective = self.recipe.objective();
        let mut line = format!("Loss: {}", objective.reconstruction);
        if objective.corruption != Corruption::None {
            line += &format!(" of inputs corrupted by {}", objective.corruption);
        }
        for (weight, penalty) in objective.penalties() {
            line += &format!(" + {weight} times {penalty}");
        }
        line + ", summed over features; from the first quarter epoch on."
    }
}

/// How the two compare, where that says something: not where PCA has fewer components, or hardly
/// any error left.
fn verdict(trained: &Trained, summary: &Summary) -> Option<String> {
    let (ours, linear) = (summary.test.squared_error, summary.pca.squared_error);
    let tiny = 1e-6 * summary.mean_error;
    let is_pca = matches!(trained.model, Model::Pca(_));
    if is_pca || summary.pca.components != summary.code || !(ours > tiny && linear > tiny) {
        return None;
    }
    let (times, than) = match linear >= ours {
        true => (linear / ours, "less than PCA"),
        false => (ours / linear, "more than PCA"),
    };
    Some(format!("{times:.1} times {than} with a code of the same size"))
}

fn headline(trained: &Trained, summary: &Summary) -> Markup {
    let (ours, linear) = (summary.test.squared_error, summary.pca.squared_error);
    let most = summary.mean_error.max(linear).max(ours).max(f64::MIN_POSITIVE);
    let pca = format!("PCA, {}", components(summary.pca.components));
    let mean = ("the mean of all".to_owned(), summary.mean_error, "");
    let this = ("this autoencoder".to_owned(), ours, "ours");
    let bars = match trained.model {
        Model::Pca(_) => vec![(pca, ours, "ours"), mean],
        _ if summary.leaves_something_to_pca() => vec![this, (pca, linear, ""), mean],
        _ => vec![this, mean],
    };
    html! {
        section.headline {
            div.figure {
                span.number { (digits(ours)) }
                span.unit { "squared error per test sample" }
                @if let Some(verdict) = verdict(trained, summary) { span.verdict { (verdict) } }
            }
            div.bars role="img" aria-label="Squared errors beside each other" {
                @for (name, value, class) in &bars {
                    div.name { (name) }
                    div.bar { div class=(class) style=(format!("width:{:.2}%", 100.0 * value / most)) {} }
                    div.value { (digits(*value)) }
                }
            }
            @if trained.recipe.data.preprocess != Method::None {
                p.note { "In the units that training sees, after preprocessing." }
            }
            @if trained.recipe.objective().corruption != Corruption::None {
                p.note { "Measured on clean inputs; the pictures below begin with corrupted ones." }
            }
            @if let Some(cross_entropy) = summary.test.cross_entropy {
                p.note {
                    "Cross-entropy " b { (format!("{:.4}", cross_entropy.per_feature)) }
                    " nats per feature, of which "
                    b { (format!("{:.4}", cross_entropy.floor)) }
                    " is the entropy of the grey values themselves, which no reconstruction can go "
                    "below, and " b { (format!("{:.4}", cross_entropy.excess())) } " is left to win."
                }
            }
            @if summary.test.dead_units > 0 {
                p.note {
                    (summary.test.dead_units) " of " (summary.code)
                    " code units never change on the test part: they carry nothing."
                }
            }
        }
    }
}

fn column_table(columns: &[Column]) -> Markup {
    html! {
        section {
            h2 { "How well each column comes back" }
            p.note {
                "On the test part, which training never saw, in the units of the table: the root "
                "of the mean squared error, and the standard deviation it compares with."
            }
            div.scroll {
                table {
                    thead { tr { th { "column" } th { "error" } th { "deviation" } th { "share kept" } } }
                    tbody {
                        @for column in columns {
                            tr {
                                td { (column.name) }
                                td.num { (digits(column.error)) }
                                td.num { (digits(column.deviation)) }
                                td.num {
                                    @if column.deviation > 0.0 {
                                        @let kept = 1.0 - (column.error / column.deviation).powi(2);
                                        (format!("{:.1} %", 100.0 * kept))
                                    } @else { "constant" }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn legend(samples: &Samples) -> Markup {
    let names = samples.labels().map(|labels| labels.names().to_vec()).unwrap_or_default();
    html! {
        div {
            p {
                "Codes of up to " (count(POINTS as f64)) " test samples, seen from the side on which "
                "they differ most (their first two principal components)."
            }
            @if names.is_empty() {
                p.note { "The data has no labels, so all points have one colour." }
            } @else {
                p.note { "Labels only colour the points; training never saw them." }
                ul.legend {
                    @for (class, name) in names.iter().enumerate().take(26) {
                        li {
                            span.dot style={ "background:" (hex(COLORS[class % COLORS.len()])) } {}
                            (name)
                        }
                    }
                }
                @if names.len() > COLORS.len() {
                    p.note { "Ten colours serve all classes in turn." }
                }
            }
        }
    }
}

fn details(trained: &Trained, summary: &Summary) -> Result<Markup> {
    let [training, validation, test] = summary.samples.map(|n| count(n as f64));
    let best = trained.about.provenance.get("epoch").cloned().unwrap_or_default();
    let pca_rows = count(summary.pca.fitted_to as f64);
    let epoch_kept = match (&summary.layers[..], &summary.epochs[..]) {
        ([], []) => "none: it is computed, not trained".to_owned(),
        ([], epochs) => format!("{best} of {}", epochs.len()),
        (_, _) => format!("{best}, of the layers from the input on"),
    };
    let mut facts = vec![
        ("Data", summary.data.clone()),
        ("Samples", format!("{training} to train on, {validation} to validate, {test} to test")),
        ("Device", summary.device.clone()),
        ("Time", time(summary.seconds, summary.speed())),
        ("Epoch kept", epoch_kept),
        ("Parameters", count(summary.parameters as f64)),
        (
            "Variance explained",
            match summary.mean_error > 0.0 {
                true => {
                    let explained = 1.0 - summary.test.squared_error / summary.mean_error;
                    format!("{:.1} % of that of the test part", 100.0 * explained)
                }
                false => "the test part does not vary".to_owned(),
            },
        ),
    ];
    if summary.leaves_something_to_pca() {
        let components = components(summary.pca.components);
        facts.push(("PCA", format!("{components}, fitted to {pca_rows} training samples")));
    }
    made(&facts, &trained.model.to_string(), &trained.recipe)
}
