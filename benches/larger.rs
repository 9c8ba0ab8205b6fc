//! Sources larger than memory: how soon they train, how fast and in how much memory.
//!
//!     cargo bench --bench larger                      # a table of 10 GB and 100,000 pictures
//!     cargo bench --bench larger -- --gigabytes 1     # a smaller table, a tenth of the pictures
//!
//! Each source is generated in the folder of temporary files (`TMPDIR`), which needs three times the size of the
//! table, and deleted at the end. A source is opened, split, standardised and trained on by a process of its
//! own under a limit of 500 MiB, for a bounded number of steps. Its throughput is compared with that of a part
//! that fits into memory, once resident and once streamed, in turn.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::time::Instant;

use autoencoders::burn::tensor::Device;
use autoencoders::data::{Method, Options, Preprocessing, Shape, open, split};
use autoencoders::models::{Architecture, ConvConfig, DenseConfig};
use autoencoders::train::{Data, Event, Flow, Objective, Reconstruction, Schedule, Training};
use children::{child, numbers, task};
use statistics::median;

mod children;
mod record;
mod statistics;

#[global_allocator]
static ALLOCATOR: ae_kernels::allocator::MiMalloc = ae_kernels::allocator::MiMalloc;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The limit that a source is opened with, and that of what is resident.
const LIMIT: usize = 500 << 20;

/// More than any part, so that it is resident.
const NO_LIMIT: usize = usize::MAX;

/// The rounds of a comparison.
const ROUNDS: usize = 5;

/// The rows of a part of a table that fits, and the pictures of a part.
const PART: usize = 100_000;
const PICTURES: usize = 20_000;

/// The side of a picture.
const SIDE: u32 = 64;

/// The steps of a training: those before the clock starts, and those that are timed.
#[derive(Clone, Copy)]
struct Steps {
    before: u64,
    timed: u64,
}

/// Prints seconds to the first step, samples per second, and MiB at most.
fn train(source: &str, limit: usize, steps: Steps) -> Result<()> {
    let start = Instant::now();
    let options = Options { resident_limit: Some(limit), ..Options::default() };
    let training = open(source, &options, &mut |_| ())?.splits.training;
    let (training, validation) = split(&training, 0.1, 0)?;
    let is_table = matches!(training.shape(), Shape::Table { .. });
    let method = if is_table { Method::Standardize } else { Method::None };
    let preprocessing = Preprocessing::fit(method, &training)?;
    let training = training.with_preprocessing(preprocessing.clone())?;
    let few: Vec<usize> = (0..validation.len().min(1000)).collect();
    let validation = validation.subset(&few).with_preprocessing(preprocessing)?;
    let reconstruction =
        if is_table { Reconstruction::SquaredError } else { Reconstruction::CrossEntropy };

    // The model that `ae train` takes.
    let architecture = match training.shape() {
        Shape::Table { columns } => {
            let width = columns.len();
            let code = width.div_ceil(2).min(32);
            Architecture::Dense(DenseConfig::new(vec![width, 4 * width, code]))
        }
        Shape::Image { .. } => {
            Architecture::Conv(ConvConfig::new([1, SIDE as usize, SIDE as usize], 32))
        }
    };
    let model = architecture.init(0, &Device::flex())?;
    let schedule = Schedule { epochs: 100, resident_limit: limit, ..Schedule::default() };
    let (mut first, mut began, mut seconds) = (0.0, Instant::now(), 0.0);
    let mut clock = |event: &Event<'_>| match event {
        Event::Step { done, .. } => {
            if *done == 1 {
                first = start.elapsed().as_secs_f64();
            }
            if *done == steps.before {
                began = Instant::now();
            }
            if *done == steps.before + steps.timed {
                seconds = began.elapsed().as_secs_f64();
                return Flow::Stop;
            }
            Flow::Continue
        }
        _ => Flow::Continue,
    };
    let data = Data { training: training.into(), validation: Some(validation.into()) };
    let objective = Objective::new(reconstruction);
    Training::new(model, &objective).schedule(&schedule).observe(&mut clock).fit(&data)?;
    let most =
        record::peak_memory().ok_or("expected a system that tells the memory of a process")?;
    let per_second = (steps.timed as usize * schedule.batch) as f64 / seconds;
    println!("{first} {per_second} {}", most as f64 / f64::from(1 << 20));
    Ok(())
}

/// Numbers that are the same on every machine.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

/// A table of `columns` numbers with four digits, until it has `bytes` bytes or `rows` rows.
fn write_table(path: &Path, columns: usize, bytes: u64, rows: usize) -> Result<usize> {
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let names: Vec<String> = (0..columns).map(|at| format!("x{at}")).collect();
    writeln!(file, "{}", names.join(","))?;
    let (mut noise, mut written, mut count, mut line) = (Noise(1), 0, 0, String::new());
    while written < bytes && count < rows {
        line.clear();
        let common = (noise.next() % 20_000) as i64 - 10_000;
        for column in 0..columns {
            let own = (noise.next() % 10_000) as i64;
            let value = common * (column as i64 % 7 - 3) + own;
            let separator = if column + 1 == columns { '\n' } else { ',' };
            let sign = if value < 0 { "-" } else { "" };
            let (whole, part) = (value.abs() / 10_000, value.abs() % 10_000);
            write!(line, "{sign}{whole}.{part:04}{separator}")?;
        }
        file.write_all(line.as_bytes())?;
        written += line.len() as u64;
        count += 1;
    }
    file.into_inner()?;
    Ok(count)
}

/// A folder of grey pictures, each with a different blurred disc.
fn write_pictures(folder: &Path, count: usize) -> Result<()> {
    std::fs::create_dir(folder)?;
    let mut noise = Noise(2);
    for at in 0..count {
        let mut one = || (noise.next() % 1000) as f32 / 1000.0 * SIDE as f32;
        let (x, y, radius) = (one(), one(), 2.0 + one() / 3.0);
        let picture = image::GrayImage::from_fn(SIDE, SIDE, |column, row| {
            let distance = (column as f32 - x).hypot(row as f32 - y);
            image::Luma([(255.0 * (radius - distance + 1.0).clamp(0.0, 1.0)) as u8])
        });
        picture.save(folder.join(format!("{at:06}.png")))?;
    }
    Ok(())
}

fn run(source: &Path, limit: usize, steps: Steps) -> Result<[f64; 3]> {
    let source = source.to_str().ok_or("expected a folder of a readable name")?;
    let [limit, before, timed] = [limit as u64, steps.before, steps.timed].map(|it| it.to_string());
    let found = numbers(child(&[source, &limit, &before, &timed])?)?;
    found.try_into().map_err(|found| format!("expected three numbers, got {found:?}").into())
}

/// The row of a source: all of it under the limit, and its part resident and streamed.
fn measure(name: &str, whole: Option<&Path>, part: &Path, steps: Steps) -> Result<String> {
    let mut ways = [Vec::new(), Vec::new()];
    for round in 0..ROUNDS {
        // Who is first changes, since the other finds the processor warm.
        for way in [round % 2, 1 - round % 2] {
            ways[way].push(run(part, [NO_LIMIT, 0][way], steps)?);
        }
    }
    let of = |way: usize, at: usize| {
        median(&ways[way].iter().map(|numbers| numbers[at]).collect::<Vec<f64>>())
    };
    let pairs = ways[0].iter().zip(&ways[1]);
    let ratio = median(&pairs.map(|(all, streamed)| streamed[1] / all[1]).collect::<Vec<f64>>());
    let (resident, streamed) = (of(0, 1), of(1, 1));
    let [seconds, speed, most] = match whole {
        Some(whole) => run(whole, LIMIT, steps)?,
        None => {
            return Ok(format!("| {name} | | | | {resident:.0} | {streamed:.0} | {ratio:.3} |\n"));
        }
    };
    Ok(format!(
        "| {name} | {seconds:.1} | {most:.0} | {speed:.0} | {resident:.0} | {streamed:.0} | {ratio:.3} |\n"
    ))
}

fn main() -> Result<()> {
    ae_kernels::allocator::keep_freed_memory();
    if let Some(task) = task() {
        let [source, limit, before, timed] = &task[..] else {
            return Err("expected a source, a limit and two numbers of steps".into());
        };
        let steps = Steps { before: before.parse()?, timed: timed.parse()? };
        return train(source, limit.parse()?, steps);
    }
    let mut arguments = std::env::args().skip_while(|argument| argument != "--gigabytes").skip(1);
    let gigabytes: f64 = arguments.next().map_or(Ok(10.0), |number| number.parse())?;
    let parts_only = std::env::args().any(|argument| argument == "--parts");
    let folder =
        tempfile::tempdir_in(std::env::var_os("TMPDIR").map_or("/var/tmp".into(), PathBuf::from))?;
    let at = |name: &str| folder.path().join(name);
    let mut body = format!(
        "Opened, split, standardised and trained under a limit of 500 MiB, and a part of each ({PART} rows, \
         {PICTURES} pictures) resident and streamed: medians of {ROUNDS} processes each, in turn, the ratio that of \
         neighbours. The models are those of `ae train`, on the CPU (flex), in batches of 128. Files are in the \
         system's cache as far as they fit there.\n\n\
         | source | seconds to the first step | peak MiB | samples/s | part resident, samples/s | part streamed, \
         samples/s | ratio |\n|---|---|---|---|---|---|---|\n",
    );
    print!("{body}");
    let mut add = |row: Result<String>| -> Result<()> {
        let row = row?;
        print!("{row}");
        body += &row;
        Ok(())
    };
    for columns in [16, 100] {
        let steps = Steps { before: 50, timed: if columns == 16 { 4000 } else { 1000 } };
        write_table(&at("part.csv"), columns, u64::MAX, PART)?;
        let (mut name, mut whole) = (format!("a table of {columns} columns"), None);
        if columns == 100 && !parts_only {
            let path = at("whole.csv");
            let rows = write_table(&path, columns, (gigabytes * 1e9) as u64, usize::MAX)?;
            name += &format!(", {gigabytes} GB, {rows} rows");
            whole = Some(path);
        }
        add(measure(&name, whole.as_deref(), &at("part.csv"), steps))?;
        if let Some(whole) = whole {
            std::fs::remove_file(whole)?;
        }
    }
    let count = ((gigabytes * 10_000.0) as usize).min(100_000);
    write_pictures(&at("part"), PICTURES)?;
    if !parts_only {
        write_pictures(&at("pictures"), count)?;
    }
    let whole = (!parts_only).then(|| at("pictures"));
    let first = Steps { before: 10, timed: 110 };
    let name = format!("{count} pictures in a folder, first epoch");
    add(measure(&name, whole.as_deref(), &at("part"), first))?;
    // Of 20,000 pictures 16,200 are for training: 126 steps an epoch.
    let later = Steps { before: 130, timed: 110 };
    add(measure("pictures, second epoch", None, &at("part"), later))?;
    if gigabytes >= 10.0 && !parts_only {
        record::record("larger", "Sources larger than memory", &body)?;
    }
    Ok(())
}
