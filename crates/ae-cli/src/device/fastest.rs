//! Which device trains faster: each is tried, and how it ends is said in a line.

use std::time::{Duration, Instant};

use super::known::Known;
use super::trial::{Training, on_cpu, on_gpu};
use super::{Gpu, Opened, cpu_identity, cpu_name};
use crate::error::{Error, Result};
use crate::observers::{count, duration};

/// A GPU gets a tenth of the seconds that the CPU needs for the whole training, within these bounds, to show
/// what it can do: waiting longer would cost more than a faster device brings.
const PATIENCE: [f64; 2] = [5.0, 120.0];
/// Where the CPU needs less than so many seconds for the whole training no GPU is started.
const SHORT: f64 = 3.0;

/// A device that was tried.
#[derive(Clone, Debug, PartialEq)]
struct Tried {
    /// With all that is known of it.
    title: String,
    /// In short.
    name: String,
    /// Samples per second, or why it is not used.
    outcome: Result<f64, String>,
}

/// The device on which the training goes fastest, of the CPU and these GPUs, and the line that says so.
pub fn fastest(gpus: &[Gpu], training: &Training, known: &mut Known) -> Result<(Opened, String)> {
    let began = Instant::now();
    let gpus = different(gpus);
    let devices: Vec<String> =
        std::iter::once(cpu_identity()).chain(gpus.iter().map(Gpu::identity)).collect();
    if let Some(rates) = known.rates(&devices, &training.key) {
        if let Some(short) = too_short(rates[0], training, &gpus) {
            return Ok(short);
        }
        // One that cannot be opened any more is tried again, to say why.
        let outcomes = rates.into_iter().map(Ok).collect();
        if let Ok(taken) = take(&gpus, outcomes, "as measured before") {
            return Ok(taken);
        }
    }
    let (first, rate) = match on_cpu(training) {
        Ok(measured) => measured,
        // No matter of the device: training will say more of it.
        Err(Error::Train(ae_train::Error::NotFinite { .. })) => {
            let why = "since the loss of the first steps is not a number there";
            return Ok((Opened::cpu(), format!("CPU: {}, {why}", cpu_name())));
        }
        Err(error) => return Err(error),
    };
    if let Some(short) = too_short(rate, training, &gpus) {
        return Ok(short);
    }
    let seconds = training.samples_in_all() / rate;
    let patience = Duration::from_secs_f64((seconds / 10.0).clamp(PATIENCE[0], PATIENCE[1]));
    let mut outcomes = vec![Ok(rate)];
    for gpu in &gpus {
        outcomes.push(match gpu.failure() {
            Some(why) => Err(why),
            None => on_gpu(gpu, training, first, patience).inspect_err(|why| gpu.set_failure(why)),
        });
    }
    if let Ok(rates) = outcomes.iter().cloned().collect::<Result<Vec<f64>, String>>() {
        known.add(&devices, &rates, training);
    }
    let how = format!("measured in {}", duration(began.elapsed().as_secs_f64()));
    take(&gpus, outcomes, &how)
}

/// The first of each sort: several of the same are as fast as one.
fn different(gpus: &[Gpu]) -> Vec<Gpu> {
    let mut different: Vec<Gpu> = Vec::new();
    for gpu in gpus {
        if different.iter().all(|other| other.identity() != gpu.identity()) {
            different.push(gpu.clone());
        }
    }
    different
}

fn too_short(rate: f64, training: &Training, gpus: &[Gpu]) -> Option<(Opened, String)> {
    let seconds = training.samples_in_all() / rate;
    let names: Vec<&str> = gpus.iter().map(|gpu| gpu.name.as_str()).collect();
    let line = format!(
        "CPU: {}, {} samples/s, which is {} for the whole: too short to try {}",
        cpu_name(),
        count(rate),
        duration(seconds),
        names.join(" and ")
    );
    (seconds < SHORT).then(|| (Opened::cpu(), line))
}

/// Takes the fastest; `outcomes` are those of the CPU and of each GPU.
fn take(gpus: &[Gpu], outcomes: Vec<Result<f64, String>>, how: &str) -> Result<(Opened, String)> {
    let cpu = (format!("CPU: {}", cpu_name()), "CPU".to_owned());
    let gpu = |gpu: &Gpu| (format!("GPU: {}", gpu.title()), gpu.name.clone());
    let names = std::iter::once(cpu).chain(gpus.iter().map(gpu));
    let tried: Vec<Tried> = names
        .zip(outcomes)
        .map(|((title, name), outcome)| Tried { title, name, outcome })
        .collect();
    let winner = winner(&tried);
    let opened = match winner {
        0 => Opened::cpu(),
        number => gpus[number - 1].opened()?,
    };
    Ok((opened, line(&tried, winner, how)))
}

/// The number of the fastest of those that were not found wanting; of equally fast ones it is the first.
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
    let mut beside: Vec<String> = others
        .map(|(_, tried)| match &tried.outcome {
            Ok(rate) => format!("{} {}", tried.name, count(*rate)),
            Err(why) => format!("{} is not used: {why}", tried.name),
        })
        .collect();
    beside.push(how.to_owned());
    format!("{}{rate} ({})", tried[winner].title, beside.join("; "))
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::super::gpu::{Handle, Kind};
    use super::*;
    use crate::recipe::{Maker, Recipe};
    use crate::session::{Prepared, open_data};
    use crate::train::to_try;

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
    fn the_fastest_is_taken_and_what_failed_is_not() {
        for (outcomes, expected) in [
            (vec![Ok(10.0)], 0),
            (vec![Ok(10.0), Ok(9.0)], 0),
            (vec![Ok(10.0), Ok(11.0)], 1),
            (vec![Ok(10.0), Ok(11.0), Ok(12.0)], 2),
            // Of equals the CPU, and of GPUs the better kind.
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
    fn a_line_says_which_is_taken_and_why() {
        let slow = tried(&[Ok(12_300.0), Ok(9800.0)]);
        assert_eq!(
            line(&slow, 0, "measured in 0.7 s"),
            "CPU: CPU, 12,300 samples/s (Voodoo2 9,800; measured in 0.7 s)"
        );
        let lost = tried(&[Ok(12_300.0), Err("its loss is NaN where the CPU's is 3.100"), Ok(2e5)]);
        assert_eq!(
            line(&lost, 2, "as measured before"),
            "GPU: Riva, 200,000 samples/s (CPU 12,300; Voodoo2 is not used: its loss is NaN where the \
             CPU's is 3.100; as measured before)"
        );
    }

    /// A training by the program itself, on a CPU that passes for a GPU.
    #[test]
    fn a_trial_finds_a_device_and_changes_no_number_of_the_training() {
        let given = "[model]\nkind = 'dense'\nhidden = [8]\ncode = 2\n[schedule]\nbatch = 10\n\
                     epochs = 10000000\n[data]\ntraining_samples = 60\ntest_samples = 10\n\
                     [objective]\ncorruption = { masking = 0.25 }";
        let given: toml::Table = given.parse().unwrap();
        let recipe = Recipe::data(&given).unwrap();
        let set = open_data(&recipe).unwrap();
        let shape = set.parts.training.shape().clone();
        let recipe = Recipe::complete(&given, recipe, &shape, 60, Maker::Train).unwrap();
        let data = Prepared::new(set, &recipe.data, None).unwrap();
        let learn = || {
            let model =
                recipe.model.architecture(&shape).unwrap().init(0, &Device::flex()).unwrap();
            let training = std::sync::Arc::new(data.training.clone());
            let data = ae_train::Data { training, validation: None };
            let schedule = ae_train::Schedule { epochs: 2, ..recipe.schedule() };
            let objective = recipe.objective().objective().unwrap();
            let fitted = ae_train::fit(model, &objective, &data, &schedule, &mut ()).unwrap();
            ae_models::tensors::collect(&fitted.model)
        };
        let before = learn();
        let gpu = |name: &str, device| {
            let handle = Handle::Test(device);
            Gpu::new(name.into(), "Glide".into(), "3".into(), Kind::Discrete, handle)
        };
        let gpus = [
            gpu("Voodoo2", Ok(Device::flex())),
            gpu("Voodoo2", Err("the second of a kind is not tried".to_owned())),
            gpu("Riva", Err("it needs a feature".to_owned())),
        ];
        let training = to_try(&recipe, &data).unwrap();
        let (opened, line) = fastest(&gpus, &training, &mut Known::default()).unwrap();
        assert!(line.contains("Riva is not used: it needs a feature; measured in "), "{line}");
        assert_eq!(line.matches("samples/s").count(), 1, "{line}");
        match line.starts_with("GPU: Voodoo2 (GPU, Glide), ") {
            true => assert!(opened.name == "Voodoo2 (Glide)" && line.contains("(CPU "), "{line}"),
            false => assert!(opened.name == cpu_name() && line.contains("(Voodoo2 "), "{line}"),
        }
        assert_eq!(gpus[2].failure().as_deref(), Some("it needs a feature"));
        assert!(before == learn(), "the same weights to the bit");

        // Known rates are taken as they are; the failed one is left out.
        let mut known = Known::default();
        let devices = [cpu_identity(), gpus[0].identity()];
        known.add(&devices, &[1000.0, 2000.0], &training);
        let (opened, line) = fastest(&gpus[..2], &training, &mut known).unwrap();
        assert_eq!(opened.name, "Voodoo2 (Glide)");
        assert_eq!(
            line,
            "GPU: Voodoo2 (GPU, Glide), 2,000 samples/s (CPU 1,000; as measured before)"
        );
        // Unless it cannot be opened any more.
        let closed = [gpu("Voodoo2", Err("it is gone".to_owned()))];
        let (opened, line) = fastest(&closed, &training, &mut known).unwrap();
        assert_eq!(opened.name, cpu_name());
        assert!(line.contains("(Voodoo2 is not used: it is gone; measured in "), "{line}");
        // A CPU that is done with 540,000,000 samples in a second need not be helped.
        known.add(&devices, &[540e6, 900e6], &training);
        let (opened, line) = fastest(&gpus[..2], &training, &mut known).unwrap();
        assert_eq!(opened.name, cpu_name());
        assert!(line.ends_with("which is 0.9 s for the whole: too short to try Voodoo2"), "{line}");
    }
}
