//! The builder of a training: what it takes where nothing is said, and that each setting is heard.

use std::sync::Arc;

use ae_data::{Samples, digits, split};
use ae_models::{Classifier, ConvConfig, Dense, DenseConfig, Encoder, HeadConfig, Stack, tensors};
use ae_train::{
    Checkpoints, Data, End, Event, Fitted, Flow, HeadLoss, Labelled, Layerwise, LearningRate,
    Objective, Reconstruction, Schedule, Supervised, Training, fit,
};
use burn::tensor::Device;

fn model() -> Dense {
    DenseConfig::new([784, 16, 4]).init(0, &Device::flex()).unwrap()
}

fn objective() -> Objective<Dense> {
    Objective::new(Reconstruction::CrossEntropy)
}

fn samples() -> Samples {
    digits::generate(200, 0)
}

fn assert_same(a: &Fitted<Dense>, b: &Fitted<Dense>) {
    assert_eq!(tensors::collect(&a.model), tensors::collect(&b.model));
    assert_eq!(a.best, b.best);
}

/// 200 samples: 20 held out with the seed 0, batches of 16, 11 steps, 91 epochs, 20 steps of warm-up.
#[test]
fn without_settings_a_tenth_validates_and_the_schedule_is_by_the_number_of_samples() {
    let (training, validation) = split(&samples(), 0.1, 0).unwrap();
    let fitted = fit(model(), &objective(), samples()).unwrap();
    let schedule = Schedule {
        epochs: 91,
        batch: 16,
        rate: LearningRate { peak: 1e-3, warm_up: 20.0 / 11.0, ..LearningRate::default() },
        ..Schedule::default()
    };
    let data = Data { training: Arc::new(training), validation: Some(Arc::new(validation)) };
    let same = Training::new(model(), &objective()).schedule(schedule).fit(data).unwrap();
    assert_eq!(fitted.epochs.len(), 91);
    assert_same(&fitted, &same);
}

#[test]
fn each_setting_is_heard_over_the_schedule_and_before_it() {
    let schedule = Schedule { epochs: 7, batch: 50, seed: 3, ..Schedule::default() };
    let expected = Schedule {
        epochs: 2,
        batch: 32,
        seed: 5,
        rate: LearningRate { peak: 0.02, ..schedule.rate },
        ..schedule.clone()
    };
    let expected = Training::new(model(), &objective()).schedule(expected).fit(samples()).unwrap();
    let goal = objective();
    for is_last in [false, true] {
        let mut training = Training::new(model(), &goal);
        if !is_last {
            training = training.schedule(&schedule);
        }
        training = training.epochs(2).batch(32).seed(5).learning_rate(0.02);
        if is_last {
            training = training.schedule(&schedule);
        }
        assert_same(&training.fit(samples()).unwrap(), &expected);
    }

    // Without a schedule a batch decides how many epochs make 1000 steps: 180 / 60 = 3, 334 epochs.
    let mut steps = 0;
    let mut stop = |event: &Event<'_>| match event {
        Event::Start { steps: all, .. } => {
            steps = *all;
            Flow::Stop
        }
        _ => Flow::Continue,
    };
    let stopped = Training::new(model(), &objective()).batch(60).observe(&mut stop).fit(samples());
    assert_eq!((stopped.unwrap().end, steps), (End::Stopped, 1002));

    let patient = Training::new(model(), &goal).epochs(50).learning_rate(0.5).patience(2);
    assert_eq!(patient.fit(samples()).unwrap().end, End::Patience);
    let refused = Training::new(model(), &objective()).validate(0.0).patience(2).fit(samples());
    assert!(refused.err().unwrap().to_string().contains("patience"));
    let refused = Training::new(model(), &objective()).validate(1.5).fit(samples());
    assert!(refused.err().unwrap().to_string().contains("got 1.5"));
}

#[test]
fn nothing_is_held_out_of_data_or_where_none_is_wanted() {
    let data = Data { training: Arc::new(samples()), validation: None };
    let given = Training::new(model(), &objective()).epochs(1).batch(20).fit(data).unwrap();
    assert_eq!((given.done, given.best), (10, None));
    let goal = objective();
    let all = Training::new(model(), &goal).epochs(1).batch(20).validate(0.0);
    assert_same(&all.fit(samples()).unwrap(), &given);
    let pair = (samples(), digits::generate(10, 1));
    let pair = Training::new(model(), &objective()).epochs(1).batch(20).fit(pair).unwrap();
    assert_eq!((pair.done, pair.best), (10, Some(1)));
}

/// Watched, stopped and resumed from a folder: the same weights as in one go.
#[test]
fn a_folder_and_an_observer_change_no_number() {
    let plain = Training::new(model(), &objective()).epochs(3).batch(32).fit(samples()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let stop_at = |last: u64| {
        move |event: &Event<'_>| match event {
            Event::Step { done, .. } if *done == last => Flow::Stop,
            _ => Flow::Continue,
        }
    };
    for (last, end) in [(4, End::Stopped), (99, End::Complete)] {
        let mut observer = stop_at(last);
        let fitted = Training::new(model(), &objective())
            .epochs(3)
            .batch(32)
            .checkpoints(folder.path())
            .observe(&mut observer)
            .fit(samples())
            .unwrap();
        assert_eq!(fitted.end, end);
        if end == End::Complete {
            assert_same(&fitted, &plain);
        }
    }
    let kept = Checkpoints::new(folder.path()).list().unwrap();
    assert!(!kept.is_empty());
}

#[test]
fn classifiers_and_stacks_are_trained_the_same_way() {
    let device = Device::flex();
    let config = DenseConfig::new([784, 16, 4]);
    let layers = config.layers().into_iter().map(|layer| layer.init(0, &device).unwrap());
    let stack = Stack::new(layers.collect()).unwrap();
    let goal = Layerwise(|_, _: &_| Ok(Objective::new(Reconstruction::SquaredError)));
    let pretrained = Training::new(stack, &goal).epochs(2).fit(samples()).unwrap();
    assert_eq!(pretrained.layers.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2]);

    let encoder = model().encoder().clone();
    let head = HeadConfig::new(encoder.code_size(), 10).init(&device).unwrap();
    let classifier = Classifier::new(encoder, head).unwrap();
    let goal = Supervised::new(HeadLoss::Softmax, 0.0).unwrap();
    let labelled = Labelled::from_samples(samples()).unwrap();
    let fitted = Training::new(classifier, &goal).epochs(3).fit(labelled).unwrap();
    let validated = fitted.epochs[2].validation.as_ref().unwrap().classification().unwrap();
    assert_eq!(validated.samples, 20);
}

#[test]
fn a_fitted_model_is_used_on_samples() {
    let conv = ConvConfig { channels: vec![4], ..ConvConfig::new([1, 28, 28], 6) };
    let conv = conv.init(0, &Device::flex()).unwrap();
    let objective = Objective::new(Reconstruction::CrossEntropy);
    let fitted = Training::new(conv, &objective).epochs(1).fit(samples()).unwrap();
    let unseen = digits::generate(150, 1);
    let codes = fitted.encode(&unseen).unwrap();
    assert_eq!((codes.len(), codes.width()), (150, 6));
    assert_eq!(codes.labels(), unseen.labels());
    let back = fitted.reconstruct(&unseen).unwrap();
    assert_eq!((back.len(), back.shape()), (150, unseen.shape()));
    // The errors are those of the reconstructions, by hand.
    let errors = fitted.squared_errors(&unseen).unwrap();
    let by_hand = |row: usize| -> f32 {
        let pairs = unseen.row(row).into_iter().zip(back.row(row));
        pairs.map(|(x, y)| (x - y).powi(2)).sum()
    };
    for row in [0, 127, 149] {
        assert!((errors[row] - by_hand(row)).abs() < 1e-3 * errors[row], "row {row}");
    }
    let mean = errors.iter().map(|error| f64::from(*error)).sum::<f64>() / 150.0;
    assert!((fitted.evaluate(&unseen).unwrap().squared_error - mean).abs() < 1e-6 * mean);
    let other = digits::generate(3, 0).subset(&[0]);
    let narrow = Samples::from_floats(vec![0.0; 4], ae_data::Shape::table(2)).unwrap();
    assert!(fitted.encode(&other).is_ok());
    let message = "samples: expected 784 features, as the model has, got 2";
    assert_eq!(fitted.encode(&narrow).err().unwrap().to_string(), message);
    assert_eq!(fitted.evaluate(&narrow).err().unwrap().to_string(), message);
    assert_eq!(fitted.reconstruct(&narrow).err().unwrap().to_string(), message);
}
