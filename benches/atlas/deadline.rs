//! When a run must be over, and how much of it a section has.

use std::time::{Duration, Instant};

#[derive(Clone, Copy)]
pub struct Deadline {
    began: Instant,
    length: Duration,
}

impl Deadline {
    pub fn after(seconds: f64) -> Self {
        Self { began: Instant::now(), length: Duration::from_secs_f64(seconds) }
    }

    /// Seconds since the run began.
    pub fn elapsed(&self) -> f64 {
        self.began.elapsed().as_secs_f64()
    }

    pub fn left(&self) -> Duration {
        self.length.saturating_sub(self.began.elapsed())
    }

    pub fn is_over(&self) -> bool {
        self.left().is_zero()
    }

    /// That of a section which may take such a share of what is left.
    pub fn share(&self, share: f64) -> Self {
        Self { began: Instant::now(), length: self.left().mul_f64(share) }
    }
}
