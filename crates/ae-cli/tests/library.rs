//! The program and the library: the same data and no settings, the same numbers.

mod common;

use ae_data::{Options, open, split};
use ae_models::{ConvConfig, DenseConfig, Pca, tensors};
use ae_train::{Objective, Reconstruction, fit};
use burn::tensor::Device;
use common::succeed;

#[test]
fn a_program_without_settings_gets_the_weights_of_ae_train() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let options =
        Options { training_samples: Some(300), test_samples: Some(60), ..Options::default() };
    let digits = || open("digits", &options, &mut |_| ()).unwrap().splits.training;
    let of_program =
        |run: &str| tensors::read(&here.join(run).join("model.safetensors")).unwrap().0;
    let device = Device::flex();

    let line =
        "train --samples 300,60 --channels 4 --code 8 --linear-path off --device cpu --out conv";
    succeed(here, line);
    let model = ConvConfig { channels: vec![4], ..ConvConfig::new([1, 28, 28], 8) };
    let objective = Objective::new(Reconstruction::CrossEntropy);
    let fitted = fit(model.init(0, &device).unwrap(), &objective, digits()).unwrap();
    assert!(tensors::collect(&fitted.model) == of_program("conv"), "convolutional");

    // The program starts as PCA of the samples that it trains on.
    let line = "train --samples 300,60 --model dense --hidden 32 --code 8 --device cpu --out dense";
    succeed(here, line);
    let (training, _) = split(&digits(), 0.1, 0).unwrap();
    let rows: Vec<f32> = (0..training.len()).flat_map(|row| training.row(row)).collect();
    let pca = Pca::fit(&rows, 784, 8, &device).unwrap();
    let model = DenseConfig::new([784, 32, 8]).init(0, &device).unwrap();
    let model = model.with_linear_path(&pca).unwrap();
    let objective = Objective::new(Reconstruction::CrossEntropy);
    let fitted = fit(model, &objective, digits()).unwrap();
    assert!(tensors::collect(&fitted.model) == of_program("dense"), "dense");
}
