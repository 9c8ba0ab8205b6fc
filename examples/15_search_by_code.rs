//! Image search with one half of a model: the encoder is loaded alone from the model's file.
//! A digit's nearest neighbour by code is mostly of its class, about as often as by its pixels.
//!
//!     cargo run --release --example 15_search_by_code [mnist]

mod setting;

use autoencoders::burn::tensor::{Device, Tensor};
use autoencoders::data::Samples;
use autoencoders::models::{DenseConfig, DenseEncoder, Encoder, Metadata, latent, load, save};
use autoencoders::train::{Objective, Reconstruction, Training};
use setting::{Result, Setting, all_rows, at_least};

fn main() -> Result<()> {
    let setting = Setting::new((3000, 500))?;
    let device = Device::flex();
    let schedule = setting.schedule((10, 50, 3e-3), (10, 128, 2e-3));
    let model = DenseConfig::new([784, 256, 32]).init(setting.seed, &device)?;
    let objective = Objective::new(Reconstruction::CrossEntropy);
    let fitted = Training::new(model, &objective).schedule(&schedule).fit(setting.data())?;
    let path = std::env::temp_dir().join(format!("search-{}.safetensors", std::process::id()));
    save(&path, &fitted.model, &Metadata::default())?;

    let (encoder, _): (DenseEncoder, Metadata) = load(&path, &device)?;
    std::fs::remove_file(&path)?;
    std::fs::remove_file(path.with_extension("json"))?;
    let (gallery, queries) = (&setting.training, &setting.test);
    let hits = |map: &dyn Fn(Tensor<2>) -> Tensor<2>| -> Result<f64> {
        let [queries_at, gallery_at] = [queries, gallery].map(|part| all_rows(part, &device));
        let nearest = latent::nearest(map(queries_at?), map(gallery_at?), 1);
        let class = |part: &Samples, row: usize| part.labels().map(|all| all.classes()[row]);
        let is_hit =
            |(row, found): (usize, Vec<usize>)| class(queries, row) == class(gallery, found[0]);
        let hits = nearest.into_iter().enumerate().filter(|pair| is_hit(pair.clone())).count();
        Ok(hits as f64 / queries.len() as f64)
    };
    let by_pixels = hits(&|pixels| pixels)?;
    let by_code = hits(&|pixels| encoder.encode(pixels))?;
    println!("the nearest by 784 pixels is of the same digit for {:.1} %", 100.0 * by_pixels);
    at_least(
        "share whose nearest by code is of the same digit",
        by_code,
        setting.pick((0.9, "0.930 to 0.942, 3 seeds"), (0.95, "0.969, 1 seed")),
    )
}
