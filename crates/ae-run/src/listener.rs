//! Who is told what a run does.

use std::fmt::Display;
use std::sync::Arc;

use ae_data::Progress;
use ae_train::{Event, Flow, Observer};

/// Who is told what a run does, and may stop it. `()` is nobody.
pub trait Listener: Send + Sync {
    /// A line about the progress of the run.
    fn progress(&self, _line: &dyn Display) {}

    /// A line that the user has to see, also where several runs report at once.
    fn notice(&self, line: &dyn Display) {
        self.progress(line);
    }

    /// Who is told of one of several runs that train in parallel, by its name.
    fn for_parallel_run(&self, _name: &str) -> Arc<dyn Listener> {
        Arc::new(())
    }

    /// How much of a file is downloaded.
    fn download(&self, _progress: Progress<'_>) {}

    /// Watches a training of this many epochs.
    fn observer(&self, _epochs: usize) -> Option<Box<dyn Observer>> {
        None
    }

    /// Whether to stop: a training then writes a checkpoint and ends.
    fn is_stopping(&self) -> bool {
        false
    }
}

impl Listener for () {}

/// Stops a training where the listener asks for it.
pub(crate) struct StopOnRequest(pub(crate) Arc<dyn Listener>);

impl Observer for StopOnRequest {
    fn observe(&mut self, _: &Event<'_>) -> Flow {
        if self.0.is_stopping() { Flow::Stop } else { Flow::Continue }
    }
}
