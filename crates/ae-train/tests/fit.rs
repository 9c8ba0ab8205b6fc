//! Whole runs of autoencoders: they repeat, resume exactly, and stop when they should.

use std::path::Path;
use std::sync::Arc;

use ae_data::{Samples, Shape, Source, digits};
use ae_models::Autoencoder;
use ae_models::{Activation, Architecture, ConvConfig, DenseConfig, Model, Norm, tensors};
use ae_train::{
    Checkpoints, CodeTransform, Contraction, Corruption, Data, Decay, End, Error, Event, Fitted,
    Flow, KlSparsity, L1, LearningRate, MaxNorm, NoiseKey, Objective, Observer, Optimizer, Pass,
    Penalty, Precision, Reconstruction, Schedule, Training, Warning,
};
use burn::tensor::{Device, Tensor};

fn dense() -> Model {
    let code_activation = Activation::Sigmoid;
    let config = DenseConfig { tied: true, code_activation, ..DenseConfig::new([784, 24, 8]) };
    Architecture::Dense(config).init(3, &Device::flex()).unwrap()
}

fn conv() -> Model {
    let code_activation = Activation::Sigmoid;
    let config =
        ConvConfig { channels: vec![4, 8], code_activation, ..ConvConfig::new([1, 28, 28], 8) };
    Architecture::Conv(config).init(3, &Device::flex()).unwrap()
}

fn data() -> Data {
    Data {
        training: Arc::new(digits::generate(200, 1)),
        validation: Some(Arc::new(digits::generate(50, 2))),
    }
}

/// An objective with everything that a checkpoint must have: noise, dropout, and penalties, one of them
/// with a state.
fn objective() -> Objective<Model> {
    corrupted_by(Corruption::masking(0.25).unwrap())
}

fn corrupted_by(corruption: Corruption) -> Objective<Model> {
    Objective::new(Reconstruction::CrossEntropy)
        .corrupt(corruption)
        .dropout(0.1)
        .unwrap()
        .penalize(0.01, L1)
        .unwrap()
        .penalize(1.0, KlSparsity::running(0.1, 0.9).unwrap())
        .unwrap()
        .penalize(0.1, Contraction::probes(1).unwrap())
        .unwrap()
}

fn schedule() -> Schedule {
    Schedule {
        epochs: 4,
        batch: 32,
        clip: Some(100.0),
        rate: LearningRate { warm_up: 0.5, ..LearningRate::default() },
        seed: 9,
        ..Schedule::default()
    }
}

fn plain(model: Model, schedule: &Schedule) -> Fitted<Model> {
    Training::new(model, &objective()).schedule(schedule).fit(data()).unwrap()
}

/// Stops after this number of steps.
fn stop_after(steps: u64) -> impl FnMut(&Event<'_>) -> Flow {
    move |event| match event {
        Event::Step { done, .. } if *done == steps => Flow::Stop,
        _ => Flow::Continue,
    }
}

fn losses(fitted: &Fitted<Model>) -> Vec<(Vec<(String, f64)>, f64)> {
    let of = |epoch: &ae_train::EpochReport| {
        (epoch.training.clone(), epoch.validation.as_ref().unwrap().loss())
    };
    fitted.epochs.iter().map(of).collect()
}

#[test]
fn same_run_gives_the_same_losses() {
    for model in [dense, conv] {
        let (first, second) = (plain(model(), &schedule()), plain(model(), &schedule()));
        assert_eq!(tensors::collect(&first.model), tensors::collect(&second.model));
        assert_eq!(losses(&first), losses(&second));
        let other = plain(model(), &Schedule { seed: 10, ..schedule() });
        assert_ne!(tensors::collect(&first.model), tensors::collect(&other.model));
    }
}

#[test]
fn streamed_and_resident_runs_are_the_same() {
    let resident = plain(dense(), &schedule());
    let streamed = plain(dense(), &Schedule { resident_limit: 0, ..schedule() });
    assert_eq!(tensors::collect(&resident.model), tensors::collect(&streamed.model));
}

#[test]
fn a_deformation_resumes_exactly() {
    let objective = corrupted_by(Corruption::deform(1.5, [1, 28, 28]).unwrap());
    let folder = tempfile::tempdir().unwrap();
    let train = |checkpoints: Option<&Path>, observer: &mut dyn Observer| {
        let training = Training::new(dense(), &objective).schedule(schedule()).observe(observer);
        match checkpoints {
            Some(folder) => training.checkpoints(folder).fit(data()).unwrap(),
            None => training.fit(data()).unwrap(),
        }
    };
    let whole = train(None, &mut stop_after(99));
    assert_eq!(train(Some(folder.path()), &mut stop_after(8)).end, End::Stopped);
    let pieces = train(Some(folder.path()), &mut stop_after(99));
    assert_eq!(tensors::collect(&pieces.model), tensors::collect(&whole.model));
}

/// The run is stopped within an epoch, at its end and before its first step, and each time resumed with a
/// model of other weights.
#[test]
fn resumed_run_ends_with_the_same_weights() {
    for model in [dense, conv] {
        let whole = plain(model(), &schedule());
        let folder = tempfile::tempdir().unwrap();
        let checkpoints = Checkpoints { every: None, ..Checkpoints::new(folder.path()) };
        for (stop, end) in
            [(3, End::Stopped), (6, End::Stopped), (13, End::Stopped), (99, End::Complete)]
        {
            let mut observer = stop_after(stop);
            let pieces = Training::new(model(), &objective())
                .schedule(schedule())
                .checkpoints(checkpoints.clone())
                .observe(&mut observer)
                .fit(data())
                .unwrap();
            assert_eq!((pieces.end, pieces.done), (end, stop.min(24)));
            if end == End::Complete {
                assert_eq!(tensors::collect(&pieces.model), tensors::collect(&whole.model));
                assert_eq!(losses(&pieces), losses(&whole));
                assert_eq!(pieces.best, whole.best);
            }
        }
    }
}

/// The run is killed after a checkpoint at the last step of an epoch.
#[test]
fn epoch_is_reported_once() {
    let (before, after) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let checkpoints =
        Checkpoints { every: None, every_steps: Some(6), ..Checkpoints::new(before.path()) };
    let mut observer = |event: &Event<'_>| {
        if let Event::Checkpoint { path, done: 6 } = event {
            std::fs::copy(path, after.path().join(path.file_name().unwrap())).unwrap();
        }
        Flow::Continue
    };
    let run = |checkpoints: &Checkpoints, observer: &mut dyn Observer| {
        Training::new(dense(), &objective())
            .schedule(schedule())
            .checkpoints(checkpoints.clone())
            .observe(observer)
            .fit(data())
            .unwrap()
    };
    let whole = run(&checkpoints, &mut observer);

    let mut seen = Vec::new();
    let mut observer = |event: &Event<'_>| {
        if let Event::Epoch(report) = event {
            seen.push(report.epoch);
        }
        Flow::Continue
    };
    let resumed = run(&Checkpoints::new(after.path()), &mut observer);
    assert_eq!(seen, [2, 3, 4]);
    assert_eq!(losses(&resumed), losses(&whole));
}

#[test]
fn checkpoints_are_written_as_set_and_the_newest_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoints = Checkpoints {
        every: None,
        every_steps: Some(5),
        ..Checkpoints::new(folder.path().join("made"))
    };
    let mut written = Vec::new();
    let mut observer = |event: &Event<'_>| {
        if let Event::Checkpoint { done, .. } = event {
            written.push(*done);
        }
        Flow::Continue
    };
    Training::new(dense(), &objective())
        .schedule(schedule())
        .checkpoints(checkpoints.clone())
        .observe(&mut observer)
        .fit(data())
        .unwrap();
    assert_eq!(written, [5, 10, 15, 20, 24]);
    let left = checkpoints.list().unwrap();
    let left: Vec<_> =
        left.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(left, ["step-00000024.safetensors", "step-00000020.safetensors"]);
}

#[test]
fn checkpoint_of_another_run_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoints = Checkpoints::new(folder.path());
    let go = |model: Model, schedule: Schedule| {
        let mut observer = stop_after(2);
        let (objective, data) = (objective(), data());
        Training::new(model, &objective)
            .schedule(&schedule)
            .checkpoints(checkpoints.clone())
            .observe(&mut observer)
            .fit(&data)
    };
    go(dense(), schedule()).unwrap();
    let message = go(dense(), Schedule { batch: 16, ..schedule() }).unwrap_err().to_string();
    let expected = "expected a checkpoint of this run, with schedule.batch 16, got 32";
    assert!(message.ends_with(expected), "{message}");
    let message = go(conv(), schedule()).unwrap_err().to_string();
    assert!(message.contains("a checkpoint of this run, with model."), "{message}");
    std::fs::write(&checkpoints.list().unwrap()[0], "nonsense").unwrap();
    let message = go(dense(), schedule()).unwrap_err().to_string();
    assert!(message.contains("expected a safetensors file"), "{message}");
}

/// A penalty that is infinite from the fourth step on.
struct Breaks;

impl<M: Autoencoder> Penalty<M> for Breaks {
    fn name(&self) -> &str {
        "breaks"
    }

    fn value(&self, pass: &Pass<'_, M>) -> Tensor<1> {
        let sum = pass.code.clone().square().sum();
        if pass.noise_key.step < 3 { sum } else { sum * f32::INFINITY }
    }
}

#[test]
fn infinite_loss_stops_the_run_and_keeps_the_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoints =
        Checkpoints { every: None, every_steps: Some(2), ..Checkpoints::new(folder.path()) };
    let objective = Objective::new(Reconstruction::CrossEntropy).penalize(0.1, Breaks).unwrap();
    let run = || {
        Training::new(dense(), &objective)
            .schedule(schedule())
            .checkpoints(checkpoints.clone())
            .fit(data())
            .unwrap_err()
    };
    let error = run();
    let Error::NotFinite { step: 4, epoch: 1, ref term, .. } = error else { panic!("{error}") };
    assert_eq!(term, "breaks");
    assert!(error.to_string().contains("lower the learning rate (it was"), "{error}");
    let names = |path: &std::path::PathBuf| path.file_name().unwrap().to_owned();
    let left: Vec<_> = checkpoints.list().unwrap().iter().map(names).collect();
    assert_eq!(left, ["step-00000002.safetensors"]);
    let (tensors, _) = tensors::read(&checkpoints.list().unwrap()[0]).unwrap();
    let finite = |data: &burn::tensor::TensorData| data.iter::<f32>().all(f32::is_finite);
    assert!(tensors.values().all(finite));
    // The run resumes from the checkpoint, with the same end.
    assert!(matches!(run(), Error::NotFinite { step: 4, .. }));
}

/// The loss is computed before a step, so the damage of the last step shows only in the weights.
#[test]
fn weights_that_are_not_finite_are_an_error() {
    let config = DenseConfig { output: Activation::Identity, ..DenseConfig::new([784, 8]) };
    let rate = LearningRate { peak: 1e38, warm_up: 0.0, decay: Decay::Constant };
    let optimizer = Optimizer::sgd(0.0);
    let schedule = Schedule { epochs: 1, batch: 192, optimizer, rate, ..schedule() };
    let data = Data { validation: None, ..data() };
    let model = Architecture::Dense(config).init(0, &Device::flex()).unwrap();
    let objective = Objective::new(Reconstruction::SquaredError);
    let error = Training::new(model, &objective).schedule(&schedule).fit(&data).unwrap_err();
    let Error::NotFinite { step: 1, ref term, .. } = error else { panic!("{error}") };
    assert!(term.starts_with("weights "), "{error}");
}

/// Finite values whose squares overflow.
#[test]
fn infinite_validation_loss_stops_the_run() {
    let mut values = vec![0.5f32; 40 * 784];
    values[7] = 1e30;
    let broken = Samples::from_floats(values, Shape::image(1, 28, 28)).unwrap();
    let config = DenseConfig { output: Activation::Identity, ..DenseConfig::new([784, 8]) };
    let model = Architecture::Dense(config).init(0, &Device::flex()).unwrap();
    let objective = Objective::new(Reconstruction::SquaredError);
    let data = Data { validation: Some(Arc::new(broken)), ..data() };
    let error = Training::new(model, &objective).schedule(schedule()).fit(&data).unwrap_err();
    let Error::NotFinite { step: 6, ref term, .. } = error else { panic!("{error}") };
    assert_eq!(term, "squared-error of the validation set");
}

/// The rate is so high that the second epoch is worse than the first, whose weights are returned.
#[test]
fn patience_ends_a_run_and_the_best_weights_are_kept() {
    let rate = LearningRate { peak: 0.5, warm_up: 0.0, decay: Decay::Constant };
    let schedule = Schedule {
        epochs: 30,
        patience: Some(2),
        rate,
        optimizer: Optimizer::adam(),
        ..schedule()
    };
    let fitted = plain(dense(), &schedule);
    assert_eq!(fitted.end, End::Patience);
    let best = fitted.best.unwrap();
    assert_eq!(fitted.epochs.len(), best + 2);
    let validation: Vec<f64> = losses(&fitted).into_iter().map(|(_, loss)| loss).collect();
    assert!(validation.iter().all(|loss| *loss >= validation[best - 1]));
    let again = plain(dense(), &Schedule { epochs: best, ..schedule });
    assert_eq!(tensors::collect(&fitted.model), tensors::collect(&again.model));
}

#[test]
fn stopped_run_finishes_its_step() {
    let stopped = Training::new(dense(), &objective())
        .schedule(schedule())
        .observe(&mut stop_after(8))
        .fit(data())
        .unwrap();
    assert_eq!((stopped.end, stopped.done, stopped.epochs.len()), (End::Stopped, 8, 1));
}

/// The losses of the steps add up to those of the epochs.
#[test]
fn losses_of_steps_and_epochs_agree() {
    let mut sums = vec![0.0; 2];
    let mut before = 0;
    let mut observer = |event: &Event<'_>| {
        if let Event::Losses { done, terms, epoch: 1, .. } = event {
            for (sum, (_, mean)) in sums.iter_mut().zip(*terms) {
                *sum += mean * (done - before) as f64;
            }
            before = *done;
        }
        Flow::Continue
    };
    let fitted = Training::new(dense(), &objective())
        .schedule(schedule())
        .observe(&mut observer)
        .fit(data())
        .unwrap();
    for ((_, mean), sum) in fitted.epochs[0].training.iter().zip(sums) {
        assert!((mean - sum / 6.0).abs() < 1e-9 * mean.abs(), "{mean} {sum}");
    }
    assert_eq!(fitted.epochs[0].training[0].0, "cross-entropy");
    assert_eq!(fitted.epochs[0].training[1].0, "l1");
}

struct Warnings(Vec<Warning>);

impl Observer for Warnings {
    fn observe(&mut self, event: &Event<'_>) -> Flow {
        if let Event::Warning(warning) = event {
            self.0.push((*warning).clone());
        }
        Flow::Continue
    }
}

/// With large negative biases, a ReLU code is always 0, and the outputs are constant.
#[test]
fn dead_units_and_collapsed_outputs_give_warnings() {
    let config = DenseConfig { code_activation: Activation::Relu, ..DenseConfig::new([784, 8]) };
    let model = Architecture::Dense(config).init(3, &Device::flex()).unwrap();
    let mut weights = tensors::collect(&model);
    let bias = burn::tensor::TensorData::from([-1e3f32; 8]);
    weights.insert("encoder.layers.0.bias".into(), bias);
    let model = tensors::replace(model, weights).unwrap();
    let mut warnings = Warnings(Vec::new());
    let schedule = Schedule { epochs: 1, ..schedule() };
    let plain = Objective::new(Reconstruction::CrossEntropy);
    Training::new(model, &plain).schedule(&schedule).observe(&mut warnings).fit(data()).unwrap();
    assert!(matches!(warnings.0[0], Warning::Collapsed { epoch: 1, .. }), "{:?}", warnings.0);
    assert_eq!(warnings.0[1], Warning::DeadUnits { epoch: 1, dead: 8, units: 8 });
    let mut quiet = Warnings(Vec::new());
    let rate = LearningRate { peak: 0.02, ..LearningRate::default() };
    let schedule = Schedule { epochs: 4, rate, ..schedule };
    let healthy = DenseConfig { tied: true, ..DenseConfig::new([784, 24, 8]) };
    let healthy = Architecture::Dense(healthy).init(3, &Device::flex()).unwrap();
    Training::new(healthy, &plain).schedule(&schedule).observe(&mut quiet).fit(data()).unwrap();
    assert_eq!(quiet.0, []);
}

#[test]
fn bad_settings_are_refused_before_training() {
    let refuse = |model: Model, objective: Objective<Model>, data: Data, schedule: Schedule| {
        Training::new(model, &objective).schedule(&schedule).fit(&data).unwrap_err().to_string()
    };
    let narrow = DenseConfig::new([10, 2]);
    let narrow = Architecture::Dense(narrow).init(0, &Device::flex()).unwrap();
    assert_eq!(
        refuse(narrow, Objective::new(Reconstruction::CrossEntropy), data(), schedule()),
        "samples: expected 10 features, as the model has, got 784"
    );
    let far = Samples::from_floats(vec![2.0; 784 * 2], Shape::table(784)).unwrap();
    let far = Data { training: Arc::new(far), validation: None };
    let message = refuse(dense(), objective(), far, schedule());
    assert!(message.starts_with("feature 0 of sample 0: expected a number in [0, 1]"), "{message}");
    let impatient = Schedule { patience: Some(1), ..schedule() };
    let blind = Data { validation: None, ..data() };
    assert_eq!(
        refuse(dense(), objective(), blind, impatient),
        "patience: needs a validation set; set Data::validation, or remove the patience"
    );
    let empty: Arc<dyn Source> = Arc::new(digits::generate(0, 0));
    let empty = Data { training: empty, validation: None };
    assert_eq!(
        refuse(dense(), objective(), empty, schedule()),
        "samples: expected at least one, got 0"
    );
    let empty_steps = Schedule { batch: 0, ..schedule() };
    assert_eq!(
        refuse(dense(), objective(), data(), empty_steps),
        "batch size: expected at least 1, got 0"
    );
}

/// An untrained model is a baseline for trained ones.
#[test]
fn zero_epochs_leave_the_model_unchanged() {
    let never = Schedule { epochs: 0, ..schedule() };
    let fitted = Training::new(dense(), &objective()).schedule(&never).fit(data()).unwrap();
    assert!(fitted.epochs.is_empty() && fitted.done == 0 && fitted.end == End::Complete);
    assert_eq!(tensors::collect(&fitted.model), tensors::collect(&dense()));
}

/// For both kinds of model, the losses of each epoch are within 0.1 % of those in full precision in f16,
/// and within 0.3 % in bf16.
#[test]
fn half_precision_has_nearly_the_same_losses() {
    let normalized = || {
        let config = ConvConfig {
            channels: vec![4, 8],
            norm: Norm::Group(2),
            top_k: Some(6),
            ..ConvConfig::new([1, 28, 28], 8)
        };
        Architecture::Conv(config).init(3, &Device::flex()).unwrap()
    };
    for (model, objective, batch) in [
        (dense as fn() -> Model, objective as fn() -> Objective<Model>, 32),
        (normalized, || Objective::new(Reconstruction::SquaredError), 32),
        // 256 images of 784 pixels: the sum of their gradients overflows f16.
        (conv, || Objective::new(Reconstruction::CrossEntropy), 256),
    ] {
        let data = Data { training: Arc::new(digits::generate(2 * batch, 1)), ..data() };
        let curve = |precision| {
            let schedule = Schedule { precision, batch, ..schedule() };
            let fitted =
                Training::new(model(), &objective()).schedule(&schedule).fit(&data).unwrap();
            losses(&fitted)
                .into_iter()
                .map(|(training, validation)| {
                    (training.iter().map(|(_, value)| value).sum::<f64>(), validation)
                })
                .collect::<Vec<_>>()
        };
        let full = curve(Precision::Full);
        for (precision, most) in [(Precision::F16, 0.001), (Precision::Bf16, 0.003)] {
            let half = curve(precision);
            assert_ne!(half, full);
            for (half, full) in half.iter().zip(&full) {
                let off = |half: f64, full: f64| (half / full - 1.0).abs();
                let [training, validation] = [off(half.0, full.0), off(half.1, full.1)];
                println!("{precision:?} {training:.5} {validation:.5}");
                assert!(training < most && validation < most, "{precision:?}: {half:?} {full:?}");
            }
        }
    }
}

/// Gaussian noise on the code, whose numbers come from the key of the step.
struct CodeNoise(f64);

impl CodeTransform<Model> for CodeNoise {
    fn name(&self) -> &str {
        "code-noise"
    }

    fn apply(&self, code: Tensor<2>, key: NoiseKey) -> Tensor<2> {
        Corruption::gaussian(self.0).unwrap().apply(code, key).values
    }

    fn settings(&self) -> serde_json::Value {
        self.0.into()
    }
}

fn seams(noise: f64, limit: f64) -> Objective<Model> {
    objective()
        .transform(CodeNoise(noise))
        .unwrap()
        .constrain(MaxNorm::new(limit).unwrap())
        .unwrap()
}

/// The largest norm of the incoming weights of a unit.
fn largest_norm(model: &Model) -> f64 {
    let matrices =
        tensors::collect(model).into_values().filter(|data| data.shape().num_dims() == 2);
    // [out, in]
    let norms = matrices.flat_map(|data| {
        let (inputs, values) = (data.shape()[1], data.iter::<f64>().collect::<Vec<_>>());
        let norms = values.chunks(inputs).map(|row| row.iter().map(|it| it * it).sum::<f64>());
        norms.map(f64::sqrt).collect::<Vec<_>>()
    });
    norms.fold(0.0, f64::max)
}

#[test]
fn transformed_codes_and_constraints_resume_exactly_and_belong_to_the_checkpoint() {
    let schedule = schedule();
    let model =
        || DenseConfig { code_activation: Activation::Sigmoid, ..DenseConfig::new([784, 24, 8]) };
    let model = || Architecture::Dense(model()).init(3, &Device::flex()).unwrap();
    let train = |objective: &Objective<Model>| {
        Training::new(model(), objective).schedule(&schedule).fit(data()).unwrap()
    };
    let whole = train(&seams(0.1, 0.5));
    assert!(largest_norm(&whole.model) <= 0.5 + 1e-6, "{}", largest_norm(&whole.model));
    assert!(largest_norm(&train(&objective()).model) > 0.5);
    assert!(
        tensors::collect(&whole.model) != tensors::collect(&train(&seams(0.2, 0.5)).model),
        "the noise has an effect"
    );
    let folder = tempfile::tempdir().unwrap();
    let mut steps = 0;
    let mut stop = |event: &Event<'_>| {
        steps += usize::from(matches!(event, Event::Step { .. }));
        if steps == 9 { Flow::Stop } else { Flow::Continue }
    };
    let own = seams(0.1, 0.5);
    let stopped = Training::new(model(), &own)
        .schedule(&schedule)
        .checkpoints(folder.path())
        .observe(&mut stop)
        .fit(data())
        .unwrap();
    assert_eq!(stopped.end, End::Stopped);
    for other in [seams(0.2, 0.5), seams(0.1, 0.4), objective()] {
        let refused = Training::new(model(), &other)
            .schedule(&schedule)
            .checkpoints(folder.path())
            .fit(data());
        assert!(matches!(refused, Err(Error::Checkpoint { .. })));
    }
    let resumed =
        Training::new(model(), &own).schedule(&schedule).checkpoints(folder.path()).fit(data());
    assert!(tensors::collect(&resumed.unwrap().model) == tensors::collect(&whole.model));
}

#[test]
fn a_watched_training_is_that_without_a_watcher() {
    let (schedule, objective) = (schedule(), objective());
    let alone = Training::new(dense(), &objective).schedule(&schedule).fit(data()).unwrap();
    let mut seen = Vec::new();
    let mut watch = |epochs: usize, model: &Model| {
        seen.push((epochs, tensors::collect(model)));
        Flow::Continue
    };
    let watched = Training::new(dense(), &objective)
        .schedule(&schedule)
        .watch(&mut watch)
        .fit(data())
        .unwrap();
    assert!(tensors::collect(&watched.model) == tensors::collect(&alone.model));
    assert_eq!(seen.iter().map(|(epochs, _)| *epochs).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    assert!(seen[0].1 == tensors::collect(&dense()) && seen[0].1 != seen[1].1);
    let best = watched.best.unwrap();
    assert!(seen[best].1 == tensors::collect(&watched.model));
    let mut stop = |epochs: usize, _: &Model| if epochs == 2 { Flow::Stop } else { Flow::Continue };
    let stopped = Training::new(dense(), &objective)
        .schedule(&schedule)
        .watch(&mut stop)
        .fit(data())
        .unwrap();
    assert_eq!((stopped.end, stopped.epochs.len()), (End::Stopped, 2));
}
