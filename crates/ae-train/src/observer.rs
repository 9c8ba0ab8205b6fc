//! What training tells of itself, and to whom.

use std::path::Path;

use crate::{EpochReport, Warning};

/// Something that happened in a run.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The pretraining of a layer begins; the events that follow are of its run.
    Layer {
        /// From 1, the one nearest to the input.
        number: usize,
        /// How many there are.
        of: usize,
    },
    /// Training begins, or goes on from a checkpoint.
    Start {
        /// Steps already done.
        done: u64,
        /// Steps in all.
        steps: u64,
        /// Steps of an epoch.
        steps_per_epoch: u64,
        /// Samples of a step.
        batch: usize,
        /// Whether the training part lies on the device.
        resident: bool,
    },
    /// A step was sent to the device. Nothing is known of its loss yet.
    Step {
        /// Steps done.
        done: u64,
        /// The epoch it belongs to, from 1.
        epoch: usize,
    },
    /// The terms of the steps since the last reading were read back from the device.
    Read {
        /// Steps done.
        done: u64,
        /// The epoch, from 1.
        epoch: usize,
        /// The mean of each term over those steps, named, each with its weight.
        terms: &'a [(String, f64)],
        /// The learning rate of the last of them.
        rate: f64,
    },
    /// An epoch ended.
    Epoch(&'a EpochReport),
    /// A checkpoint was written.
    Checkpoint {
        /// Its file.
        path: &'a Path,
        /// Steps done.
        done: u64,
    },
    /// Something looks wrong; training goes on.
    Warning(&'a Warning),
}

/// What training does after an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Goes on.
    Continue,
    /// Finishes the step, writes a checkpoint if the run has them, and returns.
    Stop,
}

/// Somebody who wants to know: a progress bar, a log, a file; or a person at Ctrl-C.
pub trait Observer {
    /// Takes note of an event, and says whether to go on.
    fn observe(&mut self, event: &Event<'_>) -> Flow;
}

/// Nobody.
impl Observer for () {
    fn observe(&mut self, _: &Event<'_>) -> Flow {
        Flow::Continue
    }
}

/// Any function of an event.
impl<F: FnMut(&Event<'_>) -> Flow> Observer for F {
    fn observe(&mut self, event: &Event<'_>) -> Flow {
        self(event)
    }
}

/// All of them; one that says stop is enough.
impl Observer for Vec<Box<dyn Observer>> {
    fn observe(&mut self, event: &Event<'_>) -> Flow {
        let mut flow = Flow::Continue;
        for observer in self {
            if observer.observe(event) == Flow::Stop {
                flow = Flow::Stop;
            }
        }
        flow
    }
}
