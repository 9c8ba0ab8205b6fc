//! The runs of a sweep, in parallel on the CPU.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use ae_data::DataSet;

use super::grid::Point;
use crate::{Error, Result};
use ae_device::Choice;
use ae_recipe::{Command, DataRecipe};
use ae_run::RunDir;
use ae_run::Summary;
use ae_run::files::read_json;
use ae_run::{Listener, RunOptions};
use ae_train::format::duration;

/// The runs, and what they have in common.
pub(super) struct Sweep<'a> {
    pub(super) points: &'a [Point],
    pub(super) folder: &'a RunDir,
    pub(super) data: DataRecipe,
    pub(super) set: DataSet,
    pub(super) choice: &'a Choice,
    pub(super) options: &'a RunOptions,
}

/// How a run ended.
pub(super) enum End {
    Done(Box<Summary>),
    /// The loss became NaN or infinite; other points of the grid may still do well.
    Failed(String),
}

impl Sweep<'_> {
    /// Trains all runs, and returns how each ended in the order of the points; `None` if they were stopped.
    ///
    /// On a CPU one run per core trains in parallel, with an equal share of the cores: threads of one run
    /// wait for each other between kernels, those of several runs do not. The number depends only on the
    /// grid and the machine, so that a resumed sweep computes the same numbers.
    pub(super) fn run_all(&self) -> Result<Option<Vec<End>>> {
        let cores = if ae_kernels::uses_threads(&self.choice.provisional().handle) {
            ae_kernels::num_threads()
        } else {
            1
        };
        let at_once = cores.min(self.points.len());
        let listener = &self.options.listener;
        if at_once < 2 {
            let each = self.points.iter().enumerate().map(|(number, point)| {
                let count = self.points.len();
                listener.notice(&format_args!("\nrun {} of {count}: {}", number + 1, point.name));
                self.run(point, listener.clone(), false)
            });
            return each.collect();
        }
        listener.notice(&format_args!("{} runs, {at_once} at a time", self.points.len()));
        let next = AtomicUsize::new(0);
        let ends = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for _ in 0..at_once {
                scope.spawn(|| {
                    ae_kernels::with_threads(cores / at_once, || {
                        while let Some(number) = self.take(&next) {
                            let point = &self.points[number];
                            let end = self.run(point, listener.for_parallel_run(&point.name), true);
                            if !matches!(end, Ok(Some(_))) {
                                // Runs in progress finish; no other starts.
                                next.store(self.points.len(), Ordering::Relaxed);
                            }
                            ends.lock().unwrap_or_else(|it| it.into_inner()).push((number, end));
                        }
                    });
                });
            }
        });
        let mut ends = ends.into_inner().unwrap_or_else(|it| it.into_inner());
        ends.sort_by_key(|(number, _)| *number);
        ends.into_iter().map(|(_, end)| end).collect()
    }

    fn take(&self, next: &AtomicUsize) -> Option<usize> {
        let number = next.fetch_add(1, Ordering::Relaxed);
        (number < self.points.len()).then_some(number)
    }

    /// Trains one run, unless it is done; `None` if it was stopped.
    fn run(
        &self,
        point: &Point,
        listener: Arc<dyn Listener>,
        is_parallel: bool,
    ) -> Result<Option<End>> {
        let folder = RunDir(self.folder.0.join(&point.name));
        if folder.summary().is_file() && folder.report().is_file() {
            listener.notice(&"already done");
            return Ok(Some(End::Done(Box::new(read_json(&folder.summary())?))));
        }
        let is_started = folder.recipe().is_file();
        let options = RunOptions {
            out: (!is_started).then(|| folder.0.clone()),
            resume: is_started.then(|| folder.0.clone()),
            listener: listener.clone(),
            ..self.options.clone()
        };
        if is_parallel {
            listener.notice(&if is_started { "resumes" } else { "starts" });
        }
        let (data, set, started) = (self.data.clone(), self.set.clone(), Instant::now());
        let overrides = &point.overrides;
        let trained =
            ae_run::train(overrides, data, set, Command::Train, self.choice, &options, started);
        let reported = trained.map_err(Error::from).and_then(|finished| {
            if let Some(finished) = &finished {
                ae_report::write_autoencoder(finished)?;
            }
            Ok(finished)
        });
        let finished = match reported {
            Ok(Some(finished)) => finished,
            Ok(None) => return Ok(None),
            Err(error) if error.is_divergence() => {
                listener.notice(&error);
                return Ok(Some(End::Failed(error.to_string())));
            }
            Err(error) => {
                if is_parallel {
                    listener.notice(&format_args!("{error}; runs in progress finish"));
                }
                return Err(error);
            }
        };
        let (summary, seconds) = (finished.summary, started.elapsed().as_secs_f64());
        listener.notice(&format_args!("{}; {}", summary.sentence(), duration(seconds)));
        Ok(Some(End::Done(Box::new(summary))))
    }
}
