//! The program `ae`: trains autoencoders on any GPU or on the CPU, and shows what they learned.

mod anomaly;
mod args;
mod charts;
mod classifier;
mod classify;
mod comparison;
mod console;
mod data;
mod datasets;
#[cfg_attr(
    not(feature = "wgpu"),
    allow(dead_code, unreachable_code, reason = "without a GPU back end no GPU is ever found")
)]
mod device;
mod download;
mod error;
mod export;
mod figures;
mod files;
mod finetune;
mod format;
mod inspect;
mod jacobian;
mod latent;
mod memory;
mod metrics;
mod new_run;
mod observers;
mod panics;
mod pictures;
mod recipe;
mod report;
mod reproduce;
mod run;
mod run_dir;
mod subspace;
mod summary;
mod sweep;
mod train;
mod train_job;

use std::panic::UnwindSafe;
use std::process::ExitCode;

use args::{Cli, Command, TrainArgs};
use error::Result;
use tracing_subscriber::{EnvFilter, fmt::format::FmtSpan};

/// A step allocates and frees buffers of megabytes. Once data sets beyond 32 MiB have been loaded, glibc returns
/// these to the system each time, and training takes up to 1.8 times as long.
#[global_allocator]
static ALLOCATOR: ae_kernels::allocator::MiMalloc = ae_kernels::allocator::MiMalloc;

fn main() -> ExitCode {
    ae_kernels::allocator::keep_freed_memory();
    let cli = Cli::read();
    // Back ends print many warnings that do not concern the user.
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
        Some(Command::Latent(command)) => latent::latent(command),
        Some(Command::Interpolate(args)) => latent::interpolate(args),
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
    print!("{}", device::list());
    Ok(())
}

/// Turns a panic into an error message that says what to do.
fn without_panic_trace(
    verbose: u8,
    body: impl FnOnce() -> Result<()> + UnwindSafe,
) -> Result<(), String> {
    if verbose == 0 {
        panics::capture();
    }
    match panics::catch(body) {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(reason) => Err(format!(
            "the program or its device failed: {reason}. If a GPU ran out of memory, use a smaller \
             --batch or --resident-limit; if it was lost, resume from the last checkpoint with \
             --resume; --device cpu needs no GPU; -v shows where it happened"
        )),
    }
}
