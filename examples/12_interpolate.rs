//! The mean of two codes decodes to a digit; the mean of two images shows two faint digits. The example
//! counts grey pixels: a digit is black and white, a mixture of two is not.
//!
//!     cargo run --release --example 12_interpolate [mnist]

mod setting;

use autoencoders::burn::tensor::{Device, Tensor};
use autoencoders::models::{Decoder, DenseConfig, Encoder, latent};
use autoencoders::train::{Objective, Reconstruction, Training};
use setting::{Result, Setting, all_rows, at_most};

/// `sum 4 y (1 - y)`, averaged over images: the number of grey pixels. A pixel of 0.5 counts as 1.
fn grey(images: Tensor<2>) -> f64 {
    let rows = images.dims()[0] as f64;
    (images.clone() * (-images + 1.0)).sum().into_scalar::<f64>() * 4.0 / rows
}

/// A row of images as text, every second line of each.
fn print(images: &Tensor<2>) {
    let values: Vec<f32> = images.to_data().iter().collect();
    for line in (4..24).step_by(2) {
        for image in values.chunks_exact(784) {
            let pixels = &image[line * 28 + 4..line * 28 + 24];
            pixels.iter().for_each(|y| print!("{}", b" .:oO@"[(y * 5.99) as usize] as char));
            print!("  ");
        }
        println!();
    }
}

fn main() -> Result<()> {
    let setting = Setting::new((3000, 500))?;
    let device = Device::flex();
    let model = DenseConfig::new([784, 256, 16]).init(setting.seed, &device)?;
    let schedule = setting.schedule((15, 50, 2e-3), (10, 128, 2e-3));
    let objective = Objective::new(Reconstruction::CrossEntropy);
    let model = Training::new(model, &objective).schedule(&schedule).fit(setting.data())?.model;

    let test = all_rows(&setting.test, &device)?;
    let codes = model.encode(test.clone());
    let at = |rows: &Tensor<2>, row| rows.clone().narrow(0, row, 1);
    let line = |rows: &Tensor<2>, pair| latent::lerp(at(rows, pair), at(rows, pair + 1), 5);
    print(&model.decode(line(&codes, 0)));
    println!();
    print(&line(&test, 0));
    let middles = |rows: &Tensor<2>| {
        let pairs = (0..100).map(|pair| line(rows, 2 * pair).narrow(0, 2, 1));
        Tensor::cat(pairs.collect(), 0)
    };
    let ends = grey(model.decode(codes.clone().narrow(0, 0, 200)));
    let (decoded, mixed) = (grey(model.decode(middles(&codes))), grey(middles(&test)));
    println!("grey pixels: {ends:.1} where a line ends, {decoded:.1} half-way between codes,");
    println!("{mixed:.1} half-way between images");
    at_most(
        "grey between codes over between images",
        decoded / mixed,
        setting.pick((0.85, "0.73 to 0.74, 3 seeds"), (0.85, "0.72, 1 seed")),
    )
}
