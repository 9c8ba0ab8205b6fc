//! Evaluates an autoencoder on a data set, in the usual units.

use ae_models::{Activation, Autoencoder};
use burn::tensor::Tensor;

use crate::activity::ActivityTally;
use crate::{Activity, Batches, Error, Reconstruction, Result};

/// The results of an autoencoder on a data set, without corruption and penalties.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Evaluation {
    /// The number of samples.
    pub samples: usize,
    /// Squared error per sample: summed over features, averaged over samples.
    pub squared_error: f64,
    /// Cross-entropy, if the output is a sigmoid and all targets are in \[0, 1\].
    pub cross_entropy: Option<CrossEntropy>,
    /// The fraction of features for which input and reconstruction are on the same side of one half, if
    /// there is a cross-entropy: the accuracy for black and white pixels.
    #[serde(default)]
    pub pixel_accuracy: Option<f64>,
    /// The number of units of the code that are constant over the data set.
    pub dead_units: usize,
    /// The number of units of the code.
    pub code_size: usize,
    /// The variance of the reconstructions divided by that of the data, both summed over features. Near 0,
    /// the model reconstructs everything as the mean. `None` if the data is constant.
    pub variance_kept: Option<f64>,
    /// The activity of the units of the code.
    pub activity: Activity,
}

/// Cross-entropy of a data set, in nats.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct CrossEntropy {
    /// The cross-entropy per feature, averaged over samples and features.
    pub per_feature: f64,
    /// The entropy of the targets per feature, below which no cross-entropy can be.
    pub floor: f64,
}

impl CrossEntropy {
    /// The difference between the cross-entropy and the floor.
    pub fn excess(self) -> f64 {
        self.per_feature - self.floor
    }
}

/// The evaluation of a data set, with the squared error of every sample.
pub struct DetailedEvaluation {
    /// The results over all samples.
    pub evaluation: Evaluation,
    /// One squared error per sample, summed over features, in the order of the data.
    pub squared_errors: Vec<f32>,
}

/// Evaluates a model on a data set, `batch` samples at a time.
///
/// Every batch has the same shape, because each new shape makes a GPU back end tune again. The last one is
/// padded with copies, whose results are dropped. Of [`Masked`](ae_data::Masked) samples the errors are those
/// of the known values, and there is no cross-entropy.
///
/// # Errors
/// If the data cannot be read, or has another width than the model.
///
/// # Panics
/// If `batch` is 0.
pub fn evaluate<M: Autoencoder>(
    model: &M,
    data: &Batches,
    batch: usize,
) -> Result<DetailedEvaluation> {
    if ![data.width(), data.features()].contains(&model.features()) {
        return Err(Error::other_width(model.features(), data.features()));
    }
    // The model of a `MaskedTable` sees the marks as well.
    let sees_marks = data.width() == model.features();
    let mut tally = Tally::new(model, data)?;
    for_each_batch(data, batch, |rows, count| {
        let (input, known) = if sees_marks { (rows, None) } else { data.parts(rows) };
        let known = known.map(|known| first(known, count));
        let code = model.encode(input.clone());
        let logits = model.decode_logits(code.clone());
        let [input, code, logits] = [input, code, logits].map(|tensor| first(tensor, count));
        tally.add(input, code, logits, known);
    })?;
    Ok(tally.finish())
}

/// The sums of an evaluation, batch by batch.
pub(crate) struct Tally {
    output: Activation,
    features: usize,
    code_size: usize,
    floor: Option<f64>,
    squared_errors: Vec<f32>,
    cross_entropy: f64,
    /// The number of features on the right side of one half.
    right: f64,
    codes: Extremes,
    activity: ActivityTally,
    inputs: Moments,
    outputs: Moments,
}

impl Tally {
    pub(crate) fn new<M: Autoencoder>(model: &M, data: &Batches) -> Result<Self> {
        Ok(Self {
            output: model.output(),
            features: model.features(),
            code_size: model.code_size(),
            floor: match model.output().is_probability() && !data.is_masked() {
                true => data.entropy()?,
                false => None,
            },
            squared_errors: Vec::with_capacity(data.len()),
            cross_entropy: 0.0,
            right: 0.0,
            codes: Extremes::default(),
            activity: ActivityTally::new(model.code_activation()),
            inputs: Moments::default(),
            outputs: Moments::default(),
        })
    }

    /// Adds clean inputs, their codes and the logits of their reconstructions. Unknown values count as reconstructed.
    pub(crate) fn add(
        &mut self,
        input: Tensor<2>,
        code: Tensor<2>,
        logits: Tensor<2>,
        known: Option<Tensor<2>>,
    ) {
        let mut output = self.output.apply(logits.clone());
        if let Some(known) = known {
            output = (output - input.clone()) * known + input.clone();
        }
        let errors = (output.clone() - input.clone()).square().sum_dim(1);
        self.squared_errors.extend(errors.into_data().iter::<f32>());
        if self.floor.is_some() {
            let target = input.clone();
            let elements = Reconstruction::CrossEntropy.elements(logits, self.output, target);
            self.cross_entropy += elements.sum_dim(1).into_data().iter::<f64>().sum::<f64>();
            let is_light = |values: &Tensor<2>| values.clone().greater_equal_elem(0.5);
            let is_right = is_light(&input).equal(is_light(&output)).float();
            self.right += is_right.sum_dim(1).into_data().iter::<f64>().sum::<f64>();
        }
        self.activity.add(code.clone());
        self.codes.add(code);
        self.inputs.add(input);
        self.outputs.add(output);
    }

    pub(crate) fn finish(self) -> DetailedEvaluation {
        let samples = self.squared_errors.len();
        let squared_error = self.squared_errors.iter().map(|error| f64::from(*error)).sum::<f64>();
        let evaluation = Evaluation {
            samples,
            squared_error: squared_error / samples as f64,
            cross_entropy: self.floor.map(|floor| CrossEntropy {
                per_feature: self.cross_entropy / (samples * self.features) as f64,
                floor,
            }),
            pixel_accuracy: self.floor.map(|_| self.right / (samples * self.features) as f64),
            dead_units: if samples > 1 { self.codes.constant() } else { 0 },
            code_size: self.code_size,
            variance_kept: Some(self.inputs.variance())
                .filter(|variance| *variance > 0.0)
                .map(|variance| self.outputs.variance() / variance),
            activity: self.activity.finish(),
        };
        DetailedEvaluation { evaluation, squared_errors: self.squared_errors }
    }
}

/// Calls `visit` with every batch of `data`, padded to `batch` rows, and the number of rows before the
/// padding.
pub(crate) fn for_each_batch(
    data: &Batches,
    batch: usize,
    mut visit: impl FnMut(Tensor<2>, usize),
) -> Result<()> {
    assert!(batch > 0, "batches of at least one sample");
    let batch = batch.min(data.len());
    for start in (0..data.len()).step_by(batch) {
        let count = batch.min(data.len() - start);
        let rows: Vec<usize> = (start..start + batch).map(|row| row.min(data.len() - 1)).collect();
        visit(data.select(&rows)?, count);
    }
    Ok(())
}

pub(crate) fn first(tensor: Tensor<2>, count: usize) -> Tensor<2> {
    match tensor.dims()[0] == count {
        true => tensor,
        false => tensor.narrow(0, 0, count),
    }
}

/// Sums and sums of squares per column, on the device, `[1, columns]` each. They are sums of differences
/// from the first row, so that a small variance is not lost in the rounding of a large mean.
#[derive(Default)]
struct Moments {
    count: usize,
    first: Option<Tensor<2>>,
    sums: Option<[Tensor<2>; 2]>,
}

impl Moments {
    fn add(&mut self, rows: Tensor<2>) {
        self.count += rows.dims()[0];
        let first = self.first.get_or_insert_with(|| rows.clone().narrow(0, 0, 1));
        let rows = rows - first.clone();
        let [sum, squares] = [rows.clone().sum_dim(0), rows.square().sum_dim(0)];
        self.sums = Some(match self.sums.take() {
            Some([old, old_squares]) => [old + sum, old_squares + squares],
            None => [sum, squares],
        });
    }

    /// The variance, summed over columns.
    fn variance(self) -> f64 {
        let Some([sums, squares]) = self.sums else { return 0.0 };
        let (sums, squares, n) = (sums.into_data(), squares.into_data(), self.count as f64);
        let columns = sums.iter::<f64>().zip(squares.iter::<f64>());
        columns.map(|(sum, square)| (square / n - (sum / n).powi(2)).max(0.0)).sum()
    }
}

/// The least and the largest value of every unit, on the device, `[1, units]` each.
#[derive(Default)]
struct Extremes {
    bounds: Option<[Tensor<2>; 2]>,
}

impl Extremes {
    fn add(&mut self, codes: Tensor<2>) {
        let [low, high] = [codes.clone().min_dim(0), codes.max_dim(0)];
        self.bounds = Some(match self.bounds.take() {
            Some([old_low, old_high]) => [old_low.min_pair(low), old_high.max_pair(high)],
            None => [low, high],
        });
    }

    /// The number of units whose range is only rounding error.
    fn constant(self) -> usize {
        let Some([low, high]) = self.bounds else { return 0 };
        let (low, high) = (low.into_data(), high.into_data());
        let units = low.iter::<f32>().zip(high.iter::<f32>());
        units.filter(|(low, high)| high - low <= 1e-6 * low.abs().max(high.abs())).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RESIDENT_LIMIT;
    use ae_data::{Samples, Shape};
    use ae_models::{Dense, DenseConfig, tensors};
    use burn::tensor::{Device, TensorData};

    fn batches(values: &[f32], width: usize) -> Batches {
        let samples = Samples::from_floats(values.to_vec(), Shape::table(width)).unwrap();
        Batches::new(samples, &Device::flex(), RESIDENT_LIMIT, None).unwrap()
    }

    /// A model 2 -> 1 -> 2 with the code x_1 + x_2, whose outputs are both half of it.
    fn averaging(output: Activation) -> Dense {
        let config = DenseConfig { output, ..DenseConfig::new([2, 1]) };
        let model = config.init(0, &Device::flex()).unwrap();
        let mut weights = tensors::collect(&model);
        weights.insert("encoder.layers.0.weight".into(), TensorData::from([[1.0f32, 1.0]]));
        weights.insert("decoder.layers.0.weight".into(), TensorData::from([[0.5f32], [0.5]]));
        tensors::replace(model, weights).unwrap()
    }

    /// (1, 3) -> (2, 2): error 2. (0, 0): 0. (4, 0) -> (2, 2): 8. Mean 10 / 3.
    /// Data: columns (1, 0, 4), (3, 0, 0): variances 26/9 and 2; output: twice (2, 0, 2): 8/9.
    #[test]
    fn squared_error_and_variance_by_hand_for_every_batch_size() {
        let data = batches(&[1.0, 3.0, 0.0, 0.0, 4.0, 0.0], 2);
        for batch in [1, 2, 3, 10] {
            let errors = evaluate(&averaging(Activation::Identity), &data, batch).unwrap();
            assert_eq!(errors.squared_errors, [2.0, 0.0, 8.0]);
            let evaluation = errors.evaluation;
            assert!((evaluation.squared_error - 10.0 / 3.0).abs() < 1e-9);
            let kept = evaluation.variance_kept.unwrap();
            assert!((kept - (16.0 / 9.0) / (26.0 / 9.0 + 2.0)).abs() < 1e-6);
            assert_eq!((evaluation.samples, evaluation.dead_units), (3, 0));
            assert_eq!(evaluation.cross_entropy, None);
        }
    }

    /// Logits are the average (0.5, 0.5) of (1, 0): softplus(0.5) = 0.974077, so cross-entropy
    /// 2 * 0.974077 - 0.5 = 1.448154 over 2 features; targets 0 and 1 have no entropy.
    #[test]
    fn cross_entropy_by_hand() {
        let evaluate = |values: &[f32]| {
            let data = batches(values, 2);
            evaluate(&averaging(Activation::Sigmoid), &data, 8).unwrap().evaluation.cross_entropy
        };
        let cross_entropy = evaluate(&[1.0, 0.0]).unwrap();
        assert!((cross_entropy.per_feature - 0.724_077).abs() < 1e-6);
        assert_eq!(cross_entropy.floor, 0.0);
        let floor = evaluate(&[0.5, 0.5]).unwrap();
        assert!((floor.floor - 2f64.ln()).abs() < 1e-12 && floor.excess() > 0.0);
        assert_eq!(evaluate(&[2.0, 0.0]), None);
    }

    /// Outputs are sigmoids of half the sum, above one half for (0, 0.4) and (0.5, 1). Of the inputs, 0.5
    /// and 1 are at least one half, so two of four are right. (-1, 0.9) has no cross-entropy.
    #[test]
    fn pixel_accuracy_by_hand() {
        let evaluate = |values: &[f32]| {
            let data = batches(values, 2);
            evaluate(&averaging(Activation::Sigmoid), &data, 8).unwrap().evaluation.pixel_accuracy
        };
        assert_eq!(evaluate(&[0.0, 0.4, 0.5, 1.0]), Some(0.5));
        assert_eq!(evaluate(&[0.5, 1.0]), Some(1.0));
        assert_eq!(evaluate(&[-1.0, 0.9]), None);
    }

    /// (2001, 2003), (2000, 2000), (2004, 2000): the variances above, about a mean whose square f32 rounds
    /// to a quarter.
    #[test]
    fn variance_is_exact_with_a_large_mean() {
        let data = batches(&[2001.0, 2003.0, 2000.0, 2000.0, 2004.0, 2000.0], 2);
        let kept = |data| evaluate(&averaging(Activation::Identity), &data, 2).unwrap();
        let kept = |data| kept(data).evaluation.variance_kept;
        assert!((kept(data).unwrap() - (16.0 / 9.0) / (26.0 / 9.0 + 2.0)).abs() < 1e-6);
        assert_eq!(kept(batches(&[5.0, 7.0], 2)), None);
    }

    #[test]
    fn constant_units_are_dead() {
        let data = batches(&[1.0, -1.0, 2.0, -2.0, -3.0, 3.0], 2);
        let evaluation = evaluate(&averaging(Activation::Identity), &data, 2).unwrap().evaluation;
        assert_eq!((evaluation.dead_units, evaluation.code_size), (1, 1));
    }

    /// The weights are 0, so reconstructions are 0, and the errors the squares of what is known: 9 of (3, ?) where the mean,
    /// 1 of the second column, is in place of the missing cell; 4 + 1 of (2, 1). Without masks 10 and 5.
    #[test]
    fn missing_cells_have_no_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        std::fs::write(&path, "a,b\n3,?\n2,1\n").unwrap();
        let samples = ae_data::table::read(&path, None).unwrap();
        let config = DenseConfig { output: Activation::Identity, ..DenseConfig::new([2, 1]) };
        let model = config.init(0, &Device::flex()).unwrap();
        let mut weights = tensors::collect(&model);
        weights.insert("decoder.layers.0.weight".into(), TensorData::from([[0.0f32], [0.0]]));
        weights.insert("decoder.layers.0.bias".into(), TensorData::from([0.0f32, 0.0]));
        let model = tensors::replace(model, weights).unwrap();
        let errors = |source: std::sync::Arc<dyn ae_data::Source>| {
            let data = Batches::new(source, &Device::flex(), RESIDENT_LIMIT, None).unwrap();
            evaluate(&model, &data, 2).unwrap().squared_errors
        };
        assert_eq!(errors(samples.clone().into()), [10.0, 5.0]);
        assert_eq!(errors(std::sync::Arc::new(ae_data::Masked::from(samples.clone()))), [9.0, 5.0]);
        let masked = ae_data::Masked::from(samples);
        assert_eq!(crate::mean_error(&[1.0, 0.0], &masked).unwrap(), (4.0 + 1.0 + 1.0) / 2.0);
    }

    #[test]
    fn data_of_another_width_is_refused() {
        let refused = evaluate(&averaging(Activation::Identity), &batches(&[1.0, 2.0, 3.0], 3), 8);
        assert_eq!(
            refused.err().unwrap().to_string(),
            "samples: expected 2 features, as the model has, got 3"
        );
    }
}
