//! Panics as error messages: a lost device or one out of memory shows as a panic deep in Burn, perhaps on another
//! thread.

use std::panic;
use std::sync::Mutex;

/// The message and place of the first panic.
static FIRST: Mutex<Option<String>> = Mutex::new(None);

/// Stores the messages of panics for [`catch`], in place of printing them.
pub fn capture() {
    panic::set_hook(Box::new(|info| {
        let text = info.payload_as_str().unwrap_or("no reason given").to_owned();
        let place = info.location().map(|place| format!(" ({}:{})", place.file(), place.line()));
        if let Ok(mut first) = FIRST.lock() {
            first.get_or_insert(text + &place.unwrap_or_default());
        }
    }));
}

/// Runs the body; a panic becomes an error with the message of the first one.
pub fn catch<R>(body: impl FnOnce() -> R + panic::UnwindSafe) -> Result<R, String> {
    let take = || FIRST.lock().ok().and_then(|mut first| first.take());
    take();
    panic::catch_unwind(body).map_err(|_| {
        let reason = take().unwrap_or_else(|| "see above".into());
        reason.trim().trim_end_matches('.').to_owned()
    })
}
