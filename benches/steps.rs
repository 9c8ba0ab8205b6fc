//! What the parts of a training cost, each alone: a step of five models, through `fit` itself; corruption,
//! batches, encoding, evaluation, the files of MNIST, contraction, and the optimisers.
//!
//!     cargo bench --bench steps                       # all, some minutes
//!     cargo bench --bench steps -- dense_deep         # by name
//!
//! An iteration of what trains is [`STEPS`] steps with what `fit` does around them; the throughput beside
//! its time is in samples.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use autoencoders::burn::tensor::{Device, Tensor};
use autoencoders::data::{Samples, Shape, digits, idx};
use autoencoders::models::{Activation, Architecture, ConvConfig, DenseConfig, Model};
use autoencoders::train::{
    Batches, Contraction, Corruption, Data, NoiseKey, Objective, Optimizer, Phase, RESIDENT_LIMIT,
    Reconstruction, Result, Schedule, Training, encode_dataset, evaluate,
};
use divan::Bencher;
use divan::counter::ItemsCount;

mod backends;

#[global_allocator]
static ALLOCATOR: ae_kernels::allocator::MiMalloc = ae_kernels::allocator::MiMalloc;

/// Steps of an iteration: two epochs of four.
const STEPS: usize = 8;

const BATCHES: [usize; 3] = [32, 128, 512];

/// So many rows for what is no training.
const ROWS: usize = 1024;

static BACKENDS: LazyLock<Vec<(&str, Device)>> = LazyLock::new(backends::present);

fn main() {
    ae_kernels::allocator::keep_freed_memory();
    divan::main();
}

/// A batch on a back end.
#[derive(Clone)]
struct Case {
    backend: &'static str,
    device: Device,
    batch: usize,
}

impl std::fmt::Display for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.backend, self.batch)
    }
}

fn cases(batches: &[usize]) -> Vec<Case> {
    let cases = BACKENDS.iter().flat_map(|(backend, device)| {
        batches.iter().map(|&batch| Case { backend, device: device.clone(), batch })
    });
    cases.collect()
}

fn sigmoids(widths: &[usize]) -> DenseConfig {
    DenseConfig {
        activation: Activation::Sigmoid,
        code_activation: Activation::Sigmoid,
        ..DenseConfig::new(widths)
    }
}

fn deep() -> Architecture {
    Architecture::Dense(DenseConfig::new([784, 1000, 500, 250, 30]))
}

fn conv_maps() -> Architecture {
    Architecture::Conv(ConvConfig::maps([1, 28, 28], [32, 64]))
}

fn tied() -> Architecture {
    Architecture::Dense(DenseConfig { tied: true, ..sigmoids(&[784, 500]) })
}

/// Times [`STEPS`] steps.
fn train(
    bencher: Bencher,
    case: &Case,
    architecture: &Architecture,
    objective: impl FnOnce(Objective<Model>) -> Result<Objective<Model>>,
    rows: Samples,
    optimizer: Optimizer,
) {
    let model = architecture.init(0, &case.device).expect("a possible model");
    let objective = objective(Objective::new(Reconstruction::CrossEntropy));
    let objective = objective.expect("a possible objective");
    let data = Data { training: Arc::new(rows), validation: None };
    let schedule = Schedule { epochs: 2, batch: case.batch, optimizer, ..Schedule::default() };
    bencher
        .counter(ItemsCount::new(STEPS * case.batch))
        .with_inputs(|| model.clone())
        .bench_values(|model| {
            Training::new(model, &objective)
                .schedule(&schedule)
                .fit(&data)
                .expect("a training")
                .done
        });
}

fn train_on_digits(
    bencher: Bencher,
    case: &Case,
    architecture: &Architecture,
    objective: impl FnOnce(Objective<Model>) -> Result<Objective<Model>>,
) {
    let rows = digits::generate(STEPS / 2 * case.batch, 0);
    train(bencher, case, architecture, objective, rows, Optimizer::adam());
}

#[divan::bench_group(sample_size = 1, sample_count = 7, max_time = 6)]
mod step {
    use super::*;

    #[divan::bench(args = cases(&BATCHES))]
    fn dense_deep(bencher: Bencher, case: &Case) {
        train_on_digits(bencher, case, &deep(), Ok);
    }

    #[divan::bench(args = cases(&BATCHES))]
    fn dense_tied_masking(bencher: Bencher, case: &Case) {
        train_on_digits(bencher, case, &tied(), |it| Ok(it.corrupt(Corruption::masking(0.25)?)));
    }

    #[divan::bench(args = cases(&BATCHES))]
    fn contractive(bencher: Bencher, case: &Case) {
        train_on_digits(bencher, case, &tied(), |it| it.penalize(0.1, Contraction::exact()));
    }

    #[divan::bench(args = cases(&BATCHES))]
    fn conv(bencher: Bencher, case: &Case) {
        train_on_digits(bencher, case, &conv_maps(), Ok);
    }

    #[divan::bench(args = cases(&BATCHES))]
    fn conv_deep(bencher: Bencher, case: &Case) {
        let config =
            ConvConfig { channels: vec![32, 64, 128], ..ConvConfig::new([3, 32, 32], 128) };
        // No pictures, but bytes as evenly spread: what they show costs nothing.
        let shape = Shape::image(3, 32, 32);
        let bytes = (0..STEPS / 2 * case.batch * shape.features()).map(|at| (at * 37 % 251) as u8);
        let rows = Samples::from_bytes(bytes.collect(), shape).expect("whole images");
        let architecture = Architecture::Conv(config);
        train(bencher, case, &architecture, Ok, rows, Optimizer::adam());
    }
}

/// The penalty's part is what is above `none`.
#[divan::bench_group(sample_size = 1, sample_count = 7, max_time = 6)]
mod contraction {
    use super::*;

    #[divan::bench(args = cases(&[128]))]
    fn shallow_none(bencher: Bencher, case: &Case) {
        train_on_digits(bencher, case, &tied(), Ok);
    }

    #[divan::bench(args = cases(&[128]))]
    fn shallow_closed_form(bencher: Bencher, case: &Case) {
        train_on_digits(bencher, case, &tied(), |it| it.penalize(0.1, Contraction::exact()));
    }

    #[divan::bench(args = cases(&[128]))]
    fn shallow_one_probe(bencher: Bencher, case: &Case) {
        train_on_digits(bencher, case, &tied(), |it| it.penalize(0.1, Contraction::probes(1)?));
    }

    /// Few units in the code: what multiplying out is for.
    fn small() -> Architecture {
        Architecture::Dense(sigmoids(&[784, 128, 16]))
    }

    #[divan::bench(args = cases(&[128]))]
    fn deep_none(bencher: Bencher, case: &Case) {
        train_on_digits(bencher, case, &small(), Ok);
    }

    #[divan::bench(args = cases(&[128]))]
    fn deep_multiplied_out(bencher: Bencher, case: &Case) {
        train_on_digits(bencher, case, &small(), |it| it.penalize(0.1, Contraction::exact()));
    }

    #[divan::bench(args = cases(&[128]))]
    fn deep_one_probe(bencher: Bencher, case: &Case) {
        train_on_digits(bencher, case, &small(), |it| it.penalize(0.1, Contraction::probes(1)?));
    }
}

/// The four rules on 2.8 million parameters; a batch of one leaves next to nothing for the rest to do
/// but read the weights.
#[divan::bench_group(sample_size = 1, sample_count = 15, max_time = 6)]
mod optimizer {
    use super::*;

    fn rule(bencher: Bencher, case: &Case, optimizer: Optimizer) {
        let rows = digits::generate(STEPS / 2 * case.batch, 0);
        train(bencher, case, &deep(), Ok, rows, optimizer);
    }

    #[divan::bench(args = cases(&[1]))]
    fn adam(bencher: Bencher, case: &Case) {
        rule(bencher, case, Optimizer::adam());
    }

    #[divan::bench(args = cases(&[1]))]
    fn adam_w(bencher: Bencher, case: &Case) {
        rule(bencher, case, Optimizer::adam_w(0.01));
    }

    #[divan::bench(args = cases(&[1]))]
    fn rms_prop(bencher: Bencher, case: &Case) {
        rule(bencher, case, Optimizer::rms_prop());
    }

    #[divan::bench(args = cases(&[1]))]
    fn sgd(bencher: Bencher, case: &Case) {
        rule(bencher, case, Optimizer::sgd(0.0));
    }

    #[divan::bench(args = cases(&[1]))]
    fn sgd_with_momentum(bencher: Bencher, case: &Case) {
        rule(bencher, case, Optimizer::sgd(0.9));
    }
}

/// A batch of 128 images of 784 pixels.
#[divan::bench_group(max_time = 2)]
mod corruption {
    use super::*;

    fn apply(bencher: Bencher, case: &Case, corruption: Result<Corruption>) {
        let corruption = corruption.expect("a possible corruption");
        let input = Tensor::<2>::ones([case.batch, 784], &case.device) * 0.3;
        let key = NoiseKey { seed: 0, phase: Phase::Train(0), step: 0 };
        bencher.counter(ItemsCount::new(case.batch)).bench(|| {
            let corrupted = corruption.apply(input.clone(), key);
            case.device.sync().expect("a device that answers");
            corrupted
        });
    }

    #[divan::bench(args = cases(&[128]))]
    fn masking(bencher: Bencher, case: &Case) {
        apply(bencher, case, Corruption::masking(0.25));
    }

    #[divan::bench(args = cases(&[128]))]
    fn salt_and_pepper(bencher: Bencher, case: &Case) {
        apply(bencher, case, Corruption::salt_and_pepper(0.25));
    }

    #[divan::bench(args = cases(&[128]))]
    fn gaussian(bencher: Bencher, case: &Case) {
        apply(bencher, case, Corruption::gaussian(0.25));
    }
}

/// 128 of 10,000 digits.
#[divan::bench_group(max_time = 2)]
mod batch {
    use super::*;

    fn select(bencher: Bencher, case: &Case, limit: usize) {
        let rows = digits::generate(10_000, 0);
        let batches = Batches::new(rows, &case.device, limit, Some([0.0, 1.0])).expect("rows");
        let chosen: Vec<usize> = (0..case.batch).map(|at| at * 7919 % 10_000).collect();
        bencher.counter(ItemsCount::new(case.batch)).bench(|| {
            let batch = batches.select(&chosen).expect("rows");
            case.device.sync().expect("a device that answers");
            batch
        });
    }

    #[divan::bench(args = cases(&[128]))]
    fn resident(bencher: Bencher, case: &Case) {
        select(bencher, case, RESIDENT_LIMIT);
    }

    #[divan::bench(args = cases(&[128]))]
    fn streamed(bencher: Bencher, case: &Case) {
        select(bencher, case, 0);
    }
}

/// The codes of [`ROWS`] digits.
#[divan::bench_group(sample_size = 1, sample_count = 15, max_time = 4)]
mod encoding {
    use super::*;

    fn encode(bencher: Bencher, case: &Case, architecture: &Architecture) {
        let model = architecture.init(0, &case.device).expect("a possible model");
        let rows = digits::generate(ROWS, 0);
        bencher
            .counter(ItemsCount::new(ROWS))
            .bench(|| encode_dataset(&model, &rows, case.batch).expect("codes"));
    }

    #[divan::bench(args = cases(&[128]))]
    fn dense_deep(bencher: Bencher, case: &Case) {
        encode(bencher, case, &deep());
    }

    #[divan::bench(args = cases(&[128]))]
    fn conv(bencher: Bencher, case: &Case) {
        encode(bencher, case, &conv_maps());
    }
}

/// The evaluation of [`ROWS`] digits.
#[divan::bench_group(sample_size = 1, sample_count = 15, max_time = 4)]
mod evaluation {
    use super::*;

    fn measure(bencher: Bencher, case: &Case, architecture: &Architecture) {
        let model = architecture.init(0, &case.device).expect("a possible model");
        let rows = digits::generate(ROWS, 0);
        let rows = Batches::new(rows, &case.device, RESIDENT_LIMIT, None).expect("rows");
        bencher
            .counter(ItemsCount::new(ROWS))
            .bench(|| evaluate(&model, &rows, case.batch).expect("an evaluation"));
    }

    #[divan::bench(args = cases(&[128]))]
    fn dense_deep(bencher: Bencher, case: &Case) {
        measure(bencher, case, &deep());
    }

    #[divan::bench(args = cases(&[128]))]
    fn conv(bencher: Bencher, case: &Case) {
        measure(bencher, case, &conv_maps());
    }
}

/// A file of 10,000 images of 784 bytes.
#[divan::bench_group(sample_size = 1, max_time = 3)]
mod idx_file {
    use super::*;

    const IMAGES: usize = 10_000;

    fn file(folder: &Path, name: &str) -> std::path::PathBuf {
        let path = folder.join(name);
        idx::write_images(&path, &digits::generate(IMAGES, 0)).expect("room for a file");
        path
    }

    #[divan::bench(args = ["images-idx3-ubyte", "images-idx3-ubyte.gz"])]
    fn read(bencher: Bencher, name: &str) {
        let folder = tempfile::tempdir().expect("room for a folder");
        let path = file(folder.path(), name);
        bencher
            .counter(ItemsCount::new(IMAGES))
            .bench(|| idx::read_images(&path).expect("whole images"));
    }
}
