//! Ctrl-C and the signals that end a program: they stop the run, and any that would follow; a later one exits at once.

use std::sync::Once;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::{Duration, Instant};

/// The number of the signal that asks to stop; 0 for none.
static REQUESTED: AtomicU8 = AtomicU8::new(0);

/// Whether a run was told of it.
static ANSWERED: AtomicBool = AtomicBool::new(false);

/// A signal that comes this soon after another one is the same: `timeout` and terminals signal a process and its group.
const SAME: Duration = Duration::from_millis(500);

/// Whether to stop, by Ctrl-C, SIGTERM or SIGHUP since the first call. Before it, these exit at once.
pub fn is_requested() -> bool {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        if let Err(error) = watch() {
            eprintln!("warning: Ctrl-C will not write a checkpoint ({error})");
        }
    });
    let is_requested = REQUESTED.load(Ordering::SeqCst) != 0;
    if is_requested {
        ANSWERED.store(true, Ordering::SeqCst);
    }
    is_requested
}

/// The exit code of a program that a signal stopped: 128 and the signal's number, as shells have it.
pub fn exit_code() -> Option<u8> {
    ANSWERED.load(Ordering::SeqCst).then(|| 128 + REQUESTED.load(Ordering::SeqCst))
}

/// What a signal does; `first` is the time of the first one.
fn receive(signal: u8, first: &mut Option<Instant>) {
    match first {
        None => {
            *first = Some(Instant::now());
            REQUESTED.store(signal, Ordering::SeqCst);
            eprintln!("\nstopping after this step; press Ctrl-C again to exit at once");
        }
        Some(first) if first.elapsed() > SAME => std::process::exit(128 + i32::from(signal)),
        Some(_) => {}
    }
}

#[cfg(unix)]
fn watch() -> std::io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

    let mut watched = vec![SIGINT, SIGTERM];
    if !is_hangup_ignored() {
        watched.push(SIGHUP);
    }
    let mut signals = signal_hook::iterator::Signals::new(watched)?;
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        let mut first = None;
        for signal in signals.forever() {
            receive(signal as u8, &mut first);
        }
    })?;
    Ok(())
}

/// Whether the program was started by `nohup`, which ignores SIGHUP: it is to go on after its terminal is closed.
#[cfg(unix)]
fn is_hangup_ignored() -> bool {
    use std::io::IsTerminal;

    match std::fs::read_to_string("/proc/self/status") {
        Ok(status) => {
            let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
            let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
            mask.is_some_and(|mask| mask & 1 << (signal_hook::consts::SIGHUP - 1) != 0)
        }
        // Without /proc: nohup leaves no output on the terminal.
        Err(_) => !std::io::stdout().is_terminal() && !std::io::stderr().is_terminal(),
    }
}

#[cfg(not(unix))]
fn watch() -> std::io::Result<()> {
    const CTRL_C: u8 = 2;

    let first = std::sync::Mutex::new(None);
    ctrlc::set_handler(move || {
        if let Ok(mut first) = first.lock() {
            receive(CTRL_C, &mut first);
        }
    })
    .map_err(std::io::Error::other)
}
