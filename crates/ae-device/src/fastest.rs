//! Tries a training on each device and chooses the fastest.

use std::time::{Duration, Instant};

use super::cache::RateCache;
use super::trial::{TrialJob, on_cpu, on_gpu};
use super::{Gpu, NamedDevice, cpu_identity, cpu_name};
use crate::{Error, Result};
use ae_train::format::{count, duration};

/// Bounds of a GPU's trial, in seconds. It may take a tenth of the time that the CPU needs for the whole
/// training: a longer trial would cost more than a faster device saves.
const TIMEOUT: [f64; 2] = [5.0, 120.0];
/// If the CPU needs less than this many seconds for the whole training, no GPU is started.
const SHORT: f64 = 3.0;

/// A device that was tried.
#[derive(Clone, Debug, PartialEq)]
struct Tried {
    /// Its full name.
    title: String,
    /// Its short name.
    name: String,
    /// Samples per second, or why it is not used.
    outcome: Result<f64, String>,
}

/// The fastest of the CPU and these GPUs, and the line that reports the measurements.
pub fn fastest(
    gpus: &[Gpu],
    job: &TrialJob,
    cache: &mut RateCache,
) -> Result<(NamedDevice, String)> {
    let started = Instant::now();
    let gpus = different(gpus);
    let devices: Vec<String> =
        std::iter::once(cpu_identity()).chain(gpus.iter().map(Gpu::identity)).collect();
    if let Some(rates) = cache.rates(&devices, &job.key) {
        if let Some(short) = too_short(rates[0], job, &gpus) {
            return Ok(short);
        }
        // A GPU that can no longer be opened is tried again, to report why.
        let outcomes = rates.into_iter().map(Ok).collect();
        if let Ok(chosen) = choose_winner(&gpus, outcomes, "as measured before") {
            return Ok(chosen);
        }
    }
    let (first, rate) = match on_cpu(job) {
        Ok(measured) => measured,
        // Not the fault of the device; training will report it.
        Err(Error::Train(ae_train::Error::NotFinite { .. })) => {
            let why = "the loss of the first steps is not a number";
            return Ok((NamedDevice::cpu(), format!("CPU: {}, {why}", cpu_name())));
        }
        Err(error) => return Err(error),
    };
    if let Some(short) = too_short(rate, job, &gpus) {
        return Ok(short);
    }
    let seconds = job.samples_in_all() / rate;
    let timeout = Duration::from_secs_f64((seconds / 10.0).clamp(TIMEOUT[0], TIMEOUT[1]));
    let mut outcomes = vec![Ok(rate)];
    for gpu in &gpus {
        outcomes.push(match gpu.failure() {
            Some(why) => Err(why),
            None => on_gpu(gpu, job, first, timeout).inspect_err(|why| gpu.set_failure(why)),
        });
    }
    if let Ok(rates) = outcomes.iter().cloned().collect::<Result<Vec<f64>, String>>() {
        cache.add(&devices, &rates, job);
    }
    let how = format!("measured in {}", duration(started.elapsed().as_secs_f64()));
    choose_winner(&gpus, outcomes, &how)
}

/// The first GPU of each model: several of the same are equally fast.
fn different(gpus: &[Gpu]) -> Vec<Gpu> {
    let mut different: Vec<Gpu> = Vec::new();
    for gpu in gpus {
        if different.iter().all(|other| other.identity() != gpu.identity()) {
            different.push(gpu.clone());
        }
    }
    different
}

fn too_short(rate: f64, job: &TrialJob, gpus: &[Gpu]) -> Option<(NamedDevice, String)> {
    let seconds = job.samples_in_all() / rate;
    let names: Vec<&str> = gpus.iter().map(|gpu| gpu.name.as_str()).collect();
    let line = format!(
        "CPU: {}, {} samples/s ({} for the whole training, too short to try {})",
        cpu_name(),
        count(rate),
        duration(seconds),
        names.join(" and ")
    );
    (seconds < SHORT).then(|| (NamedDevice::cpu(), line))
}

/// Chooses the fastest; `outcomes` are those of the CPU and of each GPU.
fn choose_winner(
    gpus: &[Gpu],
    outcomes: Vec<Result<f64, String>>,
    how: &str,
) -> Result<(NamedDevice, String)> {
    let cpu = (format!("CPU: {}", cpu_name()), "CPU".to_owned());
    let gpu = |gpu: &Gpu| (format!("GPU: {}", gpu.title()), gpu.name.clone());
    let names = std::iter::once(cpu).chain(gpus.iter().map(gpu));
    let tried: Vec<Tried> = names
        .zip(outcomes)
        .map(|((title, name), outcome)| Tried { title, name, outcome })
        .collect();
    let winner = winner(&tried);
    let device = match winner {
        0 => NamedDevice::cpu(),
        number => gpus[number - 1].named_device()?,
    };
    Ok((device, line(&tried, winner, how)))
}

/// The index of the fastest device that did not fail; among equals the first.
fn winner(tried: &[Tried]) -> usize {
    let mut best = (0, f64::NEG_INFINITY);
    for (number, tried) in tried.iter().enumerate() {
        if let Ok(rate) = tried.outcome
            && rate > best.1
        {
            best = (number, rate);
        }
    }
    best.0
}

fn line(tried: &[Tried], winner: usize, how: &str) -> String {
    let rate = match &tried[winner].outcome {
        Ok(rate) => format!(", {} samples/s", count(*rate)),
        Err(_) => String::new(),
    };
    let others = tried.iter().enumerate().filter(|(number, _)| *number != winner);
    let mut remarks: Vec<String> = others
        .map(|(_, tried)| match &tried.outcome {
            Ok(rate) => format!("{} {}", tried.name, count(*rate)),
            Err(why) => format!("{} failed: {why}", tried.name),
        })
        .collect();
    remarks.push(how.to_owned());
    format!("{}{rate} ({})", tried[winner].title, remarks.join("; "))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ae_data::Samples;
    use ae_models::DenseConfig;
    use ae_train::{
        Corruption, Data, Event, Flow, Objective, Observer, Reconstruction, Schedule, Training,
    };
    use burn::tensor::Device;

    use super::super::gpu::{GpuKind, Handle};
    use super::*;

    fn tried(outcomes: &[Result<f64, &str>]) -> Vec<Tried> {
        let names = ["CPU", "Voodoo2", "Riva"];
        let one = |(name, outcome): (&&str, &Result<f64, &str>)| Tried {
            title: format!("{}: {name}", if *name == "CPU" { "CPU" } else { "GPU" }),
            name: (*name).to_owned(),
            outcome: outcome.map_err(str::to_owned),
        };
        names.iter().zip(outcomes).map(one).collect()
    }

    #[test]
    fn the_fastest_wins_and_failed_devices_do_not() {
        for (outcomes, expected) in [
            (vec![Ok(10.0)], 0),
            (vec![Ok(10.0), Ok(9.0)], 0),
            (vec![Ok(10.0), Ok(11.0)], 1),
            (vec![Ok(10.0), Ok(11.0), Ok(12.0)], 2),
            // Among equals the CPU, or the first GPU.
            (vec![Ok(10.0), Ok(10.0)], 0),
            (vec![Ok(10.0), Ok(11.0), Ok(11.0)], 1),
            (vec![Ok(10.0), Err("lost"), Ok(11.0)], 2),
            (vec![Ok(10.0), Err("lost"), Err("lost")], 0),
            (vec![Ok(10.0), Ok(f64::NAN)], 0),
        ] {
            assert_eq!(winner(&tried(&outcomes)), expected, "{outcomes:?}");
        }
    }

    #[test]
    fn the_line_reports_the_winner_and_the_others() {
        let slow = tried(&[Ok(12_300.0), Ok(9800.0)]);
        assert_eq!(
            line(&slow, 0, "measured in 0.7 s"),
            "CPU: CPU, 12,300 samples/s (Voodoo2 9,800; measured in 0.7 s)"
        );
        let lost = tried(&[Ok(12_300.0), Err("its loss is NaN, that of the CPU 3.100"), Ok(2e5)]);
        assert_eq!(
            line(&lost, 2, "as measured before"),
            "GPU: Riva, 200,000 samples/s (CPU 12,300; Voodoo2 failed: its loss is NaN, that of the \
             CPU 3.100; as measured before)"
        );
    }

    /// A real training, on a CPU in the role of a GPU.
    #[test]
    fn a_trial_chooses_a_device_and_leaves_the_training_unchanged() {
        let samples = ae_data::digits::generate(54, 0);
        let schedule = Schedule { batch: 10, epochs: 10_000_000, ..Schedule::default() };
        let fit = |device: &Device,
                   samples: Samples,
                   schedule: &Schedule,
                   observer: &mut dyn Observer| {
            let model = DenseConfig::new([784, 8, 2]).init(0, device)?;
            let objective =
                Objective::new(Reconstruction::CrossEntropy).corrupt(Corruption::masking(0.25)?);
            let data = Data { training: Arc::new(samples), validation: None };
            let fitted =
                Training::new(model, &objective).schedule(schedule).observe(observer).fit(&data)?;
            Ok(ae_models::tensors::collect(&fitted.model))
        };
        let train = || {
            let schedule = Schedule { epochs: 2, ..schedule.clone() };
            let mut nobody = |_: &Event<'_>| Flow::Continue;
            let fitted: ae_train::Result<_> =
                fit(&Device::flex(), samples.clone(), &schedule, &mut nobody);
            fitted.unwrap()
        };
        let before = train();
        let gpu = |name: &str, device| {
            let handle = Handle::Test(device);
            Gpu::new(name.into(), "Glide".into(), "3".into(), GpuKind::Discrete, handle)
        };
        let gpus = [
            gpu("Voodoo2", Ok(Device::flex())),
            gpu("Voodoo2", Err("a second one of the same model is not tried".to_owned())),
            gpu("Riva", Err("it needs a feature".to_owned())),
        ];
        let job = TrialJob::new(
            "dense".into(),
            "",
            &samples,
            schedule.clone(),
            move |device, samples, schedule, observer| {
                fit(device, samples, schedule, observer).map(|_| ())
            },
        );
        let (device, line) = fastest(&gpus, &job, &mut RateCache::default()).unwrap();
        assert!(line.contains("Riva failed: it needs a feature; measured in "), "{line}");
        assert_eq!(line.matches("samples/s").count(), 1, "{line}");
        match line.starts_with("GPU: Voodoo2 (GPU, Glide), ") {
            true => assert!(device.name == "Voodoo2 (Glide)" && line.contains("(CPU "), "{line}"),
            false => assert!(device.name == cpu_name() && line.contains("(Voodoo2 "), "{line}"),
        }
        assert_eq!(gpus[2].failure().as_deref(), Some("it needs a feature"));
        assert!(before == train(), "the same weights to the bit");

        // Cached rates are used without a trial.
        let mut cache = RateCache::default();
        let devices = [cpu_identity(), gpus[0].identity()];
        cache.add(&devices, &[1000.0, 2000.0], &job);
        let (device, line) = fastest(&gpus[..2], &job, &mut cache).unwrap();
        assert_eq!(device.name, "Voodoo2 (Glide)");
        assert_eq!(
            line,
            "GPU: Voodoo2 (GPU, Glide), 2,000 samples/s (CPU 1,000; as measured before)"
        );
        // Unless the GPU can no longer be opened.
        let closed = [gpu("Voodoo2", Err("it is gone".to_owned()))];
        let (device, line) = fastest(&closed, &job, &mut cache).unwrap();
        assert_eq!(device.name, cpu_name());
        assert!(line.contains("(Voodoo2 failed: it is gone; measured in "), "{line}");
        // At this rate the CPU needs 0.9 seconds for the whole training.
        cache.add(&devices, &[540e6, 900e6], &job);
        let (device, line) = fastest(&gpus[..2], &job, &mut cache).unwrap();
        assert_eq!(device.name, cpu_name());
        assert!(
            line.ends_with("(0.9 s for the whole training, too short to try Voodoo2)"),
            "{line}"
        );
    }
}
