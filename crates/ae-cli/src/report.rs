//! The report: one page that opens offline, in light and dark.

use std::path::Path;

use ae_data::{Samples, Shape};
use ae_models::{Autoencoder, Encoder, Model, Pca, tensors};
use ae_train::{Batches, Corruption, Moment, evaluate};
use base64::Engine;
use burn::tensor::{Device, Tensor};
use image::RgbaImage;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::charts::{COLORS, Line, hex, lines, scatter};
use crate::error::{Error, Result};
use crate::observers::{count, digits, duration};
use crate::pictures::{self, Painter};
use crate::session::{Folder, Trained, batches};
use crate::summary::Summary;

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

/// Samples in a row of pictures.
const COLUMNS: usize = 16;
/// Points in the plane of codes.
const POINTS: usize = 1500;
/// Filters shown.
const FILTERS: usize = 64;

struct Figures {
    loss: String,
    errors: String,
    codes: String,
    rows: Option<Rows>,
    worst: Option<RgbaImage>,
    filters: Option<RgbaImage>,
    columns: Option<Vec<Column>>,
}

/// Rows of pictures below each other, and what each shows.
struct Rows {
    names: Vec<String>,
    picture: RgbaImage,
}

/// A column of a table and how well it comes back, in its own units.
struct Column {
    name: String,
    deviation: f64,
    error: f64,
}

impl Figures {
    fn make(
        folder: &Folder,
        trained: &Trained,
        summary: &Summary,
        pca: &Pca,
        device: &Device,
    ) -> Result<Self> {
        let test = &trained.data.test;
        let all = batches(test, device)?;
        let painter = Painter::new(test.shape(), test.preprocessing());
        let errors = evaluate(&trained.model, &all, trained.recipe.schedule.batch)?.squared_errors;
        let (rows, worst) = match &painter {
            Some(painter) => {
                let mut order: Vec<usize> = (0..errors.len()).collect();
                order.sort_by(|a, b| errors[*b].total_cmp(&errors[*a]));
                order.truncate(COLUMNS);
                let input = all.select(&order)?;
                let worst = painter.grid(&[input.clone(), trained.model.reconstruct(input)]);
                (Some(rows(trained, pca, &all, painter)?), Some(worst))
            }
            None => (None, None),
        };
        Ok(Self {
            loss: loss_chart(folder, summary)?,
            errors: error_chart(summary)?,
            codes: code_chart(trained, &all, device)?,
            rows,
            worst,
            filters: filters(&trained.model, test.shape()),
            columns: columns(trained, &all)?,
        })
    }

    fn write(&self, folder: &Path) -> Result<()> {
        std::fs::create_dir_all(folder).map_err(Error::io(folder))?;
        for (name, svg) in
            [("loss.svg", &self.loss), ("errors.svg", &self.errors), ("codes.svg", &self.codes)]
        {
            ae_models::tensors::write_atomically(&folder.join(name), svg.as_bytes())?;
        }
        let rows = self.rows.as_ref().map(|rows| &rows.picture);
        for (name, picture) in [
            ("reconstructions.png", rows),
            ("worst.png", self.worst.as_ref()),
            ("filters.png", self.filters.as_ref()),
        ] {
            if let Some(picture) = picture {
                pictures::write_png(&folder.join(name), picture)?;
            }
        }
        Ok(())
    }
}

/// One sample of each class in turn, or the first ones: as they are, corrupted, reconstructed, and
/// by PCA.
fn rows(trained: &Trained, pca: &Pca, all: &Batches, painter: &Painter<'_>) -> Result<Rows> {
    let input = all.select(&chosen(&trained.data.test))?;
    let corruption = trained.recipe.objective.corruption;
    let moment = Moment { seed: trained.recipe.schedule.seed, epoch: u32::MAX, step: 0 };
    let corrupted = corruption.apply(input.clone(), moment).values;
    let mut names = vec!["input".to_owned()];
    let mut pictures = vec![input.clone()];
    if corruption != Corruption::None {
        names.push(format!("corrupted ({corruption})"));
        pictures.push(corrupted.clone());
    }
    names.push("autoencoder".to_owned());
    pictures.push(trained.model.reconstruct(corrupted));
    names.push(format!("PCA, {} components", pca.code_size()));
    pictures.push(pca.reconstruct(input));
    Ok(Rows { names, picture: painter.grid(&pictures) })
}

fn chosen(samples: &Samples) -> Vec<usize> {
    let Some(labels) = samples.labels() else { return (0..samples.len().min(COLUMNS)).collect() };
    let mut of_class = vec![Vec::new(); labels.names().len()];
    for (row, class) in labels.classes().iter().enumerate() {
        of_class[*class as usize].push(row);
    }
    let most = of_class.iter().map(Vec::len).max().unwrap_or(0);
    let turns = (0..most).flat_map(|turn| of_class.iter().filter_map(move |rows| rows.get(turn)));
    turns.take(COLUMNS).copied().collect()
}

/// Losses as they were read back during training, and at the end of each epoch.
fn loss_chart(folder: &Folder, summary: &Summary) -> Result<String> {
    let steps_per_epoch = summary.epochs.first().map_or(1.0, |epoch| epoch.done as f64);
    let text = std::fs::read_to_string(folder.metrics()).unwrap_or_default();
    let points = text.lines().filter_map(|line| {
        let event: serde_json::Value = serde_json::from_str(line).ok()?;
        let terms = event.get("terms")?.as_object()?;
        let loss: f64 = terms.values().filter_map(serde_json::Value::as_f64).sum();
        Some((event["step"].as_f64()? / steps_per_epoch, loss))
    });
    let training = Line { name: "training".into(), points: points.collect(), marked: false };
    let validation = summary
        .epochs
        .iter()
        .filter_map(|epoch| Some((epoch.epoch as f64, epoch.validation.as_ref()?.loss())));
    let validation = Line { name: "validation".into(), points: validation.collect(), marked: true };
    lines("epoch", "loss per sample", &[training, validation])
}

/// The squared error on the validation part beside what PCA and the mean reach on the test part.
fn error_chart(summary: &Summary) -> Result<String> {
    let errors: Vec<(f64, f64)> = summary
        .epochs
        .iter()
        .filter_map(|epoch| {
            Some((epoch.epoch as f64, epoch.validation.as_ref()?.evaluation.squared_error))
        })
        .collect();
    let ends = [errors.first(), errors.last()].map(|end| end.map_or(1.0, |(x, _)| *x));
    let level = |name: String, value| Line {
        name,
        points: ends.map(|x| (x, value)).to_vec(),
        marked: false,
    };
    lines(
        "epoch",
        "squared error per sample",
        &[
            Line { name: "autoencoder (validation)".into(), points: errors, marked: true },
            level(format!("PCA, {} components", summary.pca.components), summary.pca.squared_error),
        ],
    )
}

/// Codes of test samples on their own first two principal components, coloured by class.
fn code_chart(trained: &Trained, all: &Batches, device: &Device) -> Result<String> {
    let rows: Vec<usize> = (0..all.len().min(POINTS)).collect();
    let codes = trained.model.encode(all.select(&rows)?);
    let size = trained.model.code_size();
    let plane = match size.min(rows.len()) {
        0 | 1 => codes,
        _ => {
            let values: Vec<f32> = codes.to_data().iter().collect();
            Pca::fit(&values, size, 2, device)?.encode(codes)
        }
    };
    let class = |row: usize| {
        let labels = trained.data.test.labels();
        labels.map_or(0, |labels| labels.classes()[row] as usize)
    };
    let points: Vec<(f64, f64, usize)> = pictures::samples(plane)
        .iter()
        .enumerate()
        .map(|(row, point)| {
            let second = point.get(1).copied().unwrap_or(0.0);
            (f64::from(point[0]), f64::from(second), class(row))
        })
        .collect();
    scatter("first principal component of the code", "second", &points)
}

/// The first layer's weights, strongest filters first.
fn filters(model: &Model, shape: &Shape) -> Option<RgbaImage> {
    let &Shape::Image { channels: channels @ (1 | 3), height, width } = shape else { return None };
    let weights = tensors::collect(model);
    let (name, tile) = match model {
        Model::Dense(_) => ("encoder.layers.0.weight", [channels, height, width]),
        Model::Conv(model) => {
            let kernel = model.config().kernel;
            ("encoder.stages.0.convolution.weight", [channels, kernel, kernel])
        }
    };
    let weights: Vec<f32> = weights.get(name)?.iter().collect();
    let mut filters: Vec<Vec<f32>> =
        weights.chunks_exact(tile.iter().product()).map(<[f32]>::to_vec).collect();
    let norm = |filter: &[f32]| filter.iter().map(|weight| weight * weight).sum::<f32>();
    filters.sort_by(|a, b| norm(b).total_cmp(&norm(a)));
    filters.truncate(FILTERS);
    Some(pictures::filters(&filters, tile))
}

/// How well each column of a table comes back, in its own units.
fn columns(trained: &Trained, all: &Batches) -> Result<Option<Vec<Column>>> {
    let samples = &trained.data.test;
    let Shape::Table { columns } = samples.shape() else { return Ok(None) };
    let mut errors = vec![0.0f64; columns.len()];
    let mut sums = vec![[0.0f64; 2]; columns.len()];
    for start in (0..all.len()).step_by(trained.recipe.schedule.batch) {
        let end = all.len().min(start + trained.recipe.schedule.batch);
        let input: Tensor<2> = all.select(&(start..end).collect::<Vec<_>>())?;
        let output = pictures::samples(trained.model.reconstruct(input.clone()));
        for (mut input, mut output) in pictures::samples(input).into_iter().zip(output) {
            samples.preprocessing().invert(&mut input);
            samples.preprocessing().invert(&mut output);
            for (column, (input, output)) in input.iter().zip(&output).enumerate() {
                let (input, output) = (f64::from(*input), f64::from(*output));
                errors[column] += (input - output).powi(2);
                sums[column][0] += input;
                sums[column][1] += input * input;
            }
        }
    }
    let n = all.len() as f64;
    let column = |(index, name): (usize, &String)| {
        let [sum, squares] = sums[index];
        Column {
            name: name.clone(),
            deviation: (squares / n - (sum / n).powi(2)).max(0.0).sqrt(),
            error: (errors[index] / n).sqrt(),
        }
    };
    Ok(Some(columns.iter().enumerate().map(column).collect()))
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
                (headline(summary))
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
        line + ", summed over features."
    }
}

fn headline(summary: &Summary) -> Markup {
    let most = summary.mean_error.max(summary.pca.squared_error).max(summary.test.squared_error);
    let times = summary.pca.squared_error / summary.test.squared_error;
    let bars = [
        ("this autoencoder".to_owned(), summary.test.squared_error, "ours"),
        (format!("PCA, {} components", summary.pca.components), summary.pca.squared_error, ""),
        ("the mean of all".to_owned(), summary.mean_error, ""),
    ];
    html! {
        section.headline {
            div.figure {
                span.number { (digits(summary.test.squared_error)) }
                span.unit { "squared error per test sample" }
                span.verdict {
                    @if times >= 1.0 { (format!("{times:.1}")) " times less than PCA" }
                    @else { (format!("{:.1}", 1.0 / times)) " times more than PCA" }
                    " with a code of the same size"
                }
            }
            div.bars role="img" aria-label="Squared errors beside each other" {
                @for (name, value, class) in &bars {
                    div.name { (name) }
                    div.bar { div class=(class) style=(format!("width:{:.2}%", 100.0 * value / most)) {} }
                    div.value { (digits(*value)) }
                }
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
        ("Time", format!("{} in all; {}", duration(summary.seconds), summary.speed())),
        ("Epoch kept", format!("{best} of {}", summary.epochs.len())),
        ("Parameters", count(summary.parameters as f64)),
        (
            "Variance kept",
            format!("{:.1} % of that of the test part", 100.0 * summary.test.variance_kept),
        ),
        (
            "PCA",
            format!("{} components, fitted to {pca_rows} training samples", summary.pca.components),
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
