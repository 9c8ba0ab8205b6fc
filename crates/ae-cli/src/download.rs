//! The progress of a download on the terminal.

use ae_data::Progress;
use indicatif::{ProgressBar, ProgressStyle};

/// A bar for each address.
#[derive(Default)]
pub struct DownloadBar {
    bar: Option<ProgressBar>,
    address: String,
}

impl DownloadBar {
    pub fn show(&mut self, progress: Progress<'_>) {
        if self.address != progress.address {
            self.address = progress.address.to_owned();
            let bar = ProgressBar::new(progress.total.unwrap_or(0));
            let style = "{msg}\n{bar:40} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left";
            bar.set_style(
                ProgressStyle::with_template(style)
                    .unwrap_or_else(|_| ProgressStyle::default_bar()),
            );
            bar.set_message(self.address.clone());
            self.bar = Some(bar);
        }
        if let Some(bar) = &self.bar {
            bar.set_position(progress.received);
            if progress.total == Some(progress.received) {
                bar.finish();
            }
        }
    }
}
