//! The gradient of every term of an objective on every model against central differences, in f64.
//!
//! A device's float type is set once per process, so these tests are a separate binary.
//! `cargo test --test gradients` prints a table with the largest relative error of each combination, or the
//! error that refuses the combination.

mod combinations;

use autoencoders::burn::module::Module;
use autoencoders::burn::tensor::{Device, FloatDType, IntDType, Tensor, TensorData};
use autoencoders::models::{
    Autoencoder, Classifier, Classify, Encoder, HeadConfig, Model, tensors,
};
use autoencoders::train::{HeadLoss, Objective, Pass, Penalty, Reconstruction, Supervised};
use chacha20::ChaCha8Rng;
use combinations::{FEATURES, gradients, losses, models, terms};
use libtest_mimic::{Arguments, Failed, Trial};
use rand::{RngExt, SeedableRng, seq::SliceRandom};

/// The entries of each parameter that are checked, and the bound of their relative error.
const ENTRIES: usize = 20;
const TOLERANCE: f64 = 1e-6;
/// The step sizes of the differences; one of them has to agree.
const STEPS: [f64; 3] = [3e-4, 1e-4, 3e-5];
/// The share of a combination's entries that may need another step than the first, and the number that may need
/// the last. Without these bounds entries of a wrong derivative could agree with one of three steps by chance. Of
/// all 24,000 entries six need the second step and one the third, at the kinks of L1 and of max-pooling.
const SMALLER: f64 = 0.05;
const SMALLEST: usize = 1;

/// The result of checking a model.
struct Found {
    /// The largest relative error.
    error: f64,
    /// The number of entries that agreed with each step; those that agreed with none count as the last.
    agreed: [usize; STEPS.len()],
}

impl Found {
    /// The problem, if there is one.
    fn problem(&self) -> Option<String> {
        let [_, smaller, smallest] = self.agreed;
        let part = (smaller + smallest) as f64 / self.agreed.iter().sum::<usize>() as f64;
        if self.error >= TOLERANCE {
            return Some(format!("{:.1e}", self.error));
        }
        (part > SMALLER || smallest > SMALLEST)
            .then(|| format!("entries by step {:?}: {:?}", STEPS, self.agreed))
    }
}

impl std::fmt::Display for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [first, second, third] = self.agreed;
        write!(f, "{:.1e}  {first:>4} {second:>3} {third:>3}", self.error)
    }
}

fn device() -> Device {
    let mut device = Device::flex();
    // Another test of this binary may have configured it already.
    let _ = device.configure((FloatDType::F64, IntDType::I64));
    device
}

fn input() -> Tensor<2> {
    let mut generator = ChaCha8Rng::seed_from_u64(8);
    let values: Vec<f64> = (0..3 * FEATURES).map(|_| generator.random_range(0.05..0.95)).collect();
    Tensor::from_data(TensorData::new(values, [3, FEATURES]), &device())
}

fn loss(objective: &Objective<Model>, model: &Model) -> Tensor<1> {
    losses(objective, model, input().autodiff()).total()
}

/// Moves all parameters a little, so that biases are not zero.
fn perturbed<M: Module>(model: M) -> M {
    let mut generator = ChaCha8Rng::seed_from_u64(1);
    let mut perturb = |data: TensorData| {
        let values: Vec<f64> =
            data.iter::<f64>().map(|value| value + generator.random_range(-0.1..0.1)).collect();
        TensorData::new(values, data.shape().clone())
    };
    let weights = tensors::collect(&model).into_iter();
    let weights = weights.map(|(name, data)| (name, perturb(data))).collect();
    tensors::replace(model, weights).unwrap().train()
}

/// The largest relative error over random entries of every parameter: relative to the entry, or to a hundredth of the
/// largest entry of its tensor if that is more.
fn largest_error<M: Module>(model: M, loss: impl Fn(&M) -> Tensor<1>) -> Found {
    let model = perturbed(model);
    let analytic = gradients(&model, loss(&model).backward());
    let weights = tensors::collect(&model);
    assert!(!analytic.is_empty(), "parameters that are trained");
    let mut generator = ChaCha8Rng::seed_from_u64(3);
    let most = |data: &TensorData| data.iter::<f64>().fold(0.0f64, |most, g| most.max(g.abs()));
    let overall = analytic.values().map(most).fold(0.0, f64::max);
    let mut found = Found { error: 0.0, agreed: [0; STEPS.len()] };
    for (name, data) in weights.iter().filter(|(name, _)| analytic.contains_key(*name)) {
        let values: Vec<f64> = data.iter().collect();
        let gradient: Vec<f64> = analytic[name].iter().collect();
        // The gradient of a bias before a normalisation is only rounding, hence the floor.
        let floor = f64::max(1e-2 * most(&analytic[name]), 1e-5 * overall);
        let mut entries: Vec<usize> = (0..values.len()).collect();
        entries.shuffle(&mut generator);
        for entry in entries.into_iter().take(ENTRIES) {
            let at = |value: f64| -> f64 {
                let mut changed = values.clone();
                changed[entry] = value;
                let mut weights = weights.clone();
                weights.insert(name.clone(), TensorData::new(changed, data.shape().clone()));
                let model = tensors::replace(model.clone(), weights).unwrap();
                loss(&model).into_scalar()
            };
            let error = |h: f64| {
                // A difference of fourth order is exact enough with a step that is large compared with rounding.
                let slope = |h: f64| (at(values[entry] + h) - at(values[entry] - h)) / (2.0 * h);
                let numeric = (4.0 * slope(h) - slope(2.0 * h)) / 3.0;
                let size = gradient[entry].abs().max(numeric.abs()).max(floor);
                (gradient[entry] - numeric).abs() / size
            };
            // A step across a kink (another maximum of a pool, another unit among the top k) does not give the
            // derivative; then a smaller step has to agree.
            let mut least = (STEPS.len() - 1, f64::INFINITY);
            for (step, error) in STEPS.into_iter().map(error).enumerate() {
                // If all errors are NaN, the least stays infinite.
                least.1 = least.1.min(error);
                if error < TOLERANCE {
                    least = (step, error);
                    break;
                }
            }
            let (step, error) = least;
            found.agreed[step] += 1;
            found.error = found.error.max(error);
        }
    }
    found
}

/// Checks one term on every model. Each model is a line of the table, with the error if it refuses the term.
fn check_term(term: &str, objective: &Objective<Model>) -> Result<(), Failed> {
    let (mut table, mut failed) = (String::new(), Vec::new());
    let mut checked = 0;
    for (name, architecture) in models() {
        let model = architecture.init(2, &device())?;
        if let Err(refused) = objective.check(&model) {
            table += &format!("{term:<22}{name:<28}refused: {refused}\n");
            continue;
        }
        checked += 1;
        let found = largest_error(model, |model| loss(objective, model));
        table += &format!("{term:<22}{name:<28}{found}\n");
        failed.extend(found.problem().map(|problem| format!("{term} on {name}: {problem}")));
    }
    print!("{table}");
    if checked == 0 {
        failed.push(format!("{term}: refused by every model"));
    }
    if failed.is_empty() { Ok(()) } else { Err(format!("{failed:#?}").into()) }
}

/// The largest relative error of a supervised loss on a classifier.
fn largest_supervised_error<M: Classify>(supervised: &Supervised, model: M) -> Found {
    let loss = |model: &M| supervised.losses(model, input().autodiff(), &[1, 0, 2]).total();
    largest_error(model, loss)
}

/// Checks a supervised loss on a head alone, and on a classifier with each encoder.
fn check_supervised(supervised: &Supervised) -> Result<(), Failed> {
    let (mut table, mut failed) = (String::new(), Vec::new());
    let head = |features| HeadConfig::new(features, 4).init(&device());
    let mut errors = vec![("head", largest_supervised_error(supervised, head(FEATURES)?))];
    for (name, architecture) in models() {
        let encoder = architecture.init(2, &device())?.to_encoder();
        let head = head(encoder.code_size())?;
        let classifier = Classifier::new(encoder, head)?;
        errors.push((name, largest_supervised_error(supervised, classifier)));
    }
    for (name, found) in errors {
        table += &format!("{:<22}{name:<28}{found}\n", supervised.loss().name());
        failed.extend(found.problem().map(|problem| format!("{supervised} on {name}: {problem}")));
    }
    print!("{table}");
    if failed.is_empty() { Ok(()) } else { Err(format!("{failed:#?}").into()) }
}

/// A penalty whose gradient has the wrong sign.
struct Flipped;

impl<M: Autoencoder> Penalty<M> for Flipped {
    fn name(&self) -> &str {
        "flipped"
    }

    fn value(&self, pass: &Pass<'_, M>) -> Tensor<1> {
        let value: Tensor<1> = pass.code.clone().square().sum();
        value.clone().detach() * 2.0 - value
    }
}

/// Checks the check itself.
fn a_gradient_with_a_flipped_sign_fails() -> Result<(), Failed> {
    let objective = Objective::new(Reconstruction::SquaredError).penalize(1.0, Flipped)?;
    let (_, architecture) = models().remove(0);
    let model = architecture.init(2, &device())?;
    let error = largest_error(model, |model| loss(&objective, model)).error;
    if error > 0.1 { Ok(()) } else { Err(format!("an error of no more than {error:.1e}").into()) }
}

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = vec![Trial::test(
        "a_gradient_with_a_flipped_sign_fails",
        a_gradient_with_a_flipped_sign_fails,
    )];
    for (term, objective) in terms() {
        trials.push(Trial::test(term, move || check_term(term, &objective)));
    }
    for (loss, weight_decay) in [(HeadLoss::Softmax, 0.0), (HeadLoss::SquaredHinge, 0.1)] {
        let check = move || check_supervised(&Supervised::new(loss, weight_decay)?);
        trials.push(Trial::test(loss.name(), check));
    }
    libtest_mimic::run(&arguments, trials).exit();
}
