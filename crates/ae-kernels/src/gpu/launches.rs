//! What a piece of work launches on a GPU: which kernels, how often, and of ours how large.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use burn_cubecl::cubecl::logging::{LaunchObservation, LaunchObserver};

/// A launch of one of our kernels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launched {
    /// The kernel and what it computes.
    pub kernel: &'static str,
    /// Its workgroups.
    pub workgroups: usize,
    /// Multiplications that are added to a sum.
    pub multiply_adds: usize,
    /// Bytes of operands and results, each counted once.
    pub bytes: usize,
}

/// Launches since an observation began.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Launches {
    /// Every kernel by name, Burn's as well as ours, and how often it was launched.
    pub counts: BTreeMap<String, usize>,
    /// Ours, in order.
    pub ours: Vec<Launched>,
}

impl Launches {
    /// How many there were.
    pub fn total(&self) -> usize {
        self.counts.values().sum()
    }
}

/// Launches of ours while some work is observed; `None`: it is not.
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

/// The last part of each path in a type's name, without the types that it is generic over.
fn short(name: &str) -> String {
    let name = name.split('<').next().unwrap_or(name);
    name.rsplit("::").next().unwrap_or(name).to_owned()
}

/// Runs `work` and tells what the process launched meanwhile. One observation at a time: launches of other threads
/// are counted as well.
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
