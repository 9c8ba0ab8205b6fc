//! Receives what runs report, and may stop them.

use std::fmt::Display;
use std::sync::Arc;

use ae_data::Progress;
use ae_train::{Event, Flow, Observer};

/// Receives what a run reports, and may stop it. `()` ignores everything.
pub trait Listener: Send + Sync {
    /// A line about the progress of the run.
    fn progress(&self, _line: &dyn Display) {}

    /// A line that the user has to see, also where several runs report at once.
    fn notice(&self, line: &dyn Display) {
        self.progress(line);
    }

    /// The listener of one of several runs that train in parallel, by its name. It stops when this one does.
    fn for_parallel_run(&self, name: &str) -> Arc<dyn Listener>;

    /// How much of a file is downloaded.
    fn download(&self, _progress: Progress<'_>) {}

    /// Watches a training of this many epochs.
    fn observer(&self, _epochs: usize) -> Option<Box<dyn Observer>> {
        None
    }

    /// Whether to stop: a training then writes a checkpoint and ends. Asked once before a training, so that a
    /// program can start to watch for Ctrl-C, and at each event.
    fn is_stopping(&self) -> bool {
        false
    }
}

impl Listener for () {
    fn for_parallel_run(&self, _name: &str) -> Arc<dyn Listener> {
        Arc::new(())
    }
}

/// Stops a training where the listener asks for it.
pub(crate) struct StopOnRequest(Arc<dyn Listener>);

impl StopOnRequest {
    pub(crate) fn new(listener: Arc<dyn Listener>) -> Self {
        // Lets it start to watch.
        listener.is_stopping();
        Self(listener)
    }
}

impl Observer for StopOnRequest {
    fn observe(&mut self, _: &Event<'_>) -> Flow {
        if self.0.is_stopping() { Flow::Stop } else { Flow::Continue }
    }
}
