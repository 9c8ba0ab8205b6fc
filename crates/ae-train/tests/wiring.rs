//! Which rows, which noise and which weights a run takes, told by data and by a penalty that watches.

use std::sync::{Arc, Mutex};

use ae_data::{Samples, Shape, Source, digits};
use ae_models::{Activation, Autoencoder, Dense, DenseConfig, Stack, tensors};
use ae_train::{
    Batches, Checkpoints, Corruption, Data, Decay, End, Event, Flow, Layerwise, LearningRate,
    Objective, Optimizer, Pass, Penalty, RESIDENT_LIMIT, Reconstruction, Schedule, Training,
    encode_dataset, evaluate,
};
use burn::tensor::{Device, Tensor};

/// Inputs and corrupted inputs of every pass, in their order.
type Seen = Arc<Mutex<Vec<[Vec<f32>; 2]>>>;

/// Is 0, and keeps what it sees.
struct Watch(Seen);

impl<M: Autoencoder> Penalty<M> for Watch {
    fn name(&self) -> &str {
        "watch"
    }

    fn value(&self, pass: &Pass<'_, M>) -> Tensor<1> {
        let values = |tensor: &Tensor<2>| tensor.to_data().iter::<f32>().collect();
        self.0.lock().unwrap().push([values(&pass.input), values(&pass.corrupted.values)]);
        pass.code.clone().sum() * 0.0
    }
}

fn table(rows: &[f32]) -> Arc<Samples> {
    Arc::new(Samples::from_floats(rows.to_vec(), Shape::table(1)).unwrap())
}

/// Rows 0.01 to 0.12 to train on, 0.91 to 0.95 to validate.
const TRAINING: usize = 12;
const VALIDATION: usize = 5;
const EPOCHS: usize = 3;
const BATCH: usize = 4;

/// What the passes of a run saw, epoch by epoch: of training, and of validation.
fn watched() -> Vec<[Vec<[Vec<f32>; 2]>; 2]> {
    let rows = |from: f32, count: usize| (1..=count).map(|i| from + i as f32 / 100.0).collect();
    let (training, validation): (Vec<f32>, Vec<f32>) = (rows(0.0, TRAINING), rows(0.9, VALIDATION));
    let data = Data { training: table(&training), validation: Some(table(&validation)) };
    let seen = Seen::default();
    let objective = Objective::new(Reconstruction::SquaredError)
        .corrupt(Corruption::gaussian(0.5).unwrap())
        .penalize(1.0, Watch(seen.clone()))
        .unwrap();
    let model = linear([1, 1]);
    let schedule = Schedule { epochs: EPOCHS, batch: BATCH, ..Schedule::default() };
    Training::new(model, &objective).schedule(&schedule).fit(&data).unwrap();
    let mut seen = seen.lock().unwrap().clone();
    let validation = VALIDATION.div_ceil(BATCH);
    let passes = TRAINING / BATCH + validation;
    // The initial weights are validated, too.
    assert_eq!(seen.len(), validation + EPOCHS * passes);
    let initial: Vec<_> = seen.drain(..validation).collect();
    assert!(initial == seen[TRAINING / BATCH..passes]);
    let epochs = seen.chunks(passes).map(|epoch| {
        let (training, validation) = epoch.split_at(TRAINING / BATCH);
        assert!(training.iter().all(|[input, _]| input.iter().all(|value| *value < 0.5)));
        assert!(validation.iter().all(|[input, _]| input.iter().all(|value| *value > 0.5)));
        [training.to_vec(), validation.to_vec()]
    });
    epochs.collect()
}

fn linear<const N: usize>(widths: [usize; N]) -> Dense {
    let identity = Activation::Identity;
    let config = DenseConfig {
        activation: identity,
        code_activation: identity,
        output: identity,
        ..DenseConfig::new(widths)
    };
    config.init(1, &Device::flex()).unwrap()
}

#[test]
fn every_epoch_has_all_rows_in_an_order_that_is_its_own() {
    let orders: Vec<Vec<f32>> = watched()
        .into_iter()
        .map(|[training, _]| training.into_iter().flat_map(|[input, _]| input).collect())
        .collect();
    for order in &orders {
        let mut sorted = order.clone();
        sorted.sort_by(f32::total_cmp);
        let all: Vec<f32> = (1..=TRAINING).map(|i| i as f32 / 100.0).collect();
        assert_eq!(sorted, all);
    }
    assert!(orders[0] != orders[1] && orders[0] != orders[2] && orders[1] != orders[2]);
}

#[test]
fn noise_is_another_at_every_step_and_the_same_at_every_validation() {
    let epochs = watched();
    let noise = |[input, corrupted]: &[Vec<f32>; 2]| -> Vec<i32> {
        // In thousandths: a sum with a row, and the row off again, is not the noise to the bit.
        let noise = corrupted.iter().zip(input).map(|(corrupted, input)| corrupted - input);
        noise.map(|noise| (1000.0 * noise).round() as i32).collect()
    };
    let steps: Vec<Vec<i32>> =
        epochs.iter().flat_map(|[training, _]| training.iter().map(noise)).collect();
    for (number, step) in steps.iter().enumerate() {
        assert!(!steps[..number].contains(step), "step {number} has the noise of one before");
    }
    let [_, first] = &epochs[0];
    assert!(epochs.iter().all(|[_, validation]| validation == first));
    assert_ne!(noise(&first[0])[..1], noise(&first[1])[..1], "each batch has noise of its own");
}

/// The model learns to answer 1 with 1, and with more than its input on the way: validated on 0.4, it first gets
/// better and then worse. So the first epoch is the best one, and its weights have to outlive an interruption
/// in the third.
#[test]
fn the_best_weights_of_before_an_interruption_are_those_of_the_end() {
    let data =
        Data { training: table(&[1.0; TRAINING]), validation: Some(table(&[0.4; VALIDATION])) };
    let rate = LearningRate { peak: 0.05, warm_up: 0.0, decay: Decay::Constant };
    let optimizer = Optimizer::sgd(0.0);
    let schedule = Schedule { epochs: 4, batch: BATCH, rate, optimizer, ..Schedule::default() };
    let objective = Objective::new(Reconstruction::SquaredError);
    let whole = Training::new(linear([1, 1]), &objective).schedule(&schedule).fit(&data).unwrap();
    assert_eq!((whole.best, whole.done), (Some(1), 12));

    let folder = tempfile::tempdir().unwrap();
    let checkpoints = Checkpoints { every: None, ..Checkpoints::new(folder.path()) };
    let mut stop = |event: &Event<'_>| match event {
        Event::Step { done: 7, .. } => Flow::Stop,
        _ => Flow::Continue,
    };
    let piece = |observer: &mut dyn ae_train::Observer| {
        let training = Training::new(linear([1, 1]), &objective).schedule(&schedule);
        training.checkpoints(checkpoints.clone()).observe(observer).fit(&data).unwrap()
    };
    assert_eq!(piece(&mut stop).end, End::Stopped);
    let resumed = piece(&mut ());
    assert_eq!((resumed.best, resumed.end), (Some(1), End::Complete));
    assert_eq!(tensors::collect(&resumed.model), tensors::collect(&whole.model));

    let unvalidated = Data { validation: None, ..data };
    let last =
        Training::new(linear([1, 1]), &objective).schedule(&schedule).fit(&unvalidated).unwrap();
    assert_ne!(tensors::collect(&last.model), tensors::collect(&whole.model));
}

/// White pictures to validate, where digits are trained on: a layer's validation is on their codes.
#[test]
fn upper_layers_are_validated_on_codes_of_the_validation_part() {
    let white = Samples::from_floats(vec![1.0; 20 * 784], Shape::image(1, 28, 28)).unwrap();
    let (digits, white) = (Arc::new(digits::generate(80, 1)), Arc::new(white));
    let data = Data { training: digits.clone(), validation: Some(white.clone()) };
    let layers = [[784, 12], [12, 6], [6, 3]].map(linear).to_vec();
    let schedule = Schedule { epochs: 1, batch: 20, ..Schedule::default() };
    let objective = Layerwise(|_, _: &Dense| Ok(Objective::new(Reconstruction::SquaredError)));
    let stack = Stack::new(layers).unwrap();
    let mut initial = vec![];
    let mut observer = |event: &Event<'_>| {
        if let Event::Initial(validation) = event {
            initial.push(validation.evaluation().unwrap().squared_error);
        }
        Flow::Continue
    };
    let training = Training::new(stack, &objective).schedule(&schedule).observe(&mut observer);
    let pretrained = training.fit(&data).unwrap();
    let mut initial = initial.into_iter();
    let mut codes: [Arc<dyn Source>; 2] = [white, digits];
    let layers = pretrained.stack.layers().iter().zip(&pretrained.layers);
    for ((layer, epochs), best) in layers.zip(&pretrained.best) {
        let [white, digits] = codes.clone().map(|source| {
            let data = Batches::new(source, &Device::flex(), RESIDENT_LIMIT, None).unwrap();
            evaluate(layer, &data, 20).unwrap().evaluation.squared_error
        });
        let (best, initial) = (best.unwrap(), initial.next().unwrap());
        let validation = epochs.get(best.wrapping_sub(1)).and_then(|it| it.validation.as_ref());
        let of_best = validation.map(|it| it.evaluation().unwrap().squared_error);
        let reported = of_best.unwrap_or(initial);
        assert!((reported / white - 1.0).abs() < 1e-6, "{reported} {white}");
        assert!((reported / digits - 1.0).abs() > 0.1, "{reported} {digits}");
        codes = codes.map(|source| Arc::new(encode_dataset(layer, source, 20).unwrap()) as _);
    }
}
