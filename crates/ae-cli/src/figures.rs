//! The figures of a report: what is drawn, before it is put on a page.

use std::path::Path;

use ae_data::{Samples, Shape};
use ae_models::{Autoencoder, Encoder, Model, Pca, tensors};
use ae_train::{Batches, Corruption, Moment, evaluate};
use burn::tensor::{Device, Tensor};
use image::RgbaImage;

use crate::charts::{Line, lines, scatter};
use crate::error::{Error, Result};
use crate::pictures::{self, Painter};
use crate::session::{Folder, Trained, batches};
use crate::summary::{Summary, components};

/// Samples in a row of pictures.
const COLUMNS: usize = 16;
/// Points in the plane of codes.
pub const POINTS: usize = 1500;
/// Filters shown.
const FILTERS: usize = 64;

pub struct Figures {
    pub loss: String,
    pub errors: String,
    pub codes: String,
    pub rows: Option<Rows>,
    pub worst: Option<RgbaImage>,
    pub filters: Option<RgbaImage>,
    pub columns: Option<Vec<Column>>,
}

/// Rows of pictures below each other, and what each shows.
pub struct Rows {
    pub names: Vec<String>,
    pub picture: RgbaImage,
}

/// A column of a table and how well it comes back, in its own units.
pub struct Column {
    pub name: String,
    pub deviation: f64,
    pub error: f64,
}

impl Figures {
    pub fn make(
        folder: &Folder,
        trained: &Trained,
        summary: &Summary,
        pca: &Pca,
        device: &Device,
    ) -> Result<Self> {
        let test = &trained.data.test;
        let all = batches(test, &trained.recipe, device)?;
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

    pub fn write(&self, folder: &Path) -> Result<()> {
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
    pictures.push(trained.model.reconstruct(corrupted.clone()));
    names.push(format!("PCA, {}", components(pca.code_size())));
    pictures.push(pca.reconstruct(corrupted));
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

/// Part of the first epoch that the loss chart leaves out: it would flatten all that follows.
const FALL: f64 = 0.25;

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
    let points = points.filter(|(epoch, _)| *epoch >= FALL);
    let training = Line { name: "training".into(), points: points.collect(), marked: false };
    let validation = summary
        .epochs
        .iter()
        .filter_map(|epoch| Some((epoch.epoch as f64, epoch.validation.as_ref()?.loss())));
    let validation = Line { name: "validation".into(), points: validation.collect(), marked: true };
    lines("epoch", "loss per sample", &[training, validation])
}

/// The squared error on the validation part, beside that of PCA on the test part.
fn error_chart(summary: &Summary) -> Result<String> {
    let errors: Vec<(f64, f64)> = summary
        .epochs
        .iter()
        .filter_map(|epoch| {
            let evaluation = epoch.validation.as_ref()?.evaluation()?;
            Some((epoch.epoch as f64, evaluation.squared_error))
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
            level(
                format!("PCA, {} (test)", components(summary.pca.components)),
                summary.pca.squared_error,
            ),
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
        Model::Pca(_) | Model::Stack(_) => return None,
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
