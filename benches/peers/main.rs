//! A training step beside PyTorch's and JAX's: the same nets, in the same run, in turn; what is compared are
//! ratios.
//!
//!     benches/peers/install                         # once: PyTorch and JAX
//!     cargo bench --bench peers -- --help

#[path = "../backends/mod.rs"]
mod backends;
mod case;
mod check;
mod options;
mod ours;
mod point;
mod process;
mod quiet;
#[path = "../record/mod.rs"]
mod record;
mod report;
mod spread;
mod turns;

use autoencoders::train::Precision;
use case::Case;
use options::Options;
use point::{Point, Product};

/// As in the program `ae`.
#[global_allocator]
static ALLOCATOR: ae_kernels::allocator::MiMalloc = ae_kernels::allocator::MiMalloc;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// How our side calls itself.
const VERSION: &str = concat!("autoencoders-", env!("CARGO_PKG_VERSION"));

fn main() -> Result<()> {
    ae_kernels::allocator::keep_freed_memory();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [ours, case, size, device, precision] = &arguments[..]
        && ours == "--ours"
    {
        let (device, precision) = (options::device(device)?, options::precision(precision)?);
        return match &**case {
            "product" => ours::multiply(size.parse()?, &device, precision),
            name => ours::train(&Case::named(name)?, size.parse()?, &device, precision),
        };
    }
    if arguments.iter().any(|argument| argument == "--help") {
        print!("{}", options::HELP);
        return Ok(());
    }
    case::check_by_hand()?;
    let options = Options::read(arguments.into_iter())?;
    if options.is_to_check { check::check(&options) } else { compare(&options) }
}

fn compare(options: &Options) -> Result<()> {
    let mut products = Product::start(options);
    let mut points = Vec::new();
    for name in &options.cases {
        for batch in &options.batches {
            let point = Point::measure(Case::named(name)?, *batch, &mut products, options)?;
            for side in &point.sides {
                let rate = spread::Spread::of(side.samples_per_second.iter().copied()).median;
                eprintln!("{name} {batch} {}: {rate:.0} samples/s", side.name);
            }
            for (side, reason) in &point.absent {
                eprintln!("{name} {batch} {side}: left out, {reason}");
            }
            points.push(point);
        }
    }
    let report = report::report(&points, options);
    print!("{report}");
    if options.is_to_record {
        let (section, title) = match options.is_on_gpu() {
            true => ("gpu", "Beside PyTorch and JAX on a GPU"),
            false => ("peers", "Beside PyTorch and JAX"),
        };
        let (section, title) = match options.is_limited {
            true => (format!("{section}-{}", options.isa), format!("{title}, {}", options.isa)),
            false => (section.to_owned(), title.to_owned()),
        };
        let half = match options.precision {
            Precision::Full => None,
            half => Some(options::name(half)),
        };
        let section = half.map_or(section.clone(), |half| format!("{section}-{half}"));
        let title = half.map_or(title.clone(), |half| format!("{title}, {half}"));
        record::record(&section, &title, &report)?;
    }
    Ok(())
}
