//! Whole training steps by `fit`, in processes of their own: how many launches wgpu gathers before it submits them is
//! read once, at the start.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Instant;

use autoencoders::burn::tensor::Device;
use autoencoders::data::{Samples, Shape};
use autoencoders::train::{Data, Decay, Event, Flow, LearningRate, Schedule, Training};
use chacha20::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use crate::case::Case;
use crate::checks::Kernel;
use crate::options::Options;
use crate::sheet::{Sheet, title};
use crate::{Result, backends, children, statistics};

const FAMILIES: [&str; 3] = ["conv", "dense-deep", "dense-tied"];

/// Launches of a submission: the default first.
const TASKS: [usize; 4] = [32, 8, 64, 128];

const BATCHES: &str = "32,128,1024,4096,8192";
const FEW_BATCHES: &str = "8,32";

/// Steps before anything is measured, and turns of which the median counts.
const WARM_STEPS: u32 = 5;
const TURNS: usize = 5;

const COLUMNS: [&str; 9] = [
    "family",
    "batch",
    "max_tasks",
    "samples_per_s",
    "least",
    "greatest",
    "steps_per_s",
    "seconds_to_first_step",
    "state",
];

pub fn section(options: &Options, failed: &[Kernel]) -> Result<()> {
    title("steps", options);
    let mut sheet = Sheet::new(options, "steps", &COLUMNS)?;
    for tasks in &TASKS[..options.few(TASKS.len(), 2)] {
        for family in FAMILIES {
            if needs(family).iter().any(|kernel| failed.contains(kernel)) {
                println!("{family}: left out, a kernel of it failed");
                continue;
            }
            if options.deadline.is_over() {
                println!(
                    "stopped in time: {family} with {tasks} launches a submission was not timed"
                );
                continue;
            }
            family_steps(family, *tasks, options, &mut sheet)?;
        }
    }
    Ok(())
}

fn needs(family: &str) -> &'static [Kernel] {
    match family {
        "conv" => &[Kernel::Convolution, Kernel::Transposed, Kernel::SquaredError, Kernel::Adam],
        "dense-deep" => &[Kernel::Linear, Kernel::SquaredError, Kernel::Adam],
        _ => &[Kernel::Linear, Kernel::CrossEntropy, Kernel::Adam],
    }
}

fn family_steps(family: &str, tasks: usize, options: &Options, sheet: &mut Sheet) -> Result<()> {
    let (batches, rows, seconds) = match options.is_toy {
        true => (FEW_BATCHES, "64", "0.05"),
        false => (BATCHES, "8192", "0.15"),
    };
    let required = if options.is_toy { "wgpu" } else { "" };
    let mut command = children::child(&["steps", family, batches, rows, seconds])?;
    command.env("CUBECL_WGPU_MAX_TASKS", tasks.to_string()).env("AE_REQUIRE", required);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let ended = follow(&mut child, options, |line| {
        println!("{family} {tasks} launches a submission: {line}");
        let cells: Vec<&str> = line.split_whitespace().collect();
        let [batch, rate, least, greatest, steps, first] = cells[..] else {
            return Err(format!("{family}: expected six numbers, got `{line}`").into());
        };
        let tasks = tasks.to_string();
        let row = [family, batch, &tasks, rate, least, greatest, steps, first, "ok"];
        sheet.row(&row.map(str::to_owned))
    })?;
    let state = match ended {
        Ended::Well => return Ok(()),
        Ended::Late => "stopped in time",
        Ended::Badly => "failed",
    };
    println!("{family} with {tasks} launches a submission: {state}");
    let mut row = vec![family.to_owned(), String::new(), tasks.to_string()];
    row.extend(vec![String::new(); COLUMNS.len() - 4]);
    row.push(state.to_owned());
    sheet.row(&row)
}

enum Ended {
    Well,
    Badly,
    /// It was stopped.
    Late,
}

/// Takes each line of a process as it comes, until the process or the time ends.
fn follow(
    child: &mut Child,
    options: &Options,
    mut take: impl FnMut(&str) -> Result<()>,
) -> Result<Ended> {
    let output = child.stdout.take().ok_or("a pipe")?;
    let (sender, lines) = channel();
    let reader = std::thread::spawn(move || {
        BufReader::new(output).lines().map_while(std::io::Result::ok).for_each(|line| {
            let _ = sender.send(line);
        });
    });
    let mut is_late = false;
    loop {
        match lines.recv_timeout(options.deadline.left()) {
            Ok(line) => take(&line)?,
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                is_late = true;
                child.kill()?;
                break;
            }
        }
    }
    let status = child.wait()?;
    let _ = reader.join();
    Ok(match (is_late, status.success()) {
        (true, _) => Ended::Late,
        (false, true) => Ended::Well,
        (false, false) => Ended::Badly,
    })
}

/// A line for each batch: the batch, samples per second (median, least, greatest), steps per second, seconds from the
/// call of `fit` to the end of its first step.
pub fn child(task: &[String]) -> Result<()> {
    let [name, family, batches, rows, seconds] = task else {
        return Err(
            format!("--child: expected a family, batches, rows and seconds, got {task:?}").into()
        );
    };
    if name != "steps" {
        return Err(format!("--child: expected steps, got {name}").into());
    }
    let (case, rows, seconds) = (Case::named(family)?, rows.parse()?, seconds.parse()?);
    let device = backends::gpu()?;
    let samples = Arc::new(random_rows(&case, rows)?);
    for batch in batches.split(',') {
        let batch: usize = batch.parse()?;
        let (rates, first) = rates(&case, &samples, batch, seconds, &device)?;
        let extreme =
            |of: fn(f64, f64) -> f64| rates.iter().copied().reduce(of).unwrap_or(f64::NAN);
        let [median, least, greatest] =
            [statistics::median(&rates), extreme(f64::min), extreme(f64::max)];
        let samples = [median, least, greatest].map(|rate| format!("{:.1}", rate * batch as f64));
        println!("{batch} {} {median:.2} {first:.3}", samples.join(" "));
    }
    Ok(())
}

/// Random numbers in [0, 1], one row a sample.
fn random_rows(case: &Case, count: usize) -> Result<Samples> {
    let features = case.architecture.features();
    let mut generator = ChaCha8Rng::seed_from_u64(0);
    let numbers = (0..count * features).map(|_| generator.random()).collect();
    Ok(Samples::from_floats(numbers, Shape::table(features))?)
}

/// Steps per second in each turn, and the seconds to the end of the first step.
fn rates(
    case: &Case,
    rows: &Arc<Samples>,
    batch: usize,
    seconds: f64,
    device: &Device,
) -> Result<(Vec<f64>, f64)> {
    let wait = || device.sync().expect("a device that works");
    let model = case.architecture.init(0, device)?;
    wait();
    let (mut began, mut steps, mut first, mut rates) = (Instant::now(), 0u32, None, Vec::new());
    let mut observer = |event: &Event<'_>| {
        let Event::Step { .. } = event else { return Flow::Continue };
        steps += 1;
        if first.is_none() {
            wait();
            first = Some(began.elapsed().as_secs_f64());
        }
        let is_warm = steps >= WARM_STEPS || !rates.is_empty();
        if !is_warm || began.elapsed().as_secs_f64() < seconds {
            return Flow::Continue;
        }
        wait();
        rates.push(f64::from(steps) / began.elapsed().as_secs_f64());
        (began, steps) = (Instant::now(), 0);
        // The first turn warms up.
        if rates.len() > TURNS { Flow::Stop } else { Flow::Continue }
    };
    let rate = LearningRate { decay: Decay::Constant, ..LearningRate::default() };
    let schedule = Schedule { epochs: u32::MAX as usize, batch, rate, ..Schedule::default() };
    let data = Data { training: rows.clone(), validation: None };
    Training::new(model, &case.objective()?)
        .schedule(&schedule)
        .observe(&mut observer)
        .fit(&data)?;
    Ok((rates.split_off(1), first.ok_or("no step was taken")?))
}
