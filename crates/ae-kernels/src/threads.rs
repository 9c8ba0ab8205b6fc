//! The threads that kernels run on.

/// Runs `work` inside the thread pool of the kernels, so that the kernels need not enter it one by one. It also keeps
/// the pool's other threads awake during short pauses between kernels: a sleeping thread takes about fifty
/// microseconds to wake, as long as a small kernel runs. The first makes a training step a tenth faster, the second 3
/// to 7 %. Without the feature `flex` it only calls `work`.
pub fn run_in_pool<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    #[cfg(feature = "flex")]
    return awake::run_in_pool(work);
    #[cfg(not(feature = "flex"))]
    work()
}

/// Whether operations on a device run on threads of this process, as on the CPU, and not on a separate device.
pub fn uses_threads(device: &burn::tensor::Device) -> bool {
    #[cfg(feature = "flex")]
    return crate::target::Target::of_device(device) == Some(crate::target::Target::Cpu);
    #[cfg(not(feature = "flex"))]
    {
        let _ = device;
        false
    }
}

/// The number of threads that kernels use when called from here.
pub fn num_threads() -> usize {
    #[cfg(feature = "flex")]
    return rayon::current_num_threads();
    #[cfg(not(feature = "flex"))]
    1
}

/// Runs `work` in a new pool of `threads` threads, so that several trainings at once do not wait for each other's
/// kernels. If the system has no more threads, and without the feature `flex`, it only calls `work`.
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

    /// After a longer pause threads sleep, so that other programs can run.
    const PAUSE: Duration = Duration::from_micros(200);

    pub(super) fn run_in_pool<R: Send>(work: impl FnOnce() -> R + Send) -> R {
        let has_ended = AtomicBool::new(false);
        let has_ended = &has_ended;
        rayon::scope(|scope| {
            let caller = rayon::current_thread_index();
            if rayon::current_num_threads() > 1 {
                scope.spawn_broadcast(move |_, worker| {
                    if Some(worker.index()) != caller {
                        run_tasks(has_ended);
                    }
                });
            }
            let result = work();
            has_ended.store(true, Ordering::Relaxed);
            result
        })
    }

    /// Runs the pool's tasks until the work has ended, or until there was no task for [`PAUSE`].
    fn run_tasks(has_ended: &AtomicBool) {
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

        /// With one thread and with three: tasks run on all threads, and results and panics reach the caller.
        #[test]
        fn work_runs_on_all_threads_and_returns() {
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
        fn concurrent_calls_have_separate_threads() {
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
