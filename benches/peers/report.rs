//! The tables, in Markdown, and whether each point is where it is wanted.

use autoencoders::train::Precision;

use crate::options::{GRAPHS, Options, PEERS, PYTORCH, name};
use crate::ours::ROWS;
use crate::point::{Point, Side};
use crate::quiet::IDLE;
use crate::spread::Spread;

/// Dense nets on a CPU: times the best mode of PyTorch and times JAX, or else the share of the ceiling.
const DENSE_OVER_PYTORCH: f64 = 1.2;
const DENSE_OVER_JAX: f64 = 1.0;
const DENSE_OF_CEILING: f64 = 0.85;
/// Convolutional ones: times the best of all.
const CONVOLUTIONAL_OVER_BEST: f64 = 1.5;
/// On a GPU: times PyTorch without compiling, and with it at large batches.
const GPU_OVER_PYTORCH: f64 = 1.0;
const LARGE: usize = 1024;

const MEBIBYTE: f64 = 1048576.0;
const NONE: &str = "-";

pub fn report(points: &[Point], options: &Options) -> String {
    let parts = [
        introduction(points, options),
        products(points, options),
        speed(points, options),
        ratios(points, options),
        memory(points, options),
        absent(points),
    ];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n")
}

fn introduction(points: &[Point], options: &Options) -> String {
    let sides = points.iter().flat_map(|point| &point.sides);
    let mut versions: Vec<&str> = sides.map(|side| &*side.ready.version).collect();
    versions.sort_unstable();
    versions.dedup();
    let mut text = format!(
        "A training step (a batch of {ROWS} resident rows, noise, loss, gradient, Adam; {}) of the same \
         net on each side, {} turns of {} s each in rotation, on the {}: {}.{}",
        match options.precision {
            Precision::Full => "f32".to_owned(),
            half => format!("layers in {}, PyTorch's with autocast", name(half)),
        },
        options.rounds,
        options.seconds,
        options.processor,
        versions.join(", "),
        match options.is_limited {
            true => format!(" All sides are limited to {}.", options.isa),
            false => String::new(),
        },
    );
    let idle: Vec<f64> = points.iter().flat_map(|point| point.idle.iter().copied()).collect();
    if !idle.is_empty() {
        let idle = idle.iter().sum::<f64>() / idle.len() as f64;
        text += &format!(" Between turns the machine was idle to {:.0} %.", 100.0 * idle);
        if idle < IDLE {
            text += " **Others were at work on it: these numbers are worth nothing.**";
        }
    }
    text + "\n"
}

/// What the ceiling was over the whole run.
fn products(points: &[Point], options: &Options) -> String {
    let side_of_matrices = options.product;
    let mut text = String::new();
    let sides = points.first().map_or(&[][..], |point| &point.products);
    for (index, (side, _)) in sides.iter().enumerate() {
        let rates = points.iter().flat_map(|point| &point.products[index].1);
        let Spread { median, least, greatest } = Spread::of(rates.map(|rate| rate / 1e9));
        let owner = match *side {
            "ours" => "Our",
            "eager" => "PyTorch's",
            _ => "JAX's",
        };
        text += &format!(
            "- {owner} product of matrices of {side_of_matrices}x{side_of_matrices}: {median:.0} GFLOP/s \
             ({least:.0}..{greatest:.0}).\n"
        );
    }
    text
}

fn speed(points: &[Point], options: &Options) -> String {
    let mut text = format!(
        "Samples per second (medians). A ratio is that of two turns of one round: the median, the least \
         and the greatest of all rounds. GFLOP/s count the products of a step only, the ceiling is the \
         quickest of the square products, measured in the same rounds. {}\n\n\
         | net | batch | ours | {} | ours / best PyTorch | ours / JAX | GFLOP/s | of ceiling | target |\n\
         |---|--:|--:|{}--:|--:|--:|--:|---|\n",
        match options.is_on_gpu() {
            false => format!(
                "The target: dense nets {DENSE_OVER_PYTORCH} times the best mode of PyTorch and \
                 {DENSE_OVER_JAX} times JAX, or {:.0} % of the ceiling; convolutional ones \
                 {CONVOLUTIONAL_OVER_BEST} times the best of all.",
                100.0 * DENSE_OF_CEILING
            ),
            true => format!(
                "The target: {GPU_OVER_PYTORCH} times PyTorch without compiling, and from batches of \
                 {LARGE} on that where it compiles."
            ),
        },
        titles(options),
        "--:|".repeat(sides(options).len()),
    );
    let mut verdicts = Vec::new();
    for point in points {
        let rates = cells(point, options, |side| format!("{:.0}", rate(side)));
        let over = |side: Option<&Side>| {
            side.map_or(NONE.to_owned(), |side| over(point, side).to_string())
        };
        let share = share_of_ceiling(point);
        let verdict = match options.is_on_gpu() {
            true => is_fast_enough_on_gpu(point),
            false => is_fast_enough(point),
        };
        text += &format!(
            "| {} | {} | {:.0} | {} | {} | {} | {:.0} | {} | {} |\n",
            point.case.name,
            point.batch,
            rate(point.ours()),
            rates,
            over(best(point, &PYTORCH)),
            over(point.side("jax")),
            rate(point.ours()) * point.case.operations() / 1e9,
            share.map_or(NONE.to_owned(), |share| format!("{:.0} %", 100.0 * share)),
            word(verdict),
        );
        verdicts.extend(verdict);
    }
    text + &summary("speed", &verdicts)
}

fn ratios(points: &[Point], options: &Options) -> String {
    let mut text = format!(
        "Ours over each side:\n\n| net | batch | {} |\n|---|--:|{}\n",
        titles(options),
        "--:|".repeat(sides(options).len()),
    );
    for point in points {
        let ratios = cells(point, options, |side| over(point, side).to_string());
        text += &format!("| {} | {} | {ratios} |\n", point.case.name, point.batch);
    }
    text
}

fn memory(points: &[Point], options: &Options) -> String {
    let with_targets = !options.is_on_gpu();
    let mut text = format!(
        "The most memory a process had at once, in MiB; in brackets what came on top of its \
                    libraries and the data (where PyTorch compiles, the compiler too). The target: no \
                    more than PyTorch's least, both ways.\n\n\
                    | net | batch | ours | {} | target |\n|---|--:|--:|{}---|\n",
        titles(options),
        "--:|".repeat(sides(options).len()),
    );
    let mut verdicts = Vec::new();
    for point in points {
        let cell = |side: &Side| {
            let [peak, added] = memory_of(side).map(|bytes| bytes / MEBIBYTE);
            format!("{peak:.0} ({added:.0})")
        };
        let peers = cells(point, options, cell);
        let pytorch = PYTORCH.iter().filter_map(|name| point.side(name)).map(memory_of);
        let least = pytorch.reduce(|left, right| [0, 1].map(|way| left[way].min(right[way])));
        let ours = memory_of(point.ours());
        let verdict = least.map(|least| ours[0] <= least[0] && ours[1] <= least[1]);
        let verdict = verdict.filter(|_| with_targets);
        text += &format!(
            "| {} | {} | {} | {} | {} |\n",
            point.case.name,
            point.batch,
            cell(point.ours()),
            peers,
            word(verdict)
        );
        verdicts.extend(verdict);
    }
    text + &summary("memory", &verdicts)
}

/// The columns of the other sides.
fn sides(options: &Options) -> Vec<&'static str> {
    PEERS.into_iter().filter(|side| options.is_on_gpu() || *side != GRAPHS).collect()
}

fn titles(options: &Options) -> String {
    sides(options).join(" | ").replace("jax", "JAX")
}

fn cells(point: &Point, options: &Options, cell: impl Fn(&Side) -> String) -> String {
    let cells = sides(options).into_iter().map(|name| match point.side(name) {
        Some(side) => cell(side),
        None => NONE.to_owned(),
    });
    cells.collect::<Vec<_>>().join(" | ")
}

/// Each reason once.
fn absent(points: &[Point]) -> String {
    let mut lines = Vec::new();
    for (side, reason) in points.iter().flat_map(|point| &point.absent) {
        let line = format!("- {side} was left out where it did not run: {reason}\n");
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines.concat()
}

fn rate(side: &Side) -> f64 {
    Spread::of(side.samples_per_second.iter().copied()).median
}

fn over(point: &Point, side: &Side) -> Spread {
    Spread::of_ratios(&point.ours().samples_per_second, &side.samples_per_second)
}

fn best<'a>(point: &'a Point, names: &[&str]) -> Option<&'a Side> {
    let sides = names.iter().filter_map(|name| point.side(name));
    sides.max_by(|left, right| rate(left).total_cmp(&rate(right)))
}

fn share_of_ceiling(point: &Point) -> Option<f64> {
    let products = point.products.iter().map(|(_, rates)| Spread::of(rates.iter().copied()).median);
    let ceiling = products.reduce(f64::max)?;
    Some(rate(point.ours()) * point.case.operations() / ceiling)
}

fn is_fast_enough(point: &Point) -> Option<bool> {
    if point.case.is_convolutional() {
        let best = best(point, &PEERS)?;
        return Some(over(point, best).median >= CONVOLUTIONAL_OVER_BEST);
    }
    let beats = |side: Option<&Side>, times| side.map(|side| over(point, side).median >= times);
    let pytorch = beats(best(point, &PYTORCH), DENSE_OVER_PYTORCH);
    let jax = beats(point.side("jax"), DENSE_OVER_JAX);
    // Our own product alone is no measure of the machine.
    let is_ceiling_known = point.products.len() > 1;
    let share = share_of_ceiling(point).filter(|_| is_ceiling_known);
    let ceiling = share.map(|share| share >= DENSE_OF_CEILING);
    match (pytorch, jax, ceiling) {
        (Some(true), Some(true), _) | (_, _, Some(true)) => Some(true),
        (Some(false), _, _) | (_, Some(false), _) => Some(false),
        // Against a peer that is absent nothing is won.
        _ => None,
    }
}

fn is_fast_enough_on_gpu(point: &Point) -> Option<bool> {
    let beats = |side: Option<&Side>| side.map(|side| over(point, side).median >= GPU_OVER_PYTORCH);
    let uncompiled = beats(best(point, &["eager", "fused"]))?;
    match point.batch {
        LARGE.. => Some(uncompiled && beats(point.side("compile"))?),
        _ => Some(uncompiled),
    }
}

/// In all, and what came on top of what was there before the net.
fn memory_of(side: &Side) -> [f64; 2] {
    let added = side.peak_bytes.saturating_sub(side.ready.bytes_before);
    [side.peak_bytes, added].map(|bytes| bytes as f64)
}

fn word(verdict: Option<bool>) -> &'static str {
    match verdict {
        Some(true) => "met",
        Some(false) => "missed",
        None => NONE,
    }
}

fn summary(of: &str, verdicts: &[bool]) -> String {
    match verdicts.len() {
        0 => String::new(),
        all => {
            let met = verdicts.iter().filter(|verdict| **verdict).count();
            format!("\nThe target of {of} is met at {met} of {all} points.\n")
        }
    }
}
