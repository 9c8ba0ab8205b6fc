//! A deep autoencoder: the network of Hinton & Salakhutdinov 2006 (Science 313:504), whose code of 30 units
//! reconstructs better than 30 principal components.
//!
//!     cargo run --release --example 02_deep [mnist]

mod setting;

use autoencoders::burn::tensor::Device;
use autoencoders::models::{Autoencoder, DenseConfig, Pca};
use autoencoders::train::{Event, Flow, Objective, Reconstruction, Training};
use setting::{Result, Setting, all_rows, at_most, squared_error};

fn main() -> Result<()> {
    let setting = Setting::new((4000, 500))?;
    let device = Device::flex();
    let widths = setting.pick(vec![784, 256, 128, 30], vec![784, 1000, 500, 250, 30]);
    let model = DenseConfig::new(widths).init(setting.seed, &device)?;
    println!("{model}");
    let schedule = setting.schedule((15, 50, 2e-3), (12, 128, 1e-3));
    let mut watch = |event: &Event<'_>| {
        if let Event::Epoch(report) = event {
            println!("epoch {}: cross-entropy {:.1}", report.epoch, report.training_loss());
        }
        Flow::Continue
    };
    let objective = Objective::new(Reconstruction::CrossEntropy);
    let fitted = Training::new(model, &objective)
        .schedule(&schedule)
        .observe(&mut watch)
        .fit(setting.data())?;

    let pixels: Vec<f32> = all_rows(&setting.training, &device)?.into_data().iter().collect();
    let pca = Pca::fit(&pixels, 784, 30, &device)?;
    let test = all_rows(&setting.test, &device)?;
    let linear = squared_error(pca.reconstruct(test.clone()), test.clone());
    let ours = squared_error(fitted.model.reconstruct(test.clone()), test);
    println!("squared error per image of 30 principal components: {linear:.2}");
    println!(
        "published for MNIST, after pretraining and long fine-tuning: 3.00, PCA 13.87 (Hinton & Salakhutdinov 2006)"
    );
    at_most(
        "squared error per image",
        ours,
        setting.pick((9.5, "8.0 to 8.4, 3 seeds"), (4.3, "3.85, 1 seed")),
    )?;
    at_most(
        "squared error over that of PCA",
        ours / linear,
        setting.pick((0.75, "0.63 to 0.65, 3 seeds"), (0.32, "0.28, 1 seed")),
    )
}
