//! `ae eval`, `ae encode`, `ae reconstruct`, `ae report`: what can be done with a trained run.

use std::fmt::Write;
use std::path::Path;

use ae_data::{Labels, Samples, Shape};
use ae_models::{Autoencoder, Encoder};
use ae_train::evaluate;
use burn::tensor::{Device, Tensor};

use crate::args::{
    DeviceArgs, EncodeArgs, EvalArgs, PartName, ReconstructArgs, ReportArgs, RunArgs,
};
use crate::device::{self, Opened};
use crate::error::{Error, Result};
use crate::observers::{count, digits};
use crate::pictures::{self, Painter};
use crate::report;
use crate::session::{Chosen, Folder, Run, batches};
use crate::summary::{Summary, summarize};

fn open(run: &Path, device: &DeviceArgs) -> Result<(Folder, Run, Opened)> {
    let folder = Folder::existing(run)?;
    let (opened, why) = device::open(&device.device.clone().unwrap_or_default())?;
    eprintln!("{why}");
    let run = Run::load(&folder, &opened.device)?;
    Ok((folder, run, opened))
}

fn open_with(args: &RunArgs, part: Option<PartName>) -> Result<(Run, Chosen, Device)> {
    let (_, run, Opened { device, .. }) = open(&args.run, &args.device)?;
    let chosen = run.samples(&args.data, part)?;
    Ok((run, chosen, device))
}

impl Chosen {
    fn title(&self) -> String {
        match self.part {
            PartName::All => format!("{}, all", self.name),
            part => format!("{}, {part} part", self.name),
        }
    }
}

pub fn eval(args: &EvalArgs) -> Result<()> {
    let (run, chosen, device) = open_with(&args.run, args.part)?;
    let data = batches(&chosen.samples, &run.recipe, &device)?;
    let evaluation = evaluate(&run.model, &data, run.recipe.schedule.batch)?.evaluation;
    if args.json {
        let json = serde_json::to_string_pretty(&evaluation)
            .map_err(|error| Error::usage(format!("evaluation: {error}")))?;
        println!("{json}");
        return Ok(());
    }
    println!("{}: {} samples", chosen.title(), count(evaluation.samples as f64));
    println!("squared error per sample   {}", digits(evaluation.squared_error));
    if let Some(cross_entropy) = evaluation.cross_entropy {
        println!("cross-entropy per feature  {:.5}", cross_entropy.per_feature);
        println!("  its floor                {:.5}", cross_entropy.floor);
        println!("  above the floor          {:.5}", cross_entropy.excess());
    }
    if let Some(kept) = evaluation.variance_kept {
        println!("variance of the outputs    {:.1} % of the data's", 100.0 * kept);
    }
    println!("dead code units            {} of {}", evaluation.dead_units, evaluation.code_size);
    Ok(())
}

pub fn encode(args: &EncodeArgs) -> Result<()> {
    let (run, chosen, device) = open_with(&args.run, args.part)?;
    let part = &chosen.samples;
    let codes = map(&run, part, &device, |input| run.model.encode(input), part.len())?;
    let columns = (0..run.model.code_size()).map(|unit| format!("code_{unit}")).collect();
    let shape = Shape::Table { columns };
    write_rows(&args.out, &codes, &shape, part.labels())?;
    println!("{} codes of {} numbers: {}", codes.len(), run.model.code_size(), args.out.display());
    Ok(())
}

pub fn reconstruct(args: &ReconstructArgs) -> Result<()> {
    let (run, chosen, device) = open_with(&args.run, args.part)?;
    let part = &chosen.samples;
    let is_picture = args.out.extension().is_some_and(|end| end.eq_ignore_ascii_case("png"));
    let wanted = args.count.unwrap_or(if is_picture { 16 } else { part.len() });
    if wanted == 0 || wanted > part.len() {
        return Err(Error::usage(format!(
            "--count: expected 1 to {}, what there is of {}, got {wanted}",
            part.len(),
            chosen.title()
        )));
    }
    if is_picture {
        let Some(painter) = Painter::new(part.shape(), part.preprocessing()) else {
            return Err(Error::usage(format!(
                "{}: expected .csv or .npy, since {} is no image",
                args.out.display(),
                part.shape()
            )));
        };
        let input =
            batches(part, &run.recipe, &device)?.select(&(0..wanted).collect::<Vec<_>>())?;
        let grid = painter.grid(&[input.clone(), run.model.reconstruct(input)]);
        pictures::write_png(&args.out, &grid)?;
    } else {
        let model = &run.model;
        let mut rows = map(&run, part, &device, |input| model.reconstruct(input), wanted)?;
        rows.iter_mut().for_each(|row| part.preprocessing().invert(row));
        write_rows(&args.out, &rows, part.shape(), part.labels())?;
    }
    println!("{wanted} reconstructions: {}", args.out.display());
    Ok(())
}

pub fn report(args: &ReportArgs) -> Result<()> {
    let (folder, run, Opened { device, name }) = open(&args.run, &args.device)?;
    let trained = run.with_data()?;
    let text = std::fs::read_to_string(folder.summary()).map_err(Error::io(&folder.summary()))?;
    let old: Summary = serde_json::from_str(&text)
        .map_err(|error| Error::usage(format!("{}: {error}", folder.summary().display())))?;
    let (mut summary, pca) = summarize(&trained, &old.epochs, &device, name, old.seconds)?;
    // What the page says of time and device is about training.
    summary.device = old.device;
    report::write(&folder, &trained, &summary, &pca, &device)?;
    println!("report: {}", folder.report().display());
    Ok(())
}

/// Applies a map to the first samples of a part, a batch at a time.
fn map(
    run: &Run,
    part: &Samples,
    device: &Device,
    map: impl Fn(Tensor<2>) -> Tensor<2>,
    wanted: usize,
) -> Result<Vec<Vec<f32>>> {
    let data = batches(part, &run.recipe, device)?;
    let batch = run.recipe.schedule.batch;
    let mut rows = Vec::with_capacity(wanted);
    for start in (0..wanted).step_by(batch) {
        let indices: Vec<usize> = (start..wanted.min(start + batch)).collect();
        rows.extend(pictures::samples(map(data.select(&indices)?)));
    }
    Ok(rows)
}

fn write_rows(
    path: &Path,
    rows: &[Vec<f32>],
    shape: &Shape,
    labels: Option<&Labels>,
) -> Result<()> {
    let end = path.extension().map(|end| end.to_string_lossy().to_lowercase());
    let bytes = match end.as_deref() {
        Some("csv") => csv(rows, shape, labels).into_bytes(),
        Some("npy") => npy(rows, shape),
        _ => {
            let message = format!(
                "{}: expected a file that ends in .csv or .npy (reconstructed images: or .png)",
                path.display()
            );
            return Err(Error::usage(message));
        }
    };
    Ok(ae_models::tensors::write_atomically(path, &bytes)?)
}

fn csv(rows: &[Vec<f32>], shape: &Shape, labels: Option<&Labels>) -> String {
    let columns = match shape {
        Shape::Table { columns } => columns.clone(),
        image => (0..image.features()).map(|feature| format!("feature_{feature}")).collect(),
    };
    let quoted = |name: &str| match name.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", name.replace('"', "\"\"")),
        false => name.to_owned(),
    };
    let mut text = columns.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(",");
    text += if labels.is_some() { ",label\n" } else { "\n" };
    for (index, row) in rows.iter().enumerate() {
        text += &row.iter().map(f32::to_string).collect::<Vec<_>>().join(",");
        if let Some(labels) = labels {
            let name = &labels.names()[labels.classes()[index] as usize];
            // Writing to a string does not fail.
            let _ = write!(text, ",{}", quoted(name));
        }
        text.push('\n');
    }
    text
}

/// NumPy's format, version 1: f32, rows first; of images `[n, channels, height, width]`.
fn npy(rows: &[Vec<f32>], shape: &Shape) -> Vec<u8> {
    let n = rows.len();
    let shape = match shape {
        Shape::Image { channels, height, width } => format!("({n}, {channels}, {height}, {width})"),
        Shape::Table { columns } => format!("({n}, {})", columns.len()),
    };
    let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}");
    // The data begin at a multiple of 64 bytes, after 10 bytes of preamble and a line end.
    let padded = (10 + header.len() + 1).next_multiple_of(64) - 10;
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((padded as u16).to_le_bytes());
    bytes.extend(format!("{header:<width$}\n", width = padded - 1).as_bytes());
    bytes.extend(rows.iter().flatten().flat_map(|value| value.to_le_bytes()));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_numpy_file_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.npy");
        let rows = vec![vec![1.0, 2.5, -3.0], vec![0.0, 1e-8, 4.0]];
        for shape in [Shape::table(3), Shape::image(3, 1, 1), Shape::image(1, 1, 3)] {
            std::fs::write(&path, npy(&rows, &shape)).unwrap();
            let samples = ae_data::npy::read(&path, None).unwrap();
            assert_eq!(samples.shape().to_string(), shape.to_string());
            assert_eq!((samples.row(0), samples.row(1)), (rows[0].clone(), rows[1].clone()));
        }
    }

    #[test]
    fn csv_cells_are_quoted_where_they_must() {
        let labels = Labels::new(vec![1, 0], vec!["a".into(), "b, \"c\"".into()]).unwrap();
        let shape = Shape::Table { columns: vec!["x".into(), "y,z".into()] };
        let text = csv(&[vec![1.0, 0.5], vec![-2.0, 1e-9]], &shape, Some(&labels));
        assert_eq!(text, "x,\"y,z\",label\n1,0.5,\"b, \"\"c\"\"\"\n-2,0.000000001,a\n");
    }
}
