//! Progress of an imputation on the terminal.

use std::io::IsTerminal;

use ae_train::{Event, Flow, Observer};
use indicatif::{ProgressBar, ProgressStyle};

use crate::interrupt;

/// A bar over the steps of all models, and Ctrl-C.
pub struct Progress {
    models: usize,
    model: usize,
    bar: Option<ProgressBar>,
}

impl Progress {
    pub fn new(models: usize) -> Self {
        Self { models, model: 0, bar: None }
    }
}

impl Observer for Progress {
    fn observe(&mut self, event: &Event<'_>) -> Flow {
        match event {
            Event::Start { steps, .. } => {
                self.model += 1;
                if std::io::stderr().is_terminal() {
                    let bar = ProgressBar::new(*steps);
                    let style = "model {msg}  {bar:30} {pos}/{len} steps";
                    if let Ok(style) = ProgressStyle::with_template(style) {
                        bar.set_style(style);
                    }
                    bar.set_message(format!("{} of {}", self.model, self.models));
                    self.bar = Some(bar);
                }
            }
            Event::Step { done, .. } => {
                if let Some(bar) = &self.bar {
                    bar.set_position(*done);
                }
            }
            _ => {}
        }
        if interrupt::is_requested() { Flow::Stop } else { Flow::Continue }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
