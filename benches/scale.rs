//! How costs grow: that of a step with the batch, the width and the depth of a model, and that of an epoch
//! with the rows of the data set.
//!
//!     cargo bench --bench scale                       # writes benches/results/scale.md and its charts
//!     cargo bench --bench scale -- --quick            # a trial: fewer slices, writes nothing
//!
//! All points of a series take turns for several slices of training; a point is the median of its
//! slices. A slice is the second of two epochs of `fit`, so that what happens once is not in it.

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use autoencoders::burn::tensor::Device;
use autoencoders::data::{Samples, digits};
use autoencoders::models::{Architecture, ConvConfig, DenseConfig};
use autoencoders::train::{Data, Objective, Reconstruction, Schedule, Training};
use charts::Line;
use statistics::{line, median};

mod charts;
mod record;
mod statistics;

#[global_allocator]
static ALLOCATOR: ae_kernels::allocator::MiMalloc = ae_kernels::allocator::MiMalloc;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// A training whose cost is a point of a series.
struct Point {
    x: usize,
    architecture: Architecture,
    batch: usize,
    rows: usize,
}

/// What grows, and what its cost is the cost of.
struct Series {
    name: &'static str,
    what: &'static str,
    unit: &'static str,
    lines: Vec<(&'static str, Vec<Point>)>,
}

/// What a point has measured: `x`, and milliseconds.
type Measured = Vec<(f64, f64)>;

fn dense(widths: impl Into<Vec<usize>>) -> Architecture {
    Architecture::Dense(DenseConfig::new(widths))
}

/// Rows of a slice: enough steps for a clock, few enough for all slices to take turns.
fn rows(batch: usize) -> usize {
    (batch * 8).max(1024)
}

fn series(most_rows: usize) -> Vec<Series> {
    let doubled = |from: usize, to: usize| {
        std::iter::successors(Some(from), move |x| Some(2 * x).filter(|x| *x <= to))
    };
    let batches = |architecture: Architecture| -> Vec<Point> {
        let point = |x| Point { x, architecture: architecture.clone(), batch: x, rows: rows(x) };
        doubled(16, 1024).map(point).collect()
    };
    let widths =
        |width| Point { x: width, architecture: dense([784, width]), batch: 128, rows: rows(128) };
    let depths = |depth| Point {
        x: depth,
        architecture: dense([vec![784], vec![256; depth]].concat()),
        batch: 128,
        rows: rows(128),
    };
    let sizes = |rows| Point { x: rows, architecture: dense([784, 64]), batch: 128, rows };
    vec![
        Series {
            name: "batch",
            what: "samples in a batch",
            unit: "a step",
            lines: vec![
                ("dense 784-256-32", batches(dense([784, 256, 32]))),
                (
                    "conv 1x28x28, channels 32-64, code 32",
                    batches(Architecture::Conv(ConvConfig::new([1, 28, 28], 32))),
                ),
            ],
        },
        Series {
            name: "width",
            what: "units of the hidden layer",
            unit: "a step",
            lines: vec![("dense 784-width, batch 128", doubled(64, 2048).map(widths).collect())],
        },
        Series {
            name: "depth",
            what: "layers of the encoder",
            unit: "a step",
            lines: vec![("dense 784-256-...-256, batch 128", (1..=8).map(depths).collect())],
        },
        Series {
            name: "rows",
            what: "rows of the data set",
            unit: "an epoch",
            lines: vec![(
                "dense 784-64, batch 128",
                doubled(1 << 10, most_rows).map(sizes).collect(),
            )],
        },
    ]
}

/// Milliseconds of a step, or of the whole epoch.
fn slice(point: &Point, of_epoch: bool, digits: &Samples) -> Result<f64> {
    let model = point.architecture.init(0, &Device::flex())?;
    let data = Data { training: Arc::new(digits.take(point.rows)), validation: None };
    let schedule = Schedule { epochs: 2, batch: point.batch, ..Schedule::default() };
    let objective = Objective::new(Reconstruction::CrossEntropy);
    let fitted = Training::new(model, &objective).schedule(&schedule).fit(&data)?;
    let milliseconds = 1000.0 * fitted.epochs[1].seconds;
    let steps = (point.rows / point.batch) as f64;
    Ok(if of_epoch { milliseconds } else { milliseconds / steps })
}

fn measure(series: &Series, slices: usize, digits: &Samples) -> Result<Vec<Measured>> {
    let points: Vec<&Point> = series.lines.iter().flat_map(|(_, points)| points).collect();
    let mut taken = vec![Vec::new(); points.len()];
    for _ in 0..slices {
        for (point, taken) in points.iter().zip(&mut taken) {
            taken.push(slice(point, series.unit == "an epoch", digits)?);
        }
    }
    let mut medians =
        points.iter().zip(taken).map(|(point, taken)| (point.x as f64, median(&taken)));
    Ok(series
        .lines
        .iter()
        .map(|(_, points)| medians.by_ref().take(points.len()).collect())
        .collect())
}

/// The exponent of a power law through the points.
fn exponent(points: &[(f64, f64)]) -> f64 {
    let logs: Vec<(f64, f64)> = points.iter().map(|(x, y)| (x.ln(), y.ln())).collect();
    line(&logs, |_| 1.0)[1]
}

fn describe(series: &Series, measured: &[Measured], results: Option<&Path>) -> Result<String> {
    let mut text = format!("### {}\n\n| {} |", series.name, series.what);
    let mut rule = "\n|---|".to_owned();
    for (name, _) in &series.lines {
        write!(text, " {name}: ms {} |", series.unit)?;
        rule += "---|";
    }
    text += &rule;
    for (index, (x, _)) in measured[0].iter().enumerate() {
        write!(text, "\n| {x} |")?;
        for points in measured {
            write!(text, " {:.3} |", points[index].1)?;
        }
    }
    text += "\n\n";
    let mut lines = Vec::new();
    for ((name, _), points) in series.lines.iter().zip(measured) {
        // Relative errors count, else the largest point alone would decide.
        let [a, b] = line(points, |y| 1.0 / (y * y));
        let at = |x: f64| a + b * x;
        let off = |(x, y): &(f64, f64)| (at(*x) / y - 1.0).abs();
        let worst = points.iter().map(off).fold(0.0, f64::max);
        writeln!(
            text,
            "- {name}: exponent {:.2} over all, {:.2} over the upper half; {a:.3} ms + {:.3} us for each \
             of the {}, off by {:.0} % at most",
            exponent(points),
            exponent(&points[points.len() / 2..]),
            1000.0 * b,
            series.what,
            100.0 * worst
        )?;
        let xs = points.windows(2).flat_map(|pair| {
            (0..8).map(move |part| pair[0].0 * (pair[1].0 / pair[0].0).powf(f64::from(part) / 8.0))
        });
        let fit = xs.chain(points.last().map(|last| last.0)).map(|x| (x, at(x)));
        let fit = fit.filter(|(_, y)| *y > 0.0).collect();
        lines.push(Line { name: (*name).to_owned(), points: points.clone(), fit });
    }
    if let Some(results) = results {
        let file = format!("scale-{}.svg", series.name);
        let axes = [series.what, &format!("ms {}", series.unit)];
        charts::write(&results.join(&file), axes, &lines, series.name != "depth")?;
        write!(
            text,
            "\n![Cost over {}: points measured, lines a + b x](results/{file})\n",
            series.what
        )?;
    }
    Ok(text + "\n")
}

fn main() -> Result<()> {
    ae_kernels::allocator::keep_freed_memory();
    let is_quick = std::env::args().any(|argument| argument == "--quick");
    let (slices, most_rows) = if is_quick { (2, 1 << 13) } else { (5, 1 << 16) };
    let results = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/results");
    std::fs::create_dir_all(&results)?;
    let digits = digits::generate(most_rows, 0);
    let mut body = format!(
        "Milliseconds on the CPU (flex), cross-entropy, Adam, float32: the median of {slices} slices of \
         each point, all points of a table in turn. The linear model has the least sum of squared \
         relative errors.\n\n"
    );
    for series in series(most_rows) {
        let measured = measure(&series, slices, &digits)?;
        let text = describe(&series, &measured, (!is_quick).then_some(&*results))?;
        print!("{text}");
        body += &text;
    }
    if !is_quick {
        record::record("scale", "How costs grow", &body)?;
    }
    Ok(())
}
