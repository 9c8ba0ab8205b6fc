//! Panics as sentences: a device that is lost or runs out of memory shows as one deep in Burn, perhaps on
//! another thread.

use std::panic;
use std::sync::Mutex;

/// What the first panic said, and where.
static FIRST: Mutex<Option<String>> = Mutex::new(None);

/// Keeps what panics say for [`caught`], in place of printing it.
pub fn keep() {
    panic::set_hook(Box::new(|info| {
        let text = info.payload_as_str().unwrap_or("no reason given").to_owned();
        let place = info.location().map(|place| format!(" ({}:{})", place.file(), place.line()));
        if let Ok(mut first) = FIRST.lock() {
            first.get_or_insert(text + &place.unwrap_or_default());
        }
    }));
}

/// What the body gives, or of a panic what the first one said since.
pub fn caught<R>(body: impl FnOnce() -> R + panic::UnwindSafe) -> Result<R, String> {
    let take = || FIRST.lock().ok().and_then(|mut first| first.take());
    take();
    panic::catch_unwind(body).map_err(|_| {
        let reason = take().unwrap_or_else(|| "see above".into());
        reason.trim().trim_end_matches('.').to_owned()
    })
}
