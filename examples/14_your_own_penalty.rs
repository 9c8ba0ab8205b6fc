//! Your own penalty is two functions. This one makes neighbouring pixels of the reconstruction similar (total
//! variation: Rudin, Osher & Fatemi 1992, doi
//! 10.1016/0167-2789(92)90242-F).
//!
//!     cargo run --release --example 14_your_own_penalty [mnist]

mod setting;

use autoencoders::burn::tensor::{Device, Tensor};
use autoencoders::models::{Autoencoder, DenseConfig};
use autoencoders::train::{Objective, Pass, Penalty, Reconstruction, Training};
use setting::{Result, Setting, all_rows, at_most};

/// `sum |y[row, column + 1] - y[row, column]|`, averaged over the batch.
struct TotalVariation;

fn variation(images: Tensor<2>) -> Tensor<1> {
    let [batch, _] = images.dims();
    let images = images.reshape([batch, 28, 28]);
    let right = images.clone().narrow(2, 1, 27);
    (right - images.narrow(2, 0, 27)).abs().sum() / batch as f64
}

impl<M: Autoencoder> Penalty<M> for TotalVariation {
    fn name(&self) -> &str {
        "total-variation"
    }

    fn value(&self, pass: &Pass<'_, M>) -> Tensor<1> {
        variation(pass.model.output().apply(pass.logits.clone()))
    }
}

fn main() -> Result<()> {
    let setting = Setting::new((2000, 200))?;
    let device = Device::flex();
    let test = all_rows(&setting.test, &device)?;
    let rough = |weight: f64| -> Result<f64> {
        let objective =
            Objective::new(Reconstruction::CrossEntropy).penalize(weight, TotalVariation)?;
        let schedule = setting.schedule((6, 50, 2e-3), (5, 128, 2e-3));
        let model = DenseConfig::new([784, 128, 16]).init(setting.seed, &device)?;
        let fitted = Training::new(model, &objective).schedule(&schedule).fit(setting.data())?;
        Ok(variation(fitted.model.reconstruct(test.clone())).into_scalar())
    };
    let (without, with) = (rough(0.0)?, rough(1.0)?);
    println!("variation of a reconstruction: {without:.1} without the penalty, {with:.1} with it");
    at_most(
        "variation with over without",
        with / without,
        setting.pick((0.75, "0.61 to 0.63, 3 seeds"), (0.9, "0.80, 1 seed")),
    )
}
