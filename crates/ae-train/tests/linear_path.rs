//! Training that begins as PCA: it is never worse by the validation part, and goes on exactly.

use std::sync::Arc;

use ae_data::{Samples, Shape, Source};
use ae_models::{Activation, Architecture, ConvConfig, DenseConfig, Model, Pca, tensors};
use ae_train::{
    Batches, Checkpoints, Data, Decay, End, Event, Fitted, Flow, LearningRate, Objective,
    RESIDENT_LIMIT, Reconstruction, Schedule, Training, Validation, evaluate,
};
use burn::tensor::Device;

/// Points near a curve in six dimensions: one number decides them, up to a little noise.
fn curve(rows: usize, offset: usize) -> Samples {
    let values = (0..rows).flat_map(|row| {
        let t = ((row * 37 + offset) % 101) as f32 / 50.0 - 1.0;
        let noise = move |column: usize| ((row * 13 + column * 29) % 17) as f32 / 500.0;
        let point = [t, t * t, (3.0 * t).sin(), 1.0, t - t * t, -t];
        point.into_iter().enumerate().map(move |(column, value)| value + noise(column))
    });
    Samples::from_floats(values.collect(), Shape::table(6)).unwrap()
}

fn data() -> Data {
    Data { training: Arc::new(curve(96, 0)), validation: Some(Arc::new(curve(40, 7))) }
}

fn pca(samples: &Samples, components: usize) -> Pca {
    let mut values = vec![0.0; samples.len() * samples.width()];
    samples.read(&(0..samples.len()).collect::<Vec<_>>(), &mut values).unwrap();
    Pca::fit(&values, samples.width(), components, &Device::flex()).unwrap()
}

fn model() -> Model {
    let config = DenseConfig {
        activation: Activation::Silu,
        output: Activation::Identity,
        ..DenseConfig::new([6, 24, 1])
    };
    let model = Architecture::Dense(config).init(3, &Device::flex()).unwrap();
    model.with_linear_path(&pca(&curve(96, 0), 1)).unwrap()
}

fn schedule(peak: f64) -> Schedule {
    let rate = LearningRate { peak, warm_up: 0.0, decay: Decay::Constant };
    Schedule { epochs: 4, batch: 16, rate, seed: 9, ..Schedule::default() }
}

fn squared_error(model: &Model) -> f64 {
    let test = Batches::new(curve(40, 7), &Device::flex(), RESIDENT_LIMIT, None).unwrap();
    evaluate(model, &test, 16).unwrap().evaluation.squared_error
}

/// The error of the PCA itself on the validation part.
fn pca_error() -> f64 {
    squared_error(&Model::Pca(pca(&curve(96, 0), 1)))
}

fn objective() -> Objective<Model> {
    Objective::new(Reconstruction::SquaredError)
}

fn train(model: Model, data: &Data, schedule: &Schedule) -> Fitted<Model> {
    Training::new(model, &objective()).schedule(schedule).fit(data).unwrap()
}

#[test]
fn the_error_before_the_first_step_is_that_of_pca() {
    let fitted = train(model(), &data(), &schedule(1e-3));
    let initial = fitted.initial.unwrap();
    assert!(
        (initial.loss() / pca_error() - 1.0).abs() < 1e-6,
        "{} {}",
        initial.loss(),
        pca_error()
    );
}

#[test]
fn training_reduces_the_error_of_pca() {
    let schedule = Schedule { epochs: 100, ..schedule(1e-2) };
    let fitted = train(model(), &data(), &schedule);
    let error = squared_error(&fitted.model);
    assert!(error < 0.2 * pca_error(), "{error} {}", pca_error());
    assert!(fitted.best > Some(0));
}

/// At a rate that throws everything away no epoch is better than the PCA.
#[test]
fn the_initial_weights_are_kept_if_no_epoch_is_better() {
    let fitted = train(model(), &data(), &schedule(3.0));
    assert_eq!((fitted.best, fitted.epochs.len(), fitted.end), (Some(0), 4, End::Complete));
    assert_eq!(tensors::collect(&fitted.model), tensors::collect(&model()));
    let patient = Schedule { patience: Some(2), ..schedule(3.0) };
    let fitted = train(model(), &data(), &patient);
    assert_eq!((fitted.best, fitted.epochs.len(), fitted.end), (Some(0), 2, End::Patience));
}

/// In pieces that stop before the first step, within an epoch and at its end, with the weights it began with as the
/// best and with later ones.
#[test]
fn resumed_run_ends_with_the_same_weights() {
    for peak in [3.0, 1e-2] {
        let whole = train(model(), &data(), &schedule(peak));
        assert_eq!(whole.best == Some(0), peak == 3.0);
        let folder = tempfile::tempdir().unwrap();
        let checkpoints = Checkpoints { every: None, ..Checkpoints::new(folder.path()) };
        for stop in [0, 3, 6, 13, 99] {
            let pieces = piece(peak, stop, &checkpoints);
            assert_eq!(pieces.done, stop.min(24));
            assert_eq!(pieces.initial, whole.initial);
            if stop > 24 {
                assert_eq!(tensors::collect(&pieces.model), tensors::collect(&whole.model));
                assert_eq!(pieces.best, whole.best);
            }
        }
    }
}

fn piece(peak: f64, stop: u64, checkpoints: &Checkpoints) -> Fitted<Model> {
    let mut observer = |event: &Event<'_>| match event {
        Event::Step { done, .. } if *done == stop => Flow::Stop,
        Event::Start { .. } if stop == 0 => Flow::Stop,
        _ => Flow::Continue,
    };
    Training::new(model(), &objective())
        .schedule(schedule(peak))
        .checkpoints(checkpoints.clone())
        .observe(&mut observer)
        .fit(data())
        .unwrap()
}

/// A sigmoid output against pictures: by cross-entropy too it begins as the PCA, clipped.
#[test]
fn a_convolutional_model_starts_as_pca_with_cross_entropy() {
    let digits = ae_data::digits::generate(120, 1);
    let device = Device::flex();
    let config = ConvConfig { channels: vec![4, 8], ..ConvConfig::new([1, 28, 28], 8) };
    let pca = pca(&digits, 8);
    let model =
        Architecture::Conv(config).init(3, &device).unwrap().with_linear_path(&pca).unwrap();
    let batches = Batches::new(digits.clone(), &device, RESIDENT_LIMIT, None).unwrap();
    let error = |model: &Model| evaluate(model, &batches, 32).unwrap().evaluation.squared_error;
    let (ours, its) = (error(&model), error(&Model::Pca(pca)));
    assert!(ours <= its && ours > 0.9 * its, "{ours} {its}");

    let digits: Arc<dyn Source> = Arc::new(digits);
    let data = Data { training: digits.clone(), validation: Some(digits) };
    let objective = Objective::new(Reconstruction::CrossEntropy);
    let schedule = Schedule { epochs: 15, ..schedule(1e-2) };
    let fitted = Training::new(model, &objective).schedule(&schedule).fit(&data).unwrap();
    let excess = |validation: &Option<Validation>| {
        let evaluation = validation.as_ref().unwrap().evaluation().unwrap();
        evaluation.cross_entropy.unwrap().excess()
    };
    let (first, last) = (excess(&fitted.initial), excess(&fitted.epochs[14].validation));
    assert!(last < 0.8 * first, "{first} {last}");
}
