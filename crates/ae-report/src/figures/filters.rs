//! The filters of the first layer.

use ae_data::Shape;
use ae_models::{Model, tensors};
use image::RgbaImage;

use crate::pictures;

/// Number of filters shown.
const FILTERS: usize = 64;

/// The first layer's filters, largest first; for PCA the components in order.
pub fn render(model: &Model, shape: &Shape) -> Option<RgbaImage> {
    let &Shape::Image { channels: channels @ (1 | 3), height, width } = shape else { return None };
    let image = [channels, height, width];
    let (name, tile) = first_layer(model, image);
    let weights: Vec<f32> = match model {
        // A component is a column.
        Model::Pca(pca) => pca.components().transpose().into_data().iter().collect(),
        _ => tensors::collect(model).get(&name)?.iter().collect(),
    };
    let mut filters: Vec<Vec<f32>> =
        weights.chunks_exact(tile.iter().product()).map(<[f32]>::to_vec).collect();
    let norm = |filter: &[f32]| filter.iter().map(|weight| weight * weight).sum::<f32>();
    if !matches!(model, Model::Pca(_)) {
        filters.sort_by(|a, b| norm(b).total_cmp(&norm(a)));
    }
    filters.truncate(FILTERS);
    Some(pictures::filters(&filters, tile))
}

/// The name of the first layer's weights, and the shape of a filter.
fn first_layer(model: &Model, image: [usize; 3]) -> (String, [usize; 3]) {
    match model {
        Model::Dense(_) => ("encoder.layers.0.weight".to_owned(), image),
        Model::Conv(model) => {
            let kernel = model.config().kernel;
            ("encoder.stages.0.convolution.weight".to_owned(), [image[0], kernel, kernel])
        }
        Model::Pca(_) => ("components".to_owned(), image),
        Model::Stack(stack) => {
            let (name, tile) = first_layer(&stack.layers()[0], image);
            (format!("layers.0.{name}"), tile)
        }
    }
}
