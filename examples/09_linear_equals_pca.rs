//! A linear autoencoder finds what principal component analysis does (Baldi & Hornik 1989, doi
//! 10.1016/0893-6080(89)90014-2): the same subspace and the same error. Its weights are an arbitrary linear combination
//! of the loadings. The loadings are the eigenvectors of the covariance of its reconstructions (Plaut 2018,
//! arXiv 1804.10253).
//!
//!     cargo run --release --example 09_linear_equals_pca [mnist]

mod setting;

use autoencoders::burn::tensor::{Device, Tensor};
use autoencoders::data::{Samples, Shape};
use autoencoders::models::{Activation, Autoencoder, DenseConfig, Pca};
use autoencoders::train::{Objective, Reconstruction, Training};
use nalgebra::DMatrix;
use setting::{Result, Setting, all_rows, at_least, at_most, squared_error};

fn pca(rows: Tensor<2>, components: usize) -> Result<Pca> {
    let device = rows.device();
    Ok(Pca::fit(&rows.into_data().iter().collect::<Vec<f32>>(), 784, components, &device)?)
}

fn main() -> Result<()> {
    let mut setting = Setting::new((3000, 500))?;
    let device = Device::flex();
    let rows = all_rows(&setting.training, &device)?;
    let centred = rows.clone() - rows.mean_dim(0);
    let values = centred.to_data().iter().collect();
    setting.training = Samples::from_floats(values, Shape::image(1, 28, 28))?;
    // Numbers of components after which the variance falls clearly: only there is the subspace well defined.
    let k = setting.pick(9, 10);
    let config = DenseConfig { output: Activation::Identity, ..DenseConfig::new([784, k]) };
    let schedule = setting.schedule((300, 300, 1e-2), (100, 1000, 3e-3));
    let objective = Objective::new(Reconstruction::SquaredError);
    let model = config.init(setting.seed, &device)?;
    let model = Training::new(model, &objective).schedule(&schedule).fit(setting.data())?.model;

    let reconstructions = model.reconstruct(centred.clone());
    let (truth, found) = (pca(centred.clone(), k)?, pca(reconstructions.clone(), k)?);
    let least = squared_error(truth.reconstruct(centred.clone()), centred.clone());
    let excess = squared_error(reconstructions, centred) / least - 1.0;
    // Both bases are orthonormal: the singular values of V1^T V2 are the cosines of the principal
    // angles between their spans, its diagonal those between loadings, up to their sign.
    let cosines = truth.components().transpose().matmul(found.components());
    let cosines = DMatrix::from_row_iterator(k, k, cosines.into_data().iter::<f64>());
    let loadings: Vec<f64> = cosines.diagonal().iter().map(|cosine| cosine.abs()).collect();
    let angle = cosines.singular_values().min().min(1.0).acos().to_degrees();

    println!(
        "squared error of {k} components: {least:.4}; cosines of the loadings: {loadings:.4?}"
    );
    at_most(
        "error above PCA's in percent",
        100.0 * excess,
        setting.pick((0.1, "0.0000, 3 seeds"), (0.1, "0.0000, 4 seeds")),
    )?;
    at_most(
        "largest principal angle in degrees",
        angle,
        setting.pick((2.0, "0.05 to 0.06, 3 seeds"), (2.0, "0.05 to 0.07, 4 seeds")),
    )?;
    let least = loadings.into_iter().fold(1.0, f64::min);
    at_least(
        "least cosine of a loading",
        least,
        setting.pick((0.99, "1.0000, 3 seeds"), (0.99, "1.0000, 4 seeds")),
    )
}
