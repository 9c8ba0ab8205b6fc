//! The events of a training run, and observers of them.

use std::path::Path;

use crate::{EpochReport, Validation, Warning};

/// An event in a run.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The pretraining of a layer starts. The next events are those of its run.
    Layer {
        /// The number of the layer, from 1 at the input.
        number: usize,
        /// The number of layers.
        of: usize,
    },
    /// Training starts, or resumes from a checkpoint.
    Start {
        /// Steps already done.
        done: u64,
        /// Steps of the whole run.
        steps: u64,
        /// Steps of an epoch.
        steps_per_epoch: u64,
        /// Samples of a step.
        batch: usize,
        /// Whether the training set is on the device.
        resident: bool,
    },
    /// The validation of the initial weights. A resumed run does not repeat it.
    Initial(&'a Validation),
    /// A step was sent to the device. Its loss is not known yet.
    Step {
        /// Steps done.
        done: u64,
        /// The epoch of the step, from 1.
        epoch: usize,
    },
    /// The losses of the steps since the last reading were read from the device.
    Losses {
        /// Steps done.
        done: u64,
        /// The epoch, from 1.
        epoch: usize,
        /// The name and the mean of each term over these steps, with its weight.
        terms: &'a [(String, f64)],
        /// The learning rate of the last step.
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
    /// Something looks wrong. Training continues.
    Warning(&'a Warning),
}

/// Whether a run continues after an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// The run continues.
    Continue,
    /// The run finishes the step, writes a checkpoint if it has them, and returns.
    Stop,
}

/// An observer of a run, such as a progress bar or a log. It can stop the run, for example on Ctrl-C.
pub trait Observer {
    /// Handles an event, and returns whether the run continues.
    fn observe(&mut self, event: &Event<'_>) -> Flow;
}

/// An observer that ignores all events.
impl Observer for () {
    fn observe(&mut self, _: &Event<'_>) -> Flow {
        Flow::Continue
    }
}

/// A function of events is an observer.
impl<F: FnMut(&Event<'_>) -> Flow> Observer for F {
    fn observe(&mut self, event: &Event<'_>) -> Flow {
        self(event)
    }
}

/// Several observers. Each of them can stop the run.
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
