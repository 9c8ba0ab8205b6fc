//! Image search with one half of a model: the encoder is loaded alone from the file of the whole, and
//! a digit's nearest neighbours by code are mostly digits of its class.
//!
//!     cargo run --release --example 03_search_by_code

use std::sync::Arc;

use autoencoders::burn::tensor::{Device, Tensor};
use autoencoders::data::{Samples, digits};
use autoencoders::models::{About, DenseConfig, DenseEncoder, Encoder, load, save};
use autoencoders::train::{
    Batches, Data, Objective, RESIDENT_LIMIT, Reconstruction, Schedule, fit,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let device = Device::flex();
    let gallery = digits::generate(3000, 0);
    let data = Data { training: Arc::new(gallery.clone()), validation: None };
    let schedule = Schedule { epochs: 5, batch: 50, ..Schedule::default() };
    let model = DenseConfig::new([784, 256, 32]).init(0, &device)?;
    let objective = Objective::new(Reconstruction::CrossEntropy);
    let fitted = fit(model, &objective, &data, &schedule, &mut ())?;
    let path = std::env::temp_dir().join("search-by-code.safetensors");
    save(&path, &fitted.model, &About::default())?;

    let (encoder, _): (DenseEncoder, About) = load(&path, &device)?;
    let queries = digits::generate(300, 1);
    let codes = |samples: &Samples| -> Result<Tensor<2>, autoencoders::train::Error> {
        let all = Batches::new(Arc::new(samples.clone()), &device, RESIDENT_LIMIT, None)?;
        Ok(encoder.encode(all.select(&(0..all.len()).collect::<Vec<_>>())?))
    };
    let (queries_at, gallery_at) = (codes(&queries)?, codes(&gallery)?);
    // |q - g|^2 = |q|^2 - 2 q g + |g|^2, of which |q|^2 changes no order: [queries, gallery]
    let length = gallery_at.clone().square().sum_dim(1).transpose();
    let distance = length - queries_at.matmul(gallery_at.transpose()) * 2.0;
    let nearest: Vec<usize> =
        distance.argmin(1).into_data().iter::<i64>().map(|row| row as usize).collect();

    let class = |samples: &Samples, row: usize| samples.labels().map(|all| all.classes()[row]);
    let hits = (0..300).filter(|q| class(&queries, *q) == class(&gallery, nearest[*q])).count();
    println!("the nearest code is of the same digit for {hits} of 300");
    if hits < 210 {
        return Err("expected at least 210".into());
    }
    Ok(())
}
