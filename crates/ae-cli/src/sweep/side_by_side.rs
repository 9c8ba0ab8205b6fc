//! The runs of a sweep, as many at a time as there are cores.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use ae_data::DataSet;

use super::grid::Point;
use crate::args::NewRunArgs;
use crate::device::Choice;
use crate::error::{Error, Result};
use crate::inspect::read_json;
use crate::observers::duration;
use crate::recipe::{DataRecipe, Maker};
use crate::session::Folder;
use crate::summary::Summary;
use crate::train;
use crate::voice::Voice;

/// What all runs have in common.
pub(super) struct Sweep<'a> {
    pub(super) points: &'a [Point],
    pub(super) folder: &'a Folder,
    pub(super) data: DataRecipe,
    pub(super) set: DataSet,
    pub(super) choice: &'a Choice,
    pub(super) run: &'a NewRunArgs,
}

/// How a run ended.
pub(super) enum End {
    Done(Box<Summary>),
    /// Its numbers blew up; what does may do well elsewhere in the grid.
    Failed(String),
}

impl Sweep<'_> {
    /// Makes all runs, in the order of the points; none if they were stopped.
    ///
    /// On a CPU as many side by side as there are cores, each with its share of them: threads of one run
    /// wait for each other between kernels, those of several do not. How many is a matter of the grid and the
    /// machine alone, so that a sweep that goes on computes what one in one go does.
    pub(super) fn go(&self) -> Result<Option<Vec<End>>> {
        let cores = if ae_kernels::uses_workers(&self.choice.for_now().device) {
            ae_kernels::workers()
        } else {
            1
        };
        let at_once = cores.min(self.points.len());
        if at_once < 2 {
            let each = self.points.iter().enumerate().map(|(number, point)| {
                eprintln!("\nrun {} of {}: {}", number + 1, self.points.len(), point.name);
                self.one(point, Voice::Alone)
            });
            return each.collect();
        }
        eprintln!("{} runs, {at_once} at a time", self.points.len());
        let next = AtomicUsize::new(0);
        let ends = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for _ in 0..at_once {
                scope.spawn(|| {
                    ae_kernels::with_workers(cores / at_once, || {
                        while let Some(number) = self.take(&next) {
                            let point = &self.points[number];
                            let end = self.one(point, Voice::Among(point.name.clone()));
                            if !matches!(end, Ok(Some(_))) {
                                // What has begun goes on to its end, nothing more begins.
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

    /// One run; none if it was stopped.
    fn one(&self, point: &Point, voice: Voice) -> Result<Option<End>> {
        let own = Folder(self.folder.0.join(&point.name));
        if own.summary().is_file() && own.report().is_file() {
            voice.tell("done before");
            return Ok(Some(End::Done(Box::new(read_json(&own.summary())?))));
        }
        let is_begun = own.recipe().is_file();
        let args = NewRunArgs {
            out: (!is_begun).then(|| own.0.clone()),
            resume: is_begun.then(|| own.0.clone()),
            voice: voice.clone(),
            ..self.run.clone()
        };
        if voice != Voice::Alone {
            voice.tell(if is_begun { "goes on" } else { "begins" });
        }
        let (data, set, began) = (self.data.clone(), self.set.clone(), Instant::now());
        match train::one(&point.given, data, set, Maker::Train, self.choice, &args, began) {
            Ok(Some((_, summary))) => {
                let seconds = began.elapsed().as_secs_f64();
                voice.tell(format_args!("{}; {}", summary.sentence(), duration(seconds)));
                Ok(Some(End::Done(Box::new(summary))))
            }
            Ok(None) => Ok(None),
            Err(error @ Error::Train(ae_train::Error::NotFinite { .. })) => {
                voice.tell(&error);
                Ok(Some(End::Failed(error.to_string())))
            }
            Err(error) => {
                if voice != Voice::Alone {
                    voice.tell(format_args!("{error}; what has begun goes on to its end"));
                }
                Err(error)
            }
        }
    }
}
