//! What runs print to the terminal.

use std::fmt::Display;
use std::sync::{Arc, Mutex};

use ae_data::Progress;
use ae_run::Listener;
use ae_train::Observer;

use crate::download::DownloadBar;
use crate::interrupt;
use crate::observers::{Terminal, Warnings};

/// The terminal of a run.
#[derive(Default)]
pub struct Console {
    /// The name of the run, if it is one of several parallel ones: then only notices are printed.
    parallel: Option<String>,
    bar: Mutex<DownloadBar>,
}

impl Console {
    /// The terminal of the only run, or of runs one after the other.
    pub fn single() -> Arc<dyn Listener> {
        Arc::new(Self::default())
    }
}

impl Listener for Console {
    fn progress(&self, line: &dyn Display) {
        if self.parallel.is_none() {
            eprintln!("{line}");
        }
    }

    fn notice(&self, line: &dyn Display) {
        match &self.parallel {
            None => eprintln!("{line}"),
            Some(name) => eprintln!("{name}: {line}"),
        }
    }

    fn for_parallel_run(&self, name: &str) -> Arc<dyn Listener> {
        Arc::new(Self { parallel: Some(name.to_owned()), ..Self::default() })
    }

    fn download(&self, progress: Progress<'_>) {
        if let Ok(mut bar) = self.bar.lock() {
            bar.show(progress);
        }
    }

    fn observer(&self, epochs: usize) -> Option<Box<dyn Observer>> {
        Some(match &self.parallel {
            None => Box::new(Terminal::new(epochs)),
            Some(name) => Box::new(Warnings(name.clone())),
        })
    }

    fn is_stopping(&self) -> bool {
        interrupt::is_requested()
    }
}
