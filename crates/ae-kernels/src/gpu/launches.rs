//! Counts what some work launches on a GPU: the kernels, how often, and the sizes of this crate's kernels.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use burn_cubecl::cubecl::logging::{LaunchObservation, LaunchObserver};

/// A launch of one of this crate's kernels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launched {
    /// The kernel and what it computes.
    pub kernel: &'static str,
    /// Its workgroups.
    pub workgroups: usize,
    /// Multiply-adds.
    pub multiply_adds: usize,
    /// Bytes of operands and results, each counted once.
    pub bytes: usize,
}

/// The launches of an observation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Launches {
    /// Every kernel by name, Burn's as well as this crate's, and how often it was launched.
    pub counts: BTreeMap<String, usize>,
    /// This crate's launches, in order.
    pub ours: Vec<Launched>,
}

impl Launches {
    /// The number of launches.
    pub fn total(&self) -> usize {
        self.counts.values().sum()
    }
}

/// This crate's launches during an observation; `None` if there is none.
static OURS: Mutex<Option<Vec<Launched>>> = Mutex::new(None);

pub(crate) fn note(kernel: &'static str, workgroups: usize, multiply_adds: usize, bytes: usize) {
    let mut ours = OURS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(ours) = &mut *ours {
        ours.push(Launched { kernel, workgroups, multiply_adds, bytes });
    }
}

#[derive(Default)]
struct Counts(Mutex<BTreeMap<String, usize>>);

impl LaunchObserver for Counts {
    fn launched(&self, kernel: &'static str) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(short(kernel)).or_default() += 1;
    }
}

/// The last part of each path in a type's name, without generic arguments.
fn short(name: &str) -> String {
    let name = name.split('<').next().unwrap_or(name);
    name.rsplit("::").next().unwrap_or(name).to_owned()
}

/// Runs `work` and returns what the process launched meanwhile. Only one observation runs at a time, and it also counts
/// launches of other threads.
pub fn launches<R>(work: impl FnOnce() -> R) -> (R, Launches) {
    let counts = Arc::new(Counts::default());
    let observation = LaunchObservation::new(counts.clone());
    *OURS.lock().unwrap_or_else(PoisonError::into_inner) = Some(Vec::new());
    let result = work();
    let ours = OURS.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_default();
    drop(observation);
    let counts = counts.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
    (result, Launches { counts, ours })
}
