//! What of a run may change before it goes on from its checkpoint: nothing that decides its numbers, and all
//! that does not.

use std::path::Path;
use std::sync::Arc;

use ae_data::{Samples, Shape};
use ae_models::{Activation, Dense, DenseConfig};
use ae_train::{
    Checkpoints, Contraction, Corruption, Curvature, Data, End, Event, Fitted, Flow, KlSparsity,
    L1, LearningRate, Objective, Optimizer, Precision, Reconstruction, Result, Schedule,
    TopKSchedule, Training,
};
use burn::tensor::Device;

#[derive(Clone, Copy)]
struct Terms {
    corruption: Corruption,
    emphasis: [f64; 2],
    sparse: TopKSchedule,
    dropout: f64,
    l1: f64,
    kl: KlSparsity,
    contraction: Contraction,
    curvature: Curvature,
}

fn terms() -> Terms {
    Terms {
        corruption: Corruption::masking(0.25).unwrap(),
        emphasis: [1.0, 0.75],
        sparse: TopKSchedule::annealed(4, 3, 2).unwrap(),
        dropout: 0.1,
        l1: 0.1,
        kl: KlSparsity::running(0.1, 0.9).unwrap(),
        contraction: Contraction::probes(1).unwrap(),
        curvature: Curvature::probes(0.1, 1, 1).unwrap(),
    }
}

impl Terms {
    fn objective(self) -> Result<Objective<Dense>> {
        Objective::new(Reconstruction::SquaredError)
            .corrupt(self.corruption)
            .emphasize(self.emphasis[0], self.emphasis[1])?
            .train_top_k(self.sparse)
            .dropout(self.dropout)?
            .penalize(self.l1, L1)?
            .penalize(1.0, self.kl)?
            .penalize(0.1, self.contraction)?
            .penalize(0.1, self.curvature)
    }
}

fn config() -> DenseConfig {
    DenseConfig {
        code_activation: Activation::Sigmoid,
        output: Activation::Identity,
        top_k: Some(3),
        ..DenseConfig::new([2, 4])
    }
}

fn schedule() -> Schedule {
    Schedule { epochs: 4, batch: 4, seed: 9, ..Schedule::default() }
}

fn rows(last: f32) -> Arc<Samples> {
    let values = (0..23).map(|i| i as f32 / 23.0).chain([last]).collect();
    Arc::new(Samples::from_floats(values, Shape::table(2)).unwrap())
}

fn data() -> Data {
    Data { training: rows(0.5), validation: Some(rows(0.75)) }
}

/// Goes on, and stops at once; the steps that were done before.
fn go_on(
    config: &DenseConfig,
    objective: &Objective<Dense>,
    data: &Data,
    schedule: &Schedule,
    checkpoints: &Checkpoints,
) -> Result<u64> {
    let mut before = 0;
    let mut observer = |event: &Event<'_>| match event {
        Event::Start { done, .. } => {
            before = *done;
            Flow::Stop
        }
        _ => Flow::Continue,
    };
    let model = config.init(1, &Device::flex())?;
    let training = Training::new(model, objective).schedule(schedule);
    training.checkpoints(checkpoints.clone()).observe(&mut observer).fit(data)?;
    Ok(before)
}

fn stopped(folder: &Path, steps: u64) -> Fitted<Dense> {
    let checkpoints = Checkpoints { every: None, ..Checkpoints::new(folder) };
    let mut observer = |event: &Event<'_>| match event {
        Event::Step { done, .. } if *done == steps => Flow::Stop,
        _ => Flow::Continue,
    };
    let model = config().init(1, &Device::flex()).unwrap();
    let objective = terms().objective().unwrap();
    let training = Training::new(model, &objective).schedule(schedule());
    training.checkpoints(checkpoints).observe(&mut observer).fit(data()).unwrap()
}

#[test]
fn a_checkpoint_of_any_other_setting_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(stopped(folder.path(), 5).end, End::Stopped);
    let checkpoints = Checkpoints::new(folder.path());
    let refused = |config: DenseConfig, terms: Terms, data: Data, schedule: Schedule| {
        let objective = terms.objective().unwrap();
        go_on(&config, &objective, &data, &schedule, &checkpoints).unwrap_err().to_string()
    };
    let base = terms();
    for (place, terms) in [
        ("corruption.masking 0.5", Terms { corruption: Corruption::masking(0.5).unwrap(), ..base }),
        (
            "corruption.salt-and-pepper 0.25",
            Terms { corruption: Corruption::salt_and_pepper(0.25).unwrap(), ..base },
        ),
        ("emphasis.corrupted 2.0", Terms { emphasis: [2.0, 0.75], ..base }),
        ("emphasis.rest 0.5", Terms { emphasis: [1.0, 0.5], ..base }),
        ("top-k.epochs 3", Terms { sparse: TopKSchedule::annealed(4, 3, 3).unwrap(), ..base }),
        ("dropout 0.2", Terms { dropout: 0.2, ..base }),
        ("penalties.l1.weight 0.2", Terms { l1: 0.2, ..base }),
        (
            "penalties.kl-sparsity.settings.target 0.4",
            Terms { kl: KlSparsity::running(0.4, 0.9).unwrap(), ..base },
        ),
        (
            "penalties.kl-sparsity.settings.decay 0.5",
            Terms { kl: KlSparsity::running(0.1, 0.5).unwrap(), ..base },
        ),
        (
            "penalties.kl-sparsity.settings.decay null",
            Terms { kl: KlSparsity::toward(0.1).unwrap(), ..base },
        ),
        (
            "penalties.contraction.settings.norm.probes 3",
            Terms { contraction: Contraction::probes(3).unwrap(), ..base },
        ),
        (
            "penalties.contraction.settings.norm \"exact\"",
            Terms { contraction: Contraction::exact(), ..base },
        ),
        (
            "penalties.curvature.settings.deviation 5.0",
            Terms { curvature: Curvature::probes(5.0, 1, 1).unwrap(), ..base },
        ),
        (
            "penalties.curvature.settings.draws 2",
            Terms { curvature: Curvature::probes(0.1, 2, 1).unwrap(), ..base },
        ),
        (
            "penalties.curvature.settings.norm.probes 2",
            Terms { curvature: Curvature::probes(0.1, 1, 2).unwrap(), ..base },
        ),
    ] {
        let message = refused(config(), terms, data(), schedule());
        assert!(message.contains(&format!("this run, with objective.{place}, got ")), "{message}");
    }
    let plain = schedule();
    let rate = |peak| LearningRate { peak, ..LearningRate::default() };
    for (place, schedule) in [
        ("epochs 5", Schedule { epochs: 5, ..plain.clone() }),
        ("batch 3", Schedule { batch: 3, ..plain.clone() }),
        ("optimizer.kind \"sgd\"", Schedule { optimizer: Optimizer::sgd(0.5), ..plain.clone() }),
        ("rate.peak 0.5", Schedule { rate: rate(0.5), ..plain.clone() }),
        ("precision \"f16\"", Schedule { precision: Precision::F16, ..plain.clone() }),
        ("clip 1.0", Schedule { clip: Some(1.0), ..plain.clone() }),
        ("patience 3", Schedule { patience: Some(3), ..plain.clone() }),
        ("seed 8", Schedule { seed: 8, ..plain }),
    ] {
        let message = refused(config(), base, data(), schedule);
        assert!(message.contains("this run, with schedule."), "{message}");
        assert!(message.contains(place), "{place}: {message}");
    }
    let tanh = DenseConfig { activation: Activation::Tanh, ..config() };
    let message = refused(tanh, base, data(), schedule());
    assert!(message.contains("with model.settings.activation \"tanh\", got "), "{message}");
    for (place, data) in [
        ("training", Data { training: rows(0.25), ..data() }),
        ("validation", Data { validation: Some(rows(0.25)), ..data() }),
        ("validation", Data { validation: None, ..data() }),
    ] {
        let message = refused(config(), base, data, schedule());
        assert!(message.contains(&format!("this run, with data.{place} ")), "{message}");
    }
}

#[test]
fn where_rows_lie_and_how_often_checkpoints_are_written_may_change() {
    let folder = tempfile::tempdir().unwrap();
    stopped(folder.path(), 5);
    let streamed = Schedule { resident_limit: 0, ..schedule() };
    let often = Checkpoints { every_steps: Some(1), keep: 5, ..Checkpoints::new(folder.path()) };
    let objective = terms().objective().unwrap();
    assert_eq!(go_on(&config(), &objective, &data(), &streamed, &often).unwrap(), 5);
}

/// `step-00000005.safetensors` was written by the program as it was at commit ba888f4, which knew a run by
/// what it printed of it.
#[test]
fn a_checkpoint_that_was_written_before_is_taken_up_and_written_anew() {
    let folder = tempfile::tempdir().unwrap();
    let name = "step-00000005.safetensors";
    let old = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/old-checkpoint").join(name);
    let path = folder.path().join(name);
    std::fs::copy(old, &path).unwrap();
    let (checkpoints, objective) = (Checkpoints::new(folder.path()), terms().objective().unwrap());
    let other = Schedule { batch: 3, ..schedule() };
    let message =
        go_on(&config(), &objective, &data(), &other, &checkpoints).unwrap_err().to_string();
    assert!(
        message.contains("this run, with the schedule `Schedule { epochs: 4, batch: 3,"),
        "{message}"
    );
    assert_eq!(go_on(&config(), &objective, &data(), &schedule(), &checkpoints).unwrap(), 5);
    // Now it knows more than it did.
    let kl = KlSparsity::running(0.4, 0.9).unwrap();
    let objective = Terms { kl, ..terms() }.objective().unwrap();
    let message =
        go_on(&config(), &objective, &data(), &schedule(), &checkpoints).unwrap_err().to_string();
    assert!(message.contains("kl-sparsity.settings.target 0.4, got 0.1"), "{message}");
}
