//! Reads the next batch while the current one is trained on.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::{Builder, JoinHandle};

use burn::tensor::Tensor;

use crate::batches::Order;
use crate::{Batches, Result};

/// The number of batches that wait in the channel. One more may be in progress.
const WAITING: usize = 1;

/// The batches of an epoch, in order.
///
/// Batches of a resident data set are selected on the device when they are needed. Those of a streamed one
/// are read by a separate thread, at most [`WAITING`] + 1 batches ahead. Values, order and the first error
/// are the same as without a thread.
pub(crate) struct Prefetcher {
    batches: Batches,
    reader: Option<Reader>,
    /// On a GPU, the rows of all remaining batches, which are copied once and not in every step.
    order: Option<Order>,
}

struct Reader {
    values: Receiver<Result<Vec<f32>>>,
    thread: JoinHandle<()>,
}

impl Prefetcher {
    /// Starts with row `first` of `order`, with batches of `batch` rows.
    pub(crate) fn new(
        batches: &Batches,
        order: &Arc<Vec<u32>>,
        first: usize,
        batch: usize,
    ) -> Self {
        let reader = (!batches.is_resident()).then(|| {
            let (sender, values) = sync_channel(WAITING);
            let (rows, order) = (batches.rows().clone(), order.clone());
            let read = move || {
                for chosen in order[first..].chunks_exact(batch) {
                    let values = rows.values(&indices(chosen));
                    let is_last = values.is_err();
                    // Sending fails once training has stopped.
                    if sender.send(values).is_err() || is_last {
                        return;
                    }
                }
            };
            let thread = Builder::new().name("batches".into()).spawn(read).ok()?;
            Some(Reader { values, thread })
        });
        let order = batches.order(&order[first..]);
        Self { batches: batches.clone(), reader: reader.flatten(), order }
    }

    /// The next batch, `[rows, features]`, which must have these rows.
    pub(crate) fn next(&mut self, rows: &[usize]) -> Result<Tensor<2>> {
        if let Some(order) = &mut self.order {
            return Ok(self.batches.next(order, rows.len()));
        }
        let Some(reader) = &self.reader else { return self.batches.select(rows) };
        if let Ok(values) = reader.values.recv() {
            return Ok(self.batches.send(values?));
        }
        match self.reader.take().map(|reader| reader.thread.join()) {
            Some(Err(panic)) => std::panic::resume_unwind(panic),
            _ => self.batches.select(rows),
        }
    }
}

/// Rows of an order as indices. An order of all rows takes half the memory.
pub(crate) fn indices(order: &[u32]) -> Vec<usize> {
    order.iter().map(|row| *row as usize).collect()
}

/// Waits for the thread, so that the source is not read after training has returned.
impl Drop for Prefetcher {
    fn drop(&mut self) {
        if let Some(Reader { values, thread }) = self.reader.take() {
            drop(values);
            // A panic in a batch that is not needed is ignored.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ae_data::{Error, Samples, Shape, Source};
    use burn::tensor::Device;
    use std::sync::atomic::{AtomicBool, Ordering};

    fn order() -> Arc<Vec<u32>> {
        Arc::new(vec![4, 1, 3, 0, 2, 5, 6])
    }

    fn batches(source: impl Source + 'static, limit: usize) -> Batches {
        Batches::new(Arc::new(source) as Arc<dyn Source>, &Device::flex(), limit, None).unwrap()
    }

    fn samples() -> Samples {
        Samples::from_floats((0..14).map(|i| i as f32).collect(), Shape::table(2)).unwrap()
    }

    #[test]
    fn batches_are_the_same_as_without_prefetching() {
        for limit in [0, 1 << 20] {
            let batches = batches(samples(), limit);
            let mut prefetcher = Prefetcher::new(&batches, &order(), 2, 2);
            for rows in order()[2..].chunks_exact(2) {
                let rows = &indices(rows)[..];
                let expected = batches.select(rows).unwrap().into_data();
                assert_eq!(prefetcher.next(rows).unwrap().into_data(), expected);
            }
        }
    }

    /// A source whose row 3 cannot be read.
    struct Broken;

    impl Source for Broken {
        fn len(&self) -> usize {
            7
        }

        fn width(&self) -> usize {
            1
        }

        fn read(&self, rows: &[usize], out: &mut [f32]) -> ae_data::Result<()> {
            if rows.contains(&3) {
                let reason = std::io::Error::other("broken");
                return Err(Error::Io { path: "rows".into(), reason });
            }
            assert!(!rows.contains(&2), "row 2");
            out.fill(0.5);
            Ok(())
        }
    }

    #[test]
    fn error_is_returned_with_its_batch() {
        let mut prefetcher = Prefetcher::new(&batches(Broken, 0), &order(), 0, 2);
        assert!(prefetcher.next(&[4, 1]).is_ok());
        assert_eq!(prefetcher.next(&[3, 0]).unwrap_err().to_string(), "rows: broken");
    }

    #[test]
    #[should_panic(expected = "row 2")]
    fn panic_is_raised_with_its_batch() {
        let mut prefetcher = Prefetcher::new(&batches(Broken, 0), &order(), 4, 2);
        let _ = prefetcher.next(&[2, 5]);
    }

    /// Reads slowly, and tells while it is read.
    struct Slow(Arc<AtomicBool>);

    impl Source for Slow {
        fn len(&self) -> usize {
            7
        }

        fn width(&self) -> usize {
            1
        }

        fn read(&self, _: &[usize], out: &mut [f32]) -> ae_data::Result<()> {
            self.0.store(true, Ordering::SeqCst);
            std::thread::sleep(std::time::Duration::from_millis(50));
            out.fill(0.5);
            self.0.store(false, Ordering::SeqCst);
            Ok(())
        }
    }

    #[test]
    fn dropping_the_prefetcher_joins_its_thread() {
        let is_read = Arc::new(AtomicBool::new(false));
        let batches = batches(Slow(is_read.clone()), 0);
        let prefetcher = Prefetcher::new(&batches, &order(), 0, 1);
        while !is_read.load(Ordering::SeqCst) {
            std::thread::yield_now();
        }
        drop(prefetcher);
        assert!(!is_read.load(Ordering::SeqCst));
    }
}
