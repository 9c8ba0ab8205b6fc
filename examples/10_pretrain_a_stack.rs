//! Greedy pretraining (Hinton & Salakhutdinov 2006; Bengio et al. 2007; Vincent et al. 2010, JMLR
//! 11:3371): a deep network of sigmoids, which gradient descent alone cannot train, is trained layer by layer,
//! then as a whole. Without pretraining it "reconstructs the average of the training data".
//!
//!     cargo run --release --example 10_pretrain_a_stack [mnist]

mod setting;

use autoencoders::burn::tensor::Device;
use autoencoders::models::{Activation, Dense, DenseConfig, Stack};
use autoencoders::train::{
    Layerwise, Objective, Optimizer, Reconstruction, Schedule, Training, evaluate,
};
use setting::{Result, Setting, at_least, at_most};

fn main() -> Result<()> {
    let setting = Setting::new((3000, 500))?;
    let (device, data) = (Device::flex(), setting.data());
    let widths = setting.pick(vec![784, 128, 64, 30], vec![784, 500, 250, 30]);
    let config = DenseConfig { activation: Activation::Sigmoid, ..DenseConfig::new(widths) };
    let layers = config.layers();
    let layers = layers.iter().map(|layer| layer.init(setting.seed, &device));
    let stack = Stack::new(layers.collect::<std::result::Result<Vec<Dense>, _>>()?)?;

    let greedy = setting.schedule((12, 50, 1e-2), (8, 128, 3e-3));
    let whole = setting.schedule((12, 50, 5e-3), (8, 128, 5e-3));
    let whole = Schedule { optimizer: Optimizer::sgd(0.0), ..whole };
    // Each layer's inputs are in [0, 1], so cross-entropy suits all of them.
    let of_layer = |_, _: &_| Ok(Objective::new(Reconstruction::CrossEntropy));
    let pretrained =
        Training::new(stack.clone(), &Layerwise(&of_layer)).schedule(&greedy).fit(&data)?.stack;

    let test = setting.test(&device)?;
    let mut errors = Vec::new();
    for (name, stack) in [("from scratch", stack), ("pretrained", pretrained)] {
        let before = evaluate(&stack, &test, 500)?.evaluation;
        let objective = Objective::new(Reconstruction::CrossEntropy);
        let fitted = Training::new(stack, &objective).schedule(&whole).fit(&data)?;
        let after = evaluate(&fitted.model, &test, 500)?.evaluation;
        println!(
            "{name}: squared error {:.2}, and {:.2} after plain gradient descent on the whole, \
             which keeps {:.1} % of the variance",
            before.squared_error,
            after.squared_error,
            100.0 * after.variance_kept.unwrap_or(0.0)
        );
        errors.push(after.squared_error);
    }
    at_least(
        "squared error from scratch",
        errors[0],
        setting.pick((45.0, "49.5 to 52.0, 3 seeds"), (45.0, "52.9, 1 seed")),
    )?;
    at_most(
        "squared error of the pretrained",
        errors[1],
        setting.pick((18.0, "14.2 to 14.5, 3 seeds"), (11.0, "8.9, 1 seed")),
    )
}
