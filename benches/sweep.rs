//! How the runs of a sweep should share the processor: one after another on all cores, or several at a
//! time on one core each, as processes or as threads.
//!
//!     cargo bench --bench sweep                       # writes benches/results/sweep.md
//!     cargo bench --bench sweep -- --quick            # a trial: one round, writes nothing
//!
//! Every way trains the same models (seeds 0 to 3); the ways take turns, and what is given is the median
//! of whole wall times, each in ratio to one after another. Nothing is generated twice within a run.

use std::num::NonZero;
use std::process::Command;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Instant;

use autoencoders::burn::tensor::Device;
use autoencoders::data::{Samples, digits};
use autoencoders::models::{Architecture, ConvConfig, DenseConfig};
use autoencoders::train::{Data, Objective, Reconstruction, Schedule, Training};
use children::{child, task};
use rayon::ThreadPoolBuilder;
use statistics::median;

mod children;
mod record;
mod statistics;

#[global_allocator]
static ALLOCATOR: ae_kernels::allocator::MiMalloc = ae_kernels::allocator::MiMalloc;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Runs of a sweep.
const RUNS: usize = 4;

/// How the runs share the processor.
#[derive(Clone, Copy)]
enum Way {
    /// One after another in one process, on all cores.
    Serial,
    /// As many processes at a time as there are cores, each with threads for all.
    CrowdedProcesses,
    /// As many processes at a time as there are cores, each with a thread.
    Processes,
    /// As many threads at a time as there are cores, each with a pool of its own of a thread.
    Threads,
}

const WAYS: [(Way, &str); 4] = [
    (Way::Serial, "one after another"),
    (Way::CrowdedProcesses, "processes with all threads"),
    (Way::Processes, "processes with one thread"),
    (Way::Threads, "threads with pools of one"),
];

/// Models, and rows of an epoch that takes them about a second.
fn models() -> [(&'static str, Architecture, usize); 3] {
    [
        ("dense 784-64-8", Architecture::Dense(DenseConfig::new([784, 64, 8])), 40_960),
        (
            "dense 784-1000-500-250-30",
            Architecture::Dense(DenseConfig::new([784, 1000, 500, 250, 30])),
            6_400,
        ),
        (
            "conv 1x28x28, channels 32-64, code 32",
            Architecture::Conv(ConvConfig::new([1, 28, 28], 32)),
            5_120,
        ),
    ]
}

fn train(architecture: &Architecture, rows: &Arc<Samples>, seed: usize) -> Result<()> {
    let model = architecture.init(seed as u64, &Device::flex())?;
    let schedule = Schedule { epochs: 1, seed: seed as u64, ..Schedule::default() };
    let data = Data { training: rows.clone(), validation: None };
    Training::new(model, &Objective::new(Reconstruction::CrossEntropy))
        .schedule(&schedule)
        .fit(&data)?;
    Ok(())
}

/// The runs `first`, `first + every`, ... of a sweep.
fn some_runs(model: usize, first: usize, every: usize) -> Result<()> {
    let (_, architecture, rows) = &models()[model];
    // Few digits again and again: generating them is no part of what is measured.
    let few = digits::generate(512, 0);
    let rows: Vec<usize> = (0..*rows).map(|row| row % few.len()).collect();
    let rows = Arc::new(few.subset(&rows));
    (first..RUNS).step_by(every).try_for_each(|seed| train(architecture, &rows, seed))
}

fn process(model: usize, first: usize, every: usize) -> Result<Command> {
    let numbers = [model, first, every].map(|number| number.to_string());
    child(&numbers.each_ref().map(String::as_str)).map_err(|error| error.to_string().into())
}

/// Seconds that all runs take.
fn sweep(way: Way, model: usize, cores: usize) -> Result<f64> {
    let began = Instant::now();
    match way {
        Way::Serial => {
            if !process(model, 0, 1)?.status()?.success() {
                return Err("a run failed".into());
            }
        }
        Way::CrowdedProcesses | Way::Processes => {
            let start = |first| -> Result<_> {
                let mut command = process(model, first, cores)?;
                if matches!(way, Way::Processes) {
                    command.env("RAYON_NUM_THREADS", "1");
                }
                Ok(command.spawn()?)
            };
            let children = (0..cores).map(start).collect::<Result<Vec<_>>>()?;
            for mut child in children {
                if !child.wait()?.success() {
                    return Err("a run failed".into());
                }
            }
        }
        Way::Threads => std::thread::scope(|scope| -> Result<()> {
            let start = |first| {
                scope.spawn(move || -> Result<()> {
                    let pool = ThreadPoolBuilder::new().num_threads(1).build()?;
                    pool.install(|| some_runs(model, first, cores))
                })
            };
            let threads: Vec<_> = (0..cores).map(start).collect();
            threads.into_iter().try_for_each(|thread| thread.join().map_err(|_| "a run failed")?)
        })?,
    }
    Ok(began.elapsed().as_secs_f64())
}

fn main() -> Result<()> {
    ae_kernels::allocator::keep_freed_memory();
    if let Some(task) = task() {
        let numbers: Vec<usize> =
            task.iter().map(|it| it.parse()).collect::<std::result::Result<_, _>>()?;
        let [model, first, every] = numbers[..] else {
            return Err("expected a model, the first run and a stride".into());
        };
        return some_runs(model, first, every);
    }
    let is_quick = std::env::args().any(|argument| argument == "--quick");
    let rounds = if is_quick { 1 } else { 3 };
    let cores = available_parallelism().map_or(1, NonZero::get).min(RUNS);
    let mut body = format!(
        "Seconds that {RUNS} runs of an epoch take in all on {cores} cores, and their ratio to those one \
         after another; medians of {rounds} rounds in turn. CPU (flex), batches of 128.\n\n| model |"
    );
    for (_, name) in WAYS {
        body += &format!(" {name} |");
    }
    body += "\n|---|---|---|---|---|\n";
    print!("{body}");
    for (model, (name, ..)) in models().iter().enumerate() {
        let mut seconds = vec![Vec::new(); WAYS.len()];
        for _ in 0..rounds {
            for ((way, _), seconds) in WAYS.iter().zip(&mut seconds) {
                seconds.push(sweep(*way, model, cores)?);
            }
        }
        let medians: Vec<f64> = seconds.iter().map(|seconds| median(seconds)).collect();
        let cells = medians.iter().map(|it| format!(" {it:.2} ({:.2}) |", it / medians[0]));
        let row = format!("| {name} |{}\n", cells.collect::<String>());
        print!("{row}");
        body += &row;
    }
    if !is_quick {
        record::record("sweep", "Runs of a sweep", &body)?;
    }
    Ok(())
}
