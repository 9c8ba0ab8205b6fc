//! The number type of the layers during training.

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Device, FloatDType, Tensor};

use crate::{Error, Result};

/// The number type of the layers during training (Micikevicius et al. 2018, arXiv 1710.03740).
///
/// | name | layers | range of normal numbers | digits | needs |
/// |---|---|---|---|---|
/// | `full` | the type of the parameters, f32 | 1e-38 to 3e38 | 7 | nothing |
/// | `f16` | f16 | 6e-5 to 65,504 | 3 | a GPU that computes in f16, or the CPU |
/// | `bf16` | bf16 | 1e-38 to 3e38 | 2 | a GPU that computes in bf16 (CUDA, not WGSL or Vulkan), or the CPU |
///
/// In half precision, each step copies the parameters to that type, and the forward and backward pass
/// have activations and their gradients in it. The parameters, the state of the optimiser, the statistics
/// of normalisations, losses, penalties and all of validation stay in full precision. With `f16` the loss
/// is multiplied by `2^13 / features` before the backward pass, and gradients are divided by it. The
/// largest gradient is that of the bias of a map, a mean over the batch of sums over positions. If the
/// gradient at each position is below 8, it stays below 65,504, while that of a logit stays well above the
/// least number.
///
/// A model of your own must convert its inputs to the type of its weights, as `ae_kernels::linear` does.
///
/// Half precision is for GPUs. On a CPU it is many times slower than `full`, and only for tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// The type of the parameters.
    #[default]
    Full,
    /// Half precision of IEEE 754.
    F16,
    /// The upper 16 bits of an f32.
    Bf16,
}

impl Precision {
    /// Whether layers compute in the type of the parameters.
    pub fn is_full(&self) -> bool {
        *self == Self::Full
    }

    fn half(self) -> Option<FloatDType> {
        match self {
            Self::Full => None,
            Self::F16 => Some(FloatDType::F16),
            Self::Bf16 => Some(FloatDType::BF16),
        }
    }

    pub(crate) fn check(self, device: &Device) -> Result<()> {
        match self.half() {
            Some(half) if !device.supports_dtype(half) => {
                let got = format!("{self:?}").to_lowercase();
                Err(Error::Objective(format!(
                    "precision: expected a type that the device computes in, got {got}; take full"
                )))
            }
            _ => Ok(()),
        }
    }

    /// A copy of the model in this precision, whose gradients reach the parameters of the model. `None` for
    /// full precision.
    pub(crate) fn copy<M: Module>(self, model: &M) -> Option<M> {
        self.half().map(|half| model.clone().map(&mut Cast { to: half }))
    }

    /// The factor of the loss in the backward pass.
    pub(crate) fn scale(self, features: usize) -> Option<f64> {
        (self == Self::F16).then(|| 8192.0 / features as f64)
    }
}

struct Cast {
    to: FloatDType,
}

impl ModuleMapper for Cast {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (id, value, mapper) = param.consume();
        Param::from_mapped_value(id, value.cast(self.to), mapper)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        Data, Decay, Fitted, LearningRate, Objective, Optimizer, Reconstruction, Schedule, Training,
    };
    use ae_data::{Samples, Shape};
    use ae_models::{Activation, Dense, DenseConfig, tensors};

    /// One step of gradient descent with a rate of 1 for `y = v (w x + b) + c`, on `rows` samples of `x`.
    fn step(precision: Precision, w: f32, x: f32, rows: usize) -> Fitted<Dense> {
        let config = DenseConfig { output: Activation::Identity, ..DenseConfig::new([1, 1]) };
        let device = Device::flex();
        let mut model = config.init(0, &device).unwrap();
        let mut values = tensors::collect(&model);
        for (name, value) in &mut values {
            let given = match &**name {
                "encoder.layers.0.weight" => w,
                "decoder.layers.0.weight" => 1.0,
                _ => 0.0,
            };
            let shape = value.shape().clone();
            *value = burn::tensor::TensorData::new(vec![given], shape);
        }
        model = tensors::replace(model, values).unwrap();
        let samples = Samples::from_floats(vec![x; rows], Shape::table(1)).unwrap();
        let data = Data { training: Arc::new(samples), validation: None };
        let schedule = Schedule {
            epochs: 1,
            batch: rows,
            optimizer: Optimizer::sgd(0.0),
            rate: LearningRate { peak: 1.0, warm_up: 0.0, decay: Decay::Constant },
            precision,
            ..Schedule::default()
        };
        Training::new(model, &Objective::new(Reconstruction::SquaredError))
            .schedule(&schedule)
            .fit(&data)
            .unwrap()
    }

    fn value(fitted: &Fitted<Dense>, name: &str) -> f32 {
        tensors::collect(&fitted.model)[name].iter::<f32>().next().unwrap()
    }

    /// Numbers from 1 on have steps of 2^-7 in bf16 and 2^-10 in f16, so w = 1.002 is 1 in bf16 and
    /// 1 + 2^-9 in f16. The errors are 0.002^2, 0 and 2^-18. Without an error the parameter is unchanged,
    /// not rounded.
    #[test]
    fn layers_compute_in_half_precision_and_parameters_are_not_rounded() {
        let w = 1.002f32;
        let loss = |precision| step(precision, w, 1.0, 1).epochs[0].training_loss();
        assert!((loss(Precision::Full) - 4e-6).abs() < 1e-9);
        assert_eq!(loss(Precision::Bf16), 0.0);
        assert_eq!(loss(Precision::F16), 2f64.powi(-18));
        assert_eq!(value(&step(Precision::Bf16, w, 1.0, 1), "encoder.layers.0.weight"), w);
    }

    /// x = 1.0004 and its reconstruction are 1 in f16. The gradient of each of 4096 logits is
    /// -2 * 0.0004 / 4096 = -2e-7, about three times the least number of f16. The bias of the decoder still
    /// moves by 0.0008.
    #[test]
    fn small_gradients_are_not_lost_in_f16() {
        let fitted = step(Precision::F16, 1.0, 1.0004, 4096);
        let moved = value(&fitted, "decoder.layers.0.bias");
        assert!((moved - 0.0008).abs() < 1e-6, "{moved}");
    }
}
