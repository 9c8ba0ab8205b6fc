//! Ctrl-C: stops the run, and any that would follow; a second one exits at once.

use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

static REQUESTED: AtomicBool = AtomicBool::new(false);

/// Whether Ctrl-C was pressed since the first call. Before it, Ctrl-C exits at once.
pub fn is_requested() -> bool {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let installed = ctrlc::set_handler(|| {
            if REQUESTED.swap(true, Ordering::SeqCst) {
                std::process::exit(130);
            }
            eprintln!("\nstopping after this step; press Ctrl-C again to exit at once");
        });
        if let Err(error) = installed {
            eprintln!("warning: Ctrl-C will not write a checkpoint ({error})");
        }
    });
    REQUESTED.load(Ordering::SeqCst)
}
