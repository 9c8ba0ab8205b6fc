//! The threads that kernels run their parts on.

/// Runs `work` where kernels run their parts, so that it need not be left and entered again by each of
/// them, and keeps the others awake for short pauses between kernels: a thread that fell asleep takes
/// some fifty microseconds to wake, as long as a small kernel runs. A training step takes a tenth less time
/// by the first, 3 to 7 % less by the second. Without the feature `flex`, `work` just runs.
pub fn run_in_pool<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    #[cfg(feature = "flex")]
    return awake::run_in_pool(work);
    #[cfg(not(feature = "flex"))]
    work()
}

/// Whether operations on a device run on threads of this process, and not on a device beside them.
pub fn uses_threads(device: &burn::tensor::Device) -> bool {
    #[cfg(feature = "flex")]
    return crate::target::Target::of_device(device) == Some(crate::target::Target::Cpu);
    #[cfg(not(feature = "flex"))]
    {
        let _ = device;
        false
    }
}

/// How many threads kernels run their parts on, here.
pub fn num_threads() -> usize {
    #[cfg(feature = "flex")]
    return rayon::current_num_threads();
    #[cfg(not(feature = "flex"))]
    1
}

/// Runs `work` with so many threads of its own for the parts of its kernels, so that several works side by
/// side do not wait for each other's. Where the system gives no more threads, and without the feature `flex`,
/// `work` just runs.
pub fn with_threads<R: Send>(threads: usize, work: impl FnOnce() -> R + Send) -> R {
    #[cfg(feature = "flex")]
    return match rayon::ThreadPoolBuilder::new().num_threads(threads).build() {
        Ok(pool) => pool.install(work),
        Err(_) => work(),
    };
    #[cfg(not(feature = "flex"))]
    {
        let _ = threads;
        work()
    }
}

#[cfg(feature = "flex")]
mod awake {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::{Duration, Instant};

    /// Longer pauses are slept through: other programs want to run as well.
    const PAUSE: Duration = Duration::from_micros(200);

    pub(super) fn run_in_pool<R: Send>(work: impl FnOnce() -> R + Send) -> R {
        let has_ended = AtomicBool::new(false);
        let has_ended = &has_ended;
        rayon::scope(|scope| {
            let caller = rayon::current_thread_index();
            if rayon::current_num_threads() > 1 {
                scope.spawn_broadcast(move |_, worker| {
                    if Some(worker.index()) != caller {
                        look_for_parts(has_ended);
                    }
                });
            }
            let result = work();
            has_ended.store(true, Ordering::Relaxed);
            result
        })
    }

    /// Runs what parts there are, until the work has ended or there were none for a while.
    fn look_for_parts(has_ended: &AtomicBool) {
        let mut last = Instant::now();
        while !has_ended.load(Ordering::Relaxed) {
            if rayon::yield_now() == Some(rayon::Yield::Executed) {
                last = Instant::now();
            } else if last.elapsed() > PAUSE {
                return;
            } else {
                (0..16).for_each(|_| std::hint::spin_loop());
            }
        }
    }

    #[cfg(test)]
    mod tests {
        use std::collections::BTreeSet;
        use std::sync::Mutex;

        use rayon::prelude::*;

        /// Parts run on all threads, results and panics come back, on one thread as on three.
        #[test]
        fn work_is_shared_and_ends() {
            for threads in [1, 3] {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                let seen = Mutex::new(BTreeSet::new());
                let sum: usize = pool.install(|| {
                    super::run_in_pool(|| {
                        (0..300usize)
                            .into_par_iter()
                            .map(|number| {
                                std::thread::sleep(std::time::Duration::from_micros(100));
                                seen.lock().unwrap().insert(rayon::current_thread_index());
                                number
                            })
                            .sum()
                    })
                });
                assert_eq!(sum, 299 * 300 / 2);
                assert_eq!(seen.into_inner().unwrap().len(), threads);
                let panics = || pool.install(|| super::run_in_pool(|| panic!("asked for")));
                let panicked: Result<(), _> =
                    std::panic::catch_unwind(std::panic::AssertUnwindSafe(panics));
                assert!(panicked.is_err());
            }
        }

        #[test]
        fn works_side_by_side_have_their_own_threads() {
            let counts = std::thread::scope(|scope| {
                let each = [1, 3].map(|threads| {
                    scope.spawn(move || {
                        super::super::with_threads(threads, super::super::num_threads)
                    })
                });
                each.map(|it| it.join().unwrap())
            });
            assert_eq!(counts, [1, 3]);
        }
    }
}
