//! A few steps of a training on a device, timed.
//!
//! What is timed is [`fit`](ae_train::fit) itself, on the first rows of the data: an observer looks at the clock
//! where losses were read, when all that was sent to a device is done. Randomness is a function of seed, epoch
//! and step, and the training that follows begins a model of its own, so a trial changes none of its
//! numbers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use ae_data::Samples;
use ae_train::{Event, Flow, Observer, Precision, Schedule};
use burn::tensor::Device;

use super::Gpu;
use crate::error::{Error, Result};
use crate::observers::{digits, duration};
use crate::panics::caught;
use crate::recipe::Recipe;

/// Steps that are taken first: kernels are compiled. Their loss is what devices are held against
/// each other by.
const FIRST: u64 = 3;
/// A CPU takes fewer of them where they take longer.
const FIRST_SECONDS: f64 = 0.3;
/// How long is timed, and how many steps at most.
const SECONDS: f64 = 0.2;
const MOST: u64 = 1024;

/// Takes steps on a device: on these samples, by this schedule.
type Steps = dyn Fn(&Device, Samples, &Schedule, &mut dyn Observer) -> Result<()> + Send + Sync;

/// A training that is to be tried.
#[derive(Clone)]
pub struct Training {
    /// What is trained, for people.
    pub title: String,
    /// All that decides how long a step takes, but for the device.
    pub key: String,
    samples: Samples,
    schedule: Schedule,
    steps: Arc<Steps>,
}

impl Training {
    /// Of a recipe, on these samples; `steps` begins it.
    pub fn new(
        recipe: &Recipe,
        samples: &Samples,
        steps: impl Fn(&Device, Samples, &Schedule, &mut dyn Observer) -> Result<()>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        let schedule = recipe.schedule();
        let (kind, code) = (recipe.model.kind(), recipe.model.code());
        let batch = schedule.batch.min(samples.len());
        let title = format!("{kind}, code {code}, {}, batch {batch}", samples.shape());
        let key = format!(
            "{title}; {}; {:?}; {:?}; {:?}; {:?}; {:?}; {:?}; streamed {}",
            recipe.command.name(),
            recipe.model,
            recipe.objective,
            recipe.head.as_ref().map(|head| head.kind),
            schedule.optimizer,
            schedule.precision,
            schedule.clip,
            is_streamed(samples, &schedule)
        );
        Self { title, key, samples: samples.clone(), schedule, steps: Arc::new(steps) }
    }

    /// Samples of all its steps.
    pub fn samples_in_all(&self) -> f64 {
        let batch = self.schedule.batch.min(self.samples.len()).max(1);
        (self.samples.len() / batch * batch) as f64 * self.schedule.epochs as f64
    }

    /// Takes so many steps, or fewer where they take longer than a limit or are given up.
    fn burst(
        &self,
        device: &Device,
        count: u64,
        limit: f64,
        given_up: &AtomicBool,
    ) -> Result<Burst> {
        if given_up.load(Ordering::Relaxed) {
            return Err(Error::usage("given up"));
        }
        let batch = self.schedule.batch.min(self.samples.len()).max(1);
        let an_epoch = (self.samples.len() / batch).min(count as usize).max(1);
        let schedule = Schedule {
            epochs: count.div_ceil(an_epoch as u64) as usize,
            patience: None,
            resident_limit: match is_streamed(&self.samples, &self.schedule) {
                true => 0,
                false => usize::MAX,
            },
            ..self.schedule.clone()
        };
        let burst = Burst { batch, ..Burst::default() };
        let mut watch = Stopwatch { count, limit, given_up, began: Instant::now(), burst };
        let rows = self.samples.take(an_epoch * batch);
        (self.steps)(device, rows, &schedule, &mut watch)?;
        Ok(watch.burst)
    }

    /// Samples per second on a device where the first steps were taken.
    fn rate(&self, device: &Device, first: u64, given_up: &AtomicBool) -> Result<f64> {
        let again = self.burst(device, first, f64::INFINITY, given_up)?;
        if again.seconds >= SECONDS {
            return Ok(again.rate());
        }
        let count = SECONDS / again.seconds.max(1e-6) * again.steps as f64;
        let count = (count as u64).clamp(first, MOST);
        Ok(self.burst(device, count, 2.0 * SECONDS, given_up)?.rate())
    }
}

fn is_streamed(samples: &Samples, schedule: &Schedule) -> bool {
    samples.len() * samples.width() * size_of::<f32>() > schedule.resident_limit
}

/// Steps that were taken.
#[derive(Clone, Copy, Debug, Default)]
pub struct Burst {
    pub steps: u64,
    /// The mean over them.
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
    given_up: &'a AtomicBool,
    began: Instant,
    burst: Burst,
}

impl Observer for Stopwatch<'_> {
    fn observe(&mut self, event: &Event<'_>) -> Flow {
        match event {
            Event::Start { .. } => self.began = Instant::now(),
            Event::Step { done, .. } => {
                let is_over = *done >= self.count
                    || self.began.elapsed().as_secs_f64() > self.limit
                    || self.given_up.load(Ordering::Relaxed);
                return if is_over { Flow::Stop } else { Flow::Continue };
            }
            Event::Read { done, terms, .. } => {
                let loss: f64 = terms.iter().map(|(_, value)| value).sum();
                let burst = &mut self.burst;
                let before = burst.loss * burst.steps as f64;
                burst.loss = (before + loss * (done - burst.steps) as f64) / *done as f64;
                burst.steps = *done;
                burst.seconds = self.began.elapsed().as_secs_f64();
            }
            _ => {}
        }
        Flow::Continue
    }
}

/// The first steps on the CPU, and samples per second.
pub fn on_cpu(training: &Training) -> Result<(Burst, f64)> {
    let (device, goes_on) = (Device::flex(), AtomicBool::new(false));
    let first = training.burst(&device, FIRST, FIRST_SECONDS, &goes_on)?;
    Ok((first, training.rate(&device, first.steps, &goes_on)?))
}

/// Samples per second on a GPU, or why it is not to be used; whatever happens there, in so much time. The first
/// steps must have the loss that they have on the CPU.
///
/// A GPU that does not answer in time is left to itself; it ends with the step that it is at, beside what
/// comes next.
pub fn on_gpu(
    gpu: &Gpu,
    training: &Training,
    cpu: Burst,
    patience: Duration,
) -> Result<f64, String> {
    let given_up = Arc::new(AtomicBool::new(false));
    let (sender, answer) = channel();
    let work = {
        let (gpu, training, given_up) = (gpu.clone(), training.clone(), given_up.clone());
        move || {
            let body = || of_gpu(&gpu, &training, cpu, &given_up);
            let result = caught(std::panic::AssertUnwindSafe(body));
            // Nobody listens any more once it is given up.
            let _ =
                sender.send(result.unwrap_or_else(|reason| Err(format!("it failed: {reason}"))));
        }
    };
    std::thread::Builder::new()
        .name("trial".into())
        .spawn(work)
        .map_err(|error| format!("no thread to try it on: {error}"))?;
    answer.recv_timeout(patience).unwrap_or_else(|error| {
        given_up.store(true, Ordering::Relaxed);
        Err(match error {
            RecvTimeoutError::Timeout => format!(
                "its first steps took longer than {}, perhaps since kernels were compiled",
                duration(patience.as_secs_f64())
            ),
            RecvTimeoutError::Disconnected => "its trial ended without an answer".to_owned(),
        })
    })
}

fn of_gpu(
    gpu: &Gpu,
    training: &Training,
    cpu: Burst,
    given_up: &AtomicBool,
) -> Result<f64, String> {
    let device = gpu.open()?;
    let sentence = |error: Error| match error {
        Error::Train(ae_train::Error::NotFinite { value, .. }) => {
            format!("its loss is {value} where the CPU's is {}", digits(cpu.loss))
        }
        other => format!("it failed: {other}"),
    };
    let first = training.burst(&device, cpu.steps, f64::INFINITY, given_up).map_err(sentence)?;
    agree(first.loss, cpu.loss, training.schedule.precision)?;
    training.rate(&device, cpu.steps, given_up).map_err(sentence)
}

/// Whether the loss of the first steps is the CPU's, but for rounding: within half a per cent, in a half
/// precision within three.
fn agree(loss: f64, cpu: f64, precision: Precision) -> Result<(), String> {
    let tolerance = if precision.is_full() { 0.005 } else { 0.03 };
    match (loss - cpu).abs() <= tolerance * cpu.abs() {
        true => Ok(()),
        false => Err(format!("its loss is {} where the CPU's is {}", digits(loss), digits(cpu))),
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::device::gpu::{Handle, Kind};

    /// A training that is none: it tells the observer of steps with the loss that `loss` gives.
    fn told(loss: fn() -> Result<f64>) -> Training {
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
                observer.observe(&Event::Read { done, epoch: 1, terms: &terms, rate: 0.1 });
                if flow == Flow::Stop {
                    break;
                }
            }
            Ok(())
        };
        let samples = Samples::from_floats(vec![0.5; 40], ae_data::Shape::table(2)).unwrap();
        let schedule = Schedule { batch: 4, epochs: 3, ..Schedule::default() };
        let (title, key) = ("told".to_owned(), "told".to_owned());
        Training { title, key, samples, schedule, steps: Arc::new(steps) }
    }

    fn is_on_gpu() -> bool {
        thread::current().name() == Some("trial")
    }

    fn gpu(device: Result<Device, String>) -> Gpu {
        let (name, api) = ("Voodoo2".to_owned(), "Glide".to_owned());
        Gpu::new(name, api, String::new(), Kind::Discrete, Handle::Test(device))
    }

    fn tried(training: &Training, patience: Duration) -> Result<f64, String> {
        let (first, _) = on_cpu(training).unwrap();
        on_gpu(&gpu(Ok(Device::flex())), training, first, patience)
    }

    const LONG: Duration = Duration::from_secs(600);

    #[test]
    fn the_first_steps_are_three_and_their_loss_is_a_mean_of_sums() {
        let training = told(|| Ok(3.0));
        let (first, rate) = on_cpu(&training).unwrap();
        assert_eq!((first.steps, first.loss), (3, 3.0));
        assert!(rate > 0.0);
        assert_eq!(training.samples_in_all(), 60.0);
        assert!(tried(&training, LONG).unwrap() > 0.0);
    }

    #[test]
    fn a_device_that_computes_something_else_is_not_used() {
        let other = told(|| Ok(if is_on_gpu() { 3.02 } else { 3.0 }));
        let why = "its loss is 3.020 where the CPU's is 3.000";
        assert_eq!(tried(&other, LONG), Err(why.to_owned()));
        assert!(tried(&told(|| Ok(if is_on_gpu() { 3.01 } else { 3.0 })), LONG).is_ok());
        let nan = told(|| match is_on_gpu() {
            true => Err(Error::Train(ae_train::Error::NotFinite {
                step: 1,
                epoch: 1,
                term: "half".to_owned(),
                value: f64::NAN,
                rate: 0.1,
                precision: Precision::Full,
            })),
            false => Ok(3.0),
        });
        assert_eq!(tried(&nan, LONG), Err("its loss is NaN where the CPU's is 3.000".to_owned()));
        assert!(agree(f64::NAN, 3.0, Precision::Full).is_err());
        assert!(agree(3.05, 3.0, Precision::F16).is_ok());
        assert!(agree(3.2, 3.0, Precision::F16).is_err());
    }

    #[test]
    fn a_device_that_fails_is_not_used() {
        let lost = told(|| if is_on_gpu() { panic!("the device is lost") } else { Ok(3.0) });
        let why = tried(&lost, LONG).unwrap_err();
        assert!(why.starts_with("it failed: "), "{why}");
        let full = told(|| match is_on_gpu() {
            true => Err(Error::usage("out of memory")),
            false => Ok(3.0),
        });
        assert_eq!(tried(&full, LONG), Err("it failed: out of memory".to_owned()));
        let training = told(|| Ok(3.0));
        let (first, _) = on_cpu(&training).unwrap();
        let closed = gpu(Err("it needs a feature".to_owned()));
        let why = on_gpu(&closed, &training, first, LONG);
        assert_eq!(why, Err("it needs a feature".to_owned()));
    }

    /// It is waited for, but not for ever; it stops with the step that it is at.
    #[test]
    fn a_device_that_hangs_is_given_up() {
        static STEPS: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
        static TOLD: std::sync::Mutex<()> = std::sync::Mutex::new(());
        let held = TOLD.lock().unwrap();
        let hangs = told(|| {
            if is_on_gpu() {
                STEPS.fetch_add(1, Ordering::SeqCst);
                drop(TOLD.lock());
            }
            Ok(3.0)
        });
        let why = tried(&hangs, Duration::from_millis(20)).unwrap_err();
        assert_eq!(
            why,
            "its first steps took longer than 0.0 s, perhaps since kernels were compiled"
        );
        drop(held);
        // Both terms of one step were asked for, at most.
        thread::sleep(Duration::from_millis(20));
        assert!(STEPS.load(Ordering::SeqCst) <= 2);
    }
}
