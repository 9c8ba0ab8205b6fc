//! Principal component analysis: what a linear autoencoder can reach, without training one.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, TensorData};
use chacha20::ChaCha8Rng;
use nalgebra::{DMatrix, DMatrixView, SymmetricEigen};
use rand::{RngExt, SeedableRng};

use crate::count::{Count, check_count};
use crate::initializer::Initializer;
use crate::summary::{Summary, print_as_summary};
use crate::{Activation, Decoder, DifferentiableEncoder, Encoder, Error, Layered, Result};

/// The widths of a [`Pca`].
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PcaConfig {
    /// Features of an input.
    pub features: usize,
    /// Components, the units of a code: 1 to `features`.
    pub components: usize,
}

impl PcaConfig {
    pub(crate) fn check(self) -> Result<()> {
        if self.components == 0 || self.components > self.features {
            let expected = format!("1 to {}", self.features);
            return Err(Error::config("components", expected, self.components));
        }
        check_count(self.parameters())
    }

    pub(crate) fn parameters(self) -> Option<usize> {
        let mut all = Count::default();
        all.add(&[self.features, self.components]).add(&[self.features]).total()
    }

    /// One whose components and mean are to be replaced.
    pub(crate) fn build(self, initializer: &mut Initializer) -> Pca {
        Pca {
            mean: initializer.constant(self.features, 0.0),
            components: initializer.symmetric_weight([self.features, self.components]),
            config: self,
        }
    }
}

/// The projection on the `k` directions of largest variance, as an autoencoder:
/// `h = (x - m) V`, `y = h V^T + m`, with the mean `m` and the orthonormal components
/// `V: [features, k]`.
///
/// No linear autoencoder has a smaller squared error on the data it was fitted to (Baldi &
/// Hornik 1989, doi 10.1016/0893-6080(89)90014-2), so a nonlinear one should beat it.
///
/// ```
/// use ae_models::{Autoencoder, Pca};
/// use burn::tensor::{Device, Tensor};
///
/// // Three points on a line.
/// let pca = Pca::fit(&[0.0, 0.0, 1.0, 2.0, 2.0, 4.0], 2, 1, &Device::flex())?;
/// let point = Tensor::<2>::from_floats([[3.0, 6.0]], &Device::flex());
/// let error: f32 = (pca.reconstruct(point.clone()) - point).abs().sum().into_scalar();
/// assert!(error < 1e-5);
/// # Ok::<(), ae_models::Error>(())
/// ```
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct Pca {
    mean: Param<Tensor<1>>,
    components: Param<Tensor<2>>,
    #[module(skip)]
    config: PcaConfig,
}

impl Pca {
    /// Fits `components` directions to rows of `features` values each.
    ///
    /// The covariance of features (or, where there are fewer rows than features, the products of
    /// rows) is summed in f64 over blocks of f32 products, and its leading eigenvectors are
    /// found by block iteration with Rayleigh-Ritz (Halko, Martinsson & Tropp 2011, arXiv
    /// 0909.4061) until the variance they hold settles to ten digits. Each component has its
    /// largest entry positive. Time and memory grow with the square of the smaller of rows
    /// and features.
    ///
    /// # Errors
    /// If the values are no whole rows, or `components` is 0 or more than rows or features.
    pub fn fit(
        values: &[f32],
        features: usize,
        components: usize,
        device: &Device,
    ) -> Result<Self> {
        if features == 0 || values.is_empty() || !values.len().is_multiple_of(features) {
            let expected = format!("whole rows of {features} features");
            return Err(Error::config("values", expected, values.len()));
        }
        let rows = values.len() / features;
        let most = rows.min(features);
        if components == 0 || components > most {
            return Err(Error::config("components", format!("1 to {most}"), components));
        }
        let mean = mean(values, features);
        let is_wide = features > rows;
        let vectors = leading(&products(values, &mean, is_wide), components);
        let vectors = if is_wide { directions(values, &mean, &vectors) } else { vectors };
        let column_major = with_signs(vectors);
        let row_major = column_major.transpose().as_slice().iter().map(|v| *v as f32).collect();
        let mean: Vec<f32> = mean.iter().map(|value| *value as f32).collect();
        Ok(Self {
            mean: Param::from_data(TensorData::new(mean, [features]), device),
            components: Param::from_data(
                TensorData::new::<f32, _>(row_major, [features, components]),
                device,
            ),
            config: PcaConfig { features, components },
        })
    }

    /// What it was made from.
    pub fn config(&self) -> &PcaConfig {
        &self.config
    }

    /// The components, `[features, k]`, orthonormal, by falling variance; of data of lower
    /// rank the last ones are 0.
    pub fn components(&self) -> Tensor<2> {
        self.components.val()
    }

    /// The mean, `[features]`.
    pub fn mean(&self) -> Tensor<1> {
        self.mean.val()
    }

    fn summary(&self) -> Summary {
        let [features, k] = self.components.dims();
        let mut summary = Summary::new(format!("PCA {features} -> {k} -> {features}"));
        summary.row("both", "orthonormal components", k.to_string(), features * k);
        summary.row("both", "mean", features.to_string(), features);
        summary
    }
}

print_as_summary!(Pca);

impl Encoder for Pca {
    fn encode(&self, input: Tensor<2>) -> Tensor<2> {
        let (mean, components) = (self.mean.val(), self.components.val());
        (input.cast(mean.dtype()) - mean.unsqueeze()).matmul(components)
    }

    fn features(&self) -> usize {
        self.components.dims()[0]
    }

    fn code_size(&self) -> usize {
        self.components.dims()[1]
    }

    fn code_activation(&self) -> Activation {
        Activation::Identity
    }

    fn settings(&self) -> serde_json::Value {
        crate::FromArchitecture::architecture(self).settings()
    }
}

impl Decoder for Pca {
    fn decode_logits(&self, code: Tensor<2>) -> Tensor<2> {
        let (mean, components) = (self.mean.val(), self.components.val());
        code.cast(mean.dtype()).matmul(components.transpose()) + mean.unsqueeze()
    }

    fn output(&self) -> Activation {
        Activation::Identity
    }
}

impl DifferentiableEncoder for Pca {
    fn encode_tangent(&self, input: Tensor<2>, directions: Tensor<2>) -> [Tensor<2>; 2] {
        [self.encode(input), directions.matmul(self.components.val())]
    }

    fn encode_cotangent(&self, input: Tensor<2>, directions: Tensor<2>) -> [Tensor<2>; 2] {
        [self.encode(input), directions.matmul(self.components.val().transpose())]
    }
}

/// It has no hidden layers.
impl Layered for Pca {
    fn encode_with_hook(
        &self,
        input: Tensor<2>,
        _: &mut dyn FnMut(Tensor<2>) -> Tensor<2>,
    ) -> Tensor<2> {
        self.encode(input)
    }

    fn decode_logits_with_hook(
        &self,
        code: Tensor<2>,
        _: &mut dyn FnMut(Tensor<2>) -> Tensor<2>,
    ) -> Tensor<2> {
        self.decode_logits(code)
    }
}

fn mean(values: &[f32], features: usize) -> Vec<f64> {
    let mut sums = vec![0.0; features];
    for row in values.chunks_exact(features) {
        sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += f64::from(*value));
    }
    let rows = (values.len() / features) as f64;
    sums.iter().map(|sum| sum / rows).collect()
}

/// Rows, or features, per block: long enough for the matrix product, short enough for its f32 sums.
const BLOCK: usize = 512;

/// Features `first..first + count` of all rows less their mean, a row a column.
fn features_of(values: &[f32], mean: &[f64], first: usize, count: usize) -> DMatrix<f64> {
    let features = mean.len();
    DMatrix::from_fn(count, values.len() / features, |feature, row| {
        f64::from(values[row * features + first + feature]) - mean[first + feature]
    })
}

/// Blocks of features: where each begins, and how many it has.
fn feature_blocks(features: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..features).step_by(BLOCK).map(move |first| (first, BLOCK.min(features - first)))
}

/// A block of rows less the mean, as the columns of a matrix.
fn block(values: &[f32], mean: &[f64]) -> DMatrix<f32> {
    let view = DMatrixView::from_slice(values, mean.len(), values.len() / mean.len());
    let mut block = view.into_owned();
    for mut row in block.column_iter_mut() {
        row.iter_mut().zip(mean).for_each(|(value, m)| *value = (f64::from(*value) - m) as f32);
    }
    block
}

/// `X^T X` for centred rows `X`, or, where rows are wider than they are many, `X X^T`.
fn products(values: &[f32], mean: &[f64], is_wide: bool) -> DMatrix<f64> {
    let features = mean.len();
    if is_wide {
        let rows = values.len() / features;
        return feature_blocks(features).fold(DMatrix::zeros(rows, rows), |sum, (first, count)| {
            let part = features_of(values, mean, first, count);
            sum + part.tr_mul(&part)
        });
    }
    let mut sum = DMatrix::zeros(features, features);
    for values in values.chunks(BLOCK * mean.len()) {
        let columns = block(values, mean);
        let product = &columns * columns.transpose();
        sum.iter_mut().zip(&product).for_each(|(sum, part)| *sum += f64::from(*part));
    }
    sum
}

/// The directions of features that belong to directions of rows: `X^T u`, of length 1.
fn directions(values: &[f32], mean: &[f64], vectors: &DMatrix<f64>) -> DMatrix<f64> {
    let mut directions = DMatrix::zeros(mean.len(), vectors.ncols());
    for (first, count) in feature_blocks(mean.len()) {
        let part = features_of(values, mean, first, count) * vectors;
        directions.rows_mut(first, count).copy_from(&part);
    }
    let largest = directions.column_iter().fold(0.0f64, |most, column| most.max(column.norm()));
    for mut direction in directions.column_iter_mut() {
        let norm = direction.norm();
        // Data of lower rank than components: the rest of them is empty, not rounding noise.
        direction /= if norm > RANK * largest { norm } else { f64::INFINITY };
    }
    directions
}

/// The part of the largest singular value below which one is taken for the rounding of f32 values.
const RANK: f64 = 1e-6;

/// Vectors beyond those wanted that iterate along: the more, the faster it settles.
const SPARE: usize = 10;

/// The eigenvectors of the `count` largest eigenvalues of a symmetric matrix without negative
/// ones, by falling eigenvalue.
fn leading(matrix: &DMatrix<f64>, count: usize) -> DMatrix<f64> {
    let size = matrix.nrows();
    let width = count + SPARE;
    if width * 3 >= size {
        return sorted(SymmetricEigen::new(matrix.clone()), count).0;
    }
    let mut generator = ChaCha8Rng::seed_from_u64(0);
    let start = DMatrix::from_fn(size, width, |_, _| generator.random_range(-1.0..1.0));
    let mut basis = start.qr().q();
    let mut held = 0.0;
    // Neighbouring eigenvalues settle slowly, but then it hardly matters which one is taken.
    for _ in 0..1000 {
        let image = matrix * &basis;
        let (rotation, values) = sorted(SymmetricEigen::new(basis.tr_mul(&image)), count);
        let now: f64 = values.iter().sum();
        if (now - held).abs() <= 1e-10 * now.abs() {
            return &basis * rotation;
        }
        held = now;
        basis = image.qr().q();
    }
    let (rotation, _) = sorted(SymmetricEigen::new(basis.tr_mul(&(matrix * &basis))), count);
    &basis * rotation
}

fn sorted(eigen: SymmetricEigen<f64, nalgebra::Dyn>, count: usize) -> (DMatrix<f64>, Vec<f64>) {
    let mut order: Vec<usize> = (0..eigen.eigenvalues.len()).collect();
    order.sort_by(|a, b| eigen.eigenvalues[*b].total_cmp(&eigen.eigenvalues[*a]));
    order.truncate(count);
    let values = order.iter().map(|index| eigen.eigenvalues[*index]).collect();
    (eigen.eigenvectors.select_columns(&order), values)
}

/// An eigenvector may point either way: its largest entry shall be positive.
fn with_signs(mut vectors: DMatrix<f64>) -> DMatrix<f64> {
    for mut vector in vectors.column_iter_mut() {
        if vector[vector.iamax()] < 0.0 {
            vector.neg_mut();
        }
    }
    vectors
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Autoencoder;
    use burn::tensor::Tolerance;

    /// (2, 0), (-2, 0), (0, 1), (0, -1) about the mean (1, 5): variances 2 and 1/2, so the first
    /// component is (1, 0) and its code of (3, 5) is 2.
    #[test]
    fn components_by_hand() {
        let device = Device::flex();
        let pca = Pca::fit(&[3.0, 5.0, -1.0, 5.0, 1.0, 6.0, 1.0, 4.0], 2, 1, &device).unwrap();
        let expected = TensorData::from([[1.0f32], [0.0]]);
        pca.components().into_data().assert_approx_eq::<f32>(&expected, Tolerance::absolute(1e-6));
        let code = pca.encode(Tensor::from_floats([[3.0, 5.0], [1.0, 6.0]], &device));
        let expected = TensorData::from([[2.0f32], [0.0]]);
        code.to_data().assert_approx_eq::<f32>(&expected, Tolerance::absolute(1e-6));
        let expected = TensorData::from([[3.0f32, 5.0], [1.0, 5.0]]);
        pca.decode(code).into_data().assert_approx_eq::<f32>(&expected, Tolerance::absolute(1e-6));
    }

    /// Rows whose later features vary less and less.
    fn rows(count: usize, features: usize) -> Vec<f32> {
        let mut generator = ChaCha8Rng::seed_from_u64(5);
        (0..count * features)
            .map(|i| generator.random_range(-1.0f32..1.0) / (1.0 + (i % features) as f32 / 8.0))
            .collect()
    }

    fn squared_error(pca: &Pca, values: &[f32], features: usize) -> f64 {
        let data = TensorData::new(values.to_vec(), [values.len() / features, features]);
        let data = Tensor::<2>::from_data(data, &Device::flex());
        (pca.reconstruct(data.clone()) - data).square().sum().into_scalar::<f32>().into()
    }

    /// The iteration and the full decomposition, tall and wide, agree with the sum of the
    /// eigenvalues left out, and components are orthonormal.
    #[test]
    fn the_error_is_what_the_left_out_eigenvalues_say() {
        for (count, features, components) in [(300, 120, 5), (300, 20, 15), (90, 200, 4)] {
            let values = rows(count, features);
            let pca = Pca::fit(&values, features, components, &Device::flex()).unwrap();
            let mean = mean(&values, features);
            let full = SymmetricEigen::new(products(&values, &mean, false));
            let (_, largest) = sorted(full.clone(), components);
            let left = full.eigenvalues.sum() - largest.iter().sum::<f64>();
            let error = squared_error(&pca, &values, features);
            assert!((error / left - 1.0).abs() < 1e-5, "{error} {left}");
            let identity = pca.components().transpose().matmul(pca.components());
            identity.into_data().assert_approx_eq::<f32>(
                &Tensor::<2>::eye(components, &Device::flex()).into_data(),
                Tolerance::absolute(1e-5),
            );
        }
    }

    /// Wide rows twice, in units from tiny to huge: as many components as there are ranks, all of
    /// length 1, and the rest 0.
    #[test]
    fn the_rank_is_found_in_any_units() {
        for unit in [1e-11f32, 1.0, 1e11] {
            let mut values = rows(6, 40);
            values.extend(values.clone());
            values.iter_mut().for_each(|value| *value *= unit);
            let pca = Pca::fit(&values, 40, 8, &Device::flex()).unwrap();
            let products = pca.components().transpose().matmul(pca.components());
            let products: Vec<f32> = products.into_data().iter().collect();
            for (index, product) in products.iter().enumerate() {
                // Six rows about their mean span five directions.
                let expected = if index / 8 == index % 8 && index / 8 < 5 { 1.0 } else { 0.0 };
                assert!((product - expected).abs() < 1e-5, "{unit} {index}: {product}");
            }
            let error = squared_error(&pca, &values, 40);
            assert!(error < 1e-9 * f64::from(unit).powi(2), "{unit}: {error}");
        }
    }

    /// The largest entries are -3, in the first row, and 2, in the second.
    #[test]
    fn the_largest_entry_decides_the_sign() {
        let vectors = DMatrix::from_row_slice(2, 2, &[-3.0, -1.0, 2.0, 2.0]);
        let expected = DMatrix::from_row_slice(2, 2, &[3.0, -1.0, -2.0, 2.0]);
        assert_eq!(with_signs(vectors), expected);
        // Of full decompositions and of the iteration, tall and wide.
        for (count, features, components) in [(300, 120, 5), (300, 20, 15), (90, 200, 4)] {
            let values = rows(count, features);
            let pca = Pca::fit(&values, features, components, &Device::flex()).unwrap();
            let entries: Vec<f32> = pca.components().into_data().iter().collect();
            for component in 0..components {
                let column = entries.iter().skip(component).step_by(components);
                let largest =
                    column.fold(
                        0.0f32,
                        |most, entry| {
                            if entry.abs() > most.abs() { *entry } else { most }
                        },
                    );
                assert!(largest > 0.0, "component {component} of {components}: {largest}");
            }
        }
    }

    #[test]
    fn what_cannot_be_fitted_is_refused() {
        let refused = |values: &[f32], features, components| {
            Pca::fit(values, features, components, &Device::flex()).unwrap_err().to_string()
        };
        assert_eq!(refused(&[1.0; 6], 3, 3), "components: expected 1 to 2, got 3");
        assert_eq!(refused(&[1.0; 5], 3, 1), "values: expected whole rows of 3 features, got 5");
    }
}
