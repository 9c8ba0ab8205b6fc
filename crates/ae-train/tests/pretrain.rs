//! Pretraining is `fit` on one layer after the other.

use std::sync::Arc;

use ae_data::digits;
use ae_models::{
    Activation, Architecture, Autoencoder, ConvConfig, DenseConfig, Downsample, Encoder, Model,
    Stack, tensors,
};
use ae_train::{
    Checkpoints, Corruption, Data, End, Event, Flow, KlSparsity, Layerwise, Objective,
    Reconstruction, Result, Schedule, Training, encode_dataset,
};
use burn::tensor::Device;

fn stack(architecture: Architecture) -> Stack<Model> {
    let Model::Stack(stack) = architecture.stacked().init(3, &Device::flex()).unwrap() else {
        panic!("a stack")
    };
    stack
}

fn dense() -> Stack<Model> {
    stack(Architecture::Dense(DenseConfig {
        activation: Activation::Sigmoid,
        code_activation: Activation::Sigmoid,
        ..DenseConfig::new([784, 24, 12, 6])
    }))
}

fn conv(down: Downsample) -> Stack<Model> {
    stack(Architecture::Conv(ConvConfig {
        channels: vec![3, 4],
        down,
        ..ConvConfig::new([1, 28, 28], 8)
    }))
}

fn data() -> Data {
    Data {
        training: Arc::new(digits::generate(200, 1)),
        validation: Some(Arc::new(digits::generate(50, 2))),
    }
}

fn schedule() -> Schedule {
    Schedule { epochs: 3, batch: 40, seed: 5, ..Schedule::default() }
}

/// Masking noise on the input of every layer.
fn objective(_: usize, layer: &Model) -> Result<Objective<Model>> {
    use ae_models::Decoder;
    let reconstruction = match layer.output().is_probability() {
        true => Reconstruction::CrossEntropy,
        false => Reconstruction::SquaredError,
    };
    Ok(Objective::new(reconstruction).corrupt(Corruption::masking(0.25)?))
}

fn weights(stack: &Stack<Model>) -> tensors::Tensors {
    tensors::collect(stack)
}

/// Each layer fitted alone, to the clean codes of those below.
fn layer_by_layer(stack: Stack<Model>) -> Vec<Model> {
    let (mut data, mut layers) = (data(), Vec::new());
    for (index, layer) in stack.layers().iter().enumerate() {
        let schedule = Schedule { seed: 5 + index as u64, ..schedule() };
        let objective = objective(index, layer).unwrap();
        let model =
            Training::new(layer.clone(), &objective).schedule(&schedule).fit(&data).unwrap().model;
        let codes = |set| Arc::new(encode_dataset(&model, set, 40).unwrap());
        let validation = data.validation.take().unwrap();
        data = Data { training: codes(data.training.clone()), validation: Some(codes(validation)) };
        layers.push(model);
    }
    layers
}

#[test]
fn layers_are_fitted_to_the_clean_codes_below() {
    for stack in [dense(), conv(Downsample::Stride), conv(Downsample::MaxPool)] {
        let before = weights(&stack);
        let expected = Stack::new(layer_by_layer(stack.clone())).unwrap();
        let pretrained =
            Training::new(stack, &Layerwise(&objective)).schedule(schedule()).fit(data()).unwrap();
        assert_eq!(weights(&pretrained.stack), weights(&expected));
        assert_eq!(
            (pretrained.layers.len(), pretrained.end),
            (before_layers(&before), End::Complete)
        );
        for (name, weight) in weights(&pretrained.stack) {
            assert_ne!(weight, before[&name], "{name} was trained");
        }
        for epochs in &pretrained.layers {
            assert!(epochs[2].training_loss() < epochs[0].training_loss());
        }
    }
}

fn before_layers(weights: &tensors::Tensors) -> usize {
    let number = |name: &String| name.split('.').nth(1).unwrap().parse::<usize>().unwrap();
    weights.keys().map(number).max().unwrap() + 1
}

/// Pretraining is interrupted within a layer and between two, and resumed.
#[test]
fn resumed_pretraining_ends_with_the_same_weights() {
    let whole =
        Training::new(dense(), &Layerwise(&objective)).schedule(schedule()).fit(data()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let checkpoints = Checkpoints { every: None, ..Checkpoints::new(folder.path()) };
    for (layer, step, end) in
        [(1, 7, End::Stopped), (2, 0, End::Stopped), (3, 4, End::Stopped), (9, 9, End::Complete)]
    {
        let mut at = 0;
        let mut observer = |event: &Event<'_>| match event {
            Event::Layer { number, of } => {
                assert_eq!(*of, 3);
                at = *number;
                if (at, 0) == (layer, step) { Flow::Stop } else { Flow::Continue }
            }
            Event::Step { done, .. } if (at, *done) == (layer, step) => Flow::Stop,
            _ => Flow::Continue,
        };
        let (data, schedule) = (data(), schedule());
        let pieces = Training::new(dense(), &Layerwise(&objective))
            .schedule(&schedule)
            .checkpoints(checkpoints.clone())
            .observe(&mut observer)
            .fit(&data);
        let pieces = pieces.unwrap();
        assert_eq!(pieces.end, end);
        if end == End::Complete {
            assert_eq!(weights(&pieces.stack), weights(&whole.stack));
            assert_eq!(pieces.layers.len(), 3);
        }
    }
}

/// Fitting the whole stack changes every layer.
#[test]
fn pretrained_stack_is_fine_tuned_as_a_whole() {
    let pretrained =
        Training::new(dense(), &Layerwise(&objective)).schedule(schedule()).fit(data()).unwrap();
    let before = weights(&pretrained.stack);
    let whole = Objective::new(Reconstruction::CrossEntropy);
    let tuned = Training::new(pretrained.stack, &whole).schedule(schedule()).fit(data()).unwrap();
    assert!(weights(&tuned.model).iter().all(|(name, weight)| *weight != before[name]));
    assert!(tuned.epochs[2].training_loss() < tuned.epochs[0].training_loss());
    let input = burn::tensor::Tensor::zeros([2, 784], &Device::flex());
    assert_eq!(tuned.model.reconstruct(input.clone()).dims(), [2, 784]);
    assert_eq!(tuned.model.encode(input).dims(), [2, 6]);
}

/// KL sparsity does not fit the code of the last of three layers.
#[test]
fn bad_objective_of_any_layer_is_refused_before_training() {
    let stack = stack(Architecture::Dense(DenseConfig {
        activation: Activation::Sigmoid,
        ..DenseConfig::new([784, 24, 12, 6])
    }));
    let sparse = |index: usize, layer: &Model| {
        objective(index, layer)?.penalize(1.0, KlSparsity::toward(0.1)?)
    };
    let mut observer = |_: &Event<'_>| -> Flow { panic!("nothing happens") };
    let refused = Training::new(stack, &Layerwise(&sparse))
        .schedule(schedule())
        .observe(&mut observer)
        .fit(data())
        .unwrap_err();
    assert!(refused.to_string().starts_with("kl-sparsity: expected a code in (0, 1)"), "{refused}");
}
