//! One crate in another workspace: a pretrained encoder becomes part of a Burn model. The encoder was
//! trained on digits without labels; Burn then trains a layer on its codes to classify three shapes, from
//! one picture of each.
//!
//!     cargo run [FILE]        (in this folder; FILE: any model of images of 28x28 that ae-models saved)

use std::path::Path;

use ae_models::{Metadata, Encoder, ModelEncoder, load};
use burn::module::{Initializer, Module};
use burn::nn::{Linear, LinearConfig, loss::CrossEntropyLossConfig};
use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::{Device, Int, Tensor, TensorData};

#[derive(Module, Debug)]
struct Shapes {
    encoder: ModelEncoder,
    head: Linear,
}

impl Shapes {
    fn load(file: &Path, device: &Device) -> Result<Self, ae_models::Error> {
        let (encoder, _): (ModelEncoder, Metadata) = load(file, device)?;
        let head = LinearConfig::new(encoder.code_size(), 3).with_initializer(Initializer::Zeros);
        Ok(Self { encoder: encoder.no_grad(), head: head.init(device) })
    }

    fn forward(&self, images: Tensor<2>) -> Tensor<2> {
        self.head.forward(self.encoder.encode(images))
    }
}

/// A bar, a ring or a cross of that size, moved by a number of pixels: `[1, 784]`.
fn draw(shape: i32, size: f32, [right, down]: [i32; 2], device: &Device) -> Tensor<2> {
    let pixels = (0..784).map(|pixel| {
        let x = (pixel % 28 - 14 - right) as f32;
        let y = (pixel / 28 - 14 - down) as f32;
        let is_inside = x.hypot(y) < size;
        let is_ink = match shape {
            0 => is_inside && x.abs() < 1.5,
            1 => is_inside && x.hypot(y) > size - 2.5,
            _ => is_inside && x.abs().min(y.abs()) < 1.5,
        };
        f32::from(u8::from(is_ink))
    });
    Tensor::from_data(TensorData::new(pixels.collect::<Vec<_>>(), [1, 784]), device)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let own = concat!(env!("CARGO_MANIFEST_DIR"), "/encoder.safetensors");
    let file = std::env::args().nth(1).unwrap_or(own.into());
    let device = Device::flex();
    let mut model = Shapes::load(Path::new(&file), &device)?.train();
    let images = Tensor::cat((0..3).map(|shape| draw(shape, 8.0, [0, 0], &device)).collect(), 0);
    let classes = Tensor::<1, Int>::from_ints([0, 1, 2], &device).autodiff();
    let loss = CrossEntropyLossConfig::new().init(&device);
    let mut optimizer = AdamConfig::new().init();
    for _ in 0..100 {
        let loss = loss.forward(model.forward(images.clone().autodiff()), classes.clone());
        let gradients = GradientsParams::from_grads(loss.backward(), &model);
        model = optimizer.step(0.01, model, gradients);
    }

    let model = model.valid();
    let mut right = 0;
    for (case, shape) in (0..108).map(|index| (index / 3, index % 3)) {
        let (size, moved) = (7.0 + (case / 9) as f32, [case % 3 - 1, case / 3 % 3 - 1]);
        let scores = model.forward(draw(shape, size, moved, &device));
        right += usize::from(scores.argmax(1).into_scalar::<i64>() == i64::from(shape));
    }
    println!("{right} of 108 other bars, rings and crosses are told apart, target at least 96");
    if right < 96 {
        return Err(format!("expected at least 96 of 108 to be right, got {right}").into());
    }
    Ok(())
}
