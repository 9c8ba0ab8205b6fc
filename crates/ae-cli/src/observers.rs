//! The progress of a training on the terminal.

use std::io::IsTerminal;
use std::time::Instant;

use ae_train::{EpochReport, Event, Flow, Measured, Observer, Validation};
use indicatif::{ProgressBar, ProgressStyle};

use ae_train::format::{count, duration, number};

/// Prints only warnings, of a run with this name.
pub struct Warnings(pub String);

impl Observer for Warnings {
    fn observe(&mut self, event: &Event<'_>) -> Flow {
        if let Event::Warning(warning) = event {
            eprintln!("{}: warning: {warning}", self.0);
        }
        Flow::Continue
    }
}

/// Prints a line per epoch; on a terminal also shows a progress bar.
pub struct Terminal {
    epochs: usize,
    batch: u64,
    bar: Option<ProgressBar>,
    started: Instant,
    done_before: u64,
}

impl Terminal {
    pub fn new(epochs: usize) -> Self {
        Self { epochs, batch: 0, bar: None, started: Instant::now(), done_before: 0 }
    }

    fn print(&self, line: &str) {
        print(self.bar.as_ref(), line);
    }
}

fn print(bar: Option<&ProgressBar>, line: &str) {
    match bar {
        Some(bar) => bar.suspend(|| eprintln!("{line}")),
        None => eprintln!("{line}"),
    }
}

impl Observer for Terminal {
    fn observe(&mut self, event: &Event<'_>) -> Flow {
        match event {
            Event::Layer { number, of } => {
                self.print(&format!("layer {number} of {of}"));
            }
            Event::Start { done, steps, batch, resident, .. } => {
                self.batch = *batch as u64;
                self.done_before = *done;
                self.started = Instant::now();
                if *done > 0 {
                    self.print(&format!("resuming after step {done} of {steps}"));
                }
                if !resident {
                    self.print(
                        "the training set exceeds --resident-limit and is streamed to the device",
                    );
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
            Event::Initial(validation) => {
                let width = self.epochs.to_string().len();
                self.print(&format!("epoch {:>width$}/{}{}", 0, self.epochs, tail(validation)));
            }
            Event::Step { done, .. } => {
                if let Some(bar) = &self.bar {
                    bar.set_position(*done);
                }
            }
            Event::Losses { done, epoch, terms, .. } => {
                if let Some(bar) = &self.bar {
                    let seconds = self.started.elapsed().as_secs_f64();
                    let steps = (done - self.done_before) as f64;
                    let left = bar.length().unwrap_or(*done).saturating_sub(*done) as f64;
                    let loss: f64 = terms.iter().map(|(_, value)| value).sum();
                    bar.set_message(format!(
                        "epoch {epoch}/{}  loss {}  {} samples/s  {} left",
                        self.epochs,
                        number(loss),
                        count(steps * self.batch as f64 / seconds.max(1e-9)),
                        duration(left * seconds / steps.max(1.0)),
                    ));
                }
            }
            Event::Epoch(report) => {
                self.print(&line(report, self.epochs));
                if report.epoch == self.epochs
                    && let Some(bar) = &self.bar
                {
                    bar.finish_and_clear();
                }
            }
            Event::Warning(warning) => self.print(&format!("warning: {warning}")),
            _ => {}
        }
        Flow::Continue
    }
}

/// The report of an epoch, in a line.
fn line(report: &EpochReport, epochs: usize) -> String {
    let width = epochs.to_string().len();
    let mut line = format!("epoch {:>width$}/{epochs}  ", report.epoch);
    let terms: Vec<String> =
        report.training.iter().map(|(name, value)| format!("{name} {}", number(*value))).collect();
    line += &terms.join(" + ");
    if let Some(validation) = &report.validation {
        line += &tail(validation);
    }
    line + &format!(
        "  {} samples/s, {}",
        count(report.samples_per_second),
        duration(report.seconds)
    )
}

/// The losses of the validation part, for the end of a line.
fn tail(validation: &Validation) -> String {
    let loss = format!("  validation {}", number(validation.loss()));
    match &validation.measured {
        Measured::Evaluation(evaluation) => {
            format!("{loss}, squared error {}", number(evaluation.squared_error))
        }
        Measured::Classification(classification) => {
            format!("{loss}, accuracy {:.1} %", 100.0 * classification.accuracy())
        }
    }
}
