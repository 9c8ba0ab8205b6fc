//! Does a long training keep its memory? 40,000 steps of a small dense and of a small convolutional model
//! on every back end that is built, with validation; the resident memory is looked at twenty times.
//!
//!     cargo bench --bench endurance                     # half a minute; benches/results/endurance-flex.md
//!     cargo bench --bench endurance -- --quick          # a trial: a tenth of the steps, writes nothing
//!     cargo bench --bench endurance --features ndarray -- --backend ndarray
//!     AE_REQUIRE=wgpu cargo bench --bench endurance --features gpu -- --backend wgpu
//!                                                       # on a software driver, too; there --steps 20000 is
//!                                                       # 40 minutes' work for a core
//!
//! A line is fitted to the second half: the first is for the allocator, which takes some ten thousand
//! steps until it has met every mixture of buffers that are free at once (then nothing changes: tried to
//! 200,000). Where the line grows by [`MOST`] MiB or more, the allocator may have taken one
//! more segment of 2 MiB late: a run of four times the steps has to stay below the same bound over its
//! second half.

use std::sync::Arc;

use autoencoders::data::digits;
use autoencoders::models::{Architecture, ConvConfig, DenseConfig};
use autoencoders::train::{Data, Event, Flow, Objective, Reconstruction, Schedule, Training};
use children::{child, numbers, task};
use statistics::line;

mod backends;
mod children;
mod record;
mod statistics;

#[global_allocator]
static ALLOCATOR: ae_kernels::allocator::MiMalloc = ae_kernels::allocator::MiMalloc;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Growth that is none, in MiB, however many steps.
const MOST: f64 = 1.0;

/// Times that the memory is looked at.
const LOOKS: usize = 20;

const BATCH: usize = 16;

/// Many: `fit` keeps a report of some 1200 bytes of each epoch, which is not what is looked for.
const STEPS_PER_EPOCH: usize = 200;

fn models() -> [(&'static str, Architecture); 2] {
    let conv = ConvConfig { channels: vec![4, 8], ..ConvConfig::new([1, 28, 28], 8) };
    [
        ("dense 784-64-8", Architecture::Dense(DenseConfig::new([784, 64, 8]))),
        ("conv 1x28x28, channels 4-8, code 8", Architecture::Conv(conv)),
    ]
}

/// Prints the resident memory in MiB at each look.
fn train(backend: &str, model: &str, steps: &str) -> Result<()> {
    let known = backends::all(&backends::required()).into_iter().find(|(name, _)| *name == backend);
    let (_, device) = known.ok_or("expected the name of a back end")?;
    let device = device?;
    let (_, architecture) = &models()[model.parse::<usize>()?];
    let model = architecture.init(0, &device)?;
    let steps: usize = steps.parse()?;
    let epochs = steps / STEPS_PER_EPOCH;
    let schedule = Schedule { epochs, batch: BATCH, ..Schedule::default() };
    let rows = |count, seed| Arc::new(digits::generate(count, seed));
    let data =
        Data { training: rows(STEPS_PER_EPOCH * BATCH, 0), validation: Some(rows(4 * BATCH, 1)) };
    let mut looks = Vec::with_capacity(LOOKS);
    let mut look = |event: &Event<'_>| {
        if let Event::Step { done, .. } = event
            && done.is_multiple_of((steps / LOOKS) as u64)
        {
            looks.push(record::resident_memory());
        }
        Flow::Continue
    };
    Training::new(model, &Objective::new(Reconstruction::CrossEntropy))
        .schedule(&schedule)
        .observe(&mut look)
        .fit(&data)?;
    for look in looks {
        let bytes = look.ok_or("expected a system that tells the memory of a process")?;
        print!("{} ", bytes as f64 / f64::from(1 << 20));
    }
    Ok(())
}

fn main() -> Result<()> {
    ae_kernels::allocator::keep_freed_memory();
    if let Some(task) = task() {
        let [backend, model, steps] = &task[..] else {
            return Err("expected a back end, a model and steps".into());
        };
        return train(backend, model, steps);
    }
    let mut is_quick = false;
    let (mut only, mut steps) = (None, None);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument}: expected a value"));
        match &*argument {
            "--quick" => is_quick = true,
            "--backend" => only = Some(value()?),
            "--steps" => steps = Some(value()?.parse()?),
            // Cargo says so to every benchmark.
            "--bench" => {}
            _ => {
                let known = "--quick, --backend or --steps";
                return Err(format!("expected {known}, got {argument}").into());
            }
        }
    }
    let steps: usize = steps.unwrap_or(if is_quick { 4_000 } else { 40_000 });
    if steps == 0 || !steps.is_multiple_of(LOOKS * STEPS_PER_EPOCH) {
        let unit = LOOKS * STEPS_PER_EPOCH;
        return Err(format!("--steps: expected a multiple of {unit}, got {steps}").into());
    }
    let all: Vec<_> = backends::present().into_iter().map(|(backend, _)| backend).collect();
    if let Some(only) = &only
        && !all.contains(&&**only)
    {
        return Err(format!("--backend: expected one of {all:?}, got {only}").into());
    }
    let mut all_keep = true;
    for backend in
        all.into_iter().filter(|backend| only.as_ref().is_none_or(|only| only == backend))
    {
        let (table, keeps) = measure(backend, steps)?;
        if !is_quick {
            let title = format!("Memory over a long training, {backend}");
            record::record(&format!("endurance-{backend}"), &title, &table)?;
        }
        all_keep &= keeps;
    }
    if all_keep || is_quick { Ok(()) } else { Err("expected no growth of memory".into()) }
}

/// Of all models: the table, and whether none grows.
fn measure(backend: &str, steps: usize) -> Result<(String, bool)> {
    let mut body = format!(
        "Batches of {BATCH} samples, validated every {STEPS_PER_EPOCH} steps; resident memory of the process \
         in MiB. Growth is the slope over the second half, times its steps; where it is {MOST} MiB or more, a \
         run of four times the steps says whether it goes on.\n\n\
         | model | steps | after a twentieth | halfway | in the end | growth | verdict |\n\
         |---|---|---|---|---|---|---|\n",
    );
    print!("{backend}: {body}");
    let looks = |index: usize, steps: usize| {
        let child = child(&[backend, &index.to_string(), &steps.to_string()]);
        child.and_then(numbers)
    };
    let mut all_keep = true;
    for (index, (name, _)) in models().iter().enumerate() {
        let mut row = |looks: &[f64], steps: usize, otherwise| {
            let points: Vec<(f64, f64)> =
                looks.iter().enumerate().map(|(at, look)| (at as f64, *look)).collect();
            let per_look = line(&points[LOOKS / 2..], |_| 1.0)[1];
            let growth = per_look * (LOOKS / 2) as f64;
            let keeps = growth < MOST;
            let row = format!(
                "| {name} | {steps} | {:.2} | {:.2} | {:.2} | {growth:+.2} | {} |\n",
                looks[0],
                looks[LOOKS / 2],
                looks[LOOKS - 1],
                if keeps { "no growth" } else { otherwise },
            );
            print!("{row}");
            body += &row;
            keeps
        };
        if !row(&looks(index, steps)?, steps, "to be seen") {
            all_keep &= row(&looks(index, 4 * steps)?, 4 * steps, "grows");
        }
    }
    Ok((body, all_keep))
}
