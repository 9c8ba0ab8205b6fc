//! The pause between two turns, and whether anybody else is at work on the machine meanwhile.

use std::thread::sleep;
use std::time::Duration;

/// After which the worker threads of the side before no longer spin.
const SETTLE: Duration = Duration::from_millis(250);
const LOOK: Duration = Duration::from_millis(100);

/// The share of the processors' time in which they had nothing to do, where the system tells.
pub fn pause() -> Option<f64> {
    sleep(SETTLE);
    let before = ticks();
    sleep(LOOK);
    let ([idle_before, all_before], [idle, all]) = (before?, ticks()?);
    Some((idle - idle_before) as f64 / (all - all_before).max(1) as f64)
}

/// Of idleness, and in all.
fn ticks() -> Option<[u64; 2]> {
    let text = std::fs::read_to_string("/proc/stat").ok()?;
    let numbers = text.lines().next()?.split_whitespace().skip(1);
    // The two that follow are parts of the first.
    let ticks: Vec<u64> = numbers.take(8).filter_map(|number| number.parse().ok()).collect();
    Some([ticks.get(3)? + ticks.get(4)?, ticks.iter().sum()])
}
