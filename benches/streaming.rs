//! What streaming costs: the same training, on the same rows in the same order, with the rows resident
//! on the device and with each batch read from a file when it is due, under a limit of a tenth of them.
//!
//!     cargo bench --bench streaming                   # writes benches/results/streaming.md
//!     cargo bench --bench streaming -- --quick        # a trial: fewer rows, writes nothing
//!
//! Every training is a process of its own, so that the most memory it ever had is its own; both ways
//! take turns. The rows are an IDX file of bytes, read by position. Fails if streaming trains at less
//! than [`LEAST`] of the resident throughput, or if the trained models differ.

use std::fmt::Write as _;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use autoencoders::burn::tensor::Device;
use autoencoders::data::{Error, Source, digits, idx};
use autoencoders::models::{Architecture, Autoencoder, ConvConfig, DenseConfig};
use autoencoders::train::{
    Batches, Data, Event, Flow, Objective, RESIDENT_LIMIT, Reconstruction, Schedule, Training,
};
use children::{child, numbers, task};
use statistics::median;

mod children;
mod record;
mod statistics;

#[global_allocator]
static ALLOCATOR: ae_kernels::allocator::MiMalloc = ae_kernels::allocator::MiMalloc;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Of the resident throughput, what streaming has to reach.
const LEAST: f64 = 0.90;

const WIDTH: usize = 784;

/// Steps before the clock starts.
const WARM_UP: u64 = 20;

/// The bytes before the images of an IDX file.
const HEADER: u64 = 16;

/// Images of an IDX file, left there until they are asked for.
struct Images {
    path: PathBuf,
    file: File,
    count: usize,
}

impl Images {
    fn open(path: &Path) -> Result<Self> {
        let file = File::open(path)?;
        let count = (file.metadata()?.len() - HEADER) as usize / WIDTH;
        Ok(Self { path: path.to_owned(), file, count })
    }
}

impl Source for Images {
    fn len(&self) -> usize {
        self.count
    }

    fn width(&self) -> usize {
        WIDTH
    }

    fn read(&self, rows: &[usize], out: &mut [f32]) -> autoencoders::data::Result<()> {
        let mut bytes = [0; WIDTH];
        for (row, out) in rows.iter().zip(out.chunks_exact_mut(WIDTH)) {
            let place = HEADER + (row * WIDTH) as u64;
            self.file
                .read_exact_at(&mut bytes, place)
                .map_err(|reason| Error::Io { path: self.path.clone(), reason })?;
            for (value, byte) in out.iter_mut().zip(bytes) {
                *value = f32::from(byte) / 255.0;
            }
        }
        Ok(())
    }
}

/// Models by how long their steps take, and how many of these are timed.
fn models() -> [(&'static str, Architecture, u64); 4] {
    let dense = |widths: &[usize]| Architecture::Dense(DenseConfig::new(widths));
    let conv = Architecture::Conv(ConvConfig::new([1, 28, 28], 32));
    [
        ("dense 784-32", dense(&[784, 32]), 800),
        ("dense 784-256-32", dense(&[784, 256, 32]), 400),
        ("dense 784-1000-500-250-30", dense(&[784, 1000, 500, 250, 30]), 80),
        ("conv 1x28x28, channels 32-64, code 32", conv, 40),
    ]
}

/// Prints samples per second, MiB resident before the training and at most, and the squared error of the
/// trained model.
fn train(path: &str, model: &str, limit: &str) -> Result<()> {
    let images: Arc<dyn Source> = Arc::new(Images::open(Path::new(path))?);
    let (_, architecture, steps) = &models()[model.parse::<usize>()?];
    let model = architecture.init(0, &Device::flex())?;
    let schedule = Schedule { epochs: 100, resident_limit: limit.parse()?, ..Schedule::default() };
    let mebibytes = |bytes: Option<u64>| {
        let bytes = bytes.ok_or("expected a system that tells the memory of a process");
        bytes.map(|bytes| bytes as f64 / f64::from(1 << 20))
    };
    let before = mebibytes(record::resident_memory())?;
    let (mut began, mut seconds) = (Instant::now(), 0.0);
    let mut clock = |event: &Event<'_>| match event {
        Event::Step { done: WARM_UP, .. } => {
            began = Instant::now();
            Flow::Continue
        }
        Event::Step { done, .. } if *done == WARM_UP + steps => {
            seconds = began.elapsed().as_secs_f64();
            Flow::Stop
        }
        _ => Flow::Continue,
    };
    let data = Data { training: images.clone(), validation: None };
    let objective = Objective::new(Reconstruction::CrossEntropy);
    let fitted =
        Training::new(model, &objective).schedule(&schedule).observe(&mut clock).fit(&data)?;
    let most = mebibytes(record::peak_memory())?;
    let rows: Vec<usize> = (0..schedule.batch).collect();
    let input = Batches::new(images, &Device::flex(), 0, None)?.select(&rows)?;
    let error =
        (fitted.model.reconstruct(input.clone()) - input).square().mean().into_scalar::<f32>();
    let per_second = (*steps as usize * schedule.batch) as f64 / seconds;
    println!("{per_second} {before} {most} {error}");
    Ok(())
}

/// An IDX file of `rows` digits, a tenth of them different.
fn write(path: &Path, rows: usize) -> Result<()> {
    let few = digits::generate(rows / 10, 0);
    let again: Vec<usize> = (0..rows).map(|row| row % few.len()).collect();
    Ok(idx::write_images(path, &few.subset(&again))?)
}

fn main() -> Result<()> {
    ae_kernels::allocator::keep_freed_memory();
    if let Some(task) = task() {
        let [path, model, limit] = &task[..] else {
            return Err("expected a file, a model and a limit".into());
        };
        return train(path, model, limit);
    }
    let is_quick = std::env::args().any(|argument| argument == "--quick");
    let (rows, rounds) = if is_quick { (10_000, 3) } else { (100_000, 7) };
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("images-idx3-ubyte");
    write(&path, rows)?;
    let path = path.to_str().ok_or("expected a folder of a readable name")?;
    let bytes = rows * WIDTH * size_of::<f32>();
    let mut body = format!(
        "{rows} images of 784 bytes in an IDX file; {:.0} MiB as floats on the device, or streamed under \
         a limit of a tenth of that. CPU (flex), cross-entropy, batches of 128, medians of {rounds} \
         processes each, in turn, the ratio that of neighbours. The file lies in the system's cache. Peak memory is that of the whole \
         process.\n\n\
         | model | resident, samples/s | streamed, samples/s | ratio | resident, peak MiB | streamed, \
         peak MiB | before training, MiB |\n|---|---|---|---|---|---|---|\n",
        bytes as f64 / f64::from(1 << 20),
    );
    print!("{body}");
    let mut least = f64::INFINITY;
    for (index, (name, ..)) in models().iter().enumerate() {
        let mut ways = [Vec::new(), Vec::new()];
        for round in 0..rounds {
            // Who is first changes, since the other finds the processor warm.
            for way in [round % 2, 1 - round % 2] {
                let limit = [RESIDENT_LIMIT, bytes / 10][way].to_string();
                ways[way].push(numbers(child(&[path, &index.to_string(), &limit])?)?);
            }
        }
        let of = |way: usize, number: usize| -> Vec<f64> {
            ways[way].iter().map(|numbers| numbers[number]).collect()
        };
        if of(0, 3) != of(1, 3) {
            return Err(format!("{name}: expected the same model, got {ways:?}").into());
        }
        let medians = |number| [median(&of(0, number)), median(&of(1, number))];
        let ([resident, streamed], [more, less]) = (medians(0), medians(2));
        // Neighbours in time found the machine in the same mood.
        let ratios: Vec<f64> = of(1, 0).iter().zip(of(0, 0)).map(|(it, all)| it / all).collect();
        let ratio = median(&ratios);
        let line = format!(
            "| {name} | {resident:.0} | {streamed:.0} | {ratio:.3} | {more:.0} | {less:.0} | {:.0} |\n",
            medians(1)[1],
        );
        print!("{line}");
        body += &line;
        least = least.min(ratio);
    }
    let verdict = format!("The least ratio is {least:.3}; expected at least {LEAST:.2}.");
    println!("{verdict}");
    write!(body, "\n{verdict}\n")?;
    if !is_quick {
        record::record("streaming", "Streamed beside resident", &body)?;
    }
    if least < LEAST { Err("streaming is too slow".into()) } else { Ok(()) }
}
