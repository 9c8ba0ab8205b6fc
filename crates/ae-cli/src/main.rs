//! The program `ae`: trains autoencoders on any GPU or on the CPU, and shows what they learned.

mod anomaly;
mod args;
mod charts;
mod classify;
mod data;
#[cfg_attr(
    not(any(feature = "wgpu", feature = "cuda", feature = "rocm")),
    expect(dead_code, unreachable_code, reason = "without a GPU back end no GPU is ever found")
)]
mod device;
mod error;
mod figures;
mod finetune;
mod inspect;
mod interpolate;
mod jacobian;
mod labels;
mod learn;
mod metrics;
mod observers;
mod pictures;
mod recipe;
mod report;
mod reproduce;
mod rows;
mod run;
mod session;
mod start;
mod subspace;
mod summary;
mod sweep;
mod train;
mod voice;

use std::panic;
use std::process::ExitCode;
use std::sync::Mutex;

use args::{Cli, Command, TrainArgs};
use error::Result;
use tracing_subscriber::{EnvFilter, fmt::format::FmtSpan};

/// A step takes and gives back buffers of megabytes. glibc returns those to the system each time, once
/// data sets beyond 32 MiB have been loaded, and training takes up to 1.8 times as long.
#[global_allocator]
static ALLOCATOR: ae_kernels::allocator::MiMalloc = ae_kernels::allocator::MiMalloc;

fn main() -> ExitCode {
    ae_kernels::allocator::keep_freed_memory();
    let cli = Cli::read();
    // Back ends warn of much that is no concern of a user's.
    let level = match cli.verbose {
        0 => "error,ae_data=warn,ae_models=warn,ae_train=warn",
        1 => "info",
        _ => "debug",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    let spans = if cli.verbose > 1 { FmtSpan::CLOSE } else { FmtSpan::NONE };
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_span_events(spans)
        .with_writer(std::io::stderr)
        .init();
    let result = without_panic_trace(cli.verbose, || match &cli.command {
        None => train::train(&TrainArgs::default()),
        Some(Command::Train(args)) => train::train(args),
        Some(Command::Pretrain(args)) => train::pretrain(args),
        Some(Command::Finetune(args)) => finetune::finetune(args),
        Some(Command::Classify(args)) => classify::classify(args),
        Some(Command::Sweep(args)) => sweep::sweep(args),
        Some(Command::Reproduce(args)) => reproduce::reproduce(args),
        Some(Command::Interpolate(args)) => interpolate::interpolate(args),
        Some(Command::Eval(args)) => inspect::eval(args),
        Some(Command::Encode(args)) => inspect::encode(args),
        Some(Command::Reconstruct(args)) => inspect::reconstruct(args),
        Some(Command::Report(args)) => inspect::report(args),
        Some(Command::Devices) => devices(),
        Some(Command::Data(command)) => data::run(command),
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn devices() -> Result<()> {
    let others = device::Others::find();
    if let device::Others::Gpus(gpus) = &others {
        for (number, gpu) in gpus.iter().enumerate() {
            println!("gpu:{number}  {} ({}, {})", gpu.name, gpu.kind, gpu.api);
        }
    }
    println!("cpu    {}", device::cpu_name());
    if let device::Others::NotBuilt(present) = &others {
        for gpu in present {
            println!("-      {}, which this program is not built for: {}", gpu.name, device::BUILD);
        }
    }
    let (_, why) = device::open(&device::Wanted::Auto)?;
    println!("--device auto takes the {why}");
    Ok(())
}

/// A device that is lost or runs out of memory shows as a panic deep in Burn, perhaps on another
/// thread. The user gets a sentence of it, and what to do.
fn without_panic_trace(
    verbose: u8,
    body: impl FnOnce() -> Result<()> + panic::UnwindSafe,
) -> Result<(), String> {
    static FIRST: Mutex<Option<String>> = Mutex::new(None);
    if verbose == 0 {
        panic::set_hook(Box::new(|info| {
            let text = info.payload_as_str().unwrap_or("no reason given").to_owned();
            let place =
                info.location().map(|place| format!(" ({}:{})", place.file(), place.line()));
            if let Ok(mut first) = FIRST.lock() {
                first.get_or_insert(text + &place.unwrap_or_default());
            }
        }));
    }
    match panic::catch_unwind(body) {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(_) => {
            let reason = FIRST.lock().ok().and_then(|mut first| first.take());
            let reason = reason.unwrap_or_else(|| "see above".into());
            Err(format!(
                "the program or its device failed: {}. If a GPU ran out of memory, take a smaller \
                 --batch or --resident-limit; if it was lost, go on from the last checkpoint with \
                 --resume; --device cpu needs none; -v shows where it happened",
                reason.trim().trim_end_matches('.')
            ))
        }
    }
}
