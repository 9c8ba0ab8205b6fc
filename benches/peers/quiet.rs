//! The pause between two turns, and whether anybody else is at work on the machine meanwhile. Turns that were
//! disturbed are taken again.

use std::thread::sleep;
use std::time::Duration;

/// After which the worker threads of the side before no longer spin.
const SETTLE: Duration = Duration::from_millis(250);
const LOOK: Duration = Duration::from_millis(100);

/// Others are at work on a machine that is less idle than this between turns.
pub const IDLE: f64 = 0.9;

/// How often a turn is taken again, and how often the machine is looked at before one.
const TRIES: usize = 8;
const LOOKS: usize = 600;

/// Takes a turn once nobody else is at work, and again where somebody was right after it. With it comes the share
/// of the processors' time in which they had nothing to do then, where the system tells.
///
/// On a GPU (`is_on_gpu`) one look and one turn: minutes are few there, and processors do little of the work.
pub fn undisturbed<T, E>(
    is_on_gpu: bool,
    mut turn: impl FnMut() -> Result<T, E>,
) -> Result<(T, Option<f64>), E> {
    let (tries, looks) = if is_on_gpu { (1, 1) } else { (TRIES, LOOKS) };
    let is_disturbed = |idle: Option<f64>| idle.is_some_and(|idle| idle < IDLE);
    for attempt in 1.. {
        for _ in 0..looks {
            if !is_disturbed(look()) {
                break;
            }
            sleep(SETTLE);
        }
        let taken = turn()?;
        sleep(SETTLE);
        let idle = look();
        if !is_disturbed(idle) || attempt == tries {
            return Ok((taken, idle));
        }
    }
    unreachable!("the last attempt counts")
}

/// The share of the processors' time in which they have nothing to do, where the system tells.
fn look() -> Option<f64> {
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
