//! A model knows what it was fitted to: on other images its error rises, by which they are told apart. The
//! others here are the test digits themselves, mirrored or upside down, so that nothing but their form is
//! new; and noise.
//!
//!     cargo run --release --example 13_off_the_distribution [mnist]

mod setting;

use autoencoders::burn::tensor::{Device, Tensor};
use autoencoders::models::{Autoencoder, DenseConfig};
use autoencoders::train::{Objective, Reconstruction, fit};
use setting::{Result, Setting, all_rows, at_least};

/// The share of pairs in which the other image has the larger error (the area under the curve of true
/// against false alarms).
fn told_apart(known: &[f32], other: &[f32]) -> f64 {
    let wins = other.iter().map(|o| known.iter().filter(|k| o > k).count()).sum::<usize>();
    wins as f64 / (known.len() * other.len()) as f64
}

fn main() -> Result<()> {
    let setting = Setting::new((3000, 500))?;
    let device = Device::flex();
    let model = DenseConfig::new([784, 256, 32]).init(setting.seed, &device)?;
    let schedule = setting.schedule((15, 50, 2e-3), (10, 128, 2e-3));
    let objective = Objective::new(Reconstruction::CrossEntropy);
    let model = fit(model, &objective, &setting.data(), &schedule, &mut ())?.model;

    let errors = |images: Tensor<2>| -> Vec<f32> {
        let difference = model.reconstruct(images.clone()) - images;
        difference.square().sum_dim(1).into_data().iter().collect()
    };
    let digits = all_rows(&setting.test, &device)?;
    let [count, _] = digits.dims();
    let known = errors(digits.clone());
    let square = digits.clone().reshape([count, 28, 28]);
    let others = [
        (
            "upside down",
            setting.pick((0.8, "0.86 to 0.87"), (0.77, "0.82, one seed")),
            square.clone().flip([1]).reshape([count, 784]),
        ),
        (
            "mirrored",
            setting.pick((0.8, "0.87 to 0.90"), (0.77, "0.82, one seed")),
            square.clone().flip([2]).reshape([count, 784]),
        ),
        (
            "turned by 90 degrees",
            setting.pick((0.9, "0.96 to 0.97"), (0.9, "0.94, one seed")),
            square.swap_dims(1, 2).flip([2]).reshape([count, 784]),
        ),
        ("negative", setting.pick((0.99, "1.00"), (0.99, "")), -digits + 1.0),
    ];
    let mean = |errors: &[f32]| errors.iter().sum::<f32>() / errors.len() as f32;
    println!("squared error per image: {:.2} for digits", mean(&known));
    for (name, target, images) in others {
        let other = errors(images);
        println!("  {name}: {:.2}", mean(&other));
        at_least(&format!("  told from digits when {name}"), told_apart(&known, &other), target)?;
    }
    Ok(())
}
