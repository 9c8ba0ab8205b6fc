//! An allocator that suits training on a CPU.
#![allow(unsafe_code, reason = "an option of a C library has to be set through its interface")]

/// mimalloc, version 2. To be a program's, two lines:
///
/// ```
/// #[global_allocator]
/// static ALLOCATOR: ae_kernels::allocator::MiMalloc = ae_kernels::allocator::MiMalloc;
///
/// fn main() {
///     ae_kernels::allocator::keep_freed_memory();
/// }
/// ```
pub use mimalloc::MiMalloc;

/// `mi_option_purge_delay` of mimalloc 2 (mimalloc.h); the crate names no more than the type.
const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;

/// Milliseconds, instead of 10.
const KEPT: std::ffi::c_long = 10_000;

/// Lets freed memory stay with the program for ten seconds. mimalloc gives it back after ten milliseconds,
/// which is the time of a step, and then the system clears every page anew: 146 steps/s of a deep dense model
/// become 169 (`benches/README.md`).
pub fn keep_freed_memory() {
    // SAFETY: the option exists, and setting one has no condition.
    unsafe { libmimalloc_sys::mi_option_set(PURGE_DELAY, KEPT) };
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The number stands for the option that is meant: its value is the documented default, 10 ms.
    #[test]
    fn the_option_is_the_delay() {
        // SAFETY: reading an option has no condition.
        let delay = || unsafe { libmimalloc_sys::mi_option_get(PURGE_DELAY) };
        if std::env::var_os("MIMALLOC_PURGE_DELAY").is_none() {
            assert_eq!(delay(), 10);
        }
        keep_freed_memory();
        assert_eq!(delay(), KEPT);
    }
}
