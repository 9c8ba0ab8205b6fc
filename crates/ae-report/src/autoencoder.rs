//! The report of an autoencoder.

use ae_data::{Method, Samples};
use ae_models::{Encoder, Model};
use ae_train::{Corruption, Denoising};
use maud::{Markup, PreEscaped, html};

use crate::Result;
use crate::charts::{COLORS, hex};
use crate::figures::{Column, Figures, POINTS, name};
use crate::page::{details_section, device, document, picture, picture_rows, time};
use ae_run::comparison;
use ae_run::{Finished, TrainedRun, files};
use ae_run::{Summary, components};
use ae_train::format::{count, number};

/// Writes the figures and the page of a run.
///
/// # Errors
/// If the data cannot be read, or a file cannot be written.
pub fn write_autoencoder(finished: &Finished) -> Result<()> {
    let Finished { folder, trained, summary, pca, device } = finished;
    let figures = Figures::make(folder, trained, summary, pca, &device.handle)?;
    figures.write(&folder.figures())?;
    let page = page(trained, summary, &figures)?.into_string();
    Ok(files::write(&folder.report(), &page)?)
}

fn page(trained: &TrainedRun, summary: &Summary, figures: &Figures) -> Result<Markup> {
    let code = summary.code;
    let is_pca = matches!(trained.model, Model::Pca(_));
    let kind = if is_pca { "PCA" } else { "Autoencoder" };
    let title = format!("{kind} of {}", trained.splits.name);
    let lead = html! {
        (count(summary.samples[0] as f64)) " training samples of "
        (trained.splits.training.shape())
        (if code < summary.features { ", each compressed to " } else { ", each encoded as " }) b { (code) }
        (if code == 1 { " number" } else { " numbers" }) " and reconstructed."
    };
    let body = html! {
        (headline(trained, summary))
        @if let Some(rows) = &figures.rows {
            section {
                h2 { "Reconstructions" }
                p.note { "Samples of the test set, which was not used in training." }
                (picture_rows(&rows.names, &rows.picture)?)
            }
        }
        @if let Some(columns) = &figures.columns { (column_table(columns)) }
        (training_section(trained, summary, figures))
        section {
            h2 { "Codes of the test samples" }
            div.pair {
                figure { (PreEscaped(&figures.codes)) }
                (legend(&trained.splits.test))
            }
        }
        (code_section(trained, summary, figures))
        @if let Some(worst) = &figures.worst {
            section {
                h2 { "Where it fails" }
                p.note { "The test samples with the largest squared error." }
                (picture_rows(&["input".into(), name(&trained.model)], worst)?)
            }
        }
        @if let Some(filters) = &figures.filters {
            section {
                h2 { "Filters of the first layer" }
                p.note {
                    @if is_pca { "Principal components, by variance; grey is zero." }
                    @else { "The filters with the largest weights; grey is zero." }
                }
                (picture(filters, "First-layer filters", "filters")?)
            }
        }
        (details(trained, summary)?)
    };
    Ok(document(&title, &lead, &body, &summary.program))
}

/// The training curves, if it was trained in steps.
fn training_section(trained: &TrainedRun, summary: &Summary, figures: &Figures) -> Markup {
    html! {
        @if !summary.layers.is_empty() {
            section {
                h2 { "Training of each layer" }
                p.note {
                    "Each layer is an autoencoder of the codes of the layer below. " (recipe_line(trained))
                }
                div.pair {
                    @for (index, chart) in figures.losses.iter().enumerate() {
                        figure {
                            (PreEscaped(chart))
                            figcaption { "Layer " (index + 1) }
                        }
                    }
                }
            }
        } @else if let Some(loss) = figures.losses.first() {
            section {
                h2 { "Training" }
                div.pair {
                    figure {
                        (PreEscaped(loss))
                        figcaption { (recipe_line(trained)) }
                    }
                    @if let Some(errors) = &figures.errors {
                        figure {
                            (PreEscaped(errors))
                            figcaption { "The model is that of the epoch with the best validation loss." }
                        }
                    }
                }
            }
        }
    }
}

/// The activity of the code units, and the Jacobian of the encoder.
fn code_section(trained: &TrainedRun, summary: &Summary, figures: &Figures) -> Markup {
    let activity = &summary.test.activity;
    let is_probability = trained.model.code_activation().is_probability();
    html! {
        section {
            h2 { "Activity of the code units" }
            div.pair {
                figure {
                    @if let Some(activity) = &figures.activity { (PreEscaped(activity)) }
                    figcaption {
                        @if is_probability { "Mean activation of each unit on the test set: " }
                        @else { "Share of test samples for which each unit is not 0: " }
                        b { (number(activity.mean)) } " on average"
                        @if let Some(sparseness) = activity.lifetime_sparseness {
                            "; lifetime sparseness " b { (format!("{sparseness:.3}")) }
                            ", from 0 for a unit with constant activity to 1 for one that responds to a "
                            "single sample"
                        }
                        "."
                    }
                }
                @if let Some(jacobian) = &summary.jacobian {
                    figure {
                        @if let Some(spectrum) = &figures.spectrum { (PreEscaped(spectrum)) }
                        figcaption {
                            "Sensitivity of the code to the input: the squared norm of the encoder's "
                            "Jacobian is " b { (number(jacobian.squared_norm)) }
                            @match jacobian.samples {
                                1 => " at the first test sample",
                                n => { ", the mean of the first " (count(n as f64)) " test samples" }
                            }
                            @if figures.spectrum.is_some() {
                                ". Its singular values"
                                @if jacobian.spectra < jacobian.samples && jacobian.spectra > 0 {
                                    " (of the first " (jacobian.spectra) " samples)"
                                }
                                " show in how many directions the code moves"
                            }
                            "."
                        }
                    }
                }
            }
        }
    }
}

fn recipe_line(trained: &TrainedRun) -> String {
    let objective = trained.recipe.objective();
    let mut line = format!("Loss: {}", objective.reconstruction);
    if objective.corruption != Corruption::None {
        line += &format!(" of inputs corrupted by {}", objective.corruption);
    }
    for penalty in objective.active_penalties() {
        line += &format!(" + {} times {}", penalty.weight, penalty.kind.what);
    }
    line + ", summed over features. The first quarter epoch is not shown."
}

fn headline(trained: &TrainedRun, summary: &Summary) -> Markup {
    let (ours, linear) = (summary.test.squared_error, summary.pca.squared_error);
    let max = summary.mean_error.max(linear).max(ours).max(f64::MIN_POSITIVE);
    let pca = format!("PCA, {}", components(summary.pca.components));
    let mean = ("mean of the training set".to_owned(), summary.mean_error, "");
    let this = ("this autoencoder".to_owned(), ours, "ours");
    let bars = match trained.model {
        Model::Pca(_) => vec![(pca, ours, "ours"), mean],
        _ if summary.pca_is_lossy() => vec![this, (pca, linear, ""), mean],
        _ => vec![this, mean],
    };
    html! {
        section.headline {
            div.figure {
                span.number { (number(ours)) }
                span.unit { "squared error per test sample" }
                @if let Some(text) = &summary.better_baseline { span.verdict { (text) } }
                @else if let Some(text) = comparison(trained, summary) { span.verdict { (text) } }
            }
            div.bars role="img" aria-label="Squared errors compared" {
                @for (name, value, class) in &bars {
                    div.name { (name) }
                    div.bar { div class=(class) style=(format!("width:{:.2}%", 100.0 * value / max)) {} }
                    div.value { (number(*value)) }
                }
            }
            @if trained.recipe.data.preprocess != Method::None {
                p.note { "In the units of the preprocessed data." }
            }
            @if trained.recipe.objective().corruption != Corruption::None {
                p.note { "Measured on clean inputs; the reconstructions below start from corrupted ones." }
            }
            @if let Some(cross_entropy) = summary.test.cross_entropy {
                p.note {
                    "Cross-entropy " b { (format!("{:.4}", cross_entropy.per_feature)) }
                    " nats per feature. The entropy of the inputs themselves, "
                    b { (format!("{:.4}", cross_entropy.floor)) }
                    ", is the lowest possible value; the model is "
                    b { (format!("{:.4}", cross_entropy.excess())) } " above it."
                }
            }
            @if summary.test.dead_units > 0 {
                p.note {
                    (summary.test.dead_units) " of " (summary.code)
                    " code units are constant on the test set and carry no information."
                }
            }
        }
    }
}

fn column_table(columns: &[Column]) -> Markup {
    html! {
        section {
            h2 { "Error of each column" }
            p.note {
                "Root mean squared error on the test set, in the units of the table, and the standard "
                "deviation of the column to compare it with."
            }
            div.scroll {
                table {
                    thead { tr { th { "column" } th { "RMSE" } th { "std. deviation" } th { "variance explained" } } }
                    tbody {
                        @for column in columns {
                            tr {
                                td { (column.name) }
                                td.num { (number(column.error)) }
                                td.num { (number(column.deviation)) }
                                td.num {
                                    @if column.deviation > 0.0 {
                                        @let explained = 1.0 - (column.error / column.deviation).powi(2);
                                        (format!("{:.1} %", 100.0 * explained))
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
                "Codes of up to " (count(POINTS as f64)) " test samples, projected onto their first two "
                "principal components."
            }
            @if names.is_empty() {
                p.note { "The data has no labels, so all points have the same colour." }
            } @else {
                p.note { "Colours are labels, which were not used in training." }
                ul.legend {
                    @for (class, name) in names.iter().enumerate().take(26) {
                        li {
                            span.dot style={ "background:" (hex(COLORS[class % COLORS.len()])) } {}
                            (name)
                        }
                    }
                }
                @if names.len() > COLORS.len() {
                    p.note { "The ten colours repeat." }
                }
            }
        }
    }
}

fn details(trained: &TrainedRun, summary: &Summary) -> Result<Markup> {
    let [training, validation, test] = summary.samples.map(|n| count(n as f64));
    let best = trained.about.provenance.get("epoch").cloned().unwrap_or_default();
    let pca_rows = count(summary.pca.fitted_to as f64);
    let best_epoch = match (&summary.layers[..], &summary.epochs[..]) {
        ([], []) => "none: PCA is computed, not trained".to_owned(),
        ([], epochs) if best == "0" => {
            format!("none of {}: the initial weights are the best", epochs.len())
        }
        ([], epochs) => format!("{best} of {}", epochs.len()),
        (_, _) => format!("{best} (of each layer, from the input)"),
    };
    let mut facts = vec![
        ("Data", summary.data.clone()),
        ("Samples", format!("{training} to train on, {validation} to validate, {test} to test")),
        ("Device", device(&summary.device, summary.threads)),
        ("Time", time(summary.seconds, summary.speed())),
        ("Best epoch", best_epoch),
        ("Parameters", count(summary.parameters as f64)),
        (
            "Variance explained",
            match summary.mean_error > 0.0 {
                true => {
                    let explained = 1.0 - summary.test.squared_error / summary.mean_error;
                    format!("{:.1} % on the test set", 100.0 * explained)
                }
                false => "the test set has no variance".to_owned(),
            },
        ),
    ];
    if summary.pca_is_lossy() {
        let components = components(summary.pca.components);
        facts.push(("PCA", format!("{components}, fitted to {pca_rows} training samples")));
    }
    if let Some(Denoising { corrupted_error, squared_error }) = &summary.denoising {
        let (before, after) = (number(*corrupted_error), number(*squared_error));
        let noise = trained.recipe.test_corruption();
        facts.push(("Denoising", format!("{noise}: squared error {before} before, {after} after")));
    }
    if let Some(anomaly) = &summary.anomaly {
        facts.push(("Anomalies", format!("by the squared error: {anomaly}")));
    }
    details_section(&facts, &trained.model.to_string(), &trained.recipe)
}
