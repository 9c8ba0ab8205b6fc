//! Who watches a training: the terminal, and Ctrl-C.

use std::io::IsTerminal;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use crate::voice::Voice;
use ae_train::{EpochReport, Event, Flow, Measured, Observer};
use indicatif::{ProgressBar, ProgressStyle};

/// Stops the run after Ctrl-C, and those that would follow; a second one ends the program at once.
pub struct Interrupt;

static ASKED: AtomicBool = AtomicBool::new(false);

impl Interrupt {
    pub fn new() -> Self {
        static CAUGHT: Once = Once::new();
        CAUGHT.call_once(|| {
            // Where signals cannot be caught, Ctrl-C ends the program as it always did.
            let caught = ctrlc::set_handler(|| {
                if ASKED.swap(true, Ordering::SeqCst) {
                    std::process::exit(130);
                }
                eprintln!("\nstopping after this step; once more to stop at once");
            });
            if let Err(error) = caught {
                eprintln!("note: Ctrl-C will not write a checkpoint ({error})");
            }
        });
        Self
    }
}

impl Interrupt {
    pub fn is_asked(&self) -> bool {
        ASKED.load(Ordering::SeqCst)
    }
}

impl Observer for Interrupt {
    fn observe(&mut self, _: &Event<'_>) -> Flow {
        if self.is_asked() { Flow::Stop } else { Flow::Continue }
    }
}

/// Tells of warnings only.
pub struct Warnings(pub Voice);

impl Observer for Warnings {
    fn observe(&mut self, event: &Event<'_>) -> Flow {
        if let Event::Warning(warning) = event {
            self.0.tell(format_args!("warning: {warning}"));
        }
        Flow::Continue
    }
}

/// A bar on a terminal, a line an epoch elsewhere.
pub struct Terminal {
    epochs: usize,
    batch: u64,
    bar: Option<ProgressBar>,
    began: Instant,
    done_before: u64,
}

impl Terminal {
    pub fn new(epochs: usize) -> Self {
        Self { epochs, batch: 0, bar: None, began: Instant::now(), done_before: 0 }
    }

    fn say(&self, line: &str) {
        say(self.bar.as_ref(), line);
    }
}

fn say(bar: Option<&ProgressBar>, line: &str) {
    match bar {
        Some(bar) => bar.suspend(|| eprintln!("{line}")),
        None => eprintln!("{line}"),
    }
}

impl Observer for Terminal {
    fn observe(&mut self, event: &Event<'_>) -> Flow {
        match event {
            Event::Layer { number, of } => {
                self.say(&format!("layer {number} of {of}"));
            }
            Event::Start { done, steps, batch, resident, .. } => {
                self.batch = *batch as u64;
                self.done_before = *done;
                self.began = Instant::now();
                if *done > 0 {
                    self.say(&format!("goes on after step {done} of {steps}"));
                }
                if !resident {
                    self.say("the training part does not fit on the device and is streamed");
                }
                if std::io::stderr().is_terminal() {
                    let bar = ProgressBar::new(*steps).with_position(*done);
                    let style = "{bar:30} {pos}/{len} steps  {msg}";
                    if let Ok(style) = ProgressStyle::with_template(style) {
                        bar.set_style(style);
                    }
                    self.bar = Some(bar);
                }
            }
            Event::Step { done, .. } => {
                if let Some(bar) = &self.bar {
                    bar.set_position(*done);
                }
            }
            Event::Read { done, epoch, terms, .. } => {
                if let Some(bar) = &self.bar {
                    let seconds = self.began.elapsed().as_secs_f64();
                    let steps = (done - self.done_before) as f64;
                    let left = bar.length().unwrap_or(*done).saturating_sub(*done) as f64;
                    let loss: f64 = terms.iter().map(|(_, value)| value).sum();
                    bar.set_message(format!(
                        "epoch {epoch}/{}  loss {}  {} samples/s  {} left",
                        self.epochs,
                        digits(loss),
                        count(steps * self.batch as f64 / seconds.max(1e-9)),
                        duration(left * seconds / steps.max(1.0)),
                    ));
                }
            }
            Event::Epoch(report) => {
                self.say(&line(report, self.epochs));
                if report.epoch == self.epochs
                    && let Some(bar) = &self.bar
                {
                    bar.finish_and_clear();
                }
            }
            Event::Warning(warning) => self.say(&format!("warning: {warning}")),
            _ => {}
        }
        Flow::Continue
    }
}

/// An epoch in a line.
fn line(report: &EpochReport, epochs: usize) -> String {
    let width = epochs.to_string().len();
    let mut line = format!("epoch {:>width$}/{epochs}  ", report.epoch);
    let terms: Vec<String> =
        report.training.iter().map(|(name, value)| format!("{name} {}", digits(*value))).collect();
    line += &terms.join(" + ");
    if let Some(validation) = &report.validation {
        line += &format!("  validation {}", digits(validation.loss()));
        match &validation.measured {
            Measured::Evaluation(evaluation) => {
                line += &format!(", squared error {}", digits(evaluation.squared_error));
            }
            Measured::Classification(classification) => {
                line += &format!(", {:.1} % right", 100.0 * classification.accuracy());
            }
        }
    }
    line + &format!(
        "  {} samples/s, {}",
        count(report.samples_per_second),
        duration(report.seconds)
    )
}

/// A number in four digits.
pub fn digits(value: f64) -> String {
    let magnitude = value.abs().log10().floor();
    match value {
        _ if !value.is_finite() || value == 0.0 => value.to_string(),
        _ if (-3.0..4.0).contains(&magnitude) => {
            format!("{value:.*}", (3.0 - magnitude).clamp(0.0, 6.0) as usize)
        }
        _ => format!("{value:.3e}"),
    }
}

/// A number of things, in thousands.
pub fn count(value: f64) -> String {
    let text = format!("{value:.0}");
    let groups: Vec<&str> = text
        .as_bytes()
        .rchunks(3)
        .rev()
        .map(|digits| std::str::from_utf8(digits).unwrap_or_default())
        .collect();
    groups.join(",")
}

/// A time, in seconds or minutes.
pub fn duration(seconds: f64) -> String {
    match seconds {
        _ if seconds < 10.0 => format!("{seconds:.1} s"),
        _ if seconds < 120.0 => format!("{seconds:.0} s"),
        _ if seconds < 7200.0 => format!("{:.0} min", seconds / 60.0),
        _ => format!("{:.1} h", seconds / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        let all: Vec<String> = [0.0, 74.123, 5.0, 12345.0, 0.00123, 1e-9].map(digits).into();
        assert_eq!(all, ["0", "74.12", "5.000", "1.234e4", "0.001230", "1.000e-9"]);
        assert_eq!(count(1234567.0), "1,234,567");
        assert_eq!([3.21, 60.0, 600.0, 9000.0].map(duration), ["3.2 s", "60 s", "10 min", "2.5 h"]);
    }
}
