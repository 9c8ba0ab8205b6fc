//! The program `ae`: trains autoencoders on any GPU or on the CPU, and shows what they learned.

#[macro_use]
mod print;

mod args;
mod commands;
mod console;
mod download;
mod error;
mod interrupt;
mod observers;
mod outputs;
mod plain;

use std::io::IsTerminal;
use std::panic::UnwindSafe;
use std::process::ExitCode;

use ae_device::panics;
use args::Cli;
pub use error::{Error, Result};
use plain::Plain;
use tracing_subscriber::{EnvFilter, fmt::format::FmtSpan};

/// A step allocates and frees buffers of megabytes. Once data sets beyond 32 MiB have been loaded, glibc returns
/// these to the system each time, and training takes up to 1.8 times as long.
#[global_allocator]
static ALLOCATOR: ae_kernels::allocator::MiMalloc = ae_kernels::allocator::MiMalloc;

fn main() -> ExitCode {
    ae_kernels::allocator::keep_freed_memory();
    let cli = Cli::read();
    if let Some(threads) = cli.threads {
        // Fails only where a pool is there already, which nothing has made yet.
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.get());
        if let Err(error) = pool.build_global() {
            eprintln!("warning: --threads: {error}");
        }
    }
    // Back ends print many warnings that do not concern the user.
    let level = match cli.verbose {
        0 => "error,ae_data=warn,ae_experiment=warn,ae_models=warn,ae_run=warn,ae_train=warn",
        1 => "info",
        _ => "debug",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    let spans = if cli.verbose > 1 { FmtSpan::CLOSE } else { FmtSpan::NONE };
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_span_events(spans)
        .with_ansi(std::io::stderr().is_terminal())
        .log_internal_errors(false)
        .with_writer(std::io::stderr);
    match cli.verbose {
        0 => subscriber.event_format(Plain).init(),
        _ => subscriber.init(),
    }
    let result = without_panic_trace(cli.verbose, || match &cli.command {
        None => commands::train::Args::default().run(),
        Some(command) => command.run(),
    });
    if let Err(message) = &result {
        eprintln!("error: {message}");
    }
    match (interrupt::exit_code(), result) {
        (Some(code), _) => ExitCode::from(code),
        (None, Ok(())) => ExitCode::SUCCESS,
        (None, Err(_)) => ExitCode::FAILURE,
    }
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
