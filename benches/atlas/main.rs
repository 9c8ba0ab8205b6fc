//! What a GPU makes of the kernels: what it is, whether they compute what the CPU does, how long each takes in every
//! variant, and how many samples whole training steps see.
//!
//!     cargo bench --features atlas --bench atlas -- --help
//!
//! `benches/gpu.sh` runs it, and PyTorch and JAX on the same card after it.

#[path = "../backends/mod.rs"]
mod backends;
#[allow(dead_code, reason = "a part of it is taken")]
#[path = "../peers/case.rs"]
mod case;
mod checks;
#[path = "../children/mod.rs"]
mod children;
mod deadline;
mod device;
mod jobs;
#[path = "../../crates/ae-kernels/tests/numbers/mod.rs"]
mod numbers;
mod options;
mod sheet;
#[path = "../statistics/mod.rs"]
mod statistics;
mod steps;
mod table;
mod variants;

use options::{Options, Section};

/// As in the program `ae`.
#[global_allocator]
static ALLOCATOR: ae_kernels::allocator::MiMalloc = ae_kernels::allocator::MiMalloc;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    ae_kernels::allocator::keep_freed_memory();
    if let Some(task) = children::task() {
        return steps::child(&task);
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--help") {
        print!("{}", options::HELP);
        return Ok(());
    }
    let options = Options::read(arguments.into_iter())?;
    let device = device::find(&options)?;
    std::fs::create_dir_all(&options.out)?;
    println!("tables in {}", options.out.display());
    device::section(&device, &options)?;
    let failed = match options.has(Section::Checks) {
        true => checks::section(&device, &options)?,
        false => Vec::new(),
    };
    if options.has(Section::Variants) {
        let timed = variants::section(&device, &options, &failed)?;
        table::section(&timed, &options)?;
    }
    if options.has(Section::Steps) {
        steps::section(&options, &failed)?;
    }
    println!("\n== done after {:.0} s", options.deadline.elapsed());
    match failed.is_empty() {
        true => Ok(()),
        false => Err(format!("kernels that do not compute what the CPU does: {failed:?}").into()),
    }
}
