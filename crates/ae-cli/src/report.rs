//! The report: one page that opens offline, in light and dark.

use ae_data::{Method, Samples};
use ae_models::Pca;
use ae_train::Corruption;
use base64::Engine;
use burn::tensor::Device;
use image::RgbaImage;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::charts::{COLORS, hex};
use crate::error::{Error, Result};
use crate::figures::{Column, Figures, POINTS};
use crate::observers::{count, digits, duration};
use crate::pictures;
use crate::session::{Folder, Trained};
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
    let json = serde_json::to_string_pretty(summary)
        .map_err(|error| Error::usage(format!("summary: {error}")))?;
    ae_models::tensors::write_atomically(&folder.summary(), json.as_bytes())?;
    Ok(ae_models::tensors::write_atomically(&folder.report(), page.as_bytes())?)
}

fn page(trained: &Trained, summary: &Summary, figures: &Figures) -> Result<Markup> {
    let code = summary.code;
    Ok(html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { "Autoencoder of " (trained.data.name) }
                style { (PreEscaped(include_str!("report.css"))) }
            }
            body {
                header {
                    h1 { "Autoencoder of " (trained.data.name) }
                    p.lead {
                        (count(summary.samples[0] as f64)) " samples of "
                        (trained.data.training.shape()) " squeezed into " b { (code) }
                        (if code == 1 { " number" } else { " numbers" }) " each, and back."
                    }
                }
                (headline(trained, summary))
                @if let Some(rows) = &figures.rows {
                    section {
                        h2 { "What goes in and what comes out" }
                        p.note { "Samples of the test part, which training never saw." }
                        (picture_rows(&rows.names, &rows.picture)?)
                    }
                }
                @if let Some(columns) = &figures.columns { (column_table(columns)) }
                section {
                    h2 { "How it learned" }
                    div.pair {
                        figure {
                            (PreEscaped(&figures.loss))
                            figcaption { (trained.recipe_line()) }
                        }
                        figure {
                            (PreEscaped(&figures.errors))
                            figcaption {
                                "The epoch with the best validation loss is the one kept."
                            }
                        }
                    }
                }
                section {
                    h2 { "Where samples lie in the code" }
                    div.pair {
                        figure { (PreEscaped(&figures.codes)) }
                        (legend(&trained.data.test))
                    }
                }
                @if let Some(worst) = &figures.worst {
                    section {
                        h2 { "Where it fails" }
                        p.note { "The test samples with the largest squared error." }
                        (picture_rows(&["input".into(), "autoencoder".into()], worst)?)
                    }
                }
                @if let Some(filters) = &figures.filters {
                    section {
                        h2 { "What its first layer looks for" }
                        p.note { "Weights of the strongest filters; grey is zero." }
                        (picture(filters, "First-layer filters", "filters")?)
                    }
                }
                (details(trained, summary)?)
                footer { "Written by " (summary.program) "." }
            }
        }
    })
}

impl Trained {
    fn recipe_line(&self) -> String {
        let objective = &self.recipe.objective;
        let mut line = format!("Loss: {}", objective.reconstruction);
        if objective.corruption != Corruption::None {
            line += &format!(" of inputs corrupted by {}", objective.corruption);
        }
        if objective.l1 > 0.0 {
            line += &format!(" + {} times the L1 norm of the code", objective.l1);
        }
        line + ", summed over features; from the first quarter epoch on."
    }
}

/// How the two compare, where that says something: not where PCA has fewer components, or hardly
/// any error left.
fn verdict(summary: &Summary) -> Option<String> {
    let (ours, linear) = (summary.test.squared_error, summary.pca.squared_error);
    let tiny = 1e-6 * summary.mean_error;
    if summary.pca.components != summary.code || !(ours > tiny && linear > tiny) {
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
    let bars = [
        ("this autoencoder".to_owned(), ours, "ours"),
        (format!("PCA, {}", components(summary.pca.components)), linear, ""),
        ("the mean of all".to_owned(), summary.mean_error, ""),
    ];
    html! {
        section.headline {
            div.figure {
                span.number { (digits(ours)) }
                span.unit { "squared error per test sample" }
                @if let Some(verdict) = verdict(summary) { span.verdict { (verdict) } }
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
            @if trained.recipe.objective.corruption != Corruption::None {
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

fn picture_rows(names: &[String], picture: &RgbaImage) -> Result<Markup> {
    let style = format!("grid-template-rows:repeat({},1fr)", names.len());
    Ok(html! {
        div.rows {
            div.names style=(style) { @for name in names { span { (name) } } }
            (crate::report::picture(picture, &names.join(", "), "wide")?)
        }
    })
}

fn picture(picture: &RgbaImage, what: &str, class: &str) -> Result<Markup> {
    let data = base64::engine::general_purpose::STANDARD.encode(pictures::png(picture)?);
    Ok(html! {
        img class=(class) alt=(what) src={ "data:image/png;base64," (data) };
    })
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
    let facts = [
        ("Data", summary.data.clone()),
        ("Samples", format!("{training} to train on, {validation} to validate, {test} to test")),
        ("Device", summary.device.clone()),
        (
            "Time",
            match summary.seconds {
                Some(seconds) => format!("{} in all; {}", duration(seconds), summary.speed()),
                None => format!("in more than one go; {}", summary.speed()),
            },
        ),
        ("Epoch kept", format!("{best} of {}", summary.epochs.len())),
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
        (
            "PCA",
            format!(
                "{}, fitted to {pca_rows} training samples",
                components(summary.pca.components)
            ),
        ),
    ];
    Ok(html! {
        section {
            h2 { "How it was made" }
            dl { @for (name, fact) in &facts { dt { (name) } dd { (fact) } } }
            h3 { "Model" }
            pre { (trained.model.to_string()) }
            h3 { "Recipe" }
            p.note {
                "Save it as " code { "recipe.toml" } " and run " code { "ae train --recipe recipe.toml" }
                ": on the same device the numbers will be the same."
            }
            pre { (trained.recipe.to_toml()?) }
        }
    })
}
