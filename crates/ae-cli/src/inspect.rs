//! `ae eval`, `ae encode`, `ae reconstruct` and `ae report`: commands on a trained run.

use ae_data::{Samples, Shape};
use ae_models::{Autoencoder, Encoder, Model};
use ae_train::{classify, evaluate};
use burn::tensor::{Device, Tensor};

use crate::args::{EncodeArgs, EvalArgs, ReconstructArgs, ReportArgs, RunArgs};
use crate::classifier::{self, ClassifierSummary};
use crate::datasets::batches;
use crate::device::NamedDevice;
use crate::error::{Error, Result};
use crate::export::{write_rows, write_table};
use crate::files::read_json;
use crate::format::{count, number};
use crate::jacobian::Jacobian;
use crate::pictures::{self, Painter};
use crate::report;
use crate::run::{SavedModel, SavedRun, Selection, TrainedRun};
use crate::summary::{Summary, summarize};

fn open(args: &RunArgs) -> Result<(SavedRun, Selection, Device)> {
    let (run, NamedDevice { handle, .. }) = SavedRun::open(&args.run, &args.device)?;
    let selection = run.samples(&args.data, args.split)?;
    Ok((run, selection, handle))
}

pub fn eval(args: &EvalArgs) -> Result<()> {
    let (run, selection, device) = open(&args.run)?;
    let batch = run.recipe.schedule().batch;
    let model: &Model = match &run.model {
        SavedModel::Autoencoder(model) => model,
        SavedModel::Classifier(model) => {
            let classes = classifier::classes(&run)?;
            let labelled = classifier::labelled(&selection.samples, &selection.name, &classes)?;
            let predictions = classify(&**model, classifier::loss(&run.recipe)?, &labelled, batch)?;
            return match args.json {
                true => print_json(&predictions.classification),
                false => {
                    let samples = count(predictions.classification.samples as f64);
                    println!("{}: {samples} samples", selection.title());
                    print!("{}", classifier::to_text(&predictions.classification, &classes));
                    Ok(())
                }
            };
        }
    };
    let data = batches(&selection.samples, &run.recipe, &device)?;
    let evaluation = evaluate(model, &data, batch)?.evaluation;
    if args.json {
        return print_json(&evaluation);
    }
    println!("{}: {} samples", selection.title(), count(evaluation.samples as f64));
    println!("squared error per sample   {}", number(evaluation.squared_error));
    if let Some(cross_entropy) = evaluation.cross_entropy {
        println!("cross-entropy per feature  {:.5}", cross_entropy.per_feature);
        println!("  its floor                {:.5}", cross_entropy.floor);
        println!("  above the floor          {:.5}", cross_entropy.excess());
    }
    if let Some(ratio) = evaluation.variance_kept {
        println!("variance of the outputs    {:.1} % of the data's", 100.0 * ratio);
    }
    println!("dead code units            {} of {}", evaluation.dead_units, evaluation.code_size);
    let label = match model.code_activation().is_probability() {
        true => "mean activation",
        false => "share of active units",
    };
    println!("{label:<25}  {:.4}", evaluation.activity.mean);
    if let Some(sparseness) = evaluation.activity.lifetime_sparseness {
        println!("lifetime sparseness        {sparseness:.4}");
    }
    if let Some(jacobian) = Jacobian::measure(model, &data)? {
        println!(
            "squared Jacobian norm      {}, mean of the first {} samples",
            number(jacobian.squared_norm),
            jacobian.samples
        );
    }
    Ok(())
}

fn print_json(value: &impl serde::Serialize) -> Result<()> {
    let json = serde_json::to_string_pretty(value)
        .map_err(|error| Error::usage(format!("evaluation: {error}")))?;
    println!("{json}");
    Ok(())
}

pub fn encode(args: &EncodeArgs) -> Result<()> {
    let (run, selection, device) = open(&args.run)?;
    let samples = &selection.samples;
    let encoder = run.model.encoder();
    let codes = map(&run, samples, &device, |input| encoder.encode(input), samples.len())?;
    let columns = (0..encoder.code_size()).map(|unit| format!("code_{unit}")).collect();
    let shape = Shape::Table { columns };
    write_rows(&args.out, &codes, &shape, samples)?;
    println!(
        "{} codes of {} numbers ({}): {}",
        codes.len(),
        encoder.code_size(),
        selection.title(),
        args.out.display()
    );
    Ok(())
}

pub fn reconstruct(args: &ReconstructArgs) -> Result<()> {
    let (run, selection, device) = open(&args.run)?;
    let model = run.autoencoder("reconstruction")?;
    let samples = &selection.samples;
    let is_picture = args.out.extension().is_some_and(|end| end.eq_ignore_ascii_case("png"));
    let usual = if is_picture { samples.len().min(16) } else { samples.len() };
    let count = args.count.unwrap_or(usual);
    if count == 0 || count > samples.len() {
        return Err(Error::usage(format!(
            "--count: expected 1 to {}, the size of {}, got {count}",
            samples.len(),
            selection.title()
        )));
    }
    if is_picture {
        let Some(painter) = Painter::new(samples.shape(), samples.preprocessing()) else {
            return Err(Error::usage(format!(
                "{}: cannot write tabular data ({}) as PNG; use .csv or .npy",
                args.out.display(),
                samples.shape()
            )));
        };
        let input =
            batches(samples, &run.recipe, &device)?.select(&(0..count).collect::<Vec<_>>())?;
        let grid = painter.grid(&[input.clone(), model.reconstruct(input)]);
        pictures::write_png(&args.out, &grid)?;
    } else {
        let mut rows = map(&run, samples, &device, |input| model.reconstruct(input), count)?;
        let is_csv = args.out.extension().is_some_and(|end| end.eq_ignore_ascii_case("csv"));
        match samples.table() {
            Some(table) if is_csv => write_table(&args.out, &rows, &table.schema, samples)?,
            _ => {
                rows.iter_mut().for_each(|row| samples.preprocessing().invert(row));
                write_rows(&args.out, &rows, samples.shape(), samples)?;
            }
        }
    }
    println!("{count} reconstructions: {}", args.out.display());
    Ok(())
}

pub fn report(args: &ReportArgs) -> Result<()> {
    let (run, NamedDevice { handle, name }) = SavedRun::open(&args.run, &args.device)?;
    let folder = run.folder.clone();
    let TrainedRun { recipe, model, about, splits } = run.with_data()?;
    let model = match model {
        SavedModel::Autoencoder(model) => *model,
        SavedModel::Classifier(model) => {
            let trained = TrainedRun { recipe, model: *model, about, splits };
            let old: ClassifierSummary = read_json(&folder.summary())?;
            let summary = ClassifierSummary {
                curve: old.curve,
                ..classifier::summarize(&trained, old.epochs, old.device, old.seconds)?
            };
            report::write_classifier(&folder, &trained, &summary)?;
            println!("report: {}", folder.report().display());
            return Ok(());
        }
    };
    let trained = TrainedRun { recipe, model, about, splits };
    let old: Summary = read_json(&folder.summary())?;
    let (mut summary, pca) = summarize(&trained, &old.epochs, &handle, name, old.seconds)?;
    // Time and device of the report are those of training.
    summary.device = old.device;
    (summary.initial, summary.layers) = (old.initial, old.layers);
    report::write(&folder, &trained, &summary, &pca, &handle)?;
    println!("report: {}", folder.report().display());
    Ok(())
}

/// Applies a map to the first `count` samples, a batch at a time.
fn map(
    run: &SavedRun,
    samples: &Samples,
    device: &Device,
    map: impl Fn(Tensor<2>) -> Tensor<2>,
    count: usize,
) -> Result<Vec<Vec<f32>>> {
    let data = batches(samples, &run.recipe, device)?;
    let batch = run.recipe.schedule().batch;
    let mut rows = Vec::with_capacity(count);
    for start in (0..count).step_by(batch) {
        let indices: Vec<usize> = (start..count.min(start + batch)).collect();
        rows.extend(pictures::samples(map(data.select(&indices)?)));
    }
    Ok(rows)
}
