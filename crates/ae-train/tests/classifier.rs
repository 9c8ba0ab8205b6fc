//! Whole runs of classifiers: what they learn, what they leave unchanged, resumption, and the best epoch.

use std::sync::Arc;

use ae_data::{Labels, Samples, Shape, digits};
use ae_models::{
    Classifier, Classify, ConvConfig, ConvEncoder, DenseConfig, DenseEncoder, Head, HeadConfig,
    tensors,
};
use ae_train::{
    Checkpoints, Data, Decay, End, EpochReport, Event, Fitted, Flow, HeadLoss, Labelled,
    LabelledData, LearningRate, Objective, Optimizer, Precision, Reconstruction, Schedule,
    Supervised, Training, classify,
};
use burn::tensor::{Device, TensorData};

fn dense_encoder() -> DenseEncoder {
    let config = DenseConfig { tied: true, ..DenseConfig::new([784, 32, 16]) };
    config.init(3, &Device::flex()).unwrap().encoder().clone()
}

fn conv_encoder() -> ConvEncoder {
    let config = ConvConfig { channels: vec![4, 8], ..ConvConfig::new([1, 28, 28], 16) };
    config.init(3, &Device::flex()).unwrap().encoder().clone()
}

fn head(features: usize) -> Head {
    HeadConfig::new(features, 10).init(&Device::flex()).unwrap()
}

fn dense() -> Classifier<DenseEncoder> {
    Classifier::new(dense_encoder(), head(16)).unwrap()
}

fn conv() -> Classifier<ConvEncoder> {
    Classifier::new(conv_encoder(), head(16)).unwrap()
}

fn labelled(count: usize, seed: u64) -> Labelled {
    Labelled::from_samples(digits::generate(count, seed)).unwrap()
}

fn data() -> LabelledData {
    LabelledData { training: labelled(200, 1), validation: Some(labelled(50, 2)) }
}

fn softmax() -> Supervised {
    Supervised::new(HeadLoss::Softmax, 1e-4).unwrap()
}

fn schedule() -> Schedule {
    Schedule { epochs: 4, batch: 32, clip: Some(10.0), seed: 9, ..Schedule::default() }
}

#[test]
fn half_precision_has_nearly_the_same_losses() {
    let loss = |precision| {
        let schedule = Schedule { precision, ..schedule() };
        Training::new(conv(), &softmax()).schedule(&schedule).fit(data()).unwrap().epochs[3]
            .training_loss()
    };
    let full = loss(Precision::Full);
    for (precision, most) in [(Precision::F16, 0.001), (Precision::Bf16, 0.01)] {
        let half = loss(precision);
        assert!(half != full && (half / full - 1.0).abs() < most, "{precision:?}: {half} {full}");
    }
}

/// The reports without times, which do not repeat.
fn timeless(epochs: &[EpochReport]) -> Vec<EpochReport> {
    let timeless = |epoch: &EpochReport| EpochReport {
        seconds: 0.0,
        samples_per_second: 0.0,
        ..epoch.clone()
    };
    epochs.iter().map(timeless).collect()
}

/// Stops a run within an epoch, at its end and before its first step, and resumes it. The uninterrupted
/// run gives the same.
fn ends_with_the_same_weights<M: Classify>(model: impl Fn() -> M) {
    let (data, supervised, schedule) = (data(), softmax(), schedule());
    let whole = || Training::new(model(), &supervised).schedule(&schedule).fit(&data).unwrap();
    let (whole, again) = (whole(), whole());
    assert_eq!(tensors::collect(&whole.model), tensors::collect(&again.model));
    let folder = tempfile::tempdir().unwrap();
    let checkpoints = Checkpoints { every: None, ..Checkpoints::new(folder.path()) };
    for stop in [3, 6, 13, 99] {
        let mut observer = |event: &Event<'_>| match event {
            Event::Step { done, .. } if *done == stop => Flow::Stop,
            _ => Flow::Continue,
        };
        let pieces = Training::new(model(), &supervised)
            .schedule(&schedule)
            .checkpoints(checkpoints.clone())
            .observe(&mut observer)
            .fit(&data)
            .unwrap();
        assert_eq!(pieces.done, stop.min(24));
        if pieces.end == End::Complete {
            assert_eq!(tensors::collect(&pieces.model), tensors::collect(&whole.model));
            assert_eq!(timeless(&pieces.epochs), timeless(&whole.epochs));
            assert_eq!(pieces.best, whole.best);
        }
    }
}

#[test]
fn resumed_run_ends_with_the_same_weights() {
    ends_with_the_same_weights(dense);
    ends_with_the_same_weights(conv);
    let codes = LabelledData {
        training: data().training.encode(&dense_encoder(), 64).unwrap(),
        validation: None,
    };
    assert_eq!(codes.training.samples().width(), 16);
    let fitted = Training::new(head(16), &softmax()).schedule(schedule()).fit(&codes).unwrap();
    assert_eq!(fitted.best, None);
}

#[test]
fn checkpoint_of_other_labels_or_another_loss_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoints = Checkpoints::new(folder.path());
    let go = |data: &LabelledData, supervised: &Supervised| {
        let schedule = schedule();
        Training::new(dense(), supervised)
            .schedule(&schedule)
            .checkpoints(checkpoints.clone())
            .fit(data)
    };
    go(&data(), &softmax()).unwrap();
    let hinge = Supervised::new(HeadLoss::SquaredHinge, 1e-4).unwrap();
    let message = go(&data(), &hinge).unwrap_err().to_string();
    let expected = "this run, with supervised.loss \"squared-hinge\", got \"softmax\"";
    assert!(message.ends_with(expected), "{message}");
    let labels = data().training.labels().clone();
    let mut classes = labels.classes().to_vec();
    classes[0] = (classes[0] + 1) % 10;
    let labels = Labels::new(classes, labels.names().to_vec()).unwrap();
    let other = Labelled::new(data().training.samples().clone(), labels).unwrap();
    let message = go(&LabelledData { training: other, ..data() }, &softmax()).unwrap_err();
    assert!(message.to_string().contains("with classes.training "), "{message}");
    let autoencoder = DenseConfig::new([784, 8]).init(0, &Device::flex()).unwrap();
    let objective = Objective::new(Reconstruction::CrossEntropy);
    let images = Data { training: Arc::new(digits::generate(200, 1)), validation: None };
    let schedule = schedule();
    let message = Training::new(autoencoder, &objective)
        .schedule(&schedule)
        .checkpoints(checkpoints.clone())
        .fit(&images)
        .unwrap_err();
    assert!(message.to_string().contains("a checkpoint of this run, with "), "{message}");
}

/// The encoder changes only in a classifier.
#[test]
fn fine_tuning_changes_the_encoder_and_a_head_alone_does_not() {
    fn encoders_differ<E: ae_models::Encoder>(encoder: E, fitted: Fitted<Classifier<E>>) -> bool {
        let before = tensors::collect(&encoder);
        let after = tensors::collect(fitted.model.encoder());
        assert!(before.keys().eq(after.keys()));
        before.iter().all(|(name, weights)| after[name] != *weights)
    }
    let fit = |epochs| Schedule { epochs, ..schedule() };
    let fitted = Training::new(dense(), &softmax()).schedule(fit(2)).fit(data()).unwrap();
    assert!(encoders_differ(dense_encoder(), fitted));
    let fitted = Training::new(conv(), &softmax()).schedule(fit(2)).fit(data()).unwrap();
    assert!(encoders_differ(conv_encoder(), fitted));

    let encoder = dense_encoder();
    let codes = LabelledData {
        training: data().training.encode(&encoder, 64).unwrap(),
        validation: data().validation.map(|set| set.encode(&encoder, 64).unwrap()),
    };
    let fitted = Training::new(head(16), &softmax()).schedule(schedule()).fit(&codes).unwrap();
    let on_codes = fitted.epochs[fitted.best.unwrap() - 1].validation.clone().unwrap();
    let classifier = Classifier::new(encoder, fitted.model).unwrap();
    assert_eq!(tensors::collect(classifier.encoder()), tensors::collect(&dense_encoder()));
    // Results on codes are those of the whole classifier on images.
    let whole = classify(&classifier, HeadLoss::Softmax, &data().validation.unwrap(), 32).unwrap();
    assert_eq!(whole.classification.confusion, on_codes.classification().unwrap().confusion);
}

/// With a whole autoencoder as the encoder, the decoder has no gradient.
#[test]
fn decoder_of_a_classifier_is_unchanged() {
    let autoencoder = DenseConfig::new([784, 16]).init(3, &Device::flex()).unwrap();
    let classifier = Classifier::new(autoencoder.clone(), head(16)).unwrap();
    let fitted = Training::new(classifier, &softmax()).schedule(schedule()).fit(data()).unwrap();
    let (after, _) = fitted.model.into_parts();
    let (before, after) = (tensors::collect(&autoencoder), tensors::collect(&after));
    for (name, weights) in &before {
        assert_eq!(after[name] == *weights, name.starts_with("decoder."), "{name}");
    }
}

/// A linear head on pixels, and a small network, on unseen digits, of which chance predicts a tenth.
#[test]
fn digits_are_classified() {
    let data = LabelledData { training: labelled(2000, 1), validation: Some(labelled(300, 2)) };
    let unseen = labelled(500, 3);
    let rate = LearningRate { peak: 3e-3, ..LearningRate::default() };
    let schedule = Schedule { epochs: 8, batch: 50, rate, ..Schedule::default() };
    let accuracy = |loss, weight_decay| {
        let supervised = Supervised::new(loss, weight_decay).unwrap();
        let pixels = Training::new(head(784), &supervised).schedule(&schedule).fit(&data).unwrap();
        let network = Training::new(dense(), &supervised).schedule(&schedule).fit(&data).unwrap();
        [
            classify(&pixels.model, loss, &unseen, 100).unwrap().classification.accuracy(),
            classify(&network.model, loss, &unseen, 100).unwrap().classification.accuracy(),
        ]
    };
    for (loss, weight_decay) in [(HeadLoss::Softmax, 1e-4), (HeadLoss::SquaredHinge, 1e-2)] {
        let [pixels, network] = accuracy(loss, weight_decay);
        println!("{loss}: pixels {pixels}, network {network}");
        assert!(pixels > 0.8 && network > 0.8, "{loss}: pixels {pixels}, network {network}");
    }
}

/// The error rate and the loss of every epoch on the validation set.
fn measured<M>(fitted: &Fitted<M>) -> Vec<(f64, f64)> {
    let of = |epoch: &EpochReport| {
        let validation = epoch.validation.as_ref().unwrap();
        (validation.classification().unwrap().error(), validation.loss())
    };
    fitted.epochs.iter().map(of).collect()
}

/// With few digits and a high rate, loss and errors are lowest in different epochs.
#[test]
fn best_epoch_has_the_fewest_errors() {
    let data = LabelledData { training: labelled(100, 1), validation: Some(labelled(100, 2)) };
    let rate = LearningRate { peak: 0.03, warm_up: 0.0, decay: Decay::Constant };
    let schedule = Schedule { epochs: 12, batch: 20, rate, ..Schedule::default() };
    let fitted = Training::new(head(784), &softmax()).schedule(&schedule).fit(&data).unwrap();
    let measured = measured(&fitted);
    let first_least = |order: fn(&(f64, f64)) -> (f64, f64)| {
        let values: Vec<(f64, f64)> = measured.iter().map(order).collect();
        let least =
            values.iter().copied().reduce(|left, right| if right < left { right } else { left });
        values.iter().position(|value| Some(*value) == least).map(|at| at + 1)
    };
    assert_eq!(fitted.best, first_least(|(error, loss)| (*error, *loss)), "{measured:?}");
    assert_ne!(fitted.best, first_least(|(error, loss)| (*loss, *error)), "{measured:?}");
    let best = fitted.best.unwrap();
    let again = Schedule { epochs: best, ..schedule };
    let again = Training::new(head(784), &softmax()).schedule(&again).fit(&data).unwrap();
    assert_eq!(tensors::collect(&fitted.model), tensors::collect(&again.model));
}

#[test]
fn best_epoch_among_equal_errors_has_the_lowest_loss() {
    let table = |values: &[f32], classes: &[u32]| {
        let samples = Samples::from_floats(values.to_vec(), Shape::table(1)).unwrap();
        let names = vec!["below".to_owned(), "above".to_owned()];
        let labels = Labels::new(classes.to_vec(), names).unwrap();
        Labelled::new(Arc::new(samples), labels).unwrap()
    };
    let rate = LearningRate { peak: 0.5, warm_up: 0.0, decay: Decay::Constant };
    let schedule = Schedule {
        epochs: 6,
        batch: 4,
        rate,
        optimizer: Optimizer::sgd(0.0),
        ..Schedule::default()
    };
    let run = |validation: Labelled, patience| {
        let data = LabelledData {
            training: table(&[-2.0, -1.0, 1.0, 2.0], &[0, 0, 1, 1]),
            validation: Some(validation),
        };
        let head = HeadConfig::new(1, 2).init(&Device::flex()).unwrap();
        let supervised = Supervised::new(HeadLoss::Softmax, 0.0).unwrap();
        let schedule = Schedule { patience, ..schedule.clone() };
        Training::new(head, &supervised).schedule(&schedule).fit(&data).unwrap()
    };
    // No errors, and a falling loss: the last epoch is the best.
    let fitted = run(table(&[-1.0, 1.0], &[0, 1]), None);
    assert!(measured(&fitted).is_sorted_by(|left, right| left.0 == right.0 && left.1 > right.1));
    assert_eq!(fitted.best, Some(6));
    // The same errors in every epoch (one outlier), and a rising loss: the first epoch is the best.
    let fitted = run(table(&[-1.0, 1.0, 9.0], &[0, 1, 0]), Some(2));
    assert!(measured(&fitted).is_sorted_by(|left, right| left.0 == right.0 && left.1 < right.1));
    assert_eq!((fitted.best, fitted.epochs.len(), fitted.end), (Some(1), 3, End::Patience));
}

#[test]
fn bad_settings_are_refused_before_training() {
    let refuse = |model: Head, data: LabelledData| {
        Training::new(model, &softmax()).schedule(schedule()).fit(&data).unwrap_err().to_string()
    };
    let narrow = HeadConfig::new(784, 9).init(&Device::flex()).unwrap();
    let nine = |labels: &Labels| labels.classes().iter().position(|class| *class == 9).unwrap();
    assert_eq!(
        refuse(narrow.clone(), data()),
        format!(
            "class of sample {} of the training set: expected a number from 0 to 8, as the model \
             has 9 classes, got 9",
            nine(data().training.labels())
        )
    );
    let few = digits::generate(200, 1);
    let rows: Vec<usize> =
        (0..200).filter(|row| few.labels().unwrap().classes()[*row] != 9).collect();
    let few = Labelled::from_samples(few.subset(&rows)).unwrap();
    let message = refuse(narrow, LabelledData { training: few, ..data() });
    assert!(message.contains(" of the validation set: expected a number from 0 to 8"), "{message}");
    assert_eq!(
        refuse(head(10), data()),
        "samples: expected 10 features, as the model has, got 784"
    );
    let blind = LabelledData { validation: None, ..data() };
    let impatient = Schedule { patience: Some(1), ..schedule() };
    let error = Training::new(head(784), &softmax()).schedule(&impatient).fit(&blind).unwrap_err();
    assert_eq!(
        error.to_string(),
        "patience: needs a validation set; set Data::validation, or remove the patience"
    );
}

/// The terms of a validation are the mean loss and the weight decay.
#[test]
fn terms_of_a_validation_add_up() {
    let supervised = Supervised::new(HeadLoss::SquaredHinge, 0.2).unwrap();
    let schedule = Schedule { epochs: 1, ..schedule() };
    let fitted = Training::new(dense(), &supervised).schedule(&schedule).fit(data()).unwrap();
    let validation = fitted.epochs[0].validation.as_ref().unwrap();
    let names: Vec<&str> = validation.terms.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["squared-hinge", "weight-decay"]);
    let loss = validation.classification().unwrap().loss;
    let weights: TensorData = fitted.model.head().weight().into_data();
    let decay = 0.1 * weights.iter::<f64>().map(|weight| weight * weight).sum::<f64>();
    assert!((validation.loss() - loss - decay).abs() < 1e-6 * loss, "{validation:?} {decay}");
}

/// Pretraining, then fine-tuning with a head.
#[test]
fn pretrained_encoder_is_fine_tuned_with_a_head() {
    let untrained = DenseConfig::new([784, 16]).init(3, &Device::flex()).unwrap();
    let images = Data { training: Arc::new(digits::generate(200, 1)), validation: None };
    let objective = Objective::new(Reconstruction::CrossEntropy);
    let pretrained = Training::new(untrained.clone(), &objective)
        .schedule(schedule())
        .fit(&images)
        .unwrap()
        .model;
    let start = || Classifier::new(pretrained.encoder().clone(), head(16)).unwrap();
    let never = Schedule { epochs: 0, ..schedule() };
    let fitted = Training::new(start(), &softmax()).schedule(&never).fit(data()).unwrap();
    let at_start = tensors::collect(fitted.model.encoder());
    assert_eq!(at_start, tensors::collect(pretrained.encoder()));
    assert_ne!(at_start, tensors::collect(untrained.encoder()));
    let losses = |model| -> Vec<f64> {
        let fitted = Training::new(model, &softmax()).schedule(schedule()).fit(data()).unwrap();
        fitted.epochs.iter().map(EpochReport::training_loss).collect()
    };
    let tuned = losses(start());
    assert!(tuned[3] < tuned[0], "{tuned:?}");
    assert_ne!(tuned, losses(Classifier::new(untrained.encoder().clone(), head(16)).unwrap()));
}
