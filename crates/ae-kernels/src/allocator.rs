//! An allocator that suits training on a CPU.
#![allow(unsafe_code, reason = "an option of a C library has to be set through its interface")]

/// mimalloc, version 2. A program uses it with two lines:
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

/// `mi_option_purge_delay` of mimalloc 2 (mimalloc.h); the crate only has the type.
const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;

/// Milliseconds, instead of 10.
const KEPT: std::ffi::c_long = 10_000;

/// Keeps freed memory in the program for ten seconds. By default mimalloc returns it to the system after ten
/// milliseconds, about the time of a training step, and the system then clears every page again. This raises the speed
/// of a deep dense model from 146 to 169 steps/s (`benches/README.md`).
pub fn keep_freed_memory() {
    // SAFETY: the option exists, and setting one has no condition.
    unsafe { libmimalloc_sys::mi_option_set(PURGE_DELAY, KEPT) };
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The number is that of the right option: its value is the documented default, 10 ms.
    #[test]
    fn the_option_number_is_that_of_the_purge_delay() {
        // SAFETY: reading an option has no condition.
        let delay = || unsafe { libmimalloc_sys::mi_option_get(PURGE_DELAY) };
        if std::env::var_os("MIMALLOC_PURGE_DELAY").is_none() {
            assert_eq!(delay(), 10);
        }
        keep_freed_memory();
        assert_eq!(delay(), KEPT);
    }
}
