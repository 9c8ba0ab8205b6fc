//! The figures of a report: what is drawn, before it is put on a page.

mod filters;
pub mod learning;

use std::path::Path;

use ae_data::{Samples, Shape};
use ae_models::{Autoencoder, Encoder, Model, Pca};
use ae_train::{Batches, Corruption, Moment, evaluate};
use burn::tensor::{Device, Tensor};
use image::RgbaImage;

use crate::charts::{Line, histogram, lines, scatter};
use crate::error::{Error, Result};
use crate::pictures::{self, Painter};
use crate::run::Trained;
use crate::session::{Folder, batches};
use crate::summary::{Summary, components};

/// Samples in a row of pictures.
const COLUMNS: usize = 16;
/// Points in the plane of codes.
pub const POINTS: usize = 1500;

pub struct Figures {
    /// Losses over epochs; of a model trained layer by layer one a layer; of PCA none.
    pub losses: Vec<String>,
    /// The squared error over epochs, of one trained as a whole.
    pub errors: Option<String>,
    pub codes: String,
    /// Units by how active they are, where not all always are.
    pub activity: Option<String>,
    /// Singular values of the encoder's Jacobian.
    pub spectrum: Option<String>,
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

impl Trained {
    /// What it is, in a word.
    pub fn name(&self) -> String {
        match self.model {
            Model::Pca(_) => "PCA".to_owned(),
            _ => "autoencoder".to_owned(),
        }
    }
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
        let errors =
            evaluate(&trained.model, &all, trained.recipe.schedule().batch)?.squared_errors;
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
            filters: filters::draw(&trained.model, test.shape()),
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

/// Some samples as they are, corrupted, reconstructed, and by PCA.
fn rows(trained: &Trained, pca: &Pca, all: &Batches, painter: &Painter<'_>) -> Result<Rows> {
    let input = all.select(&chosen(&trained.data.test))?;
    let corruption = trained.recipe.objective().corruption;
    let moment = Moment { seed: trained.recipe.schedule().seed, epoch: u32::MAX, step: 0 };
    let corrupted = corruption.apply(input.clone(), moment).values;
    let mut names = vec!["input".to_owned()];
    let mut pictures = vec![input.clone()];
    if corruption != Corruption::None {
        names.push(format!("corrupted ({corruption})"));
        pictures.push(corrupted.clone());
    }
    names.push(trained.name());
    pictures.push(trained.model.reconstruct(corrupted.clone()));
    if !matches!(trained.model, Model::Pca(_)) && pca.code_size() < pca.features() {
        names.push(format!("PCA, {}", components(pca.code_size())));
        pictures.push(pca.reconstruct(corrupted));
    }
    Ok(Rows { names, picture: painter.grid(&pictures) })
}

/// One sample of each class in turn, or the first ones.
pub fn chosen(samples: &Samples) -> Vec<usize> {
    let Some(labels) = samples.labels() else { return (0..samples.len().min(COLUMNS)).collect() };
    let mut of_class = vec![Vec::new(); labels.names().len()];
    for (row, class) in labels.classes().iter().enumerate() {
        of_class[*class as usize].push(row);
    }
    let most = of_class.iter().map(Vec::len).max().unwrap_or(0);
    let turns = (0..most).flat_map(|turn| of_class.iter().filter_map(move |rows| rows.get(turn)));
    turns.take(COLUMNS).copied().collect()
}

/// Units of the code by how active they are.
fn activity_chart(trained: &Trained, summary: &Summary) -> Result<Option<String>> {
    let activity = &summary.test.activity;
    if activity.histogram.last() == Some(&summary.code) {
        return Ok(None);
    }
    let what = match trained.model.code_activation().is_probability() {
        true => "mean activation",
        false => "share of samples for which it is not 0",
    };
    histogram(what, "units of the code", [0.0, 1.0], &activity.histogram).map(Some)
}

/// Points that marks do not run together of.
const MARKED: usize = 64;

/// The mean of the largest singular value of the encoder's Jacobian, of the second, and so on.
fn spectrum_chart(summary: &Summary) -> Result<Option<String>> {
    let Some(jacobian) = &summary.jacobian else { return Ok(None) };
    if jacobian.singular_values.len() < 2 {
        return Ok(None);
    }
    // Those below are rounding.
    let floor = jacobian.singular_values[0] * 1e-3;
    let values = jacobian.singular_values.iter().enumerate();
    let points = values.map(|(index, value)| (index as f64 + 1.0, value.max(floor)));
    let points: Vec<_> = points.collect();
    let marked = points.len() <= MARKED;
    let line = Line { name: "mean over samples".into(), points, marked };
    lines("singular value of the Jacobian, by size", "mean", &[line]).map(Some)
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

/// How well each column of a table comes back, in its own units.
fn columns(trained: &Trained, all: &Batches) -> Result<Option<Vec<Column>>> {
    let samples = &trained.data.test;
    let Shape::Table { columns } = samples.shape() else { return Ok(None) };
    let mut errors = vec![0.0f64; columns.len()];
    let mut sums = vec![[0.0f64; 2]; columns.len()];
    for start in (0..all.len()).step_by(trained.recipe.schedule().batch) {
        let end = all.len().min(start + trained.recipe.schedule().batch);
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
