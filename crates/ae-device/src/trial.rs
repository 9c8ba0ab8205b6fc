//! Times a few steps of a training on a device.
//!
//! It times [`fit`](ae_train::fit) itself, on the first rows of the data: an observer reads the clock after losses
//! were read back, when all work sent to the device is done. Randomness is a function of seed, epoch and step, and
//! the training that follows initializes its own model, so a trial does not change its results.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use ae_data::Samples;
use ae_train::{Event, Flow, Observer, Precision, Schedule};
use burn::tensor::Device;

use super::Gpu;
use crate::panics::catch;
use crate::{Error, Result};
use ae_train::format::{duration, number};

/// Steps of the first burst, which compiles kernels. Their loss is compared between devices.
const FIRST: u64 = 3;
/// Time limit of the first burst on the CPU, which then has fewer steps.
const FIRST_SECONDS: f64 = 0.3;
/// Duration of the timed burst.
const SECONDS: f64 = 0.2;
/// Maximum number of steps of the timed burst.
const MAX_STEPS: u64 = 1024;

/// Trains on a device, on these samples and by this schedule.
type Steps =
    dyn Fn(&Device, Samples, &Schedule, &mut dyn Observer) -> ae_train::Result<()> + Send + Sync;

/// A training to try on devices.
#[derive(Clone)]
pub struct TrialJob {
    /// A description for `ae devices`.
    pub title: String,
    /// Everything that decides the time of a step, except the device.
    pub key: String,
    samples: Samples,
    schedule: Schedule,
    steps: Arc<Steps>,
}

impl TrialJob {
    /// A training on these samples; `steps` runs it on a device. `title` describes it for people; with `key`, which
    /// has everything else that decides the time of a step, it identifies its measured speeds.
    pub fn new(
        title: String,
        key: &str,
        samples: &Samples,
        schedule: Schedule,
        steps: impl Fn(&Device, Samples, &Schedule, &mut dyn Observer) -> ae_train::Result<()>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        let key = format!(
            "{title}; {key}; {:?}; {:?}; {:?}; streamed {}",
            schedule.optimizer,
            schedule.precision,
            schedule.clip,
            is_streamed(samples, &schedule)
        );
        Self { title, key, samples: samples.clone(), schedule, steps: Arc::new(steps) }
    }

    /// The number of samples of all steps.
    pub fn samples_in_all(&self) -> f64 {
        let batch = self.schedule.batch.min(self.samples.len()).max(1);
        (self.samples.len() / batch * batch) as f64 * self.schedule.epochs as f64
    }

    /// Runs `count` steps, or fewer if they take longer than `limit` seconds or are cancelled.
    fn burst(
        &self,
        device: &Device,
        count: u64,
        limit: f64,
        cancelled: &AtomicBool,
    ) -> Result<Burst> {
        if cancelled.load(Ordering::Relaxed) {
            return Err(Error::usage("cancelled"));
        }
        let batch = self.schedule.batch.min(self.samples.len()).max(1);
        let steps_per_epoch = (self.samples.len() / batch).min(count as usize).max(1);
        let schedule = Schedule {
            epochs: count.div_ceil(steps_per_epoch as u64) as usize,
            patience: None,
            resident_limit: match is_streamed(&self.samples, &self.schedule) {
                true => 0,
                false => usize::MAX,
            },
            ..self.schedule.clone()
        };
        let burst = Burst { batch, ..Burst::default() };
        let mut stopwatch = Stopwatch { count, limit, cancelled, started: Instant::now(), burst };
        let rows = self.samples.take(steps_per_epoch * batch);
        (self.steps)(device, rows, &schedule, &mut stopwatch)?;
        Ok(stopwatch.burst)
    }

    /// Samples per second on a device, after the first burst there.
    fn rate(&self, device: &Device, first: u64, cancelled: &AtomicBool) -> Result<f64> {
        let again = self.burst(device, first, f64::INFINITY, cancelled)?;
        if again.seconds >= SECONDS {
            return Ok(again.rate());
        }
        let count = SECONDS / again.seconds.max(1e-6) * again.steps as f64;
        let count = (count as u64).clamp(first, MAX_STEPS);
        Ok(self.burst(device, count, 2.0 * SECONDS, cancelled)?.rate())
    }
}

fn is_streamed(samples: &Samples, schedule: &Schedule) -> bool {
    !ae_train::fits(samples, schedule.resident_limit)
}

/// A few steps that were run without a pause.
#[derive(Clone, Copy, Debug, Default)]
pub struct Burst {
    pub steps: u64,
    /// The mean loss.
    pub loss: f64,
    batch: usize,
    seconds: f64,
}

impl Burst {
    fn rate(&self) -> f64 {
        (self.steps * self.batch as u64) as f64 / self.seconds.max(1e-9)
    }
}

struct Stopwatch<'a> {
    count: u64,
    limit: f64,
    cancelled: &'a AtomicBool,
    started: Instant,
    burst: Burst,
}

impl Observer for Stopwatch<'_> {
    fn observe(&mut self, event: &Event<'_>) -> Flow {
        match event {
            Event::Start { .. } => self.started = Instant::now(),
            Event::Step { done, .. } => {
                let is_over = *done >= self.count
                    || self.started.elapsed().as_secs_f64() > self.limit
                    || self.cancelled.load(Ordering::Relaxed);
                return if is_over { Flow::Stop } else { Flow::Continue };
            }
            Event::Losses { done, terms, .. } => {
                let loss: f64 = terms.iter().map(|(_, value)| value).sum();
                let burst = &mut self.burst;
                let before = burst.loss * burst.steps as f64;
                burst.loss = (before + loss * (done - burst.steps) as f64) / *done as f64;
                burst.steps = *done;
                burst.seconds = self.started.elapsed().as_secs_f64();
            }
            _ => {}
        }
        Flow::Continue
    }
}

/// The first burst on the CPU, and samples per second.
pub fn on_cpu(job: &TrialJob) -> Result<(Burst, f64)> {
    let (device, not_cancelled) = (Device::flex(), AtomicBool::new(false));
    let first = job.burst(&device, FIRST, FIRST_SECONDS, &not_cancelled)?;
    Ok((first, job.rate(&device, first.steps, &not_cancelled)?))
}

/// Samples per second on a GPU, or why it is not used. The first burst must have the same loss as on the CPU.
///
/// Returns within `timeout`. A GPU that is not done by then stops after its present step, in the background.
pub fn on_gpu(gpu: &Gpu, job: &TrialJob, cpu: Burst, timeout: Duration) -> Result<f64, String> {
    let cancelled = Arc::new(AtomicBool::new(false));
    let (sender, answer) = channel();
    let work = {
        let (gpu, job, cancelled) = (gpu.clone(), job.clone(), cancelled.clone());
        move || {
            let body = || try_gpu(&gpu, &job, cpu, &cancelled);
            let result = catch(std::panic::AssertUnwindSafe(body));
            // The receiver is gone after the timeout.
            let _ = sender.send(result.unwrap_or_else(Err));
        }
    };
    std::thread::Builder::new()
        .name("trial".into())
        .spawn(work)
        .map_err(|error| format!("cannot start a thread: {error}"))?;
    answer.recv_timeout(timeout).unwrap_or_else(|error| {
        cancelled.store(true, Ordering::Relaxed);
        Err(match error {
            RecvTimeoutError::Timeout => format!(
                "its first steps took longer than {}, perhaps to compile kernels",
                duration(timeout.as_secs_f64())
            ),
            RecvTimeoutError::Disconnected => "its trial ended without a result".to_owned(),
        })
    })
}

fn try_gpu(gpu: &Gpu, job: &TrialJob, cpu: Burst, cancelled: &AtomicBool) -> Result<f64, String> {
    let device = gpu.open()?;
    let reason = |error: Error| match error {
        Error::Train(ae_train::Error::NotFinite { value, .. }) => {
            format!("its loss is {value}, that of the CPU {}", number(cpu.loss))
        }
        other => other.to_string(),
    };
    let first = job.burst(&device, cpu.steps, f64::INFINITY, cancelled).map_err(reason)?;
    agree(first.loss, cpu.loss, job.schedule.precision)?;
    job.rate(&device, cpu.steps, cancelled).map_err(reason)
}

/// Checks that the loss of the first burst is that of the CPU, within 0.5 %, or 3 % in half precision.
fn agree(loss: f64, cpu: f64, precision: Precision) -> Result<(), String> {
    let tolerance = if precision.is_full() { 0.005 } else { 0.03 };
    match (loss - cpu).abs() <= tolerance * cpu.abs() {
        true => Ok(()),
        false => Err(format!("its loss is {}, that of the CPU {}", number(loss), number(cpu))),
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::gpu::{GpuKind, Handle};

    /// A fake training, which reports steps with the loss of `loss` to the observer.
    fn fake_job(loss: fn() -> ae_train::Result<f64>) -> TrialJob {
        let steps = move |_: &Device,
                          samples: Samples,
                          schedule: &Schedule,
                          observer: &mut dyn Observer| {
            let steps = (samples.len() / schedule.batch * schedule.epochs) as u64;
            let (batch, resident) = (schedule.batch, true);
            let start = Event::Start { done: 0, steps, steps_per_epoch: steps, batch, resident };
            observer.observe(&start);
            for done in 1..=steps {
                let terms =
                    [("half".to_owned(), loss()? / 2.0), ("half".to_owned(), loss()? / 2.0)];
                let flow = observer.observe(&Event::Step { done, epoch: 1 });
                observer.observe(&Event::Losses { done, epoch: 1, terms: &terms, rate: 0.1 });
                if flow == Flow::Stop {
                    break;
                }
            }
            Ok(())
        };
        let samples = Samples::from_floats(vec![0.5; 40], ae_data::Shape::table(2)).unwrap();
        let schedule = Schedule { batch: 4, epochs: 3, ..Schedule::default() };
        let (title, key) = ("fake".to_owned(), "fake".to_owned());
        TrialJob { title, key, samples, schedule, steps: Arc::new(steps) }
    }

    fn is_on_gpu() -> bool {
        thread::current().name() == Some("trial")
    }

    fn gpu(device: Result<Device, String>) -> Gpu {
        let (name, api) = ("Voodoo2".to_owned(), "Glide".to_owned());
        Gpu::new(name, api, String::new(), GpuKind::Discrete, Handle::Test(device))
    }

    fn tried(job: &TrialJob, timeout: Duration) -> Result<f64, String> {
        let (first, _) = on_cpu(job).unwrap();
        on_gpu(&gpu(Ok(Device::flex())), job, first, timeout)
    }

    const LONG: Duration = Duration::from_secs(600);

    #[test]
    fn the_first_burst_has_three_steps_and_their_mean_loss() {
        let job = fake_job(|| Ok(3.0));
        let (first, rate) = on_cpu(&job).unwrap();
        assert_eq!((first.steps, first.loss), (3, 3.0));
        assert!(rate > 0.0);
        assert_eq!(job.samples_in_all(), 60.0);
        assert!(tried(&job, LONG).unwrap() > 0.0);
    }

    #[test]
    fn a_device_with_another_loss_fails() {
        let other = fake_job(|| Ok(if is_on_gpu() { 3.02 } else { 3.0 }));
        let why = "its loss is 3.020, that of the CPU 3.000";
        assert_eq!(tried(&other, LONG), Err(why.to_owned()));
        assert!(tried(&fake_job(|| Ok(if is_on_gpu() { 3.01 } else { 3.0 })), LONG).is_ok());
        let nan = fake_job(|| match is_on_gpu() {
            true => Err(ae_train::Error::NotFinite {
                step: 1,
                epoch: 1,
                term: "half".to_owned(),
                value: f64::NAN,
                rate: 0.1,
                precision: Precision::Full,
            }),
            false => Ok(3.0),
        });
        assert_eq!(tried(&nan, LONG), Err("its loss is NaN, that of the CPU 3.000".to_owned()));
        assert!(agree(f64::NAN, 3.0, Precision::Full).is_err());
        assert!(agree(3.05, 3.0, Precision::F16).is_ok());
        assert!(agree(3.2, 3.0, Precision::F16).is_err());
    }

    #[test]
    fn a_device_that_panics_fails() {
        let lost = fake_job(|| if is_on_gpu() { panic!("the device is lost") } else { Ok(3.0) });
        let why = tried(&lost, LONG).unwrap_err();
        assert_eq!(why, "see above", "the message of the panic, which is printed here");
        let full = fake_job(|| match is_on_gpu() {
            true => Err(ae_train::Error::Objective("out of memory".into())),
            false => Ok(3.0),
        });
        assert_eq!(tried(&full, LONG), Err("out of memory".to_owned()));
        let job = fake_job(|| Ok(3.0));
        let (first, _) = on_cpu(&job).unwrap();
        let closed = gpu(Err("it needs a feature".to_owned()));
        let why = on_gpu(&closed, &job, first, LONG);
        assert_eq!(why, Err("it needs a feature".to_owned()));
    }

    /// After the timeout, it stops after its present step.
    #[test]
    fn a_device_that_hangs_is_abandoned() {
        static STEPS: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
        static REPORTED: std::sync::Mutex<()> = std::sync::Mutex::new(());
        let held = REPORTED.lock().unwrap();
        let hangs = fake_job(|| {
            if is_on_gpu() {
                STEPS.fetch_add(1, Ordering::SeqCst);
                drop(REPORTED.lock());
            }
            Ok(3.0)
        });
        let why = tried(&hangs, Duration::from_millis(20)).unwrap_err();
        assert_eq!(why, "its first steps took longer than 0.0 s, perhaps to compile kernels");
        drop(held);
        // At most the two terms of one step were computed.
        thread::sleep(Duration::from_millis(20));
        assert!(STEPS.load(Ordering::SeqCst) <= 2);
    }
}
