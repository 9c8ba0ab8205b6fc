//! The figures of a report.

mod filters;
pub mod learning;

use std::path::Path;

use ae_data::Shape;
use ae_models::{Autoencoder, Encoder, Model, Pca};
use ae_train::{Batches, Corruption, NoiseKey, evaluate};
use burn::tensor::{Device, Tensor};
use image::RgbaImage;

use crate::charts::{Line, histogram, lines, scatter};
use crate::pictures::{self, Painter};
use crate::{Error, Result};
use ae_run::RunDir;
use ae_run::TrainedRun;
use ae_run::{Summary, components, masked_batches};
use ae_run::{batches, representatives, to_rows};

/// Samples in a row of pictures.
const COLUMNS: usize = 16;
/// Points in the scatter plot of codes.
pub const POINTS: usize = 1500;

pub struct Figures {
    /// Loss curves: one, one for each layer of a model trained layer by layer, none for PCA.
    pub losses: Vec<String>,
    /// The squared error over epochs, unless trained layer by layer.
    pub errors: Option<String>,
    pub codes: String,
    /// A histogram of unit activity, unless all units are always active.
    pub activity: Option<String>,
    /// Singular values of the encoder's Jacobian.
    pub spectrum: Option<String>,
    pub rows: Option<Rows>,
    pub worst: Option<RgbaImage>,
    pub filters: Option<RgbaImage>,
    pub columns: Option<Vec<Column>>,
}

/// Rows of pictures, with a name each.
pub struct Rows {
    pub names: Vec<String>,
    pub picture: RgbaImage,
}

/// The error of a table's column, in its units.
pub struct Column {
    pub name: String,
    pub deviation: f64,
    pub error: f64,
}

/// `autoencoder` or `PCA`.
pub fn name(model: &Model) -> String {
    match model {
        Model::Pca(_) => "PCA".to_owned(),
        _ => "autoencoder".to_owned(),
    }
}

impl Figures {
    pub fn make(
        folder: &RunDir,
        trained: &TrainedRun,
        summary: &Summary,
        pca: &Pca,
        device: &Device,
    ) -> Result<Self> {
        let test = &trained.splits.test;
        let all = batches(test, &trained.recipe, device)?;
        let is_masked = trained.recipe.data.is_masked();
        let known = masked_batches(test, is_masked, &trained.recipe, device)?;
        let painter = Painter::new(test.shape(), test.preprocessing());
        let errors =
            evaluate(&trained.model, &known, trained.recipe.schedule().batch)?.squared_errors;
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
            losses: learning::losses(folder, summary)?,
            errors: learning::errors(summary)?,
            codes: code_chart(trained, &all, device)?,
            activity: activity_chart(trained, summary)?,
            spectrum: spectrum_chart(summary)?,
            rows,
            worst,
            filters: filters::render(&trained.model, test.shape()),
            columns: columns(trained, &all)?,
        })
    }

    pub fn write(&self, folder: &Path) -> Result<()> {
        std::fs::create_dir_all(folder).map_err(Error::io(folder))?;
        let loss = |index: usize| match self.losses.len() {
            1 => "loss.svg".to_owned(),
            _ => format!("loss-layer-{}.svg", index + 1),
        };
        let losses = self.losses.iter().enumerate().map(|(index, svg)| (loss(index), svg));
        let others = [
            ("errors.svg", self.errors.as_ref()),
            ("codes.svg", Some(&self.codes)),
            ("activity.svg", self.activity.as_ref()),
            ("jacobian.svg", self.spectrum.as_ref()),
        ];
        let others = others.into_iter().filter_map(|(name, svg)| Some((name.to_owned(), svg?)));
        for (name, svg) in losses.chain(others) {
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

/// Samples: inputs, corrupted inputs, reconstructions, and those of PCA.
fn rows(trained: &TrainedRun, pca: &Pca, all: &Batches, painter: &Painter<'_>) -> Result<Rows> {
    let input = all.select(&representatives(&trained.splits.test))?;
    let corruption = trained.recipe.objective().corruption;
    let key = NoiseKey::validation(trained.recipe.schedule().seed);
    let corrupted = corruption.apply(input.clone(), key).values;
    let mut names = vec!["input".to_owned()];
    let mut pictures = vec![input.clone()];
    if corruption != Corruption::None {
        names.push(format!("corrupted ({corruption})"));
        pictures.push(corrupted.clone());
    }
    names.push(name(&trained.model));
    pictures.push(trained.model.reconstruct(corrupted.clone()));
    if !matches!(trained.model, Model::Pca(_)) && pca.code_size() < pca.features() {
        names.push(format!("PCA, {}", components(pca.code_size())));
        pictures.push(pca.reconstruct(corrupted));
    }
    Ok(Rows { names, picture: painter.grid(&pictures) })
}

/// A histogram of the activity of code units.
fn activity_chart(trained: &TrainedRun, summary: &Summary) -> Result<Option<String>> {
    let activity = &summary.test.activity;
    if activity.histogram.last() == Some(&summary.code) {
        return Ok(None);
    }
    let axis = match trained.model.code_activation().is_probability() {
        true => "mean activation",
        false => "share of samples for which a unit is not 0",
    };
    histogram(axis, "code units", [0.0, 1.0], &activity.histogram).map(Some)
}

/// Lines with more points are drawn without markers.
const MAX_MARKERS: usize = 64;

/// The singular values of the encoder's Jacobian by size, averaged over samples.
fn spectrum_chart(summary: &Summary) -> Result<Option<String>> {
    let Some(jacobian) = &summary.jacobian else { return Ok(None) };
    if jacobian.singular_values.len() < 2 {
        return Ok(None);
    }
    // Values below this are rounding errors.
    let floor = jacobian.singular_values[0] * 1e-3;
    let values = jacobian.singular_values.iter().enumerate();
    let points = values.map(|(index, value)| (index as f64 + 1.0, value.max(floor)));
    let points: Vec<_> = points.collect();
    let marked = points.len() <= MAX_MARKERS;
    let line = Line { name: "mean over samples".into(), points, marked };
    lines("index of the singular value", "singular value, mean", &[line]).map(Some)
}

/// Codes of test samples, projected onto their first two principal components and coloured by class.
fn code_chart(trained: &TrainedRun, all: &Batches, device: &Device) -> Result<String> {
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
        let labels = trained.splits.test.labels();
        labels.map_or(0, |labels| labels.classes()[row] as usize)
    };
    let points: Vec<(f64, f64, usize)> = to_rows(plane)
        .iter()
        .enumerate()
        .map(|(row, point)| {
            let second = point.get(1).copied().unwrap_or(0.0);
            (f64::from(point[0]), f64::from(second), class(row))
        })
        .collect();
    scatter("first principal component", "second principal component", &points)
}

/// The error of each column of a table.
fn columns(trained: &TrainedRun, all: &Batches) -> Result<Option<Vec<Column>>> {
    let samples = &trained.splits.test;
    let Shape::Table { columns } = samples.shape() else { return Ok(None) };
    let mut errors = vec![0.0f64; columns.len()];
    let mut sums = vec![[0.0f64; 2]; columns.len()];
    let mut counts = vec![0.0f64; columns.len()];
    let is_masked = trained.recipe.data.is_masked();
    for start in (0..all.len()).step_by(trained.recipe.schedule().batch) {
        let end = all.len().min(start + trained.recipe.schedule().batch);
        let input: Tensor<2> = all.select(&(start..end).collect::<Vec<_>>())?;
        let output = to_rows(trained.model.reconstruct(input.clone()));
        for (row, (mut input, mut output)) in to_rows(input).into_iter().zip(output).enumerate() {
            let missing = match is_masked {
                true => samples.try_missing_in(start + row)?,
                false => vec![false; columns.len()],
            };
            samples.preprocessing().invert(&mut input);
            samples.preprocessing().invert(&mut output);
            for (column, (input, output)) in input.iter().zip(&output).enumerate() {
                if missing[column] {
                    continue;
                }
                counts[column] += 1.0;
                let (input, output) = (f64::from(*input), f64::from(*output));
                errors[column] += (input - output).powi(2);
                sums[column][0] += input;
                sums[column][1] += input * input;
            }
        }
    }
    let column = |(index, name): (usize, &String)| {
        let ([sum, squares], n) = (sums[index], counts[index].max(1.0));
        Column {
            name: name.clone(),
            deviation: (squares / n - (sum / n).powi(2)).max(0.0).sqrt(),
            error: (errors[index] / n).sqrt(),
        }
    };
    Ok(Some(columns.iter().enumerate().map(column).collect()))
}
