//! `ae eval`, `ae encode`, `ae reconstruct`, `ae report`: what can be done with a trained run.

use std::path::Path;

use ae_data::{Samples, Shape};
use ae_models::{Autoencoder, Encoder, Model};
use ae_train::{classify, evaluate};
use burn::tensor::{Device, Tensor};

use crate::args::{EncodeArgs, EvalArgs, ReconstructArgs, ReportArgs, RunArgs};
use crate::device::Opened;
use crate::error::{Error, Result};
use crate::jacobian::Jacobian;
use crate::labels::{self, LabelSummary};
use crate::observers::{count, digits};
use crate::pictures::{self, Painter};
use crate::report;
use crate::rows::write_rows;
use crate::run::{Chosen, Net, Run, Trained};
use crate::session::batches;
use crate::summary::{Summary, summarize};

fn open_with(args: &RunArgs) -> Result<(Run, Chosen, Device)> {
    let (run, Opened { device, .. }) = Run::open(&args.run, &args.device)?;
    let chosen = run.samples(&args.data, args.part)?;
    Ok((run, chosen, device))
}

pub fn eval(args: &EvalArgs) -> Result<()> {
    let (run, chosen, device) = open_with(&args.run)?;
    let batch = run.recipe.schedule().batch;
    let model: &Model = match &run.net {
        Net::Autoencoder(model) => model,
        Net::Classifier(model) => {
            let known = labels::known_classes(&run)?;
            let labelled = labels::labelled(&chosen.samples, &chosen.name, &known)?;
            let answers = classify(&**model, labels::loss(&run.recipe)?, &labelled, batch)?;
            return match args.json {
                true => print_json(&answers.classification),
                false => {
                    let samples = count(answers.classification.samples as f64);
                    println!("{}: {samples} samples", chosen.title());
                    print!("{}", labels::in_text(&answers.classification, &known));
                    Ok(())
                }
            };
        }
    };
    let data = batches(&chosen.samples, &run.recipe, &device)?;
    let evaluation = evaluate(model, &data, batch)?.evaluation;
    if args.json {
        return print_json(&evaluation);
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
    let what = match model.code_activation().is_probability() {
        true => "mean activation of units",
        false => "share of units not at 0",
    };
    println!("{what:<25}  {:.4}", evaluation.activity.mean);
    if let Some(sparseness) = evaluation.activity.lifetime_sparseness {
        println!("lifetime sparseness        {sparseness:.4}");
    }
    if let Some(jacobian) = Jacobian::measure(model, &data)? {
        println!(
            "squared norm of Jacobian   {} over {} samples",
            digits(jacobian.squared_norm),
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
    let (run, chosen, device) = open_with(&args.run)?;
    let part = &chosen.samples;
    let encoder = run.net.encoder();
    let codes = map(&run, part, &device, |input| encoder.encode(input), part.len())?;
    let columns = (0..encoder.code_size()).map(|unit| format!("code_{unit}")).collect();
    let shape = Shape::Table { columns };
    write_rows(&args.out, &codes, &shape, part.labels())?;
    println!("{} codes of {} numbers: {}", codes.len(), encoder.code_size(), args.out.display());
    Ok(())
}

pub fn reconstruct(args: &ReconstructArgs) -> Result<()> {
    let (run, chosen, device) = open_with(&args.run)?;
    let model = run.autoencoder("reconstructions need a decoder")?;
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
        let grid = painter.grid(&[input.clone(), model.reconstruct(input)]);
        pictures::write_png(&args.out, &grid)?;
    } else {
        let mut rows = map(&run, part, &device, |input| model.reconstruct(input), wanted)?;
        rows.iter_mut().for_each(|row| part.preprocessing().invert(row));
        write_rows(&args.out, &rows, part.shape(), part.labels())?;
    }
    println!("{wanted} reconstructions: {}", args.out.display());
    Ok(())
}

pub fn report(args: &ReportArgs) -> Result<()> {
    let (run, Opened { device, name }) = Run::open(&args.run, &args.device)?;
    let folder = run.folder.clone();
    let Trained { recipe, model, about, data } = run.with_data()?;
    let model = match model {
        Net::Autoencoder(model) => *model,
        Net::Classifier(model) => {
            let trained = Trained { recipe, model: *model, about, data };
            let old: LabelSummary = read_json(&folder.summary())?;
            let summary = LabelSummary {
                curve: old.curve,
                ..labels::summarize(&trained, old.epochs, old.device, old.seconds)?
            };
            report::write_classifier(&folder, &trained, &summary)?;
            println!("report: {}", folder.report().display());
            return Ok(());
        }
    };
    let trained = Trained { recipe, model, about, data };
    let old: Summary = read_json(&folder.summary())?;
    let (mut summary, pca) = summarize(&trained, &old.epochs, &device, name, old.seconds)?;
    // What the page says of time and device is about training.
    summary.device = old.device;
    summary.layers = old.layers;
    report::write(&folder, &trained, &summary, &pca, &device)?;
    println!("report: {}", folder.report().display());
    Ok(())
}

pub fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T> {
    let text = std::fs::read_to_string(path).map_err(Error::io(path))?;
    serde_json::from_str(&text)
        .map_err(|error| Error::usage(format!("{}: {error}", path.display())))
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
    let batch = run.recipe.schedule().batch;
    let mut rows = Vec::with_capacity(wanted);
    for start in (0..wanted).step_by(batch) {
        let indices: Vec<usize> = (start..wanted.min(start + batch)).collect();
        rows.extend(pictures::samples(map(data.select(&indices)?)));
    }
    Ok(rows)
}
