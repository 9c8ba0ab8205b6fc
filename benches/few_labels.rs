//! Does pretraining help where labels are few? A stack of three layers on MNIST with 1000 labels, pretrained
//! as a stacked denoising autoencoder on all training images, against the same net without: five seeds
//! each (weights, noise, and which 1000 images have labels), both with the same search on validation data.
//!
//!     cargo bench --bench few_labels -- FOLDER_OF_MNIST
//!
//! 50,000 images are trained on, 10,000 validate: they choose the learning rate and the number of
//! epochs of fine-tuning, the same for all seeds, by mean error. The test images choose nothing. The
//! noise and the epochs of pretraining are set beforehand (masking 25 %, Vincent et al. 2010, table 3).

use std::sync::Arc;
use std::time::Instant;

use autoencoders::burn::tensor::Device;
use autoencoders::data::{Options, Samples, open, split};
use autoencoders::models::{
    Activation, Architecture, Classifier, Decoder, DenseConfig, Encoder, HeadConfig, Model,
    ModelEncoder,
};
use autoencoders::train::{
    Corruption, Data, HeadLoss, Labelled, LabelledData, Layerwise, LearningRate, Objective,
    Reconstruction, Schedule, Supervised, Training, classify,
};

const SEEDS: u64 = 5;
const LABELS: usize = 1000;
const RATES: [f64; 3] = [1e-3, 3e-3, 1e-2];
const EPOCHS: [usize; 2] = [50, 150];

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

struct Splits {
    training: Samples,
    validation: Labelled,
    test: Labelled,
}

/// Fine-tunes encoder and head on the few labels in every way of the search: the error rate on
/// the validation set and on the test set, for each.
fn search(
    encoder: &ModelEncoder,
    few: &Labelled,
    splits: &Splits,
    seed: u64,
) -> Result<Vec<[f64; 2]>> {
    let mut errors = Vec::new();
    for peak in RATES {
        for epochs in EPOCHS {
            let head = HeadConfig::new(encoder.code_size(), 10).init(&Device::flex())?;
            let model = Classifier::new(encoder.clone(), head)?;
            let rate = LearningRate { peak, warm_up: 1.0, ..LearningRate::default() };
            let schedule = Schedule { epochs, batch: 50, rate, seed, ..Schedule::default() };
            let data = LabelledData { training: few.clone(), validation: None };
            let softmax = Supervised::new(HeadLoss::Softmax, 0.0)?;
            let model = Training::new(model, &softmax).schedule(&schedule).fit(&data)?.model;
            let error = |set| -> Result<f64> {
                let answers = classify(&model, HeadLoss::Softmax, set, 500)?;
                Ok(answers.classification.error())
            };
            errors.push([error(&splits.validation)?, error(&splits.test)?]);
        }
    }
    Ok(errors)
}

fn seed(seed: u64, splits: &Splits) -> Result<[Vec<[f64; 2]>; 2]> {
    let config = DenseConfig {
        activation: Activation::Sigmoid,
        code_activation: Activation::Sigmoid,
        ..DenseConfig::new([784, 500, 500, 500])
    };
    let stacked = Architecture::Dense(config).stacked();
    let Model::Stack(stack) = stacked.init(seed, &Device::flex())? else {
        return Err("expected a stack".into());
    };
    let share = LABELS as f64 / splits.training.len() as f64;
    let few = Labelled::from_samples(split(&splits.training, share, 1 + seed)?.1)?;
    let without = search(&Model::Stack(stack.clone()).to_encoder(), &few, splits, seed)?;

    let began = Instant::now();
    let objective = |_: usize, layer: &Model| {
        let loss = match layer.output().is_probability() {
            true => Reconstruction::CrossEntropy,
            false => Reconstruction::SquaredError,
        };
        Ok(Objective::new(loss).corrupt(Corruption::masking(0.25)?))
    };
    let rate = LearningRate { warm_up: 0.5, ..LearningRate::default() };
    let schedule = Schedule { epochs: 10, rate, seed, ..Schedule::default() };
    let data = Data { training: Arc::new(splits.training.clone()), validation: None };
    let stack = Training::new(stack, &Layerwise(&objective)).schedule(&schedule).fit(&data)?.stack;
    eprintln!("seed {seed}: pretrained in {:.0} s", began.elapsed().as_secs_f64());
    let with = search(&Model::Stack(stack).to_encoder(), &few, splits, seed)?;
    Ok([without, with])
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn deviation(values: &[f64]) -> f64 {
    let mean = mean(values);
    let squares = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
    (squares / (values.len() - 1) as f64).sqrt()
}

fn main() -> Result<()> {
    let Some(folder) = std::env::args().skip(1).find(|argument| !argument.starts_with("--")) else {
        eprintln!("expected the folder of MNIST's four files as an argument; nothing was measured");
        return Ok(());
    };
    let set = open(&folder, &Options::default(), &mut |_| {})?;
    let (training, validation) = split(&set.splits.training, 1.0 / 6.0, 0)?;
    let (validation, test) =
        (Labelled::from_samples(validation)?, Labelled::from_samples(set.splits.test)?);
    let splits = Splits { training, validation, test };
    let runs = (0..SEEDS).map(|number| seed(number, &splits)).collect::<Result<Vec<_>>>()?;

    let mut chosen = Vec::new();
    for (index, name) in ["without pretraining", "with pretraining"].into_iter().enumerate() {
        let of = |way: usize, part: usize| -> Vec<f64> {
            runs.iter().map(|run| 100.0 * run[index][way][part]).collect()
        };
        println!(
            "{name}\n{:<18}{:>22}{:>22}",
            "rate, epochs", "validation error, %", "test error, %"
        );
        let ways = RATES.len() * EPOCHS.len();
        for way in 0..ways {
            let setting = format!("{}, {}", RATES[way / EPOCHS.len()], EPOCHS[way % EPOCHS.len()]);
            let spread =
                |errors: &[f64]| format!("{:.2} +- {:.2}", mean(errors), deviation(errors));
            println!("{setting:<18}{:>22}{:>22}", spread(&of(way, 0)), spread(&of(way, 1)));
        }
        let best = (0..ways).min_by(|a, b| mean(&of(*a, 0)).total_cmp(&mean(&of(*b, 0))));
        let test = of(best.ok_or("no way was tried")?, 1);
        println!(
            "chosen by validation: {test:.2?}, {:.2} +- {:.2}\n",
            mean(&test),
            deviation(&test)
        );
        chosen.push(test);
    }
    let pooled = ((deviation(&chosen[0]).powi(2) + deviation(&chosen[1]).powi(2)) / 2.0).sqrt();
    let gain = mean(&chosen[0]) - mean(&chosen[1]);
    println!("pretraining gains {gain:.2} points, {:.1} pooled standard deviations", gain / pooled);
    if gain < 1.0 || gain < 2.0 * pooled {
        return Err("expected at least one point and two pooled standard deviations".into());
    }
    Ok(())
}
