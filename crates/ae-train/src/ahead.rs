//! Batches in a known order, the next one read while this one is trained on.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::{Builder, JoinHandle};

use burn::tensor::Tensor;

use crate::batches::Order;
use crate::{Batches, Result};

/// Batches that wait to be taken; one more may be on its way.
const WAITING: usize = 1;

/// The batches of an order, one after another.
///
/// What lies on the device is gathered when it is asked for. What is streamed is read by a thread of
/// its own, at most [`WAITING`] and one batches ahead; values, their order and the first error are those of
/// reading each when it is due.
pub(crate) struct Ahead {
    batches: Batches,
    reader: Option<Reader>,
    /// On a GPU, the rows of all batches that are left: sent once, not with every step.
    order: Option<Order>,
}

struct Reader {
    values: Receiver<Result<Vec<f32>>>,
    thread: JoinHandle<()>,
}

impl Ahead {
    /// The batches from row `first` of `order` on, of `batch` rows each.
    pub(crate) fn new(
        batches: &Batches,
        order: &Arc<Vec<usize>>,
        first: usize,
        batch: usize,
    ) -> Self {
        let reader = (!batches.is_resident()).then(|| {
            let (sender, values) = sync_channel(WAITING);
            let (rows, order) = (batches.rows().clone(), order.clone());
            let read = move || {
                for chosen in order[first..].chunks_exact(batch) {
                    let values = rows.values(chosen);
                    let is_last = values.is_err();
                    // Nobody is left to take them once training has stopped.
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

    /// The next batch, `[rows, features]`, whose rows are `rows`.
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

/// A source is not read any more once training has returned.
impl Drop for Ahead {
    fn drop(&mut self) {
        if let Some(Reader { values, thread }) = self.reader.take() {
            drop(values);
            // A panic there that nobody waited for changes nothing.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ae_data::{Error, Samples, Shape, Source};
    use burn::tensor::Device;

    fn order() -> Arc<Vec<usize>> {
        Arc::new(vec![4, 1, 3, 0, 2, 5, 6])
    }

    fn batches(source: impl Source + 'static, limit: usize) -> Batches {
        Batches::new(Arc::new(source), &Device::flex(), limit, None).unwrap()
    }

    fn samples() -> Samples {
        Samples::from_floats((0..14).map(|i| i as f32).collect(), Shape::table(2)).unwrap()
    }

    #[test]
    fn batches_are_those_of_reading_each_when_it_is_due() {
        for limit in [0, 1 << 20] {
            let batches = batches(samples(), limit);
            let mut ahead = Ahead::new(&batches, &order(), 2, 2);
            for rows in order()[2..].chunks_exact(2) {
                let expected = batches.select(rows).unwrap().into_data();
                assert_eq!(ahead.next(rows).unwrap().into_data(), expected);
            }
        }
    }

    /// Row 3 cannot be read.
    struct Torn;

    impl Source for Torn {
        fn len(&self) -> usize {
            7
        }

        fn width(&self) -> usize {
            1
        }

        fn read(&self, rows: &[usize], out: &mut [f32]) -> ae_data::Result<()> {
            if rows.contains(&3) {
                let reason = std::io::Error::other("torn");
                return Err(Error::Io { path: "rows".into(), reason });
            }
            assert!(!rows.contains(&2), "row 2");
            out.fill(0.5);
            Ok(())
        }
    }

    #[test]
    fn an_error_comes_with_its_batch() {
        let mut ahead = Ahead::new(&batches(Torn, 0), &order(), 0, 2);
        assert!(ahead.next(&[4, 1]).is_ok());
        assert_eq!(ahead.next(&[3, 0]).unwrap_err().to_string(), "rows: torn");
    }

    #[test]
    #[should_panic(expected = "row 2")]
    fn so_does_a_panic() {
        let mut ahead = Ahead::new(&batches(Torn, 0), &order(), 4, 2);
        let _ = ahead.next(&[2, 5]);
    }

    #[test]
    fn who_stops_early_waits_for_nothing() {
        let ahead = Ahead::new(&batches(samples(), 0), &order(), 0, 1);
        drop(ahead);
    }
}
