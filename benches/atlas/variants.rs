//! How long each pass of a layer takes, by how its kernel is launched.

use std::panic::{AssertUnwindSafe, catch_unwind};

use ae_kernels::atlas::{Clock, Request, Stopwatch, Variant, Work, choices, with_variant};
use ae_kernels::launches;
use autoencoders::burn::tensor::{Device, Tensor};

use crate::checks::Kernel;
use crate::jobs::{Job, batches, jobs};
use crate::options::Options;
use crate::sheet::{Sheet, title};
use crate::{Result, statistics};

/// The share of what is left of the time that this section may take.
const SHARE: f64 = 0.6;

/// A time is of so many launches that they last as long, and of this many at most: no more than are submitted at once.
const SECONDS: f64 = 4e-3;
const MOST: usize = 16;

/// Rounds of which the median counts.
const ROUNDS: usize = 5;

/// One that takes this many times as long as the best is not timed again.
const HOPELESS: f64 = 2.5;

/// The largest difference from what the chosen variant gives, as a share of the largest value: the order of a sum of
/// two hundred thousand numbers makes a tenth of it. A wrong tile is off by about 1.
const TOLERANCE: f32 = 1e-4;

/// Variants around each of the best of the coarse grid; variants of which each is timed at the other batches.
const BEST: usize = 2;
const AGAIN: usize = 4;

const COLUMNS: [&str; 27] = [
    "layer",
    "pass",
    "batch",
    "kind",
    "rows",
    "columns",
    "sum",
    "layers",
    "tile_rows",
    "tile_columns",
    "depth",
    "m",
    "n",
    "groups",
    "splits",
    "units",
    "workgroups",
    "chosen",
    "clock",
    "launches",
    "rounds",
    "microseconds",
    "least",
    "greatest",
    "gflops",
    "gb_per_s",
    "state",
];

/// A variant of a request and its time.
#[derive(Clone, Copy)]
pub struct Timed {
    pub request: Request,
    pub variant: Variant,
    pub seconds: f64,
    /// Whether it is what training does now.
    pub is_chosen: bool,
}

struct Times {
    clock: Clock,
    launches: usize,
    seconds: Vec<f64>,
}

struct Bench<'a> {
    device: &'a Device,
    stopwatch: Stopwatch,
    options: &'a Options,
    sheet: Sheet,
    timed: Vec<Timed>,
}

/// All that was timed.
pub fn section(device: &Device, options: &Options, failed: &[Kernel]) -> Result<Vec<Timed>> {
    title("variants", options);
    let deadline = options.deadline.share(SHARE);
    let stopwatch = Stopwatch::new(device).ok_or("a GPU keeps time")?;
    let sheet = Sheet::new(options, "variants", &COLUMNS)?;
    let mut bench = Bench { device, stopwatch, options, sheet, timed: Vec::new() };
    let jobs = jobs(options.is_toy);
    let count = jobs.len();
    for (done, job) in jobs.into_iter().enumerate() {
        if deadline.is_over() {
            println!("stopped in time: {} of {count} passes were not timed", count - done);
            break;
        }
        if failed.contains(&job.kernel()) {
            println!("{} {}: left out, its kernel failed", job.name, job.pass());
            continue;
        }
        bench.passes(&job)?;
    }
    Ok(bench.timed)
}

impl Bench<'_> {
    /// A coarse grid and what is around its best at one batch, the best of these at the others.
    fn passes(&mut self, job: &Job) -> Result<()> {
        let (first, others) = batches(self.options.is_toy);
        let (work, request, chosen, reference) = self.prepare(job, first)?;
        let mut tried: Vec<(Variant, f64)> = Vec::new();
        let coarse = [vec![chosen], request.variants()].concat();
        let coarse = &coarse[..coarse.len().min(self.options.few(usize::MAX, 3))];
        self.try_all(job, first, &work, &request, chosen, coarse, Some(&reference), &mut tried)?;
        for (variant, _) in best(&tried, self.options.few(BEST, 1)) {
            let around = variant.around(&request);
            let around = &around[..around.len().min(self.options.few(usize::MAX, 2))];
            self.try_all(
                job,
                first,
                &work,
                &request,
                chosen,
                around,
                Some(&reference),
                &mut tried,
            )?;
        }
        report(job, first, chosen, &tried);
        drop((work, reference));
        for batch in others {
            let (work, request, chosen, _) = self.prepare(job, *batch)?;
            let mut again = vec![chosen];
            again.extend(
                best(&tried, self.options.few(AGAIN, 1)).iter().map(|(variant, _)| *variant),
            );
            let mut found = Vec::new();
            self.try_all(job, *batch, &work, &request, chosen, &again, None, &mut found)?;
            report(job, *batch, chosen, &found);
        }
        Ok(())
    }

    /// The work, what it launches, how training would launch it, and what it gives.
    fn prepare(&self, job: &Job, batch: usize) -> Result<(Work, Request, Variant, Tensor<1>)> {
        let work = Work::new(self.device, job.layer, job.direction, batch);
        let work = work.ok_or("variants need a GPU")?;
        let (reference, choices) = choices(|| work.results());
        match choices[..] {
            [choice] => Ok((work, choice.request, choice.variant, reference)),
            _ => Err(format!("{}: expected one contraction, got {choices:?}", job.name).into()),
        }
    }

    #[allow(clippy::too_many_arguments, reason = "what a row is made of")]
    fn try_all(
        &mut self,
        job: &Job,
        batch: usize,
        work: &Work,
        request: &Request,
        chosen: Variant,
        variants: &[Variant],
        reference: Option<&Tensor<1>>,
        tried: &mut Vec<(Variant, f64)>,
    ) -> Result<()> {
        for variant in variants {
            if tried.iter().any(|(other, _)| other == variant) {
                continue;
            }
            let least = tried.iter().map(|(_, seconds)| *seconds).fold(f64::INFINITY, f64::min);
            let run = || self.measure(work, *variant, reference, least);
            let measured = catch_unwind(AssertUnwindSafe(run))
                .unwrap_or_else(|_| Err("the driver did not take it".to_owned()));
            let is_chosen = *variant == chosen;
            let mut cells = cells(job, batch, request, variant, is_chosen);
            match measured {
                Ok(times) => {
                    let seconds = statistics::median(&times.seconds);
                    cells.extend(figures(work, &times));
                    tried.push((*variant, seconds));
                    self.timed.push(Timed {
                        request: *request,
                        variant: *variant,
                        seconds,
                        is_chosen,
                    });
                }
                Err(reason) => {
                    println!("{} {} {variant:?}: {reason}", job.name, job.pass());
                    cells.extend(vec![String::new(); COLUMNS.len() - 1 - cells.len()]);
                    cells.push(reason);
                }
            }
            self.sheet.row(&cells)?;
        }
        Ok(())
    }

    fn measure(
        &self,
        work: &Work,
        variant: Variant,
        reference: Option<&Tensor<1>>,
        least: f64,
    ) -> std::result::Result<Times, String> {
        let results =
            with_variant(variant, || work.results()).map_err(|misfit| misfit.to_string())?;
        if let Some(reference) = reference {
            let scale: f32 = reference.clone().abs().max().into_scalar();
            let off: f32 = (results - reference.clone()).abs().max().into_scalar();
            // What is not a number is not close either.
            if !matches!(off / scale.max(1.0), off if off <= TOLERANCE) {
                return Err(format!("wrong: off by {:.1e} of the largest value", off / scale));
            }
        }
        let time = |launches: usize| {
            let run = || (0..launches).for_each(|_| work.run());
            let lap = with_variant(variant, || self.stopwatch.time(run));
            lap.map_err(|misfit| misfit.to_string())?
        };
        let first = time(1)?;
        let launches = ((SECONDS / first.seconds.max(1e-9)) as usize).clamp(1, MOST);
        if first.seconds > HOPELESS * least && first.seconds > 1e-4 {
            return Ok(Times { clock: first.clock, launches: 1, seconds: vec![first.seconds] });
        }
        let laps = (0..self.options.few(ROUNDS, 2)).map(|_| time(launches));
        let seconds = laps.map(|lap| lap.map(|lap| lap.seconds / launches as f64));
        Ok(Times {
            clock: first.clock,
            launches,
            seconds: seconds.collect::<std::result::Result<_, _>>()?,
        })
    }
}

/// The fastest.
fn best(tried: &[(Variant, f64)], count: usize) -> Vec<(Variant, f64)> {
    let mut tried = tried.to_vec();
    tried.sort_by(|(_, left), (_, right)| left.total_cmp(right));
    tried.truncate(count);
    tried
}

fn cells(
    job: &Job,
    batch: usize,
    request: &Request,
    variant: &Variant,
    is_chosen: bool,
) -> Vec<String> {
    let [rows, columns, sum] = request.shape;
    let Variant { rows: tile_rows, columns: tile_columns, depth, m, n, groups, splits } = *variant;
    let mut cells = vec![job.name.to_owned(), job.pass().to_owned(), batch.to_string()];
    cells.push(format!("{:?}", request.kind));
    let numbers = [
        rows,
        columns,
        sum,
        request.layers,
        tile_rows,
        tile_columns,
        depth,
        m,
        n,
        groups,
        splits,
        variant.units(),
        variant.workgroups(request),
    ];
    cells.extend(numbers.map(|number| number.to_string()));
    cells.push(if is_chosen { "yes" } else { "no" }.to_owned());
    cells
}

/// From the clock on.
fn figures(work: &Work, times: &Times) -> Vec<String> {
    let clock = match times.clock {
        Clock::Device => "device",
        Clock::Host => "host",
    };
    let (_, seen) = launches(|| work.run());
    let total =
        |what: fn(&ae_kernels::Launched) -> usize| seen.ours.iter().map(what).sum::<usize>() as f64;
    let seconds = statistics::median(&times.seconds);
    let (least, greatest) = times
        .seconds
        .iter()
        .fold((f64::INFINITY, 0.0), |(least, most), lap| (lap.min(least), lap.max(most)));
    let mut cells =
        vec![clock.to_owned(), times.launches.to_string(), times.seconds.len().to_string()];
    cells.extend([seconds, least, greatest].map(|seconds| format!("{:.3}", 1e6 * seconds)));
    let per_second = [2.0 * total(|it| it.multiply_adds), total(|it| it.bytes)];
    cells.extend(per_second.map(|all| format!("{:.2}", all / seconds / 1e9)));
    cells.push("ok".to_owned());
    cells
}

fn report(job: &Job, batch: usize, chosen: Variant, tried: &[(Variant, f64)]) {
    let Some((fastest, seconds)) = best(tried, 1).first().copied() else { return };
    let own = tried.iter().find(|(variant, _)| *variant == chosen).map(|(_, seconds)| *seconds);
    let times = own.map_or("-".to_owned(), |own| format!("{:.2}", own / seconds));
    let Variant { rows, columns, depth, m, n, groups, splits } = fastest;
    println!(
        "{} {} {batch}: {:.1} us, [{rows}, {columns}, {depth}] [{m}, {n}] {groups} {splits}; the chosen one takes \
         {times} times that; {} variants",
        job.name,
        job.pass(),
        1e6 * seconds,
        tried.len(),
    );
}
